// SQL's own PREPARE, EXECUTE and DEALLOCATE: what of them the gateway does itself. Pure.
#pragma once

#include <optional>

#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// nullopt: the statement is none of them. `text` is the statement's own. The query of a PREPARE is
/// left empty if its text cannot be told.
std::optional<PreparedUse> prepared_use(const pg::Node& statement, std::string_view text);

}  // namespace theriac::rewrite
