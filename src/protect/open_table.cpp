#include "protect/open_table.hpp"

#include <utility>

#include <algorithm>

#include "protect/form.hpp"
#include "protect/sql_text.hpp"
#include "protect/views.hpp"

namespace theriac::protect {
namespace {

using store::pg_quote_identifier;
using store::PgParam;
using store::PgTransaction;

constexpr std::uint32_t kOidTid = 27, kOidTidArray = 1010, kOidText = 25, kOidTextArray = 1009;

class OpenTable {
 public:
  OpenTable(const Services& services, const OpenJob& job)
      : services_(services),
        job_(job),
        sql_(qualified_sql(job.schema, job.table)),
        cipher_(services.keys, services.random, {}) {}

  Result<TableReport> run() {
    report_.table = job_.name();
    THERIAC_TRY(begin());
    THERIAC_TRY(load_columns());
    if (!columns_.empty()) THERIAC_TRY(fill());
    THERIAC_TRY(finish());
    // The sealed helpers are gone, their bytes not: harmless, but they take room.
    THERIAC_TRY(
        run_all(services_.database, {"VACUUM (FULL, ANALYZE) " + sql_}, "tidying " + job_.name()));
    return std::move(report_);
  }

 private:
  Status load_columns() {
    THERIAC_ASSIGN(const auto registered, registered_columns(services_.database));
    all_ = columns_of(registered, job_.relation);
    columns_.clear();
    std::copy_if(all_.begin(), all_.end(), std::back_inserter(columns_),
                 [](const auto& column) { return column.state == kStateOpening; });
    return {};
  }

  /// Takes the rights away and the constraints off the plain columns.
  Status begin() {
    THERIAC_TRY(still_wanted(services_));
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, sql_));
    THERIAC_TRY(load_columns());
    std::vector<std::string> drops;
    for (const auto& column : all_) {
      if (column.state != kStateSealed) continue;
      if (column.attribute == 0) {
        return fail(Code::kNotProtected, column.qualified() + ": " + column.plain_check());
      }
      if (column.column != column.registered_as) {
        return fail(Code::kConflict, column.qualified() + " was " + column.registered_as +
                                         " when it was protected; rename it back first");
      }
      drops.push_back("ALTER TABLE " + sql_ + " DROP CONSTRAINT " + column.plain_check());
    }
    if (drops.empty()) return transaction.commit();
    THERIAC_TRY(note_new_rights());
    // Durable before effect: from here on plain values come back into the database.
    THERIAC_TRY(audit_entry(services_, "unprotect.begin", job_.name(), {{"columns", all_.size()}}));
    THERIAC_TRY(take_all_rights(database, job_.relation, sql_));
    THERIAC_TRY(run_all(database, drops, "freeing " + job_.name()));
    const auto oid = std::to_string(job_.relation);
    THERIAC_TRY(
        database.query("UPDATE theriac.columns SET state = 'opening' "
                       "WHERE relation = $1::oid AND state = 'sealed'",
                       {PgParam::text(oid)}));
    THERIAC_TRY(
        database.query("INSERT INTO theriac.migrations (relation, direction) "
                       "VALUES ($1::oid::regclass, 'unprotect')",
                       {PgParam::text(oid)}));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  Status note_new_rights() {
    const auto oid = std::to_string(job_.relation);
    THERIAC_ASSIGN(const auto after,
                   services_.database.query("SELECT rights_after FROM theriac.tables "
                                            "WHERE relation = $1::oid",
                                            {PgParam::text(oid)}));
    THERIAC_ASSIGN(const auto now, rights_text(services_.database, job_.relation));
    if (after.rows() == 1 && after.value(0, 0).has_value() && after.value(0, 0) != now) {
      report_.notes.push_back(
          "rights given or taken since it was protected are not kept; they were: " + now);
    }
    return {};
  }

  [[nodiscard]] std::string work_condition() const {
    std::string out;
    for (const auto& column : columns_) {
      out += (out.empty() ? "(" : " OR (") + pg_quote_identifier(column.column) + " IS NULL AND " +
             column.sealed_name() + " IS NOT NULL)";
    }
    return "(" + out + ")";
  }

  [[nodiscard]] bool bound() const { return all_.front().bound; }

