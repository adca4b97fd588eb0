#include "protect/type_loader.hpp"

#include <algorithm>
#include <map>
#include <mutex>

#include "codec/json.hpp"
#include "crypto/hash.hpp"
#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using pgwire::ColumnType;
using pgwire::TypeDetail;
using pgwire::TypeKind;
using store::PgConnection;

constexpr std::string_view kTypes = R"(
SELECT t.oid, n.nspname, t.typname, t.typtype, t.typbasetype, t.typtypmod,
       CASE WHEN t.typcategory = 'A' AND t.typlen = -1 THEN t.typelem ELSE 0 END,
       coalesce(e.typdelim, ','), t.typnotnull, t.typdefault IS NOT NULL,
       EXISTS (SELECT FROM pg_catalog.pg_constraint k WHERE k.contypid = t.oid),
       t.typname = 'citext' AND EXISTS (
         SELECT FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension x ON x.oid = d.refobjid
         WHERE d.classid = 'pg_catalog.pg_type'::pg_catalog.regclass AND d.objid = t.oid
           AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
           AND d.deptype = 'e' AND x.extname = 'citext'),
       (SELECT pg_catalog.json_agg(l.enumlabel ORDER BY l.enumsortorder)::pg_catalog.text
        FROM pg_catalog.pg_enum l WHERE l.enumtypid = t.oid)
FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace
LEFT JOIN pg_catalog.pg_type e ON e.oid = t.typelem
WHERE t.typtype IN ('d', 'e') OR t.typname = 'citext'
   OR (t.typcategory = 'A' AND t.typlen = -1 AND e.typtype <> 'c'))";

}  // namespace

std::string_view TypeTable::sql() { return kTypes; }

Result<TypeTable> TypeTable::from(const Rows& rows) {
  TypeTable out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    THERIAC_ASSIGN(out.rows_[number_at<std::uint32_t>(rows, i, 0)], row_at(rows, i));
  }
  return out;
}

bool TypeTable::needs_case(std::uint32_t oid) const {
  const auto at = rows_.find(oid);
  if (at == rows_.end()) return false;
  const auto& row = at->second;
  return row.citext || (row.base != 0 && needs_case(row.base)) ||
         (row.element != 0 && needs_case(row.element));
}

Result<LoadedType> TypeTable::load(const DeclaredType& declared,
                                   const std::shared_ptr<const pgwire::CaseMap>& case_map) const {
  LoadedType out;
  auto oid = declared.oid;
  auto modifier = declared.modifier;
  std::uint32_t domain = 0;
  while (rows_.contains(oid) && rows_.at(oid).kind == 'd') {
    const auto& row = rows_.at(oid);
    if (!judge_domain(row, out)) return out;
    if (domain == 0) domain = oid;
    if (modifier == -1) modifier = row.base_modifier;
    oid = row.base;
  }
  if (case_map == nullptr && needs_case(oid)) {
    // Without it equality cannot be told.
    out.refused = "lower() of its locale is not known here, or differs from the server's";
    out.remedy = "use a database with the C library's locale that is installed here as well";
    return out;
  }
  THERIAC_ASSIGN(out.type, plain(oid, case_map));
  out.type.modifier = modifier;
  if (const auto* detail = pgwire::detail_of(out.type);
      detail != nullptr && detail->kind == TypeKind::kArray) {
    const auto element = detail->element.oid;
    if (rows_.contains(element) && rows_.at(element).kind == 'd') {
      out.refused = "is an array of a domain";
      out.remedy = "make it an array of the domain's base type";
      return out;
    }
  }
  if (domain != 0) {
    auto detail = out.type.detail ? *out.type.detail : TypeDetail{};
    detail.domain_oid = domain;
    detail.domain_schema = rows_.at(domain).schema;
    detail.domain_name = rows_.at(domain).name;
    out.type.detail = std::make_shared<const TypeDetail>(std::move(detail));
  }
  if (!pgwire::is_supported(out.type)) {
    out.refused = "its type cannot be protected";
    out.remedy = "docs/policy.md lists the types that can";
  }
  return out;
}

