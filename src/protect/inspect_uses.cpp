#include "protect/inspect_uses.hpp"

#include <algorithm>

#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using store::PgConnection;
using store::PgParam;
using store::PgResult;

/// Arrays of the targets as parameters; row i of an answer names its target by place.
struct Places {
  std::string relations = "{", attributes = "{";
  std::vector<std::string> names;

  explicit Places(const std::vector<Target>& targets) {
    for (const auto& target : targets) {
      const char* comma = names.empty() ? "" : ",";
      relations += comma + std::to_string(target.relation);
      attributes += comma + std::to_string(target.attribute);
      names.push_back(target.wanted->column);
    }
    relations += '}';
    attributes += '}';
  }
};

/// A question to the catalogues. Every answer's first column is the target's place (from 1), the
/// second the name of what was found.
struct Question {
  std::string_view sql;
  std::string_view kind;
  Severity severity;
  std::string_view what;  ///< {} is the name
  std::string_view remedy;
};

constexpr std::string_view kTargets =
    "WITH w AS (SELECT * FROM unnest($1::oid[], $2::int2[], $3::text[]) WITH ORDINALITY "
    "AS w(relation, attribute, name, place)) ";

// A whole-row reference leaves no trace in pg_depend; the rule's tree has varattno 0.
constexpr std::string_view kViews = R"(
SELECT DISTINCT w.place, r.ev_class::regclass::text
FROM w JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass
 AND d.refobjid = w.relation AND d.classid = 'pg_rewrite'::regclass
JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> w.relation
JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind = 'v'
 AND v.relnamespace::regnamespace::text <> 'theriac'
WHERE d.refobjsubid = w.attribute OR r.ev_action::text LIKE '%:varattno 0 %')";

constexpr std::string_view kMaterialised = R"(
SELECT DISTINCT w.place, r.ev_class::regclass::text
FROM w JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass
 AND d.refobjid = w.relation AND d.classid = 'pg_rewrite'::regclass
JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> w.relation
JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind = 'm'
WHERE d.refobjsubid = w.attribute OR r.ev_action::text LIKE '%:varattno 0 %')";

constexpr std::string_view kRules = R"(
SELECT DISTINCT w.place, r.rulename
FROM w JOIN pg_catalog.pg_rewrite r ON r.ev_class = w.relation)";

constexpr std::string_view kPolicies = R"(
SELECT DISTINCT w.place, p.polname
FROM w JOIN pg_catalog.pg_policy p ON true
WHERE (p.polrelid = w.relation
       AND coalesce(p.polqual::text, '') || coalesce(p.polwithcheck::text, '')
           ~ ('varattno (0|' || w.attribute || ') '))
   OR EXISTS (SELECT FROM pg_catalog.pg_depend d
              WHERE d.classid = 'pg_policy'::regclass AND d.objid = p.oid
                AND d.refclassid = 'pg_class'::regclass AND d.refobjid = w.relation
                AND d.refobjsubid = w.attribute))";

constexpr std::string_view kChecks = R"(
SELECT DISTINCT w.place, k.conname
FROM w JOIN pg_catalog.pg_constraint k ON k.conrelid = w.relation AND k.contype = 'c'
WHERE k.conkey @> ARRAY[w.attribute] OR k.conbin::text LIKE '%:varattno 0 %')";

// Where a row belongs is decided by the server, from the value.
constexpr std::string_view kPartitionKeys = R"(
SELECT DISTINCT w.place, c.relname
FROM w JOIN pg_catalog.pg_partitioned_table p ON p.partrelid = w.relation
JOIN pg_catalog.pg_class c ON c.oid = p.partrelid
WHERE w.attribute = ANY (p.partattrs::int2[])
   OR p.partexprs::text ~ ('varattno (0|' || w.attribute || ') '))";

constexpr std::string_view kForeign = R"(
SELECT DISTINCT w.place, k.conname
FROM w JOIN pg_catalog.pg_constraint k ON k.contype = 'f'
WHERE (k.conrelid = w.relation AND k.conkey @> ARRAY[w.attribute])
   OR (k.confrelid = w.relation AND k.confkey @> ARRAY[w.attribute]))";

constexpr std::string_view kGenerated = R"(
SELECT DISTINCT w.place, a.attname
FROM w JOIN pg_catalog.pg_attribute a ON a.attrelid = w.relation AND a.attgenerated <> ''
 AND a.attnum <> w.attribute
JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE d.adbin::text ~ ('varattno (0|' || w.attribute || ') '))";

constexpr std::string_view kSequences = R"(
SELECT DISTINCT w.place, s.relname
FROM w JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass
 AND d.refobjid = w.relation AND d.refobjsubid = w.attribute AND d.deptype = 'a'
