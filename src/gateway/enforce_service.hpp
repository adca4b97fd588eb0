// What the sessions of one gateway process share in enforce mode: catalogue snapshot, policy, keys,
// plans, audit log. Sessions only read it; the service's own thread renews the snapshot.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>

#include "audit/log.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "gateway/enforce_ciphers.hpp"
#include "gateway/session.hpp"
#include "lease/lease.hpp"
#include "pgwire/messages.hpp"
#include "policy/policy.hpp"
#include "rewrite/plan.hpp"

namespace theriac::gateway {

inline constexpr std::size_t kPlansMax = 4096;
/// Plans of one shape: texts that differ in a literal that has to be the same.
inline constexpr std::size_t kPlansOfShapeMax = 16;
inline constexpr std::size_t kCachedSqlBytesMax = 64U * 1024U;

/// A plan for one text.
struct Planned {
  std::shared_ptr<const rewrite::Plan> plan;
  /// Null: the plan was made from this very text.
  std::shared_ptr<const rewrite::TextLiterals> literals;
  /// Shared by all who use the plan: a server described its result as the plan expects it.
  std::shared_ptr<std::atomic<bool>> verified = std::make_shared<std::atomic<bool>>(false);
};

/// Plans by search_path and text, or the text's shape (rewrite/literals.hpp), for one catalogue
/// snapshot. Thread-safe.
class PlanCache {
 public:
  Result<Planned> plan(std::string_view sql,
                       const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                       const rewrite::Context& context);
  struct Counts {
    std::atomic<std::uint64_t> hits{0}, misses{0};
  };
  [[nodiscard]] const Counts& counts() const { return counts_; }

 private:
  using Plans = std::vector<Planned>;  ///< without literals
  Result<Planned> plan_by_shape(std::string_view sql, const rewrite::TextShape& shape,
                                std::string key,
                                const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                const rewrite::Context& context);
  /// The plans under a key; empty if there are none for this snapshot.
  Plans find(const std::string& key, std::uint64_t epoch);
  void keep(std::string key, std::uint64_t epoch, Planned planned);

  std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::size_t size_ = 0;
  std::unordered_map<std::string, Plans> plans_;
  Counts counts_;
};

/// Loads a snapshot with the epoch given; called on the service's thread.
using LoadCatalogue =
    std::function<Result<std::shared_ptr<const rewrite::Catalogue>>(std::uint64_t epoch)>;
/// Cheap look whether a new snapshot is needed.
using Fingerprint = std::function<Result<std::uint64_t>()>;

struct Counters {
  std::atomic<std::uint64_t> forwarded{0}, rewritten{0}, refused{0}, opened{0}, sealed{0},
      denied{0};
};

class EnforceService {
 public:
  struct Parts {
    policy::Policy policy;
    std::shared_ptr<lease::KeySource> keys;  ///< shared with the lease client's own thread
    std::shared_ptr<audit::AuditLog> audit;  ///< shared: sessions' callbacks may outlive start-up
    LoadCatalogue load_catalogue;
    Fingerprint fingerprint;
    Clock* clock = nullptr;
    Random* random = nullptr;
    Log* log = nullptr;
    int catalogue_poll_ms = 1000;
  };
  /// Loads the first snapshot; fails if it cannot.
  static Result<std::unique_ptr<EnforceService>> start(Parts parts);
  ~EnforceService();

  /// Called on the loop thread that will run the session. SQLSTATE and text of a refusal travel in
  /// the error.
  Result<std::unique_ptr<Session>> make_session(const pgwire::StartupMessage& startup, Waker waker);

  [[nodiscard]] std::shared_ptr<const rewrite::Catalogue> catalogue() const;
  /// A schema change may have happened: look soon.
  void request_reload();

  [[nodiscard]] const policy::Policy& policy() const { return parts_.policy; }
  [[nodiscard]] const lease::KeySource& keys() const { return *parts_.keys; }
  [[nodiscard]] audit::AuditLog& audit() const { return *parts_.audit; }
  [[nodiscard]] Clock& clock() const { return *parts_.clock; }
  [[nodiscard]] Random& random() const { return *parts_.random; }
  [[nodiscard]] Log& log() const { return *parts_.log; }
  PlanCache& plans() { return plans_; }
  Counters& counters() { return counters_; }

 private:
  explicit EnforceService(Parts parts) : parts_(std::move(parts)) {}
  void watch();
  std::shared_ptr<Ciphers> ciphers_of_this_thread();

  Parts parts_;
  PlanCache plans_;
  Counters counters_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool reload_ = false, stop_ = false;
  std::shared_ptr<const rewrite::Catalogue> catalogue_;
  std::uint64_t fingerprint_ = 0;
  std::unordered_map<std::thread::id, std::shared_ptr<Ciphers>> ciphers_;
  std::thread watcher_;
};

}  // namespace theriac::gateway
