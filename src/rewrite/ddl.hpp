// DDL and GRANT on tables: forwarded, forwarded and then settled (FollowedDdl), or refused. Pure.
#pragma once

#include <optional>

#include "rewrite/catalogue.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// Neither: forwarded.
struct DdlVerdict {
  std::optional<Refusal> refusal;
  std::optional<FollowedDdl> follow;
};

/// For statements that refuse_utility() let pass; those that are no DDL on tables get neither.
DdlVerdict judge_ddl(const pg::Node& statement, const Catalogue& catalogue, const Context& context);

/// For all other statements: does it name a table or column that is awaited? `refusal` says what
/// PostgreSQL would, if the statement gives such a column a value or works on such a table.
struct AwaitedUse {
  bool awaits = false;
  std::optional<Refusal> refusal;
};
AwaitedUse awaited_use(const pg::Node& statement, const Catalogue& catalogue,
                       const Context& context);

/// A word of the statement is an awaited table's name.
bool names_awaited(const pg::Node& statement, const Catalogue& catalogue);

}  // namespace theriac::rewrite
