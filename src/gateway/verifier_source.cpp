#include "gateway/verifier_source.hpp"

namespace theriac::gateway {
namespace {

constexpr std::string_view kAskFunction = "SELECT theriac.scram_verifier($1)";
constexpr std::string_view kAskTable =
    "SELECT rolpassword FROM pg_catalog.pg_authid WHERE rolname = $1";

Result<std::optional<std::string>> first_value(const store::PgResult& rows) {
  if (rows.rows() == 0) return std::optional<std::string>{};
  const auto value = rows.value(0, 0);
  if (!value) return std::optional<std::string>{};
  return std::optional<std::string>(std::string(*value));
}

}  // namespace

Result<std::optional<std::string>> PgVerifierSource::ask(const std::string& user) {
  if (!connection_) {
    THERIAC_ASSIGN(auto opened, store::PgConnection::open(conninfo_));
    connection_.emplace(std::move(opened));
  }
  auto rows = connection_->query(kAskFunction, {store::PgParam::text(user)});
  if (rows) return first_value(*rows);
  // Undefined function, missing schema.
  const auto& state = connection_->last_sqlstate();
  if (state != "42883" && state != "3F000") return fail(rows.error());
  rows = connection_->query(kAskTable, {store::PgParam::text(user)});
  if (rows) return first_value(*rows);
  if (connection_->last_sqlstate() == "42501") {
    return fail(Code::kDenied, "the catalogue user may not read password verifiers");
  }
  return fail(rows.error());
}

Result<std::optional<std::string>> PgVerifierSource::verifier(const std::string& user) {
  const std::lock_guard lock(mutex_);
  const bool kept = connection_.has_value();
  auto answer = ask(user);
  if (connection_ && !connection_->alive()) {
    connection_.reset();
    // A kept connection may have been cut long ago; a fresh one says whether the server is there.
    if (!answer && kept) answer = ask(user);
  }
  return answer;
}

VerifierLookup make_lookup(std::shared_ptr<VerifierSource> source, runtime::BlockingPool& pool,
                           runtime::Loop& loop) {
  return [source = std::move(source), &pool, &loop](std::string user, const VerifierAnswer& done) {
    const auto queued =
        pool.run(loop, [source, user = std::move(user)] { return source->verifier(user); }, done);
    if (!queued) done(fail(queued.error()));
  };
}

}  // namespace theriac::gateway
