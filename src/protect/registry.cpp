#include "protect/registry.hpp"

#include <algorithm>

#include "base/secret.hpp"
#include "protect/adoption.hpp"
#include "protect/overlay.hpp"
#include "protect/sql_text.hpp"
#include "protect/type_loader.hpp"

namespace theriac::protect {
namespace {

using store::PgConnection;
using store::PgParam;
using store::PgResult;
using store::PgTransaction;

constexpr std::string_view kSchema = R"(
CREATE SCHEMA theriac;
REVOKE ALL ON SCHEMA theriac FROM PUBLIC;
COMMENT ON SCHEMA theriac IS 'Registry of sealed columns. Do not edit: use theriac protect / unprotect.';
CREATE TABLE theriac.installation (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  format integer NOT NULL,
  tenant uuid NOT NULL,
  made_at timestamptz NOT NULL DEFAULT pg_catalog.now());
CREATE TABLE theriac.tables (
  relation regclass PRIMARY KEY,
  schema_name text NOT NULL,
  table_name text NOT NULL,
  bound boolean NOT NULL,
  original jsonb NOT NULL,
  rights_before jsonb,
  rights_after text);
CREATE TABLE theriac.columns (
  number serial PRIMARY KEY,
  relation regclass NOT NULL REFERENCES theriac.tables,
  column_name text NOT NULL,
  field uuid NOT NULL UNIQUE,
  class text NOT NULL,
  suite smallint NOT NULL,
  searchable boolean NOT NULL,
  domain text NOT NULL,
  searches jsonb NOT NULL DEFAULT '[]',
  type_text text NOT NULL,
  type_oid oid NOT NULL,
  modifier integer NOT NULL,
  not_null boolean NOT NULL,
  default_text text,
  default_stored text,
  original jsonb NOT NULL,
  state text NOT NULL CHECK (state IN ('sealing', 'sealed', 'opening')));
CREATE TABLE theriac.migrations (
  id bigserial PRIMARY KEY,
  relation regclass NOT NULL,
  direction text NOT NULL CHECK (direction IN ('protect', 'unprotect')),
  started_at timestamptz NOT NULL DEFAULT pg_catalog.now(),
  finished_at timestamptz,
  erased_at timestamptz,
  rows_total bigint NOT NULL DEFAULT 0,
  rows_done bigint NOT NULL DEFAULT 0,
  rows_compared bigint NOT NULL DEFAULT 0);
CREATE FUNCTION theriac.scram_verifier(text) RETURNS text
  LANGUAGE sql STABLE STRICT SECURITY DEFINER SET search_path = pg_catalog, pg_temp
  AS $$ SELECT rolpassword FROM pg_catalog.pg_authid
        WHERE rolname = $1 AND rolcanlogin AND NOT rolsuper AND NOT rolreplication
          AND rolpassword LIKE 'SCRAM-SHA-256$%'
          AND (rolvaliduntil IS NULL OR rolvaliduntil > pg_catalog.now()) $$;
REVOKE ALL ON FUNCTION theriac.scram_verifier(text) FROM PUBLIC;
)";

// A registry of format 1 has no column `searches`.
// A sealed column whose constraint theriac_plain_N is gone comes with attribute 0; half-way columns
// have no such constraint yet and go by name.
// A partition or child made beside the gateway has the helpers and their constraints from its
// parent: it is as protected, and only nothing is recorded of it.
constexpr std::string_view kColumns = R"(
WITH RECURSIVE entry AS (
  SELECT c.*, coalesce((pg_catalog.to_jsonb(c) ->> 'member')::int4, 0) AS place
  FROM theriac.columns c
), tree AS (
  SELECT e.number, e.relation::oid AS held FROM entry e WHERE e.state = 'sealed'
  UNION
  SELECT t.number, i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.held
), spread AS (
  SELECT e.*, e.relation::oid AS held, e.place AS part FROM entry e
  UNION ALL
  SELECT e.*, t.held, -1 FROM tree t JOIN entry e ON e.number = t.number
   AND e.place = (SELECT min(o.place) FROM entry o WHERE o.number = t.number)
  WHERE NOT EXISTS (SELECT FROM entry o WHERE o.number = t.number AND o.relation::oid = t.held)
)
SELECT c.number, coalesce(r.oid, 0), coalesce(n.nspname::text, t.schema_name),
       coalesce(r.relname::text, t.table_name), coalesce(a.attname::text, c.column_name),
       coalesce(a.attnum, 0), c.field, c.class, c.suite, c.searchable, c.domain, c.type_text,
       c.type_oid, c.modifier, c.not_null, c.default_stored, t.bound, c.state,
       c.column_name, t.schema_name, t.table_name,
       coalesce(a.atttypid, c.type_oid), coalesce(a.atttypmod, c.modifier),
       coalesce(pg_catalog.format_type(a.atttypid, a.atttypmod), c.type_text),
       coalesce(pg_catalog.to_jsonb(c) ->> 'searches', '[]'),
       coalesce(a.attcollation, 0), CASE WHEN c.part = f.place THEN {VIEWS} END, c.part,
       coalesce(ow.nspname::text, ''), coalesce(ol.relname::text, '')
FROM spread c JOIN theriac.tables t ON t.relation = c.relation
JOIN LATERAL (SELECT min(e.place) AS place FROM entry e WHERE e.number = c.number) f ON true
LEFT JOIN entry o ON o.number = c.number AND o.place = 0
LEFT JOIN pg_catalog.pg_class ol ON ol.oid = o.relation::oid
LEFT JOIN pg_catalog.pg_namespace ow ON ow.oid = ol.relnamespace
LEFT JOIN pg_catalog.pg_class r ON r.oid = c.held
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = r.relnamespace
LEFT JOIN pg_catalog.pg_constraint k ON k.conrelid = r.oid AND k.contype = 'c'
  AND k.conname = 'theriac_plain_' || c.number AND k.convalidated
  AND pg_catalog.cardinality(k.conkey) = 1
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = r.oid AND NOT a.attisdropped
  AND CASE WHEN k.oid IS NOT NULL THEN a.attnum = k.conkey[1]
           ELSE c.state <> 'sealed' AND a.attname = c.column_name END
ORDER BY c.number, c.part < 0, c.part, c.held)";

