// What may be asked of a protected column: equality through its blind index, and whether it is
// NULL. Every replacement is an ordinary boolean expression that is true, false and NULL where the
// original is.
#include <algorithm>

#include "rewrite/rewriter.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kEqualityRemedy =
    "compare with a literal, a parameter, or a column of the same equality domain";
constexpr std::string_view kListRemedy = "use IN with a list, or = ANY (ARRAY[...])";

bool is_equality(std::string_view name) { return name == "=" || name == "<>"; }

/// The value expression of a bound relation: row identity, then the sealed bytes (plan.hpp).
void with_row_identity(const pg::Node& row, const pg::Node& sealed, pg::Node& out) {
  pg::Node made;
  auto& joined = *made.mutable_a_expr();
  joined.set_kind(pg::AEXPR_OP);
  make_string(*joined.add_name(), "pg_catalog");
  make_string(*joined.add_name(), "||");
  auto& either = *joined.mutable_lexpr()->mutable_coalesce_expr();
  auto& send = *either.add_args()->mutable_func_call();
  make_string(*send.add_funcname(), "pg_catalog");
  make_string(*send.add_funcname(), "uuid_send");
  send.set_funcformat(pg::COERCE_EXPLICIT_CALL);
  *send.add_args() = row;
  either.add_args()->mutable_a_const()->mutable_sval()->set_sval("\\x");
  *joined.mutable_rexpr() = sealed;
  out = made;
}

bool any_protected(const pg::Node& row, const Level& level,
                   std::optional<Resolved> (*find)(const pg::Node&, const Level&, bool)) {
  const auto& args = row.row_expr().args();
  return std::any_of(args.begin(), args.end(),
                     [&](const pg::Node& arg) { return find(arg, level, false).has_value(); });
}

}  // namespace

std::optional<Resolved> Rewriter::protected_reference(const pg::Node& node, const Level& level,
                                                      bool exact_type) {
  const pg::Node* inner = &node;
  std::vector<std::uint32_t> casts;
  while (inner->has_type_cast()) {
    const auto& type = inner->type_cast().type_name();
    const auto oid = type_oid_of(type);
    if (!oid || type.typmods_size() > 0) return std::nullopt;
    casts.push_back(*oid);
    inner = &inner->type_cast().arg();
  }
  if (!inner->has_column_ref() || is_star(inner->column_ref())) return std::nullopt;
  auto found = resolve(inner->column_ref(), level);
  if (!found.secret()) return std::nullopt;
  const auto& type = found.column().column->type;
  for (const auto oid : casts) {
    // A cast to the column's own type, or between text and varchar, leaves every value as it is.
    const bool same = oid == type.oid && (!exact_type || type.modifier == -1);
    const bool relabel = is_text(oid) && is_text(type.oid) && !exact_type;
    if (!same && !relabel) return std::nullopt;
  }
  return found;
}

bool Rewriter::reference(const Item& item, std::string_view column, const Level& level,
                         pg::Node& out) {
  const std::string name(column);  // `column` may be part of `out`
  if (!item.name.empty() && find_item(level, {}, item.name) == &item) {
    make_column(out, {item.name, name});
    return true;
  }
  if (!item.aliased && !item.schema.empty() && find_item(level, item.schema, item.name) == &item) {
    make_column(out, {item.schema, item.name, name});
    return true;
  }
  return refuse_item(item, "a table hidden by another of its name",
                     "give each table its own alias");
}

bool Rewriter::sealed_reference(const Resolved& found, const Level& level, bool with_row,
                                pg::Node& out) {
  edited_ = true;
  const auto& item = *found.item;
  if (item.relation == nullptr) return reference(item, found.column().name, level, out);
  const auto& protection = *found.column().column->protection;
  if (!with_row) return reference(item, protection.sealed_name(), level, out);
  pg::Node row;
  pg::Node sealed;
  if (!reference(item, "theriac_row", level, row) ||
      !reference(item, protection.sealed_name(), level, sealed)) {
    return false;
  }
  with_row_identity(row, sealed, out);
  return true;
}

