#include "protect/tree.hpp"

#include "protect/rights.hpp"
#include "protect/table_work.hpp"

namespace theriac::protect {
namespace {

using store::PgConnection;
using store::PgParam;

std::string oid_list(const std::vector<std::uint32_t>& relations) {
  std::string out = "{";
  for (const auto relation : relations) {
    out += (out.size() > 1 ? "," : "") + std::to_string(relation);
  }
  return out + "}";
}

}  // namespace

Result<std::vector<Part>> read_parts(PgConnection& database,
                                     const std::vector<std::uint32_t>& relations) {
  const auto list = oid_list(relations);
  THERIAC_ASSIGN(const auto rows, database.query(R"(
WITH RECURSIVE tree AS (
  SELECT r.oid, 0 AS depth FROM pg_catalog.unnest($1::oid[]) AS r(oid)
  UNION ALL
  SELECT i.inhrelid, t.depth + 1 FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid
)
SELECT c.oid, n.nspname, c.relname, c.relkind, max(t.depth)
FROM tree t JOIN pg_catalog.pg_class c ON c.oid = t.oid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
GROUP BY c.oid, n.nspname, c.relname, c.relkind ORDER BY 5, n.nspname, c.relname)",
                                                 {PgParam::text(list)}));
  std::vector<Part> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    Part part;
    part.relation = number_at<std::uint32_t>(rows, i, 0);
    part.schema = text_at(rows, i, 1);
    part.table = text_at(rows, i, 2);
    part.kind = rows.value(i, 3).value_or("r").front();
    part.top = number_at<int>(rows, i, 4) == 0;
    out.push_back(std::move(part));
  }
  return out;
}

Status lock_parts(PgConnection& database, const std::vector<Part>& parts) {
  for (const auto& part : parts) THERIAC_TRY(lock_table(database, part.sql()));
  return {};
}

Status register_table(PgConnection& database, const Part& part, const TableNames& known_as,
                      bool bound) {
  THERIAC_ASSIGN(const auto rights, take_all_rights(database, part.relation, part.sql()));
  const auto rights_json = rights.to_json();
  const codec::Json original{{"rights", rights_json},
                             {"indexes", codec::Json::array()},
                             {"statistics", codec::Json::array()}};
  const auto text = original.dump(), now = rights_json.dump(), oid = std::to_string(part.relation);
  THERIAC_TRY(database.query(
      "INSERT INTO theriac.tables (relation, schema_name, table_name, bound, "
      "original) VALUES ($1::oid::regclass, $2, $3, $4, $5::jsonb) "
      "ON CONFLICT (relation) DO NOTHING",
      {PgParam::text(oid), PgParam::text(known_as.schema), PgParam::text(known_as.table),
       PgParam::text(bound ? "t" : "f"), PgParam::text(text)}));
  THERIAC_TRY(
      database.query("UPDATE theriac.tables SET rights_before = $2::jsonb "
                     "WHERE relation = $1::oid",
                     {PgParam::text(oid), PgParam::text(now)}));
  return {};
}

Status register_members(PgConnection& database, const std::vector<Part>& parts) {
  for (const auto& top : parts) {
    if (!top.top) continue;
    const auto oid = std::to_string(top.relation);
    const auto made = database.query("SELECT theriac.adopt_members($1::oid)", {PgParam::text(oid)});
    if (!made) return while_doing("registering partitions of " + top.name(), made.error());
  }
  return {};
}

}  // namespace theriac::protect
