// Conditions on expressions that have a blind index of their own: lower(c) = 'x', right(c, 4) IN
// (...). On the other side stand constants, with such functions around them, or another expression
// of the same domain.
#include <algorithm>

#include "rewrite/rewriter.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kRemedy =
    "compare with a literal, a parameter, or an expression of the same domain";

/// What stands inside lower(), upper(), left() and right(), which are added to `chain`; nullptr: it
/// is another call.
const pg::Node* unwrapped(const pg::Node& node, pgwire::TextExpression& chain) {
  if (!node.has_func_call()) return &node;
  const auto& call = node.func_call();
  if (call.has_over() || call.has_agg_filter() || call.agg_order_size() > 0 ||
      call.agg_distinct() || call.agg_star() || call.agg_within_group() || call.func_variadic()) {
    return nullptr;
  }
  const auto name = operator_of(call.funcname());  // same rule: bare, or in pg_catalog
  using Function = pgwire::TextExpression::Function;
  pgwire::TextExpression::Step step;
  if (name == "lower" || name == "upper") {
    if (call.args_size() != 1) return nullptr;
    step.function = name == "lower" ? Function::kLower : Function::kUpper;
  } else if (name == "left" || name == "right") {
    if (call.args_size() != 2 || !call.args(1).has_a_const() ||
        !call.args(1).a_const().has_ival()) {
      return nullptr;
    }
    step.function = name == "left" ? Function::kLeft : Function::kRight;
    step.count = call.args(1).a_const().ival().ival();
  } else {
    return nullptr;
  }
  if (chain.depth() >= pgwire::kTextExpressionDepthMax) return nullptr;
  const auto* inner = unwrapped(call.args(0), chain);
  if (inner != nullptr) chain.wrap(step);
  return inner;
}

/// The column below casts to text, which all these functions work on.
const pg::Node& uncast(const pg::Node& node) {
  const auto* inner = &node;
  while (inner->has_type_cast() && inner->type_cast().type_name().typmods_size() == 0) {
    const auto oid = type_oid_of(inner->type_cast().type_name());
    if (!oid || !is_text(*oid)) break;
    inner = &inner->type_cast().arg();
  }
  return *inner;
}

}  // namespace

/// A protected column with functions around it; `index` is 0 where there is none for them.
struct Rewriter::Expressed {
  Resolved found;
  int index = 0;

  [[nodiscard]] const Protection& protection() const { return *found.column().column->protection; }
  [[nodiscard]] const std::string& domain() const {
    return protection().expressions[static_cast<std::size_t>(index) - 1].domain;
  }
};

std::optional<Rewriter::Expressed> Rewriter::expressed(const pg::Node& node, const Level& level) {
  pgwire::TextExpression chain;
  const auto* inner = unwrapped(node, chain);
  if (inner == nullptr || chain.empty()) return std::nullopt;
  const auto& reference = uncast(*inner);
  if (!reference.has_column_ref() || is_star(reference.column_ref())) return std::nullopt;
  Expressed made{resolve(reference.column_ref(), level), 0};
  if (!made.found.secret()) return std::nullopt;
  const auto& all = made.protection().expressions;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].expression == chain) made.index = static_cast<int>(i) + 1;
  }
  return made;
}

bool Rewriter::expression_index(const Expressed& of, const Level& level, pg::Node& out) {
  const auto& column = of.found.column();
  if (of.index == 0) {
    return refuse(column, "a function without an index of its own",
                  "declare the expression under search: in the policy");
  }
  if (of.found.item->relation == nullptr) {
    return refuse(column, "a comparison outside of its sub-select",
                  "compare inside the sub-select");
  }
  edited_ = true;
  note_compared(*column.column);
  return reference(*of.found.item, of.protection().index_name(of.index), level, out);
}