JOIN pg_catalog.pg_class s ON d.classid = 'pg_class'::regclass AND s.oid = d.objid
 AND s.relkind = 'S')";

// Bodies in SQL-standard form (BEGIN ATOMIC) are tracked like views.
constexpr std::string_view kAtomicFunctions = R"(
SELECT DISTINCT w.place, p.oid::regprocedure::text
FROM w JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass
 AND d.refobjid = w.relation AND d.refobjsubid = w.attribute AND d.classid = 'pg_proc'::regclass
JOIN pg_catalog.pg_proc p ON p.oid = d.objid)";

// A trigger that could read the column: its WHEN, its arguments, its function's text (by name, as a
// whole row, or by EXECUTE), or a function whose text cannot be read.
constexpr std::string_view kTriggers = R"(
SELECT DISTINCT w.place, t.tgname
FROM w JOIN pg_catalog.pg_trigger t ON t.tgrelid = w.relation AND NOT t.tgisinternal
JOIN pg_catalog.pg_proc p ON p.oid = t.tgfoid
JOIN pg_catalog.pg_language l ON l.oid = p.prolang
WHERE t.tgqual::text ~ ('varattno (0|' || w.attribute || ') ')
   OR pg_catalog.encode(t.tgargs, 'escape') ~ ('(^|\\000)' || ($4::text[])[w.place] || '\\000')
   OR (l.lanname IN ('c', 'internal') AND p.pronamespace <> 'pg_catalog'::regnamespace)
   OR (l.lanname NOT IN ('c', 'internal')
       AND (p.prosrc ~* ('\m' || ($4::text[])[w.place] || '\M')
            OR pg_catalog.regexp_replace(p.prosrc, '\mRETURN\M\s+(NEW|OLD)\M', '', 'gi')
               ~* '\m(NEW|OLD)\M\s*(\.\s*\*|[^.\s])'
            OR p.prosrc ~* '\mEXECUTE\M')))";

constexpr std::string_view kOtherTriggers = R"(
SELECT DISTINCT w.place, t.tgname
FROM w JOIN pg_catalog.pg_trigger t ON t.tgrelid = w.relation AND NOT t.tgisinternal)";

constexpr std::string_view kAlwaysTriggers = R"(
SELECT DISTINCT w.place, t.tgname
FROM w JOIN pg_catalog.pg_trigger t ON t.tgrelid = w.relation AND NOT t.tgisinternal
 AND t.tgenabled IN ('A', 'R'))";

constexpr std::string_view kFunctions = R"(
SELECT DISTINCT w.place, p.oid::regprocedure::text
FROM w JOIN pg_catalog.pg_class c ON c.oid = w.relation
JOIN pg_catalog.pg_proc p ON p.pronamespace NOT IN ('pg_catalog'::regnamespace,
                                                    'information_schema'::regnamespace)
JOIN pg_catalog.pg_language l ON l.oid = p.prolang AND l.lanname NOT IN ('c', 'internal')
WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t
                  WHERE t.tgfoid = p.oid AND t.tgrelid = w.relation)
  AND (p.prorettype = c.reltype OR c.reltype = ANY (p.proargtypes::oid[])
       OR (p.prosrc ~* ('\m' || ($4::text[])[w.place] || '\M')
           AND p.prosrc ~* ('\m' || ($5::text[])[w.place] || '\M'))
       OR p.prosrc ~* ('\m' || ($5::text[])[w.place] || '\M\s*%\s*ROWTYPE')))";

constexpr std::string_view kPublications = R"(
SELECT DISTINCT w.place, p.pubname
FROM w JOIN pg_catalog.pg_class c ON c.oid = w.relation
JOIN pg_catalog.pg_publication p ON p.puballtables
  OR EXISTS (SELECT FROM pg_catalog.pg_publication_rel r
             WHERE r.prpubid = p.oid AND r.prrelid = w.relation)
  OR EXISTS (SELECT FROM pg_catalog.pg_publication_namespace s
             WHERE s.pnpubid = p.oid AND s.pnnspid = c.relnamespace))";

constexpr std::string_view kPublishedColumns = R"(
SELECT DISTINCT w.place, p.pubname
FROM w JOIN pg_catalog.pg_publication_rel r ON r.prrelid = w.relation
JOIN pg_catalog.pg_publication p ON p.oid = r.prpubid
WHERE r.prattrs::int2[] @> ARRAY[w.attribute]
   OR r.prqual::text ~ ('varattno (0|' || w.attribute || ') '))";

constexpr std::string_view kSubscriptions = R"(
SELECT DISTINCT w.place, s.subname
FROM w JOIN pg_catalog.pg_subscription_rel r ON r.srrelid = w.relation
JOIN pg_catalog.pg_subscription s ON s.oid = r.srsubid)";

