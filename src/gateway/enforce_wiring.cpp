#include "gateway/enforce_wiring.hpp"

#include <fmt/format.h>
#include <charconv>

#include "audit/signing_key.hpp"
#include "gateway/enforce_service.hpp"
#include "pki/credentials.hpp"
#include "protect/catalogue_loader.hpp"

namespace theriac::gateway {
namespace {

/// The connection for catalogue snapshots; opened again when it was lost.
class CatalogueSource {
 public:
  CatalogueSource(std::string conninfo, policy::Policy policy)
      : conninfo_(std::move(conninfo)), policy_(std::move(policy)) {}

  Result<std::uint64_t> fingerprint() {
    THERIAC_TRY(connect());
    auto found = protect::schema_fingerprint(*connection_);
    if (!found) connection_.reset();
    return found;
  }
  Result<std::shared_ptr<const rewrite::Catalogue>> load(std::uint64_t epoch) {
    THERIAC_TRY(connect());
    auto found = protect::load_catalogue(*connection_, policy_, epoch);
    if (!found) connection_.reset();
    return found;
  }

 private:
  Status connect() {
    if (connection_) return {};
    auto opened = store::PgConnection::open(conninfo_);
    if (!opened) return fail(opened.error().code, "catalogue: " + opened.error().where);
    connection_ = std::move(*opened);
    return {};
  }
  std::string conninfo_;
  policy::Policy policy_;
  std::optional<store::PgConnection> connection_;
};

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
  // Before the audit log's key is made beside them.
  THERIAC_TRY(pki::load_credentials(pki::CredentialPaths::in(config.cert)));
  THERIAC_ASSIGN(parts.audit, open_audit(config, clock, random, log));
  THERIAC_ASSIGN(parts.keys, start_lease(config, parts.policy, parts.audit, clock, random, log));
  const auto source = std::make_shared<CatalogueSource>(config.catalogue, parts.policy);
  parts.fingerprint = [source] { return source->fingerprint(); };
  parts.load_catalogue = [source](std::uint64_t epoch) { return source->load(epoch); };
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
  sessions.make_factory = [service](LoopMetrics&) -> SessionFactory {
    return [service](const pgwire::StartupMessage& startup, Waker waker) {
      return service->make_session(startup, std::move(waker));
    };
  };
  sessions.metrics = [service] {
    return counters_text(service->counters(), service->plans().counts());
  };
  return sessions;
}

}  // namespace theriac::gateway
