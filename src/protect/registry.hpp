// The registry: schema `theriac` in the protected database. It says which columns are protected,
// under which number (the N of the helper columns' names), field identity and class, and what the
// table looked like before, so that everything can be undone.
//
//   theriac.installation  one row: format of the registry, tenant
//   theriac.tables        one row a protected table: bound to rows or not, original rights and form
//   theriac.columns       one row a protected column
//   theriac.migrations    one row a run of protect or unprotect over one table
//   theriac.scram_verifier(text)   for the gateway's own role: verifier of a sign-in role
//   theriac.gateway_key   by which theriac.settle() and others know the gateway (adoption.hpp)
//
// The plain column is found by the constraint theriac_plain_N that stands on it, the helpers by
// their names; object ids and attribute numbers are not trusted, so that renames and pg_restore
// change nothing.
//
// Threading: as store::PgConnection.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "codec/json.hpp"
#include "protect/rows.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

inline constexpr int kRegistryFormat = 1;

/// State of a column. Only `sealed` columns are readable through the gateway.
inline constexpr std::string_view kStateSealing = "sealing";  ///< being protected
inline constexpr std::string_view kStateSealed = "sealed";
inline constexpr std::string_view kStateOpening = "opening";  ///< being unprotected

struct RegisteredColumn {
  int number = 0;
  std::uint32_t relation = 0;         ///< 0: the table is gone
  std::string schema, table, column;  ///< today's names where they exist, else as registered
  std::string registered_as;          ///< the column's name when it was registered
  /// The table's when it was: with registered_as the name by which the policy knows the column.
  std::string registered_schema, registered_table;
  std::int16_t attribute = 0;  ///< 0: no column carries theriac_plain_N
  FieldId field;
  std::string class_name;
  int suite = 1;
  bool searchable = false;
  std::string domain;
  std::string type_text;  ///< format_type(): "character varying(20)"
  std::uint32_t type_oid = 0;
  std::int32_t modifier = -1;
  bool not_null = false;
  std::optional<std::string> default_stored;
  bool bound = false;  ///< of the table
  std::string state;

  [[nodiscard]] std::string sealed_name() const {
    return "theriac_sealed_" + std::to_string(number);
  }
  [[nodiscard]] std::string index_name() const { return "theriac_index_" + std::to_string(number); }
  [[nodiscard]] std::string plain_check() const {
    return "theriac_plain_" + std::to_string(number);
  }
  [[nodiscard]] std::string form_check() const { return "theriac_form_" + std::to_string(number); }
  [[nodiscard]] std::string lookup_index() const {
    return "theriac_lookup_" + std::to_string(number);
  }
  [[nodiscard]] std::string qualified() const { return schema + "." + table + "." + column; }
};

/// True if schema theriac with our tables exists.
Result<bool> registry_exists(store::PgConnection& database);
/// Makes the schema, its tables and functions, if missing, and brings an older one's functions up
/// to date. Needs a superuser. Refuses (Code::kConflict) a registry of another tenant or format.
Status install_registry(store::PgConnection& database, const TenantId& tenant);
/// Drops the registry; Code::kConflict while a column is registered.
Status drop_registry(store::PgConnection& database);
/// Code::kNotFound without a registry.
Result<TenantId> registry_tenant(store::PgConnection& database);

/// The question whose answer columns_from() reads.
std::string_view registered_columns_sql();
Result<std::vector<RegisteredColumn>> columns_from(const Rows& rows);
/// All registered columns by number; empty without a registry.
Result<std::vector<RegisteredColumn>> registered_columns(store::PgConnection& database);

/// The gateway's own role may read the registry and fetch verifiers, and nothing else. Made with
/// LOGIN and the returned generated password if it does not exist; nullopt if it did.
Result<std::optional<std::string>> grant_gateway_role(store::PgConnection& database,
                                                      const std::string& role, Random& random);

}  // namespace theriac::protect