bool Rewriter::expression_constant(const Expressed& of, pg::Node& other) {
  const auto& column = of.found.column();
  pgwire::TextExpression applied;
  const auto* inner = unwrapped(other, applied);
  if (inner == nullptr || !constant_node(*inner)) {
    return refuse(column, "a comparison with an expression", kRemedy);
  }
  if (applied.needs_case() && of.protection().case_map == nullptr) {
    return refuse(column, "lower() or upper() of a value", "let the program change the value");
  }
  static const Column kText{};  // the functions give a text, whatever the column is
  const auto constant = constant_of(*inner, kText);
  if (!constant.refused.empty()) return bad_constant(column, constant);
  if (constant.is_null()) {
    make_null(other);
    return true;
  }
  slot_node(other, slot(Slot::Fill::kCompare, constant.source, *column.relation, *column.column, 0,
                        of.index, applied));
  return true;
}

Rewriter::Answer Rewriter::expression_condition(pg::Node& node, Level& level) {
  auto& condition = *node.mutable_a_expr();
  const auto name = operator_of(condition.name());
  if (!condition.has_lexpr() || !condition.has_rexpr() || (name != "=" && name != "<>")) {
    return Answer::kNotMine;
  }
  auto& left = *condition.mutable_lexpr();
  auto& right = *condition.mutable_rexpr();
  const auto l = expressed(left, level);
  const auto r = expressed(right, level);
  if (!l && !r) return Answer::kNotMine;
  const auto kind = condition.kind();
  if (kind == pg::AEXPR_IN || kind == pg::AEXPR_OP_ANY || kind == pg::AEXPR_OP_ALL) {
    if (!l) return Answer::kNotMine;
    return expression_list(condition, *l, level) ? Answer::kDone : Answer::kRefused;
  }
  if (kind != pg::AEXPR_OP && kind != pg::AEXPR_DISTINCT && kind != pg::AEXPR_NOT_DISTINCT) {
    return Answer::kNotMine;
  }
  pg::Node one;
  pg::Node two;
  if (!expression_index(l ? *l : *r, level, one)) return Answer::kRefused;
  if (l && r) {
    if (!expression_index(*r, level, two)) return Answer::kRefused;
    if (l->domain() != r->domain()) {
      refuse(l->found.column(), "= between expressions of different domains",
             "give both expressions one domain in the policy");
      return Answer::kRefused;
    }
    left = one;
    right = two;
    return Answer::kDone;
  }
  if (!expression_constant(l ? *l : *r, l ? right : left)) return Answer::kRefused;
  (l ? left : right) = one;
  return Answer::kDone;
}

bool Rewriter::expression_list(pg::A_Expr& condition, const Expressed& of, const Level& level) {
  auto& right = *condition.mutable_rexpr();
  const bool in_list = condition.kind() == pg::AEXPR_IN;
  Nodes* items = nullptr;
  if (in_list && right.has_list()) {
    items = right.mutable_list()->mutable_items();
  } else if (!in_list) {
    auto* array = &right;
    if (array->has_type_cast() && array->type_cast().type_name().array_bounds_size() == 1) {
      pg::TypeName element = array->type_cast().type_name();
      element.clear_array_bounds();
      const auto oid = type_oid_of(element);
      if (oid && is_text(*oid) && element.typmods_size() == 0) {
        array = array->mutable_type_cast()->mutable_arg();
      }
    }
    if (array->has_a_array_expr()) items = array->mutable_a_array_expr()->mutable_elements();
  }
  if (items == nullptr) {
    return refuse(of.found.column(), "ANY or ALL of an array that is a parameter or a literal",
                  "use IN with a list, or = ANY (ARRAY[...])");
  }
  pg::Node helper;
  if (!expression_index(of, level, helper)) return false;
  const bool good = std::all_of(items->begin(), items->end(),
                                [&](pg::Node& item) { return expression_constant(of, item); });
  if (!good) return false;
  *condition.mutable_lexpr() = helper;
  if (in_list) return true;
  pg::Node plain;
  *plain.mutable_a_array_expr()->mutable_elements() = *items;
  pg::Node cast;
  make_cast(cast, plain, "bytea", true);
  right = cast;
  return true;
}

}  // namespace theriac::rewrite
