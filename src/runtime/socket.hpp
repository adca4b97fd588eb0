// Connecting and listening.
//
// Errors: Code::kUpstream (nobody there, refused, unknown name), kTimeout, kIo, kClosed, kUsage
// (bad address). Threading: a listener belongs to its loop; a dialer may serve several.
#pragma once

#include <chrono>
#include <memory>

#include "runtime/blocking_pool.hpp"
#include "runtime/endpoint.hpp"
#include "runtime/loop.hpp"
#include "runtime/poller.hpp"
#include "runtime/signal.hpp"
#include "runtime/transport.hpp"

namespace theriac::runtime {

/// Opens byte streams; the simulated world has its own.
class Dialer {
 public:
  virtual ~Dialer() = default;
  /// `loop` outlives the stream. `within` bounds each address that is tried; a look-up of a name
  /// has the resolver's own limits.
  virtual Task<Result<std::unique_ptr<Stream>>> connect(Loop* loop, Endpoint to,
                                                        std::chrono::milliseconds within) = 0;
};

class SocketDialer final : public Dialer {
 public:
  SocketDialer();
  Task<Result<std::unique_ptr<Stream>>> connect(Loop* loop, Endpoint to,
                                                std::chrono::milliseconds within) override;

 private:
  BlockingPool resolver_;
};

/// Accepts streams on one loop. Several loops share one address with SO_REUSEPORT; the kernel
/// spreads new connections over them.
class Listener final : private Watch {
 public:
  /// Resolves `at` blocking (start-up only). Port 0 takes any free port.
  static Result<std::unique_ptr<Listener>> bind(Loop& loop, const Endpoint& at);
  ~Listener() override;
  /// Code::kClosed after close(). When the process is out of descriptors it waits a tick at a
  /// time instead of failing.
  Task<Result<std::unique_ptr<Stream>>> accept();
  void close();
  [[nodiscard]] std::uint16_t port() const { return port_; }

 private:
  Listener(Loop& loop, int descriptor, std::uint16_t port)
      : loop_(&loop), descriptor_(descriptor), port_(port) {}
  void on_ready(std::uint32_t events) override;
  void abandon() override;
  Loop* loop_;
  int descriptor_;
  std::uint16_t port_;
  Signal ready_;
};

}  // namespace theriac::runtime
