// Expressions: everything that may stand where a value stands. Only node types named here pass.
#include <algorithm>
#include <array>
#include <utility>

#include "rewrite/limits.hpp"
#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

using Kind = Resolved::Kind;

constexpr std::string_view kCompareRemedy =
    "compare with a literal, a parameter, or a column of "
    "the same equality domain";

/// Fixed text for a refusal: never a name taken from the statement.
std::string_view operator_construct(const pg::A_Expr& expression) {
  switch (expression.kind()) {
    case pg::AEXPR_LIKE:
      return "LIKE";
    case pg::AEXPR_ILIKE:
      return "ILIKE";
    case pg::AEXPR_SIMILAR:
      return "SIMILAR TO";
    case pg::AEXPR_BETWEEN:
    case pg::AEXPR_NOT_BETWEEN:
    case pg::AEXPR_BETWEEN_SYM:
    case pg::AEXPR_NOT_BETWEEN_SYM:
      return "BETWEEN";
    case pg::AEXPR_NULLIF:
      return "NULLIF";
    case pg::AEXPR_IN:
      return "IN";
    case pg::AEXPR_OP_ANY:
      return "ANY";
    case pg::AEXPR_OP_ALL:
      return "ALL";
    case pg::AEXPR_DISTINCT:
    case pg::AEXPR_NOT_DISTINCT:
      return "IS DISTINCT FROM";
    default:
      break;
  }
  constexpr std::array<std::string_view, 20> kOperators{"=",   "<>", "<",  ">",  "<=",  ">=", "||",
                                                        "+",   "-",  "*",  "/",  "%",   "~~", "!~~",
                                                        "~~*", "~",  "~*", "!~", "!~*", "^"};
  const auto name = operator_of(expression.name());
  const auto* at = std::find(kOperators.begin(), kOperators.end(), name);
  return at == kOperators.end() ? std::string_view("an operator") : *at;
}

std::string_view function_construct(std::string_view name) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 24> kFunctions{{
      {"count", "count()"},
      {"sum", "sum()"},
      {"avg", "avg()"},
      {"min", "min()"},
      {"max", "max()"},
      {"lower", "lower()"},
      {"upper", "upper()"},
      {"length", "length()"},
      {"char_length", "length()"},
      {"substring", "substring()"},
      {"substr", "substring()"},
      {"concat", "concat()"},
      {"string_agg", "string_agg()"},
      {"array_agg", "array_agg()"},
      {"json_agg", "json_agg()"},
      {"jsonb_agg", "jsonb_agg()"},
      {"to_char", "to_char()"},
      {"btrim", "trim()"},
      {"date_trunc", "date_trunc()"},
      {"date_part", "extract()"},
      {"extract", "extract()"},
      {"row_to_json", "row_to_json()"},
      {"to_json", "to_json()"},
      {"similar_to_escape", "SIMILAR TO"},
  }};
  for (const auto& [known, construct] : kFunctions) {
    if (known == name) return construct;
  }
  return "a function call";
}

std::string_view construct_of(const pg::Node& node, std::string_view outer) {
  switch (node.node_case()) {
    case pg::Node::kAExpr:
      return operator_construct(node.a_expr());
    case pg::Node::kTypeCast:
      return "a cast";
    case pg::Node::kCollateClause:
      return "COLLATE";
    case pg::Node::kAArrayExpr:
      return "ARRAY[]";
    case pg::Node::kRowExpr:
      return "a row";
    case pg::Node::kCoalesceExpr:
      return "COALESCE";
    case pg::Node::kMinMaxExpr:
      return "GREATEST or LEAST";
    case pg::Node::kBooleanTest:
      return "IS TRUE";
    case pg::Node::kNullTest:
      return "IS NULL";
    case pg::Node::kXmlExpr:
    case pg::Node::kXmlSerialize:
      return "an XML expression";
    case pg::Node::kBoolExpr:
      return "AND, OR, NOT";
    default:
      return outer;
  }
}

}  // namespace

bool Rewriter::children(Message& message, Level& level, std::string_view construct) {
  return each_child(message, [&](pg::Node& node) { return expression(node, level, construct); });
}

void Rewriter::straighten(pg::Node& node, const Level& level) {
  // (t).c and (t.*).c are t.c, if t is a FROM item.
  if (!node.has_a_indirection()) return;
  const auto& indirection = node.a_indirection();
  if (!indirection.arg().has_column_ref() || indirection.indirection_size() == 0 ||
      !indirection.indirection(0).has_string()) {
    return;
  }
  pg::ColumnRef reference = indirection.arg().column_ref();
  const Item* item = nullptr;
  if (is_star(reference) && reference.fields_size() > 1) {
    reference.mutable_fields()->RemoveLast();
    const int last = reference.fields_size() - 1;
    item = find_item(level, last > 0 ? string_of(reference.fields(last - 1)) : std::string_view{},
                     string_of(reference.fields(last)));
  } else if (reference.fields_size() == 1) {
    const auto found = resolve(reference, level);
    if (found.kind == Kind::kWholeRow) item = found.item;
  }
  if (item == nullptr || !item->concerns()) return;
  *reference.add_fields() = indirection.indirection(0);
  pg::Node made;
  if (indirection.indirection_size() == 1) {
    *made.mutable_column_ref() = reference;
  } else {
    *made.mutable_a_indirection()->mutable_arg()->mutable_column_ref() = reference;
    for (int i = 1; i < indirection.indirection_size(); ++i) {
      *made.mutable_a_indirection()->add_indirection() = indirection.indirection(i);
    }
  }
  node = made;
  edited_ = true;
}