  Status fill() {
    auto& database = services_.database;
    THERIAC_ASSIGN(const auto rows, count_rows(database, sql_, "true"));
    THERIAC_ASSIGN(const auto work, count_rows(database, sql_, work_condition()));
    report_.rows = rows;
    std::int64_t done = rows - work;
    const auto stage = "opening " + job_.name();
    services_.progress(stage, done, rows);
    std::string select = bound() ? "SELECT ctid, theriac_row" : "SELECT ctid, NULL::uuid";
    std::string sets, arrays = "$1", names = "tid";
    int next = 2;
    for (const auto& column : columns_) {
      select += ", " + column.sealed_name();
      for (const auto& index : column.index_names()) select += ", " + index;
      const auto name = "v" + std::to_string(column.number);
      sets += (sets.empty() ? "" : ", ") + pg_quote_identifier(column.column) + " = CAST(u." +
              name + " AS " + column.type_text + ")";
      arrays += ", $" + std::to_string(next++);
      names += ", " + name;
    }
    select += " FROM ONLY " + sql_ + " WHERE ctid >= $1 AND ctid < $2 AND " + work_condition();
    const auto update = "UPDATE ONLY " + sql_ + " AS t SET " + sets + " FROM unnest(" + arrays +
                        ") AS u(" + names + ") WHERE t.ctid = u.tid";
    THERIAC_TRY(sweep(database, sql_, rows, [&](const BlockRange& range) -> Status {
      THERIAC_TRY(still_wanted(services_));
      THERIAC_ASSIGN(const auto count, fill_range(range, select, update));
      done += count;
      services_.progress(stage, done, rows);
      return {};
    }));
    THERIAC_ASSIGN(const auto left, count_rows(database, sql_, work_condition()));
    if (left != 0) return fail(Code::kConflict, job_.name() + ": somebody else writes to it");
    return {};
  }

