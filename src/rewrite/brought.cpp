// Literals and parameters that a protected column gets from elsewhere in the statement: from VALUES
// in FROM, a common table expression, a function. The server would see them in clear.
//
// Only a value that comes from no constant, or from one that became a sealed value first (carry()),
// may be read from the server and sealed. Whatever is not known to be free of constants is held to
// have some.
#include <algorithm>

#include "rewrite/rewriter.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {

bool Rewriter::shows_constants(const pg::Node& node, const Level& level) {
  switch (node.node_case()) {
    case pg::Node::kAConst:
      return !node.a_const().isnull();
    case pg::Node::kParamRef:
      return true;
    case pg::Node::kColumnRef:
      return brings_constants(node.column_ref(), level);
    case pg::Node::kWindowDef:
      return false;
    case pg::Node::kTypeCast:
      return shows_constants(node.type_cast().arg(), level);
    case pg::Node::kSubLink:
      return shows_constants(node.sub_link().subselect().select_stmt(), level);
    case pg::Node::kCaseExpr: {
      const auto& choice = node.case_expr();
      return shows_constants(choice.defresult(), level) ||
             std::any_of(choice.args().begin(), choice.args().end(), [&](const pg::Node& one) {
               return shows_constants(one.case_when().result(), level);
             });
    }
    case pg::Node::kFuncCall: {
      const auto name = last_name(node.func_call().funcname());
      if (name == "nextval" || name == "currval") return false;
      break;
    }
    default:
      break;
  }
  const auto* content = inside(node);
  return content != nullptr && shows_constants_below(*content, level);
}

bool Rewriter::shows_constants_below(const Message& message, const Level& level) {
  bool any = false;
  each_message(message, shape_of(message),
               [&](const Message& child, const Shape& its, const FieldDescriptor*) {
                 any = any ||
                       (its.is_node ? shows_constants(static_cast<const pg::Node&>(child), level)
                                    : shows_constants_below(child, level));
               });
  return any;
}

bool Rewriter::from_shows_constants(const pg::Node& node, const Level& level) {
  switch (node.node_case()) {
    case pg::Node::kRangeVar: {
      const auto& range = node.range_var();
      const auto* cte = range.schemaname().empty() ? find_cte(level.env, range.relname()) : nullptr;
      return cte != nullptr && (cte->derived == nullptr || brings_constants(*cte->derived));
    }
    case pg::Node::kRangeSubselect:
      return shows_constants(node.range_subselect().subquery().select_stmt(), level);
    case pg::Node::kJoinExpr:
      return from_shows_constants(node.join_expr().larg(), level) ||
             from_shows_constants(node.join_expr().rarg(), level);
    case pg::Node::kRangeTableSample:
      return from_shows_constants(node.range_table_sample().relation(), level);
    default:
      return shows_constants_below(*inside(node), level);
  }
}

/// Names in a sub-select are looked up outside of it: those that mean something inside can only
/// make the answer yes.
bool Rewriter::shows_constants(const pg::SelectStmt& query, const Level& level) {
  if (query.op() != pg::SETOP_NONE) {
    return shows_constants(query.larg(), level) || shows_constants(query.rarg(), level);
  }
  const auto any_of = [&](const Nodes& list, const auto& shows) {
    return std::any_of(list.begin(), list.end(), shows);
  };
  return any_of(
             query.target_list(),
             [&](const pg::Node& one) { return shows_constants(one.res_target().val(), level); }) ||
         any_of(query.values_lists(),
                [&](const pg::Node& one) { return shows_constants(one, level); }) ||
         any_of(query.from_clause(),
                [&](const pg::Node& one) { return from_shows_constants(one, level); }) ||
         any_of(query.with_clause().ctes(), [&](const pg::Node& one) {
           const auto& inner = one.common_table_expr().ctequery();
           return !inner.has_select_stmt() || shows_constants(inner.select_stmt(), level);
         });
}

