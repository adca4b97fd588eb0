// Statements in two steps: rows are read first, then written with a sealed value for each
// (plan.hpp, Gather).
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kRows = "theriac_rows";

std::string array_name(std::size_t ordinal) { return "theriac_a" + std::to_string(ordinal); }

}  // namespace

std::size_t Rewriter::gather_column(Gathering& gathering, const Gathering::Column& column,
                                    const pg::Node& value) {
  auto& query = *gathering.select.mutable_select_stmt();
  *query.add_target_list()->mutable_res_target()->mutable_val() = value;
  gathering.columns.push_back(column);
  // A constant that comes back to us is not read from any column.
  if (column.kind == Gather::Column::Kind::kSealed && !column.sealed.carried) {
    note_copied(*column.sealed.column);
    for (const auto& also : column.sealed.also) note_copied(*also.column);
  }
  return gathering.columns.size() - 1;
}

void Rewriter::gather_array(Gathering& gathering, Gathering::Array array, pg::Node& out) {
  make_column(out, {kRows, array_name(gathering.arrays.size())});
  gathering.arrays.push_back(std::move(array));
}

void Rewriter::gather_protected(Gathering& gathering, const Relation& relation,
                                const Column& column,
                                const std::variant<std::size_t, ValueSource>& source, Nodes& names,
                                Nodes& values) {
  const auto add = [&](Gather::Array::Kind kind, const std::string& helper, int index) {
    names.Add()->mutable_res_target()->set_name(helper);
    gather_array(gathering,
                 {kind, "pg_catalog.bytea", pgwire::kOidBytea, &relation, &column, source, index},
                 *values.Add());
  };
  add(Gather::Array::Kind::kSeal, column.protection->sealed_name(), 0);
  for (const int index : column.protection->indexes()) {
    add(Gather::Array::Kind::kIndex, column.protection->index_name(index), index);
  }
  note_written(column);
}

bool Rewriter::gathered_rows(const Gathering& gathering, pg::Node& out) {
  std::string functions;
  std::string names;
  for (std::size_t i = 0; i < gathering.arrays.size(); ++i) {
    const auto* comma = i == 0 ? "" : ", ";
    functions += comma + ("pg_catalog.unnest($" + std::to_string(i + 1)) +
                 "::" + gathering.arrays[i].type_name + "[])";
    names += comma + array_name(i);
  }
  pg::ParseResult rows;
  if (!parse(
          "SELECT FROM ROWS FROM (" + functions + ") AS " + std::string(kRows) + "(" + names + ")",
          rows)) {
    return refuse_state("XX000", "a type of an unprotected column", "report it");
  }
  out = rows.stmts(0).stmt().select_stmt().from_clause(0);
  each_of<pg::ParamRef>(out, [](const pg::ParamRef& one) {
    auto& parameter = const_cast<pg::ParamRef&>(one);  // `out` is ours and not const
    parameter.set_number(array_placeholder(parameter.number() - 1));
  });
  edited_ = true;
  return true;
}

bool Rewriter::cast_to_column(pg::Node& node, const Column& column) {
  pg::ParseResult parsed;
  if (!parse("SELECT NULL::" + column.type_name, parsed)) return false;
  pg::Node cast = parsed.stmts(0).stmt().select_stmt().target_list(0).res_target().val();
  *cast.mutable_type_cast()->mutable_arg() = node;
  node = cast;
  return true;
}

bool Rewriter::may_gather(const pg::WithClause& with, const Relation& relation,
                          const Column* column) {
  if (nested_ > 0 || gathering_) {
    return refuse(&relation, column, "a writing WITH that needs its rows read first",
                  "send it as a statement of its own");
  }
  for (const auto& node : with.ctes()) {
    if (!node.common_table_expr().ctequery().has_select_stmt()) {
      return refuse(&relation, column, "a statement of several rows beside a writing WITH",
                    "send the statements one after the other");
    }
  }
  return true;
}

}  // namespace theriac::rewrite
