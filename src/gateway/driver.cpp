#include "gateway/driver.hpp"

#include <csignal>

namespace theriac::gateway {

Gateway::Gateway(const GatewayConfig& config, Sessions sessions)
    : config_(config), sessions_(std::move(sessions)) {}

Gateway::~Gateway() = default;

Result<std::unique_ptr<Gateway>> Gateway::make(const GatewayConfig& config, Sessions sessions,
                                               GatewayParts parts) {
  std::unique_ptr<Gateway> made(new Gateway(config, std::move(sessions)));
  THERIAC_TRY(made->prepare(parts));
  THERIAC_TRY(made->bind());
  return made;
}

Status Gateway::prepare(GatewayParts parts) {
  setup_.rules = {.tls_offered = !config_.tls_cert.empty(),
                  .tls_required = config_.require_tls,
                  .enforce = config_.mode == Mode::kEnforce};
  if (setup_.rules.tls_offered) {
    THERIAC_ASSIGN(setup_.tls, runtime::TlsContext::server(config_.tls_cert, config_.tls_key));
  }
  setup_.upstream.endpoint = config_.upstream;
  if (config_.upstream_tls != UpstreamTls::kDisable) {
    const auto verify = config_.upstream_tls == UpstreamTls::kRequire ? runtime::TlsVerify::kRequire
                        : config_.upstream_tls == UpstreamTls::kVerifyCa
                            ? runtime::TlsVerify::kVerifyCa
                            : runtime::TlsVerify::kVerifyFull;
    THERIAC_ASSIGN(setup_.upstream.tls, runtime::TlsContext::client(verify, config_.upstream_ca));
  }
  setup_.dialer = &dialer_;
  setup_.times = {.idle = config_.idle_timeout,
                  .write = config_.write_timeout,
                  .sign_in = config_.sign_in_timeout};
  setup_.sessions_max = config_.sessions_max;
  Bytes secret(Key256::kSize);
  parts.random->fill(secret);
  setup_.process_secret = Key256(std::span<const std::uint8_t, Key256::kSize>(secret));
  wipe(secret);

  loops_ = std::make_unique<runtime::EventLoops>(config_.threads, *parts.clock, *parts.random,
                                                 *parts.log);
  if (!config_.catalogue.empty()) {
    verifiers_ = std::make_shared<PgVerifierSource>(config_.catalogue);
    pool_ = std::make_unique<runtime::BlockingPool>(kBlockingThreads, kBlockingQueueMax);
  }
  for (std::size_t i = 0; i < config_.threads; ++i) {
    auto& loop = loops_->at(i);
    metrics_.push_back(std::make_unique<LoopMetrics>());
    shards_.push_back(std::make_unique<Shard>(
        loop, setup_, *metrics_.back(), sessions_.make_factory(*metrics_.back()),
        pool_ ? make_lookup(verifiers_, *pool_, loop) : VerifierLookup{}));
  }
  return {};
}

Status Gateway::bind() {
  auto at = config_.listen;
  for (std::size_t i = 0; i < config_.threads; ++i) {
    THERIAC_ASSIGN(auto listener, runtime::Listener::bind(loops_->at(i), at));
    at.port = listener->port();
    listeners_.push_back(std::move(listener));
  }
  THERIAC_ASSIGN(signals_, runtime::ProcessSignals::make(loops_->at(0), {SIGTERM, SIGINT},
                                                         [this](int) { stop(); }));
  if (config_.metrics.empty()) return {};
  THERIAC_ASSIGN(const auto metrics_at, runtime::parse_endpoint(config_.metrics));
  THERIAC_ASSIGN(metrics_listener_, runtime::Listener::bind(loops_->at(0), metrics_at));
  return {};
}

std::uint16_t Gateway::port() const { return listeners_.front()->port(); }
std::uint16_t Gateway::metrics_port() const {
  return metrics_listener_ ? metrics_listener_->port() : 0;
}

void Gateway::run() {
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    loops_->at(i).spawn("accept", shards_[i]->accept_all(listeners_[i].get()));
  }
  if (metrics_listener_) {
    loops_->at(0).spawn("metrics", serve_metrics(&loops_->at(0), metrics_listener_.get(), [this] {
                          return metrics_text(metrics_,
                                              sessions_.metrics ? sessions_.metrics() : "");
                        }));
  }
  loops_->run();
}

void Gateway::stop() {
  if (stopping_.exchange(true)) return loops_->stop();
  running_shards_ = shards_.size();
  for (std::size_t i = 0; i < shards_.size(); ++i) {
    loops_->at(i).post([this, i] {
      listeners_[i]->close();
      if (i == 0 && metrics_listener_) metrics_listener_->close();
      shards_[i]->begin_stop(config_.stop_timeout, [this] {
        if (running_shards_.fetch_sub(1) == 1) loops_->stop();
      });
    });
  }
}

}  // namespace theriac::gateway
