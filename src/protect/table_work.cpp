#include "protect/table_work.hpp"

#include <algorithm>

#include "protect/limits.hpp"
#include "protect/sql_text.hpp"
#include "protect/value_cipher.hpp"

namespace theriac::protect {

using store::pg_quote_identifier;
using store::PgConnection;
using store::PgParam;

namespace {
constexpr std::uint32_t kOidTid = 27;
}

Status prepare_session(PgConnection& database) {
  // Values print as stored forms; no trigger or rule fires for our updates; nothing is logged.
  THERIAC_TRY(database.exec(
      "SET search_path = pg_catalog; SET DateStyle = 'ISO, MDY'; SET TimeZone = 'UTC'; "
      "SET IntervalStyle = 'postgres'; SET bytea_output = 'hex'; SET extra_float_digits = 1; SET "
      "client_encoding = 'UTF8'; "
      "SET standard_conforming_strings = on; SET row_security = off; SET statement_timeout = 0; "
      "SET idle_in_transaction_session_timeout = 0; SET synchronous_commit = on"));
  THERIAC_ASSIGN(const auto super, database.query("SELECT rolsuper FROM pg_catalog.pg_roles "
                                                  "WHERE rolname = current_user"));
  if (super.rows() != 1 || super.value(0, 0) != "t") {
    return fail(Code::kDenied, "protecting a table needs a superuser of the database");
  }
  THERIAC_TRY(
      database.exec("SET session_replication_role = replica; SET log_statement = 'none'; "
                    "SET log_min_duration_statement = -1; SET log_min_duration_sample = -1; "
                    "SET log_transaction_sample_rate = 0; SET log_min_error_statement = 'panic'; "
                    "SET log_parameter_max_length = 0; SET log_parameter_max_length_on_error = 0; "
                    "SET auto_explain.log_min_duration = -1; SET lock_timeout = " +
                    std::to_string(kLockTimeoutMs)));
  // The session of a run that was killed may still be ending: wait for it, as for a lock.
  if (const auto alone = database.query("SELECT pg_catalog.pg_advisory_lock(8389764373)"); !alone) {
    return while_doing("another protect or unprotect is running", alone.error());
  }
  return {};
}

Status still_wanted(const Services& services) {
  if (services.interrupted()) return fail(Code::kInterrupted, "between two steps");
  return {};
}

Status lock_table(PgConnection& database, const std::string& table_sql) {
  return run_all(database, {"LOCK TABLE ONLY " + table_sql + " IN ACCESS EXCLUSIVE MODE"},
                 "locking " + table_sql);
}

Status sweep(PgConnection& database, const std::string& table_sql, std::int64_t rows,
             const std::function<Status(const BlockRange&)>& step) {
  // pg_table_size() counts TOAST: long texts make batches small.
  THERIAC_ASSIGN(const auto size,
                 database.query("SELECT pg_catalog.pg_relation_size($1::regclass, 'main') / "
                                "pg_catalog.current_setting('block_size')::bigint, "
                                "pg_catalog.pg_table_size($1::regclass)",
                                {PgParam::text(table_sql)}));
  const auto blocks = number_at<std::int64_t>(size, 0, 0);
  const auto bytes = std::max<std::int64_t>(number_at<std::int64_t>(size, 0, 1), 1);
  const auto by_rows = kBatchRows * blocks / std::max<std::int64_t>(rows, 1);
  const auto by_bytes =
      kBatchBytesMax / std::max<std::int64_t>(bytes / std::max<std::int64_t>(blocks, 1), 1);
  const auto step_blocks =
      std::clamp<std::int64_t>(std::min(by_rows, by_bytes), 1, kBatchBlocksMax);
  for (std::int64_t at = 0; at < blocks; at += step_blocks) {
    THERIAC_TRY(step({fmt::format("({},0)", at), fmt::format("({},0)", at + step_blocks)}));
  }
  return {};
}

Result<std::int64_t> count_rows(PgConnection& database, const std::string& table_sql,
                                const std::string& condition) {
  THERIAC_ASSIGN(const auto rows,
                 database.query("SELECT count(*) FROM ONLY " + table_sql + " WHERE " + condition));
  return number_at<std::int64_t>(rows, 0, 0);
}

void ArrayParameter::add(ByteView value) {
  append_be(elements_, static_cast<std::uint32_t>(value.size()));
  append(elements_, value);
  ++count_;
}

void ArrayParameter::add_null() {
  append_be(elements_, 0xffff'ffffU);
  has_null_ = true;
  ++count_;
}

Bytes ArrayParameter::binary() const {
  Bytes out;
  out.reserve(20 + elements_.size());
  append_be<std::uint32_t>(out, count_ == 0 ? 0 : 1);  // dimensions
  append_be<std::uint32_t>(out, has_null_ ? 1 : 0);
  append_be(out, element_oid_);
  if (count_ > 0) {
    append_be(out, count_);
    append_be<std::uint32_t>(out, 1);  // lower bound
    append(out, elements_);
  }
  return out;
}

Result<Bytes> bytea_of(std::string_view text) {
  if (!text.starts_with("\\x")) return fail(Code::kMalformed, "bytea");
  return from_hex(text.substr(2));
}

Result<std::vector<Bytes>> indexes_at(const store::PgResult& rows, std::size_t row,
                                      std::size_t first, std::size_t count) {
  std::vector<Bytes> out;
  for (std::size_t k = 0; k < count; ++k) {
    const auto text = rows.value(row, first + k);
    if (!text) continue;
    THERIAC_ASSIGN(auto bytes, bytea_of(*text));
    out.push_back(std::move(bytes));
  }
  return out;
}

Result<std::optional<RowId>> row_of(std::optional<std::string_view> text) {
  if (!text) return std::optional<RowId>{};
  THERIAC_ASSIGN(auto row, id_from_uuid<RowId>(*text));
  return std::optional<RowId>(row);
}

Status audit_entry(const Services& services, std::string_view action, const std::string& object,
                   codec::Json details, std::string_view policy_hash,
                   std::string_view key_version) {
  audit::Event event;
  event.action = action;
  event.actor = services.actor;
  event.role = "administrator";
  event.object = object;
  event.policy_hash = policy_hash;
  event.key_version = key_version;
  event.details = std::move(details);
  THERIAC_TRY(services.audit.append_durable(std::move(event)));
  return {};
}

std::vector<RegisteredColumn> columns_of(const std::vector<RegisteredColumn>& all,
                                         std::uint32_t relation) {
  std::vector<RegisteredColumn> out;
  std::copy_if(all.begin(), all.end(), std::back_inserter(out),
               [&](const auto& column) { return column.relation == relation; });
  return out;
}

Result<std::int64_t> compare_all(const Services& services, const std::string& table_sql,
                                 const std::vector<RegisteredColumn>& columns, ValueCipher& cipher,
                                 std::int64_t rows, std::string_view stage) {
  const bool bound = !columns.empty() && columns.front().bound;
  std::string sql = bound ? "SELECT theriac_row" : "SELECT NULL::uuid";
  for (const auto& column : columns) {
    sql += ", " + pg_quote_identifier(column.column) + ", " + column.sealed_name();
    for (const auto& index : column.index_names()) sql += ", " + index;
  }
  sql += " FROM ONLY " + table_sql + " WHERE ctid >= $1 AND ctid < $2";
  std::int64_t compared = 0;
  Bytes opened;
  const auto compare = [&](const BlockRange& range) -> Status {
    THERIAC_TRY(still_wanted(services));
    THERIAC_ASSIGN(const auto batch,
                   services.database.query(sql, {PgParam::text(range.first, kOidTid),
                                                 PgParam::text(range.end, kOidTid)}));
    for (std::size_t i = 0; i < batch.rows(); ++i) {
      THERIAC_ASSIGN(const auto row, row_of(batch.value(i, 0)));
      if (bound && !row) return fail(Code::kMismatch, table_sql + ": theriac_row");
      std::size_t at = 1;
      for (const auto& column : columns) {
        const auto plain = batch.value(i, at++);
        const auto sealed = batch.value(i, at++);
        const auto count = column.index_names().size();
        THERIAC_ASSIGN(const auto indexes, indexes_at(batch, i, at, count));
        at += count;
        if (plain.has_value() != sealed.has_value() ||
            indexes.size() != (plain.has_value() ? count : 0)) {
          return fail(Code::kMismatch, column.qualified());
        }
        if (!plain) continue;
        THERIAC_ASSIGN(const auto sealed_bytes, bytea_of(*sealed));
        THERIAC_TRY(cipher.open(column, row, sealed_bytes, indexes, opened));
        if (text_of(opened) != *plain) return fail(Code::kMismatch, column.qualified());
      }
      ++compared;
    }
    services.progress(stage, compared, rows);
    return {};
  };
  const auto swept = sweep(services.database, table_sql, rows, compare);
  wipe(opened);
  if (!swept) return fail(swept.error());
  // The lock keeps the table as it is, so a sweep meets every row.
  if (compared != rows) return fail(Code::kMismatch, table_sql + ": rows");
  return compared;
}

Result<std::string> rights_text(PgConnection& database, std::uint32_t relation) {
  const auto oid = std::to_string(relation);
  THERIAC_ASSIGN(const auto rows, database.query(R"(
SELECT coalesce(c.relacl::text, '') || coalesce((
  SELECT pg_catalog.string_agg(' ' || a.attname || a.attacl::text, '' ORDER BY a.attnum)
  FROM pg_catalog.pg_attribute a
  WHERE a.attrelid = c.oid AND NOT a.attisdropped), '')
FROM pg_catalog.pg_class c WHERE c.oid = $1::oid)",
                                                 {PgParam::text(oid)}));
  if (rows.rows() != 1) return fail(Code::kUndefinedTable, oid);
  return text_at(rows, 0, 0);
}

Result<codec::Json> read_original(PgConnection& database, std::uint32_t relation) {
  const auto oid = std::to_string(relation);
  THERIAC_ASSIGN(const auto rows,
                 database.query("SELECT original FROM theriac.tables WHERE relation = $1::oid",
                                {PgParam::text(oid)}));
  if (rows.rows() != 1) return fail(Code::kNotFound, "theriac.tables");
  return codec::parse_json(rows.value(0, 0).value_or(""));
}

Status write_original(PgConnection& database, std::uint32_t relation, const codec::Json& original) {
  const auto oid = std::to_string(relation);
  const auto text = original.dump();
  THERIAC_TRY(
      database.query("UPDATE theriac.tables SET original = $2::jsonb "
                     "WHERE relation = $1::oid",
                     {PgParam::text(oid), PgParam::text(text)}));
  return {};
}

}  // namespace theriac::protect
