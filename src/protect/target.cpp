#include "protect/target.hpp"

#include <algorithm>
#include <cctype>

#include "protect/sql_text.hpp"
#include "protect/tree.hpp"

namespace theriac::protect {
namespace {

using store::PgParam;

constexpr std::string_view kTargets = R"(
SELECT w.place, coalesce(c.oid, 0), coalesce(a.attnum, 0), c.relkind,
       (SELECT count(*) FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid),
       c.relpersistence = 't',
       c.relkind = 'p' OR (SELECT m.amname = 'heap' FROM pg_catalog.pg_am m WHERE m.oid = c.relam),
       c.relrowsecurity,
       EXISTS (SELECT FROM pg_catalog.pg_attribute u
               JOIN pg_catalog.pg_type y ON y.oid = u.atttypid
               LEFT JOIN pg_catalog.pg_type e ON e.oid = y.typelem
               WHERE c.reltype IN (y.oid, y.typelem, y.typbasetype) AND NOT u.attisdropped
                 AND EXISTS (SELECT FROM pg_catalog.pg_class h WHERE h.oid = u.attrelid
                             AND h.relkind IN ('r', 'p', 'm'))),
       pg_catalog.format_type(a.atttypid, a.atttypmod), a.atttypid, a.atttypmod,
       coalesce(o.collisdeterministic, true), a.attnotnull, a.attidentity <> '',
       a.attgenerated <> '', pg_catalog.pg_get_expr(d.adbin, d.adrelid), coalesce(a.attcollation, 0),
       a.attinhcount > 0
FROM unnest($1::text[], $2::text[], $3::text[]) WITH ORDINALITY
  AS w(schema_name, table_name, column_name, place)
LEFT JOIN pg_catalog.pg_namespace n ON n.nspname = w.schema_name
LEFT JOIN pg_catalog.pg_class c ON c.relnamespace = n.oid AND c.relname = w.table_name
  AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attname = w.column_name
  AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_catalog.pg_collation o ON o.oid = a.attcollation
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
ORDER BY w.place)";

// Where a column stands inside an expression or a predicate only the tree can tell; varattno 0 is
// the whole row.
constexpr std::string_view kIndexes = R"(
SELECT i.indexrelid, x.relname, pg_catalog.pg_get_indexdef(i.indexrelid), i.indkey::text,
       i.indnkeyatts, i.indisunique, i.indisprimary, i.indisexclusion, i.indisreplident,
       i.indisclustered, e.attributes, k.conname, pg_catalog.pg_get_constraintdef(k.oid),
       k.condeferrable, k.condeferred, pg_catalog.obj_description(i.indexrelid, 'pg_class'),
       pg_catalog.obj_description(k.oid, 'pg_constraint'),
       (SELECT pg_catalog.json_agg(pg_catalog.json_build_object('class_schema', n.nspname,
                 'class_name', o.opcname) ORDER BY u.place)
        FROM pg_catalog.unnest(i.indclass::oid[]) WITH ORDINALITY AS u(class, place)
        JOIN pg_catalog.pg_opclass o ON o.oid = u.class
        JOIN pg_catalog.pg_namespace n ON n.oid = o.opcnamespace), x.relkind = 'I',
       (SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(p.relname)
        FROM pg_catalog.pg_inherits h JOIN pg_catalog.pg_class p ON p.oid = h.inhparent
        JOIN pg_catalog.pg_namespace n ON n.oid = p.relnamespace WHERE h.inhrelid = i.indexrelid)
FROM pg_catalog.pg_index i
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid
LEFT JOIN pg_catalog.pg_constraint k ON k.conindid = i.indexrelid AND k.conrelid = i.indrelid
  AND k.contype IN ('p', 'u', 'x')
CROSS JOIN LATERAL (
  SELECT pg_catalog.string_agg(t.attribute::text, ' ') AS attributes
  FROM pg_catalog.unnest($2::int2[]) AS t(attribute)
  WHERE coalesce(i.indexprs::text, '') || coalesce(i.indpred::text, '')
        ~ ('varattno (0|' || t.attribute || ') ')) e
WHERE i.indrelid = $1::oid
  AND (i.indkey::int2[] && $2::int2[] OR e.attributes IS NOT NULL)
ORDER BY x.relname)";

std::vector<std::int16_t> numbers(std::string_view list) {
  std::vector<std::int16_t> out;
  const char* end = list.data() + list.size();
  for (const char* at = list.data(); at < end;) {
    std::int16_t value = 0;
    at = std::from_chars(at, end, value).ptr + 1;
    out.push_back(value);
  }
  return out;
}