bool Rewriter::brings_constants(const pg::ColumnRef& reference, const Level& level) {
  if (is_star(reference)) {
    if (reference.fields_size() == 1) return false;  // count(*)
    const int last = reference.fields_size() - 2;
    const auto* item =
        find_item(level, last > 0 ? string_of(reference.fields(last - 1)) : std::string_view{},
                  string_of(reference.fields(last)));
    return item != nullptr && brings_constants(*item);
  }
  const auto found = resolve(reference, level);
  // An item further in whose columns are not known could own the name.
  for (const auto* in = &level;
       reference.fields_size() == 1 && found.level != nullptr && in != nullptr && in != found.level;
       in = in->outer) {
    for (const auto& visible : in->names) {
      if (!visible.item->columns_known && brings_constants(*visible.item)) return true;
    }
  }
  switch (found.kind) {
    case Resolved::Kind::kMissing:
      return false;
    case Resolved::Kind::kColumn:
      return found.item->derived != nullptr && !found.secret() &&
             brings_constants(*found.item->derived, found.place);
    case Resolved::Kind::kPlain:
      if (is_system_column(last_name(reference.fields()))) return false;
      break;
    default:
      break;
  }
  return found.item != nullptr ? brings_constants(*found.item) : any_brings_constants(level);
}

bool Rewriter::brings_constants(const Item& item) {
  if (item.constants) return true;
  if (item.derived != nullptr) return brings_constants(*item.derived);
  return std::any_of(item.parts.begin(), item.parts.end(),
                     [&](const Item* one) { return brings_constants(*one); });
}

bool Rewriter::any_brings_constants(const Level& level) {
  for (const auto* at = &level; at != nullptr; at = at->outer) {
    for (const auto& visible : at->names) {
      if (brings_constants(*visible.item)) return true;
    }
  }
  return false;
}

bool Rewriter::brings_constants(const Derived& derived) {
  for (std::size_t i = 0; i < derived.columns.size(); ++i) {
    if (!derived.columns[i].secret() && brings_constants(derived, i)) return true;
  }
  return !derived.columns_known &&
         (derived.level == nullptr || any_brings_constants(*derived.level));
}

bool Rewriter::brings_constants(const Derived& derived, std::size_t place) {
  // Once for each output: chains of common table expressions would double at each step.
  const auto [at, fresh] = brought_.try_emplace({&derived, place}, true);
  if (!fresh) return at->second;
  const auto answer = [&] {
    if (!derived.parts.empty()) {
      return std::any_of(derived.parts.begin(), derived.parts.end(), [&](const Derived* part) {
        return place >= part->columns.size() || brings_constants(*part, place);
      });
    }
    if (derived.level == nullptr) return true;  // a recursive query
    const auto& level = *derived.level;
    const auto index = static_cast<int>(place);
    if (derived.rows != nullptr) {
      return std::any_of(derived.rows->begin(), derived.rows->end(), [&](const pg::Node& row) {
        return row.list().items_size() <= index || shows_constants(row.list().items(index), level);
      });
    }
    if (derived.targets == nullptr) return true;
    const auto value_of = [](const pg::Node& node) -> const pg::Node& {
      return node.res_target().val();
    };
    const auto& targets = *derived.targets;
    const bool stars = std::any_of(targets.begin(), targets.end(), [&](const pg::Node& one) {
      return value_of(one).has_column_ref() && is_star(value_of(one).column_ref());
    });
    if (!stars && index < targets.size())
      return shows_constants(value_of(targets.Get(index)), level);
    return any_brings_constants(level) ||
           std::any_of(targets.begin(), targets.end(),
                       [&](const pg::Node& one) { return shows_constants(value_of(one), level); });
  }();
  brought_[{&derived, place}] = answer;
  return answer;
}

bool Rewriter::carry(const std::vector<Carried>& all, const Nodes& from, const Level& level) {
  // Of one item alone it is certain that nothing has looked at the column as a plain one yet.
  if (from.size() != 1 || from.Get(0).has_join_expr()) return true;
  for (const auto& one : all) {
    const auto* value = one.value;
    while (value->has_type_cast() && value->type_cast().arg().has_column_ref()) {
      value = &value->type_cast().arg();
    }
    if (!value->has_column_ref() || is_star(value->column_ref())) continue;
    const auto found = resolve(value->column_ref(), level);
    if (found.kind != Resolved::Kind::kColumn || found.level != &level || found.secret()) continue;
    if (!carry(one, *found.item, found.place)) return false;
  }
  return true;
}