Result<TypeTable::Row> TypeTable::row_at(const Rows& rows, std::size_t i) {
  const auto yes = [&](std::size_t column) { return rows.value(i, column) == "t"; };
  Row row;
  row.schema = text_at(rows, i, 1);
  row.name = text_at(rows, i, 2);
  row.kind = rows.value(i, 3).value_or("b").front();
  row.base = number_at<std::uint32_t>(rows, i, 4);
  row.base_modifier = number_at<std::int32_t>(rows, i, 5);
  row.element = number_at<std::uint32_t>(rows, i, 6);
  row.delimiter = rows.value(i, 7).value_or(",").front();
  row.not_null = yes(8);
  row.has_default = yes(9);
  row.has_check = yes(10);
  row.citext = yes(11);
  if (const auto labels = rows.value(i, 12)) {
    THERIAC_ASSIGN(const auto json, codec::parse_json(*labels));
    for (const auto& label : json) row.labels.push_back(label.get<std::string>());
  }
  return row;
}

/// The column in the database becomes NULL and gets no value any more.
bool TypeTable::judge_domain(const Row& row, LoadedType& out) {
  if (row.has_check) {
    out.refused = "its domain has a CHECK, which the database could not check any more";
    out.remedy = "drop the constraint, or make the column of the base type";
  } else if (row.not_null) {
    out.refused = "its domain is NOT NULL, and the column will be NULL in the database";
    out.remedy = "ALTER DOMAIN … DROP NOT NULL, and make the columns of it NOT NULL";
  } else if (row.has_default) {
    out.refused = "its domain has a default";
    out.remedy = "ALTER DOMAIN … DROP DEFAULT, and give the columns the default";
  }
  return out.refused.empty();
}

/// A type that is no domain, with its detail.
Result<ColumnType> TypeTable::plain(std::uint32_t oid,
                                    const std::shared_ptr<const pgwire::CaseMap>& case_map) const {
  ColumnType type{oid, -1};
  const auto row = rows_.find(oid);
  if (row == rows_.end() || pgwire::is_supported(type)) return type;
  TypeDetail detail;
  detail.schema = row->second.schema;
  detail.name = row->second.name;
  if (row->second.citext) {
    detail.kind = TypeKind::kCitext;
    detail.lower = case_map;
  } else if (row->second.kind == 'e') {
    detail.kind = TypeKind::kEnum;
    detail.labels = row->second.labels;
  } else if (row->second.element != 0) {
    detail.kind = TypeKind::kArray;
    detail.delimiter = row->second.delimiter;
    THERIAC_ASSIGN(detail.element, plain(row->second.element, case_map));
  } else {
    return type;
  }
  type.detail = std::make_shared<const TypeDetail>(std::move(detail));
  return type;
}

Result<std::vector<LoadedType>> load_types(PgConnection& database,
                                           const std::vector<DeclaredType>& wanted) {
  THERIAC_ASSIGN(const auto answer, database.query(TypeTable::sql()));
  THERIAC_ASSIGN(const auto types, TypeTable::from(Rows::of(answer)));
  std::shared_ptr<const pgwire::CaseMap> case_map;
  const bool needed = std::any_of(wanted.begin(), wanted.end(), [&](const DeclaredType& each) {
    return types.needs_case(each.oid);
  });
  if (needed) {
    if (auto map = load_case_map(database, kDefaultCollation)) case_map = std::move(*map);
  }
  std::vector<LoadedType> out;
  for (const auto& each : wanted) {
    THERIAC_ASSIGN(auto loaded, types.load(each, case_map));
    out.push_back(std::move(loaded));
  }
  return out;
}

