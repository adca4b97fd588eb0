// RFC 3339 times. Years 0000 to 9999; times outside are written as the nearest that can be.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::codec {
/// "2026-11-21T10:30:00.123Z"
std::string rfc3339_utc(std::int64_t wall_ms);
/// With the machine's own offset: "2026-11-21T18:30:00.123+08:00" (audit entries name the zone).
std::string rfc3339_local(std::int64_t wall_ms);
/// Milliseconds since 1970-01-01 UTC. Digits after the third are dropped; a leap second counts as
/// the second after it. Code::kBadDateTime.
Result<std::int64_t> parse_rfc3339(std::string_view text);
}  // namespace theriac::codec
