// Carriers: expressions that hand on a protected value as it is. Columns, and COALESCE, CASE,
// NULLIF, lag() and their like, and scalar sub-selects over them. Each has two forms: the one that
// gives the sealed value, to be opened where it comes out, and the one that gives its blind index,
// to be compared.
#include <algorithm>
#include <array>

#include "rewrite/limits.hpp"
#include "rewrite/rewriter.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kMixedRemedy =
    "use columns of one class and equality domain, literals or parameters as the alternatives";

/// Window functions that give the value of one row.
bool is_choosing_window(const pg::FuncCall& call) {
  constexpr std::array<std::string_view, 5> kNames{"lag", "lead", "first_value", "last_value",
                                                   "nth_value"};
  return call.has_over() && call.args_size() > 0 &&
         std::find(kNames.begin(), kNames.end(), operator_of(call.funcname())) != kNames.end();
}

/// What the type of a value becomes under a cast that changes no stored form; nullopt: it may.
std::optional<pgwire::ColumnType> relabelled(const pgwire::ColumnType& from, std::uint32_t to,
                                             Form form) {
  if (from.oid == to) return pgwire::ColumnType{to, -1, from.detail};
  const bool widens = is_integer(from.oid) && is_number(to) &&
                      (to == pgwire::kOidInt8 || to == pgwire::kOidNumeric ||
                       (to == pgwire::kOidInt4 && from.oid == pgwire::kOidInt2));
  if ((is_text(from.oid) && is_text(to)) || widens) return pgwire::ColumnType{to, -1};
  // As text a number is another value to `=`, but prints the same.
  if (form == Form::kSealed && is_number(from.oid) && is_text(to)) {
    return pgwire::ColumnType{to, -1};
  }
  return std::nullopt;
}

bool same_origin(const Origin& a, const Relation* relation, const Column* column, bool with_row) {
  return a.relation == relation && a.column == column && a.with_row == with_row;
}

}  // namespace

void add_origins(const ItemColumn& from, ItemColumn& to) {
  const auto add = [&](const Relation* relation, const Column* column, bool with_row) {
    if (to.relation == relation && to.column == column && to.with_row == with_row) return;
    for (const auto& one : to.also) {
      if (same_origin(one, relation, column, with_row)) return;
    }
    to.also.push_back({relation, column, with_row});
  };
  to.carried = to.carried && from.carried;
  add(from.relation, from.column, from.with_row);
  for (const auto& one : from.also) add(one.relation, one.column, one.with_row);
}

void CommonType::add(const pgwire::ColumnType& next) {
  if (!type) {
    type = next;
    if (unknown) type->modifier = -1;
    return;
  }
  if (type->oid == next.oid) {
    if (type->modifier != next.modifier) type->modifier = -1;
    return;
  }
  // text and varchar: the first stays; numbers: the widest.
  if (is_number(type->oid) && is_number(next.oid)) {
    for (const auto oid : {pgwire::kOidNumeric, pgwire::kOidInt8, pgwire::kOidInt4}) {
      if (type->oid != oid && next.oid != oid) continue;
      type->oid = oid;
      break;
    }
  } else if (!is_text(type->oid) || !is_text(next.oid)) {
    failed = true;
  }
  type->modifier = -1;
}

void CommonType::add_unknown() {
  unknown = true;
  if (type) type->modifier = -1;
}

void CommonType::add_constant(const Constant& constant) {
  const auto* literal = std::get_if<Literal>(&constant.source);
  if (literal == nullptr || literal->is_null || literal->sent_oid == 0) return add_unknown();
  add({literal->sent_oid, -1});
}