bool Rewriter::index_reference(const Resolved& found, const Level& level, pg::Node& out) {
  edited_ = true;
  note_compared(*found.column().column);
  std::string name;
  return export_index(*found.item, found.place, name) && reference(*found.item, name, level, out);
}

bool Rewriter::export_index(Item& item, std::size_t place, std::string& name) {
  if (item.relation != nullptr) {
    name = item.columns[place].column->protection->index_name();
    return true;
  }
  auto* derived = item.derived;
  if (derived == nullptr || place >= derived->sources.size()) {
    return refuse(item.columns[place], "a comparison outside of its sub-select", kEqualityRemedy);
  }
  if (const auto at = derived->exported.find(place); at != derived->exported.end()) {
    name = at->second;
    return true;
  }
  const auto& source = derived->sources[place];
  if (!derived->can_export || source.item == nullptr || derived->level == nullptr) {
    return refuse(item.columns[place], "a comparison outside of its sub-select",
                  "compare inside the sub-select");
  }
  std::string inner;
  pg::Node value;
  if (!export_index(*source.item, source.place, inner) ||
      !reference(*source.item, inner, *derived->level, value)) {
    return false;
  }
  name = "theriac_index_q" + std::to_string(++exported_);
  auto& target = *derived->targets->Add()->mutable_res_target();
  target.set_name(name);
  *target.mutable_val() = value;
  derived->exported[place] = name;
  return true;
}

bool Rewriter::searchable(const ItemColumn& column) {
  return column.column->protection->searchable ||
         refuse(column, "a comparison on a column that is not searchable",
                "make the column searchable in the policy");
}

bool Rewriter::same_domain(const ItemColumn& left, const ItemColumn& right) {
  if (!searchable(left) || !searchable(right)) return false;
  const auto& a = *left.column;
  const auto& b = *right.column;
  const bool types = a.type.oid == b.type.oid || (is_text(a.type.oid) && is_text(b.type.oid)) ||
                     (is_integer(a.type.oid) && is_integer(b.type.oid));
  return (types && a.protection->domain == b.protection->domain) ||
         refuse(left, "= between columns of different equality domains",
                "put both columns into one domain in the policy");
}

Rewriter::Answer Rewriter::predicate(pg::Node& node, Level& level, bool conjunct) {
  if (node.has_null_test()) return null_test(*node.mutable_null_test(), level);
  auto& expression = *node.mutable_a_expr();
  switch (expression.kind()) {
    case pg::AEXPR_OP:
    case pg::AEXPR_DISTINCT:
    case pg::AEXPR_NOT_DISTINCT:
      return comparison(node, level, conjunct);
    case pg::AEXPR_IN:
      if (expression.lexpr().has_row_expr()) return row_comparison(node, level, conjunct);
      return list_comparison(expression, level, conjunct);
    case pg::AEXPR_OP_ANY:
    case pg::AEXPR_OP_ALL:
      return list_comparison(expression, level, conjunct);
    default:
      return Answer::kNotMine;
  }
}

Rewriter::Answer Rewriter::null_test(pg::NullTest& test, Level& level) {
  auto& arg = *test.mutable_arg();
  straighten(arg, level);
  if (const auto found = protected_reference(arg, level, false)) {
    pg::Node helper;
    if (!sealed_reference(*found, level, false, helper)) return Answer::kRefused;
    arg = helper;
    return Answer::kDone;
  }
  if (!arg.has_sub_link() || arg.sub_link().sub_link_type() != pg::EXPR_SUBLINK ||
      !arg.sub_link().subselect().has_select_stmt()) {
    return Answer::kNotMine;
  }
  Derived* inner = nullptr;
  const bool good = select(*arg.mutable_sub_link()->mutable_subselect()->mutable_select_stmt(),
                           &level, level.env, Use::kRows, inner);
  return good ? Answer::kDone : Answer::kRefused;
}

