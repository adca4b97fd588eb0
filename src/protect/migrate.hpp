// Seals the values of filled tables in place, and opens them again, in a maintenance window.
//
// A table goes through three steps. *Begin*: helper columns are added, and every right on the table
// is taken away, so that no program reads or writes it half-way. *Fill*: about a thousand rows a
// transaction are sealed; nothing plain is touched. *Finish*, one transaction under an exclusive
// lock: every row is read back, opened and compared; only then the plain values are erased by
// rewriting the table, constraints and rights take their protected form, and the table is `sealed`.
// After that, statistics and WAL are turned over, and what may still hold plain copies is said.
//
// The work may be killed at any moment; called again it goes on. unprotect() undoes it, from any
// state.
//
// Threading: one thread. Services must outlive the call; the connection is the call's own, with a
// superuser signed in (Code::kDenied else).
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "audit/log.hpp"
#include "base/random.hpp"
#include "lease/lease.hpp"
#include "policy/policy.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

/// `stage`: fixed English text with the table's name; `all` is 0 where it is not known.
using Progress = std::function<void(std::string_view stage, std::int64_t done, std::int64_t all)>;

struct Services {
  store::PgConnection& database;
  const lease::KeySource& keys;
  Random& random;
  audit::AuditLog& audit;
  std::string actor;  ///< person or program, for the log
  Progress progress = [](std::string_view, std::int64_t, std::int64_t) {};
  /// Asked between steps; true ends the work with Code::kInterrupted.
  std::function<bool()> interrupted = [] { return false; };
};

struct TableReport {
  std::string table;
  std::int64_t rows = 0;
  std::int64_t values = 0;    ///< sealed, or opened, in this run
  std::int64_t compared = 0;  ///< rows read back, opened and compared
  std::vector<std::string> notes;
};

struct Report {
  std::vector<TableReport> tables;
  /// What may still hold plain values, for a person to deal with.
  std::vector<std::string> remains;
  /// Generated for a gateway role that did not exist; to be shown once.
  std::optional<std::string> gateway_password;
};

struct ProtectOptions {
  std::vector<std::string> tables;  ///< "schema.table"; empty: all in the policy
  std::string gateway_role = "theriac_gateway";
};

/// Refuses (Code::kPolicyInvalid) what inspect() refuses, before anything is changed.
Result<Report> protect_tables(const Services& services, const policy::Policy& policy,
                              const ProtectOptions& options);
/// Makes the registry in a database where nothing of the policy exists yet, so that what programs
/// create through the gateway is protected from the start; an older registry gets today's
/// functions. Code::kPolicyInvalid naming a column of the policy that stands there unprotected.
Result<Report> prepare_empty(const Services& services, const policy::Policy& policy,
                             const std::string& gateway_role);
/// Empty `tables`: every registered table; then the registry goes as well.
Result<Report> unprotect_tables(const Services& services, const std::vector<std::string>& tables);

struct TableStatus {
  std::string table, column, class_name, state;
  bool searchable = false, bound = false;
  bool intact = true;          ///< the constraint on the plain column still stands
  bool erase_pending = false;  ///< sealed, but statistics and WAL were not turned over yet
  std::vector<std::string>
      readers;  ///< roles that can read or insert the plain column all the same
};
Result<std::vector<TableStatus>> protection_status(store::PgConnection& database);

}  // namespace theriac::protect
