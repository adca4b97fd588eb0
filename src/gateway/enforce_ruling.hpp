// What the policy says of one statement to one role: whether it may run, which classes it uses, and
// how its result columns are shown.
//
// A ruling holds as long as statement and role are the same: the policy does not change while the
// program runs. Keys, grants and the audit log are asked for each execution.
#pragma once

#include <array>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "audit/tally.hpp"
#include "gateway/enforce_rows.hpp"
#include "gateway/enforce_slots.hpp"
#include "pgwire/messages.hpp"
#include "policy/policy.hpp"
#include "rewrite/plan.hpp"

namespace theriac::gateway {

/// A statement with the plan it is of.
using SharedStatement = std::shared_ptr<const rewrite::Statement>;

struct Ruling {
  struct Refused {
    pgwire::ErrorReport report;
    std::string subject;  ///< class or column
  };
  struct ClassUse {
    std::string name;
    bool writes = false;
  };

  SharedStatement statement;
  std::string role;
  std::optional<Refused> refused;
  std::vector<ClassUse> classes;  ///< by name, each once
  bool strict = false;            ///< one of the classes wants an entry before each statement
  /// Null: not wanted yet, or its rules depend on an execution's values.
  std::shared_ptr<RowMap> rows;
  /// The audit entry of its last executions, as an export or not: the log may not have written it
  /// yet.
  std::shared_ptr<audit::Tally> tally;
  bool exports = false;
};

/// `catalogue` is the one that the statement was planned with.
Ruling rule_on(SharedStatement statement, const rewrite::Catalogue& catalogue,
               const std::string& role, const policy::Policy& policy);

/// The rule of one output; `filled`: the values of an execution, null for none.
Refusable<OutputRule> output_rule(const rewrite::Output& output,
                                  const rewrite::Catalogue& catalogue, const std::string& role,
                                  const policy::Policy& policy, const Filled* filled);
/// Of all outputs of a statement.
Refusable<std::shared_ptr<RowMap>> row_map(
    const rewrite::Statement& statement, const std::shared_ptr<const rewrite::Catalogue>& catalogue,
    const std::string& role, const policy::Policy& policy, const Filled* filled);
/// row_map() gives the same for all values.
bool is_same_for_all_values(const rewrite::Statement& statement);

/// The rulings on the statements a session ran last.
class RecentRulings {
 public:
  /// The reference holds until the next call.
  Ruling& of(const SharedStatement& statement, const rewrite::Catalogue& catalogue,
             const std::string& role, const policy::Policy& policy);

 private:
  std::array<Ruling, 8> rulings_;
  std::size_t next_ = 0;
};

}  // namespace theriac::gateway
