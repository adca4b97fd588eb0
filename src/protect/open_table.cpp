#include "protect/open_table.hpp"

#include <utility>

#include <algorithm>

#include "protect/form.hpp"
#include "protect/sql_text.hpp"
#include "protect/tree.hpp"
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
      : services_(services), job_(job), cipher_(services.keys, services.random, {}) {}

  Result<TableReport> run() {
    report_.table = job_.name();
    THERIAC_TRY(begin());
    THERIAC_TRY(load_parts());
    for (const auto& work : works_) {
      if (!work.columns.empty() && work.part.holds_rows()) THERIAC_TRY(fill(work));
    }
    THERIAC_TRY(finish());
    // The sealed helpers are gone, their bytes not: harmless, but they take room.
    for (const auto& work : works_) {
      if (!work.part.holds_rows()) continue;
      THERIAC_TRY(run_all(services_.database, {"VACUUM (FULL, ANALYZE) " + work.sql},
                          "tidying " + work.name()));
    }
    return std::move(report_);
  }

 private:
  /// One of the tables that hold the rows.
  struct Work {
    Part part;
    std::string sql;
    std::vector<RegisteredColumn> all, columns;  ///< registered; of them to be opened

    [[nodiscard]] std::string name() const { return part.name(); }
    [[nodiscard]] bool bound() const { return all.front().bound; }
  };

  Status load_parts() {
    THERIAC_ASSIGN(const auto registered, registered_columns(services_.database));
    THERIAC_ASSIGN(const auto parts, read_parts(services_.database, job_.relations));
    works_.clear();
    for (const auto& part : parts) {
      Work work{part, part.sql(), columns_of(registered, part.relation), {}};
      std::copy_if(work.all.begin(), work.all.end(), std::back_inserter(work.columns),
                   [](const auto& column) { return column.state == kStateOpening; });
      if (work.all.empty()) return fail(Code::kNotProtected, part.name());
      works_.push_back(std::move(work));
    }
    return {};
  }

  /// Takes the rights away and the constraints off the plain columns.
  Status begin() {
    THERIAC_TRY(still_wanted(services_));
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_ASSIGN(const auto parts, read_parts(database, job_.relations));
    THERIAC_TRY(lock_parts(database, parts));
    THERIAC_TRY(register_members(database, parts));
    THERIAC_TRY(load_parts());
    std::vector<std::string> drops;
    for (const auto& work : works_) {
      bool sealed = false;
      for (const auto& column : work.all) {
        if (column.state != kStateSealed) continue;
        sealed = true;
        if (column.attribute == 0) {
          return fail(Code::kNotProtected, column.qualified() + ": " + column.plain_check());
        }
        if (column.column != column.registered_as) {
          return fail(Code::kConflict, column.qualified() + " was " + column.registered_as +
                                           " when it was protected; rename it back first");
        }
        // The parts below have it from here.
        if (!work.part.top) continue;
        drops.push_back("ALTER TABLE " + work.sql + " DROP CONSTRAINT " + column.plain_check());
      }
      if (sealed) THERIAC_TRY(begin_part(work));
    }
    if (drops.empty()) return transaction.commit();
    // Durable before effect: from here on plain values come back into the database.
    THERIAC_TRY(audit_entry(services_, "unprotect.begin", job_.name(),
                            {{"columns", works_.front().all.size()}, {"tables", works_.size()}}));
    THERIAC_TRY(run_all(database, drops, "freeing " + job_.name()));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  Status begin_part(const Work& work) {
    auto& database = services_.database;
    THERIAC_TRY(note_new_rights(work));
    THERIAC_TRY(take_all_rights(database, work.part.relation, work.sql));
    const auto oid = std::to_string(work.part.relation);
    THERIAC_TRY(
        database.query("UPDATE theriac.columns SET state = 'opening' "
                       "WHERE relation = $1::oid AND state = 'sealed'",
                       {PgParam::text(oid)}));
    THERIAC_TRY(
        database.query("INSERT INTO theriac.migrations (relation, direction) "
                       "VALUES ($1::oid::regclass, 'unprotect')",
                       {PgParam::text(oid)}));
    return {};
  }

  Status note_new_rights(const Work& work) {
    const auto oid = std::to_string(work.part.relation);
    THERIAC_ASSIGN(const auto after,
                   services_.database.query("SELECT rights_after FROM theriac.tables "
                                            "WHERE relation = $1::oid",
                                            {PgParam::text(oid)}));
    THERIAC_ASSIGN(const auto now, rights_text(services_.database, work.part.relation));
    if (after.rows() == 1 && after.value(0, 0).has_value() && after.value(0, 0) != now) {
      report_.notes.push_back(
          "rights given or taken since it was protected are not kept; they were: " + now);
    }
    return {};
  }

  [[nodiscard]] static std::string work_condition(const Work& work) {
    std::string out;
    for (const auto& column : work.columns) {
      out += (out.empty() ? "(" : " OR (") + pg_quote_identifier(column.column) + " IS NULL AND " +
             column.sealed_name() + " IS NOT NULL)";
    }
    return "(" + out + ")";
  }

  Status fill(const Work& work) {
    auto& database = services_.database;
    THERIAC_ASSIGN(const auto rows, count_rows(database, work.sql, "true"));
    THERIAC_ASSIGN(const auto open, count_rows(database, work.sql, work_condition(work)));
    report_.rows += rows;
    std::int64_t done = rows - open;
    const auto stage = "opening " + work.name();
    services_.progress(stage, done, rows);
    std::string select = work.bound() ? "SELECT ctid, theriac_row" : "SELECT ctid, NULL::uuid";
    std::string sets, arrays = "$1", names = "tid";
    int next = 2;
    for (const auto& column : work.columns) {
      select += ", " + column.sealed_name();
      for (const auto& index : column.index_names()) select += ", " + index;
      const auto name = "v" + std::to_string(column.number);
      sets += (sets.empty() ? "" : ", ") + pg_quote_identifier(column.column) + " = CAST(u." +
              name + " AS " + column.type_text + ")";
      arrays += ", $" + std::to_string(next++);
      names += ", " + name;
    }
    select +=
        " FROM ONLY " + work.sql + " WHERE ctid >= $1 AND ctid < $2 AND " + work_condition(work);
    const auto update = "UPDATE ONLY " + work.sql + " AS t SET " + sets + " FROM unnest(" + arrays +
                        ") AS u(" + names + ") WHERE t.ctid = u.tid";
    THERIAC_TRY(sweep(database, work.sql, rows, [&](const BlockRange& range) -> Status {
      THERIAC_TRY(still_wanted(services_));
      THERIAC_ASSIGN(const auto count, fill_range(work, range, select, update));
      done += count;
      services_.progress(stage, done, rows);
      return {};
    }));
    THERIAC_ASSIGN(const auto left, count_rows(database, work.sql, work_condition(work)));
    if (left != 0) return fail(Code::kConflict, work.name() + ": somebody else writes to it");
    return {};
  }

  Result<std::int64_t> fill_range(const Work& work, const BlockRange& range,
                                  const std::string& select, const std::string& update) {
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, work.sql));
    THERIAC_TRY(
        database.exec("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
                      "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"));
    THERIAC_TRY(cipher_.refresh(work.columns, job_.tenant, false));
    THERIAC_ASSIGN(const auto found, database.query(select, {PgParam::text(range.first, kOidTid),
                                                             PgParam::text(range.end, kOidTid)}));
    const auto count = static_cast<std::int64_t>(found.rows());
    if (count == 0) {
      THERIAC_TRY(transaction.commit());
      return count;
    }
    std::string tids = "{";
    std::vector<ArrayParameter> values(work.columns.size(), ArrayParameter(kOidText));
    std::int64_t opened_values = 0;
    Bytes opened;
    for (std::size_t i = 0; i < found.rows(); ++i) {
      tids += (tids.size() > 1 ? ",\"" : "\"") + text_at(found, i, 0) + '"';
      THERIAC_ASSIGN(const auto row, row_of(found.value(i, 1)));
      std::size_t at = 2;
      for (std::size_t c = 0; c < work.columns.size(); ++c) {
        THERIAC_ASSIGN(const bool any, open_value(work.columns[c], row, found, i, at, opened));
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
    if (!updated) return while_doing("opening " + work.name(), updated.error());
    if (updated->affected() != found.rows()) return fail(Code::kConflict, work.name());
    THERIAC_TRY(audit_entry(services_, "unprotect.batch", work.name(),
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
    const auto before = works_.size();
    THERIAC_ASSIGN(const auto parts, read_parts(database, job_.relations));
    THERIAC_TRY(lock_parts(database, parts));
    THERIAC_TRY(load_parts());
    if (works_.size() != before) {
      return fail(Code::kConflict, job_.name() + ": a partition came meanwhile; unprotect again");
    }
    for (const auto& work : works_) {
      if (work.columns.empty() || !work.part.holds_rows()) continue;
      THERIAC_TRY(cipher_.refresh(work.columns, job_.tenant, false));
      THERIAC_ASSIGN(const auto rows, count_rows(database, work.sql, "true"));
      THERIAC_ASSIGN(const auto compared, compare_all(services_, work.sql, work.columns, cipher_,
                                                      rows, "comparing " + work.name()));
      report_.compared += compared;
    }
    THERIAC_TRY(still_wanted(services_));
    std::vector<TakenView> views;
    for (const auto& work : works_) {
      THERIAC_ASSIGN(auto over, take_views(database, work.part.relation));
      // Those of a later table are under no view of an earlier one, but may be the other way round.
      views.insert(views.begin(), std::make_move_iterator(over.begin()),
                   std::make_move_iterator(over.end()));
    }
    THERIAC_TRY(restore_form());
    for (const auto& work : works_) THERIAC_TRY(finish_part(work));
    THERIAC_TRY(put_views_back(database, views));
    // Those that read other protected tables as well.
    if (!views.empty()) {
      THERIAC_ASSIGN(const auto remade, remake_views(database, Remake::kWhatCanBe));
      static_cast<void>(remade);
    }
    THERIAC_TRY(audit_entry(services_, "unprotect.open", job_.name(),
                            {{"compared", report_.compared},
                             {"columns", works_.front().all.size()},
                             {"tables", works_.size()}}));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  Status finish_part(const Work& work) {
    auto& database = services_.database;
    THERIAC_ASSIGN(const auto original, read_original(database, work.part.relation));
    THERIAC_TRY(restore_rights(work, original));
    const auto oid = std::to_string(work.part.relation);
    const auto compared = std::to_string(report_.compared);
    THERIAC_TRY(database.query(
        "UPDATE theriac.migrations SET finished_at = pg_catalog.now(), rows_compared = $2::int8 "
        "WHERE relation = $1::oid AND finished_at IS NULL",
        {PgParam::text(oid), PgParam::text(compared)}));
    THERIAC_TRY(database.query("DELETE FROM theriac.columns WHERE relation = $1::oid",
                               {PgParam::text(oid)}));
    THERIAC_TRY(database.query("DELETE FROM theriac.tables WHERE relation = $1::oid",
                               {PgParam::text(oid)}));
    return {};
  }

  /// Parents first: what is dropped from a parent goes from its children, and the index of a
  /// partition is attached when both stand there.
  Status restore_form() {
    auto& database = services_.database;
    std::vector<std::string> drops, helpers, facts, makes, attach;
    for (const auto& work : works_) {
      THERIAC_ASSIGN(const auto original, read_original(database, work.part.relation));
      for (const auto& json : original.at("indexes")) {
        THERIAC_ASSIGN(const auto index, index_from_json(json));
        drops.push_back(drop_index(work.part.schema, work.sql, index.name, index.constraint));
        for (auto& one : make_index(work.part.schema, work.sql, index, index.text)) {
          makes.push_back(std::move(one));
        }
        // Not that of a partition that was detached meanwhile.
        if (!index.attach_to.empty() && !work.part.top)
          attach.push_back(attach_index(work.part.schema, index));
      }
      for (const auto& each : original.at("statistics")) {
        for (auto& statement : make_statistics(each)) makes.push_back(std::move(statement));
      }
      if (work.part.top) helpers.push_back(drop_helpers(work.sql, work.all, work.bound()));
      THERIAC_TRY(add_facts(work, facts));
    }
    std::vector<std::string> all;
    for (auto* list : {&drops, &helpers, &facts, &makes, &attach}) {
      for (auto& statement : *list) all.push_back(std::move(statement));
    }
    return run_all(database, all, "restoring " + job_.name());
  }

  /// Defaults and NOT NULL of one table's columns.
  Status add_facts(const Work& work, std::vector<std::string>& out) {
    THERIAC_ASSIGN(const auto defaults, default_texts(work));
    for (const auto& column : work.columns) {
      const auto alter =
          "ALTER TABLE " + work.sql + " ALTER COLUMN " + pg_quote_identifier(column.column);
      const auto at = defaults.find(column.number);
      // A parent's default comes down to its children, whatever they had.
      if (at != defaults.end()) {
        out.push_back(alter + " SET DEFAULT " + at->second);
      } else if (!work.part.top) {
        out.push_back(alter + " DROP DEFAULT");
      }
      if (column.not_null) out.push_back(alter + " SET NOT NULL");
    }
    return {};
  }

  Result<std::map<int, std::string>> default_texts(const Work& work) {
    const auto oid = std::to_string(work.part.relation);
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

  Status restore_rights(const Work& work, const codec::Json& original) {
    auto& database = services_.database;
    THERIAC_ASSIGN(auto wanted, Rights::from_json(original.at("rights")));
    THERIAC_ASSIGN(const auto now, take_all_rights(database, work.part.relation, work.sql));
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
    return run_all(database, grant_again(wanted, work.sql), "granting on " + work.name());
  }

  const Services& services_;
  const OpenJob& job_;
  ValueCipher cipher_;
  TableReport report_;
  std::vector<Work> works_;  ///< parents before children
};

}  // namespace

Result<TableReport> open_table(const Services& services, const OpenJob& job) {
  return OpenTable(services, job).run();
}

}  // namespace theriac::protect
