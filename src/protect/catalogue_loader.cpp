#include "protect/catalogue_loader.hpp"

#include <charconv>
#include <map>
#include <set>
#include <unordered_map>

#include "protect/registry.hpp"
#include "protect/sql_text.hpp"
#include "protect/view_columns.hpp"

namespace theriac::protect {
namespace {

using rewrite::Catalogue;
using rewrite::Column;
using rewrite::Relation;
using store::PgConnection;
using store::PgParam;
using store::PgResult;
using store::PgTransaction;

}  // namespace

/// Relations by object id while the snapshot is put together.
struct CatalogueReading::Building {
  std::vector<Relation> relations;
  std::unordered_map<std::uint32_t, std::size_t> by_oid;

  Relation* find(std::uint32_t oid) {
    const auto at = by_oid.find(oid);
    return at == by_oid.end() ? nullptr : &relations[at->second];
  }
};

namespace {

using Building = CatalogueReading::Building;

// Other sessions' temporary tables and TOAST are never named by a client.
constexpr std::string_view kRelations = R"(
SELECT c.oid, n.nspname, c.relname, c.relkind, c.relkind = 'p' OR c.relhassubclass,
       (SELECT pg_catalog.string_agg(i.inhparent::oid::text, ' ') FROM pg_catalog.pg_inherits i
        WHERE i.inhrelid = c.oid), c.reltype
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r','p','v','m','f') AND c.relpersistence <> 't'
  AND n.nspname NOT IN ('pg_toast', 'theriac', 'theriac_catalog')
ORDER BY c.oid)";

// Types are named in full, whatever the asker's search_path says, and without a modifier: -1, since
// with NULL bpchar and bit are called character and bit, which as SQL are of length 1.
constexpr std::string_view kColumns = R"(
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
       CASE WHEN t.typnamespace = 'pg_catalog'::regnamespace
            THEN pg_catalog.format_type(a.atttypid, -1)
            ELSE t.typnamespace::regnamespace || '.' || pg_catalog.quote_ident(t.typname) END,
       t.typsubscript = 'pg_catalog.array_subscript_handler'::regproc,
       a.attgenerated <> ''
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r','p','v','m','f')
  AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_toast', 'theriac', 'theriac_catalog')
ORDER BY a.attrelid, a.attnum)";

// Unique, not null, on plain columns, checked at once: what may stand for a row.
constexpr std::string_view kKeys = R"(
SELECT i.indrelid, k.attributes
FROM pg_catalog.pg_index i
CROSS JOIN LATERAL (
  SELECT pg_catalog.string_agg(u.attnum::text, ' ' ORDER BY u.place) AS attributes,
         pg_catalog.bool_and(u.attnum > 0 AND a.attnotnull) AS usable
  FROM pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS u(attnum, place)
  LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.attnum
  WHERE u.place <= i.indnkeyatts) k
WHERE i.indisunique AND i.indisvalid AND i.indimmediate AND i.indpred IS NULL
  AND i.indexprs IS NULL AND k.usable
ORDER BY i.indrelid, i.indexrelid)";

// Views that read a protected column or a helper, and views over those. A whole-row reference
// leaves no trace in pg_depend, so the rule's tree is asked for one (varattno 0).
constexpr std::string_view kReaders = R"(
WITH RECURSIVE watched AS (
  SELECT * FROM unnest('{RELATIONS}'::oid[], '{ATTRIBUTES}'::int4[]) AS w(relation, attribute)
), readers AS (
  SELECT r.ev_class AS oid
  FROM pg_catalog.pg_rewrite r
  JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid
   AND d.refclassid = 'pg_catalog.pg_class'::regclass
  JOIN watched w ON w.relation = d.refobjid
  WHERE r.ev_class <> d.refobjid
    AND (d.refobjsubid = w.attribute OR r.ev_action::text LIKE '%:varattno 0 %')
  UNION
  SELECT r.ev_class
  FROM readers b
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_catalog.pg_class'::regclass
   AND d.refobjid = b.oid AND d.classid = 'pg_catalog.pg_rewrite'::regclass
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid
  WHERE r.ev_class <> b.oid)
SELECT oid FROM readers)";