bool Rewriter::may_carry(pg::Node& node, const Level& level) {
  straighten(node, level);
  switch (node.node_case()) {
    case pg::Node::kColumnRef:
      return !is_star(node.column_ref()) && resolve(node.column_ref(), level).secret();
    case pg::Node::kTypeCast:
      return may_carry(*node.mutable_type_cast()->mutable_arg(), level);
    case pg::Node::kSubLink:
      return node.sub_link().sub_link_type() == pg::EXPR_SUBLINK &&
             node.sub_link().subselect().has_select_stmt();
    case pg::Node::kCoalesceExpr: {
      auto& args = *node.mutable_coalesce_expr()->mutable_args();
      return std::any_of(args.begin(), args.end(),
                         [&](pg::Node& one) { return may_carry(one, level); });
    }
    case pg::Node::kCaseExpr: {
      auto& choice = *node.mutable_case_expr();
      bool any = choice.has_defresult() && may_carry(*choice.mutable_defresult(), level);
      for (auto& one : *choice.mutable_args()) {
        any = may_carry(*one.mutable_case_when()->mutable_result(), level) || any;
      }
      return any;
    }
    case pg::Node::kAExpr:
      return node.a_expr().kind() == pg::AEXPR_NULLIF &&
             may_carry(*node.mutable_a_expr()->mutable_lexpr(), level);
    case pg::Node::kFuncCall:
      return is_choosing_window(node.func_call()) &&
             may_carry(*node.mutable_func_call()->mutable_args(0), level);
    default:
      return false;
  }
}

Rewriter::Answer Rewriter::value(pg::Node& node, Level& level, Form form, ItemColumn& made) {
  struct Leave {
    int& depth;
    ~Leave() { --depth; }
  } leave{++depth_};
  if (depth_ > kAnalysisDepthMax) {
    refuse_state("54001", "a statement nested this deep", "nest less");
    return Answer::kRefused;
  }
  if (!may_carry(node, level)) return Answer::kNotMine;
  if (level.grouped_by(node) != nullptr && !node.has_column_ref()) {
    return grouped_value(node, level, form, made);
  }
  switch (node.node_case()) {
    case pg::Node::kColumnRef:
      return column_value(node, level, form, made);
    case pg::Node::kTypeCast:
      return cast_value(node, level, form, made);
    case pg::Node::kSubLink:
      return selected_value(node, level, form, made);
    case pg::Node::kCoalesceExpr: {
      std::vector<pg::Node*> all;
      for (auto& one : *node.mutable_coalesce_expr()->mutable_args()) all.push_back(&one);
      return chosen_value(all, level, form, made, "COALESCE");
    }
    case pg::Node::kCaseExpr:
      return case_value(*node.mutable_case_expr(), level, form, made);
    case pg::Node::kAExpr:
      return null_if(node, level, form, made);
    default:
      return window_value(*node.mutable_func_call(), level, form, made);
  }
}

Rewriter::Answer Rewriter::column_value(pg::Node& node, Level& level, Form form, ItemColumn& made) {
  const auto found = resolve(node.column_ref(), level);
  const auto name = made.name;
  made = ItemColumn{};
  made.name = name;
  if (!output(found, level, form == Form::kIndex ? Use::kCompare : Use::kRows, node, made)) {
    return Answer::kRefused;
  }
  return Answer::kDone;
}

Rewriter::Answer Rewriter::grouped_value(pg::Node& node, Level& level, Form form,
                                         ItemColumn& made) {
  // What is grouped by has one value for a group: any row's will do.
  auto groups = std::move(level.groups);
  level.groups.clear();
  const auto answer = value(node, level, form, made);
  level.groups = std::move(groups);
  if (answer == Answer::kDone && form == Form::kSealed) first_of_group(node);
  return answer;
}

void Rewriter::first_of_group(pg::Node& node) {
  pg::Node made;
  auto& part = *made.mutable_a_indirection();
  auto& call = *part.mutable_arg()->mutable_func_call();
  make_string(*call.add_funcname(), "pg_catalog");
  make_string(*call.add_funcname(), "array_agg");
  call.set_funcformat(pg::COERCE_EXPLICIT_CALL);
  *call.add_args() = node;
  auto& first = *part.add_indirection()->mutable_a_indices();
  first.mutable_uidx()->mutable_a_const()->mutable_ival()->set_ival(1);
  node = made;
  edited_ = true;
}

