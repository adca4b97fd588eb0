// FROM items and joins.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kJoinRemedy =
    "write the join with ON and compare the columns one by one";

std::string name_of_function(const pg::RangeFunction& function) {
  if (function.functions_size() == 0) return {};
  const auto& first = function.functions(0).list();
  return first.items_size() == 0 ? std::string{} : column_name_of(first.items(0));
}

std::size_t count_named(const Item& item, std::string_view name, std::size_t& place) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < item.columns.size(); ++i) {
    if (item.columns[i].name != name) continue;
    place = i;
    ++count;
  }
  return count;
}

/// The item and place a column really has; a merged column of a FULL JOIN has none.
Source home_of(Item& item, std::size_t place) {
  if (!item.is_join) return {&item, place};
  return {item.columns[place].home, item.columns[place].place};
}

bool concerns(const std::vector<Visible>& names) {
  return std::any_of(names.begin(), names.end(),
                     [](const Visible& one) { return one.item->concerns(); });
}

void may_be_null(const std::vector<Visible>& names) {
  for (const auto& one : names) one.item->nullable = true;
}

}  // namespace

void Rewriter::rename_columns(const pg::Alias& alias, Item& item) {
  const auto count = std::min(item.columns.size(), static_cast<std::size_t>(alias.colnames_size()));
  for (std::size_t i = 0; i < count; ++i) {
    item.columns[i].name = string_of(alias.colnames(static_cast<int>(i)));
  }
}

bool Rewriter::protected_item(pg::RangeVar& range, Item& item) {
  touched_ = true;
  if (item.relation->kind != 'r' && item.relation->kind != 'p' && !item.relation->is_view()) {
    return refuse(item.relation, nullptr, "a foreign or other special relation",
                  "protect tables only");
  }
  if (!range.has_alias() || range.alias().colnames_size() == 0) return true;
  // An alias list counts the helpers too: give those their own names, in their places.
  auto& alias = *range.mutable_alias();
  const Nodes given = alias.colnames();
  if (static_cast<std::size_t>(given.size()) > item.columns.size()) {
    return refuse_state("42P10", "an alias list longer than the table", "name fewer columns");
  }
  Nodes all;
  int used = 0;
  for (const auto& column : item.relation->columns) {
    if (used == given.size()) break;
    make_string(*all.Add(), column.helper ? column.name : string_of(given.Get(used++)));
  }
  if (all.size() != given.size()) edited_ = true;
  *alias.mutable_colnames() = all;
  Nodes named = given;
  for (int i = 0; i < named.size(); ++i) {
    item.columns[static_cast<std::size_t>(i)].name = string_of(named.Get(i));
  }
  return true;
}

Item* Rewriter::derived_item(Derived& derived, const pg::Alias& alias) {
  auto& item = new_item();
  item.name = alias.aliasname();
  item.aliased = true;
  item.derived = &derived;
  item.columns = derived.columns;
  item.columns_known = derived.columns_known;
  rename_columns(alias, item);
  return &item;
}

bool Rewriter::relation_item(pg::RangeVar& range, const Level& level, bool target, Item*& item) {
  if (!target && range.schemaname().empty()) {
    if (const auto* cte = find_cte(level.env, range.relname())) {
      if (cte->derived == nullptr) {
        return refuse_state("0A000", "a common table expression used before its definition",
                            "write it after those it uses, without RECURSIVE");
      }
      pg::Alias alias = range.alias();
      if (!range.has_alias()) alias.set_aliasname(range.relname());
      item = derived_item(*cte->derived, alias);
      item->aliased = true;
      return true;
    }
  }
  item = &new_item();
  const auto* relation = catalogue_.find(range.schemaname(), range.relname(), context_.search_path);
  if (relation == nullptr && range.schemaname().empty()) {
    // Were it to mean a protected table after all, what is said about it must not go out.
    for (const auto& one : catalogue_.relations()) {
      if (one.name == range.relname() &&
          (one.is_protected() || one.reads_protected || one.recreated)) {
        return refuse_state("42P01", "a table that the search path does not lead to",
                            "name its schema");
      }
    }
  }
  item->relation = relation;
  item->schema = relation != nullptr ? relation->schema : range.schemaname();
  item->aliased = range.has_alias();
  item->name = item->aliased ? range.alias().aliasname() : range.relname();
  item->columns_known = relation != nullptr;
  if (relation == nullptr) return true;
  if (relation->reads_protected) {
    touched_ = true;
    return refuse(relation, nullptr, "a view that reads protected columns",
                  "select from the tables themselves");
  }
  for (const auto& column : relation->columns) {
    if (column.helper) continue;
    ItemColumn made;
    made.name = column.name;
    made.relation = relation;
    made.column = &column;
    made.type = column.type;
    if (relation->is_view() && made.secret()) add_view_origins(made);
    item->columns.push_back(std::move(made));
  }
  for (const auto& [oid, attribute] : relation->compared) {
    const auto* base = catalogue_.find(oid);
    const auto* column = base == nullptr ? nullptr : base->find_attribute(attribute);
    // Edited: what is forwarded is asked for no rights.
    touched_ = edited_ = true;
    if (column != nullptr && column->protection) note_compared(*column);
  }
  if (relation->is_protected()) return protected_item(range, *item);
  if (range.has_alias()) rename_columns(range.alias(), *item);
  return true;
}