namespace {

/// The expressions that give one column of VALUES, of a SELECT, or of their UNION ALL; false: it is
/// not certain which they are.
bool expressions_of(const Derived& derived, std::size_t place, std::vector<const pg::Node*>& out) {
  const auto index = static_cast<int>(place);
  if (!derived.unordered || derived.columns[place].secret()) return false;
  if (!derived.parts.empty()) {
    return std::all_of(derived.parts.begin(), derived.parts.end(), [&](const Derived* part) {
      return place < part->columns.size() && expressions_of(*part, place, out);
    });
  }
  if (derived.rows != nullptr) {
    for (const auto& row : *derived.rows) {
      if (row.list().items_size() <= index) return false;
      out.push_back(&row.list().items(index));
    }
    return true;
  }
  if (derived.targets == nullptr || index >= derived.targets->size()) return false;
  const bool stars =
      std::any_of(derived.targets->begin(), derived.targets->end(), [](const pg::Node& one) {
        const auto& value = one.res_target().val();
        return value.has_column_ref() && is_star(value.column_ref());
      });
  out.push_back(&derived.targets->Get(index).res_target().val());
  return !stars;
}

}  // namespace

bool Rewriter::carry(const Carried& one, Item& item, std::size_t place) {
  auto* derived = item.derived;
  std::vector<const pg::Node*> given;
  if (derived == nullptr || !expressions_of(*derived, place, given)) return true;
  const auto uses = std::count_if(items_.begin(), items_.end(),
                                  [&](const Item& other) { return other.derived == derived; });
  const bool constant = std::all_of(given.begin(), given.end(),
                                    [](const pg::Node* value) { return constant_node(*value); });
  if (uses != 1 || !constant || derived->columns[place].is_null) return true;
  CommonType common;
  bool parameters = false;
  for (const auto* value : given) {
    const auto made = constant_of(*value, *one.column);
    if (!made.refused.empty()) {
      return refuse(one.relation, one.column, made.refused,
                    "send the value as a plain literal or parameter");
    }
    parameters = parameters || std::holds_alternative<ClientParameter>(made.source);
    common.add_constant(made);
  }
  if (common.failed) {
    return refuse(one.relation, one.column, "VALUES of different types for a column",
                  "cast the literals to the column's type");
  }
  // PostgreSQL reads literals without a type as text before it knows what they are for.
  if (!common.type && !parameters && !is_text(one.column->type.oid)) {
    return refuse_state("42804", "literals without a type in VALUES for a column of another type",
                        "cast the first one to the column's type");
  }
  ItemColumn like;
  like.name = derived->columns[place].name;
  like.relation = one.relation;
  like.column = one.column;
  like.with_row = one.relation->bound;
  like.type = one.column->type;
  like.direct = false;
  like.carried = true;
  if (!constant_output(*derived, place, like)) return false;
  derived->columns[place] = like;
  const auto name = item.columns[place].name;
  item.columns[place] = like;
  item.columns[place].name = name;
  return true;
}

bool Rewriter::export_carried(Item& item, std::size_t place, std::string& name) {
  auto& derived = *item.derived;
  const auto& column = derived.columns[place];
  if (!searchable(column)) return false;
  name = "theriac_index_q" + std::to_string(++exported_);
  int width = 0;
  for (auto& row : *derived.rows) {
    auto& items = *row.mutable_list()->mutable_items();
    width = items.size();
    const auto& value = items.Get(static_cast<int>(place));
    pg::Node made;
    if (value.has_param_ref() && value.param_ref().number() < 0) {
      const auto of = static_cast<std::size_t>(-value.param_ref().number()) - 1;
      const auto source = slots_[of].source;
      slot_node(made, slot(Slot::Fill::kCompare, source, *column.relation, *column.column, 0));
    } else {
      pg::Node nothing;
      make_null(nothing);
      make_cast(made, nothing, "bytea", false);
    }
    *items.Add() = made;
  }
  auto& names = *item.alias->mutable_colnames();
  for (int i = names.size(); i < width; ++i) {
    make_string(*names.Add(), derived.columns[static_cast<std::size_t>(i)].name);
  }
  make_string(*names.Add(), name);
  derived.exported[place] = name;
  return true;
}

bool Rewriter::carry_inserted(const pg::SelectStmt& query, const Level& level) {
  std::vector<Carried> all;
  for (int i = 0; i < query.target_list_size(); ++i) {
    const auto& value = query.target_list(i).res_target().val();
    // After `*` the places are not known.
    if (value.has_column_ref() && is_star(value.column_ref())) break;
    if (static_cast<std::size_t>(i) >= inserted_.size()) break;
    auto one = inserted_[static_cast<std::size_t>(i)];
    if (one.column == nullptr || !one.column->protection) continue;
    one.value = &value;
    all.push_back(one);
  }
  return carry(all, query.from_clause(), level);
}

}  // namespace theriac::rewrite