bool Rewriter::expression(pg::Node& node, Level& level, std::string_view construct, bool conjunct) {
  if (++depth_ > kAnalysisDepthMax) {
    return refuse_state("54001", "a statement nested this deep", "nest less");
  }
  struct Leave {
    int& depth;
    ~Leave() { --depth; }
  } leave{depth_};
  straighten(node, level);
  switch (node.node_case()) {
    case pg::Node::NODE_NOT_SET:
    case pg::Node::kAConst:
    case pg::Node::kParamRef:
    case pg::Node::kSetToDefault:
    case pg::Node::kSqlvalueFunction:
    case pg::Node::kCurrentOfExpr:
    case pg::Node::kString:
    case pg::Node::kInteger:
    case pg::Node::kFloat:
    case pg::Node::kBoolean:
    case pg::Node::kBitString:
    case pg::Node::kAStar:
      return true;
    case pg::Node::kColumnRef:
      return column_reference(node, level, construct);
    case pg::Node::kFuncCall:
      return function_call(node, level);
    case pg::Node::kSubLink:
      return sub_link(node, level, construct);
    case pg::Node::kAExpr:
    case pg::Node::kNullTest: {
      const auto answer = predicate(node, level, conjunct);
      if (answer != Answer::kNotMine) return answer != Answer::kRefused;
      break;
    }
    case pg::Node::kCaseExpr:
      return case_expression(*node.mutable_case_expr(), level);
    case pg::Node::kWindowDef:
      return window(*node.mutable_window_def(), level);
    case pg::Node::kBoolExpr: {
      auto& all = *node.mutable_bool_expr();
      const bool deeper = conjunct && all.boolop() == pg::AND_EXPR;
      for (auto& arg : *all.mutable_args()) {
        if (!expression(arg, level, "AND, OR, NOT", deeper)) return false;
      }
      return true;
    }
    case pg::Node::kBooleanTest:
    case pg::Node::kTypeCast:
    case pg::Node::kCollateClause:
    case pg::Node::kAArrayExpr:
    case pg::Node::kRowExpr:
    case pg::Node::kCoalesceExpr:
    case pg::Node::kMinMaxExpr:
    case pg::Node::kAIndirection:
    case pg::Node::kAIndices:
    case pg::Node::kNamedArgExpr:
    case pg::Node::kXmlExpr:
    case pg::Node::kXmlSerialize:
    case pg::Node::kGroupingFunc:
    case pg::Node::kGroupingSet:
    case pg::Node::kList:
    case pg::Node::kSortBy:
    case pg::Node::kResTarget:
    case pg::Node::kRangeTableFuncCol:
      break;
    default:
      return refuse_state("0A000", "an expression that is not known here",
                          "write it without this construct");
  }
  return children(*inside(node), level, construct_of(node, construct));
}

bool Rewriter::case_expression(pg::CaseExpr& choice, Level& level) {
  if (!case_conditions(choice, level)) return false;
  for (auto& one : *choice.mutable_args()) {
    if (!expression(*one.mutable_case_when()->mutable_result(), level, "CASE")) return false;
  }
  return !choice.has_defresult() || expression(*choice.mutable_defresult(), level, "CASE");
}

bool Rewriter::column_reference(pg::Node& node, Level& level, std::string_view construct) {
  const auto& asked = node.column_ref();
  if (is_star(asked)) {
    if (asked.fields_size() == 1) return true;  // only where the grammar takes it as "all rows"
    const int last = asked.fields_size() - 2;
    const auto* item =
        find_item(level, last > 0 ? string_of(asked.fields(last - 1)) : std::string_view{},
                  string_of(asked.fields(last)));
    return item == nullptr || !item->concerns() || refuse_item(*item, "a whole row");
  }
  const auto found = resolve(asked, level);
  switch (found.kind) {
    case Kind::kColumn:
      if (found.secret()) return refuse(found.column(), construct);
      if (!found.converted) return true;
      edited_ = true;
      return reference(*found.item, found.column().name, level, node);
    case Kind::kPlain:
      return true;
    case Kind::kWholeRow:
      if (!found.item->concerns()) return true;
      // t.name that is no column of t: a helper, a typing error, or a function of the row.
      if (asked.fields_size() > 1 || string_of(asked.fields(0)) != found.item->name) {
        return unresolved(found);
      }
      return refuse_item(*found.item, "a whole row");
    default:
      return unresolved(found);
  }
}

