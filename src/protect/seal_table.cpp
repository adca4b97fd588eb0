#include "protect/seal_table.hpp"

#include <algorithm>

#include "protect/form.hpp"
#include "protect/limits.hpp"
#include "protect/moved_objects.hpp"
#include "protect/sql_text.hpp"
#include "protect/tree.hpp"
#include "protect/views.hpp"

namespace theriac::protect {
namespace {

using store::pg_quote_identifier;
using store::PgParam;
using store::PgTransaction;

constexpr std::uint32_t kOidTid = 27, kOidTidArray = 1010, kOidByteaArray = 1001,
                        kOidUuidArray = 2951, kOidUuid = 2950, kOidBytea = 17;

class SealTable {
 public:
  SealTable(const Services& services, const SealJob& job)
      : services_(services),
        job_(job),
        cipher_(services.keys, services.random, buckets(*job.policy)) {}

  Result<TableReport> run() {
    report_.table = job_.name();
    THERIAC_TRY(begin());
    THERIAC_TRY(load_parts());
    for (const auto& work : works_) THERIAC_TRY(fill(work));
    THERIAC_TRY(finish());
    return std::move(report_);
  }

 private:
  /// One of the tables that hold the rows.
  struct Work {
    Part part;
    std::string sql;
    std::vector<RegisteredColumn> all, columns;  ///< registered; of them to be sealed

    [[nodiscard]] std::string name() const { return part.name(); }
    [[nodiscard]] bool first_columns() const {
      return std::none_of(all.begin(), all.end(),
                          [](const auto& column) { return column.state == kStateSealed; });
    }
  };

  static std::map<std::string, seal::Buckets> buckets(const policy::Policy& policy) {
    std::map<std::string, seal::Buckets> out;
    for (const auto& [name, each] : policy.classes) out.emplace(name, each.buckets);
    return out;
  }

  /// The tables and their columns to seal, from the registry.
  Status load_parts() {
    THERIAC_ASSIGN(const auto registered, registered_columns(services_.database));
    THERIAC_ASSIGN(const auto parts, read_parts(services_.database, {job_.relation}));
    works_.clear();
    for (const auto& part : parts) {
      Work work{part, part.sql(), columns_of(registered, part.relation), {}};
      std::copy_if(work.all.begin(), work.all.end(), std::back_inserter(work.columns),
                   [](const auto& column) { return column.state == kStateSealing; });
      const bool other = !works_.empty() && work.columns.size() != works_.front().columns.size();
      if (work.columns.empty() || other) return fail(Code::kNotProtected, part.name());
      for (const auto& column : work.columns) {
        if (column.attribute == 0) return fail(Code::kNotProtected, column.qualified());
      }
      works_.push_back(std::move(work));
    }
    return {};
  }

