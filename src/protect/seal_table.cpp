#include "protect/seal_table.hpp"

#include <algorithm>

#include "protect/form.hpp"
#include "protect/limits.hpp"
#include "protect/sql_text.hpp"
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
        sql_(qualified_sql(job.schema, job.table)),
        cipher_(services.keys, services.random, buckets(*job.policy)) {}

  Result<TableReport> run() {
    report_.table = job_.name();
    if (!job_.fresh.empty()) THERIAC_TRY(begin());
    THERIAC_TRY(load_columns());
    THERIAC_TRY(fill());
    THERIAC_TRY(finish());
    return std::move(report_);
  }

 private:
  static std::map<std::string, seal::Buckets> buckets(const policy::Policy& policy) {
    std::map<std::string, seal::Buckets> out;
    for (const auto& [name, each] : policy.classes) out.emplace(name, each.buckets);
    return out;
  }

  /// The columns to seal, from the registry.
  Status load_columns() {
    THERIAC_ASSIGN(const auto registered, registered_columns(services_.database));
    all_ = columns_of(registered, job_.relation);
    columns_.clear();
    std::copy_if(all_.begin(), all_.end(), std::back_inserter(columns_),
                 [](const auto& column) { return column.state == kStateSealing; });
    if (columns_.empty()) return fail(Code::kNotProtected, job_.name());
    for (const auto& column : columns_) {
      if (column.attribute == 0) return fail(Code::kNotProtected, column.qualified());
    }
    return {};
  }

  Status begin() {
    THERIAC_TRY(still_wanted(services_));
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, sql_));
    THERIAC_ASSIGN(const auto registered, registered_columns(database));
    const auto known = columns_of(registered, job_.relation);
    const bool first = known.empty();
    const bool open_rights = std::none_of(known.begin(), known.end(), [](const auto& column) {
      return column.state == kStateSealing;
    });
    if (!first && known.front().bound != job_.bound) {
      return fail(Code::kConflict, job_.name() + ": bind_rows; unprotect the table first");
    }
    THERIAC_TRY(register_table(first, open_rights));
    for (const auto& target : job_.fresh) THERIAC_TRY(register_column(target));
    THERIAC_TRY(still_wanted(services_));
    THERIAC_ASSIGN(const auto now, registered_columns(database));
    std::vector<RegisteredColumn> added;
    for (const auto& column : columns_of(now, job_.relation)) {
      const bool old = std::any_of(known.begin(), known.end(),
                                   [&](const auto& each) { return each.number == column.number; });
      if (!old) added.push_back(column);
    }
    THERIAC_TRY(run_all(database, {add_helpers(sql_, added, first && job_.bound)},
                        "adding helper columns to " + job_.name()));
    const auto oid = std::to_string(job_.relation);
    THERIAC_TRY(
        database.query("INSERT INTO theriac.migrations (relation, direction) "
                       "VALUES ($1::oid::regclass, 'protect')",
                       {PgParam::text(oid)}));
    THERIAC_TRY(audit_entry(services_, "protect.begin", job_.name(),
                            {{"columns", added.size()}, {"bound", job_.bound}}, job_.policy->hash));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  /// Notes the rights and takes all of them away: nobody may read or write half-way.
  Status register_table(bool first, bool open_rights) {
    auto& database = services_.database;
    const auto oid = std::to_string(job_.relation);
    if (!open_rights) return {};
    THERIAC_ASSIGN(const auto rights, take_all_rights(database, job_.relation, sql_));
    const auto rights_json = rights.to_json();
    if (first) {
      const codec::Json original{{"rights", rights_json},
                                 {"indexes", codec::Json::array()},
                                 {"statistics", codec::Json::array()}};
      const auto text = original.dump();
      THERIAC_TRY(database.query(
          "INSERT INTO theriac.tables (relation, schema_name, table_name, bound, original) "
          "VALUES ($1::oid::regclass, $2, $3, $4, $5::jsonb)",
          {PgParam::text(oid), PgParam::text(job_.schema), PgParam::text(job_.table),
           PgParam::text(job_.bound ? "t" : "f"), PgParam::text(text)}));
    }
    const auto text = rights_json.dump();
    THERIAC_TRY(database.query(
        "UPDATE theriac.tables SET rights_before = $2::jsonb WHERE relation = $1::oid",
        {PgParam::text(oid), PgParam::text(text)}));
    return {};
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

  [[nodiscard]] std::string work_condition() const {
    std::string out;
    for (const auto& column : columns_) {
      out += (out.empty() ? "(" : " OR (") + pg_quote_identifier(column.column) +
             " IS NOT NULL AND " + column.sealed_name() + " IS NULL)";
    }
    if (job_.bound) out += " OR theriac_row IS NULL";
    return "(" + out + ")";
  }

  Status fill() {
    auto& database = services_.database;
    THERIAC_ASSIGN(const auto rows, count_rows(database, sql_, "true"));
    THERIAC_ASSIGN(const auto work, count_rows(database, sql_, work_condition()));
    report_.rows = rows;
    done_ = rows - work;
    const auto stage = "sealing " + job_.name();
    services_.progress(stage, done_, rows);
    const auto select = select_sql(), update = update_sql();
    THERIAC_TRY(sweep(database, sql_, rows, [&](const BlockRange& range) -> Status {
      THERIAC_TRY(still_wanted(services_));
      THERIAC_TRY(fill_range(range, select, update));
      services_.progress(stage, done_, rows);
      return {};
    }));
    THERIAC_ASSIGN(const auto left, count_rows(database, sql_, work_condition()));
    if (left != 0) return fail(Code::kConflict, job_.name() + ": somebody else writes to it");
    return {};
  }

  [[nodiscard]] std::string select_sql() const {
    std::string sql = job_.bound ? "SELECT ctid, theriac_row" : "SELECT ctid, NULL::uuid";
    for (const auto& column : columns_) sql += ", " + pg_quote_identifier(column.column);
    return sql + " FROM ONLY " + sql_ + " WHERE ctid >= $1 AND ctid < $2 AND " + work_condition();
  }

  [[nodiscard]] std::string update_sql() const {
    std::string sets, arrays = "$1", names = "tid";
    int next = 2;
    const auto add = [&](const std::string& target, const std::string& name) {
      sets += (sets.empty() ? "" : ", ") + target + " = u." + name;
      arrays += ", $" + std::to_string(next++);
      names += ", " + name;
    };
    if (job_.bound) add("theriac_row", "r");
    for (const auto& column : columns_) {
      add(column.sealed_name(), "s" + std::to_string(column.number));
      int place = 0;
      for (const auto& name : column.index_names()) {
        add(name, "i" + std::to_string(column.number) + "_" + std::to_string(place++));
      }
    }
    return "UPDATE ONLY " + sql_ + " AS t SET " + sets + " FROM unnest(" + arrays + ") AS u(" +
           names + ") WHERE t.ctid = u.tid";
  }

  /// Arrays of one batch, in the order of update_sql().
  struct Batch {
    std::string tids = "{";
    ArrayParameter rows{kOidUuid};
    std::vector<ArrayParameter> values;
  };

  Status fill_range(const BlockRange& range, const std::string& select, const std::string& update) {
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, sql_));
    // The rows are named by ctid: any plan but a look-up by it reads the whole table.
    THERIAC_TRY(
        database.exec("SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off; "
                      "SET LOCAL enable_seqscan = off; SET LOCAL jit = off"));
    THERIAC_TRY(cipher_.refresh(columns_, job_.tenant, true));
    THERIAC_ASSIGN(const auto found, database.query(select, {PgParam::text(range.first, kOidTid),
                                                             PgParam::text(range.end, kOidTid)}));
    if (found.rows() == 0) return transaction.commit();
    Batch batch;
    THERIAC_TRY(seal_batch(found, batch));
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
    if (!updated) return while_doing("sealing " + job_.name(), updated.error());
    if (updated->affected() != found.rows()) return fail(Code::kConflict, job_.name());
    THERIAC_TRY(audit_entry(services_, "protect.batch", job_.name(),
                            {{"rows", found.rows()}, {"values", batch_values_}}, job_.policy->hash,
                            cipher_.key_versions()));
    THERIAC_TRY(still_wanted(services_));
    THERIAC_TRY(transaction.commit());
    done_ += static_cast<std::int64_t>(found.rows());
    report_.values += batch_values_;
    return {};
  }

  Status seal_batch(const store::PgResult& found, Batch& batch) {
    for (const auto& column : columns_) {
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
      for (std::size_t c = 0; c < columns_.size(); ++c) {
        const auto& column = columns_[c];
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

  /// Compares everything, then erases the plain values and gives the table its protected form: one
  /// transaction.
  Status finish() {
    THERIAC_TRY(still_wanted(services_));
    auto& database = services_.database;
    THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
    THERIAC_TRY(lock_table(database, sql_));
    THERIAC_TRY(cipher_.refresh(columns_, job_.tenant, true));
    THERIAC_ASSIGN(const auto rows, count_rows(database, sql_, "true"));
    THERIAC_ASSIGN(report_.compared, compare_all(services_, sql_, columns_, cipher_, rows,
                                                 "comparing " + job_.name()));
    THERIAC_TRY(run_all(database, {free_plain(sql_, columns_)}, "freeing " + job_.name()));
    std::vector<std::string> after;
    THERIAC_TRY(move_indexes(after));
    THERIAC_TRY(drop_statistics(after));
    THERIAC_TRY(still_wanted(services_));
    services_.progress("erasing plain values of " + job_.name(), 0, 0);
    THERIAC_TRY(run_all(database, {erase_sql()}, "erasing " + job_.name()));
    const bool with_row =
        job_.bound && std::none_of(all_.begin(), all_.end(),
                                   [](const auto& column) { return column.state == kStateSealed; });
    THERIAC_TRY(
        run_all(database, {make_form(sql_, columns_, with_row)}, "rewriting " + job_.name()));
    for (const auto& column : columns_) {
      for (const auto& name : column.index_names()) {
        after.push_back("CREATE INDEX " + RegisteredColumn::lookup_index(name) + " ON " + sql_ +
                        " (" + name + ")");
      }
    }
    THERIAC_TRY(run_all(database, after, "indexing " + job_.name()));
    THERIAC_TRY(still_wanted(services_));
    THERIAC_TRY(give_rights());
    THERIAC_TRY(mark_sealed());
    THERIAC_ASSIGN(const auto views, remake_views(database, Remake::kWhatCanBe));
    if (views > 0) {
      report_.notes.push_back(std::to_string(views) + " views made again over sealed values");
    }
    THERIAC_TRY(
        audit_entry(services_, "protect.seal", job_.name(),
                    {{"rows", rows}, {"compared", report_.compared}, {"columns", columns_.size()}},
                    job_.policy->hash, cipher_.key_versions()));
    THERIAC_TRY(still_wanted(services_));
    return transaction.commit();
  }

  [[nodiscard]] std::string erase_sql() const {
    std::string sets, any;
    for (const auto& column : columns_) {
      const auto name = pg_quote_identifier(column.column);
      sets += (sets.empty() ? "" : ", ") + name + " = NULL";
      any += (any.empty() ? "" : " OR ") + name + " IS NOT NULL";
    }
    return "UPDATE ONLY " + sql_ + " SET " + sets + " WHERE " + any;
  }

  Status move_indexes(std::vector<std::string>& after) {
    std::vector<std::int16_t> attributes, searchable;
    for (const auto& column : columns_) {
      attributes.push_back(column.attribute);
      if (column.searchable) searchable.push_back(column.attribute);
    }
    auto& database = services_.database;
    THERIAC_ASSIGN(const auto indexes, read_indexes(database, job_.relation, attributes));
    THERIAC_ASSIGN(auto original, read_original(database, job_.relation));
    std::vector<std::string> drops;
    for (const auto& index : indexes) {
      const auto verdict = judge_index(index, attributes, searchable);
      if (verdict.fate == IndexFate::kRefused) {
        return fail(Code::kPolicyInvalid, job_.name() + ": a column " + verdict.why);
      }
      drops.push_back(drop_index(job_.schema, sql_, index.name, index.constraint));
      auto text = index.text;
      auto& recorded = original["indexes"];
      auto known = std::find_if(recorded.begin(), recorded.end(), [&](const auto& each) {
        return each.value("name", "") == index.name;
      });
      if (known == recorded.end()) {
        recorded.push_back(index_to_json(index));
        known = recorded.end() - 1;
        // It stands there again under its name, and may be dropped or renamed there.
        (*known)["moved"] = true;
      }
      for (const auto& column : columns_) {
        for (const auto place : text.places_of(column.column)) {
          const auto rest = text.after_column(place, column.column);
          (*known)["keys"][place]["suffix"] = rest.form;
          if (verdict.fate == IndexFate::kRebuilt) {
            text.elements[place] = column.index_name() + rest.order;
          }
        }
      }
      for (auto& statement : make_index(job_.schema, sql_, index, text)) {
        after.push_back(std::move(statement));
      }
    }
    THERIAC_TRY(write_original(database, job_.relation, original));
    return run_all(database, drops, "dropping indexes of " + job_.name());
  }

  /// Extended statistics keep samples of the values: they are made anew on the erased column.
  Status drop_statistics(std::vector<std::string>& after) {
    std::string list = "{";
    for (const auto& column : columns_) {
      list += (list.size() > 1 ? "," : "") + std::to_string(column.attribute);
    }
    list += '}';
    auto& database = services_.database;
    const auto oid = std::to_string(job_.relation);
    THERIAC_ASSIGN(const auto rows, database.query(R"(
SELECT n.nspname, s.stxname, pg_catalog.pg_get_statisticsobjdef(s.oid),
       pg_catalog.obj_description(s.oid, 'pg_statistic_ext'), s.stxstattarget,
       pg_catalog.pg_get_userbyid(s.stxowner)
FROM pg_catalog.pg_statistic_ext s JOIN pg_catalog.pg_namespace n ON n.oid = s.stxnamespace
WHERE s.stxrelid = $1::oid AND (s.stxkeys::int2[] && $2::int2[]
  OR EXISTS (SELECT FROM pg_catalog.unnest($2::int2[]) AS t(attribute)
             WHERE s.stxexprs::text ~ ('varattno (0|' || t.attribute || ') '))))",
                                                   {PgParam::text(oid), PgParam::text(list)}));
    if (rows.rows() == 0) return {};
    THERIAC_ASSIGN(auto original, read_original(database, job_.relation));
    std::vector<std::string> drops;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      const codec::Json json{
          {"schema", text_at(rows, i, 0)},        {"name", text_at(rows, i, 1)},
          {"definition", text_at(rows, i, 2)},    {"comment", text_at(rows, i, 3)},
          {"target", number_at<int>(rows, i, 4)}, {"owner", text_at(rows, i, 5)}};
      for (auto& statement : make_statistics(json)) after.push_back(std::move(statement));
      auto& recorded = original["statistics"];
      const bool known = std::any_of(recorded.begin(), recorded.end(), [&](const auto& each) {
        return each.value("schema", "") == text_at(rows, i, 0) &&
               each.value("name", "") == text_at(rows, i, 1);
      });
      if (!known) recorded.push_back(json);
      drops.push_back("DROP STATISTICS " + qualified_sql(text_at(rows, i, 0), text_at(rows, i, 1)));
    }
    THERIAC_TRY(write_original(database, job_.relation, original));
    return run_all(database, drops, "dropping statistics of " + job_.name());
  }

  Status give_rights() {
    auto& database = services_.database;
    const auto oid = std::to_string(job_.relation);
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
    for (const auto& column : all_) shadowed.push_back(shadow_of(column));
    THERIAC_TRY(run_all(database, grant_translated(rights, sql_, names, shadowed),
                        "granting on " + job_.name()));
    THERIAC_ASSIGN(const auto after, rights_text(database, job_.relation));
    THERIAC_TRY(
        database.query("UPDATE theriac.tables SET rights_after = $2, rights_before = NULL "
                       "WHERE relation = $1::oid",
                       {PgParam::text(oid), PgParam::text(after)}));
    return {};
  }

  Status mark_sealed() {
    auto& database = services_.database;
    const auto oid = std::to_string(job_.relation);
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
  std::string sql_;
  ValueCipher cipher_;
  TableReport report_;
  std::vector<RegisteredColumn> all_, columns_;
  std::int64_t done_ = 0, batch_values_ = 0;
};

}  // namespace

Result<TableReport> seal_table(const Services& services, const SealJob& job) {
  return SealTable(services, job).run();
}

}  // namespace theriac::protect