Rewriter::Answer Rewriter::comparison(pg::Node& node, Level& level, bool conjunct) {
  auto& expression = *node.mutable_a_expr();
  if (!expression.has_lexpr() || !expression.has_rexpr()) return Answer::kNotMine;
  if (!is_equality(operator_of(expression.name()))) return Answer::kNotMine;
  auto& left = *expression.mutable_lexpr();
  auto& right = *expression.mutable_rexpr();
  straighten(left, level);
  straighten(right, level);
  if (left.has_row_expr() && right.has_row_expr()) return row_comparison(node, level, conjunct);
  const auto l = protected_reference(left, level, false);
  const auto r = protected_reference(right, level, false);
  if (!l && !r) return Answer::kNotMine;
  if (l && r) {
    pg::Node one;
    pg::Node two;
    if (!same_domain(l->column(), r->column()) || !index_reference(*l, level, one) ||
        !index_reference(*r, level, two)) {
      return Answer::kRefused;
    }
    left = one;
    right = two;
    return Answer::kDone;
  }
  const auto& found = l ? *l : *r;
  // Only these say that the column has the value.
  const bool says_equal =
      conjunct && (expression.kind() == pg::AEXPR_NOT_DISTINCT ||
                   (expression.kind() == pg::AEXPR_OP && operator_of(expression.name()) == "="));
  std::vector<int> slots;
  const auto answer = compare_with(found, l ? left : right, l ? right : left, level, &slots);
  if (answer == Answer::kDone && says_equal && !slots.empty() && found.level == &level) {
    level.found_by.try_emplace({found.item, found.place}, slots);
  }
  return answer;
}

Rewriter::Answer Rewriter::compare_with(const Resolved& column, pg::Node& own, pg::Node& other,
                                        Level& level, std::vector<int>* slots) {
  const auto& origin = column.column();
  if (other.has_sub_link() && other.sub_link().sub_link_type() == pg::EXPR_SUBLINK) {
    return compare_with_select(column, own, other, level);
  }
  const auto constant = constant_of(other, *origin.column);
  if (!constant.is) {
    refuse(origin, "a comparison with an expression", kEqualityRemedy);
    return Answer::kRefused;
  }
  pg::Node helper;
  if (!searchable(origin) || (!constant.refused.empty() && !bad_constant(origin, constant)) ||
      !index_reference(column, level, helper)) {
    return Answer::kRefused;
  }
  own = helper;
  if (constant.is_null()) {
    make_null(other);
    return Answer::kDone;
  }
  const int made = slot(Slot::Fill::kCompare, constant.source, *origin.relation, *origin.column, 0);
  slot_node(other, made);
  if (slots != nullptr) slots->push_back(made);
  return Answer::kDone;
}

Rewriter::Answer Rewriter::compare_with_select(const Resolved& column, pg::Node& own,
                                               pg::Node& other, Level& level) {
  auto& link = *other.mutable_sub_link();
  Derived* inner = nullptr;
  if (!link.subselect().has_select_stmt() ||
      !select(*link.mutable_subselect()->mutable_select_stmt(), &level, level.env, Use::kCompare,
              inner)) {
    if (!refusal_) refuse(column.column(), "a comparison with a sub-select", kEqualityRemedy);
    return Answer::kRefused;
  }
  if (!inner->columns_known || inner->columns.size() != 1 || !inner->columns[0].as_index) {
    refuse(column.column(), "a comparison with a sub-select of an unprotected column",
           kEqualityRemedy);
    return Answer::kRefused;
  }
  pg::Node helper;
  if (!same_domain(column.column(), inner->columns[0]) || !index_reference(column, level, helper)) {
    return Answer::kRefused;
  }
  own = helper;
  return Answer::kDone;
}

