// Query levels: clauses of SELECT in the order PostgreSQL analyses them, set operations, VALUES.
#include <algorithm>

#include "rewrite/limits.hpp"
#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kSortRemedy =
    "leave the order to the program, or order by an unprotected column";
constexpr std::string_view kGroupRemedy =
    "group by the table's primary key as well, or by an unprotected column";

bool is_plain_distinct(const Nodes& clause) {
  return clause.size() == 1 && clause.Get(0).node_case() == pg::Node::NODE_NOT_SET;
}

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

std::string_view set_operation_name(pg::SetOperation operation) {
  switch (operation) {
    case pg::SETOP_UNION:
      return "UNION";
    case pg::SETOP_INTERSECT:
      return "INTERSECT";
    default:
      return "EXCEPT";
  }
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
    // WHERE before the outputs, so that they know what found their rows.
    if (statement.has_where_clause() && !condition(*statement.mutable_where_clause(), level)) {
      return false;
    }
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
  if (!distinct_clause(*statement.mutable_distinct_clause(), level, use, result)) return false;
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
  result.can_export = statement.values_lists_size() == 0 && statement.group_clause_size() == 0 &&
                      !statement.has_having_clause() &&
                      !is_plain_distinct(statement.distinct_clause());
  return true;
}

bool Rewriter::values(pg::SelectStmt& statement, Level& level, Derived& result) {
  int width = 0;
  for (auto& row : *statement.mutable_values_lists()) {
    if (!row.has_list()) return refuse_state("0A000", "this kind of VALUES", "use plain rows");
    width = row.list().items_size();
    for (auto& item : *row.mutable_list()->mutable_items()) {
      if (!expression(item, level, "VALUES")) return false;
    }
  }
  for (int i = 0; i < width; ++i) {
    ItemColumn column;
    column.name = "column" + std::to_string(i + 1);
    column.is_null = std::all_of(
        statement.values_lists().begin(), statement.values_lists().end(), [&](const pg::Node& row) {
          return row.list().items_size() > i && is_null(row.list().items(i));
        });
    result.columns.push_back(std::move(column));
    result.sources.emplace_back();
  }
  return true;
}

bool Rewriter::set_operation(pg::SelectStmt& statement, const Level* outer, const Env* env, Use use,
                             Derived& result) {
  Derived* left = nullptr;
  Derived* right = nullptr;
  if (!select(*statement.mutable_larg(), outer, env, use, left) ||
      !select(*statement.mutable_rarg(), outer, env, use, right)) {
    return false;
  }
  if (!combine(statement, *left, *right, result)) return false;
  // ORDER BY of a set operation knows outputs only.
  auto& level = new_level(outer, env);
  if (!sort_clause(*statement.mutable_sort_clause(), level, result, "ORDER BY")) return false;
  if (statement.has_limit_count() &&
      !expression(*statement.mutable_limit_count(), level, "LIMIT")) {
    return false;
  }
  return !statement.has_limit_offset() ||
         expression(*statement.mutable_limit_offset(), level, "OFFSET");
}

bool Rewriter::combine(const pg::SelectStmt& statement, const Derived& left, const Derived& right,
                       Derived& result) {
  const auto name = set_operation_name(statement.op());
  const auto* secret = left.any_secret() ? &left : right.any_secret() ? &right : nullptr;
  result.columns = left.columns;
  result.columns_known = left.columns_known && right.columns_known;
  result.sources.resize(result.columns.size());
  if (secret == nullptr) return true;
  const auto first = std::find_if(secret->columns.begin(), secret->columns.end(),
                                  [](const ItemColumn& one) { return one.secret(); });
  if (!result.columns_known || left.columns.size() != right.columns.size()) {
    return refuse(*first, name, "name the columns of both sides");
  }
  for (std::size_t i = 0; i < left.columns.size(); ++i) {
    const auto& a = left.columns[i];
    const auto& b = right.columns[i];
    auto& made = result.columns[i];
    if (!a.secret() && !b.secret()) continue;
    const auto& origin = a.secret() ? a : b;
    const auto& other = a.secret() ? b : a;
    made.found_by.clear();
    if (origin.as_index && other.as_index) {
      if (!same_domain(a, b)) return false;
      continue;
    }
    // Sealed bytes differ from row to row, so only UNION ALL can put rows together.
    const bool all = statement.op() == pg::SETOP_UNION && statement.all();
    const bool same = other.is_null || (a.column == b.column && a.with_row == b.with_row &&
                                        a.as_index == b.as_index);
    if (!all || !same || origin.as_index) {
      return refuse(origin, name,
                    "use UNION ALL of the same column, or send the selects one after the other");
    }
    made.relation = origin.relation;
    made.column = origin.column;
    made.with_row = origin.with_row;
    made.is_null = false;
  }
  return true;
}

