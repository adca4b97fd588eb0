// TCP and Unix sockets as Streams: connecting and listening.
//
// Errors: Code::kUpstream (nobody there, refused), kTimeout, kIo, kClosed, kUsage (bad address).
// Threading: everything belongs to the loop it was made on.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>

#include "runtime/endpoint.hpp"
#include "runtime/loop.hpp"
#include "runtime/signal.hpp"
#include "runtime/transport.hpp"

namespace theriac::runtime {

/// Opens byte streams; the simulated world has its own.
class Dialer {
 public:
  virtual ~Dialer() = default;
  /// `loop` outlives the stream.
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Loop* loop, Endpoint to,
                                                        std::chrono::milliseconds within) = 0;
};

class SocketDialer final : public Dialer {
 public:
  Task<Result<std::unique_ptr<Stream>>> connect(Loop* loop, Endpoint to,
                                                std::chrono::milliseconds within) override;
};

/// Accepts streams on one loop. Several loops share one address with SO_REUSEPORT; the kernel
/// spreads new connections over them.
class Listener {
 public:
  /// Resolves `at` blocking (start-up only). Port 0 takes any free port.
  static Result<std::unique_ptr<Listener>> bind(Loop& loop, const Endpoint& at);
  /// Code::kClosed after close(). When the process is out of descriptors it waits a tick at a
  /// time instead of failing.
  Task<Result<std::unique_ptr<Stream>>> accept();
  void close();
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Listener(Loop& loop, boost::asio::ip::tcp::acceptor acceptor);
  Loop* loop_;
  boost::asio::ip::tcp::acceptor acceptor_;
  std::uint16_t port_ = 0;
};

}  // namespace theriac::runtime