void Rewriter::add_view_origins(ItemColumn& column) const {
  const auto& origins = column.column->protection->origins;
  if (origins.empty()) return;
  column.with_row = origins.front().with_row;
  for (std::size_t i = 1; i < origins.size(); ++i) {
    const auto* relation = catalogue_.find(origins[i].relation_oid);
    const auto* base =
        relation == nullptr ? nullptr : relation->find_attribute(origins[i].attribute);
    if (base != nullptr) column.also.push_back({relation, base, origins[i].with_row});
  }
}

bool Rewriter::from_clause(Nodes& from, Level& level) {
  for (auto& node : from) {
    std::vector<Visible> names;
    Item* provider = nullptr;
    if (!from_item(node, level, level.names, names, provider)) return false;
    level.names.insert(level.names.end(), names.begin(), names.end());
  }
  return true;
}

bool Rewriter::from_item(pg::Node& node, Level& level, const std::vector<Visible>& lateral,
                         std::vector<Visible>& names, Item*& provider) {
  auto& beside = new_level(level.outer, level.env);
  beside.names = lateral;
  switch (node.node_case()) {
    case pg::Node::kRangeVar:
      if (!relation_item(*node.mutable_range_var(), level, false, provider)) return false;
      break;
    case pg::Node::kRangeSubselect: {
      auto& range = *node.mutable_range_subselect();
      const Level* outer = range.lateral() ? &beside : level.outer;
      Derived* derived = nullptr;
      if (!range.subquery().has_select_stmt()) {
        return refuse_state("0A000", "this kind of sub-select", "use SELECT");
      }
      if (!select(*range.mutable_subquery()->mutable_select_stmt(), outer, level.env, Use::kRows,
                  derived)) {
        return false;
      }
      provider = derived_item(*derived, range.alias());
      if (derived->rows != nullptr) provider->alias = range.mutable_alias();
      break;
    }
    case pg::Node::kRangeFunction: {
      auto& function = *node.mutable_range_function();
      const bool constants = shows_constants_below(function, beside);
      for (auto& one : *function.mutable_functions()) {
        // Each is a list: the call, then possibly column definitions.
        if (!one.has_list() || one.list().items_size() == 0) continue;
        if (!expression(*one.mutable_list()->mutable_items(0), beside, "a function in FROM")) {
          return false;
        }
      }
      provider = &new_item();
      provider->name = function.has_alias() && !function.alias().aliasname().empty()
                           ? function.alias().aliasname()
                           : name_of_function(function);
      provider->aliased = true;
      provider->columns_known = false;
      provider->constants = constants;
      break;
    }
    case pg::Node::kRangeTableFunc: {
      auto& table = *node.mutable_range_table_func();
      const bool constants = shows_constants_below(table, beside);
      if (!children(table, beside, "XMLTABLE")) return false;
      provider = &new_item();
      provider->name = table.has_alias() ? table.alias().aliasname() : "xmltable";
      provider->aliased = true;
      provider->columns_known = false;
      provider->constants = constants;
      break;
    }
    case pg::Node::kRangeTableSample: {
      auto& sample = *node.mutable_range_table_sample();
      for (auto& one : *sample.mutable_args()) {
        if (!expression(one, beside, "TABLESAMPLE")) return false;
      }
      if (sample.has_repeatable() &&
          !expression(*sample.mutable_repeatable(), beside, "TABLESAMPLE")) {
        return false;
      }
      return from_item(*sample.mutable_relation(), level, lateral, names, provider);
    }
    case pg::Node::kJoinExpr:
      return join_item(*node.mutable_join_expr(), level, lateral, names, provider);
    default:
      return refuse_state("0A000", "this kind of FROM item", "use tables, sub-selects and joins");
  }
  names.push_back({provider, true, true});
  return true;
}

