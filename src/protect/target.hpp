// The columns a policy names, as they are in the database now, and the objects that use them.
// Shared by inspect (which judges) and the sealing (which changes).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "codec/json.hpp"
#include "policy/policy.hpp"
#include "protect/index_text.hpp"
#include "protect/type_loader.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

struct Target {
  const policy::ProtectedColumn* wanted = nullptr;
  std::uint32_t relation = 0;  ///< 0: no such table
  std::int16_t attribute = 0;  ///< 0: no such column
  char kind = 'r';
  std::string schema, table_name;  ///< of the policy's column, or of a table below it
  bool inherited = false;          ///< the column comes from a parent
  int parents = 0;                 ///< tables that its table inherits from
  bool temporary = false;
  bool heap = true;
  bool row_security = false;
  bool row_type_used = false;  ///< a column somewhere is of the table's row type
  std::string type_text;
  std::uint32_t type_oid = 0;
  std::int32_t modifier = -1;
  LoadedType loaded;  ///< domains resolved
  bool deterministic = true;
  std::uint32_t collation = 0;  ///< 0: of a type that has none
  bool not_null = false;
  bool identity = false;
  bool generated = false;
  std::optional<std::string> default_text;

  [[nodiscard]] std::string object() const {
    return schema + "." + table_name + "." + wanted->column;
  }
  [[nodiscard]] std::string table() const { return schema + "." + table_name; }
};

/// One for each column of the policy, in its order.
Result<std::vector<Target>> read_targets(store::PgConnection& database,
                                         const std::vector<policy::ProtectedColumn>& columns);

/// The same column of the partitions and inheriting tables of `root`, on all levels.
Result<std::vector<Target>> read_members(store::PgConnection& database, const Target& root);

/// True for a default that is the same at any time: a literal, maybe with one cast.
bool is_constant_default(std::string_view expression);

/// An index that one of the table's columns is part of.
struct TargetIndex {
  std::uint32_t oid = 0;
  std::string name;
  std::string definition;  ///< pg_get_indexdef()
  IndexText text;
  std::vector<std::int16_t> keys;  ///< attribute numbers, 0 for an expression
  std::vector<std::int16_t> included;
  bool unique = false, primary = false, exclusion = false, replica_identity = false;
  bool clustered = false;
  std::vector<std::int16_t>
      in_expressions;                 ///< of `attributes` asked for: in expression, predicate
  std::string constraint;             ///< name of the constraint it stands for, or empty
  std::string constraint_definition;  ///< pg_get_constraintdef()
  bool deferrable = false, deferred = false;
  bool partitioned = false;  ///< of a partitioned table: its partitions' are attached to it
  std::string attach_to;     ///< quoted name of the partitioned index it is attached to, or empty
  std::string comment, constraint_comment;
  /// Per key: the schema and name of its operator class, for the logical catalogue.
  codec::Json key_forms = codec::Json::array();

  [[nodiscard]] bool has_key(std::int16_t attribute) const;
};
/// Indexes of `relation` that use one of `attributes` in any way, by name.
Result<std::vector<TargetIndex>> read_indexes(store::PgConnection& database, std::uint32_t relation,
                                              const std::vector<std::int16_t>& attributes);

/// What will become of an index.
enum class IndexFate : std::uint8_t {
  kEmptied,  ///< it serves only this column: made anew on the erased column, for the catalogue;
             ///< a lookup index on the helper does its work
  kRebuilt,  ///< with the index helper in the column's place
  kRefused,
};
struct IndexVerdict {
  IndexFate fate = IndexFate::kRefused;
  std::string why, remedy;
};
/// `searchable`: those of the protected attributes that get an index helper.
IndexVerdict judge_index(const TargetIndex& index, const std::vector<std::int16_t>& attributes,
                         const std::vector<std::int16_t>& searchable);

}  // namespace theriac::protect
