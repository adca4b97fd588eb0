// CREATE TABLE AS from protected tables, of columns that are not protected.
// Pure; threading: a free function on values.
#pragma once

#include "rewrite/catalogue.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// True: the statement may go to the server as it is, since its query neither gives, compares nor
/// groups by anything protected, and the new table does not take a protected table's name, which a
/// temporary one would hide. False where that is not positively known.
bool copies_plain_columns(const pg::CreateTableAsStmt& statement, const Catalogue& catalogue,
                          const Context& context);

}  // namespace theriac::rewrite
