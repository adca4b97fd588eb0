// The key service on the network: mutual TLS 1.3, frames, one worker thread for everything that
// blocks. docs/design/lease-protocol.md
//
// Every wait has a deadline and every queue a limit (keys/limits.hpp). The certificate of the
// service itself lives in memory only, made at start and again at half its life.
//
// Threading: run() is the event loop and keeps its thread; stop() may be called from any thread.
// The KeyService is touched by the worker only, between listen() and the end of run().
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "keys/service.hpp"

namespace theriac::keys {

class Server {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::uint16_t port = 7750;    ///< 0: any free one
    bool handle_signals = false;  ///< SIGTERM and SIGINT stop it
    std::int64_t tick_ms = 1'000;
  };
  /// Code::kIo when the address cannot be bound.
  static Result<std::unique_ptr<Server>> listen(Options options, KeyService& service, Clock& clock,
                                                Log& log);
  virtual ~Server() = default;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
  virtual void run() = 0;
  virtual void stop() = 0;
};

}  // namespace theriac::keys
