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
  if (!is_of_one_domain(found.column())) {
    return refuse(found.column(), "a comparison of values of different equality domains",
                  "put the columns into one domain in the policy, or compare in each part");
  }
  note_compared(*found.column().column);
  for (const auto& also : found.column().also) note_compared(*also.column);
  std::string name;
  if (!export_index(*found.item, found.place, name) || !reference(*found.item, name, level, out)) {
    return false;
  }
  const auto* grouped = found.level->grouped_by({found.item, found.place});
  if (grouped != nullptr && grouped->determined && found.level->group_clause != nullptr) {
    auto& list = *found.level->group_clause;
    const bool there = std::any_of(list.begin(), list.end(),
                                   [&](const pg::Node& one) { return same_tree(one, out); });
    if (!there) *list.Add() = out;
  }
  return true;
}

bool Rewriter::export_index(Item& item, std::size_t place, std::string& name) {
  if (item.relation != nullptr) {
    name = item.columns[place].column->protection->index_name();
    return true;
  }
  auto* derived = item.derived;
  if (derived == nullptr || place >= derived->columns.size()) {
    return refuse(item.columns[place], "a comparison outside of its sub-select", kEqualityRemedy);
  }
  if (const auto at = derived->exported.find(place); at != derived->exported.end()) {
    name = at->second;
    return true;
  }
  if (item.columns[place].carried && item.alias != nullptr) {
    return export_carried(item, place, name);
  }
  if (!derived->can_export) {
    return refuse(item.columns[place], "a comparison outside of its sub-select",
                  "compare inside the sub-select");
  }
  name = "theriac_index_q" + std::to_string(++exported_);
  if (!append_index(*derived, place, name)) return false;
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
                     (is_integer(a.type.oid) && is_integer(b.type.oid)) ||
                     (is_float(a.type.oid) && is_float(b.type.oid)) ||
                     (is_address(a.type.oid) && is_address(b.type.oid));
  return (types && a.protection->domain == b.protection->domain) ||
         refuse(left, "= between columns of different equality domains",
                "put both columns into one domain in the policy");
}

Rewriter::Answer Rewriter::predicate(pg::Node& node, Level& level, bool conjunct) {
  if (node.has_null_test()) return null_test(*node.mutable_null_test(), level);
  if (const auto answer = expression_condition(node, level); answer != Answer::kNotMine) {
    return answer;
  }
  auto& expression = *node.mutable_a_expr();
  switch (expression.kind()) {
    case pg::AEXPR_OP:
    case pg::AEXPR_DISTINCT:
    case pg::AEXPR_NOT_DISTINCT:
      return comparison(node, level, conjunct);
    case pg::AEXPR_IN:
      if (expression.lexpr().has_row_expr()) return row_comparison(node, level, conjunct);
      return list_comparison(node, level, conjunct);
    case pg::AEXPR_OP_ANY:
    case pg::AEXPR_OP_ALL:
      return list_comparison(node, level, conjunct);
    default:
      return Answer::kNotMine;
  }
}

Rewriter::Answer Rewriter::null_test(pg::NullTest& test, Level& level) {
  auto& arg = *test.mutable_arg();
  if (arg.has_row_expr()) return null_row(test, level);
  if (const auto whole = null_whole_row(test, level); whole != Answer::kNotMine) return whole;
  if (!may_carry(arg, level)) return Answer::kNotMine;
  if (arg.has_column_ref()) {
    const auto found = resolve(arg.column_ref(), level);
    const auto* key = found.level->grouped_by({found.item, found.place});
    pg::Node helper;
    // The index is NULL where the value is.
    const bool made = key != nullptr && !key->determined
                          ? index_reference(found, level, helper)
                          : sealed_reference(found, level, false, helper);
    if (!made) return Answer::kRefused;
    arg = helper;
    return Answer::kDone;
  }
  ItemColumn ignored;
  const auto form = level.grouped_by(arg) == nullptr ? Form::kSealed : Form::kIndex;
  return value(arg, level, form, ignored);
}

/// A row IS [NOT] NULL if all its fields are.
Rewriter::Answer Rewriter::null_row(pg::NullTest& test, Level& level) {
  for (auto& field : *test.mutable_arg()->mutable_row_expr()->mutable_args()) {
    if (field.has_row_expr()) return Answer::kNotMine;
    pg::NullTest one;
    one.set_nulltesttype(test.nulltesttype());
    *one.mutable_arg() = field;
    const auto answer = null_test(one, level);
    if (answer == Answer::kRefused) return answer;
    if (answer == Answer::kNotMine) {
      if (!expression(field, level, "a row")) return Answer::kRefused;
    } else {
      field = one.arg();
    }
  }
  return Answer::kPlain;
}