constexpr std::string_view kIdentityFull = R"(
SELECT w.place, c.relname
FROM w JOIN pg_catalog.pg_class c ON c.oid = w.relation AND c.relreplident = 'f')";

constexpr std::string_view kStatistics = R"(
SELECT DISTINCT w.place, s.stxname
FROM w JOIN pg_catalog.pg_statistic_ext s ON s.stxrelid = w.relation
WHERE s.stxkeys::int2[] @> ARRAY[w.attribute]
   OR s.stxexprs::text ~ ('varattno (0|' || w.attribute || ') '))";

constexpr Question kQuestions[] = {
    {kViews, "view", Severity::kRefused, "view {} reads it",
     "drop the view, or make it without this column"},
    {kMaterialised, "materialised view", Severity::kRefused,
     "materialised view {} holds copies of it",
     "drop the materialised view, or make it without this column"},
    {kRules, "rule", Severity::kRefused, "rule {} rewrites statements on the table",
     "drop the rule"},
    {kPolicies, "row-level security policy", Severity::kRefused,
     "row-level security policy {} tests it", "let the policy test another column"},
    {kChecks, "check constraint", Severity::kRefused, "CHECK constraint {} tests it",
     "drop the constraint; let the program check"},
    {kPartitionKeys, "partition key", Severity::kRefused, "the partition key of {} has it",
     "partition the table by another column"},
    {kForeign, "foreign key", Severity::kRefused, "foreign key {} uses it",
     "drop the foreign key; a common domain in the policy keeps joins working"},
    {kGenerated, "generated column", Severity::kRefused, "generated column {} is computed from it",
     "drop the generated column"},
    {kSequences, "sequence", Severity::kRefused, "sequence {} belongs to it",
     "a counter needs no protection"},
    {kAtomicFunctions, "function", Severity::kRefused, "function {} reads it",
     "drop or change the function"},
    {kAlwaysTriggers, "trigger", Severity::kRefused,
     "trigger {} fires always, also while values are sealed",
     "ALTER TABLE … ENABLE TRIGGER (without ALWAYS) for the time of sealing"},
    {kFunctions, "function", Severity::kWarning, "function {} may read it",
     "read the function: in the database the column is NULL"},
    {kPublications, "publication", Severity::kWarning,
     "publication {} sends the table to subscribers",
     "subscribers keep the plain values they have; deal with them too"},
    {kPublishedColumns, "publication", Severity::kRefused,
     "publication {} names it in a column list or filter",
     "take the column out of the publication"},
    {kSubscriptions, "subscription", Severity::kWarning,
     "subscription {} writes the table past the gateway",
     "its plain values will be refused by the table, and it will stop: end it first"},
    {kIdentityFull, "replica identity", Severity::kWarning,
     "REPLICA IDENTITY FULL writes whole old rows to WAL ({})", "use a key as replica identity"},
    {kStatistics, "statistics object", Severity::kNote,
     "extended statistics {} keep its values: dropped, and recorded", ""},
};

Result<std::vector<std::pair<std::size_t, std::string>>> ask(PgConnection& database,
                                                             const Places& places,
                                                             const std::vector<Target>& targets,
                                                             std::string_view sql) {
  // Names go into regular expressions: everything but letters and digits escaped.
  const auto escaped = [](std::string_view name) {
    std::string out;
    for (const char c : name) {
      const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' ||
                         static_cast<unsigned char>(c) >= 0x80;
      if (!plain) out += '\\';
      out += c;
    }
    return out;
  };
  std::vector<std::string> columns, tables;
  for (const auto& target : targets) {
    columns.push_back(escaped(target.wanted->column));
    tables.push_back(escaped(target.table_name));
  }
  const auto names = array_text(places.names), c = array_text(columns), t = array_text(tables);
  std::string text(kTargets);
  text += sql;
  std::vector<PgParam> params{PgParam::text(places.relations), PgParam::text(places.attributes),
                              PgParam::text(names)};
  if (sql.find("$4") != std::string_view::npos || sql.find("$5") != std::string_view::npos) {
    params.push_back(PgParam::text(c));
  }
  if (sql.find("$5") != std::string_view::npos) params.push_back(PgParam::text(t));
  THERIAC_ASSIGN(const auto rows, database.query(text, params));
  std::vector<std::pair<std::size_t, std::string>> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    out.emplace_back(number_at<std::size_t>(rows, i, 0) - 1, text_at(rows, i, 1));
  }
  return out;
}

std::string filled(std::string_view what, std::string_view name) {
  std::string out(what);
  const auto at = out.find("{}");
  if (at != std::string::npos) out.replace(at, 2, name);
  return out;
}