Rewriter::Answer Rewriter::cast_value(pg::Node& node, Level& level, Form form, ItemColumn& made) {
  auto& cast = *node.mutable_type_cast();
  const auto answer = value(*cast.mutable_arg(), level, form, made);
  if (answer != Answer::kDone) return answer;
  const auto oid = type_oid_of(cast.type_name());
  const auto type = oid && cast.type_name().typmods_size() == 0
                        ? relabelled(made.type, *oid, form)
                        : std::optional<pgwire::ColumnType>();
  if (!type) {
    refuse(made, "a cast", {});
    return Answer::kRefused;
  }
  made.direct = made.direct && made.type.oid == type->oid && made.type.modifier == -1;
  made.type = *type;
  const pg::Node inner = cast.arg();
  node = inner;
  edited_ = true;
  return Answer::kDone;
}

Rewriter::Answer Rewriter::selected_value(pg::Node& node, Level& level, Form form,
                                          ItemColumn& made) {
  Derived* inner = nullptr;
  auto& query = *node.mutable_sub_link()->mutable_subselect()->mutable_select_stmt();
  const auto use = form == Form::kIndex ? Use::kCompare : Use::kRows;
  if (!select(query, &level, level.env, use, inner)) return Answer::kRefused;
  if (!inner->any_secret()) return Answer::kPlain;
  if (inner->columns.size() != 1 || !inner->columns_known) {
    refuse(*std::find_if(inner->columns.begin(), inner->columns.end(),
                         [](const ItemColumn& one) { return one.secret(); }),
           "a sub-select of several columns as a value", {});
    return Answer::kRefused;
  }
  const auto name = made.name;
  made = inner->columns[0];
  made.name = name;
  made.direct = false;
  return Answer::kDone;
}

Rewriter::Answer Rewriter::chosen_value(const std::vector<pg::Node*>& alternatives, Level& level,
                                        Form form, ItemColumn& made, std::string_view construct) {
  std::vector<std::optional<pgwire::ColumnType>> types(alternatives.size());
  bool any_secret = false;
  bool any_plain = false;
  for (std::size_t i = 0; i < alternatives.size(); ++i) {
    auto& one = *alternatives[i];
    if (constant_node(one)) continue;
    ItemColumn column;
    const auto answer = value(one, level, form, column);
    if (answer == Answer::kRefused) return answer;
    if (answer != Answer::kDone) {
      any_plain = true;
      if (answer == Answer::kNotMine && !expression(one, level, construct)) {
        return Answer::kRefused;
      }
      continue;
    }
    types[i] = column.type;
    if (!any_secret) {
      column.name = made.name;
      made = column;
      any_secret = true;
      continue;
    }
    if (form == Form::kIndex && !same_domain(made, column)) return Answer::kRefused;
    add_origins(column, made);
    made.found_by.clear();
  }
  if (!any_secret) return Answer::kPlain;
  CommonType common;
  for (std::size_t i = 0; i < alternatives.size() && !any_plain; ++i) {
    auto& one = *alternatives[i];
    if (types[i]) {
      common.add(*types[i]);
      continue;
    }
    common.add_constant(constant_of(one, *made.column));
    if (!constant_value(one, form, made)) return Answer::kRefused;
    made.found_by.clear();
  }
  if (any_plain || common.failed) {
    refuse(made, construct, kMixedRemedy);
    return Answer::kRefused;
  }
  made.type = *common.type;
  made.direct = false;
  return Answer::kDone;
}

