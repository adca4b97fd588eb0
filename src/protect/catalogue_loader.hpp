// Reads from a database what the analysis must know: relations, columns, keys, and the registry
// theriac.columns of protected columns.
#pragma once

#include <cstdint>
#include <memory>

#include "policy/policy.hpp"
#include "rewrite/catalogue.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

/// A consistent snapshot (one REPEATABLE READ transaction). Only protected columns whose state in
/// the registry is `sealed` are marked protected; columns in a half-way state make their relation
/// refuse everything (Protection with default_refused and class_name empty is never produced: the
/// loader returns Code::kNotProtected naming the table, and the gateway keeps refusing to start or
/// to switch). A registry column that the policy does not name, or the other way round, is
/// Code::kPolicyInvalid naming it.
Result<std::shared_ptr<const rewrite::Catalogue>> load_catalogue(store::PgConnection& database,
                                                                 const policy::Policy& policy,
                                                                 std::uint64_t epoch);

/// Differs whenever the registry, or any table, view, column or unique index of the database (but
/// no temporary one) changed, so that the snapshot is stale. Cheap to ask: about a millisecond for
/// every thousand columns. Compare for inequality; it does not grow. 0 without a registry.
Result<std::uint64_t> schema_fingerprint(store::PgConnection& database);

}  // namespace theriac::protect
