#include "protect/moved_objects.hpp"

#include <algorithm>

#include "protect/form.hpp"
#include "protect/sql_text.hpp"
#include "protect/table_work.hpp"

namespace theriac::protect {

using store::PgParam;

Status MovedObjects::move_indexes(std::vector<std::string>& drops, std::vector<std::string>& after,
                                  std::vector<std::string>& attach) {
  std::vector<std::int16_t> attributes, searchable;
  for (const auto& column : *columns_) {
    attributes.push_back(column.attribute);
    if (column.searchable) searchable.push_back(column.attribute);
  }
  auto& database = *database_;
  const auto table = part_->sql();
  THERIAC_ASSIGN(const auto indexes, read_indexes(database, part_->relation, attributes));
  THERIAC_ASSIGN(auto original, read_original(database, part_->relation));
  for (const auto& index : indexes) {
    const auto verdict = judge_index(index, attributes, searchable);
    if (verdict.fate == IndexFate::kRefused) {
      return fail(Code::kPolicyInvalid, part_->name() + ": a column " + verdict.why);
    }
    drops.push_back(drop_index(part_->schema, table, index.name, index.constraint));
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
    for (const auto& column : *columns_) {
      for (const auto place : text.places_of(column.column)) {
        const auto rest = text.after_column(place, column.column);
        (*known)["keys"][place]["suffix"] = rest.form;
        if (verdict.fate == IndexFate::kRebuilt) {
          text.elements[place] = column.index_name() + rest.order;
        }
      }
    }
    for (auto& statement : make_index(part_->schema, table, index, text)) {
      after.push_back(std::move(statement));
    }
    if (!index.attach_to.empty()) attach.push_back(attach_index(part_->schema, index));
  }
  THERIAC_TRY(write_original(database, part_->relation, original));
  return {};
}

Status MovedObjects::drop_statistics(std::vector<std::string>& drops,
                                     std::vector<std::string>& after) {
  std::string list = "{";
  for (const auto& column : *columns_) {
    list += (list.size() > 1 ? "," : "") + std::to_string(column.attribute);
  }
  list += '}';
  auto& database = *database_;
  const auto oid = std::to_string(part_->relation);
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
  THERIAC_ASSIGN(auto original, read_original(database, part_->relation));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const codec::Json json{{"schema", text_at(rows, i, 0)},        {"name", text_at(rows, i, 1)},
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
  THERIAC_TRY(write_original(database, part_->relation, original));
  return {};
}

}  // namespace theriac::protect
