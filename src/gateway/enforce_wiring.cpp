#include "gateway/enforce_wiring.hpp"

#include "gateway/backup_session.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "audit/signing_key.hpp"
#include "base/files.hpp"
#include "gateway/enforce_service.hpp"
#include "pki/credentials.hpp"
#include "protect/catalogue_loader.hpp"
#include "protect/overlay.hpp"
#include "protect/registry.hpp"

namespace theriac::gateway {
namespace {

/// Where programs sign in to make other databases.
constexpr std::string_view kMaintenance = "postgres";

/// Reads the databases of a server, each with a connection that is closed again.
class CatalogueSource {
 public:
  CatalogueSource(std::string conninfo, std::string provision, policy::Policy policy,
                  std::shared_ptr<lease::KeySource> keys, std::shared_ptr<audit::AuditLog> trail,
                  Random& random)
      : conninfo_(std::move(conninfo)),
        provision_(std::move(provision)),
        policy_(std::move(policy)),
        keys_(std::move(keys)),
        trail_(std::move(trail)),
        random_(random) {}

  /// The database that the settings name.
  Result<std::string> first_database() const {
    THERIAC_ASSIGN(auto connection, open(conninfo_));
    THERIAC_ASSIGN(const auto name, connection.query("SELECT pg_catalog.current_database()"));
    return std::string(name.value(0, 0).value_or(""));
  }
  Result<std::uint64_t> fingerprint(const std::string& database) const {
    THERIAC_ASSIGN(auto connection, open_for(database));
    return protect::schema_fingerprint(connection);
  }
  Result<Snapshot> load(const std::string& database, std::uint64_t epoch) const {
    THERIAC_ASSIGN(auto connection, open_for(database));
    Snapshot made;
    THERIAC_ASSIGN(made.catalogue, protect::load_catalogue(connection, policy_, epoch));
    if (database != kMaintenance && wants_provision(*made.catalogue)) {
      THERIAC_TRY(provision(connection, database));
      THERIAC_ASSIGN(made.catalogue, protect::load_catalogue(connection, policy_, epoch));
    }
    if (made.catalogue->adopts()) {
      THERIAC_ASSIGN(made.key, adoption_key(connection));
    }
    return made;
  }

