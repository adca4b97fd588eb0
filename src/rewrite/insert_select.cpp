// INSERT ... SELECT: rows for protected columns are read, opened and sealed here before they are
// inserted.
#include <algorithm>

#include "rewrite/insert_columns.hpp"
#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kValueRemedy =
    "compute the value in the program and send it as a literal or parameter";
constexpr std::string_view kSelectRemedy =
    "select the rows in the program and insert them with VALUES";

}  // namespace

bool Rewriter::insert_select(pg::InsertStmt& statement, Item& target, const Env* env) {
  auto& query = *statement.mutable_select_stmt()->mutable_select_stmt();
  Derived* rows = nullptr;
  const auto& relation = *target.relation;
  inserting_ = &query;
  inserted_.clear();
  // Which columns the outputs are for; how many there are shows later.
  for (const auto& node : statement.cols()) {
    inserted_.push_back({nullptr, &relation, relation.find(node.res_target().name())});
  }
  for (const auto& column : relation.columns) {
    if (statement.cols_size() > 0) break;
    if (!column.helper) inserted_.push_back({nullptr, &relation, &column});
  }
  if (!select(query, nullptr, env, Use::kRows, rows)) return false;
  if (!rows->columns_known && statement.cols_size() == 0) {
    return refuse_item(target, "INSERT ... SELECT * from an unknown relation", "name the columns");
  }
  InsertColumns columns;
  const auto width =
      rows->columns_known ? rows->columns.size() : static_cast<std::size_t>(statement.cols_size());
  if (!insert_columns(statement, target, width, columns)) return false;
  for (std::size_t i = 0; i < std::min(rows->columns.size(), columns.given.size()); ++i) {
    if (!rows->columns[i].secret() || columns.given[i]->protection) continue;
    return refuse(rows->columns[i], "INSERT ... SELECT into an unprotected column", kSelectRemedy);
  }
  if (columns.any_protected() || !columns.defaulted.empty()) {
    if (!rows->columns_known || rows->unknown_from) {
      return refuse_item(target, "INSERT ... SELECT from an unknown relation", "name the columns");
    }
    if (!may_gather(relation, nullptr)) return false;
    return insert_gathered(statement, target, columns, *rows);
  }
  if (columns.listed && !relation.bound) return true;
  edited_ = true;
  statement.clear_cols();
  columns.names(relation, *statement.mutable_cols());
  if (!relation.bound) return true;
  // Nothing sealed is in these rows, so the server may choose their identity.
  if (!rows->can_export || query.op() != pg::SETOP_NONE || query.distinct_clause_size() > 0) {
    return refuse_item(target, "this form of INSERT ... SELECT", kSelectRemedy);
  }
  auto& call = *query.add_target_list()->mutable_res_target()->mutable_val()->mutable_func_call();
  make_string(*call.add_funcname(), "pg_catalog");
  make_string(*call.add_funcname(), "gen_random_uuid");
  call.set_funcformat(pg::COERCE_EXPLICIT_CALL);
  return true;
}

bool Rewriter::taken_constant(const Derived& rows, std::size_t place, const Relation& relation,
                              const Column& column, std::optional<ValueSource>& out) {
  if (rows.columns[place].secret()) return true;
  const auto index = static_cast<int>(place);
  const bool by_place = rows.targets != nullptr && rows.rows == nullptr &&
                        index < rows.targets->size() &&
                        std::none_of(
                            rows.targets->begin(), rows.targets->end(),
                            [](const pg::Node& one) {
                              const auto& value = one.res_target().val();
                              return value.has_column_ref() && is_star(value.column_ref());
                            });
  if (by_place) {
    auto& value = *rows.targets->Mutable(index)->mutable_res_target()->mutable_val();
    const auto constant = constant_of(value, column);
    if (constant.is) {
      if (!constant.refused.empty()) {
        return refuse(&relation, &column, constant.refused, kValueRemedy);
      }
      out = constant.source;
      make_null(value);
      return true;
    }
  }
  return rows.columns[place].is_null || !brings_constants(rows, place) ||
         refuse(&relation, &column, "an expression with a literal or parameter as the value",
                kValueRemedy);
}

