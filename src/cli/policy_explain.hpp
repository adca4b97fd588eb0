// theriac policy explain: what a role sees of each protected column, with an example, and the line
// of the policy that says so.
#pragma once

#include <optional>
#include <string>

#include "codec/json.hpp"
#include "policy/policy.hpp"

namespace theriac::cli {

struct ExplainRequest {
  std::string role;
  std::optional<std::string> column;  ///< "schema.table.column"; all if absent
  std::optional<std::string> sample;  ///< a value to mask instead of one of ours
};

/// A list of {column, class, sees, sample, shown, write, search, line}; `line` 0: no rule, so it is
/// denied. No database is asked: the sample is of a type that the mask is for. A pseudonym is made
/// with a key of this moment. Code::kNotFound if the policy does not have the column.
Result<codec::Json> explain(const policy::Policy& policy, const ExplainRequest& request);

}  // namespace theriac::cli
