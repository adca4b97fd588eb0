#include "protect/catalogue_loader.hpp"

#include <charconv>
#include <unordered_map>

#include "protect/registry.hpp"
#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using rewrite::Catalogue;
using rewrite::Column;
using rewrite::Relation;
using store::PgConnection;
using store::PgParam;
using store::PgResult;
using store::PgTransaction;

/// Relations by object id while the snapshot is put together.
struct Building {
  std::vector<Relation> relations;
  std::unordered_map<std::uint32_t, std::size_t> by_oid;

  Relation* find(std::uint32_t oid) {
    const auto at = by_oid.find(oid);
    return at == by_oid.end() ? nullptr : &relations[at->second];
  }
};

// Other sessions' temporary tables and TOAST are never named by a client.
constexpr std::string_view kRelations = R"(
SELECT c.oid, n.nspname, c.relname, c.relkind
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE c.relkind IN ('r','p','v','m','f') AND c.relpersistence <> 't'
  AND n.nspname <> 'pg_toast' AND n.nspname <> 'theriac'
ORDER BY c.oid)";

constexpr std::string_view kColumns = R"(
SELECT a.attrelid, a.attnum, a.attname, a.atttypid, a.atttypmod,
       pg_catalog.format_type(a.atttypid, NULL), t.typsubscript = 'pg_catalog.array_subscript_handler'::regproc
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r','p','v','m','f')
  AND c.relpersistence <> 't' AND n.nspname <> 'pg_toast' AND n.nspname <> 'theriac'
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
  SELECT * FROM unnest($1::oid[], $2::int4[]) AS w(relation, attribute)
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

Status load_relations(PgConnection& database, Building& out) {
  THERIAC_ASSIGN(const auto relations, database.query(kRelations));
  out.relations.reserve(relations.rows());
  out.by_oid.reserve(relations.rows());
  for (std::size_t i = 0; i < relations.rows(); ++i) {
    Relation relation;
    relation.oid = number_at<std::uint32_t>(relations, i, 0);
    relation.schema = text_at(relations, i, 1);
    relation.name = text_at(relations, i, 2);
    relation.kind = relations.value(i, 3).value_or("r").front();
    out.by_oid.emplace(relation.oid, out.relations.size());
    out.relations.push_back(std::move(relation));
  }
  THERIAC_ASSIGN(const auto columns, database.query(kColumns));
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
    current->columns.push_back(std::move(column));
  }
  return {};
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

Status agree_with_policy(const RegisteredColumn& entry, const policy::Policy& policy) {
  const auto* wanted = policy.find(entry.schema, entry.table, entry.column);
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
  return {};
}

/// Marks one registered column in its relation; the physical form must be whole.
Status mark(const RegisteredColumn& entry, Building& building) {
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
  if (plain->type.oid != entry.type_oid || plain->type.modifier != entry.modifier ||
      sealed->type.oid != pgwire::kOidBytea) {
    return fail(Code::kNotProtected, entry.qualified() + ": type");
  }
  rewrite::Protection protection;
  protection.number = entry.number;
  protection.field = entry.field;
  protection.class_name = entry.class_name;
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
  if (entry.bound) row->helper = true;
  relation->bound = entry.bound;
  plain->protection = std::move(protection);
  return {};
}

Status load_protection(PgConnection& database, const policy::Policy& policy, Building& building) {
  THERIAC_ASSIGN(const auto entries, registered_columns(database));
  for (const auto& entry : entries) {
    THERIAC_TRY(mark(entry, building));
    THERIAC_TRY(agree_with_policy(entry, policy));
  }
  for (const auto& wanted : policy.columns) {
    const auto there = std::any_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return entry.schema == wanted.schema && entry.table == wanted.table &&
             entry.column == wanted.column;
    });
    if (!there) {
      return fail(Code::kPolicyInvalid,
                  wanted.schema + "." + wanted.table + "." + wanted.column + " is not protected");
    }
  }
  return {};
}

Status load_keys(PgConnection& database, Building& building) {
  THERIAC_ASSIGN(const auto keys, database.query(kKeys));
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
  return {};
}

Status load_readers(PgConnection& database, Building& building) {
  std::string relations = "{", attributes = "{";
  for (const auto& relation : building.relations) {
    for (const auto& column : relation.columns) {
      if (!column.helper && !column.protection) continue;
      const char* comma = relations.size() > 1 ? "," : "";
      relations += comma + std::to_string(relation.oid);
      attributes += comma + std::to_string(column.attribute);
    }
  }
  if (relations.size() == 1) return {};
  relations += '}';
  attributes += '}';
  THERIAC_ASSIGN(const auto readers,
                 database.query(kReaders, {PgParam::text(relations), PgParam::text(attributes)}));
  for (std::size_t i = 0; i < readers.rows(); ++i) {
    if (auto* view = building.find(number_at<std::uint32_t>(readers, i, 0))) {
      view->reads_protected = true;
    }
  }
  return {};
}

}  // namespace

Result<std::shared_ptr<const Catalogue>> load_catalogue(PgConnection& database,
                                                        const policy::Policy& policy,
                                                        std::uint64_t epoch) {
  THERIAC_ASSIGN(auto transaction,
                 PgTransaction::begin(database, "ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  // So that types of other schemas are named with them.
  THERIAC_TRY(database.exec("SET LOCAL search_path = pg_catalog"));
  Building building;
  THERIAC_TRY(load_relations(database, building));
  THERIAC_TRY(load_protection(database, policy, building));
  THERIAC_TRY(load_keys(database, building));
  THERIAC_TRY(load_readers(database, building));
  THERIAC_TRY(transaction.commit());
  return std::make_shared<const Catalogue>(epoch, std::move(building.relations));
}

Result<std::uint64_t> schema_fingerprint(PgConnection& database) {
  // xmin changes with every version of a catalogue row, and the set of them with every change that
  // was committed, in whatever order transactions ended. Everything a snapshot holds counts, not
  // only protected tables: `*` over a join is expanded from it. pg_class goes by what is used of
  // it, since TRUNCATE and VACUUM FULL make new versions as well.
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
  UNION ALL SELECT pg_catalog.hashint8extended(1, (i.indexrelid::int8 << 32) | i.xmin::text::int8)
            FROM pg_catalog.pg_index i JOIN relations r ON i.indrelid = r.oid WHERE i.indisunique
  UNION ALL SELECT pg_catalog.hashint8extended(2, (w.oid::int8 << 32) | w.xmin::text::int8)
            FROM pg_catalog.pg_rewrite w JOIN relations r ON w.ev_class = r.oid
  UNION ALL SELECT pg_catalog.hashint8extended(3, (k.oid::int8 << 32) | k.xmin::text::int8)
            FROM pg_catalog.pg_constraint k
            WHERE k.conrelid IN (SELECT relation::oid FROM theriac.tables)
  UNION ALL SELECT pg_catalog.hashint8extended(4, (relation::oid::int8 << 32) | xmin::text::int8)
            FROM theriac.tables
  UNION ALL SELECT pg_catalog.hashint8extended(5, (number::int8 << 32) | xmin::text::int8)
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
