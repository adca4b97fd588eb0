// The uses of a column that inspect makes no finding of, so that the list of a column's uses is
// whole: what is kept, and what becomes of each view.
#include <algorithm>

#include "protect/inspect_uses.hpp"
#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using store::PgConnection;
using store::PgParam;
using Verdict = Use::Verdict;

// Views and materialised views that read a column, themselves or through others.
constexpr std::string_view kReaders = R"(
WITH RECURSIVE readers AS (
  SELECT r.ev_class AS oid FROM pg_catalog.pg_depend d
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> d.refobjid
  WHERE d.classid = 'pg_rewrite'::regclass AND d.refclassid = 'pg_class'::regclass
    AND d.refobjid = $1::oid
    AND (d.refobjsubid = $2::int2 OR r.ev_action::text LIKE '%:varattno 0 %')
  UNION
  SELECT r.ev_class FROM readers b
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = b.oid
   AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> b.oid)
SELECT CASE c.relkind WHEN 'v' THEN 'view' ELSE 'materialised view' END, n.nspname || '.' || c.relname
FROM readers r JOIN pg_catalog.pg_class c ON c.oid = r.oid AND c.relkind IN ('v', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('theriac', 'theriac_catalog') ORDER BY 2)";

// Policies of the table that test other columns; its partitions and children, whose own columns are
// listed like it; columns of its row type.
constexpr std::string_view kBeside = R"(
SELECT 'row-level security policy', p.polname::text, 'kept', 'it tests other columns'
FROM pg_catalog.pg_policy p WHERE p.polrelid = $1::oid
  AND coalesce(p.polqual::text, '') || coalesce(p.polwithcheck::text, '') !~ ('varattno (0|' || $2 || ') ')
UNION ALL
SELECT CASE WHEN o.relispartition THEN 'partition' ELSE 'child table' END, o.oid::regclass::text,
       'made again', 'it gets the same protected form'
FROM pg_catalog.pg_inherits i JOIN pg_catalog.pg_class o ON o.oid = i.inhrelid
WHERE i.inhparent = $1::oid
UNION ALL
SELECT 'row type', a.attrelid::regclass || '.' || pg_catalog.quote_ident(a.attname), 'refused',
       'whole rows would be kept there in clear; change that column'
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_type t ON t.oid = c.reltype
JOIN pg_catalog.pg_attribute a ON a.atttypid IN (t.oid, t.typarray) AND NOT a.attisdropped
WHERE c.oid = $1::oid
ORDER BY 1, 2)";

constexpr std::string_view kDatabase = R"(
SELECT 'event trigger', e.evtname::text,
       'it fires on the DDL of protection as well; read its function ' || e.evtfoid::regproc
FROM pg_catalog.pg_event_trigger e WHERE e.evtenabled <> 'D' AND e.evtname NOT LIKE 'theriac\_%'
UNION ALL
SELECT 'replication slot', s.slot_name::text,
       'it keeps write-ahead log with plain values until its reader has them; let it catch up or drop it'
FROM pg_catalog.pg_replication_slots s
WHERE s.database IS NULL OR s.database = pg_catalog.current_database()
ORDER BY 1, 2)";

Verdict verdict_from(std::string_view word) {
  if (word == "made again") return Verdict::kRemade;
  return word == "kept" ? Verdict::kKept : Verdict::kRefused;
}

/// What inspect_views() found of one view.
Use judged(const Target& target, std::string kind, std::string name,
           const std::vector<Finding>& findings) {
  Use out{target.object(), std::move(kind), std::move(name), Verdict::kKept, {}};
  const auto subject = out.kind + " " + out.name;
  for (const auto& each : findings) {
    if (each.object != out.name || !each.what.starts_with(subject)) continue;
    const bool refused = each.severity == Severity::kRefused;
    out.verdict = refused ? Verdict::kRefused : Verdict::kRemade;
    if (refused) out.remedy = each.what.substr(std::min(subject.size() + 2, each.what.size()));
    if (!each.remedy.empty()) out.remedy += (out.remedy.empty() ? "" : "; ") + each.remedy;
  }
  return out;
}

Status of_column(PgConnection& database, const Target& target, Inspection& out) {
  const auto relation = std::to_string(target.relation);
  const auto attribute = std::to_string(target.attribute);
  const std::vector<PgParam> which{PgParam::text(relation), PgParam::text(attribute)};
  const auto add = [&](std::string kind, std::string name, Verdict verdict, std::string remedy) {
    out.uses.push_back(
        {target.object(), std::move(kind), std::move(name), verdict, std::move(remedy)});
  };
  THERIAC_ASSIGN(const auto readers, database.query(kReaders, which));
  for (std::size_t i = 0; i < readers.rows(); ++i) {
    out.uses.push_back(
        judged(target, text_at(readers, i, 0), text_at(readers, i, 1), out.findings));
  }
  THERIAC_ASSIGN(const auto beside, database.query(kBeside, which));
  for (std::size_t i = 0; i < beside.rows(); ++i) {
    add(text_at(beside, i, 0), text_at(beside, i, 1), verdict_from(text_at(beside, i, 2)),
        text_at(beside, i, 3));
  }
  if (target.not_null) add("not null constraint", target.wanted->column, Verdict::kRemade, {});
  if (target.default_text && !target.generated) {
    const bool constant = is_constant_default(*target.default_text);
    add("default", target.wanted->column, constant ? Verdict::kRemade : Verdict::kRefused,
        constant ? "" : "drop the default; let the program give the value");
  }
  return {};
}

}  // namespace

std::string_view verdict_name(Verdict verdict) {
  switch (verdict) {
    case Verdict::kKept:
      return "kept";
    case Verdict::kRemade:
      return "made again";
    case Verdict::kRefused:
      return "refused";
    case Verdict::kLookAtIt:
      return "look at it";
  }
  return "";
}

Status list_uses(PgConnection& database, const std::vector<Target>& targets, Inspection& out) {
  for (const auto& target : targets) THERIAC_TRY(of_column(database, target, out));
  std::vector<Use> by_column;
  for (const auto& target : targets) {
    for (const auto& use : out.uses) {
      if (use.column == target.object()) by_column.push_back(use);
    }
  }
  out.uses = std::move(by_column);
  if (targets.empty()) return {};
  THERIAC_ASSIGN(const auto rows, database.query(kDatabase));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    out.uses.push_back({"database", text_at(rows, i, 0), text_at(rows, i, 1), Verdict::kLookAtIt,
                        text_at(rows, i, 2)});
  }
  return {};
}

}  // namespace theriac::protect
