// The outputs of a rewritten statement, from what the analysis found: part of a plan.
#pragma once

#include <map>
#include <optional>

#include "rewrite/plan.hpp"
#include "rewrite/scope.hpp"

namespace theriac::rewrite {

/// Fills result_columns, outputs and classes_read of `out`. `found`: provisional slot to index. The
/// refusal, if a protected column's position is not certain.
std::optional<Refusal> plan_outputs(const Derived& result, const std::map<int, std::size_t>& found,
                                    Statement& out);
/// One output at `position`; its classes are added to classes_read.
Output plan_output(std::size_t position, const ItemColumn& column, Statement& out);

}  // namespace theriac::rewrite