bool Rewriter::is_grouped_by_key(const Nodes& list, const Level& level, const Derived& result,
                                 const Item& item) {
  if (item.relation == nullptr) return false;
  std::vector<std::int16_t> grouped;
  for (const auto& node : list) {
    if (const auto place = position_of(node)) {
      if (*place >= result.columns.size() || result.columns[*place].secret()) continue;
      const auto& source = result.sources[*place];
      if (source.item != &item) continue;
      grouped.push_back(item.columns[source.place].column->attribute);
      continue;
    }
    if (!node.has_column_ref() || is_star(node.column_ref())) continue;
    const auto found = resolve(node.column_ref(), level);
    if (found.kind == Resolved::Kind::kColumn && found.item == &item && !found.secret()) {
      grouped.push_back(found.column().column->attribute);
    }
  }
  return std::any_of(
      item.relation->keys.begin(), item.relation->keys.end(),
      [&](const std::vector<std::int16_t>& key) {
        return !key.empty() && std::all_of(key.begin(), key.end(), [&](std::int16_t attribute) {
          return std::find(grouped.begin(), grouped.end(), attribute) != grouped.end();
        });
      });
}

bool Rewriter::group_clause(Nodes& list, Level& level, const Derived& result) {
  for (auto& node : list) {
    straighten(node, level);
    if (const auto place = position_of(node)) {
      if (*place < result.columns.size() && result.columns[*place].secret()) {
        const auto& source = result.sources[*place];
        if (source.item == nullptr || !is_grouped_by_key(list, level, result, *source.item)) {
          return refuse(result.columns[*place], "GROUP BY", kGroupRemedy);
        }
      }
      continue;
    }
    if (node.has_column_ref() && !is_star(node.column_ref())) {
      const auto found = resolve(node.column_ref(), level);
      if (found.secret()) {
        // One row for each key: grouping by the sealed value changes nothing then.
        if (!is_grouped_by_key(list, level, result, *found.item)) {
          return refuse(found.column(), "GROUP BY", kGroupRemedy);
        }
        ItemColumn ignored;
        if (!output(found, level, Use::kRows, node, ignored)) return false;
        continue;
      }
      const auto name = bare_name(node);
      if (!name.empty() && found.kind != Resolved::Kind::kColumn &&
          found.kind != Resolved::Kind::kPlain) {
        // An output's name; only if it is no column.
        if (const auto* named = output_named(result, name)) {
          if (named->secret()) return refuse(*named, "GROUP BY", kGroupRemedy);
          continue;
        }
      }
    }
    if (!expression(node, level, "GROUP BY")) return false;
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
      continue;
    }
    if (!expression(sorted, level, construct)) return false;
  }
  return true;
}

bool Rewriter::distinct_clause(Nodes& list, Level& level, Use use, const Derived& result) {
  if (list.empty()) return true;
  if (!is_plain_distinct(list)) return sort_clause(list, level, result, "DISTINCT ON");
  if (use == Use::kExists) return true;
  for (const auto& column : result.columns) {
    if (column.secret() && !column.as_index) {
      return refuse(column, "DISTINCT",
                    "select distinct keys, or let the program drop the repetitions");
    }
  }
  return true;
}

bool Rewriter::returning(Nodes& list, Level& level, Derived& result) {
  if (!targets(list, level, Use::kRows, result)) return false;
  result.level = &level;
  result.targets = &list;
  result.can_export = !list.empty();
  return true;
}

}  // namespace theriac::rewrite