bool Rewriter::constant_node(const pg::Node& node) {
  const auto* inner = &node;
  while (inner->has_type_cast()) inner = &inner->type_cast().arg();
  if (inner->has_a_array_expr()) {
    const auto& elements = inner->a_array_expr().elements();
    return std::all_of(elements.begin(), elements.end(),
                       [](const pg::Node& one) { return one.has_a_const(); });
  }
  return inner->has_a_const() || inner->has_param_ref();
}

bool Rewriter::constant_value(pg::Node& node, Form form, const ItemColumn& like) {
  const auto constant = constant_of(node, *like.column);
  if (!constant.is) return refuse(like, "an expression as the value", kMixedRemedy);
  if (!constant.refused.empty()) return bad_constant(like, constant);
  edited_ = true;
  if (constant.is_null()) {
    make_null(node);
    pg::Node cast;
    make_cast(cast, node, "bytea", false);
    node = cast;
    return true;
  }
  if (form == Form::kIndex && !searchable(like)) return false;
  auto fill = form == Form::kIndex ? Slot::Fill::kCompare
              : like.with_row      ? Slot::Fill::kShowRow
                                   : Slot::Fill::kShow;
  if (storing_) fill = form == Form::kIndex ? Slot::Fill::kIndex : Slot::Fill::kSeal;
  slot_node(node,
            slot(fill, constant.source, *like.relation, *like.column, storing_ ? first_row_ : 0));
  return true;
}

Rewriter::Answer Rewriter::case_value(pg::CaseExpr& choice, Level& level, Form form,
                                      ItemColumn& made) {
  if (!case_conditions(choice, level)) return Answer::kRefused;
  // ELSE comes first where PostgreSQL looks for the common type; without it there is a NULL.
  std::vector<pg::Node*> results;
  if (choice.has_defresult()) results.push_back(choice.mutable_defresult());
  for (auto& one : *choice.mutable_args()) {
    results.push_back(one.mutable_case_when()->mutable_result());
  }
  const auto answer = chosen_value(results, level, form, made, "CASE");
  if (answer == Answer::kDone && !choice.has_defresult()) made.type.modifier = -1;
  return answer;
}

bool Rewriter::case_conditions(pg::CaseExpr& choice, Level& level) {
  ItemColumn tested;
  auto answer = Answer::kNotMine;
  if (choice.has_arg()) {
    answer = value(*choice.mutable_arg(), level, Form::kIndex, tested);
    if (answer == Answer::kRefused) return false;
    if (answer == Answer::kNotMine && !expression(*choice.mutable_arg(), level, "CASE")) {
      return false;
    }
  }
  for (auto& one : *choice.mutable_args()) {
    auto& when = *one.mutable_case_when()->mutable_expr();
    if (answer != Answer::kDone) {
      if (!expression(when, level, "CASE")) return false;
      continue;
    }
    ItemColumn other;
    const auto theirs =
        constant_node(when) ? Answer::kNotMine : value(when, level, Form::kIndex, other);
    if (theirs == Answer::kRefused) return false;
    if (theirs == Answer::kDone) {
      if (!same_domain(tested, other)) return false;
    } else if (theirs == Answer::kPlain || !constant_value(when, Form::kIndex, tested)) {
      return refuse(tested, "CASE", kMixedRemedy);
    }
  }
  return true;
}