// That a view has our form is told with the first column, whatever that is.
constexpr std::string_view kViewUses = R"((
  SELECT pg_catalog.jsonb_agg(pg_catalog.jsonb_build_array(v.view::oid::int8, v.attribute, v.rank,
           v.with_row, v.searchable, v.searches) ORDER BY v.view::oid, v.attribute, v.rank)
  FROM theriac.view_columns v WHERE v.number = c.number AND (v.attribute, v.rank) <> (0, 0)
     OR (v.attribute, v.rank) = (0, 0)
        AND c.number = (SELECT pg_catalog.min(f.number) FROM theriac.columns f))::text)";

/// Types made in the database have another object id after a restore; their names stay, with or
/// without a schema in front as the search_path says.
bool is_same_name(std::string_view a, std::string_view b) {
  if (a.size() < b.size()) std::swap(a, b);
  return a == b || (a.ends_with(b) && a[a.size() - b.size() - 1] == '.');
}

Result<std::vector<RegisteredSearch>> read_searches(std::string_view text) {
  std::vector<RegisteredSearch> out;
  THERIAC_ASSIGN(const auto json, codec::parse_json(text));
  try {
    for (const auto& each : json) {
      RegisteredSearch search;
      search.name = each.at("name").get<std::string>();
      THERIAC_ASSIGN(search.expression,
                     pgwire::TextExpression::parse(each.at("expression").get<std::string>()));
      search.domain = each.at("domain").get<std::string>();
      out.push_back(std::move(search));
    }
  } catch (const codec::Json::exception&) {
    return fail(Code::kMalformed, "theriac.columns: searches");
  }
  return out;
}

