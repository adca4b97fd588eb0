// Query levels: clauses of SELECT in the order PostgreSQL analyses them, set operations, VALUES.
#include <algorithm>

#include "rewrite/limits.hpp"
#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kSortRemedy =
    "leave the order to the program, or order by an unprotected column";

/// GROUP BY and ORDER BY 2: the output's place.
std::optional<std::size_t> position_of(const pg::Node& node) {
  if (!node.has_a_const() || !node.a_const().has_ival()) return std::nullopt;
  const int value = node.a_const().ival().ival();
  return value > 0 ? std::optional(static_cast<std::size_t>(value) - 1) : std::nullopt;
}

std::string_view bare_name(const pg::Node& node) {
  if (!node.has_column_ref() || node.column_ref().fields_size() != 1) return {};
  return string_of(node.column_ref().fields(0));
}

const ItemColumn* output_named(const Derived& result, std::string_view name) {
  for (const auto& column : result.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

}  // namespace

bool Rewriter::select(pg::SelectStmt& statement, const Level* outer, const Env* env, Use use,
                      Derived*& result) {
  if (++depth_ > kAnalysisDepthMax) {
    return refuse_state("54001", "a statement nested this deep", "nest less");
  }
  result = &new_derived();
  auto& own = new_env(env);
  bool good = true;
  if (statement.has_with_clause()) good = with_clause(*statement.mutable_with_clause(), outer, own);
  if (good && statement.has_into_clause()) has_into_ = true;
  if (good) {
    good = statement.op() == pg::SETOP_NONE ? select_level(statement, outer, &own, use, *result)
                                            : set_operation(statement, outer, &own, use, *result);
  }
  --depth_;
  return good;
}

bool Rewriter::select_level(pg::SelectStmt& statement, const Level* outer, const Env* env, Use use,
                            Derived& result) {
  auto& level = new_level(outer, env);
  if (statement.values_lists_size() > 0) {
    if (!values(statement, level, result)) return false;
  } else {
    if (!from_clause(*statement.mutable_from_clause(), level)) return false;
    if (inserting_ == &statement && !carry_inserted(statement, level)) return false;
    // WHERE before the outputs, so that they know what found their rows.
    if (statement.has_where_clause() && !condition(*statement.mutable_where_clause(), level)) {
      return false;
    }
    if (!note_groups(statement, level)) return false;
    if (!targets(*statement.mutable_target_list(), level, use, result)) return false;
  }
  if (!group_clause(*statement.mutable_group_clause(), level, result)) return false;
  if (statement.has_having_clause() &&
      !expression(*statement.mutable_having_clause(), level, "HAVING")) {
    return false;
  }
  for (auto& window : *statement.mutable_window_clause()) {
    if (!expression(window, level, "a window")) return false;
  }
  if (!sort_clause(*statement.mutable_sort_clause(), level, result, "ORDER BY")) return false;
  if (!distinct_clause(statement, level, use, result)) return false;
  if (statement.has_limit_count() &&
      !expression(*statement.mutable_limit_count(), level, "LIMIT")) {
    return false;
  }
  if (statement.has_limit_offset() &&
      !expression(*statement.mutable_limit_offset(), level, "OFFSET")) {
    return false;
  }
  result.level = &level;
  result.targets = statement.mutable_target_list();
  if (statement.values_lists_size() > 0) result.rows = statement.mutable_values_lists();
  result.unordered = statement.sort_clause_size() == 0 && statement.group_clause_size() == 0 &&
                     statement.distinct_clause_size() == 0;
  result.can_export = statement.values_lists_size() == 0;
  return true;
}

bool Rewriter::values(pg::SelectStmt& statement, Level& level, Derived& result) {
  const int width = statement.values_lists(0).list().items_size();
  for (auto& row : *statement.mutable_values_lists()) {
    if (!row.has_list()) return refuse_state("0A000", "this kind of VALUES", "use plain rows");
    if (row.list().items_size() != width) {
      return refuse_state("42601", "VALUES lists must all be the same length", {});
    }
    for (auto& item : *row.mutable_list()->mutable_items()) {
      if (!expression(item, level, "VALUES")) return false;
    }
  }
  for (int i = 0; i < width; ++i) {
    ItemColumn column;
    column.name = "column" + std::to_string(i + 1);
    column.is_null = std::all_of(statement.values_lists().begin(), statement.values_lists().end(),
                                 [&](const pg::Node& row) { return is_null(row.list().items(i)); });
    result.columns.push_back(std::move(column));
    result.sources.emplace_back();
  }
  return true;
}

bool Rewriter::sort_clause(Nodes& list, Level& level, const Derived& result,
                           std::string_view construct) {
  for (auto& node : list) {
    auto& sorted = node.has_sort_by() ? *node.mutable_sort_by()->mutable_node() : node;
    straighten(sorted, level);
    if (const auto place = position_of(sorted)) {
      if (*place < result.columns.size() && result.columns[*place].secret()) {
        return refuse(result.columns[*place], construct, kSortRemedy);
      }
      if (*place < result.columns.size() && !orders(result.columns[*place], construct)) {
        return false;
      }
      if (*place >= result.columns.size() && result.any_secret() && !result.columns_known) {
        return refuse(*std::find_if(result.columns.begin(), result.columns.end(),
                                    [](const ItemColumn& one) { return one.secret(); }),
                      construct, kSortRemedy);
      }
      continue;
    }
    // A bare name means an output first.
    const auto name = bare_name(sorted);
    if (const auto* named = name.empty() ? nullptr : output_named(result, name)) {
      if (named->secret()) return refuse(*named, construct, kSortRemedy);
      if (!orders(*named, construct)) return false;
      continue;
    }
    if (!expression(sorted, level, construct)) return false;
  }
  return true;
}

/// False: a row with protected fields has no order here.
bool Rewriter::orders(const ItemColumn& column, std::string_view construct) {
  return !column.row || column.row->empty() ||
         refuse(column.row->front().second, construct, kSortRemedy);
}

bool Rewriter::returning(Nodes& list, Level& level, Derived& result) {
  if (!targets(list, level, Use::kRows, result)) return false;
  result.level = &level;
  result.targets = &list;
  result.can_export = !list.empty();
  return true;
}

}  // namespace theriac::rewrite