Rewriter::Answer Rewriter::null_if(pg::Node& node, Level& level, Form form, ItemColumn& made) {
  auto& both = *node.mutable_a_expr();
  // The left side is written twice: nested, the text would double at each level.
  int inner = 0;
  each_of<pg::SubLink>(both.lexpr(), [&](const pg::SubLink&) { ++inner; });
  each_of<pg::A_Expr>(both.lexpr(),
                      [&](const pg::A_Expr& one) { inner += one.kind() == pg::AEXPR_NULLIF; });
  if (inner > 0) {
    refuse_state("0A000", "NULLIF of a sub-select or another NULLIF", "use CASE");
    return Answer::kRefused;
  }
  // NULLIF(a, b) is CASE WHEN a = b THEN NULL ELSE a END.
  const pg::Node kept = both.lexpr();
  pg::Node left = both.lexpr();
  pg::Node right = both.rexpr();
  pg::Node tested;
  make_operator(tested, pg::AEXPR_OP, "=", left, right);
  pg::Node result;
  auto& choice = *result.mutable_case_expr();
  auto& when = *choice.add_args()->mutable_case_when();
  *when.mutable_expr() = tested;
  make_null(*when.mutable_result());
  *choice.mutable_defresult() = kept;
  node = result;
  edited_ = true;
  const pg::Node other = right;
  const auto answer = case_value(*node.mutable_case_expr(), level, form, made);
  if (answer != Answer::kDone) return answer;
  const auto constant = constant_of(other, *made.column);
  const auto* literal = std::get_if<Literal>(&constant.source);
  const bool beside_float = constant.is && literal != nullptr && is_float(literal->sent_oid);
  // Its = would make another type of the column, which prints in another way.
  if (made.type.oid == pgwire::kOidCidr || (beside_float && !is_float(made.type.oid))) {
    refuse(made, "NULLIF", "use CASE");
    return Answer::kRefused;
  }
  made.type = type_of_null_if(made, other);
  if (kept.has_column_ref() && made.type.oid == made.column->type.oid) {
    // NULLIF keeps the modifier, as CASE with a NULL does not.
    const auto found = resolve(kept.column_ref(), level);
    if (found.kind == Resolved::Kind::kColumn) {
      made.type.modifier = found.column().type.modifier;
    }
  }
  return answer;
}

/// NULLIF gives what its `=` takes on the left: text for varchar, numeric beside a numeric literal.
pgwire::ColumnType Rewriter::type_of_null_if(const ItemColumn& made, const pg::Node& other) {
  if (made.type.oid == pgwire::kOidVarchar) return {pgwire::kOidText, -1};
  const auto constant = constant_of(other, *made.column);
  const auto* literal = std::get_if<Literal>(&constant.source);
  const bool numeric =
      constant.is && literal != nullptr && literal->sent_oid == pgwire::kOidNumeric;
  if (is_integer(made.type.oid) && numeric) return {pgwire::kOidNumeric, -1};
  return made.type;
}

Rewriter::Answer Rewriter::window_value(pg::FuncCall& call, Level& level, Form form,
                                        ItemColumn& made) {
  std::vector<pg::Node*> values{call.mutable_args(0)};
  const auto name = last_name(call.funcname());
  const bool has_default = (name == "lag" || name == "lead") && call.args_size() == 3;
  if (has_default) values.push_back(call.mutable_args(2));
  if (call.args_size() > 1 && !expression(*call.mutable_args(1), level, "a window")) {
    return Answer::kRefused;
  }
  if (!filter(call, level)) {
    return Answer::kRefused;
  }
  if (!window(*call.mutable_over(), level)) return Answer::kRefused;
  const auto answer = chosen_value(values, level, form, made, "a window");
  // A function's result has no modifier.
  if (answer == Answer::kDone) made.type.modifier = -1;
  return answer;
}

bool Rewriter::window(pg::WindowDef& over, Level& level) {
  for (auto& one : *over.mutable_partition_clause()) {
    ItemColumn ignored;
    const auto answer = value(one, level, Form::kIndex, ignored);
    if (answer == Answer::kRefused) return false;
    if (answer == Answer::kNotMine && !expression(one, level, "PARTITION BY")) return false;
  }
  for (auto& one : *over.mutable_order_clause()) {
    if (!expression(one, level, "ORDER BY in a window")) return false;
  }
  for (auto* bound : {over.has_start_offset() ? over.mutable_start_offset() : nullptr,
                      over.has_end_offset() ? over.mutable_end_offset() : nullptr}) {
    if (bound != nullptr && !expression(*bound, level, "a window")) return false;
  }
  return true;
}

}  // namespace theriac::rewrite