// The functions that adopt new columns are of a registry that is new enough.
constexpr std::string_view kRegistry =
    "SELECT pg_catalog.to_regclass('theriac.columns') IS NOT NULL, "
    "pg_catalog.to_regprocedure('theriac.settle(text,bytea)') IS NOT NULL, "
    "pg_catalog.to_regclass('theriac.view_columns') IS NOT NULL";

// Names only: what stands under them is for the server to resolve.
constexpr std::string_view kOverlay = R"(
SELECT c.relname, false FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname = 'theriac_catalog' AND c.relkind = 'v'
UNION ALL
SELECT DISTINCT p.proname, true FROM pg_catalog.pg_proc p
JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'theriac_catalog' AND p.proname NOT LIKE 'theriac\_%')";

rewrite::Overlay overlay_from(const Rows& rows) {
  constexpr std::string_view kWithSystemColumns = "theriac_system_";
  rewrite::Overlay out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    auto name = text_at(rows, i, 0);
    if (rows.value(i, 1) == "t") {
      out.functions.insert(std::move(name));
    } else if (name.starts_with(kWithSystemColumns)) {
      out.with_system_columns.insert(name.substr(kWithSystemColumns.size()));
    } else if (!name.starts_with("theriac_")) {
      out.relations.insert(std::move(name));
    }
  }
  return out;
}

void take_relations(const Rows& relations, Building& out) {
  out.relations.reserve(relations.rows());
  out.by_oid.reserve(relations.rows());
  for (std::size_t i = 0; i < relations.rows(); ++i) {
    Relation relation;
    relation.oid = number_at<std::uint32_t>(relations, i, 0);
    relation.schema = text_at(relations, i, 1);
    relation.name = text_at(relations, i, 2);
    relation.kind = relations.value(i, 3).value_or("r").front();
    relation.has_members = relations.value(i, 4) == "t";
    const auto parents = relations.value(i, 5).value_or("");
    for (const char *at = parents.data(), *end = at + parents.size(); at < end;) {
      std::uint32_t parent = 0;
      at = std::from_chars(at, end, parent).ptr + 1;
      relation.parents.push_back(parent);
    }
    relation.row_type = number_at<std::uint32_t>(relations, i, 6);
    out.by_oid.emplace(relation.oid, out.relations.size());
    out.relations.push_back(std::move(relation));
  }
}

void take_attributes(const Rows& columns, Building& out) {
  Relation* current = nullptr;
  for (std::size_t i = 0; i < columns.rows(); ++i) {
    const auto oid = number_at<std::uint32_t>(columns, i, 0);
    if (current == nullptr || current->oid != oid) current = out.find(oid);
    if (current == nullptr) continue;
    Column column;
    column.attribute = number_at<std::int16_t>(columns, i, 1);
    column.name = text_at(columns, i, 2);
    column.type = {number_at<std::uint32_t>(columns, i, 3), number_at<std::int32_t>(columns, i, 4)};
    column.type_name = text_at(columns, i, 5);
    column.is_array = columns.value(i, 6) == "t";
    column.generated = columns.value(i, 7) == "t";
    current->columns.push_back(std::move(column));
  }
}

