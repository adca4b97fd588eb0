// What in the database uses a column besides the programs: views, rules, policies, triggers,
// constraints, generated columns, functions, publications. Part of inspect.
#pragma once

#include "protect/inspect.hpp"
#include "protect/target.hpp"

namespace theriac::protect {

/// Adds the findings on everything that uses the targets (tables that exist and are not protected
/// yet).
Status inspect_uses(store::PgConnection& database, const std::vector<Target>& targets,
                    std::vector<Finding>& findings);

}  // namespace theriac::protect