  Result<std::int64_t> fill_range(const BlockRange& range, const std::string& select,
                                  const std::string& update) {
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, sql_));
    THERIAC_TRY(
        database.exec("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
                      "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"));
    THERIAC_TRY(cipher_.refresh(columns_, job_.tenant, false));
    THERIAC_ASSIGN(const auto found, database.query(select, {PgParam::text(range.first, kOidTid),
                                                             PgParam::text(range.end, kOidTid)}));
    const auto count = static_cast<std::int64_t>(found.rows());
    if (count == 0) {
      THERIAC_TRY(transaction.commit());
      return count;
    }
    std::string tids = "{";
    std::vector<ArrayParameter> values(columns_.size(), ArrayParameter(kOidText));
    std::int64_t opened_values = 0;
    Bytes opened;
    for (std::size_t i = 0; i < found.rows(); ++i) {
      tids += (tids.size() > 1 ? ",\"" : "\"") + text_at(found, i, 0) + '"';
      THERIAC_ASSIGN(const auto row, row_of(found.value(i, 1)));
      std::size_t at = 2;
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        THERIAC_ASSIGN(const bool any, open_value(columns_[c], row, found, i, at, opened));
        if (any) {
          values[c].add(opened);
          ++opened_values;
        } else {
          values[c].add_null();
        }
      }
    }
    tids += '}';
    THERIAC_TRY(still_wanted(services_));
    std::vector<Bytes> binaries;
    std::vector<PgParam> params{PgParam::text(tids, kOidTidArray)};
    for (const auto& each : values) binaries.push_back(each.binary());
    for (const auto& each : binaries) params.push_back(PgParam::binary(each, kOidTextArray));
    const auto updated = database.query(update, params);
    if (!updated) return while_doing("opening " + job_.name(), updated.error());
    if (updated->affected() != found.rows()) return fail(Code::kConflict, job_.name());
    THERIAC_TRY(audit_entry(services_, "unprotect.batch", job_.name(),
                            {{"rows", count}, {"values", opened_values}}));
    THERIAC_TRY(still_wanted(services_));
    THERIAC_TRY(transaction.commit());
    report_.values += opened_values;
    return count;
  }

  /// The value whose helpers stand from column `at` of a row on; `at` moves behind them.
  Result<bool> open_value(const RegisteredColumn& column, const std::optional<RowId>& row,
                          const store::PgResult& found, std::size_t line, std::size_t& at,
                          Bytes& out) {
    const auto sealed = found.value(line, at++);
    const auto count = column.index_names().size();
    const auto first = std::exchange(at, at + count);
    if (!sealed) return false;
    THERIAC_ASSIGN(const auto bytes, bytea_of(*sealed));
    THERIAC_ASSIGN(const auto indexes, indexes_at(found, line, first, count));
    THERIAC_TRY(cipher_.open(column, row, bytes, indexes, out));
    return true;
  }

  /// Compares everything, then takes the protected form off: one transaction.
  Status finish() {
    THERIAC_TRY(still_wanted(services_));
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, sql_));
    THERIAC_TRY(load_columns());
    if (!columns_.empty()) {
      THERIAC_TRY(cipher_.refresh(columns_, job_.tenant, false));
      THERIAC_ASSIGN(const auto rows, count_rows(database, sql_, "true"));
      THERIAC_ASSIGN(report_.compared, compare_all(services_, sql_, columns_, cipher_, rows,
                                                   "comparing " + job_.name()));
    }
    THERIAC_ASSIGN(const auto original, read_original(database, job_.relation));
    THERIAC_TRY(still_wanted(services_));
    THERIAC_ASSIGN(const auto views, take_views(database, job_.relation));
    THERIAC_TRY(restore_form(original));
    THERIAC_TRY(restore_rights(original));
    const auto oid = std::to_string(job_.relation);
    const auto compared = std::to_string(report_.compared);
    THERIAC_TRY(database.query(
        "UPDATE theriac.migrations SET finished_at = pg_catalog.now(), rows_compared = $2::int8 "
        "WHERE relation = $1::oid AND finished_at IS NULL",
        {PgParam::text(oid), PgParam::text(compared)}));
    THERIAC_TRY(database.query("DELETE FROM theriac.columns WHERE relation = $1::oid",
                               {PgParam::text(oid)}));
    THERIAC_TRY(database.query("DELETE FROM theriac.tables WHERE relation = $1::oid",
                               {PgParam::text(oid)}));
    THERIAC_TRY(put_views_back(database, views));
    // Those that read other protected tables as well.
    if (!views.empty()) {
      THERIAC_ASSIGN(const auto remade, remake_views(database, Remake::kWhatCanBe));
      static_cast<void>(remade);
    }
    THERIAC_TRY(audit_entry(services_, "unprotect.open", job_.name(),
                            {{"compared", report_.compared}, {"columns", all_.size()}}));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  Status restore_form(const codec::Json& original) {
    std::vector<std::string> statements;
    std::vector<TargetIndex> indexes;
    for (const auto& json : original.at("indexes")) {
      THERIAC_ASSIGN(auto index, index_from_json(json));
      statements.push_back(drop_index(job_.schema, sql_, index.name, index.constraint));
      indexes.push_back(std::move(index));
    }
    std::string alter = "ALTER TABLE " + sql_;
    const char* comma = " ";
    for (const auto& column : all_) {
      alter += comma + ("DROP COLUMN " + column.sealed_name());
      for (const auto& index : column.index_names()) alter += ", DROP COLUMN " + index;
      comma = ", ";
    }
    if (bound()) alter += ", DROP COLUMN theriac_row";
    statements.push_back(std::move(alter));
    THERIAC_ASSIGN(const auto defaults, default_texts());
    for (const auto& column : columns_) {
      const auto name = pg_quote_identifier(column.column);
      if (const auto at = defaults.find(column.number); at != defaults.end()) {
        statements.push_back("ALTER TABLE " + sql_ + " ALTER COLUMN " + name + " SET DEFAULT " +
                             at->second);
      }
      if (column.not_null) {
        statements.push_back("ALTER TABLE " + sql_ + " ALTER COLUMN " + name + " SET NOT NULL");
      }
    }
    for (const auto& index : indexes) {
      for (auto& statement : make_index(job_.schema, sql_, index, index.text)) {
        statements.push_back(std::move(statement));
      }
    }
    for (const auto& each : original.at("statistics")) {
      for (auto& statement : make_statistics(each)) statements.push_back(std::move(statement));
    }
    return run_all(services_.database, statements, "restoring " + job_.name());
  }

  Result<std::map<int, std::string>> default_texts() {
    const auto oid = std::to_string(job_.relation);
    THERIAC_ASSIGN(const auto rows, services_.database.query(
                                        "SELECT number, default_text FROM theriac.columns WHERE "
                                        "relation = $1::oid AND default_text IS NOT NULL",
                                        {PgParam::text(oid)}));
    std::map<int, std::string> out;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      out.emplace(number_at<int>(rows, i, 0), text_at(rows, i, 1));
    }
    return out;
  }

  Status restore_rights(const codec::Json& original) {
    auto& database = services_.database;
    THERIAC_ASSIGN(auto wanted, Rights::from_json(original.at("rights")));
    THERIAC_ASSIGN(const auto now, take_all_rights(database, job_.relation, sql_));
    wanted.owner = now.owner;
    THERIAC_ASSIGN(const auto roles, database.query("SELECT rolname FROM pg_catalog.pg_roles"));
    std::vector<std::string> known{""};
    for (std::size_t i = 0; i < roles.rows(); ++i) known.push_back(text_at(roles, i, 0));
    const auto gone = std::erase_if(wanted.grants, [&](const Grant& grant) {
      const auto there = [&](const std::string& role) {
        return std::find(known.begin(), known.end(), role) != known.end();
      };
      return !there(grant.grantee) || !there(grant.grantor);
    });
    if (gone > 0) report_.notes.emplace_back("rights of roles that no longer exist are not kept");
    return run_all(database, grant_again(wanted, sql_), "granting on " + job_.name());
  }

  const Services& services_;
  const OpenJob& job_;
  std::string sql_;
  ValueCipher cipher_;
  TableReport report_;
  std::vector<RegisteredColumn> all_, columns_;
};

}  // namespace

Result<TableReport> open_table(const Services& services, const OpenJob& job) {
  return OpenTable(services, job).run();
}

}  // namespace theriac::protect