Column* column_of(Relation& relation, std::string_view name) {
  for (auto& column : relation.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

Column* column_of(Relation& relation, std::int16_t attribute) {
  for (auto& column : relation.columns) {
    if (column.attribute == attribute) return &column;
  }
  return nullptr;
}

/// Renames do not change what the policy means: it goes by the name the column was protected by,
/// or by today's where the policy was changed after a rename.
const policy::ProtectedColumn* wanted_of(const RegisteredColumn& entry,
                                         const policy::Policy& policy) {
  const auto* wanted =
      policy.find(entry.registered_schema, entry.registered_table, entry.registered_as);
  if (wanted == nullptr && !entry.root_table.empty()) {
    wanted = policy.find(entry.root_schema, entry.root_table, entry.column);
  }
  return wanted != nullptr ? wanted : policy.find(entry.schema, entry.table, entry.column);
}

Status agree_with_policy(const RegisteredColumn& entry, const policy::Policy& policy) {
  const auto* wanted = wanted_of(entry, policy);
  const auto at = entry.qualified();
  if (wanted == nullptr) return fail(Code::kPolicyInvalid, at + " is protected, not in the policy");
  if (wanted->class_name != entry.class_name) return fail(Code::kPolicyInvalid, at + ": class");
  const auto& of_class = policy.classes.at(wanted->class_name);
  if (static_cast<int>(of_class.suite) != entry.suite) {
    return fail(Code::kPolicyInvalid, at + ": suite of its class");
  }
  if (of_class.bind_rows && !entry.bound) {
    return fail(Code::kPolicyInvalid, at + ": bind_rows of its class");
  }
  if (wanted->searchable != entry.searchable) {
    return fail(Code::kPolicyInvalid, at + ": searchable");
  }
  if (entry.searchable && wanted->domain != entry.domain) {
    return fail(Code::kPolicyInvalid, at + ": domain");
  }
  if (entry.searches != searches_of(*wanted)) return fail(Code::kPolicyInvalid, at + ": search");
  return {};
}

/// Marks one registered column in its relation; the physical form must be whole.
Status mark(const RegisteredColumn& entry, const policy::Policy& policy, Building& building) {
  auto* relation = building.find(entry.relation);
  if (relation == nullptr || entry.state != kStateSealed || entry.attribute == 0) {
    return fail(Code::kNotProtected, entry.schema + "." + entry.table);
  }
  auto* plain = column_of(*relation, entry.attribute);
  auto* sealed = column_of(*relation, entry.sealed_name());
  auto* index = column_of(*relation, entry.index_name());
  auto* row = column_of(*relation, std::string_view("theriac_row"));
  if (plain == nullptr || sealed == nullptr || (entry.searchable && index == nullptr) ||
      (entry.bound && row == nullptr)) {
    return fail(Code::kNotProtected, entry.qualified());
  }
  if (!entry.type_unchanged || sealed->type.oid != pgwire::kOidBytea) {
    return fail(Code::kNotProtected, entry.qualified() + ": type");
  }
  rewrite::Protection protection;
  protection.number = entry.number;
  protection.field = entry.field;
  protection.class_name = entry.class_name;
  if (const auto* wanted = wanted_of(entry, policy)) protection.policy_name = wanted->name();
  protection.searchable = entry.searchable;
  protection.domain = entry.domain;
  protection.sealed_attribute = sealed->attribute;
  protection.not_null = entry.not_null;
  protection.default_stored = entry.default_stored;
  sealed->helper = true;
  if (entry.searchable) {
    protection.index_attribute = index->attribute;
    index->helper = true;
  }
  for (const auto& search : entry.searches) {
    auto* helper = column_of(*relation, entry.index_name(search));
    if (helper == nullptr || helper->type.oid != pgwire::kOidBytea) {
      return fail(Code::kNotProtected, entry.qualified() + ": search " + search.name);
    }
    if (search.expression.needs_case() && entry.case_map == nullptr) {
      return fail(Code::kUnsupported,
                  entry.qualified() + ": lower() and upper() differ between server and here");
    }
    helper->helper = true;
    protection.expressions.push_back(
        {search.name, search.expression, search.domain, helper->attribute});
  }
  protection.case_map = entry.case_map;
  if (entry.bound) row->helper = true;
  relation->bound = entry.bound;
  plain->type = entry.type;
  plain->protection = std::move(protection);
  return {};
}

void take_keys(const Rows& keys, Building& building) {
  for (std::size_t i = 0; i < keys.rows(); ++i) {
    auto* relation = building.find(number_at<std::uint32_t>(keys, i, 0));
    if (relation == nullptr) continue;
    std::vector<std::int16_t> attributes;
    bool ours = false;
    const auto list = keys.value(i, 1).value_or("");
    for (const char *at = list.data(), *end = at + list.size(); at < end;) {
      std::int16_t attribute = 0;
      at = std::from_chars(at, end, attribute).ptr + 1;
      const auto* column = column_of(*relation, attribute);
      ours = ours || column == nullptr || column->helper || column->protection.has_value();
      attributes.push_back(attribute);
    }
    if (!ours && !attributes.empty()) relation->keys.push_back(std::move(attributes));
  }
}

/// The question for views; empty if nothing is protected.
std::string readers_sql(const Building& building) {
  std::string relations, attributes;
  for (const auto& relation : building.relations) {
    for (const auto& column : relation.columns) {
      if (!column.helper && !column.protection) continue;
      const char* comma = relations.empty() ? "" : ",";
      relations += comma + std::to_string(relation.oid);
      attributes += comma + std::to_string(column.attribute);
    }
  }
  if (relations.empty()) return {};
  std::string sql(kReaders);
  sql.replace(sql.find("RELATIONS"), 9, relations);
  return sql.replace(sql.find("ATTRIBUTES"), 10, attributes);
}

/// The policy's columns that do not exist; one that exists unprotected is an error.
Result<std::vector<rewrite::Awaited>> awaited_of(const policy::Policy& policy,
                                                 const Building& building) {
  std::vector<rewrite::Awaited> out;
  std::unordered_map<std::string, const Relation*> by_name;
  for (const auto& relation : building.relations) {
    by_name.emplace(relation.schema + '\0' + relation.name, &relation);
  }
  for (const auto& wanted : policy.columns) {
    const auto at = by_name.find(wanted.schema + '\0' + wanted.table);
    const auto* column = at == by_name.end() ? nullptr : at->second->find(wanted.column);
    if (column == nullptr || at->second->kind == 'v') {
      out.push_back({wanted.schema, wanted.table, wanted.column});
    } else if (!column->protection) {
      return fail(Code::kPolicyInvalid,
                  wanted.schema + "." + wanted.table + "." + wanted.column + " is not protected");
    }
  }
  return out;
}

}  // namespace

CatalogueReading::CatalogueReading(const policy::Policy& policy, std::uint64_t epoch,
                                   std::string registry_sql)
    : policy_(policy),
      epoch_(epoch),
      registry_sql_(std::move(registry_sql)),
      building_(std::make_unique<Building>()) {}

CatalogueReading::~CatalogueReading() = default;

std::optional<std::string> CatalogueReading::next() {
  switch (step_) {
    case Step::kRegistry:
      return std::string(kRegistry);
    case Step::kColumns:
      if (has_registry_) return registry_sql_;
      step_ = Step::kRelations;
      return std::string(kRelations);
    case Step::kTypes:
      return std::string(TypeTable::sql());
    case Step::kCase:
      if (auto sql = case_proof_.next()) return sql;
      if (auto added = add_types_of_columns(); !added) failed_ = added.error();
      step_ = Step::kRelations;
      [[fallthrough]];
    case Step::kRelations:
      return std::string(kRelations);
    case Step::kAttributes:
      return std::string(kColumns);
    case Step::kKeys:
      return std::string(kKeys);
    case Step::kReaders:
      if (auto sql = readers_sql(*building_); !sql.empty()) return sql;
      step_ = Step::kViews;
      [[fallthrough]];
    case Step::kViews:
      if (auto sql = view_sources_sql(building_->relations); !sql.empty()) return sql;
      step_ = Step::kOverlay;
      [[fallthrough]];
    case Step::kOverlay:
      return std::string(kOverlay);
    case Step::kEnd:
      break;
  }
  return std::nullopt;
}

Status CatalogueReading::take(const Rows& rows) {
  switch (step_) {
    case Step::kRegistry:
      has_registry_ = rows.rows() == 1 && rows.value(0, 0) == "t";
      adopts_ = rows.rows() == 1 && rows.value(0, 1) == "t";
      if (registry_sql_.empty()) registry_sql_ = registered_columns_sql(rows.value(0, 2) == "t");
      step_ = Step::kColumns;
      return {};
    case Step::kColumns: {
      step_ = Step::kTypes;
      THERIAC_ASSIGN(registered_, columns_from(rows));
      return {};
    }
    case Step::kTypes: {
      THERIAC_ASSIGN(types_, TypeTable::from(rows));
      step_ = needs_case_map(registered_, *types_) ? Step::kCase : Step::kRelations;
      return step_ == Step::kCase ? Status{} : add_types(registered_, *types_, nullptr);
    }
    case Step::kCase:
      return case_proof_.take(rows);
    case Step::kRelations:
      step_ = Step::kAttributes;
      take_relations(rows, *building_);
      return {};
    case Step::kAttributes:
      step_ = Step::kKeys;
      take_attributes(rows, *building_);
      return mark_registered();
    case Step::kKeys:
      step_ = Step::kReaders;
      take_keys(rows, *building_);
      return {};
    case Step::kOverlay:
      step_ = Step::kEnd;
      overlay_ = overlay_from(rows);
      return {};
    case Step::kViews:
      step_ = Step::kOverlay;
      give_view_keys(rows, building_->relations);
      return {};
    case Step::kReaders:
      step_ = Step::kViews;
      for (std::size_t i = 0; i < rows.rows(); ++i) {
        if (auto* view = building_->find(number_at<std::uint32_t>(rows, i, 0))) {
          view->reads_protected = !view->recreated;
        }
      }
      return {};
    case Step::kEnd:
      break;
  }
  return fail(Code::kInternal, "an answer nobody asked for");
}

Status CatalogueReading::add_types_of_columns() {
  const auto map = case_proof_.finish();
  return add_types(registered_, *types_, map ? *map : nullptr);
}

Status CatalogueReading::mark_registered() {
  if (failed_) return fail(*failed_);
  for (const auto& entry : registered_) {
    // Dropped: what was in it is gone, and nothing is left to protect.
    if (entry.relation == 0 && entry.state == kStateSealed) continue;
    if (in_work_ && (entry.state != kStateSealed || entry.attribute == 0)) continue;
    THERIAC_TRY(mark(entry, policy_, *building_));
    if (!in_work_) THERIAC_TRY(agree_with_policy(entry, policy_));
  }
  mark_views();
  return {};
}

void CatalogueReading::mark_views() {
  using Key = std::pair<std::uint32_t, std::int16_t>;
  struct Found {
    rewrite::ViewForm::Helped helped;
    std::map<int, std::pair<const RegisteredColumn*, bool>> by_rank;
  };
  std::map<Key, Found> found;
  for (const auto& entry : registered_) {
    for (const auto& use : entry.views) {
      auto& at = found[{use.view, use.attribute}];
      if (use.attribute == 0 && use.rank > 0) {
        if (auto* view = building_->find(use.view)) {
          view->compared.emplace_back(entry.relation, entry.attribute);
        }
        continue;
      }
      at.by_rank[use.rank] = {&entry, use.with_row};
      at.helped.attribute = use.attribute;
      at.helped.searchable = use.searchable;
      at.helped.searches = use.searches;
    }
  }
  // A view whose form is damaged is one that reads protected columns, and no more.
  std::set<std::uint32_t> damaged;
  for (auto& [key, one] : found) {
    auto* view = building_->find(key.first);
    if (view == nullptr || !view->is_view()) continue;
    view->recreated = true;
    if (key.second == 0) continue;
    const rewrite::Column* first = nullptr;
    for (const auto& [rank, origin] : one.by_rank) {
      const auto& [entry, with_row] = origin;
      const auto* table = building_->find(entry->relation);
      const auto* column = table == nullptr ? nullptr : table->find_attribute(entry->attribute);
      if (rank == 0) first = column;
      if (column != nullptr) {
        one.helped.origins.push_back({entry->relation, entry->attribute, with_row});
      }
    }
    const bool whole = first != nullptr && one.helped.origins.size() == one.by_rank.size() &&
                       protect_view_column(*view, one.helped, *first);
    if (!whole) damaged.insert(key.first);
  }
  for (const auto oid : damaged) {
    auto* view = building_->find(oid);
    view->recreated = false;
    for (auto& column : view->columns) column.protection.reset();
  }
}

Result<std::shared_ptr<const Catalogue>> CatalogueReading::finish() {
  std::vector<rewrite::Awaited> awaited;
  if (!in_work_) {
    THERIAC_ASSIGN(awaited, awaited_of(policy_, *building_));
  }
  return std::make_shared<const Catalogue>(epoch_, std::move(building_->relations),
                                           std::move(awaited), adopts_, std::move(overlay_));
}

Result<std::shared_ptr<const Catalogue>> load_catalogue(PgConnection& database,
                                                        const policy::Policy& policy,
                                                        std::uint64_t epoch) {
  THERIAC_ASSIGN(auto transaction,
                 PgTransaction::begin(database, "ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  CatalogueReading reading(policy, epoch, {});
  while (const auto question = reading.next()) {
    THERIAC_ASSIGN(const auto answer, database.query(*question));
    THERIAC_TRY(reading.take(Rows::of(answer)));
  }
  THERIAC_TRY(transaction.commit());
  return reading.finish();
}

Result<std::shared_ptr<const Catalogue>> catalogue_in_work(PgConnection& database) {
  const policy::Policy policy;
  CatalogueReading reading(policy, 0, {});
  reading.in_work();
  while (const auto question = reading.next()) {
    THERIAC_ASSIGN(const auto answer, database.query(*question));
    THERIAC_TRY(reading.take(Rows::of(answer)));
  }
  return reading.finish();
}

Result<std::uint64_t> schema_fingerprint(PgConnection& database) {
  // xmin changes with every version of a catalogue row, and the set of them with every change that
  // was committed, in whatever order transactions ended. Everything a snapshot holds counts, not
  // only protected tables: `*` over a join is expanded from it. pg_class goes by what is used of
  // it, since TRUNCATE and VACUUM FULL make new versions as well. Kinds of facts are told apart by
  // numbers that no column has: two equal facts would cancel each other.
  constexpr std::string_view kFingerprint = R"(
WITH relations AS MATERIALIZED (
  SELECT c.oid, c.relname, c.relnamespace, c.relkind FROM pg_catalog.pg_class c
  WHERE c.oid >= 16384 AND c.relkind IN ('r','p','v','m','f') AND c.relpersistence <> 't')
SELECT coalesce(pg_catalog.bit_xor(fact), 0) FROM (
  SELECT pg_catalog.hashtextextended(r.relname || ' ' || r.relnamespace || r.relkind::text, r.oid::int8)
         AS fact FROM relations r
  UNION ALL SELECT pg_catalog.hashint8extended(
              a.attnum, (a.attrelid::int8 << 32) | a.xmin::text::int8)
            FROM pg_catalog.pg_attribute a JOIN relations r ON a.attrelid = r.oid
            WHERE a.attnum > 0
  UNION ALL SELECT pg_catalog.hashint8extended(10001, (i.indexrelid::int8 << 32) | i.xmin::text::int8)
            FROM pg_catalog.pg_index i JOIN relations r ON i.indrelid = r.oid WHERE i.indisunique
  UNION ALL SELECT pg_catalog.hashint8extended(10002, (w.oid::int8 << 32) | w.xmin::text::int8)
            FROM pg_catalog.pg_rewrite w JOIN relations r ON w.ev_class = r.oid
  UNION ALL SELECT pg_catalog.hashint8extended(10003, (k.oid::int8 << 32) | k.xmin::text::int8)
            FROM pg_catalog.pg_constraint k
            WHERE k.conrelid IN (SELECT relation::oid FROM theriac.tables)
  UNION ALL SELECT pg_catalog.hashint8extended(10006, (e.oid::int8 << 32) | e.xmin::text::int8)
            FROM pg_catalog.pg_enum e
  UNION ALL SELECT pg_catalog.hashint8extended(10007, (t.oid::int8 << 32) | t.xmin::text::int8)
            FROM pg_catalog.pg_type t WHERE t.typtype = 'd' AND t.oid >= 16384
  UNION ALL SELECT pg_catalog.hashint8extended(10008, (k.oid::int8 << 32) | k.xmin::text::int8)
            FROM pg_catalog.pg_constraint k WHERE k.contypid <> 0 AND k.oid >= 16384
  UNION ALL SELECT pg_catalog.hashint8extended(10004, (relation::oid::int8 << 32) | xmin::text::int8)
            FROM theriac.tables
  UNION ALL SELECT pg_catalog.hashint8extended(10005, (number::int8 << 32) | xmin::text::int8)
            FROM theriac.columns) AS facts)";
  const auto answer = database.query(kFingerprint);
  if (!answer) {
    const auto& state = database.last_sqlstate();
    if (state == "42P01" || state == "3F000") return 0;  // no registry yet
    return fail(answer.error());
  }
  return static_cast<std::uint64_t>(number_at<std::int64_t>(*answer, 0, 0));
}

}  // namespace theriac::protect
