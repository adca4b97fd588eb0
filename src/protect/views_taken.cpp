// Views that are taken away while their table is opened, and put back as they were.
#include <algorithm>

#include "protect/views.hpp"
#include "protect/views_read.hpp"

namespace theriac::protect {

using store::pg_quote_identifier;
using store::PgConnection;
using store::PgParam;

Result<std::vector<TakenView>> take_views(PgConnection& database, std::uint32_t relation) {
  const auto oid = std::to_string(relation);
  THERIAC_ASSIGN(const auto columns,
                 database.query("SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = "
                                "$1::oid AND attnum > 0 AND NOT attisdropped AND (attname LIKE "
                                "'theriac\\_%' OR EXISTS (SELECT FROM theriac.columns c WHERE "
                                "c.relation = attrelid AND c.column_name = attname))",
                                {PgParam::text(oid)}));
  Watched watched;
  for (std::size_t i = 0; i < columns.rows(); ++i) {
    watched.add(relation, number_at<std::int16_t>(columns, i, 0));
  }
  THERIAC_ASSIGN(const auto views, read_views(database, watched));
  std::vector<TakenView> out;
  std::vector<std::string> drops, originals;
  for (const auto& view : views) {
    TakenView taken;
    taken.schema = view.schema;
    taken.name = view.name;
    taken.definition = view.definition;
    taken.options = view.options;
    const auto id = std::to_string(view.oid);
    THERIAC_ASSIGN(taken.rights, read_rights(database, view.oid));
    taken.owner = taken.rights.owner;
    THERIAC_ASSIGN(
        const auto kept,
        database.query("WITH gone AS (DELETE FROM theriac.view_columns WHERE view = "
                       "$1::oid), was AS (DELETE FROM theriac.views WHERE view = $1::oid "
                       "RETURNING rights, original) SELECT rights, original::text FROM was",
                       {PgParam::text(id)}));
    if (kept.rows() == 1) {
      if (kept.value(0, 1)) originals.push_back("DROP VIEW " + text_at(kept, 0, 1));
      THERIAC_ASSIGN(const auto json, codec::parse_json(kept.value(0, 0).value_or("")));
      THERIAC_ASSIGN(taken.rights, Rights::from_json(json));
    }
    THERIAC_ASSIGN(const auto texts, database.query(R"(
SELECT a.attname, pg_catalog.col_description(a.attrelid, a.attnum),
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.obj_description(a.attrelid, 'pg_class')
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)",
                                                    {PgParam::text(id)}));
    for (std::size_t i = 0; i < texts.rows(); ++i) {
      taken.comment = text_at(texts, i, 3);
      if (texts.value(i, 1))
        taken.comments.emplace_back(text_at(texts, i, 0), text_at(texts, i, 1));
      if (texts.value(i, 2))
        taken.defaults.emplace_back(text_at(texts, i, 0), text_at(texts, i, 2));
    }
    drops.insert(drops.begin(), "DROP VIEW " + view.sql());
    out.push_back(std::move(taken));
  }
  THERIAC_TRY(run_all(database, originals, "taking views away"));
  THERIAC_TRY(run_all(database, drops, "taking views away"));
  return out;
}

Status put_views_back(PgConnection& database, const std::vector<TakenView>& views) {
  for (const auto& view : views) {
    const auto name = qualified_sql(view.schema, view.name);
    auto text = view.definition;
    while (!text.empty() && text.back() == ';') text.pop_back();
    std::vector<std::string> statements{
        "CREATE VIEW " + name + (view.options.empty() ? "" : " WITH (" + view.options + ")") +
            " AS " + text,
        "ALTER VIEW " + name + " OWNER TO " + pg_quote_identifier(view.owner)};
    if (!view.comment.empty()) {
      statements.push_back("COMMENT ON VIEW " + name + " IS " +
                           store::pg_quote_literal(view.comment));
    }
    for (const auto& [column, comment] : view.comments) {
      statements.push_back("COMMENT ON COLUMN " + name + "." + pg_quote_identifier(column) +
                           " IS " + store::pg_quote_literal(comment));
    }
    for (const auto& [column, value] : view.defaults) {
      statements.push_back("ALTER VIEW " + name + " ALTER COLUMN " + pg_quote_identifier(column) +
                           " SET DEFAULT " + value);
    }
    THERIAC_TRY(run_all(database, statements, "making view " + view.schema + "." + view.name));
    THERIAC_ASSIGN(const auto found,
                   database.query("SELECT $1::regclass::oid", {PgParam::text(name)}));
    const auto oid = number_at<std::uint32_t>(found, 0, 0);
    THERIAC_ASSIGN(const auto now, read_rights(database, oid));
    auto wanted = view.rights;
    wanted.owner = view.owner;
    if (now.grants == wanted.grants) continue;
    THERIAC_TRY(take_all_rights(database, oid, name));
    THERIAC_TRY(run_all(database, grant_again(wanted, name), "granting on " + name));
  }
  return {};
}

}  // namespace theriac::protect