namespace {

/// What was proven in the life of the process, by locale and start of the server.
class Proven {
 public:
  static std::shared_ptr<const pgwire::CaseMap> find(const std::string& key) {
    const std::lock_guard lock(mutex());
    const auto at = all().find(key);
    return at == all().end() ? nullptr : at->second;
  }
  static void keep(const std::string& key, std::shared_ptr<const pgwire::CaseMap> map) {
    const std::lock_guard lock(mutex());
    all()[key] = std::move(map);
  }

 private:
  static std::mutex& mutex() {
    static std::mutex one;
    return one;
  }
  static std::map<std::string, std::shared_ptr<const pgwire::CaseMap>>& all() {
    static std::map<std::string, std::shared_ptr<const pgwire::CaseMap>> one;
    return one;
  }
};

}  // namespace

std::optional<std::string> CaseProof::next() {
  if (proven_ || failed_) return std::nullopt;
  if (!asked_) {
    return R"(
SELECT CASE WHEN o.collprovider = 'd' THEN d.datlocprovider ELSE o.collprovider END,
       CASE WHEN o.collprovider = 'd' THEN d.datctype ELSE o.collctype END,
       pg_catalog.pg_postmaster_start_time()::pg_catalog.text,
       pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(o.collname)
FROM pg_catalog.pg_collation o JOIN pg_catalog.pg_namespace n ON n.oid = o.collnamespace,
     pg_catalog.pg_database d
WHERE d.datname = pg_catalog.current_database() AND o.oid = )" +
           std::to_string(collation_);
  }
  const auto& collated = collated_;
  return "SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to("
         "pg_catalog.lower(" +
         collated +
         "), 'UTF8')), 'hex'), "
         "pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to("
         "pg_catalog.upper(" +
         collated +
         "), 'UTF8')), 'hex') FROM ("
         "SELECT pg_catalog.string_agg(pg_catalog.chr(i), '' ORDER BY i) AS t FROM ("
         "SELECT pg_catalog.generate_series(1, 55295) UNION ALL "
         "SELECT pg_catalog.generate_series(57344, 1114111)) AS g(i)) AS s";
}

Status CaseProof::take(const Rows& rows) {
  if (!asked_) {
    asked_ = true;
    if (rows.rows() != 1) {
      failed_ = Error{Code::kNotFound, "collation"};
    } else if (rows.value(0, 0) != "c") {
      failed_ = Error{Code::kUnsupported, "lower() of an ICU collation"};
    } else {
      locale_ = text_at(rows, 0, 1);
      key_ = locale_ + '\n' + text_at(rows, 0, 2);
      map_ = Proven::find(key_);
      proven_ = map_ != nullptr;
      collated_ = "t COLLATE " + text_at(rows, 0, 3);
      if (proven_) return {};
      auto map = pgwire::CaseMap::find(locale_);
      if (map) {
        map_ = std::move(*map);
      } else {
        failed_ = map.error();
      }
    }
    return {};
  }
  const auto probe = pgwire::CaseMap::probe_text();
  const auto digest = [](const std::string& text) { return to_hex(crypto::sha256(view_of(text))); };
  if (rows.value(0, 0) != digest(map_->lower(probe)) ||
      rows.value(0, 1) != digest(map_->upper(probe))) {
    failed_ = Error{Code::kUnsupported, "locale " + locale_ + " differs between server and here"};
    return {};
  }
  proven_ = true;
  Proven::keep(key_, map_);
  return {};
}

Result<std::shared_ptr<const pgwire::CaseMap>> CaseProof::finish() {
  if (failed_) return fail(*failed_);
  return map_;
}

Result<std::shared_ptr<const pgwire::CaseMap>> load_case_map(PgConnection& database,
                                                             std::uint32_t collation) {
  CaseProof proof(collation);
  while (const auto question = proof.next()) {
    THERIAC_ASSIGN(const auto answer, database.query(*question));
    THERIAC_TRY(proof.take(Rows::of(answer)));
  }
  return proof.finish();
}

}  // namespace theriac::protect
