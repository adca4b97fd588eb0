// Where the password verifiers of the server's users come from, for sign-ins that end here
// (opening_auth.hpp).
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "gateway/opening_auth.hpp"
#include "runtime/blocking_pool.hpp"
#include "store/pg.hpp"

namespace theriac::gateway {

class VerifierSource {
 public:
  virtual ~VerifierSource() = default;
  /// pg_authid.rolpassword, nullopt for an unknown user or one without password. Blocks; called on
  /// pool threads, from several at once.
  virtual Result<std::optional<std::string>> verifier(const std::string& user) = 0;
};

/// Asks PostgreSQL: theriac.scram_verifier(name), a SECURITY DEFINER function that lets the
/// catalogue user see verifiers and nothing else of pg_authid; where it is missing, pg_authid
/// itself. Code::kUpstream, or kDenied when neither is allowed. One connection, opened when first
/// needed and again after it was lost.
class PgVerifierSource final : public VerifierSource {
 public:
  explicit PgVerifierSource(std::string conninfo) : conninfo_(std::move(conninfo)) {}
  Result<std::optional<std::string>> verifier(const std::string& user) override;

 private:
  Result<std::optional<std::string>> ask(const std::string& user);
  std::string conninfo_;
  std::mutex mutex_;
  std::optional<store::PgConnection> connection_;
};

/// Asks `source` on `pool` and answers on `loop`; all three outlive the lookup.
VerifierLookup make_lookup(std::shared_ptr<VerifierSource> source, runtime::BlockingPool& pool,
                           runtime::Loop& loop);

}  // namespace theriac::gateway
