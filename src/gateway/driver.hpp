// The gateway's driver: accepts clients, opens their connections, connects the server, and runs the
// sessions, each on the event loop that accepted it.
//
// Threading: Shard belongs to its loop. Gateway is made and run on one thread; stop() may be called
// from any.
#pragma once

#include <atomic>
#include <unordered_set>

#include "gateway/opening.hpp"
#include "gateway/opening_auth.hpp"
#include "gateway/relay.hpp"
#include "gateway/session_factory.hpp"
#include "gateway/upstream_tls.hpp"
#include "gateway/verifier_source.hpp"
#include "runtime/event_loops.hpp"
#include "runtime/gate.hpp"

namespace theriac::gateway {

/// What all sessions of a process share; outlives them.
struct ShardSetup {
  OpeningRules rules;
  std::optional<runtime::TlsContext> tls;  ///< shown to clients
  Upstream upstream;
  runtime::Dialer* dialer = nullptr;
  RelayTimes times;
  std::size_t sessions_max = kSessionsMax;
  Key256 process_secret;  ///< for mock verifiers
  std::atomic<std::size_t> sessions{0};
};

/// The sessions of one loop.
class Shard final : private runtime::TickListener {
 public:
  /// `lookup` may be empty.
  Shard(runtime::Loop& loop, ShardSetup& setup, LoopMetrics& metrics, SessionFactory factory,
        VerifierLookup lookup);

  /// One connection from its first byte to its end.
  runtime::Task<void> serve(std::unique_ptr<runtime::Stream> client);
  /// Accepts until the listener is closed.
  runtime::Task<void> accept_all(runtime::Listener* listener);
  /// Ends idle sessions, lets work under way finish for `within`, then ends it; `stopped` is called
  /// once nothing is left.
  void begin_stop(std::chrono::milliseconds within, std::function<void()> stopped);

 private:
  struct Opened;
  runtime::Task<void> open(std::unique_ptr<runtime::Stream> client);
  runtime::Task<std::optional<Opened>> read_opening(std::unique_ptr<runtime::Stream> client);
  runtime::Task<void> cancel(std::unique_ptr<runtime::Stream> client,
                             pgwire::CancelRequest request);
  runtime::Task<void> run_session(Opened opened);
  runtime::Task<void> dismiss(std::unique_ptr<runtime::Stream> client, Error error);
  runtime::Task<void> await_closed(std::function<void()> stopped);
  void on_tick(std::int64_t now_ms) override;

  runtime::Loop* loop_;
  ShardSetup* setup_;
  LoopMetrics* metrics_;
  SessionFactory factory_;
  VerifierLookup lookup_;
  runtime::Gate gate_;
  std::unordered_set<Relay*> relays_;
  std::unordered_set<runtime::Stream*> clients_;  ///< as accepted, below any TLS
  std::int64_t stop_at_ms_ = 0;
};

struct GatewayParts {
  Clock* clock = nullptr;
  Random* random = nullptr;
  Log* log = nullptr;
};

class Gateway {
 public:
  /// Reads certificates and binds the addresses; nothing is accepted before run().
  static Result<std::unique_ptr<Gateway>> make(const GatewayConfig& config, Sessions sessions,
                                               GatewayParts parts);
  ~Gateway();
  Gateway(const Gateway&) = delete;
  Gateway& operator=(const Gateway&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  /// 0 without metrics.
  [[nodiscard]] std::uint16_t metrics_port() const;
  /// Returns after stop(), or SIGTERM or SIGINT.
  void run();
  /// Clean stop; a second call stops at once.
  void stop();

 private:
  Gateway(const GatewayConfig& config, Sessions sessions);
  Status prepare(GatewayParts parts);
  Status bind();

  GatewayConfig config_;
  Sessions sessions_;
  ShardSetup setup_;
  runtime::SocketDialer dialer_;
  std::vector<std::unique_ptr<LoopMetrics>> metrics_;
  std::atomic<std::size_t> running_shards_{0};
  std::atomic<bool> stopping_{false};
  std::shared_ptr<VerifierSource> verifiers_;
  std::vector<std::unique_ptr<Shard>> shards_;
  // Destroyed first, with the coroutines that still refer to what stands above.
  std::unique_ptr<runtime::EventLoops> loops_;
  std::unique_ptr<runtime::BlockingPool> pool_;
  std::unique_ptr<runtime::Listener> metrics_listener_;
  std::vector<std::unique_ptr<runtime::Listener>> listeners_;
  std::unique_ptr<runtime::ProcessSignals> signals_;
};

}  // namespace theriac::gateway
