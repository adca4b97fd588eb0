// SET c = CASE WHEN … THEN 'a' WHEN … THEN 'b' END: which of several constants a protected column
// gets, row by row. Object-relational mappers update many rows so. The constants become sealed
// values, the server chooses among them, and what it chose is sealed again for its row.
#include <algorithm>

#include "rewrite/rewriter.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kRemedy = "send the values as plain literals or parameters";

/// Values, not expressions, whose type is open until a cast or the column gives it.
bool is_open_constant(const pg::Node& node) {
  return node.has_param_ref() ||
         (node.has_a_const() && (node.a_const().has_sval() || is_null(node)));
}

std::vector<pg::Node*> alternatives_of(pg::Node& node) {
  std::vector<pg::Node*> out;
  if (node.has_coalesce_expr()) {
    for (auto& one : *node.mutable_coalesce_expr()->mutable_args()) out.push_back(&one);
  } else if (node.has_case_expr()) {
    // ELSE comes first where PostgreSQL looks for the common type.
    auto& choice = *node.mutable_case_expr();
    if (choice.has_defresult()) out.push_back(choice.mutable_defresult());
    for (auto& one : *choice.mutable_args()) {
      out.push_back(one.mutable_case_when()->mutable_result());
    }
  }
  return out;
}

/// (CASE … THEN 'a' … END)::type reads every one of the open constants as that type.
bool move_cast_inside(pg::Node& node) {
  if (!node.has_type_cast()) return true;
  pg::Node inner = node.type_cast().arg();
  const auto all = alternatives_of(inner);
  if (!std::all_of(all.begin(), all.end(),
                   [](const pg::Node* one) { return is_open_constant(*one); })) {
    return false;
  }
  for (auto* one : all) {
    pg::Node cast = node;
    *cast.mutable_type_cast()->mutable_arg() = *one;
    *one = cast;
  }
  node = inner;
  return true;
}

}  // namespace

Rewriter::Answer Rewriter::chosen_constant(pg::Node& node, const Relation& relation,
                                           const Column& column, Level& level, ItemColumn& made) {
  auto& inner = node.has_type_cast() ? *node.mutable_type_cast()->mutable_arg() : node;
  const auto written = alternatives_of(inner);
  if (written.empty() || !std::all_of(written.begin(), written.end(),
                                      [](const pg::Node* one) { return constant_node(*one); })) {
    return Answer::kNotMine;
  }
  if (!move_cast_inside(node)) return Answer::kNotMine;
  CommonType common;
  bool parameters = false;
  const auto all = alternatives_of(node);
  for (const auto* one : all) {
    const auto constant = constant_of(*one, column);
    if (!constant.is) return Answer::kNotMine;
    if (!constant.refused.empty()) {
      refuse(&relation, &column, constant.refused, kRemedy);
      return Answer::kRefused;
    }
    parameters = parameters || std::holds_alternative<ClientParameter>(constant.source);
    common.add_constant(constant);
  }
  // Literals without a type are text to PostgreSQL, which it gives to a text column only; beside
  // one with a type they are read as that.
  const auto own = column.type.oid;
  const bool fits = common.type
                        ? common.type->oid == own || (is_text(common.type->oid) && is_text(own)) ||
                              (is_number(common.type->oid) && is_number(own) && !common.unknown)
                        : parameters || is_text(own);
  if (common.failed || !fits) {
    refuse(&relation, &column, "a choice among values of another type", kRemedy);
    return Answer::kRefused;
  }
  if (node.has_case_expr() && !case_conditions(*node.mutable_case_expr(), level)) {
    return Answer::kRefused;
  }
  made.relation = &relation;
  made.column = &column;
  made.with_row = relation.bound;
  made.type = column.type;
  made.direct = false;
  made.carried = true;
  for (auto* one : all) {
    if (!constant_value(*one, Form::kSealed, made)) return Answer::kRefused;
  }
  return Answer::kDone;
}

}  // namespace theriac::rewrite