Rewriter::Answer Rewriter::list_comparison(pg::A_Expr& expression, Level& level, bool conjunct) {
  auto& left = *expression.mutable_lexpr();
  auto& right = *expression.mutable_rexpr();
  straighten(left, level);
  const auto found = protected_reference(left, level, false);
  if (!found) return Answer::kNotMine;
  const auto& origin = found->column();
  const auto name = operator_of(expression.name());
  if (!is_equality(name)) return Answer::kNotMine;
  Nodes* items = nullptr;
  const bool in_list = expression.kind() == pg::AEXPR_IN;
  if (in_list && right.has_list()) {
    items = right.mutable_list()->mutable_items();
  } else if (!in_list) {
    auto* array = &right;
    while (array->has_type_cast() && array->type_cast().type_name().array_bounds_size() == 1 &&
           array->type_cast().type_name().typmods_size() == 0) {
      array = array->mutable_type_cast()->mutable_arg();
    }
    if (array->has_a_array_expr()) {
      pg::Node plain = *array;
      right = plain;
      items = right.mutable_a_array_expr()->mutable_elements();
    }
  }
  if (items == nullptr) {
    refuse(origin, "ANY or ALL of an array that is a parameter or a literal", kListRemedy);
    return Answer::kRefused;
  }
  std::vector<int> slots;
  pg::Node helper;
  for (auto& item : *items) {
    straighten(item, level);
    if (const auto other = protected_reference(item, level, false)) {
      pg::Node theirs;
      if (!same_domain(origin, other->column()) || !index_reference(*other, level, theirs)) {
        return Answer::kRefused;
      }
      item = theirs;
      conjunct = false;
      continue;
    }
    pg::Node ignored;
    if (item.has_sub_link()) conjunct = false;
    const auto answer = compare_with(*found, ignored, item, level, &slots);
    if (answer != Answer::kDone) return answer;
  }
  if (!searchable(origin) || !index_reference(*found, level, helper)) {
    return Answer::kRefused;
  }
  left = helper;
  if (!in_list) {
    pg::Node cast;
    make_cast(cast, right, "bytea", true);
    right = cast;
  }
  const bool says_equal =
      conjunct && name == "=" && expression.kind() != pg::AEXPR_OP_ALL && found->level == &level;
  if (says_equal && !slots.empty()) {
    level.found_by.try_emplace({found->item, found->place}, slots);
  }
  return Answer::kDone;
}

Rewriter::Answer Rewriter::row_comparison(pg::Node& node, Level& level, bool conjunct) {
  const pg::A_Expr original = node.a_expr();
  const auto name = operator_of(original.name());
  const bool in_list = original.kind() == pg::AEXPR_IN;
  if (!is_equality(name) || (!in_list && original.kind() != pg::AEXPR_OP)) return Answer::kNotMine;
  const auto& left = original.lexpr();
  std::vector<const pg::Node*> rows;
  if (in_list) {
    for (const auto& item : original.rexpr().list().items()) rows.push_back(&item);
  } else {
    rows.push_back(&original.rexpr());
  }
  const auto find = [](const pg::Node& one, const Level& at, bool exact) {
    return protected_reference(one, at, exact);
  };
  bool mine = any_protected(left, level, find);
  for (const auto* row : rows) {
    if (!row->has_row_expr() || row->row_expr().args_size() != left.row_expr().args_size()) {
      return Answer::kNotMine;  // its elements are then refused one by one
    }
    mine = mine || any_protected(*row, level, find);
  }
  if (!mine || rows.empty()) return Answer::kNotMine;
  // (a, b) = (x, y) is a = x AND b = y; IN is the OR of those; <> and NOT IN their negations.
  const bool equal = name == "=";
  pg::Node made;
  auto& outer = *made.mutable_bool_expr();
  outer.set_boolop(equal ? pg::OR_EXPR : pg::AND_EXPR);
  for (const auto* row : rows) {
    auto& inner = *outer.add_args()->mutable_bool_expr();
    inner.set_boolop(equal ? pg::AND_EXPR : pg::OR_EXPR);
    for (int i = 0; i < left.row_expr().args_size(); ++i) {
      pg::Node one = left.row_expr().args(i);
      pg::Node two = row->row_expr().args(i);
      make_operator(*inner.add_args(), pg::AEXPR_OP, name, one, two);
    }
    if (inner.args_size() == 1) {
      const pg::Node only = inner.args(0);
      *outer.mutable_args(outer.args_size() - 1) = only;
    }
  }
  if (outer.args_size() == 1) {
    const pg::Node only = outer.args(0);
    node = only;
  } else {
    node = made;
  }
  edited_ = true;
  return expression(node, level, "a row comparison", conjunct && equal && rows.size() == 1)
             ? Answer::kDone
             : Answer::kRefused;
}

}  // namespace theriac::rewrite