Result<std::vector<ViewUse>> read_views(std::string_view text) {
  std::vector<ViewUse> out;
  if (text.empty()) return out;
  THERIAC_ASSIGN(const auto json, codec::parse_json(text));
  try {
    for (const auto& each : json) {
      out.push_back({each.at(0).get<std::uint32_t>(), each.at(1).get<std::int16_t>(),
                     each.at(2).get<int>(), each.at(3).get<bool>(), each.at(4).get<bool>(),
                     each.at(5).get<std::vector<std::string>>()});
    }
  } catch (const codec::Json::exception&) {
    return fail(Code::kMalformed, "theriac.view_columns");
  }
  return out;
}

bool needs_case(const RegisteredColumn& column) {
  return std::any_of(column.searches.begin(), column.searches.end(),
                     [](const auto& search) { return search.expression.needs_case(); });
}

}  // namespace

std::vector<std::string> RegisteredColumn::index_names() const {
  std::vector<std::string> out;
  if (searchable) out.push_back(index_name());
  for (const auto& search : searches) out.push_back(index_name(search));
  return out;
}

codec::Json searches_to_json(const std::vector<RegisteredSearch>& searches) {
  auto out = codec::Json::array();
  for (const auto& search : searches) {
    out.push_back({{"name", search.name},
                   {"expression", search.expression.text()},
                   {"domain", search.domain}});
  }
  return out;
}

std::vector<RegisteredSearch> searches_of(const policy::ProtectedColumn& column) {
  std::vector<RegisteredSearch> out;
  for (const auto& each : column.searches) {
    out.push_back({each.name, each.expression, each.domain});
  }
  return out;
}

Result<bool> registry_exists(PgConnection& database) {
  THERIAC_ASSIGN(const auto answer,
                 database.query("SELECT pg_catalog.to_regclass('theriac.columns') IS NOT NULL"));
  return answer.value(0, 0) == "t";
}

Status install_registry(PgConnection& database, const TenantId& tenant) {
  THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
  // Two runs at once: the second waits here and then finds the registry.
  THERIAC_TRY(database.query("SELECT pg_catalog.pg_advisory_xact_lock(8389764372)"));
  THERIAC_ASSIGN(const bool there, registry_exists(database));
  if (there) {
    THERIAC_ASSIGN(const auto row,
                   database.query("SELECT format, tenant FROM theriac.installation"));
    if (row.rows() == 1 && number_at<int>(row, 0, 0) == 1) {
      THERIAC_TRY(
          database.exec("ALTER TABLE theriac.columns ADD COLUMN searches jsonb NOT NULL "
                        "DEFAULT '[]'; UPDATE theriac.installation SET format = 2"));
    } else if (row.rows() != 1 || number_at<int>(row, 0, 0) != kRegistryFormat) {
      return fail(Code::kConflict, "theriac.installation: format of the registry");
    }
    if (row.value(0, 1) != to_uuid_text(tenant.view())) {
      return fail(Code::kConflict, "theriac.installation: the registry is another tenant's");
    }
    THERIAC_TRY(database.exec(adoption_sql()));
    return transaction.commit();
  }
  THERIAC_TRY(database.exec(kSchema));
  THERIAC_TRY(database.exec(adoption_sql()));
  THERIAC_TRY(database.query("INSERT INTO theriac.installation (format, tenant) VALUES ($1, $2)",
                             {PgParam::text(std::to_string(kRegistryFormat)),
                              PgParam::text(to_uuid_text(tenant.view()))}));
  return transaction.commit();
}

