// The protected form of a view: each column that gives a protected value becomes NULL of its type,
// and helper columns are added at the end, as a protected table has them: theriac_sealed_v<place>,
// and theriac_index_v<place> (and theriac_index_v<place>_<search>) where the column can be
// searched. `place` is the column's attribute number, so that renames do not matter. The values of
// a table that is bound to its rows come with the row identity in front, as Output::with_row_id
// says.
//
// The view keeps its columns, names, types and order: CREATE OR REPLACE VIEW takes the new text,
// and what depends on the view, its grants and comments stay. Pure.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

struct ViewColumn {
  std::string name;
  std::int16_t attribute = 0;
  std::string null_sql;  ///< SQL of NULL of its type, modifier and collation
};

struct ViewForm {
  std::string sql;      ///< the SELECT, without semicolon
  bool edited = false;  ///< false: it reads no protected column, and may stay as it is
  /// Columns of tables whose values the view's conditions, groups or joins compare.
  std::vector<ColumnId> compared;
  struct Helped {
    std::int16_t attribute = 0;
    std::vector<ViewOrigin> origins;  ///< columns of tables, never of views
    bool searchable = false;
    std::vector<std::string> searches;
  };
  std::vector<Helped> columns;       ///< those that give protected values
  std::vector<std::string> helpers;  ///< names of the added columns, in their order
};

/// Bytes for a slot that stands for a literal of the view: sealed, or its blind index. nullopt:
/// NULL.
using ViewLiteral = std::function<Result<std::optional<Bytes>>(const Slot&)>;

/// The form of a view defined by `select` (one SELECT; names resolved with `context`) in a database
/// as `catalogue` says. `columns`: the view's, in order, without helpers. `standing`: helpers that
/// the view has already, which keep their places. Without `literal` a view whose text addresses a
/// literal to a protected column is refused.
tl::expected<ViewForm, Refusal> view_form(std::string_view select, const Catalogue& catalogue,
                                          const Context& context,
                                          const std::vector<ViewColumn>& columns,
                                          const std::vector<std::string>& standing,
                                          const ViewLiteral& literal);

/// Why a view with this query has no form; nullopt: it has, as far as its text says. `checked`:
/// WITH CHECK OPTION.
std::optional<Refusal> view_refusal(const pg::Node& query, const Catalogue& catalogue,
                                    const Context& context, bool checked);

/// The columns that making a view with this query is a use of: who may not compare them may not
/// have a view do it.
void view_uses(const pg::Node& query, const Catalogue& catalogue, const Context& context,
               Statement& out);

/// Where a view's columns come from, if `definition` (one SELECT) reads one relation and no more.
struct ViewSource {
  std::string schema;  ///< empty if the text names none
  std::string relation;
  std::vector<std::pair<std::string, std::string>> columns;  ///< of the view, of the relation
};
std::optional<ViewSource> view_source(std::string_view definition);

}  // namespace theriac::rewrite
