// What the gateway counts, and its Prometheus text (version 0.0.4).
//
// Threading: each loop has its own LoopMetrics that only its thread writes; any thread may read.
// No value is attributed to a person, statement or stored value.
#pragma once

#include <array>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/error.hpp"
#include "runtime/socket.hpp"

namespace theriac::gateway {

/// One writer, any readers: an increment is a plain add, without a locked instruction.
class Count {
 public:
  void add(std::uint64_t more = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t less = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - less, std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct LoopMetrics {
  Count connections;    ///< accepted, ever
  Count sessions_open;  ///< signed in or on the way to it
  Count sessions_total;
  Count cancels;  ///< cancel requests forwarded
  Count bytes_from_client, bytes_from_server;
  Count messages_from_client, messages_from_server;
  Count refusals;                        ///< told to a client in an error message of our own
  std::array<Count, kCodeCount> errors;  ///< sessions and openings that ended with this code
  void error(Code code) { errors[static_cast<std::size_t>(code)].add(); }
};

/// Prometheus text of the sums over all loops; `more` is appended (other parts of the program).
std::string metrics_text(std::span<const std::unique_ptr<LoopMetrics>> loops,
                         const std::string& more);

using MetricsText = std::function<std::string()>;
/// Answers `GET /metrics` (and nothing else) on `listener` until it is closed, one reply per
/// connection. For the operator's network: no secrets are in it, but it is not public either.
runtime::Task<void> serve_metrics(runtime::Loop* loop, runtime::Listener* listener,
                                  MetricsText text);

}  // namespace theriac::gateway
