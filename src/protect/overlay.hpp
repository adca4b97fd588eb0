// The catalogue overlay in the database: schema theriac_catalog, whose views and functions have the
// names of PostgreSQL's own and show the logical model (overlay/*.sql). The rewriting half sends
// clients' references there (rewrite/overlay.hpp).
//
// Threading: as store::PgConnection.
#pragma once

#include "store/pg.hpp"

namespace theriac::protect {

/// Makes the schema, or replaces one that another version made; needs the registry and a superuser.
/// Clients' temporary views on an old one are dropped with it.
Status install_overlay(store::PgConnection& database);
/// Drops it, if it is there. In the caller's transaction.
Status drop_overlay(store::PgConnection& database);

}  // namespace theriac::protect
