// The one place that knows which sessions a mode has.
#pragma once

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "gateway/gateway_config.hpp"
#include "gateway/opening_auth.hpp"

namespace theriac::gateway {

/// A factory for the sessions of one loop; `metrics` outlives its sessions.
using SessionFactoryMaker = std::function<SessionFactory(LoopMetrics& metrics)>;

struct Sessions {
  SessionFactoryMaker make_factory;
  /// Prometheus text of the mode's own counters; may be empty.
  MetricsText metrics;
};

/// Starts what the mode needs; the result keeps it alive. The references outlive the result.
Result<Sessions> make_session_factory(const GatewayConfig& config, Clock& clock, Random& random,
                                      Log& log);

}  // namespace theriac::gateway
