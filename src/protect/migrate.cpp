#include "protect/migrate.hpp"

#include <algorithm>
#include <set>

#include "protect/catalogue_loader.hpp"
#include "protect/erase.hpp"
#include "protect/inspect.hpp"
#include "protect/open_table.hpp"
#include "protect/overlay.hpp"
#include "protect/seal_table.hpp"
#include "protect/sql_text.hpp"
#include "protect/views.hpp"

namespace theriac::protect {
namespace {

using store::PgConnection;

bool chosen(const std::vector<std::string>& tables, const std::string& name) {
  return tables.empty() || std::find(tables.begin(), tables.end(), name) != tables.end();
}

/// Of the keys of the first column that is meant.
Result<TenantId> tenant_of(const Services& services, const policy::Policy& policy,
                           const std::vector<std::string>& tables) {
  for (const auto& column : policy.columns) {
    if (!chosen(tables, column.schema + "." + column.table)) continue;
    THERIAC_ASSIGN(const auto ring, services.keys.ring(column.class_name, true));
    return ring->tenant;
  }
  return fail(Code::kNotFound, "a column to protect");
}

/// Each of `tables` must be one of `known`: a name with a slip in it is no success.
Status all_known(const std::vector<std::string>& tables, const std::vector<std::string>& known) {
  for (const auto& table : tables) {
    if (std::find(known.begin(), known.end(), table) == known.end()) {
      return fail(Code::kNotFound, table);
    }
  }
  return {};
}

/// A column that is registered stays as it was registered.
Status same_as_registered(const RegisteredColumn& entry, const policy::ProtectedColumn& wanted) {
  if (entry.class_name == wanted.class_name && entry.searchable == wanted.searchable &&
      (!entry.searchable || entry.domain == wanted.domain) &&
      entry.searches == searches_of(wanted)) {
    return {};
  }
  return fail(Code::kConflict,
              entry.qualified() + ": class, searchable, domain or search; unprotect first");
}

/// Views that somebody made over sealed columns past the gateway.
Status adopt_views(PgConnection& database) {
  THERIAC_ASSIGN(auto transaction, store::PgTransaction::begin(database));
  THERIAC_TRY(remake_views(database, Remake::kMissing));
  return transaction.commit();
}

/// The entry that stands for its column: of the table it was protected in, or, if that was dropped
/// without it, of a partition that was detached before.
bool is_root(const RegisteredColumn& column) {
  return column.member == 0 || (column.root_table.empty() && column.member == 1);
}

/// The tables that are there and share a column with the one of `root`.
std::vector<std::uint32_t> relations_with(const std::vector<RegisteredColumn>& registered,
                                          const RegisteredColumn& root) {
  std::vector<std::uint32_t> out;
  for (const auto& one : registered) {
    if (one.number != root.number || one.relation == 0) continue;
    out.push_back(one.relation);
  }
  return out;
}

/// Partitions and children of sealed tables that were made beside the gateway: they are as
/// protected, and the registry learns of them.
Status record_members(const Services& services) {
  THERIAC_ASSIGN(const auto registered, registered_columns(services.database));
  std::set<std::string> tops;
  for (const auto& one : registered) {
    if (one.member != kUnrecordedMember) continue;
    for (const auto& root : registered) {
      if (root.number == one.number && root.member == 0) tops.insert(std::to_string(root.relation));
    }
  }
  for (const auto& top : tops) {
    THERIAC_TRY(audit_entry(services, "protect.members", top, {}));
    const auto made = services.database.query(
        "SELECT theriac.settle_table(m) FROM theriac.adopt_members($1::oid) AS m",
        {store::PgParam::text(top)});
    if (!made) return while_doing("recording partitions", made.error());
  }
  return {};
}

/// The first finding that refuses, as an error.
Status holds(const Inspection& inspection) {
  for (const auto& finding : inspection.findings) {
    if (finding.severity == Severity::kRefused) {
      return fail(Code::kPolicyInvalid, finding.object + " " + finding.what +
                                            (finding.remedy.empty() ? "" : "; " + finding.remedy));
    }
  }
  return {};
}

/// What is still to be sealed, a job for each table, in the policy's order.
Result<std::vector<SealJob>> jobs_of(PgConnection& database, const policy::Policy& policy,
                                     const TenantId& tenant,
                                     const std::vector<std::string>& tables) {
  THERIAC_ASSIGN(const auto targets, read_targets(database, policy.columns));
  THERIAC_ASSIGN(const auto registered, registered_columns(database));
  std::vector<SealJob> jobs;  // members come with their root
  for (const auto& target : targets) {
    if (!chosen(tables, target.table())) continue;
    auto at = std::find_if(jobs.begin(), jobs.end(),
                           [&](const auto& job) { return job.relation == target.relation; });
    if (at == jobs.end()) {
      SealJob job;
      job.relation = target.relation;
      job.schema = target.wanted->schema;
      job.table = target.wanted->table;
      job.policy = &policy;
      job.tenant = tenant;
      at = jobs.insert(jobs.end(), std::move(job));
    }
    at->bound = at->bound || policy.classes.at(target.wanted->class_name).bind_rows;
    const auto entry = std::find_if(registered.begin(), registered.end(), [&](const auto& each) {
      return each.relation == target.relation && each.attribute == target.attribute;
    });
    if (entry == registered.end()) {
      at->fresh.push_back(target);
    } else if (entry->member != 0 && !entry->root_table.empty()) {
      return fail(Code::kPolicyInvalid, target.object() + " is protected with " +
                                            entry->root_schema + "." + entry->root_table +
                                            "; name it there");
    } else {
      THERIAC_TRY(same_as_registered(*entry, *target.wanted));
    }
  }
  // Tables that are sealed already need nothing.
  std::vector<SealJob> out;
  for (auto& job : jobs) {
    bool work = !job.fresh.empty();
    for (const auto& column : columns_of(registered, job.relation)) {
      if (column.state == kStateOpening) {
        return fail(Code::kNotProtected, job.name() + ": finish theriac unprotect first");
      }
      work = work || column.state == kStateSealing;
    }
    if (work) out.push_back(std::move(job));
  }
  return out;
}

}  // namespace

Result<Report> protect_tables(const Services& services, const policy::Policy& policy,
                              const ProtectOptions& options) {
  auto& database = services.database;
  std::vector<std::string> known;
  for (const auto& column : policy.columns) known.push_back(column.schema + "." + column.table);
  THERIAC_TRY(all_known(options.tables, known));
  THERIAC_TRY(prepare_session(database));
  THERIAC_ASSIGN(const auto inspection, inspect(database, policy, options.tables));
  THERIAC_TRY(holds(inspection));
  if (policy.columns.empty()) return Report{};
  THERIAC_ASSIGN(const auto tenant, tenant_of(services, policy, options.tables));
  THERIAC_TRY(install_registry(database, tenant));
  THERIAC_TRY(install_overlay(database));
  THERIAC_TRY(grant_backup_roles(database, policy.backups));
  Report report;
  THERIAC_ASSIGN(report.gateway_password,
                 grant_gateway_role(database, options.gateway_role, services.random));
  THERIAC_ASSIGN(const auto jobs, jobs_of(database, policy, tenant, options.tables));
  THERIAC_TRY(
      audit_entry(services, "protect.start", "database", {{"tables", jobs.size()}}, policy.hash));
  for (const auto& job : jobs) {
    THERIAC_ASSIGN(auto done, seal_table(services, job));
    report.tables.push_back(std::move(done));
  }
  THERIAC_TRY(adopt_views(database));
  THERIAC_TRY(record_members(services));
  THERIAC_ASSIGN(report.remains, erase_traces(services));
  THERIAC_TRY(audit_entry(services, "protect.finish", "database",
                          {{"tables", report.tables.size()}}, policy.hash));
  return report;
}

Result<Report> prepare_empty(const Services& services, const policy::Policy& policy,
                             const std::string& gateway_role) {
  auto& database = services.database;
  THERIAC_TRY(prepare_session(database));
  // Says which column stands there unprotected, if one does.
  THERIAC_TRY(load_catalogue(database, policy, 1));
  if (policy.columns.empty()) return Report{};
  THERIAC_ASSIGN(const auto tenant, tenant_of(services, policy, {}));
  THERIAC_TRY(audit_entry(services, "protect.prepare", "database", {}, policy.hash));
  THERIAC_TRY(install_registry(database, tenant));
  THERIAC_TRY(install_overlay(database));
  Report report;
  THERIAC_ASSIGN(report.gateway_password,
                 grant_gateway_role(database, gateway_role, services.random));
  return report;
}

Result<Report> unprotect_tables(const Services& services, const std::vector<std::string>& tables) {
  auto& database = services.database;
  THERIAC_TRY(prepare_session(database));
  THERIAC_ASSIGN(const bool there, registry_exists(database));
  if (!there) return Report{};
  THERIAC_ASSIGN(const auto tenant, registry_tenant(database));
  THERIAC_TRY(install_registry(database, tenant));
  THERIAC_ASSIGN(const auto registered, registered_columns(database));
  std::vector<std::string> known;
  for (const auto& column : registered) {
    if (is_root(column)) known.push_back(column.schema + "." + column.table);
  }
  THERIAC_TRY(all_known(tables, known));
  THERIAC_TRY(
      audit_entry(services, "unprotect.start", "database", {{"columns", registered.size()}}));
  Report report;
  std::vector<std::uint32_t> seen;
  for (const auto& column : registered) {
    if (!is_root(column) || !chosen(tables, column.schema + "." + column.table)) continue;
    const auto relations = relations_with(registered, column);
    if (relations.empty()) continue;  // dropped
    if (std::find(seen.begin(), seen.end(), relations.front()) != seen.end()) continue;
    seen.push_back(relations.front());
    THERIAC_ASSIGN(auto done,
                   open_table(services, {relations, column.schema, column.table, tenant}));
    report.tables.push_back(std::move(done));
  }
  // What is left of columns whose tables were dropped, all of a tree: there is nothing to open.
  THERIAC_TRY(database.query(
      "DELETE FROM theriac.columns c WHERE NOT EXISTS (SELECT FROM theriac.columns o "
      "JOIN pg_catalog.pg_class k ON k.oid = o.relation::oid "
      "WHERE o.number = c.number)"));
  THERIAC_TRY(
      database.query("DELETE FROM theriac.tables t WHERE NOT EXISTS "
                     "(SELECT FROM theriac.columns c WHERE c.relation = t.relation)"));
  THERIAC_TRY(
      audit_entry(services, "unprotect.finish", "database", {{"tables", report.tables.size()}}));
  THERIAC_ASSIGN(const auto left, registered_columns(database));
  if (left.empty()) THERIAC_TRY(drop_registry(database));
  return report;
}

Result<std::vector<TableStatus>> protection_status(PgConnection& database) {
  THERIAC_ASSIGN(const auto registered, registered_columns(database));
  std::vector<TableStatus> out;
  if (registered.empty()) return out;
  constexpr std::string_view kPending =
      "SELECT relation::oid FROM theriac.migrations WHERE direction = 'protect' "
      "AND finished_at IS NOT NULL AND erased_at IS NULL";
  THERIAC_ASSIGN(const auto pending, database.query(kPending));
  // Superusers and pg_read_all_data pass every right; only what was granted is asked here.
  constexpr std::string_view kReaders = R"(
SELECT DISTINCT coalesce(r.rolname, 'PUBLIC')
FROM (SELECT c.relacl AS acl FROM pg_catalog.pg_class c WHERE c.oid = $1::oid
      UNION ALL SELECT a.attacl FROM pg_catalog.pg_attribute a
      WHERE a.attrelid = $1::oid AND a.attnum = $2::int2) s
CROSS JOIN LATERAL pg_catalog.aclexplode(s.acl) x
LEFT JOIN pg_catalog.pg_roles r ON r.oid = x.grantee
WHERE x.privilege_type IN ('SELECT', 'INSERT') ORDER BY 1)";
  for (const auto& column : registered) {
    TableStatus status{column.schema + "." + column.table,
                       column.column,
                       column.class_name,
                       column.state,
                       column.searchable,
                       column.bound,
                       column.attribute != 0,
                       false,
                       {}};
    for (std::size_t i = 0; i < pending.rows(); ++i) {
      status.erase_pending |= number_at<std::uint32_t>(pending, i, 0) == column.relation;
    }
    const auto oid = std::to_string(column.relation), attribute = std::to_string(column.attribute);
    THERIAC_ASSIGN(const auto readers, database.query(kReaders, {store::PgParam::text(oid),
                                                                 store::PgParam::text(attribute)}));
    for (std::size_t i = 0; i < readers.rows(); ++i) {
      status.readers.push_back(text_at(readers, i, 0));
    }
    out.push_back(std::move(status));
  }
  return out;
}

}  // namespace theriac::protect