bool contains(const std::vector<std::int16_t>& list, std::int16_t value) {
  return std::find(list.begin(), list.end(), value) != list.end();
}

/// A column of the policy in one table.
struct Asked {
  const policy::ProtectedColumn* wanted = nullptr;
  std::string schema, table;
};

Result<std::vector<Target>> read_asked(store::PgConnection& database,
                                       const std::vector<Asked>& asked) {
  std::vector<std::string> schemas, tables, names;
  for (const auto& one : asked) {
    schemas.push_back(one.schema);
    tables.push_back(one.table);
    names.push_back(one.wanted->column);
  }
  const auto s = array_text(schemas), t = array_text(tables), c = array_text(names);
  THERIAC_ASSIGN(const auto rows,
                 database.query(kTargets, {PgParam::text(s), PgParam::text(t), PgParam::text(c)}));
  std::vector<Target> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto yes = [&](std::size_t column) { return rows.value(i, column) == "t"; };
    Target target;
    const auto& one = asked.at(number_at<std::size_t>(rows, i, 0) - 1);
    target.wanted = one.wanted;
    target.schema = one.schema;
    target.table_name = one.table;
    target.relation = number_at<std::uint32_t>(rows, i, 1);
    target.attribute = number_at<std::int16_t>(rows, i, 2);
    target.kind = rows.value(i, 3).value_or("r").front();
    target.parents = number_at<int>(rows, i, 4);
    target.temporary = yes(5);
    target.heap = yes(6);
    target.row_security = yes(7);
    target.row_type_used = yes(8);
    target.type_text = text_at(rows, i, 9);
    target.type_oid = number_at<std::uint32_t>(rows, i, 10);
    target.modifier = number_at<std::int32_t>(rows, i, 11);
    target.deterministic = yes(12);
    target.not_null = yes(13);
    target.identity = yes(14);
    target.generated = yes(15);
    if (const auto text = rows.value(i, 16)) target.default_text = std::string(*text);
    target.collation = number_at<std::uint32_t>(rows, i, 17);
    target.inherited = yes(18);
    out.push_back(std::move(target));
  }
  std::vector<DeclaredType> declared;
  for (const auto& target : out) declared.push_back({target.type_oid, target.modifier});
  THERIAC_ASSIGN(auto loaded, load_types(database, declared));
  for (std::size_t i = 0; i < out.size(); ++i) out[i].loaded = std::move(loaded[i]);
  return out;
}

}  // namespace

Result<std::vector<Target>> read_targets(store::PgConnection& database,
                                         const std::vector<policy::ProtectedColumn>& columns) {
  std::vector<Asked> asked;
  for (const auto& column : columns) asked.push_back({&column, column.schema, column.table});
  return read_asked(database, asked);
}

Result<std::vector<Target>> read_members(store::PgConnection& database, const Target& root) {
  THERIAC_ASSIGN(const auto parts, read_parts(database, {root.relation}));
  std::vector<Asked> asked;
  for (const auto& part : parts) {
    if (part.relation != root.relation) asked.push_back({root.wanted, part.schema, part.table});
  }
  if (asked.empty()) return std::vector<Target>{};
  return read_asked(database, asked);
}

bool is_constant_default(std::string_view expression) {
  // 'text'::type, E'a\\b'::type, -1, (0)::numeric, NULL::type: as pg_get_expr() prints constants.
  // 'now'::date was made a constant when the default was declared; ('now'::text)::date is none, and
  // has two casts.
  std::size_t at = 0;
  const auto take = [&](char c) {
    if (at >= expression.size() || expression[at] != c) return false;
    ++at;
    return true;
  };
  const bool open = take('(');
  const bool escaped = expression.substr(at).starts_with("E'");
  if (escaped) ++at;
  if (take('\'')) {
    for (;; ++at) {
      if (at >= expression.size()) return false;
      if (escaped && expression[at] == '\\') {
        ++at;
        continue;
      }
      if (expression[at] != '\'') continue;
      if (at + 1 >= expression.size() || expression[at + 1] != '\'') break;
      ++at;
    }
    ++at;
  } else if (const auto rest = expression.substr(at); rest == "true" || rest == "false") {
    at = expression.size();
  } else if (rest.starts_with("NULL")) {
    at += 4;
  } else {
    take('-');
    const auto first = at;
    while (
        at < expression.size() &&
        (std::isdigit(static_cast<unsigned char>(expression[at])) != 0 || expression[at] == '.')) {
      ++at;
    }
    if (at == first) return false;
  }
  if (open && !take(')')) return false;
  if (at == expression.size()) return true;
  if (!expression.substr(at).starts_with("::")) return false;
  const auto type = expression.substr(at + 2);
  int depth = 0;
  for (const char c : type) {
    depth += c == '(' ? 1 : c == ')' ? -1 : 0;
    const bool known = std::isalnum(static_cast<unsigned char>(c)) != 0 ||
                       std::string_view(" _(),\".[]").find(c) != std::string_view::npos;
    if (!known || depth < 0) return false;
  }
  return !type.empty() && depth == 0;
}

