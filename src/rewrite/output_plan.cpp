#include "rewrite/output_plan.hpp"

#include <algorithm>

namespace theriac::rewrite {
namespace {

Output::Origin origin_of(const Origin& origin, Statement& out) {
  const auto& name = origin.column->protection->class_name;
  if (std::find(out.classes_read.begin(), out.classes_read.end(), name) == out.classes_read.end()) {
    out.classes_read.push_back(name);
  }
  return {origin.relation->oid, origin.column->attribute, origin.with_row};
}

/// A row: its fields, and all they come from.
Output plan_row(std::size_t position, const ItemColumn& column, Statement& out) {
  Output made;
  made.position = position;
  made.type.oid = column.row_of != nullptr ? column.row_of->row_type : pgwire::kOidRecord;
  made.row_of = column.row_of != nullptr ? column.row_of->oid : 0;
  for (const auto& [place, field] : *column.row) {
    made.fields.push_back(plan_output(place, field, out));
    const auto& origins = made.fields.back().origins;
    made.origins.insert(made.origins.end(), origins.begin(), origins.end());
  }
  return made;
}

std::string name_of(const ItemColumn& column) {
  if (column.row && column.row->empty()) return {};
  const auto& one = column.row ? column.row->front().second : column;
  return one.relation->schema + "." + one.relation->name + "." + one.column->name;
}

}  // namespace

Output plan_output(std::size_t position, const ItemColumn& column, Statement& out) {
  if (column.row) return plan_row(position, column, out);
  Output made;
  made.position = position;
  made.type = column.type;
  made.names_origin = column.direct;
  made.origins.push_back(origin_of({column.relation, column.column, column.with_row}, out));
  for (const auto& also : column.also) made.origins.push_back(origin_of(also, out));
  return made;
}

std::optional<Refusal> plan_outputs(const Derived& result, const std::map<int, std::size_t>& found,
                                    Statement& out) {
  if (result.columns_known && !result.unknown_from) out.result_columns = result.columns.size();
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    const auto& column = result.columns[i];
    if (!column.secret() && !column.row) continue;
    if (result.unknown_from && i >= *result.unknown_from) {
      return Refusal{"0A000", name_of(column), "* over an unknown relation", "name the columns"};
    }
    auto made = plan_output(i, column, out);
    for (const auto provisional : column.found_by) {
      const auto at = found.find(provisional);
      if (at != found.end()) made.found_by.push_back(at->second);
    }
    // Half of a list proves nothing.
    if (made.found_by.size() != column.found_by.size()) made.found_by.clear();
    out.outputs.push_back(std::move(made));
  }
  return std::nullopt;
}

}  // namespace theriac::rewrite
