#include "keys/server.hpp"

#include <openssl/err.h>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <list>

#include "keys/reply.hpp"
#include "keys/secret_access.hpp"
#include "pki/frame.hpp"
#include "pki/tls.hpp"

namespace theriac::keys {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using ErrorCode = boost::system::error_code;
template <typename T>
using Task = asio::awaitable<T>;

constexpr auto kWait = asio::as_tuple(asio::use_awaitable);
constexpr std::int64_t kAcceptRetryMs = 100;

/// One client. Shared by its coroutine and its deadline's handler, whichever ends last.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(tcp::socket socket, std::shared_ptr<asio::ssl::context> context)
      : context_(std::move(context)),
        stream_(std::move(socket), *context_),
        deadline_(stream_.get_executor()) {
    ErrorCode ignored;
    const auto peer = stream_.lowest_layer().remote_endpoint(ignored);
    peer_ = ignored ? "unknown" : peer.address().to_string();
  }

  asio::ssl::stream<tcp::socket>& stream() { return stream_; }
  [[nodiscard]] const std::string& peer() const { return peer_; }
  void set_deadline(std::int64_t ms) {
    deadline_.expires_after(std::chrono::milliseconds(ms));
    deadline_.async_wait([self = shared_from_this()](ErrorCode error) {
      if (!error) self->close();
    });
  }
  void close() {
    ErrorCode ignored;
    stream_.lowest_layer().close(ignored);
  }
  /// The handler above holds the connection until it is called off.
  void finish() {
    deadline_.cancel();
    close();
  }

  bool greeted = false;  ///< the handshake is done
  bool evicted = false;  ///< closed to make room
  bool idle = false;     ///< no request in hand: may be closed at once when the service stops

 private:
  std::shared_ptr<asio::ssl::context> context_;  // shared: replaced while connections live
  asio::ssl::stream<tcp::socket> stream_;
  asio::steady_timer deadline_;
  std::string peer_;
};
using ConnectionPtr = std::shared_ptr<Connection>;

/// Why a handshake failed when it was about the client's certificate; nullopt for anything else (a
/// port scan is no security event).
std::optional<Error> certificate_failure(Connection& connection, const ErrorCode& error) {
  if (error.category() == asio::error::get_ssl_category() &&
      ERR_GET_REASON(static_cast<unsigned long>(error.value())) ==
          SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE) {
    return Error{Code::kBadCertificate, "missing"};
  }
  const auto reason = pki::verify_failure(connection.stream().native_handle());
  if (reason.empty()) return std::nullopt;
  return Error{Code::kBadCertificate, reason + ", from " + connection.peer()};
}

class AsioServer final : public Server {
 public:
  AsioServer(Options options, KeyService& service, Clock& clock, Log& log)
      : options_(std::move(options)),
        service_(service),
        clock_(clock),
        log_(log),
        acceptor_(loop_),
        tick_timer_(loop_),
        signals_(loop_) {}
  ~AsioServer() override { worker_.join(); }

  Status bind();
  [[nodiscard]] std::uint16_t port() const override { return port_; }
  void run() override;
  void stop() override {
    asio::post(loop_, [this] { stop_now(); });
  }

 private:
  Task<void> accept_loop();
  Task<void> serve(ConnectionPtr connection);
  Task<void> exchange(ConnectionPtr connection);
  Task<bool> handshake(ConnectionPtr connection);
  Task<std::optional<Bytes>> read_request(ConnectionPtr connection);
  Task<bool> write_reply(ConnectionPtr connection, Reply reply);
  Task<Reply> reply_to(ConnectionPtr connection, Bytes payload);
  Task<Reply> work(pki::Identity caller, Bytes payload);
  Task<void> refuse_on_worker(std::string actor, std::string role, Error error);
  Task<void> tick_loop();
  Task<void> tick_on_worker();
  Status renew_context();
  void stop_now();
  bool make_room();

  Options options_;
  KeyService& service_;
  Clock& clock_;
  Log& log_;
  asio::io_context loop_{1};
  asio::thread_pool worker_{1};
  tcp::acceptor acceptor_;
  asio::steady_timer tick_timer_;
  asio::signal_set signals_;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  std::list<ConnectionPtr> connections_;  ///< oldest first
  std::size_t queued_ = 0;
  // Written by the worker, taken by the loop.
  std::atomic<std::shared_ptr<asio::ssl::context>> context_;
  std::int64_t renew_at_ms_ = 0;
};

