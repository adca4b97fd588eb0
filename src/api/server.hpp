// theriacd put together: keys, store, audit log, API and health, and an orderly stop.
//
// It listens at once and says on /readyz what is missing; the store and the lease are tried again
// until they are there. Without its audit log it does not start.
//
// Threading: made and run on one thread.
#pragma once

#include <memory>
#include <shared_mutex>
#include <thread>

#include "api/api.hpp"
#include "api/config.hpp"
#include "api/epcis_courier.hpp"
#include "http/server.hpp"
#include "runtime/event_loops.hpp"

namespace theriac::api {

/// The lease, once there is one. Thread-safe.
class AwaitedKeys final : public lease::KeySource {
 public:
  void give(std::unique_ptr<lease::KeySource> keys);
  /// Why there is none yet.
  void refuse(Error why);
  Result<std::shared_ptr<const lease::Keyring>> ring(std::string_view class_name,
                                                     bool reading) const override;
  [[nodiscard]] std::uint64_t generation() const override;

 private:
  mutable std::shared_mutex mutex_;
  std::unique_ptr<lease::KeySource> keys_;
  Error why_{Code::kLeaseExpired, "theriac-keyd"};
};

class Server {
 public:
  /// Reads certificates, opens the audit log and binds the addresses.
  static Result<std::unique_ptr<Server>> make(const Config& config, Clock& clock, Random& random,
                                              Log& log);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;
  [[nodiscard]] std::uint16_t port() const { return server_->port(); }
  /// 0 without metrics.
  [[nodiscard]] std::uint16_t metrics_port() const { return health_ ? health_->port() : 0; }
  /// Until SIGTERM or SIGINT; SIGHUP reads the callers' certificate again.
  Status run();

 private:
  Server(const Config& config, Clock& clock, Random& random, Log& log);
  Status prepare();
  Status listen();
  Status listen_for_health();
  Status note(std::string_view action);
  void open_parts(const std::stop_token& stop);
  Status open_store();
  Status open_keys();
  http::Response say_ready();
  void on_signal(int which);

  Config config_;
  Clock* clock_;
  Random* random_;
  Log* log_;
  std::optional<pki::Certificate> authority_;
  std::string name_, tenant_;
  std::unique_ptr<audit::AuditLog> trail_;
  AwaitedKeys keys_;
  std::unique_ptr<Api> api_;
  std::unique_ptr<Courier> courier_;  // of the opener's thread, once all is open
  std::unique_ptr<http::Service> service_, health_service_;
  // Gone before what stands above, since their threads use it (see the destructor).
  std::unique_ptr<runtime::EventLoops> loops_;
  std::unique_ptr<runtime::BlockingPool> pool_, readers_;
  std::unique_ptr<http::Server> server_, health_;
  std::unique_ptr<runtime::ProcessSignals> signals_;
  bool stopping_ = false;
  std::jthread opener_;
};

}  // namespace theriac::api