bool Rewriter::insert_gathered(pg::InsertStmt& statement, const Item& target,
                               const InsertColumns& columns, const Derived& rows) {
  constexpr std::string_view kSource = "theriac_s";
  const auto& relation = *target.relation;
  Gathering gathering;
  auto& select = *gathering.select.mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  auto& range = *select.add_from_clause()->mutable_range_subselect();
  auto& alias = *range.mutable_alias();
  alias.set_aliasname(std::string(kSource));
  Nodes names;
  Nodes values;
  for (std::size_t i = 0; i < columns.given.size(); ++i) {
    const auto& column = *columns.given[i];
    const auto name = "theriac_c" + std::to_string(i + 1);
    make_string(*alias.add_colnames(), name);
    if (column.protection) {
      std::optional<ValueSource> constant;
      if (!taken_constant(rows, i, relation, column, constant)) return false;
      if (constant) {
        gather_protected(gathering, relation, column, *constant, names, values);
        continue;
      }
    }
    pg::Node value;
    make_column(value, {kSource, name});
    const bool sealed = rows.columns[i].secret();
    if (!sealed && !cast_to_column(value, column)) {
      return refuse(&relation, &column, "a type that is not known", kSelectRemedy);
    }
    if (column.protection) {
      const auto kind = sealed ? Gather::Column::Kind::kSealed : Gather::Column::Kind::kValue;
      const auto source = gather_column(gathering, {kind, rows.columns[i]}, value);
      gather_protected(gathering, relation, column, source, names, values);
      continue;
    }
    // unnest() would take arrays apart: those go as text.
    if (column.is_array) {
      pg::Node text;
      make_cast(text, value, "text", false);
      value = text;
    }
    const auto source = gather_column(gathering, {Gather::Column::Kind::kValue, {}}, value);
    names.Add()->mutable_res_target()->set_name(column.name);
    auto& element = *values.Add();
    gather_array(
        gathering,
        {Gather::Array::Kind::kValue, column.is_array ? "pg_catalog.text" : column.type_name,
         column.is_array ? pgwire::kOidText : column.type.oid, nullptr, nullptr, source},
        element);
    if (column.is_array && !cast_to_column(element, column)) return false;
  }
  for (const auto* column : columns.defaulted) {
    const auto& protection = *column->protection;
    if (protection.default_refused) {
      return refuse(&relation, column, "a default that is not a constant", kValueRemedy);
    }
    gather_protected(gathering, relation, *column,
                     ValueSource{Literal{false, *protection.default_stored, 0}}, names, values);
  }
  if (relation.bound) {
    names.Add()->mutable_res_target()->set_name("theriac_row");
    gather_array(gathering,
                 {Gather::Array::Kind::kRowId, "pg_catalog.uuid", 0, nullptr, nullptr, {}},
                 *values.Add());
  }
  *range.mutable_subquery() = statement.select_stmt();
  if (select.target_list_size() == 0) {
    // Only how many rows there are matters.
    pg::Node one;
    make_true(one);
    gather_column(gathering, {Gather::Column::Kind::kValue, {}}, one);
  }
  if (!gather_with(statement, statement.with_clause(), relation, gathering)) return false;
  *statement.mutable_cols() = names;
  pg::Node source;
  auto& query = *source.mutable_select_stmt();
  query.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  query.set_op(pg::SETOP_NONE);
  for (const auto& value : values) {
    *query.add_target_list()->mutable_res_target()->mutable_val() = value;
  }
  if (!gathered_rows(gathering, *query.add_from_clause())) return false;
  *statement.mutable_select_stmt() = source;
  gathering_ = std::move(gathering);
  return true;
}

}  // namespace theriac::rewrite