Status drop_registry(PgConnection& database) {
  THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
  THERIAC_ASSIGN(const auto left, database.query("SELECT count(*) FROM theriac.columns"));
  if (left.value(0, 0) != "0") return fail(Code::kConflict, "theriac.columns is not empty");
  THERIAC_TRY(drop_overlay(database));
  THERIAC_TRY(database.exec("DROP SCHEMA theriac CASCADE"));
  return transaction.commit();
}

Result<TenantId> registry_tenant(PgConnection& database) {
  THERIAC_ASSIGN(const bool there, registry_exists(database));
  if (!there) return fail(Code::kNotFound, "theriac.installation");
  THERIAC_ASSIGN(const auto row, database.query("SELECT tenant FROM theriac.installation"));
  if (row.rows() != 1) return fail(Code::kNotFound, "theriac.installation");
  return id_from_uuid<TenantId>(row.value(0, 0).value_or(""));
}

std::string registered_columns_sql(bool with_views) {
  std::string out(kColumns);
  constexpr std::string_view kPlace = "{VIEWS}";
  return out.replace(out.find(kPlace), kPlace.size(), with_views ? kViewUses : "NULL::text");
}

Result<std::vector<RegisteredColumn>> columns_from(const Rows& rows) {
  std::vector<RegisteredColumn> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    const auto text = [&](std::size_t column) { return text_at(rows, i, column); };
    RegisteredColumn entry;
    entry.number = number_at<int>(rows, i, 0);
    entry.relation = number_at<std::uint32_t>(rows, i, 1);
    entry.schema = text(2);
    entry.table = text(3);
    entry.column = text(4);
    entry.attribute = number_at<std::int16_t>(rows, i, 5);
    THERIAC_ASSIGN(entry.field, id_from_uuid<FieldId>(text(6)));
    entry.class_name = text(7);
    entry.suite = number_at<int>(rows, i, 8);
    entry.searchable = rows.value(i, 9) == "t";
    entry.domain = text(10);
    entry.type_text = text(11);
    entry.type_oid = number_at<std::uint32_t>(rows, i, 12);
    entry.modifier = number_at<std::int32_t>(rows, i, 13);
    entry.not_null = rows.value(i, 14) == "t";
    if (const auto value = rows.value(i, 15)) entry.default_stored = std::string(*value);
    entry.bound = rows.value(i, 16) == "t";
    entry.state = text(17);
    entry.registered_as = text(18);
    entry.registered_schema = text(19);
    entry.registered_table = text(20);
    entry.declared = {number_at<std::uint32_t>(rows, i, 21), number_at<std::int32_t>(rows, i, 22)};
    constexpr std::uint32_t kFirstOfUsers = 16'384;
    entry.type_unchanged =
        entry.declared.modifier == entry.modifier &&
        (entry.declared.oid == entry.type_oid ||
         (entry.declared.oid >= kFirstOfUsers && entry.type_oid >= kFirstOfUsers &&
          is_same_name(text(23), entry.type_text)));
    THERIAC_ASSIGN(entry.searches, read_searches(text(24)));
    entry.collation = number_at<std::uint32_t>(rows, i, 25);
    THERIAC_ASSIGN(entry.views, read_views(text(26)));
    entry.member = number_at<int>(rows, i, 27);
    entry.root_schema = text(28);
    entry.root_table = text(29);
    out.push_back(std::move(entry));
  }
  return out;
}

bool needs_case_map(const std::vector<RegisteredColumn>& columns, const TypeTable& types) {
  return std::any_of(columns.begin(), columns.end(), [&](const RegisteredColumn& column) {
    return needs_case(column) || types.needs_case(column.declared.oid);
  });
}

Status add_types(std::vector<RegisteredColumn>& columns, const TypeTable& types,
                 const std::shared_ptr<const pgwire::CaseMap>& case_map) {
  for (auto& column : columns) {
    THERIAC_ASSIGN(auto loaded, types.load(column.declared, case_map));
    column.type = std::move(loaded.type);
    if (!loaded.refused.empty()) column.type_unchanged = false;
    // Of the default collation, which lower('X') of a literal has as well. Without the map the
    // column is registered all the same; what needs an index of it refuses.
    const bool by_default = column.collation == 0 || column.collation == kDefaultCollation;
    if (needs_case(column) && by_default) column.case_map = case_map;
  }
  return {};
}

