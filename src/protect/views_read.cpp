#include "protect/views_read.hpp"

#include <map>
#include <optional>

namespace theriac::protect {
namespace {

using store::PgConnection;
using store::PgParam;

// Views (and materialised ones) over columns, those over others of them later. A whole-row
// reference leaves no trace in pg_depend; the rule's tree has varattno 0.
constexpr std::string_view kReaders = R"(
WITH RECURSIVE w AS (
  SELECT * FROM unnest($1::oid[], $2::int2[]) AS w(relation, attribute)
), readers(oid, depth) AS (
  SELECT r.ev_class, 1 FROM w
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = w.relation
   AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> d.refobjid
  WHERE d.refobjsubid = w.attribute OR r.ev_action::text LIKE '%:varattno 0 %'
  UNION
  SELECT r.ev_class, b.depth + 1 FROM readers b
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = b.oid
   AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> b.oid
  JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm'))
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.pg_get_viewdef(c.oid),
       coalesce((SELECT pg_catalog.string_agg(pg_catalog.quote_ident(o.option_name) || '='
                   || pg_catalog.quote_literal(o.option_value), ', ')
                 FROM pg_catalog.pg_options_to_table(c.reloptions) o), ''),
       EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
               WHERE o.option_name = 'check_option'),
       EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid
               AND r.rulename <> '_RETURN'),
       EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid),
       EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                 AND d.classid IN ('pg_proc'::regclass, 'pg_policy'::regclass))
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid = c.reltype
                 AND d.deptype <> 'i')
FROM (SELECT oid, max(depth) AS depth FROM readers GROUP BY oid) r
JOIN pg_catalog.pg_class c ON c.oid = r.oid AND c.relkind IN ('v', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('theriac', 'theriac_catalog')
ORDER BY r.depth, c.oid)";

constexpr std::string_view kViewColumns = R"(
SELECT a.attname, a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod),
       coalesce((SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname)
                 FROM pg_catalog.pg_collation l
                 JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
                 WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation), '')
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)";

Status read_columns(PgConnection& database, View& view) {
  const auto oid = std::to_string(view.oid);
  THERIAC_ASSIGN(const auto rows, database.query(kViewColumns, {PgParam::text(oid)}));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    auto name = text_at(rows, i, 0);
    if (view.registered && name.starts_with("theriac_")) {
      view.standing.push_back(std::move(name));
      continue;
    }
    auto null = "CAST(NULL AS " + text_at(rows, i, 2) + ")";
    if (const auto collation = text_at(rows, i, 3); !collation.empty()) {
      null += " COLLATE " + collation;
    }
    view.columns.push_back({std::move(name), number_at<std::int16_t>(rows, i, 1), std::move(null)});
  }
  return {};
}

/// The definitions the registry keeps, by view; nullopt: what the view says is its own.
Result<std::map<std::uint32_t, std::optional<std::string>>> registered_views(
    PgConnection& database) {
  std::map<std::uint32_t, std::optional<std::string>> out;
  THERIAC_ASSIGN(const auto there,
                 database.query("SELECT pg_catalog.to_regclass('theriac.views') IS NOT NULL"));
  if (there.value(0, 0) != "t") return out;
  THERIAC_ASSIGN(const auto rows,
                 database.query("SELECT view::oid, pg_catalog.pg_get_viewdef(original::oid) "
                                "FROM theriac.views"));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    auto& definition = out[number_at<std::uint32_t>(rows, i, 0)];
    if (rows.value(i, 1)) definition = text_at(rows, i, 1);
  }
  return out;
}

}  // namespace

void Watched::add(std::uint32_t relation, std::int16_t attribute) {
  const char* comma = relations.size() == 1 ? "" : ",";
  relations += comma + std::to_string(relation);
  attributes += comma + std::to_string(attribute);
}

void Watched::add(const rewrite::Relation& relation) {
  for (const auto& column : relation.columns) {
    if (column.helper || column.protection) add(relation.oid, column.attribute);
  }
}

Result<std::vector<View>> read_views(PgConnection& database, const Watched& watched) {
  THERIAC_ASSIGN(const auto registered, registered_views(database));
  THERIAC_ASSIGN(const auto rows,
                 database.query(kReaders, {PgParam::text(watched.relations + "}"),
                                           PgParam::text(watched.attributes + "}")}));
  std::vector<View> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    View view;
    view.oid = number_at<std::uint32_t>(rows, i, 0);
    view.schema = text_at(rows, i, 1);
    view.name = text_at(rows, i, 2);
    view.materialised = rows.value(i, 3) == "m";
    view.definition = text_at(rows, i, 4);
    view.options = text_at(rows, i, 5);
    view.checked = rows.value(i, 6) == "t";
    view.rules = rows.value(i, 7) == "t";
    view.triggers = rows.value(i, 8) == "t";
    view.used = rows.value(i, 9) == "t";
    if (const auto at = registered.find(view.oid); at != registered.end()) {
      view.registered = true;
      view.kept = at->second.has_value();
      if (at->second) view.definition = *at->second;
    }
    THERIAC_TRY(read_columns(database, view));
    out.push_back(std::move(view));
  }
  return out;
}

}  // namespace theriac::protect
