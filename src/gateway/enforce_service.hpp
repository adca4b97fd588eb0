// What the sessions of one gateway process share in enforce mode: policy, keys, audit log, and the
// databases with their catalogue snapshots and plans (enforce_databases.hpp).
#pragma once

#include <array>
#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>

#include "audit/log.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "gateway/enforce_ciphers.hpp"
#include "gateway/enforce_databases.hpp"
#include "gateway/session.hpp"
#include "lease/lease.hpp"
#include "pgwire/messages.hpp"
#include "policy/policy.hpp"
#include "rewrite/known_statements.hpp"
#include "rewrite/plan.hpp"

namespace theriac::gateway {

struct Counters {
  std::atomic<std::uint64_t> forwarded{0}, rewritten{0}, refused{0}, opened{0}, sealed{0},
      denied{0};
};

/// Statements by what became of them. The words are the analysis's own. Thread-safe.
class StatementCounts {
 public:
  void rewritten(std::string_view tag);
  void refused(std::string_view construct) { add(refused_, construct); }
  /// Prometheus text.
  [[nodiscard]] std::string text() const;

 private:
  using Counts = std::map<std::string, std::uint64_t, std::less<>>;
  void add(Counts& counts, std::string_view name);

  /// What nearly every statement is, without a lock.
  static constexpr std::array<std::string_view, 5> kCommon{"SELECT", "INSERT", "UPDATE", "DELETE",
                                                           "COPY"};
  std::array<std::atomic<std::uint64_t>, kCommon.size()> common_{};
  mutable std::mutex mutex_;
  Counts rewritten_, refused_;
};

class EnforceService {
 public:
  struct Parts {
    policy::Policy policy;
    /// Strict mode: the only statements taken on protected tables.
    std::optional<rewrite::KnownStatements> known;
    std::shared_ptr<lease::KeySource> keys;  ///< shared with the lease client's own thread
    std::shared_ptr<audit::AuditLog> audit;  ///< shared: sessions' callbacks may outlive start-up
    LoadSnapshot load;
    Fingerprint fingerprint;
    std::string first_database;  ///< loaded at start, as a proof that it can be
    Clock* clock = nullptr;
    Random* random = nullptr;
    Log* log = nullptr;
    int catalogue_poll_ms = 1000;
  };
  /// Loads the snapshot of the first database; fails if it cannot.
  static Result<std::unique_ptr<EnforceService>> start(Parts parts);
  ~EnforceService();

  /// Called on the loop thread that will run the session. SQLSTATE and text of a refusal travel in
  /// the error.
  Result<std::unique_ptr<Session>> make_session(const pgwire::StartupMessage& startup, Waker waker);

  Databases& databases() { return *databases_; }
  [[nodiscard]] const policy::Policy& policy() const { return parts_.policy; }
  [[nodiscard]] const std::optional<rewrite::KnownStatements>& known() const {
    return parts_.known;
  }
  [[nodiscard]] const lease::KeySource& keys() const { return *parts_.keys; }
  [[nodiscard]] audit::AuditLog& audit() const { return *parts_.audit; }
  [[nodiscard]] Clock& clock() const { return *parts_.clock; }
  [[nodiscard]] Random& random() const { return *parts_.random; }
  [[nodiscard]] Log& log() const { return *parts_.log; }
  StatementCounts& statements() { return statements_; }
  Counters& counters() { return counters_; }

 private:
  explicit EnforceService(Parts parts) : parts_(std::move(parts)) {}
  std::shared_ptr<Ciphers> ciphers_of_this_thread();

  Parts parts_;
  Counters counters_;
  StatementCounts statements_;
  std::mutex mutex_;
  std::unordered_map<std::thread::id, std::shared_ptr<Ciphers>> ciphers_;
  std::unique_ptr<Databases> databases_;
};

}  // namespace theriac::gateway