  /// Registers what is not registered yet, with the partitions that came meanwhile. Again after a
  /// kill: then there is nothing to do.
  Status begin() {
    THERIAC_TRY(still_wanted(services_));
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_ASSIGN(const auto parts, read_parts(database, {job_.relation}));
    THERIAC_TRY(lock_parts(database, parts));
    THERIAC_ASSIGN(const auto registered, registered_columns(database));
    const auto known = columns_of(registered, job_.relation);
    if (!known.empty() && known.front().bound != job_.bound) {
      return fail(Code::kConflict, job_.name() + ": bind_rows; unprotect the table first");
    }
    for (const auto& part : parts) {
      const auto old = columns_of(registered, part.relation);
      const bool half_way = std::any_of(old.begin(), old.end(), [](const auto& column) {
        return column.member != kUnrecordedMember && column.state == kStateSealing;
      });
      if (half_way) continue;
      THERIAC_TRY(register_table(database, part, {job_.schema, job_.table}, job_.bound));
      const auto oid = std::to_string(part.relation);
      THERIAC_TRY(
          database.query("INSERT INTO theriac.migrations (relation, direction) "
                         "VALUES ($1::oid::regclass, 'protect')",
                         {PgParam::text(oid)}));
    }
    for (const auto& target : job_.fresh) THERIAC_TRY(register_column(target));
    THERIAC_TRY(register_members(database, parts));
    THERIAC_TRY(still_wanted(services_));
    THERIAC_ASSIGN(const auto now, registered_columns(database));
    std::vector<RegisteredColumn> added;
    for (const auto& column : columns_of(now, job_.relation)) {
      const bool old = std::any_of(known.begin(), known.end(),
                                   [&](const auto& each) { return each.number == column.number; });
      if (!old) added.push_back(column);
    }
    if (added.empty()) return transaction.commit();
    THERIAC_TRY(run_all(database,
                        {add_helpers(parts.front().sql(), added, known.empty() && job_.bound)},
                        "adding helper columns to " + job_.name()));
    THERIAC_TRY(
        audit_entry(services_, "protect.begin", job_.name(),
                    {{"columns", added.size()}, {"bound", job_.bound}, {"tables", parts.size()}},
                    job_.policy->hash));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  Status register_column(const Target& target) {
    auto& database = services_.database;
    const auto& wanted = *target.wanted;
    std::optional<std::string> default_stored;
    if (target.default_text) {
      THERIAC_ASSIGN(const auto value, database.query("SELECT CAST(" + *target.default_text +
                                                      " AS " + target.type_text + ")"));
      if (const auto text = value.value(0, 0)) default_stored = std::string(*text);
    }
    const auto field = services_.random.uuid<FieldId>();
    const auto suite = static_cast<int>(job_.policy->classes.at(wanted.class_name).suite);
    const std::vector<std::string> values{std::to_string(job_.relation),
                                          wanted.column,
                                          to_uuid_text(field.view()),
                                          wanted.class_name,
                                          std::to_string(suite),
                                          wanted.searchable ? "t" : "f",
                                          wanted.searchable ? wanted.domain : "",
                                          target.type_text,
                                          std::to_string(target.type_oid),
                                          std::to_string(target.modifier),
                                          target.not_null ? "t" : "f",
                                          target.default_text.value_or(""),
                                          default_stored.value_or(""),
                                          searches_to_json(searches_of(wanted)).dump()};
    std::vector<PgParam> params;
    for (const auto& value : values) params.push_back(PgParam::text(value));
    if (!target.default_text) params[11] = PgParam::null();
    if (!default_stored) params[12] = PgParam::null();
    THERIAC_TRY(database.query(
        "INSERT INTO theriac.columns (relation, column_name, field, class, suite, searchable, "
        "domain, type_text, type_oid, modifier, not_null, default_text, default_stored, searches, "
        "original, state) VALUES ($1::oid::regclass, $2, $3::uuid, $4, $5::int2, $6::bool, $7, $8, "
        "$9::oid, "
        "$10::int4, $11::bool, $12, $13, $14::jsonb, '{}', 'sealing')",
        params));
    return {};
  }

  [[nodiscard]] std::string work_condition(const Work& work) const {
    std::string out;
    for (const auto& column : work.columns) {
      out += (out.empty() ? "(" : " OR (") + pg_quote_identifier(column.column) +
             " IS NOT NULL AND " + column.sealed_name() + " IS NULL)";
    }
    if (job_.bound) out += " OR theriac_row IS NULL";
    return "(" + out + ")";
  }

  Status fill(const Work& work) {
    if (!work.part.holds_rows()) return {};
    auto& database = services_.database;
    THERIAC_ASSIGN(const auto rows, count_rows(database, work.sql, "true"));
    THERIAC_ASSIGN(const auto open, count_rows(database, work.sql, work_condition(work)));
    report_.rows += rows;
    done_ = rows - open;
    const auto stage = "sealing " + work.name();
    services_.progress(stage, done_, rows);
    const auto select = select_sql(work), update = update_sql(work);
    THERIAC_TRY(sweep(database, work.sql, rows, [&](const BlockRange& range) -> Status {
      THERIAC_TRY(still_wanted(services_));
      THERIAC_TRY(fill_range(work, range, select, update));
      services_.progress(stage, done_, rows);
      return {};
    }));
    THERIAC_ASSIGN(const auto left, count_rows(database, work.sql, work_condition(work)));
    if (left != 0) return fail(Code::kConflict, work.name() + ": somebody else writes to it");
    return {};
  }

  [[nodiscard]] std::string select_sql(const Work& work) const {
    std::string sql = job_.bound ? "SELECT ctid, theriac_row" : "SELECT ctid, NULL::uuid";
    for (const auto& column : work.columns) sql += ", " + pg_quote_identifier(column.column);
    return sql + " FROM ONLY " + work.sql + " WHERE ctid >= $1 AND ctid < $2 AND " +
           work_condition(work);
  }

  [[nodiscard]] std::string update_sql(const Work& work) const {
    std::string sets, arrays = "$1", names = "tid";
    int next = 2;
    const auto add = [&](const std::string& target, const std::string& name) {
      sets += (sets.empty() ? "" : ", ") + target + " = u." + name;
      arrays += ", $" + std::to_string(next++);
      names += ", " + name;
    };
    if (job_.bound) add("theriac_row", "r");
    for (const auto& column : work.columns) {
      add(column.sealed_name(), "s" + std::to_string(column.number));
      int place = 0;
      for (const auto& name : column.index_names()) {
        add(name, "i" + std::to_string(column.number) + "_" + std::to_string(place++));
      }
    }
    return "UPDATE ONLY " + work.sql + " AS t SET " + sets + " FROM unnest(" + arrays + ") AS u(" +
           names + ") WHERE t.ctid = u.tid";
  }

  /// Arrays of one batch, in the order of update_sql().
  struct Batch {
    std::string tids = "{";
    ArrayParameter rows{kOidUuid};
    std::vector<ArrayParameter> values;
  };

  Status fill_range(const Work& work, const BlockRange& range, const std::string& select,
                    const std::string& update) {
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, work.sql));
    // The rows are named by ctid: any plan but a look-up by it reads the whole table.
    THERIAC_TRY(
        database.exec("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
                      "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"));
    THERIAC_TRY(cipher_.refresh(work.columns, job_.tenant, true));
    THERIAC_ASSIGN(const auto found, database.query(select, {PgParam::text(range.first, kOidTid),
                                                             PgParam::text(range.end, kOidTid)}));
    if (found.rows() == 0) return transaction.commit();
    Batch batch;
    THERIAC_TRY(seal_batch(work, found, batch));
    THERIAC_TRY(still_wanted(services_));
    std::vector<Bytes> binaries;
    std::vector<PgParam> params{PgParam::text(batch.tids, kOidTidArray)};
    if (job_.bound) binaries.push_back(batch.rows.binary());
    for (const auto& values : batch.values) binaries.push_back(values.binary());
    for (std::size_t i = 0; i < binaries.size(); ++i) {
      const bool row = job_.bound && i == 0;
      params.push_back(PgParam::binary(binaries[i], row ? kOidUuidArray : kOidByteaArray));
    }
    const auto updated = database.query(update, params);
    if (!updated) return while_doing("sealing " + work.name(), updated.error());
    if (updated->affected() != found.rows()) return fail(Code::kConflict, work.name());
    THERIAC_TRY(audit_entry(services_, "protect.batch", work.name(),
                            {{"rows", found.rows()}, {"values", batch_values_}}, job_.policy->hash,
                            cipher_.key_versions()));
    THERIAC_TRY(still_wanted(services_));
    THERIAC_TRY(transaction.commit());
    done_ += static_cast<std::int64_t>(found.rows());
    report_.values += batch_values_;
    return {};
  }

