// `theriac line run` and `theriac line status` as a whole.
//
// Threading: one thread calls; run() makes one more.
#pragma once

#include <functional>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "codec/json.hpp"
#include "line/config.hpp"

namespace theriac::line {

/// Serves until `goes_on`, which waits a tick, returns false. Code::kBusy while another program
/// has the folder, kNotAuthentic when its state is sealed to another certificate, kBadCertificate.
Status run(const Config& config, const Clock& clock, Random& random, Log& log,
           const std::function<bool()>& goes_on);

/// What there is, how old it is and what waits, without a single number. Beside a running one too.
Result<codec::Json> status(const Config& config, std::int64_t now_ms);

}  // namespace theriac::line
