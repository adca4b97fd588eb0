// Puts the parts of enforce mode together from the settings: policy, lease, audit log, catalogue.
#pragma once

#include "gateway/session_factory.hpp"

namespace theriac::gateway {

/// Blocks until the first lease and the first catalogue snapshot are there. The references outlive
/// the result.
Result<Sessions> make_enforce_sessions(const GatewayConfig& config, Clock& clock, Random& random,
                                       Log& log);

}  // namespace theriac::gateway
