// Acts of local commands (enrol, init) while another process holds the audit log: durable in the
// database first, in the same transaction as the act, and moved to the log by whoever holds it.
// At least once: after a crash between the two, the log has the entry twice, with one correlation.
#pragma once

#include <string>

#include "audit/log.hpp"
#include "base/ids.hpp"
#include "base/random.hpp"
#include "store/sqlite.hpp"

namespace theriac::keys {

/// Inside the caller's transaction. Gives the event a correlation when it has none.
Status put_in_outbox(store::Database& database, audit::Event event, Random& random);
/// Moves everything that waits.
Status drain_outbox(store::Database& database, audit::AuditLog& audit);

}  // namespace theriac::keys