bool TargetIndex::has_key(std::int16_t attribute) const { return contains(keys, attribute); }

Result<std::vector<TargetIndex>> read_indexes(store::PgConnection& database, std::uint32_t relation,
                                              const std::vector<std::int16_t>& attributes) {
  std::string list = "{";
  for (const auto attribute : attributes) {
    list += (list.size() > 1 ? "," : "") + std::to_string(attribute);
  }
  list += '}';
  const auto oid = std::to_string(relation);
  THERIAC_ASSIGN(const auto rows,
                 database.query(kIndexes, {PgParam::text(oid), PgParam::text(list)}));
  std::vector<TargetIndex> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto yes = [&](std::size_t column) { return rows.value(i, column) == "t"; };
    TargetIndex index;
    index.oid = number_at<std::uint32_t>(rows, i, 0);
    index.name = text_at(rows, i, 1);
    index.definition = text_at(rows, i, 2);
    THERIAC_ASSIGN(index.text, parse_index(index.definition));
    index.keys = numbers(rows.value(i, 3).value_or(""));
    const auto key_count = number_at<std::size_t>(rows, i, 4);
    if (key_count < index.keys.size()) {
      index.included.assign(index.keys.begin() + static_cast<std::ptrdiff_t>(key_count),
                            index.keys.end());
      index.keys.resize(key_count);
    }
    index.unique = yes(5);
    index.primary = yes(6);
    index.exclusion = yes(7);
    index.replica_identity = yes(8);
    index.clustered = yes(9);
    index.in_expressions = numbers(rows.value(i, 10).value_or(""));
    index.constraint = text_at(rows, i, 11);
    index.constraint_definition = text_at(rows, i, 12);
    index.deferrable = yes(13);
    index.deferred = yes(14);
    index.comment = text_at(rows, i, 15);
    index.constraint_comment = text_at(rows, i, 16);
    THERIAC_ASSIGN(index.key_forms, codec::parse_json(rows.value(i, 17).value_or("[]")));
    index.partitioned = yes(18);
    index.attach_to = text_at(rows, i, 19);
    out.push_back(std::move(index));
  }
  return out;
}

IndexVerdict judge_index(const TargetIndex& index, const std::vector<std::int16_t>& attributes,
                         const std::vector<std::int16_t>& searchable) {
  const auto refuse = [](std::string why, std::string remedy) {
    return IndexVerdict{IndexFate::kRefused, std::move(why), std::move(remedy)};
  };
  if (!index.in_expressions.empty()) {
    return refuse("is used in the expression or predicate of index " + index.name,
                  "drop the index, or leave the column out of it");
  }
  if (index.primary) {
    return refuse("is part of the primary key", "give the table a key that says nothing");
  }
  if (index.exclusion) {
    return refuse("is part of exclusion constraint " + index.constraint, "drop the constraint");
  }
  if (index.replica_identity) {
    return refuse("is part of the replica identity", "choose another REPLICA IDENTITY");
  }
  for (const auto attribute : attributes) {
    if (contains(index.included, attribute)) {
      return refuse("is an INCLUDE column of index " + index.name,
                    "make the index without INCLUDE of this column");
    }
  }
  const bool all_protected =
      std::all_of(index.keys.begin(), index.keys.end(),
                  [&](std::int16_t attribute) { return contains(attributes, attribute); });
  const bool all_searchable =
      std::all_of(index.keys.begin(), index.keys.end(), [&](std::int16_t attribute) {
        return !contains(attributes, attribute) || contains(searchable, attribute);
      });
  if (index.unique && !all_searchable) {
    return refuse("must be unique (" + index.name + ")", "set searchable: true for it");
  }
  if (!index.unique && all_protected && index.keys.size() == 1)
    return {IndexFate::kEmptied, {}, {}};
  if (!all_searchable) {
    return refuse("is part of index " + index.name + " over several columns",
                  "drop the index, or set searchable: true for the column");
  }
  if (index.text.method != "btree") {
    return refuse("is part of the " + index.text.method + " index " + index.name,
                  "drop the index; only btree indexes can be moved");
  }
  return {IndexFate::kRebuilt, {}, {}};
}

}  // namespace theriac::protect