Result<std::vector<RegisteredColumn>> registered_columns(PgConnection& database) {
  THERIAC_ASSIGN(const bool there, registry_exists(database));
  if (!there) return std::vector<RegisteredColumn>{};
  THERIAC_ASSIGN(
      const auto answer_of_views,
      database.query("SELECT pg_catalog.to_regclass('theriac.view_columns') IS NOT NULL"));
  THERIAC_ASSIGN(const auto rows,
                 database.query(registered_columns_sql(answer_of_views.value(0, 0) == "t")));
  THERIAC_ASSIGN(auto columns, columns_from(Rows::of(rows)));
  THERIAC_ASSIGN(const auto answer, database.query(TypeTable::sql()));
  THERIAC_ASSIGN(const auto types, TypeTable::from(Rows::of(answer)));
  std::shared_ptr<const pgwire::CaseMap> case_map;
  if (needs_case_map(columns, types)) {
    if (auto map = load_case_map(database, kDefaultCollation)) case_map = std::move(*map);
  }
  THERIAC_TRY(add_types(columns, types, case_map));
  return columns;
}

Result<std::optional<std::string>> grant_gateway_role(PgConnection& database,
                                                      const std::string& role, Random& random) {
  const auto name = store::pg_quote_identifier(role);
  std::optional<std::string> password;
  THERIAC_ASSIGN(auto transaction, PgTransaction::begin(database));
  THERIAC_ASSIGN(const auto known,
                 database.query("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $1",
                                {PgParam::text(role)}));
  if (known.rows() == 0) {
    Bytes raw(24);
    random.fill(raw);
    password = to_hex(raw);
    wipe(raw);
    // The password is sent only over this connection; keep it out of the server's statement log.
    THERIAC_TRY(
        database.exec("SET LOCAL log_statement = 'none'; "
                      "SET LOCAL log_min_duration_statement = -1; "
                      "SET LOCAL log_min_error_statement = 'panic'; "
                      "SET LOCAL password_encryption = 'scram-sha-256'"));
    THERIAC_TRY(database.exec("CREATE ROLE " + name + " LOGIN NOINHERIT NOCREATEDB NOCREATEROLE " +
                              "PASSWORD " + store::pg_quote_literal(*password)));
  } else if (known.value(0, 0) == "t") {
    return fail(Code::kConflict, "gateway role is a superuser");
  }
  THERIAC_TRY(database.exec("GRANT USAGE ON SCHEMA theriac TO " + name +
                            "; GRANT SELECT ON theriac.installation, theriac.tables, "
                            "theriac.columns, theriac.views, theriac.view_columns, "
                            "theriac.gateway_key TO " +
                            name + "; GRANT EXECUTE ON FUNCTION theriac.scram_verifier(text) TO " +
                            name));
  THERIAC_TRY(transaction.commit());
  return password;
}

Status grant_backup_roles(PgConnection& database, const std::set<std::string, std::less<>>& roles) {
  for (const auto& role : roles) {
    THERIAC_ASSIGN(const auto known,
                   database.query("SELECT rolsuper FROM pg_catalog.pg_roles WHERE rolname = $1",
                                  {PgParam::text(role)}));
    if (known.rows() == 0) continue;
    if (known.value(0, 0) == "t") return fail(Code::kConflict, "backup role is a superuser");
    // Not on each table: grants would stand in the dump, and miss the tables of tomorrow.
    THERIAC_TRY(database.exec("GRANT pg_read_all_data TO " + store::pg_quote_identifier(role)));
  }
  return {};
}

}  // namespace theriac::protect