Rewriter::Answer Rewriter::comparison(pg::Node& node, Level& level, bool conjunct) {
  auto& expression = *node.mutable_a_expr();
  if (!expression.has_lexpr() || !expression.has_rexpr()) return Answer::kNotMine;
  if (!is_equality(operator_of(expression.name()))) return Answer::kNotMine;
  auto& left = *expression.mutable_lexpr();
  auto& right = *expression.mutable_rexpr();
  if (left.has_row_expr() && right.has_row_expr()) return row_comparison(node, level, conjunct);
  const bool l = may_carry(left, level);
  if (!l && !may_carry(right, level)) return Answer::kNotMine;
  // The side that is surely protected first: it says what the other has to be.
  auto& own = l ? left : right;
  auto& other = l ? right : left;
  const auto direct = own.has_column_ref() ? std::optional(resolve(own.column_ref(), level))
                                           : std::optional<Resolved>();
  ItemColumn column;
  auto answer = value(own, level, Form::kIndex, column);
  if (answer == Answer::kRefused) return answer;
  if (answer == Answer::kPlain) {
    ItemColumn theirs;
    answer = value(other, level, Form::kIndex, theirs);
    if (answer == Answer::kNotMine) {
      return this->expression(other, level, "a comparison") ? Answer::kPlain : Answer::kRefused;
    }
    if (answer == Answer::kDone) {
      refuse(theirs, "a comparison with a sub-select of an unprotected column", kEqualityRemedy);
      return Answer::kRefused;
    }
    return answer;
  }
  // Only these say that the column has the value.
  const bool says_equal =
      conjunct && (expression.kind() == pg::AEXPR_NOT_DISTINCT ||
                   (expression.kind() == pg::AEXPR_OP && operator_of(expression.name()) == "="));
  std::vector<int> slots;
  if (!compare_with(column, other, level, &slots)) return Answer::kRefused;
  if (says_equal && !slots.empty() && direct && direct->level == &level) {
    level.found_by.try_emplace({direct->item, direct->place}, slots);
  }
  return Answer::kDone;
}

bool Rewriter::compare_with(const ItemColumn& column, pg::Node& other, Level& level,
                            std::vector<int>* slots) {
  if (constant_node(other)) {
    const auto constant = constant_of(other, *column.column);
    if (!constant.refused.empty()) return bad_constant(column, constant);
    if (constant.is_null()) {
      make_null(other);
      return true;
    }
    const int made =
        slot(Slot::Fill::kCompare, constant.source, *column.relation, *column.column, 0);
    slot_node(other, made);
    if (slots != nullptr) slots->push_back(made);
    return true;
  }
  ItemColumn theirs;
  const auto answer = value(other, level, Form::kIndex, theirs);
  if (answer == Answer::kRefused) return false;
  if (answer == Answer::kDone) return same_domain(column, theirs);
  return refuse(column,
                answer == Answer::kPlain ? "a comparison with a sub-select of an unprotected column"
                : constant_of(other, *column.column).refused.empty()
                    ? "a comparison with an expression"
                    : constant_of(other, *column.column).refused,
                kEqualityRemedy);
}

namespace {

/// Why a list is not the same as one `=` after the other; empty: it is. `cast` is the array's.
std::string_view list_obstacle(const pgwire::ColumnType& type, bool in_list,
                               const pg::TypeName* cast, const Nodes* items) {
  // PostgreSQL finds one type for the whole list, which for these changes what is equal.
  if (type.oid == pgwire::kOidFloat4 || type.oid == pgwire::kOidCidr) {
    return "a list for a column of type real or cidr";
  }
  if (in_list) return {};
  const auto* detail = pgwire::detail_of(type);
  const auto kind = detail == nullptr ? pgwire::TypeKind::kBase : detail->kind;
  if (cast == nullptr) {
    // ARRAY['a'] is an array of text, and text compares in its own way with these.
    const bool own_way = type.oid == pgwire::kOidBpchar || kind == pgwire::TypeKind::kCitext;
    if (own_way) return "ARRAY without a cast for a column of type character or citext";
    const bool strings =
        items != nullptr && std::ranges::all_of(*items, [](const pg::Node& item) {
          return item.has_a_const() && (item.a_const().isnull() || item.a_const().has_sval());
        });
    const bool text = type.oid == pgwire::kOidText || type.oid == pgwire::kOidVarchar;
    // The server has no `=` for these.
    return strings && !text ? "ARRAY of strings without a cast for a column that is not text" : "";
  }
  pg::TypeName element = *cast;
  element.clear_array_bounds();
  const auto oid = type_oid_of(element);
  if (oid && (*oid == type.oid || (is_text(*oid) && is_text(type.oid)))) return {};
  if (oid && is_number(*oid) && is_number(type.oid) && *oid == pgwire::kOidNumeric) return {};
  const bool named = !oid && element.names_size() > 0 && detail != nullptr &&
                     (kind == pgwire::TypeKind::kEnum || kind == pgwire::TypeKind::kCitext) &&
                     string_of(element.names(element.names_size() - 1)) == detail->name;
  return named ? "" : "a cast that changes the value";
}

}  // namespace

