#include "api/server.hpp"

#include <condition_variable>
#include <csignal>

#include "api/limits.hpp"
#include "api/schema.hpp"
#include "audit/signing_key.hpp"
#include "pki/credentials.hpp"

namespace theriac::api {
namespace {

constexpr std::chrono::seconds kTryAgain{1};
constexpr std::chrono::milliseconds kHealthStop{500};

audit::Event system_event(std::string_view action) {
  audit::Event event;
  event.action = action;
  event.actor = "system";
  event.object = "theriacd";
  return event;
}

std::string state_of(const Status& status) {
  return status ? "ok" : std::string(info_of(status.error().code).name);
}

}  // namespace

void AwaitedKeys::give(std::unique_ptr<lease::KeySource> keys) {
  const std::unique_lock lock(mutex_);
  keys_ = std::move(keys);
}

void AwaitedKeys::refuse(Error why) {
  const std::unique_lock lock(mutex_);
  why_ = std::move(why);
}

Result<std::shared_ptr<const lease::Keyring>> AwaitedKeys::ring(std::string_view class_name,
                                                                bool reading) const {
  const std::shared_lock lock(mutex_);
  if (!keys_) return fail(why_);
  return keys_->ring(class_name, reading);
}

std::uint64_t AwaitedKeys::generation() const {
  const std::shared_lock lock(mutex_);
  return keys_ ? keys_->generation() : 0;
}

Server::Server(const Config& config, Clock& clock, Random& random, Log& log)
    : config_(config), clock_(&clock), random_(&random), log_(&log) {}

/// Where it was stopped at once, or never ran, connections and acceptors still wait in the loops
/// and refer to the servers.
Server::~Server() {
  opener_ = {};
  signals_.reset();
  readers_.reset();
  pool_.reset();
  loops_.reset();
}

Result<std::unique_ptr<Server>> Server::make(const Config& config, Clock& clock, Random& random,
                                             Log& log) {
  std::unique_ptr<Server> made(new Server(config, clock, random, log));
  THERIAC_TRY(made->prepare());
  THERIAC_TRY(made->listen());
  THERIAC_TRY(made->listen_for_health());
  return made;
}

Status Server::prepare() {
  THERIAC_ASSIGN(const auto own, pki::load_credentials(pki::CredentialPaths::in(config_.cert)));
  THERIAC_ASSIGN(const auto identity, own.certificate.identity());
  if (identity.role != pki::Role::kServer) return fail(Code::kBadCertificate, "cert: role server");
  name_ = identity.name;
  tenant_ = identity.tenant;
  authority_ = own.authority;
  THERIAC_ASSIGN(auto key, audit::signing_key(config_.cert + "/audit.key"));
  audit::Options options;
  options.directory = config_.audit;
  options.origin = "theriac/" + name_;
  options.producer = name_;
  THERIAC_ASSIGN(trail_,
                 audit::open_log(std::move(options), std::move(key), *clock_, *random_, *log_));
  pool_ = std::make_unique<runtime::BlockingPool>(config_.workers, kQueueMax);
  readers_ = std::make_unique<runtime::BlockingPool>(config_.readers, kQueueMax);
  api_ = std::make_unique<Api>(Api::Parts{.keys = &keys_,
                                          .trail = trail_.get(),
                                          .clock = clock_,
                                          .random = random_,
                                          .log = log_,
                                          .tenant = tenant_,
                                          .authority = &*authority_,
                                          .readers = readers_.get()});
  loops_ = std::make_unique<runtime::EventLoops>(config_.threads, *clock_, *random_, *log_);
  return {};
}

Status Server::listen() {
  http::Router router;
  THERIAC_TRY(api_->add_routes(router));
  http::ServiceOptions options;
  options.limits.connections_max = config_.connections_max;
  options.limits.requests_per_second = static_cast<double>(config_.requests_per_second);
  options.pool = pool_.get();
  options.texts = &problem_texts();
  options.access_log = [this](const http::AccessRecord& one) {
    log_->write(Level::kInfo, "http",
                {{"request", one.request_id},
                 {"certificate", one.certificate},
                 {"method", one.method},
                 {"route", one.pattern},
                 {"status", one.status},
                 {"us", one.took_us}});
  };
  THERIAC_ASSIGN(service_, http::Service::make(std::move(router), std::move(options)));
  http::ListenOptions at{.at = config_.listen, .tls = runtime::TlsServerOptions{}};
  at.tls->certificate_file = config_.tls_cert;
  at.tls->key_file = config_.tls_key;
  at.tls->protocol = runtime::TlsProtocol::kHttp11;
  at.tls->client_authority_file =
      config_.client_ca.empty() ? config_.cert + "/ca.pem" : config_.client_ca;
  at.tls->client_required = true;
  THERIAC_ASSIGN(server_, http::Server::start(*loops_, *service_, std::move(at)));
  THERIAC_ASSIGN(signals_, runtime::ProcessSignals::make(loops_->at(0), {SIGTERM, SIGINT, SIGHUP},
                                                         [this](int which) { on_signal(which); }));
  return {};
}

http::Response Server::say_ready() {
  const auto now = api_->readiness();
  const codec::Json json{{"ready", now.ready()},
                         {"keys", state_of(now.keys)},
                         {"store", state_of(now.store)},
                         {"audit", state_of(now.audit)}};
  return http::Response::json(now.ready() ? 200 : 503, codec::canonical_json(json));
}

Status Server::listen_for_health() {
  if (config_.metrics.empty()) return {};
  http::Router router;
  THERIAC_TRY(router.add({.method = "GET", .pattern = "/healthz", .handler = [](http::Request&) {
                            return http::Response::json(200, R"({"alive":true})");
                          }}));
  THERIAC_TRY(router.add({.method = "GET",
                          .pattern = "/readyz",
                          .handler = [this](http::Request&) { return say_ready(); },
                          .runs = http::Runs::kInPool}));
  THERIAC_TRY(
      router.add({.method = "GET", .pattern = "/metrics", .handler = [this](http::Request&) {
                    return http::Response::with(200, "text/plain; version=0.0.4",
                                                service_->metrics().prometheus());
                  }}));
  http::ServiceOptions options;
  options.pool = readers_.get();
  THERIAC_ASSIGN(health_service_, http::Service::make(std::move(router), std::move(options)));
  THERIAC_ASSIGN(const auto at, runtime::parse_endpoint(config_.metrics));
  THERIAC_ASSIGN(health_, http::Server::start(*loops_, *health_service_, {.at = at, .tls = {}}));
  return {};
}

void Server::on_signal(int which) {
  if (which == SIGHUP) {
    if (const auto replaced = server_->replace_tls(); !replaced) {
      log_->error("tls.replace", replaced.error());
    }
    return;
  }
  if (stopping_) return loops_->stop();
  stopping_ = true;
  log_->write(Level::kInfo, "stopping");
  opener_.request_stop();
  server_->stop(config_.stop_timeout, [this] {
    if (!health_) return loops_->stop();
    health_->stop(kHealthStop, [this] { loops_->stop(); });
  });
}

Status Server::open_store() {
  THERIAC_ASSIGN(auto where, resolve(config_.store));
  store::EngineOptions options;
  options.where = std::move(where);
  const auto sessions = config_.workers + config_.readers;
  options.sessions_max = static_cast<int>(sessions) + 2;
  THERIAC_ASSIGN(auto engine, store::open_engine(options, kSchema));
  THERIAC_ASSIGN(auto session, engine->connect());
  THERIAC_TRY(api_->open(std::move(engine), sessions));
  courier_ = std::make_unique<Courier>(
      Courier::Parts{
          .keys = &keys_, .trail = trail_.get(), .clock = clock_, .random = random_, .log = log_},
      std::move(session),
      https_sender({.authority_file = config_.webhook_ca, .allowed = config_.webhook_private},
                   *clock_, *random_, *log_));
  return {};
}

Status Server::open_keys() {
  THERIAC_ASSIGN(const auto keyd, runtime::parse_endpoint(config_.keyd));
  lease::ClientOptions options;
  options.host = keyd.host;
  options.port = keyd.port;
  options.certificate_file = config_.cert + "/cert.pem";
  options.key_file = config_.cert + "/key.pem";
  options.ca_file = config_.cert + "/ca.pem";
  options.state_file = config_.cert + "/lease.state";
  options.tenant = tenant_;
  options.classes = {{"serial", static_cast<std::uint32_t>(config_.grace.count())}};
  const auto notify = [this](std::string_view what, const Error* error) {
    auto event = system_event(what);
    if (error != nullptr) {
      event.outcome = "failed";
      event.error = info_of(error->code).name;
    }
    if (const auto queued = trail_->append(std::move(event)); !queued) {
      log_->error("audit.append", queued.error());
    }
  };
  auto client = lease::LeaseClient::start(std::move(options), *clock_, *random_, *log_, notify);
  if (!client) {
    keys_.refuse(client.error());
    return fail(client.error());
  }
  keys_.give(std::move(*client));
  return {};
}

void Server::open_parts(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any wake;
  std::array<std::pair<const char*, Status (Server::*)()>, 2> missing{
      {{"store", &Server::open_store}, {"keys", &Server::open_keys}}};
  std::array<std::optional<Error>, 2> told;
  std::size_t open = 0;
  while (!stop.stop_requested() && open < missing.size()) {
    for (std::size_t i = 0; i < missing.size() && !stop.stop_requested(); ++i) {
      auto& [what, open_it] = missing[i];
      if (open_it == nullptr) continue;
      const auto done = (this->*open_it)();
      if (done) {
        log_->write(Level::kInfo, "open", {{"part", what}});
        open_it = nullptr;
        ++open;
      } else if (told[i] != done.error()) {
        log_->error(what, done.error());
        told[i] = done.error();
      }
    }
    if (open == missing.size()) return;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, kTryAgain, [] { return false; });
  }
}

Status Server::note(std::string_view action) {
  THERIAC_TRY(trail_->append_durable(system_event(action)));
  return {};
}

Status Server::run() {
  THERIAC_TRY(note("service.start"));
  opener_ = std::jthread([this](const std::stop_token& stop) {
    open_parts(stop);
    if (courier_) courier_->run(stop);
  });
  loops_->run();
  opener_.request_stop();
  opener_.join();
  THERIAC_TRY(note("service.stop"));
  return trail_->flush();
}

}  // namespace theriac::api
