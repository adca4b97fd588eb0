// What happens to every request: certificate, right, body, transaction, audit log, reply.
//
// Master data, numbers and hand-overs are on the audit log before they take effect. An act on items
// and a capture are put on it before they commit and acknowledged when both are durable. What is
// denied is on it too; of identifiers nothing is.
//
// Ownership: what Parts points to outlives it. Threading: from any thread; each request has a store
// session and a Vault for itself.
#pragma once

#include <atomic>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "api/caller.hpp"
#include "api/limits.hpp"
#include "audit/log.hpp"
#include "http/problem.hpp"
#include "http/router.hpp"
#include "runtime/blocking_pool.hpp"
#include "store/engine.hpp"
#include "trace/vault.hpp"
#include "trace/verification.hpp"

namespace theriac::api {

class Api {
 public:
  struct Parts {
    const lease::KeySource* keys;
    audit::AuditLog* trail;
    const Clock* clock;
    Random* random;
    Log* log;
    std::string tenant;
    const pki::Certificate* authority;
    /// Where reads and verifications run, so that they stand behind no writer; none: with the rest.
    runtime::BlockingPool* readers = nullptr;
  };
  explicit Api(Parts parts);
  ~Api();

  /// Gives it its database, with `sessions` sessions; before, requests that need one get
  /// Code::kClosed. Once.
  Status open(std::unique_ptr<store::Engine> engine, std::size_t sessions);
  /// Every operation, to run in the pool.
  Status add_routes(http::Router& router);
  http::Response handle(const Operation& operation, http::Request& request);

  /// What is missing: ok, or the error's name; for /readyz.
  struct Readiness {
    Status keys, store, audit;
    [[nodiscard]] bool ready() const { return keys && store && audit; }
  };
  Readiness readiness();

 private:
  struct Workplace;
  class Borrowed;
  class Recording;
  runtime::Task<http::Response> handle_apart(const Operation* operation, http::Request* request);
  http::Response handle_in_time(const Operation& operation, http::Request& request);
  Result<http::Response> answer(const Operation& operation, http::Request& request);
  Result<Answer> dispatch(Call& call);
  Result<Answer> read(Call& call);
  Result<Answer> write(Call& call);
  Result<Answer> check(Call& call);
  static Status add_discovery(http::Router& router);
  Status note_check(Call& call, Workplace& place);
  void write_sightings(const std::stop_token& stop);
  Status write_sightings_once();
  void raise_apart(const Call& call, Workplace& place);
  [[nodiscard]] Status check_revoked(const pki::Identity& caller) const;
  Status bind_caller(Call& call);
  Result<Borrowed> borrow();
  void record(audit::Event event, const Error& error);
  http::Response problem(const http::Request& request, const Error& error) const;

  Parts parts_;
  Callers callers_;
  std::unique_ptr<store::Engine> engine_;
  std::mutex mutex_;  // of what follows
  std::vector<std::unique_ptr<Workplace>> free_;
  bool open_ = false;
  trace::Guesses guesses_{kUnknownOfOneHourMax};
  std::atomic<bool> audit_fails_{false};
  trace::Sightings sightings_;
  std::unique_ptr<Workplace> sightings_place_;
  std::jthread sightings_writer_;  // uses what stands above
};

/// Chinese texts of the errors that callers meet.
const http::ProblemTexts& problem_texts();
Language language_of(const http::Request& request);

}  // namespace theriac::api