Use::Verdict verdict_of(Severity severity) {
  switch (severity) {
    case Severity::kRefused:
      return Use::Verdict::kRefused;
    case Severity::kWarning:
      return Use::Verdict::kLookAtIt;
    default:
      return Use::Verdict::kRemade;
  }
}

/// A finding that is a use as well.
void found_use(Inspection& out, std::string_view kind, std::string_view name,
               const Finding& finding) {
  out.findings.push_back(finding);
  out.uses.push_back({finding.object, std::string(kind), std::string(name),
                      verdict_of(finding.severity), finding.remedy});
}

Status inspect_triggers(PgConnection& database, const Places& places,
                        const std::vector<Target>& targets, Inspection& out) {
  THERIAC_ASSIGN(const auto readers, ask(database, places, targets, kTriggers));
  THERIAC_ASSIGN(const auto all, ask(database, places, targets, kOtherTriggers));
  for (const auto& found : all) {
    const auto& target = targets.at(found.first);
    const auto& accepted = target.wanted->accept_triggers;
    const bool reads = std::find(readers.begin(), readers.end(), found) != readers.end();
    if (std::find(accepted.begin(), accepted.end(), found.second) != accepted.end()) {
      found_use(out, "trigger", found.second,
                {Severity::kNote, target.object(),
                 "trigger " + found.second + " is accepted by the policy", ""});
      out.uses.back().verdict = Use::Verdict::kKept;
    } else if (reads) {
      found_use(out, "trigger", found.second,
                {Severity::kRefused, target.object(),
                 "trigger " + found.second + " may read it: it would see NULL",
                 "change the trigger, or, having read it, name it in accept_triggers"});
    } else {
      found_use(
          out, "trigger", found.second,
          {Severity::kWarning, target.object(), "trigger " + found.second + " fires on the table",
           "its function does not seem to read the column; make sure"});
    }
  }
  return {};
}

/// A constraint's index goes by the constraint's kind.
std::string_view kind_of(const TargetIndex& index) {
  if (index.primary) return "primary key";
  if (index.exclusion) return "exclusion constraint";
  if (!index.constraint.empty()) return "unique constraint";
  return index.unique ? "unique index" : "index";
}

Status inspect_indexes(PgConnection& database, const std::vector<Target>& targets,
                       Inspection& out) {
  for (const auto& target : targets) {
    std::vector<std::int16_t> attributes, searchable;
    for (const auto& other : targets) {
      if (other.relation != target.relation) continue;
      attributes.push_back(other.attribute);
      if (other.wanted->searchable) searchable.push_back(other.attribute);
    }
    THERIAC_ASSIGN(const auto indexes, read_indexes(database, target.relation, {target.attribute}));
    for (const auto& index : indexes) {
      const auto verdict = judge_index(index, attributes, searchable);
      Finding finding{Severity::kNote, target.object(), {}, {}};
      switch (verdict.fate) {
        case IndexFate::kRefused:
          finding = {Severity::kRefused, target.object(), verdict.why, verdict.remedy};
          break;
        case IndexFate::kRebuilt:
          finding.what = "index " + index.name + " will stand on its blind index";
          break;
        case IndexFate::kEmptied:
          finding.what =
              "index " + index.name + " will stand on the erased column, and be of no use";
          break;
      }
      found_use(out, kind_of(index), index.name, finding);
    }
  }
  return {};
}

}  // namespace

std::vector<RefusingQuestion> refusing_questions() {
  std::vector<RefusingQuestion> out;
  for (const auto& question : kQuestions) {
    // What protect drops and records, the gateway refuses: nobody is there to ask.
    if (question.severity != Severity::kRefused && question.sql != kStatistics) continue;
    const bool drops = question.sql == kStatistics;
    out.push_back({std::string(kTargets) + std::string(question.sql),
                   drops ? "extended statistics {} keep its values" : std::string(question.what),
                   drops ? "drop the statistics" : std::string(question.remedy)});
  }
  return out;
}

std::string trigger_question() { return std::string(kTargets) + std::string(kTriggers); }

Status inspect_uses(PgConnection& database, const std::vector<Target>& targets, Inspection& out) {
  if (targets.empty()) return {};
  const Places places(targets);
  for (const auto& question : kQuestions) {
    if (question.sql == kViews || question.sql == kMaterialised)
      continue;  // each judged by itself: views.hpp
    THERIAC_ASSIGN(const auto found, ask(database, places, targets, question.sql));
    for (const auto& [place, name] : found) {
      found_use(out, question.kind, name,
                {question.severity, targets.at(place).object(), filled(question.what, name),
                 std::string(question.remedy)});
    }
  }
  THERIAC_TRY(inspect_triggers(database, places, targets, out));
  return inspect_indexes(database, targets, out);
}

}  // namespace theriac::protect