bool Rewriter::function_call(pg::Node& node, Level& level) {
  auto& call = *node.mutable_func_call();
  const auto name = last_name(call.funcname());
  if (name == "count" && call.args_size() == 1 && call.agg_order_size() == 0) {
    if (const auto whole = count_whole_row(call, level); whole != Answer::kNotMine) {
      return whole != Answer::kRefused;
    }
    auto& counted = *call.mutable_args(0);
    straighten(counted, level);
    // Which values are there, and how many different ones, the helpers tell as well.
    if (!counted.has_sub_link() && may_carry(counted, level)) {
      // What an aggregate takes is not grouped yet.
      auto groups = std::move(level.groups);
      level.groups.clear();
      ItemColumn ignored;
      const auto form = call.agg_distinct() ? Form::kIndex : Form::kSealed;
      const auto answer = value(counted, level, form, ignored);
      level.groups = std::move(groups);
      if (answer == Answer::kRefused) return false;
      if (!filter(call, level)) {
        return false;
      }
      return !call.has_over() || window(*call.mutable_over(), level);
    }
  }
  const auto construct = function_construct(name);
  for (auto& arg : *call.mutable_args()) {
    if (!expression(arg, level, construct)) return false;
  }
  for (auto& order : *call.mutable_agg_order()) {
    if (!expression(order, level, "ORDER BY in an aggregate")) return false;
  }
  if (!filter(call, level)) {
    return false;
  }
  return !call.has_over() || window(*call.mutable_over(), level);
}

bool Rewriter::filter(pg::FuncCall& call, Level& level) {
  if (!call.has_agg_filter()) return true;
  auto& condition = *call.mutable_agg_filter();
  // Behind OVER the rows are grouped already, else not yet.
  if (call.has_over()) return expression(condition, level, "FILTER");
  auto groups = std::move(level.groups);
  level.groups.clear();
  const bool good = expression(condition, level, "FILTER");
  level.groups = std::move(groups);
  return good;
}

bool Rewriter::sub_link(pg::Node& node, Level& level, std::string_view construct) {
  auto& link = *node.mutable_sub_link();
  if (!link.subselect().has_select_stmt()) {
    return refuse_state("0A000", "this kind of sub-select", "use SELECT");
  }
  auto& query = *link.mutable_subselect()->mutable_select_stmt();
  Derived* inner = nullptr;
  switch (link.sub_link_type()) {
    case pg::EXISTS_SUBLINK:
      return select(query, &level, level.env, Use::kExists, inner);
    case pg::ANY_SUBLINK:
    case pg::ALL_SUBLINK:
    case pg::ROWCOMPARE_SUBLINK:
      return compared_sub_link(link, level);
    case pg::EXPR_SUBLINK:
    case pg::ARRAY_SUBLINK: {
      if (!select(query, &level, level.env, Use::kRows, inner)) return false;
      const auto secret = std::find_if(inner->columns.begin(), inner->columns.end(),
                                       [](const ItemColumn& one) { return one.secret(); });
      if (secret == inner->columns.end()) return true;
      return refuse(*secret,
                    link.sub_link_type() == pg::ARRAY_SUBLINK ? "ARRAY(SELECT)" : construct);
    }
    default:
      return refuse_state("0A000", "this kind of sub-select", "use SELECT");
  }
}

bool Rewriter::compared_sub_link(pg::SubLink& link, Level& level) {
  Derived* inner = nullptr;
  if (!select(*link.mutable_subselect()->mutable_select_stmt(), &level, level.env, Use::kCompare,
              inner)) {
    return false;
  }
  const auto name =
      link.oper_name_size() == 0 ? std::string_view("=") : operator_of(link.oper_name());
  const bool by_equality = name == "=" || name == "<>";
  std::vector<pg::Node*> tests;
  auto& test = *link.mutable_testexpr();
  if (test.has_row_expr()) {
    for (auto& arg : *test.mutable_row_expr()->mutable_args()) tests.push_back(&arg);
  } else {
    tests.push_back(&test);
  }
  const bool counted = inner->columns_known && inner->columns.size() == tests.size();
  const auto secret = std::find_if(inner->columns.begin(), inner->columns.end(),
                                   [](const ItemColumn& one) { return one.secret(); });
  if (secret != inner->columns.end() && (!counted || !by_equality)) {
    return refuse(*secret, "a comparison with a sub-select", kCompareRemedy);
  }
  for (std::size_t i = 0; i < tests.size(); ++i) {
    auto& mine = *tests[i];
    const auto* theirs = counted && inner->columns[i].secret() ? &inner->columns[i] : nullptr;
    ItemColumn own;
    const auto answer = value(mine, level, Form::kIndex, own);
    if (answer == Answer::kRefused) return false;
    if (answer == Answer::kDone) {
      if (theirs == nullptr || !by_equality) {
        return refuse(own, "IN (SELECT) of an unprotected column", kCompareRemedy);
      }
      if (!same_domain(own, *theirs)) return false;
      continue;
    }
    if (theirs == nullptr) {
      if (answer == Answer::kNotMine && !expression(mine, level, "IN (SELECT)")) return false;
      continue;
    }
    if (!constant_node(mine)) return refuse(*theirs, "IN (SELECT)", kCompareRemedy);
    if (!constant_value(mine, Form::kIndex, *theirs)) return false;
  }
  return true;
}

}  // namespace theriac::rewrite
