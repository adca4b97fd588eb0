// An HTTP server: one listening socket for each event loop (SO_REUSEPORT), TLS or plain, and an
// orderly stop. Everything it serves is in its Service.
//
//   Router router;                       // what is served
//   auto service = Service::make(...);   // under which limits
//   auto server = Server::start(loops, *service, {.at = ..., .tls = ...});
//   loops.run();                         // until somebody calls server->stop(...)
//
// Errors: of start(): Code::kIo (address), kBadCertificate, kUsage.
// Ownership: the service outlives server and loops. After a stop the server goes before or after
// the loops; without one, the loops go first, and with them the connections that still wait.
// Threading: start() and destruction while the loops do not run; stop() and replace_tls() from any
// thread.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "http/connection.hpp"
#include "runtime/endpoint.hpp"
#include "runtime/event_loops.hpp"
#include "runtime/gate.hpp"
#include "runtime/tls.hpp"

namespace theriac::http {

/// The connections of one loop. Also what simulation drives.
class Shard {
 public:
  Shard(Service& service, runtime::Loop& loop) : service_(&service), loop_(&loop) {}
  /// Serves a stream that is there already (after TLS) until it ends.
  void take(std::unique_ptr<runtime::Stream> stream);
  /// The same for one that has to become TLS first. `tls`: by value, so that a replaced
  /// certificate serves those who began with it.
  void take_tls(std::unique_ptr<runtime::Stream> stream, runtime::TlsContext tls);
  /// No new connections; idle ones end, the others after their reply, and those left after
  /// `within` are cut. Returns when all are gone (a handler is always waited for).
  runtime::Task<void> stop(std::chrono::milliseconds within);
  [[nodiscard]] std::size_t connections() const { return gate_.inside(); }
  [[nodiscard]] runtime::Loop& loop() { return *loop_; }

 private:
  class Admission;
  class Cutter;
  runtime::Task<void> serve(std::unique_ptr<runtime::Stream> stream,
                            std::optional<runtime::TlsContext> tls);
  void accept(std::unique_ptr<runtime::Stream> stream, std::optional<runtime::TlsContext> tls);
  Service* service_;
  runtime::Loop* loop_;
  DateField date_;
  runtime::Gate gate_;
  std::unordered_set<Connection*> connections_;
  std::unordered_set<runtime::Stream*> handshakes_;
};

struct ListenOptions {
  runtime::Endpoint at;  ///< port 0: any free one
  /// Without: plain HTTP, for a loopback or a proxy in front.
  std::optional<runtime::TlsServerOptions> tls;
};

class Server {
 public:
  static Result<std::unique_ptr<Server>> start(runtime::EventLoops& loops, Service& service,
                                               ListenOptions options);
  ~Server();
  [[nodiscard]] std::uint16_t port() const;
  /// New connections get the certificate that is now in the files; old ones keep theirs. On an
  /// error nothing changes. Thread-safe.
  Status replace_tls();
  /// See Shard::stop; `stopped` is called on a loop when all shards have. Once. Thread-safe.
  void stop(std::chrono::milliseconds within, std::function<void()> stopped);

 private:
  struct PerLoop;
  explicit Server(ListenOptions options);
  runtime::Task<void> accept_all(PerLoop* per_loop);
  runtime::Task<void> stop_one(PerLoop* per_loop, std::chrono::milliseconds within);
  std::optional<runtime::TlsContext> tls();
  ListenOptions options_;
  std::mutex mutex_;  // of tls_
  std::optional<runtime::TlsContext> tls_;
  std::vector<std::unique_ptr<PerLoop>> per_loop_;
  std::atomic<std::size_t> running_{0};
  std::function<void()> stopped_;
};

}  // namespace theriac::http