Status AsioServer::renew_context() {
  const auto key = pki::PrivateKey::generate();
  THERIAC_ASSIGN(const auto own, service_.issue_own(key));
  THERIAC_ASSIGN(auto context, pki::server_context(own, key, service_.authority().certificate()));
  context_.store(std::make_shared<asio::ssl::context>(context.release()));
  renew_at_ms_ = clock_.wall_ms() + pki::kDayMs / 2;
  return {};
}

Status AsioServer::bind() {
  THERIAC_TRY(renew_context());
  ErrorCode error;
  const auto address = asio::ip::make_address(options_.host, error);
  if (error) return fail(Code::kUsage, "listen address");
  const tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) return fail(Code::kIo, "listen on " + options_.host);
  port_ = acceptor_.local_endpoint(error).port();
  return {};
}

void AsioServer::run() {
  if (options_.handle_signals) {
    signals_.add(SIGTERM);
    signals_.add(SIGINT);
    signals_.async_wait([this](ErrorCode error, int) {
      if (!error) stop_now();
    });
  }
  const auto ended = [this](const std::exception_ptr& failure) {
    if (!failure) return;
    log_.error("service loop ended", Error{Code::kInternal, "exception"});
    stop_now();
  };
  asio::co_spawn(loop_, accept_loop(), ended);
  asio::co_spawn(loop_, tick_loop(), ended);
  loop_.run();
  worker_.join();
}

void AsioServer::stop_now() {
  if (stopping_) return;
  stopping_ = true;
  log_.write(Level::kInfo, "stopping", {{"connections", connections_.size()}});
  ErrorCode ignored;
  acceptor_.close(ignored);
  tick_timer_.cancel();
  signals_.cancel(ignored);
  // A request in hand is answered; its connection ends by itself or by its deadline.
  for (const auto& connection : connections_) {
    if (connection->idle) {
      connection->close();
    } else {
      connection->set_deadline(kStopMsMax);
    }
  }
}

/// Closes the connection that has been shaking hands longest, or else the one that has been idle
/// longest, so that strangers who only connect cannot keep holders of leases out. False when every
/// connection is at work.
bool AsioServer::make_room() {
  log_.write(Level::kWarning, "connection limit reached", {{"limit", kConnectionsMax}});
  for (const bool greeted : {false, true}) {
    for (const auto& connection : connections_) {
      if (connection->greeted != greeted || !connection->idle || connection->evicted) continue;
      connection->evicted = true;  // it leaves the list when its coroutine ends
      connection->close();
      return true;
    }
  }
  return false;
}

Task<void> AsioServer::accept_loop() {
  while (!stopping_) {
    auto [error, socket] = co_await acceptor_.async_accept(kWait);
    if (stopping_) co_return;
    if (error) {
      // Out of descriptors, mostly: others end and give some back.
      log_.write(Level::kError, "accept failed", {{"errno", error.value()}});
      asio::steady_timer pause(loop_, std::chrono::milliseconds(kAcceptRetryMs));
      co_await pause.async_wait(kWait);
      continue;
    }
    if (connections_.size() >= kConnectionsMax && !make_room()) continue;  // the socket closes
    socket.set_option(tcp::no_delay(true), error);
    auto connection = std::make_shared<Connection>(std::move(socket), context_.load());
    connections_.push_back(connection);
    asio::co_spawn(loop_, serve(connection), asio::detached);
  }
}

Task<void> AsioServer::serve(ConnectionPtr connection) {
  try {
    co_await exchange(connection);
  } catch (const std::exception&) {
    // Its text may hold anything, so it is not logged.
    log_.error("connection closed", Error{Code::kInternal, "exception in a connection"});
  }
  connection->finish();
  connections_.remove(connection);
}

Task<void> AsioServer::exchange(ConnectionPtr connection) {
  if (!co_await handshake(connection)) co_return;
  while (!stopping_) {
    auto payload = co_await read_request(connection);
    if (!payload) break;
    connection->set_deadline(kReadMsMax + kWriteMsMax);
    auto reply = co_await reply_to(connection, std::move(*payload));
    const bool goes_on = reply.ok || !reply.body.value("close", false);
    reply.body.erase("close");
    if (!co_await write_reply(connection, std::move(reply)) || !goes_on) break;
  }
  connection->set_deadline(kWriteMsMax);
  co_await connection->stream().async_shutdown(kWait);
}