bool Rewriter::natural_columns(pg::JoinExpr& join, const Item& left, const Item& right,
                               bool concerned, bool& columns_known) {
  columns_known = left.columns_known && right.columns_known;
  if (concerned && !columns_known) {
    return refuse_item(left.concerns() ? left : right, "NATURAL JOIN with an unknown relation",
                       kJoinRemedy);
  }
  if (!columns_known) return true;
  Nodes common;
  for (const auto& column : left.columns) {
    std::size_t place = 0;
    if (count_named(right, column.name, place) > 0) make_string(*common.Add(), column.name);
  }
  if (!concerned) {
    // Left as it is; the list only tells which columns merge.
    *join.mutable_using_clause() = common;
    return true;
  }
  edited_ = true;
  join.set_is_natural(false);
  *join.mutable_using_clause() = common;
  if (common.empty()) make_true(*join.mutable_quals());
  return true;
}

bool Rewriter::using_columns(pg::JoinExpr& join, Item& left, Item& right, Item& made, Level& on) {
  std::vector<Source> rights;
  bool convert = false;
  for (const auto& node : join.using_clause()) {
    const auto name = string_of(node);
    std::size_t l = 0;
    std::size_t r = 0;
    const auto lefts = count_named(left, name, l);
    const auto matches = count_named(right, name, r);
    ItemColumn merged;
    merged.name = name;
    merged.merged = true;
    const auto in_left = lefts == 1 ? home_of(left, l) : Source{};
    const auto in_right = matches == 1 ? home_of(right, r) : Source{};
    const bool use_right = join.jointype() == pg::JOIN_RIGHT;
    const auto kept = use_right ? in_right : in_left;
    merged.home = join.jointype() == pg::JOIN_FULL ? nullptr : kept.item;
    merged.place = kept.place;
    const auto is_secret = [](const Source& source) {
      return source.item != nullptr && source.item->columns[source.place].secret();
    };
    if (is_secret(in_left) || is_secret(in_right)) {
      const auto& secret = is_secret(in_left) ? in_left : in_right;
      if (!is_secret(in_left) || !is_secret(in_right)) {
        return refuse(secret.item->columns[secret.place],
                      "USING or NATURAL JOIN with an unprotected column",
                      "protect both columns in one domain, or join by other columns");
      }
      if (join.jointype() == pg::JOIN_FULL) {
        return refuse(secret.item->columns[secret.place], "FULL JOIN USING", kJoinRemedy);
      }
      convert = true;
    }
    // Of the origin only what is certain: a merged value may be converted to a common type.
    if (kept.item != nullptr && merged.home != nullptr) {
      const auto& origin = kept.item->columns[kept.place];
      merged.relation = origin.relation;
      merged.column = origin.column;
      merged.with_row = origin.with_row;
      merged.also = origin.also;
      merged.type = origin.type;
    }
    made.columns.push_back(merged);
    rights.push_back(use_right ? in_left : in_right);
  }
  return !convert || using_as_condition(join, made, rights, on);
}

