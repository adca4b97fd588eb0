// LOCK TABLE ... IN ACCESS SHARE MODE asks for SELECT on the whole table, which nobody has on a
// protected one; reading no row of it takes the same lock, until the transaction ends, and asks for
// SELECT on any column.
#pragma once

#include <optional>
#include <string>

#include "rewrite/catalogue.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// The statement to send instead of a LOCK that names protected tables, itself without rows;
/// nullopt: PostgreSQL's own does (another mode, NOWAIT, or no protected table). Pure.
std::optional<std::string> lock_by_reading(const pg::LockStmt& statement,
                                           const Catalogue& catalogue, const Context& context);

}  // namespace theriac::rewrite
