// What the server says of types that an object id alone does not tell: domains (resolved to their
// base type and modifier), enums with their labels, citext, arrays; and lower() and upper() of a
// collation, compared with the server's own. TypeTable and CaseProof say what to ask and read the
// answers, for whoever asks; the functions ask themselves. Threading: as store::PgConnection.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "pgwire/case_map.hpp"
#include "pgwire/types.hpp"
#include "protect/rows.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

/// pg_attribute.atttypid and atttypmod.
struct DeclaredType {
  std::uint32_t oid = 0;
  std::int32_t modifier = -1;
};
struct LoadedType {
  pgwire::ColumnType type;  ///< the base type of a domain
  std::string refused;      ///< not empty: a column of it cannot be protected, and why
  std::string remedy;
};

/// The types of a database that are not built in, or made of others.
class TypeTable {
 public:
  /// The question whose answer from() reads.
  static std::string_view sql();
  static Result<TypeTable> from(const Rows& rows);
  /// citext, or made of it: its equality needs the server's lower().
  [[nodiscard]] bool needs_case(std::uint32_t oid) const;
  /// Types that cannot be protected come with `refused`; citext without a case map is one.
  [[nodiscard]] Result<LoadedType> load(
      const DeclaredType& declared, const std::shared_ptr<const pgwire::CaseMap>& case_map) const;

 private:
  struct Row {
    std::string schema, name;
    char kind = 'b';
    std::uint32_t base = 0, element = 0;
    std::int32_t base_modifier = -1;
    char delimiter = ',';
    bool not_null = false, has_default = false, has_check = false, citext = false;
    std::vector<std::string> labels;
  };
  static Result<Row> row_at(const Rows& rows, std::size_t i);
  static bool judge_domain(const Row& row, LoadedType& out);
  [[nodiscard]] Result<pgwire::ColumnType> plain(
      std::uint32_t oid, const std::shared_ptr<const pgwire::CaseMap>& case_map) const;

  std::map<std::uint32_t, Row> rows_;
};

/// One for each of `wanted`, in their order. Types that cannot be protected come with `refused`.
Result<std::vector<LoadedType>> load_types(store::PgConnection& database,
                                           const std::vector<DeclaredType>& wanted);

inline constexpr std::uint32_t kDefaultCollation = 100;

/// Asks a server for lower() and upper() of a collation and compares every character with what this
/// machine makes of it. Asked once for each start of the server and locale in the life of the
/// process.
class CaseProof {
 public:
  explicit CaseProof(std::uint32_t collation) : collation_(collation) {}
  /// The next question; nullopt: done.
  std::optional<std::string> next();
  Status take(const Rows& rows);
  /// Once next() gave nullopt. Code::kUnsupported: an ICU collation, a locale unknown here, or
  /// tables of another version than the server's.
  Result<std::shared_ptr<const pgwire::CaseMap>> finish();

 private:
  std::uint32_t collation_;
  bool asked_ = false;
  std::string locale_, key_, collated_;
  std::shared_ptr<const pgwire::CaseMap> map_;
  std::optional<Error> failed_;
  bool proven_ = false;
};
Result<std::shared_ptr<const pgwire::CaseMap>> load_case_map(store::PgConnection& database,
                                                             std::uint32_t collation);

}  // namespace theriac::protect