Rewriter::Answer Rewriter::list_items(Nodes& items, const ItemColumn& column, Level& level,
                                      bool& constants, std::vector<int>& slots) {
  for (auto& item : items) {
    constants = constants && constant_node(item);
    if (!compare_with(column, item, level, &slots)) return Answer::kRefused;
  }
  return Answer::kDone;
}

/// `'x' IN (a, b)`: 'x' = a OR 'x' = b.
Rewriter::Answer Rewriter::value_among(pg::Node& node, Nodes& items, Level& level) {
  if (std::none_of(items.begin(), items.end(),
                   [&](pg::Node& one) { return !one.has_sub_link() && may_carry(one, level); })) {
    return Answer::kNotMine;
  }
  const pg::A_Expr original = node.a_expr();
  const auto name = operator_of(original.name());
  // A literal for a protected and an unprotected column: the server would see it.
  for (auto& item : items) {
    if (item.has_column_ref() && may_carry(item, level)) continue;
    const auto protected_one = std::find_if(items.begin(), items.end(), [&](pg::Node& one) {
      return one.has_column_ref() && may_carry(one, level);
    });
    if (protected_one != items.end()) {
      refuse(resolve(protected_one->column_ref(), level).column(),
             "a list of protected and unprotected columns", kEqualityRemedy);
    } else {
      refuse_state("0A000", "a list of expressions with protected columns", kEqualityRemedy);
    }
    return Answer::kRefused;
  }
  const bool any =
      original.kind() == pg::AEXPR_OP_ANY || (original.kind() == pg::AEXPR_IN && name == "=");
  pg::Node made;
  auto& all = *made.mutable_bool_expr();
  all.set_boolop(any ? pg::OR_EXPR : pg::AND_EXPR);
  for (auto& item : items) {
    pg::Node left = original.lexpr();
    make_operator(*all.add_args(), pg::AEXPR_OP, name, left, item);
  }
  if (all.args_size() == 1) {
    const pg::Node only = all.args(0);
    made = only;
  }
  node = made;
  edited_ = true;
  return expression(node, level, "IN") ? Answer::kPlain : Answer::kRefused;
}

/// `= ANY ($1)` and `= ANY ('{a,b}')`: the array's elements become indexes one by one.
bool Rewriter::list_constant(pg::Node& array, const ItemColumn& column,
                             const pg::TypeName* cast_to) {
  const auto& inner = cast_to == nullptr ? array : array.type_cast().arg();
  if (!inner.has_param_ref() && !(inner.has_a_const() && inner.a_const().has_sval())) return false;
  const auto* detail = pgwire::detail_of(column.type);
  const bool own_way = column.type.oid == pgwire::kOidBpchar ||
                       (detail != nullptr && detail->kind != pgwire::TypeKind::kBase);
  if (own_way)
    return refuse(column, "ANY or ALL of an array for a column of this type", kListRemedy);
  if (const auto why = list_obstacle(column.type, false, cast_to, nullptr); !why.empty()) {
    return refuse(column, why, kListRemedy);
  }
  auto constant = constant_of(inner, *column.column);
  if (auto* literal = std::get_if<Literal>(&constant.source); literal != nullptr) {
    pg::TypeName element;
    if (cast_to != nullptr) {
      element = *cast_to;
      element.clear_array_bounds();
    }
    literal->sent_oid = cast_to == nullptr ? 0 : type_oid_of(element).value_or(0);
  }
  if (!searchable(column)) return false;
  slot_node(array,
            slot(Slot::Fill::kCompareList, constant.source, *column.relation, *column.column, 0));
  return true;
}