  Status seal_batch(const Work& work, const store::PgResult& found, Batch& batch) {
    for (const auto& column : work.columns) {
      batch.values.emplace_back(kOidBytea);
      for (std::size_t k = column.index_names().size(); k > 0; --k) {
        batch.values.emplace_back(kOidBytea);
      }
    }
    batch_values_ = 0;
    for (std::size_t i = 0; i < found.rows(); ++i) {
      batch.tids += (batch.tids.size() > 1 ? ",\"" : "\"") + text_at(found, i, 0) + '"';
      std::optional<RowId> row;
      if (job_.bound) {
        THERIAC_ASSIGN(row, row_of(found.value(i, 1)));
        if (!row) row = services_.random.uuid<RowId>();
        batch.rows.add(row->view());
      }
      std::size_t at = 0;
      for (std::size_t c = 0; c < work.columns.size(); ++c) {
        const auto& column = work.columns[c];
        auto& sealed = batch.values[at++];
        const auto first_index = at;
        at += column.index_names().size();
        const auto plain = found.value(i, 2 + c);
        if (!plain) {
          sealed.add_null();
          for (auto k = first_index; k < at; ++k) batch.values[k].add_null();
          continue;
        }
        THERIAC_ASSIGN(const auto made, cipher_.seal(column, row, *plain));
        sealed.add(made.sealed);
        for (auto k = first_index; k < at; ++k) batch.values[k].add(made.indexes[k - first_index]);
        ++batch_values_;
      }
    }
    batch.tids += '}';
    return {};
  }

