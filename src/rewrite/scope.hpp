// What a name means: FROM items, their columns, query levels and common table expressions, resolved
// as PostgreSQL does it (parse_relation.c), with the helper columns invisible.
//
// All objects live in the Rewriter's arena and refer to each other and to the catalogue freely.
#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "rewrite/catalogue.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

struct Item;
struct Derived;
struct ItemColumn;

/// The protected fields of a row that is an output, by their places in it.
using RowColumns = std::vector<std::pair<std::size_t, ItemColumn>>;

/// Where a protected value may come from beside the first origin (UNION, COALESCE, CASE).
struct Origin {
  const Relation* relation = nullptr;
  const Column* column = nullptr;
  bool with_row = false;
};

/// A column as it can be referred to.
struct ItemColumn {
  std::string name;
  const Relation* relation = nullptr;  ///< origin, if known
  const Column* column = nullptr;      ///< origin; of a derived table only if protected
  bool with_row = false;               ///< the value already carries its row id
  std::vector<Origin> also;            ///< further origins
  pgwire::ColumnType type;             ///< what a client is told, if protected
  bool as_index = false;               ///< the value is the blind index, for comparisons
  bool direct = true;                  ///< a plain column: PostgreSQL says where it comes from
  bool is_null = false;                ///< output is the NULL literal
  bool carried = false;                ///< holds constants of the statement only, sealed on the way
  std::vector<int> found_by;           ///< provisional slots, see Rewriter
  std::shared_ptr<const RowColumns> row;  ///< a row with protected fields; then not secret()
  const Relation* row_of = nullptr;       ///< whose row that is; null: of ROW() or a sub-select
  // Columns of joins only: where the value really comes from.
  Item* home = nullptr;
  std::size_t place = 0;
  bool merged = false;     ///< by USING or NATURAL
  bool converted = false;  ///< the USING was replaced by ON: the bare name is ambiguous now

  [[nodiscard]] bool secret() const { return column != nullptr && column->protection.has_value(); }
};

/// Whether equal values of it have equal blind indexes, wherever they come from.
inline bool is_of_one_domain(const ItemColumn& column) {
  return std::all_of(column.also.begin(), column.also.end(), [&](const Origin& origin) {
    return origin.column->protection->searchable &&
           origin.column->protection->domain == column.column->protection->domain;
  });
}

/// Where an output column's value comes from, if it is a plain column.
struct Source {
  Item* item = nullptr;
  std::size_t place = 0;
};

struct Level;

/// The result of a sub-select, a common table expression, or RETURNING.
struct Derived {
  std::vector<ItemColumn> columns;
  std::vector<Source> sources;  ///< one for each column
  /// Per column what was written for a protected value that is not a plain column.
  std::map<std::size_t, pg::Node> written;
  std::vector<Derived*> parts;  ///< of a set operation
  Nodes* rows = nullptr;        ///< of VALUES: its rows
  bool unordered = false;       ///< nothing else in it refers to its columns
  bool columns_known = true;    ///< false: some `*` over a relation that is not in the snapshot
  /// From this place on the positions are not certain.
  std::optional<std::size_t> unknown_from;
  Level* level = nullptr;                       ///< in which its outputs are written
  Nodes* targets = nullptr;                     ///< where a further output can be appended
  bool can_export = false;                      ///< appending an output does not change the rows
  std::map<std::size_t, std::string> exported;  ///< column to the name of its index output

  [[nodiscard]] bool any_secret() const;
};

/// One FROM item, or the target of a write.
struct Item {
  std::string schema;  ///< as written or resolved; only for relations without alias
  std::string name;    ///< alias or relation name; empty for a join without alias
  bool aliased = false;
  const Relation* relation = nullptr;
  Derived* derived = nullptr;
  bool columns_known = true;
  bool is_join = false;
  bool nullable = false;       ///< an outer join may give NULL for all of it
  bool merges = false;         ///< a join with USING or NATURAL columns, here or below
  pg::Alias* alias = nullptr;  ///< of VALUES in FROM: where further columns can be named
  bool constants = false;      ///< a function whose rows may hold literals or parameters
  std::vector<Item*> parts;    ///< of a join: its items from left to right
  std::vector<ItemColumn> columns;

  /// A protected relation, or something that carries protected values.
  [[nodiscard]] bool concerns() const;
};

/// PostgreSQL's ParseNamespaceItem.
struct Visible {
  Item* item = nullptr;
  bool by_name = true;    ///< item.column
  bool by_column = true;  ///< column alone, and `*`
};

struct Cte {
  std::string name;
  Derived* derived = nullptr;  ///< null while not analysed (forward or self reference)
};

/// The common table expressions in force.
struct Env {
  const Env* outer = nullptr;
  std::vector<Cte*> ctes;
};

/// A GROUP BY expression that gives a protected value.
struct GroupKey {
  pg::Node written;
  Source source;            ///< of a plain column
  bool determined = false;  ///< by a key of its table that is grouped by as well
};

/// One query level.
struct Level {
  const Level* outer = nullptr;
  const Env* env = nullptr;
  std::vector<Visible> names;
  /// Provisional slots one of which the column equals in every row of this level's result.
  std::map<std::pair<const Item*, std::size_t>, std::vector<int>> found_by;
  std::map<int, GroupKey> groups;  ///< by place in GROUP BY
  Nodes* group_clause = nullptr;   ///< where more can be grouped by; null without GROUP BY
  int groups_written = 0;          ///< how many of them the client wrote

  [[nodiscard]] const GroupKey* grouped_by(const Source& source) const;
  [[nodiscard]] const GroupKey* grouped_by(const pg::Node& written) const;
};

/// The answer to "what is this column reference".
struct Resolved {
  enum class Kind : std::uint8_t {
    kColumn,     ///< item and place (never a join)
    kPlain,      ///< a system column, or certainly not protected
    kUnknown,    ///< belongs to a relation that is not in the snapshot
    kWholeRow,   ///< item
    kMissing,    ///< no such column
    kAmbiguous,  ///< could be a protected column or one of an unknown relation
  };
  Kind kind = Kind::kMissing;
  Item* item = nullptr;
  std::size_t place = 0;
  const Level* level = nullptr;  ///< where it was found
  bool converted = false;        ///< the bare name must be qualified now

  [[nodiscard]] const ItemColumn& column() const { return item->columns[place]; }
  [[nodiscard]] bool secret() const { return kind == Kind::kColumn && column().secret(); }
};

bool is_system_column(std::string_view name);

/// The item a (schema.)name refers to from `level`; nullptr if none.
Item* find_item(const Level& level, std::string_view schema, std::string_view name,
                const Level** found = nullptr);
/// A reference without `*`.
Resolved resolve(const pg::ColumnRef& reference, const Level& level);
/// A bare column name.
Resolved resolve_name(std::string_view name, const Level& level);
const Cte* find_cte(const Env* env, std::string_view name);

}  // namespace theriac::rewrite