 private:
  static Result<store::PgConnection> open(const std::string& conninfo) {
    auto opened = store::PgConnection::open(conninfo);
    if (!opened) return fail(opened.error().code, "catalogue: " + opened.error().where);
    return opened;
  }
  Result<store::PgConnection> open_for(const std::string& database) const {
    THERIAC_ASSIGN(const auto conninfo, store::pg_conninfo_for(conninfo_, database));
    return open(conninfo);
  }
  static Result<std::shared_ptr<const AdoptionKey>> adoption_key(store::PgConnection& connection) {
    THERIAC_ASSIGN(const auto rows, connection.query("SELECT key FROM theriac.gateway_key", {},
                                                     store::PgFormat::kBinary));
    const auto bytes = rows.rows() == 1 ? rows.bytes(0, 0) : std::nullopt;
    if (!bytes || bytes->size() != Key256::kSize) return fail(Code::kMalformed, "gateway_key");
    const std::span<const std::uint8_t, Key256::kSize> raw(*bytes);
    return std::make_shared<const AdoptionKey>(Key256(raw));
  }
  [[nodiscard]] bool wants_provision(const rewrite::Catalogue& catalogue) const {
    if (provision_.empty() || catalogue.adopts() || catalogue.has_protected()) return false;
    return std::none_of(policy_.columns.begin(), policy_.columns.end(), [&](const auto& column) {
      return catalogue.find(column.schema, column.table, {}) != nullptr;
    });
  }
  /// Makes the registry and the overlay, readable for the role that `connection` signed in as.
  Status provision(store::PgConnection& connection, const std::string& database) const {
    THERIAC_ASSIGN(const auto role,
                   connection.query("SELECT r.rolname, r.rolsuper, d.datistemplate "
                                    "FROM pg_catalog.pg_roles r, pg_catalog.pg_database d WHERE "
                                    "r.rolname = current_user AND d.datname = current_database()"));
    // Programs sign in to a template to make databases of it, not to keep tables there.
    if (role.rows() == 1 && role.value(0, 2) == "t") return {};
    THERIAC_ASSIGN(const auto ring, keys_->ring(policy_.columns.front().class_name, true));
    audit::Event event;
    event.action = "database.provision";
    event.actor = "system";
    event.object = database;
    event.policy_hash = policy_.hash;
    THERIAC_TRY(trail_->append_durable(std::move(event)));
    THERIAC_ASSIGN(const auto conninfo, store::pg_conninfo_for(provision_, database));
    auto opened = store::PgConnection::open(conninfo);
    if (!opened) return fail(opened.error().code, "provision: " + opened.error().where);
    THERIAC_TRY(protect::install_registry(*opened, ring->tenant));
    THERIAC_TRY(protect::install_overlay(*opened));
    if (role.rows() != 1 || role.value(0, 1) == "t") return {};
    THERIAC_TRY(
        protect::grant_gateway_role(*opened, std::string(role.value(0, 0).value_or("")), random_));
    return {};
  }
  std::string conninfo_, provision_;
  policy::Policy policy_;
  std::shared_ptr<lease::KeySource> keys_;  ///< shared with the sessions
  std::shared_ptr<audit::AuditLog> trail_;  ///< as above
  Random& random_;
};

/// A conninfo as it stands, or what the file or environment variable named holds.
Result<std::string> conninfo_of(const std::string& setting) {
  constexpr std::string_view kFile = "file:", kEnvironment = "env:";
  std::string found = setting;
  if (setting.starts_with(kFile)) {
    THERIAC_ASSIGN(const auto bytes, read_small_file(setting.substr(kFile.size())));
    found = std::string(text_of(bytes));
    while (!found.empty() && (found.back() == '\n' || found.back() == '\r')) found.pop_back();
  } else if (setting.starts_with(kEnvironment)) {
    const auto* value = std::getenv(setting.substr(kEnvironment.size()).c_str());
    if (value == nullptr) return fail(Code::kPolicyInvalid, "provision: no such variable");
    found = value;
  }
  return found;
}

Result<std::pair<std::string, std::uint16_t>> host_and_port(const std::string& address) {
  const auto colon = address.rfind(':');
  std::uint16_t port = 0;
  if (colon == std::string::npos) return fail(Code::kPolicyInvalid, "keyd");
  const auto* begin = address.data() + colon + 1;
  const auto* end = address.data() + address.size();
  const auto [at, error] = std::from_chars(begin, end, port);
  if (error != std::errc{} || at != end || port == 0) return fail(Code::kPolicyInvalid, "keyd");
  return std::pair{address.substr(0, colon), port};
}

Result<std::shared_ptr<audit::AuditLog>> open_audit(const GatewayConfig& config, Clock& clock,
                                                    Random& random, Log& log) {
  THERIAC_ASSIGN(auto key, audit::signing_key(config.cert + "/audit.key"));
  audit::Options options;
  options.directory = config.audit;
  options.origin = "theriac/gateway";
  options.producer = "gateway";
  THERIAC_ASSIGN(auto opened, audit::open_log(options, std::move(key), clock, random, log));
  return std::shared_ptr<audit::AuditLog>(std::move(opened));
}

Result<std::shared_ptr<lease::KeySource>> start_lease(const GatewayConfig& config,
                                                      const policy::Policy& policy,
                                                      const std::shared_ptr<audit::AuditLog>& trail,
                                                      Clock& clock, Random& random, Log& log) {
  lease::ClientOptions options;
  THERIAC_ASSIGN(const auto address, host_and_port(config.keyd));
  std::tie(options.host, options.port) = address;
  options.certificate_file = config.cert + "/cert.pem";
  options.key_file = config.cert + "/key.pem";
  options.ca_file = config.cert + "/ca.pem";
  options.state_file = config.cert + "/lease.state";
  options.tenant = policy.tenant;
  for (const auto& [name, of_class] : policy.classes) {
    options.classes.emplace_back(name, of_class.grace_s);
    options.suites[name] = of_class.suite;
  }
  const auto notify = [trail, &log](std::string_view event, const Error* error) {
    audit::Event entry;
    entry.action = event;
    entry.actor = "system";
    if (error != nullptr) {
      entry.outcome = "failed";
      entry.error = info_of(error->code).name;
    }
    if (const auto queued = trail->append(std::move(entry)); !queued) {
      log.error("audit.append", queued.error());
    }
  };
  THERIAC_ASSIGN(auto client, lease::LeaseClient::start(options, clock, random, log, notify));
  return std::shared_ptr<lease::KeySource>(std::move(client));
}

/// nullopt: none are named.
Result<std::optional<rewrite::KnownStatements>> known_statements(const std::string& path) {
  if (path.empty()) return std::optional<rewrite::KnownStatements>();
  THERIAC_ASSIGN(const auto text, read_small_file(path));
  THERIAC_ASSIGN(auto known, rewrite::KnownStatements::parse(text_of(text)));
  return std::optional(std::move(known));
}

std::string counters_text(Counters& counters, const PlanCache::Counts& plans) {
  const auto line = [](std::string_view name, const std::atomic<std::uint64_t>& value) {
    return fmt::format("# TYPE theriac_{0} counter\ntheriac_{0} {1}\n", name, value.load());
  };
  return line("statements_forwarded_total", counters.forwarded) +
         line("statements_rewritten_total", counters.rewritten) +
         line("statements_refused_total", counters.refused) +
         line("values_opened_total", counters.opened) +
         line("values_sealed_total", counters.sealed) + line("acts_denied_total", counters.denied) +
         line("plans_found_total", plans.hits) + line("plans_made_total", plans.misses);
}

}  // namespace

Result<Sessions> make_enforce_sessions(const GatewayConfig& config, Clock& clock, Random& random,
                                       Log& log) {
  EnforceService::Parts parts;
  THERIAC_ASSIGN(parts.policy, policy::load_policy(config.policy));
  THERIAC_ASSIGN(parts.known, known_statements(config.known_statements));
  // Before the audit log's key is made beside them.
  THERIAC_TRY(pki::load_credentials(pki::CredentialPaths::in(config.cert)));
  THERIAC_ASSIGN(parts.audit, open_audit(config, clock, random, log));
  THERIAC_ASSIGN(parts.keys, start_lease(config, parts.policy, parts.audit, clock, random, log));
  THERIAC_ASSIGN(auto provision, conninfo_of(config.provision));
  const auto source = std::make_shared<CatalogueSource>(
      config.catalogue, std::move(provision), parts.policy, parts.keys, parts.audit, random);
  parts.fingerprint = [source](const std::string& database) {
    return source->fingerprint(database);
  };
  parts.load = [source](const std::string& database, std::uint64_t epoch) {
    return source->load(database, epoch);
  };
  THERIAC_ASSIGN(parts.first_database, source->first_database());
  parts.clock = &clock;
  parts.random = &random;
  parts.log = &log;
  audit::Event started;
  started.action = "gateway.start";
  started.actor = "system";
  started.policy_hash = parts.policy.hash;
  THERIAC_TRY(parts.audit->append_durable(std::move(started)));
  THERIAC_ASSIGN(auto made, EnforceService::start(std::move(parts)));
  const std::shared_ptr<EnforceService> service(std::move(made));
  Sessions sessions;
  sessions.make_factory = [service](LoopMetrics& metrics) -> SessionFactory {
    return [service, &metrics](const pgwire::StartupMessage& startup,
                               Waker waker) -> Result<std::unique_ptr<Session>> {
      const auto* user = startup.find("user");
      if (user != nullptr && service->policy().backups.contains(*user)) {
        return std::make_unique<BackupSession>(*service, metrics, *user);
      }
      return service->make_session(startup, std::move(waker));
    };
  };
  sessions.metrics = [service] {
    return counters_text(service->counters(), service->databases().plan_counts()) +
           service->statements().text();
  };
  return sessions;
}

}  // namespace theriac::gateway
