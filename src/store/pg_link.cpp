#include "store/pg_link.hpp"

#include <fmt/format.h>

#include "store/dialect.hpp"
#include "store/limits.hpp"
#include "store/pg_binary.hpp"

namespace theriac::store {
namespace {

Result<PgResult> said(PgConnection& link, Result<PgResult> result) {
  if (result) return result;
  return fail(said_by_server(std::move(result.error()), link.last_sqlstate()));
}

/// The one integer that `sql` returns; 0 for no row.
Result<std::int64_t> integer_of(PgConnection& link, std::string_view sql,
                                std::span<const PgParam> params = {}) {
  THERIAC_ASSIGN(const auto result, said(link, link.query(sql, params, PgFormat::kBinary)));
  if (result.rows() == 0 || result.columns() == 0) return 0;
  return integer_from(PgType{result.column_oid(0)}, result.bytes(0, 0).value_or(ByteView()));
}

Status run(PgConnection& link, std::string_view sql) {
  THERIAC_TRY(said(link, link.exec(sql)));
  return {};
}

/// The schema exists and is ours.
Status claim(PgConnection& link, const std::string& name) {
  const std::array schema{PgParam::text(name)};
  THERIAC_ASSIGN(const auto there, integer_of(link,
                                              "SELECT count(*) FROM pg_namespace "
                                              "WHERE nspname = $1",
                                              schema));
  if (there == 0) THERIAC_TRY(run(link, "CREATE SCHEMA " + pg_quote_identifier(name)));
  THERIAC_ASSIGN(const auto relations,
                 integer_of(link,
                            "SELECT count(*) FROM pg_class c JOIN pg_namespace n "
                            "ON n.oid = c.relnamespace WHERE n.nspname = $1",
                            schema));
  if (relations == 0) {
    return run(link,
               "CREATE TABLE theriac_schema(version bigint NOT NULL);"
               "INSERT INTO theriac_schema VALUES(0)");
  }
  THERIAC_ASSIGN(const auto ours, integer_of(link, "SELECT count(to_regclass('theriac_schema'))"));
  if (ours == 0) return fail(Code::kNotAuthentic, "another program's schema");
  return {};
}

}  // namespace

Error said_by_server(Error error, std::string_view sqlstate) {
  if (!error.where.starts_with("SQLSTATE ")) return error;  // said by the client library's class
  const auto is_class = [&](std::string_view wanted) { return sqlstate.starts_with(wanted); };
  if (sqlstate == "40001" || sqlstate == "40P01" || sqlstate == "55P03" || sqlstate == "53300") {
    error.code = Code::kBusy;
  } else if (is_class("23") || sqlstate == "25P02") {
    error.code = Code::kConflict;
  } else if (sqlstate == "22021") {
    error.code = Code::kBadEncoding;
  } else if (sqlstate == "22003") {
    error.code = Code::kOutOfRange;
  } else if (is_class("54")) {
    error.code = Code::kTooLarge;
  } else if (sqlstate != "42501" && sqlstate != "25006" &&
             (is_class("42") || is_class("22") || is_class("21") || is_class("25") ||
              is_class("26") || is_class("0A"))) {
    error.code = Code::kInternal;
  }
  return error;
}

Result<PgConnection> open_link(const EngineOptions& options) {
  THERIAC_ASSIGN(auto link, PgConnection::open(options.where));
  if (link.parameter_status("server_encoding") != "UTF8") {
    return fail(Code::kUnsupported, "server_encoding");
  }
  // Temporary tables come last, or anybody who may make one could put it before ours. A stronger
  // synchronous_commit than "on" stays. Compiling queries takes longer than ours run. A kept plan
  // that reads a table whole, made while it was small, would stay when it has grown (measured: 20
  // ms instead of 0.1 for one item of 100,000, until the next ANALYZE): what we ask has an index.
  THERIAC_TRY(run(link, fmt::format("SET search_path = {}, pg_temp; SET lock_timeout = {}; "
                                    "SET default_transaction_isolation = 'read committed'; "
                                    "SET standard_conforming_strings = on; SET jit = off; "
                                    "SET enable_hashjoin = off; SET enable_mergejoin = off; "
                                    "SET enable_seqscan = off; "
                                    "SELECT set_config('synchronous_commit', 'on', false) "
                                    "WHERE current_setting('synchronous_commit') "
                                    "NOT IN ('on', 'remote_apply')",
                                    pg_quote_identifier(options.schema_name), kLockWaitMs)));
  return link;
}

Result<std::int64_t> schema_version(PgConnection& link) {
  return integer_of(link, "SELECT version FROM theriac_schema");
}

Result<std::int64_t> bring_up(PgConnection& link, const EngineOptions& options,
                              SchemaSteps schema) {
  THERIAC_ASSIGN(auto transaction, PgTransaction::begin(link));
  // In READ COMMITTED, so that what is read behind the lock is what its last holder left.
  THERIAC_TRY(run(link, "SELECT pg_advisory_xact_lock(hashtextextended(" +
                            pg_quote_literal("theriac schema " + options.schema_name) + ", 0))"));
  THERIAC_TRY(claim(link, options.schema_name));
  THERIAC_ASSIGN(const auto version, schema_version(link));
  const auto last = static_cast<std::int64_t>(schema.size());
  if (version > last) {
    return fail(Code::kUnsupported,
                fmt::format("schema version {}; this program knows {}", version, last));
  }
  for (auto step = version; step < last; ++step) {
    THERIAC_ASSIGN(const auto text,
                   in_dialect(Dialect::kPostgresql, schema[static_cast<std::size_t>(step)],
                              options.partitions));
    THERIAC_TRY(run(link, text));
  }
  if (version != last) {
    THERIAC_TRY(run(link, fmt::format("UPDATE theriac_schema SET version = {}", last)));
  }
  THERIAC_TRY(transaction.commit());
  return last;
}

}  // namespace theriac::store