Task<bool> AsioServer::handshake(ConnectionPtr connection) {
  connection->set_deadline(kHandshakeMsMax);
  connection->idle = true;
  auto [error] =
      co_await connection->stream().async_handshake(asio::ssl::stream_base::server, kWait);
  connection->idle = false;
  if (!error) {
    connection->greeted = true;
    co_return true;
  }
  if (auto failure = certificate_failure(*connection, error)) {
    co_await asio::co_spawn(worker_, refuse_on_worker("", "", std::move(*failure)),
                            asio::use_awaitable);
  } else {
    log_.write(Level::kInfo, "handshake failed", {{"peer", connection->peer()}});
  }
  co_return false;
}

Task<std::optional<Bytes>> AsioServer::read_request(ConnectionPtr connection) {
  Bytes prefix(pki::kFramePrefixBytes);
  connection->idle = true;
  connection->set_deadline(kIdleMsMax);
  auto [error, got] = co_await asio::async_read(connection->stream(), asio::buffer(prefix), kWait);
  connection->idle = false;
  if (error) co_return std::nullopt;
  const auto size = pki::frame_size(prefix);
  if (!size) {
    co_await write_reply(connection, error_reply(size.error()));
    co_return std::nullopt;
  }
  connection->set_deadline(kReadMsMax);
  Bytes payload(*size);
  auto [read_error, read] =
      co_await asio::async_read(connection->stream(), asio::buffer(payload), kWait);
  if (read_error) co_return std::nullopt;
  co_return payload;
}

Task<Reply> AsioServer::reply_to(ConnectionPtr connection, Bytes payload) {
  Reply refused;
  auto caller = pki::peer_identity(connection->stream().native_handle(), clock_.wall_ms());
  if (!caller) {
    co_await asio::co_spawn(worker_, refuse_on_worker("", "", caller.error()), asio::use_awaitable);
    refused = error_reply(caller.error());
    refused.body["close"] = true;
    co_return refused;
  }
  if (queued_ >= kRequestsQueuedMax) {
    co_return error_reply(Error{Code::kBusy, "requests of the key service"});
  }
  ++queued_;
  auto reply = co_await asio::co_spawn(worker_, work(std::move(*caller), std::move(payload)),
                                       asio::use_awaitable);
  --queued_;
  co_return reply;
}

// On the worker thread.
Task<Reply> AsioServer::work(pki::Identity caller, Bytes payload) {
  co_return answer(service_, caller, payload, log_);
}

// On the worker thread.
Task<void> AsioServer::refuse_on_worker(std::string actor, std::string role, Error error) {
  service_.record_refusal("connection.refused", actor, role, error);
  co_return;
}

Task<bool> AsioServer::write_reply(ConnectionPtr connection, Reply reply) {
  connection->set_deadline(kWriteMsMax);
  auto bytes = pki::json_frame(reply.body);
  if (!bytes) bytes = pki::json_frame(error_reply(bytes.error()).body);
  Bytes secret;
  if (!reply.secret.empty()) secret = pki::frame(reply.secret.reveal(KeysSecretAccess::get()));
  const std::array<asio::const_buffer, 2> buffers{asio::buffer(*bytes), asio::buffer(secret)};
  auto [error, written] = co_await asio::async_write(connection->stream(), buffers, kWait);
  wipe(secret);
  wipe(*bytes);  // the token
  co_return !error;
}

Task<void> AsioServer::tick_loop() {
  while (!stopping_) {
    tick_timer_.expires_after(std::chrono::milliseconds(options_.tick_ms));
    auto [error] = co_await tick_timer_.async_wait(kWait);
    if (error || stopping_) co_return;
    co_await asio::co_spawn(worker_, tick_on_worker(), asio::use_awaitable);
  }
}

// On the worker thread.
Task<void> AsioServer::tick_on_worker() {
  if (auto done = service_.tick(); !done) log_.error("periodic work failed", done.error());
  if (clock_.wall_ms() >= renew_at_ms_) {
    if (auto done = renew_context(); !done) log_.error("own certificate", done.error());
  }
  co_return;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::listen(Options options, KeyService& service, Clock& clock,
                                               Log& log) {
  auto server = std::make_unique<AsioServer>(std::move(options), service, clock, log);
  THERIAC_TRY(server->bind());
  return server;
}

}  // namespace theriac::keys
