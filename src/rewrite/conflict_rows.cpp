// ON CONFLICT DO UPDATE of some of the values that are bound to their row.
//
// What stays in the row is bound to its identity, so what comes must be bound to it, too. The rows
// that will be met are looked up and locked first; the row to insert takes the identity of the one
// that it meets. One that another session inserts in between is met with an identity of its own:
// the second step then ends in an error, and is to be sent again.
#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kConstruct = "ON CONFLICT DO UPDATE of rows that values are bound to";
constexpr std::string_view kRemedy =
    "name the key's columns in ON CONFLICT and send their values as literals or parameters, or set "
    "every protected column of the table from excluded";

int place_of(const Nodes& names, std::string_view name) {
  for (int i = 0; i < names.size(); ++i) {
    if (names.Get(i).res_target().name() == name) return i;
  }
  return -1;
}

void add_case(pg::CaseExpr& out, const pg::Node& condition, const pg::Node& value) {
  auto& when = *out.add_args()->mutable_case_when();
  *when.mutable_expr() = condition;
  *when.mutable_result() = value;
}

/// `node` AND or OR another condition.
void join_condition(pg::BoolExprType how, const pg::Node& further, pg::Node& node) {
  if (node.node_case() == pg::Node::NODE_NOT_SET) {
    node = further;
    return;
  }
  if (!node.has_bool_expr() || node.bool_expr().boolop() != how) {
    pg::Node both;
    both.mutable_bool_expr()->set_boolop(how);
    *both.mutable_bool_expr()->add_args() = node;
    node = both;
  }
  *node.mutable_bool_expr()->add_args() = further;
}

}  // namespace

/// The condition that finds the row whose key `values` has; none where a part of the key is NULL.
bool Rewriter::conflicting_row(const pg::InsertStmt& statement, const Nodes& values,
                               const Item& target, std::optional<pg::Node>& out) {
  const auto& relation = *target.relation;
  pg::Node all;
  for (const auto& node : statement.on_conflict_clause().infer().index_elems()) {
    const auto& name = node.index_elem().name();
    const int at = place_of(statement.cols(), name);
    if (at < 0 || at >= values.size()) {
      return refuse(&relation, nullptr, kConstruct, kRemedy);
    }
    pg::Node value = values.Get(at);
    if (is_null(value)) return true;
    if (!is_given_value(value)) return refuse(&relation, nullptr, kConstruct, kRemedy);
    const auto* column = relation.find(name);
    if (column == nullptr) return refuse(&relation, nullptr, kConstruct, kRemedy);
    if (!column->helper && !cast_to_column(value, *column)) {
      return refuse(&relation, column, "a type that is not known", kRemedy);
    }
    pg::Node key;
    make_column(key, {target.name, name});
    pg::Node same;
    make_operator(same, pg::AEXPR_OP, "=", key, value);
    join_condition(pg::AND_EXPR, same, all);
  }
  out = std::move(all);
  return true;
}

bool Rewriter::keep_identities(const pg::InsertStmt& statement, const Item& target) {
  const auto& relation = *target.relation;
  if (!may_gather(relation, nullptr)) return false;
  const auto& conflict = statement.on_conflict_clause();
  const auto& infer = conflict.infer();
  bool plain = infer.index_elems_size() > 0 && infer.conname().empty() && !infer.has_where_clause();
  for (const auto& node : infer.index_elems()) {
    const auto& element = node.index_elem();
    plain = plain && !element.name().empty() && element.collation_size() == 0 &&
            element.opclass_size() == 0;
  }
  const auto& source = statement.select_stmt().select_stmt();
  if (!plain || source.values_lists_size() == 0) {
    return refuse(&relation, nullptr, kConstruct, kRemedy);
  }
  Gathering gathering;
  auto& select = *gathering.select.mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  pg::Node which;
  pg::Node any;
  for (int row = 0; row < source.values_lists_size(); ++row) {
    std::optional<pg::Node> condition;
    if (!conflicting_row(statement, source.values_lists(row).list().items(), target, condition)) {
      return false;
    }
    if (!condition) continue;
    pg::Node number;
    make_number(number, first_row_ + row);
    add_case(*which.mutable_case_expr(), *condition, number);
    join_condition(pg::OR_EXPR, *condition, any);
  }
  if (!which.has_case_expr()) {
    // No row is met: NULL, which no condition is true for.
    make_number(which, 0);
    make_null(any);
  }
  gather_column(gathering, {Gather::Column::Kind::kOrdinal, {}}, which);
  pg::Node identity;
  make_column(identity, {target.name, "theriac_row"});
  gather_column(gathering, {Gather::Column::Kind::kRowId, {}}, identity);
  auto& table = *select.add_from_clause()->mutable_range_var();
  table = statement.relation();
  table.set_inh(relation.keys_name_rows());  // rows of inheriting tables are not met
  *select.mutable_where_clause() = any;
  lock_rows(target, conflict.target_list(), select);
  if (!gather_with(statement, statement.with_clause(), relation, gathering)) return false;
  gathering_ = std::move(gathering);
  edited_ = true;
  return true;
}

/// `value` if the row met has the identity that was inserted. Otherwise an error that is certain
/// and that no constant folding brings forward: a uuid has no byte 16.
void Rewriter::if_identity_kept(const Item& target, pg::Node& value) {
  pg::Node wanted;
  pg::Node found;
  make_column(wanted, {"excluded", "theriac_row"});
  make_column(found, {target.name, "theriac_row"});
  pg::Node same;
  make_operator(same, pg::AEXPR_OP, "=", found, wanted);
  pg::Node checked;
  add_case(*checked.mutable_case_expr(), same, value);
  const auto call = [](pg::Node& out, std::string_view name) -> pg::FuncCall& {
    auto& made = *out.mutable_func_call();
    make_string(*made.add_funcname(), "pg_catalog");
    make_string(*made.add_funcname(), name);
    made.set_funcformat(pg::COERCE_EXPLICIT_CALL);
    return made;
  };
  auto& set_byte = call(*checked.mutable_case_expr()->mutable_defresult(), "set_byte");
  pg::Node identity;
  make_column(identity, {"excluded", "theriac_row"});
  *call(*set_byte.add_args(), "uuid_send").add_args() = identity;
  make_number(*set_byte.add_args(), 16);
  make_number(*set_byte.add_args(), 0);
  value = checked;
}

}  // namespace theriac::rewrite