  /// Compares everything, then erases the plain values and gives the tables their protected form:
  /// one transaction.
  Status finish() {
    THERIAC_TRY(still_wanted(services_));
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    for (const auto& work : works_) THERIAC_TRY(lock_table(database, work.sql));
    THERIAC_ASSIGN(const auto parts, read_parts(database, {job_.relation}));
    if (parts.size() != works_.size()) {
      return fail(Code::kConflict, job_.name() + ": a partition came meanwhile; protect again");
    }
    THERIAC_TRY(cipher_.refresh(works_.front().columns, job_.tenant, true));
    std::int64_t rows = 0;
    for (const auto& work : works_) {
      if (!work.part.holds_rows()) continue;
      THERIAC_ASSIGN(const auto count, count_rows(database, work.sql, "true"));
      THERIAC_ASSIGN(const auto compared, compare_all(services_, work.sql, work.columns, cipher_,
                                                      count, "comparing " + work.name()));
      rows += count;
      report_.compared += compared;
    }
    THERIAC_TRY(give_form());
    THERIAC_TRY(still_wanted(services_));
    for (const auto& work : works_) {
      THERIAC_TRY(give_rights(work));
      THERIAC_TRY(mark_sealed(work));
    }
    THERIAC_ASSIGN(const auto views, remake_views(database, Remake::kWhatCanBe));
    if (views > 0) {
      report_.notes.push_back(std::to_string(views) + " views made again over sealed values");
    }
    THERIAC_TRY(audit_entry(services_, "protect.seal", job_.name(),
                            {{"rows", rows},
                             {"compared", report_.compared},
                             {"columns", works_.front().columns.size()},
                             {"tables", works_.size()}},
                            job_.policy->hash, cipher_.key_versions()));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  /// What stands on the parent's column comes to the children with it; the rest is each table's.
  Status give_form() {
    auto& database = services_.database;
    const auto& root = works_.front();
    THERIAC_TRY(run_all(database, {free_plain(root.sql, root.columns)}, "freeing " + job_.name()));
    std::vector<std::string> drops, after, attach;
    for (const auto& work : works_) {
      MovedObjects moved{database, work.part, work.columns};
      THERIAC_TRY(moved.move_indexes(drops, after, attach));
      THERIAC_TRY(moved.drop_statistics(drops, after));
    }
    THERIAC_TRY(run_all(database, drops, "dropping indexes and statistics of " + job_.name()));
    THERIAC_TRY(still_wanted(services_));
    services_.progress("erasing plain values of " + job_.name(), 0, 0);
    for (const auto& work : works_) {
      if (!work.part.holds_rows()) continue;
      THERIAC_TRY(run_all(database, {erase_sql(work)}, "erasing " + work.name()));
    }
    const bool with_row = job_.bound && root.first_columns();
    THERIAC_TRY(run_all(database, {make_form(root.sql, root.columns, with_row)},
                        "rewriting " + job_.name()));
    for (const auto& work : works_) {
      THERIAC_TRY(
          run_all(database, own_form(work.sql, work.columns), "constraining " + work.name()));
      if (!work.part.holds_rows()) continue;
      if (with_row) after.push_back(make_row_unique(work.sql, work.columns));
      for (const auto& column : work.columns) {
        for (const auto& name : column.index_names()) {
          after.push_back(make_lookup(work.sql, column, name));
        }
      }
    }
    after.insert(after.end(), attach.begin(), attach.end());
    return run_all(database, after, "indexing " + job_.name());
  }

  [[nodiscard]] static std::string erase_sql(const Work& work) {
    std::string sets, any;
    for (const auto& column : work.columns) {
      const auto name = pg_quote_identifier(column.column);
      sets += (sets.empty() ? "" : ", ") + name + " = NULL";
      any += (any.empty() ? "" : " OR ") + name + " IS NOT NULL";
    }
    return "UPDATE ONLY " + work.sql + " SET " + sets + " WHERE " + any;
  }

  Status give_rights(const Work& work) {
    auto& database = services_.database;
    const auto oid = std::to_string(work.part.relation);
    THERIAC_ASSIGN(const auto before, database.query("SELECT rights_before FROM theriac.tables "
                                                     "WHERE relation = $1::oid",
                                                     {PgParam::text(oid)}));
    if (before.rows() != 1) return fail(Code::kNotFound, "theriac.tables");
    THERIAC_ASSIGN(const auto json, codec::parse_json(before.value(0, 0).value_or("")));
    THERIAC_ASSIGN(const auto rights, Rights::from_json(json));
    THERIAC_ASSIGN(const auto columns,
                   database.query("SELECT attname FROM pg_catalog.pg_attribute WHERE attrelid = "
                                  "$1::oid AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                                  {PgParam::text(oid)}));
    std::vector<std::string> names;
    for (std::size_t i = 0; i < columns.rows(); ++i) names.push_back(text_at(columns, i, 0));
    std::vector<Shadowed> shadowed;
    for (const auto& column : work.all) shadowed.push_back(shadow_of(column));
    THERIAC_TRY(run_all(database, grant_translated(rights, work.sql, names, shadowed),
                        "granting on " + work.name()));
    THERIAC_ASSIGN(const auto after, rights_text(database, work.part.relation));
    THERIAC_TRY(
        database.query("UPDATE theriac.tables SET rights_after = $2, rights_before = NULL "
                       "WHERE relation = $1::oid",
                       {PgParam::text(oid), PgParam::text(after)}));
    return {};
  }

  Status mark_sealed(const Work& work) {
    auto& database = services_.database;
    const auto oid = std::to_string(work.part.relation);
    THERIAC_TRY(
        database.query("UPDATE theriac.columns SET state = 'sealed' "
                       "WHERE relation = $1::oid AND state = 'sealing'",
                       {PgParam::text(oid)}));
    const auto rows = std::to_string(report_.rows), compared = std::to_string(report_.compared);
    THERIAC_TRY(database.query(
        "UPDATE theriac.migrations SET finished_at = pg_catalog.now(), rows_total = $2::int8, "
        "rows_done = $2::int8, rows_compared = $3::int8 "
        "WHERE relation = $1::oid AND direction = 'protect' AND finished_at IS NULL",
        {PgParam::text(oid), PgParam::text(rows), PgParam::text(compared)}));
    return {};
  }

  const Services& services_;
  const SealJob& job_;
  ValueCipher cipher_;
  TableReport report_;
  std::vector<Work> works_;  ///< parents before children
  std::int64_t done_ = 0, batch_values_ = 0;
};

}  // namespace

Result<TableReport> seal_table(const Services& services, const SealJob& job) {
  return SealTable(services, job).run();
}

}  // namespace theriac::protect