Rewriter::Answer Rewriter::list_comparison(pg::Node& node, Level& level, bool conjunct) {
  auto& expression = *node.mutable_a_expr();
  auto& left = *expression.mutable_lexpr();
  auto& right = *expression.mutable_rexpr();
  const auto name = operator_of(expression.name());
  if (!is_equality(name)) return Answer::kNotMine;
  Nodes* items = nullptr;
  const pg::TypeName* cast_to = nullptr;
  const bool in_list = expression.kind() == pg::AEXPR_IN;
  if (in_list && right.has_list()) {
    items = right.mutable_list()->mutable_items();
  } else if (!in_list) {
    auto* array = &right;
    if (array->has_type_cast() && array->type_cast().type_name().array_bounds_size() == 1 &&
        array->type_cast().type_name().typmods_size() == 0) {
      cast_to = &array->type_cast().type_name();
      array = array->mutable_type_cast()->mutable_arg();
    }
    if (array->has_a_array_expr()) items = array->mutable_a_array_expr()->mutable_elements();
  }
  if (!may_carry(left, level)) {
    return items == nullptr ? Answer::kNotMine : value_among(node, *items, level);
  }
  const auto direct = left.has_column_ref() ? std::optional(resolve(left.column_ref(), level))
                                            : std::optional<Resolved>();
  ItemColumn column;
  const auto answer = value(left, level, Form::kIndex, column);
  if (answer == Answer::kRefused) return answer;
  if (answer == Answer::kPlain) {
    return this->expression(right, level, "IN") ? Answer::kPlain : Answer::kRefused;
  }
  if (items == nullptr && !in_list && list_constant(right, column, cast_to)) {
    return Answer::kDone;
  }
  if (refusal_) return Answer::kRefused;
  if (items == nullptr) {
    refuse(column, "ANY or ALL of an expression", kListRemedy);
    return Answer::kRefused;
  }
  if (const auto why = list_obstacle(column.type, in_list, cast_to, items); !why.empty()) {
    refuse(column, why, "compare with = and OR, or cast the list to the column's type");
    return Answer::kRefused;
  }
  bool constants = true;
  std::vector<int> slots;
  if (list_items(*items, column, level, constants, slots) != Answer::kDone) {
    return Answer::kRefused;
  }
  if (!in_list) {
    pg::Node plain;
    *plain.mutable_a_array_expr()->mutable_elements() = *items;
    pg::Node cast;
    make_cast(cast, plain, "bytea", true);
    right = cast;
  }
  const bool says_equal = conjunct && constants && name == "=" &&
                          expression.kind() != pg::AEXPR_OP_ALL && direct &&
                          direct->level == &level;
  if (says_equal && !slots.empty()) {
    level.found_by.try_emplace({direct->item, direct->place}, slots);
  }
  return Answer::kDone;
}

Rewriter::Answer Rewriter::row_comparison(pg::Node& node, Level& level, bool conjunct) {
  const pg::A_Expr original = node.a_expr();
  const auto name = operator_of(original.name());
  const bool in_list = original.kind() == pg::AEXPR_IN;
  if (!is_equality(name)) return Answer::kNotMine;
  const auto& left = original.lexpr();
  std::vector<const pg::Node*> rows;
  if (in_list) {
    for (const auto& item : original.rexpr().list().items()) rows.push_back(&item);
  } else {
    rows.push_back(&original.rexpr());
  }
  const auto any = [&](const pg::Node& row) {
    return std::any_of(row.row_expr().args().begin(), row.row_expr().args().end(),
                       [&](pg::Node arg) { return !arg.has_sub_link() && may_carry(arg, level); });
  };
  bool mine = any(left);
  for (const auto* row : rows) {
    if (!row->has_row_expr() || row->row_expr().args_size() != left.row_expr().args_size()) {
      return Answer::kNotMine;  // its elements are then refused one by one
    }
    mine = mine || any(*row);
  }
  if (!mine || rows.empty()) return Answer::kNotMine;
  // (a, b) = (x, y) is a = x AND b = y; IN is the OR of those; <>, NOT IN and IS DISTINCT FROM
  // their negations.
  const bool equal = name == "=" && original.kind() != pg::AEXPR_DISTINCT;
  const auto kind = in_list ? pg::AEXPR_OP : original.kind();
  pg::Node made;
  auto& outer = *made.mutable_bool_expr();
  outer.set_boolop(equal ? pg::OR_EXPR : pg::AND_EXPR);
  for (const auto* row : rows) {
    auto& inner = *outer.add_args()->mutable_bool_expr();
    inner.set_boolop(equal ? pg::AND_EXPR : pg::OR_EXPR);
    for (int i = 0; i < left.row_expr().args_size(); ++i) {
      pg::Node one = left.row_expr().args(i);
      pg::Node two = row->row_expr().args(i);
      make_operator(*inner.add_args(), kind, name, one, two);
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