bool Rewriter::using_as_condition(pg::JoinExpr& join, Item& made, const std::vector<Source>& others,
                                  Level& on) {
  const auto secret = std::find_if(made.columns.begin(), made.columns.end(),
                                   [](const ItemColumn& one) { return one.secret(); });
  if (join.has_join_using_alias()) return refuse(*secret, "an alias of JOIN USING", kJoinRemedy);
  pg::Node all;
  auto& conjunction = *all.mutable_bool_expr();
  conjunction.set_boolop(pg::AND_EXPR);
  for (std::size_t i = 0; i < made.columns.size(); ++i) {
    auto& merged = made.columns[i];
    const auto& other = others[i];
    if (merged.home == nullptr || other.item == nullptr) {
      return refuse(*secret, "USING with a column that is not known", kJoinRemedy);
    }
    const auto& left = merged.home->columns[merged.place];
    const auto& right = other.item->columns[other.place];
    pg::Node one;
    pg::Node two;
    if (merged.secret()) {
      if (!same_domain(left, right)) return false;
      if (!index_reference({Resolved::Kind::kColumn, merged.home, merged.place, &on, false}, on,
                           one) ||
          !index_reference({Resolved::Kind::kColumn, other.item, other.place, &on, false}, on,
                           two)) {
        return false;
      }
    } else {
      // USING gives the common type of both; ON does not, so they must have the same.
      if (left.column == nullptr || right.column == nullptr ||
          left.column->type.oid != right.column->type.oid) {
        return refuse(*secret, "USING of columns of different types", kJoinRemedy);
      }
      if (!reference(*merged.home, left.name, on, one) ||
          !reference(*other.item, right.name, on, two)) {
        return false;
      }
    }
    merged.converted = true;
    make_operator(*conjunction.add_args(), pg::AEXPR_OP, "=", one, two);
  }
  edited_ = true;
  join.clear_using_clause();
  *join.mutable_quals() = conjunction.args_size() == 1 ? conjunction.args(0) : all;
  return true;
}

bool Rewriter::join_item(pg::JoinExpr& join, Level& level, const std::vector<Visible>& lateral,
                         std::vector<Visible>& names, Item*& provider) {
  Item* left = nullptr;
  Item* right = nullptr;
  std::vector<Visible> inner;
  if (!from_item(*join.mutable_larg(), level, lateral, inner, left)) return false;
  auto beside = lateral;
  beside.insert(beside.end(), inner.begin(), inner.end());
  std::vector<Visible> more;
  if (!from_item(*join.mutable_rarg(), level, beside, more, right)) return false;
  const auto type = join.jointype();
  if (type == pg::JOIN_RIGHT || type == pg::JOIN_FULL) may_be_null(inner);
  if (type == pg::JOIN_LEFT || type == pg::JOIN_FULL) may_be_null(more);
  inner.insert(inner.end(), more.begin(), more.end());

  auto& on = new_level(level.outer, level.env);
  on.names = inner;
  auto& made = new_item();
  made.is_join = true;
  made.columns_known = left->columns_known && right->columns_known;
  const bool concerned = concerns(inner);
  const bool was_natural = join.is_natural();
  const bool has_condition = join.has_quals();
  bool known = true;
  if (was_natural && !natural_columns(join, *left, *right, concerned, known)) return false;
  const Nodes merged = join.using_clause();
  if (!using_columns(join, *left, *right, made, on)) return false;
  if (was_natural && join.is_natural()) join.clear_using_clause();
  made.merges = left->merges || right->merges || !made.columns.empty() || !known;
  const auto is_merged = [&](const ItemColumn& column) {
    return std::any_of(merged.begin(), merged.end(),
                       [&](const pg::Node& node) { return string_of(node) == column.name; });
  };
  for (auto* side : {left, right}) {
    for (std::size_t i = 0; i < side->columns.size(); ++i) {
      if (is_merged(side->columns[i])) continue;
      ItemColumn column = side->columns[i];
      const auto home = home_of(*side, i);
      column.home = home.item;
      column.place = home.place;
      made.columns.push_back(std::move(column));
    }
    if (side->is_join && !side->aliased) {
      made.parts.insert(made.parts.end(), side->parts.begin(), side->parts.end());
    } else {
      made.parts.push_back(side);
    }
  }
  if (has_condition && !condition(*join.mutable_quals(), on)) return false;
  if (join.has_join_using_alias()) {
    auto& only_merged = new_item();
    only_merged.name = join.join_using_alias().aliasname();
    only_merged.aliased = true;
    only_merged.is_join = true;
    for (const auto& column : made.columns) {
      if (column.merged) only_merged.columns.push_back(column);
    }
    names.push_back({&only_merged, true, false});
  }
  for (auto& visible : inner) visible.by_column = false;
  if (join.has_alias()) {
    if (concerned) {
      return refuse_item(left->concerns() ? *left : *right, "an alias of a join", kJoinRemedy);
    }
    made.name = join.alias().aliasname();
    made.aliased = true;
    rename_columns(join.alias(), made);
    for (auto& visible : inner) visible.by_name = false;
  }
  names.insert(names.end(), inner.begin(), inner.end());
  names.push_back({&made, made.aliased, true});
  provider = &made;
  return true;
}

}  // namespace theriac::rewrite
