// The databases of the server that sessions of this process are signed in to: for each one its
// catalogue snapshot, its plans, and the key by which its functions know the gateway. Loaded at the
// first sign-in, looked at every second while a session is there, forgotten some time after.
//
// No connection is kept open to any of them: DROP DATABASE and CREATE DATABASE ... TEMPLATE want
// nobody connected, and wait five seconds for those that are about to go.
//
// Threading: Database and Databases are thread-safe. Loading runs on a thread of Databases' own.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/log.hpp"
#include "gateway/adoption_key.hpp"
#include "gateway/session.hpp"
#include "rewrite/plan.hpp"

namespace theriac::gateway {

inline constexpr std::size_t kPlansMax = 4096;
/// Plans of one shape: texts that differ in a literal that has to be the same.
inline constexpr std::size_t kPlansOfShapeMax = 16;
inline constexpr std::size_t kCachedSqlBytesMax = 64U * 1024U;
/// Databases known at once; those without sessions give way.
inline constexpr std::size_t kDatabasesMax = 1000;
/// How long a database without sessions is remembered, in polls.
inline constexpr int kDatabaseIdlePolls = 300;

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
  /// `counts` are those of all caches of the process.
  explicit PlanCache(Counts& counts) : counts_(counts) {}

 private:
  using Plans = std::vector<Planned>;  ///< without literals
  Result<Planned> plan_by_shape(std::string_view sql, const rewrite::TextShape& shape,
                                std::string key,
                                const std::shared_ptr<const rewrite::Catalogue>& catalogue,
                                const rewrite::Context& context);
  /// The plans under a key; nullptr if there are none for this snapshot.
  std::shared_ptr<const Plans> find(const std::string& key, std::uint64_t epoch);
  void keep(std::string key, std::uint64_t epoch, Planned planned);

  std::mutex mutex_;
  std::uint64_t epoch_ = 0;
  std::size_t size_ = 0;
  std::unordered_map<std::string, std::shared_ptr<const Plans>> plans_;
  Counts& counts_;
};

/// What is loaded of a database.
struct Snapshot {
  std::shared_ptr<const rewrite::Catalogue> catalogue;
  /// Empty where no column can be adopted. Shared with sessions that outlive the snapshot.
  std::shared_ptr<const AdoptionKey> key;
};
/// Connects to the database, loads and disconnects; called on the thread of Databases.
using LoadSnapshot =
    std::function<Result<Snapshot>(const std::string& database, std::uint64_t epoch)>;
/// Cheap look whether a new snapshot is needed.
using Fingerprint = std::function<Result<std::uint64_t>(const std::string& database)>;

class Databases;

class Database {
 public:
  enum class State : std::uint8_t { kLoading, kReady, kFailed };
  Database(std::string name, Databases& owner);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] State state() const;
  /// Why it is kFailed.
  [[nodiscard]] Error error() const;
  /// An empty catalogue until it is ready.
  [[nodiscard]] std::shared_ptr<const rewrite::Catalogue> catalogue() const;
  [[nodiscard]] std::shared_ptr<const AdoptionKey> key() const;
  PlanCache& plans() { return plans_; }
  /// A schema change was committed: look now. `for_all`: no session may go on without it; else
  /// those whose statements concern protected tables.
  std::uint64_t request_reload(bool for_all);
  /// The snapshot is newer than the request.
  [[nodiscard]] bool caught_up(std::uint64_t ticket) const;
  /// True, and `waker` is called once that has changed: a look that was asked for is under way.
  bool is_behind(bool concerned, const Waker& waker);

 private:
  friend class Databases;
  const std::string name_;
  Databases& owner_;
  PlanCache plans_;
  mutable std::mutex mutex_;
  State state_ = State::kLoading;
  Error error_{Code::kInternal, {}};
  Snapshot snapshot_;
  std::uint64_t fingerprint_ = 0;
  /// Numbers of requests: given out, given out for all, looked at, looked at with success.
  std::uint64_t requested_ = 0, requested_for_all_ = 0, done_ = 0, loaded_ = 0;
  std::vector<Waker> waiting_;
  int idle_polls_ = 0;
  /// What sessions share; expired: none is there. Guarded by the mutex of Databases.
  std::weak_ptr<Database> sessions_;
};

class Databases {
 public:
  struct Parts {
    LoadSnapshot load;
    Fingerprint fingerprint;
    Log* log = nullptr;
    int poll_ms = 1000;
  };
  explicit Databases(Parts parts);
  ~Databases();
  Databases(const Databases&) = delete;
  Databases& operator=(const Databases&) = delete;

  /// Loads this one now, on the caller's thread; before start().
  Status load_first(const std::string& name);
  void start();
  /// The database, which may still be loading: then `waker` is called when that has ended. Holding
  /// the result keeps it looked at. Where nobody held it, it is looked at first: meanwhile it may
  /// have been dropped, and another one made of that name. Code::kBusy beyond kDatabasesMax.
  Result<std::shared_ptr<Database>> attach(const std::string& name, const Waker& waker);
  PlanCache::Counts& plan_counts() { return plan_counts_; }
  /// Numbers of snapshots, a session's own ones among them.
  std::uint64_t next_epoch() { return ++epoch_; }

 private:
  friend class Database;
  void wake();
  void watch();
  void look_after(const std::shared_ptr<Database>& database);
  bool renew(Database& database, Database::State state, std::uint64_t known);
  bool load(Database& database, std::optional<std::uint64_t> fingerprint);
  void forget_unused();

  Parts parts_;
  PlanCache::Counts plan_counts_;
  std::atomic<std::uint64_t> epoch_{0};
  std::mutex mutex_;
  std::condition_variable changed_;
  bool work_ = false, stop_ = false;
  std::map<std::string, std::shared_ptr<Database>, std::less<>> all_;
  std::thread watcher_;
};

}  // namespace theriac::gateway
