// The registry: schema `theriac` in the protected database. It says which columns are protected,
// under which number (the N of the helper columns' names), field identity and class, and what the
// table looked like before, so that everything can be undone.
//
//   theriac.installation  one row: format of the registry, tenant
//   theriac.tables        one row a protected table: bound to rows or not, original rights and form
//   theriac.columns       one row a protected column, and one for each partition or inheriting
//                         table that has it (a *member*): same number and field, its own NOT
//                         NULL, default and indexes (docs/adr/0009)
//   theriac.views         one row a view in its protected form: its rights, and which view of this
//                         schema, theriac.view_<its name>, says what it said before
//   theriac.view_columns  which registered columns such a view's columns give
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
#include <set>
#include <string>
#include <vector>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "codec/json.hpp"
#include "pgwire/text_expression.hpp"
#include "pgwire/types.hpp"
#include "policy/policy.hpp"
#include "protect/rows.hpp"
#include "protect/type_loader.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

/// 2: theriac.columns.searches. install_registry() makes a 2 of a 1.
inline constexpr int kRegistryFormat = 2;

/// State of a column. Only `sealed` columns are readable through the gateway.
inline constexpr std::string_view kStateSealing = "sealing";  ///< being protected
inline constexpr std::string_view kStateSealed = "sealed";
inline constexpr std::string_view kStateOpening = "opening";  ///< being unprotected

/// A blind index of an expression of the value.
struct RegisteredSearch {
  std::string name;
  pgwire::TextExpression expression;
  std::string domain;
  friend bool operator==(const RegisteredSearch&, const RegisteredSearch&) = default;
};

/// A column of a view that gives values of a registered column; attribute 0: the view has our form
/// (rank 0), or compares the registered column.
struct ViewUse {
  std::uint32_t view = 0;
  std::int16_t attribute = 0;
  int rank = 0;  ///< among the columns whose values it gives; 0 says what it is like
  bool with_row = false;
  bool searchable = false;
  std::vector<std::string> searches;
};

/// Of a column that a partition or child made beside the gateway inherits: nothing is recorded.
inline constexpr int kUnrecordedMember = -1;

struct RegisteredColumn {
  int number = 0;
  /// 0: in the table it was protected in; n: in its nth partition or inheriting table.
  int member = 0;
  std::uint32_t relation = 0;         ///< 0: the table is gone
  std::string schema, table, column;  ///< today's names where they exist, else as registered
  std::string registered_as;          ///< the column's name when it was registered
  /// The table's when it was: with registered_as the name by which the policy knows the column.
  std::string registered_schema, registered_table;
  std::string root_schema, root_table;  ///< today's names of the table with member 0, or empty
  std::int16_t attribute = 0;           ///< 0: no column carries theriac_plain_N
  FieldId field;
  std::string class_name;
  int suite = 1;
  bool searchable = false;
  std::string domain;
  std::vector<RegisteredSearch> searches;
  /// lower() and upper() of the searches, if one has them; null: the server's are not ours.
  std::shared_ptr<const pgwire::CaseMap> case_map;
  std::string type_text;  ///< format_type(): "character varying(20)"
  std::uint32_t type_oid = 0;
  std::int32_t modifier = -1;
  DeclaredType declared;        ///< as it is now
  std::uint32_t collation = 0;  ///< pg_attribute.attcollation
  pgwire::ColumnType type;      ///< as it is now, domains resolved
  bool type_unchanged = false;  ///< it is the registered one, and can still be protected
  bool not_null = false;
  std::optional<std::string> default_stored;
  bool bound = false;  ///< of the table
  std::vector<ViewUse> views;
  std::string state;

  [[nodiscard]] std::string sealed_name() const {
    return "theriac_sealed_" + std::to_string(number);
  }
  [[nodiscard]] std::string index_name() const { return "theriac_index_" + std::to_string(number); }
  [[nodiscard]] std::string index_name(const RegisteredSearch& search) const {
    return index_name() + "_" + search.name;
  }
  /// Names of all index helpers: the column's own if it is searchable, then one for each search.
  [[nodiscard]] std::vector<std::string> index_names() const;
  [[nodiscard]] std::string plain_check() const {
    return "theriac_plain_" + std::to_string(number);
  }
  [[nodiscard]] std::string form_check() const { return "theriac_form_" + std::to_string(number); }
  /// Name of the ordinary index on an index helper.
  [[nodiscard]] std::string lookup_index(const std::string& index_name) const {
    return "theriac_lookup_" + member_mark() +
           index_name.substr(std::string_view("theriac_index_").size());
  }
  /// Names of indexes are of a schema: those of members have this in front of the number.
  [[nodiscard]] std::string member_mark() const {
    return member <= 0 ? std::string() : "m" + std::to_string(member) + "_";
  }
  [[nodiscard]] std::string qualified() const { return schema + "." + table + "." + column; }
};

/// The searches as the registry keeps them, and read again.
codec::Json searches_to_json(const std::vector<RegisteredSearch>& searches);
/// The searches of a policy's column.
std::vector<RegisteredSearch> searches_of(const policy::ProtectedColumn& column);

/// True if schema theriac with our tables exists.
Result<bool> registry_exists(store::PgConnection& database);
/// Makes the schema, its tables and functions, if missing, and brings an older one's functions up
/// to date. Needs a superuser. Refuses (Code::kConflict) a registry of another tenant or format.
Status install_registry(store::PgConnection& database, const TenantId& tenant);
/// Drops the registry and the catalogue overlay; Code::kConflict while a column is registered.
Status drop_registry(store::PgConnection& database);
/// Code::kNotFound without a registry.
Result<TenantId> registry_tenant(store::PgConnection& database);

/// After columns_from(): lower() and upper() of the server are needed to tell their equality.
bool needs_case_map(const std::vector<RegisteredColumn>& columns, const TypeTable& types);
/// After columns_from(): their types; `case_map` null where it is not needed or not to be had.
Status add_types(std::vector<RegisteredColumn>& columns, const TypeTable& types,
                 const std::shared_ptr<const pgwire::CaseMap>& case_map);

/// The question whose answer columns_from() reads. A registry made before views were followed has
/// no table of them: `with_views` false.
std::string registered_columns_sql(bool with_views = true);
Result<std::vector<RegisteredColumn>> columns_from(const Rows& rows);
/// All registered columns by number; empty without a registry.
Result<std::vector<RegisteredColumn>> registered_columns(store::PgConnection& database);

/// The gateway's own role may read the registry and fetch verifiers, and nothing else. Made with
/// LOGIN and the returned generated password if it does not exist; nullopt if it did.
Result<std::optional<std::string>> grant_gateway_role(store::PgConnection& database,
                                                      const std::string& role, Random& random);

/// Backup roles read everything as it lies there, the registry included: what pg_dump needs. Roles
/// that do not exist are left out (inspect() has said so).
Status grant_backup_roles(store::PgConnection& database,
                          const std::set<std::string, std::less<>>& roles);

}  // namespace theriac::protect
