// JSON: nlohmann-json for values; parsing with limits; RFC 8785 (JCS) canonical text for everything
// that is hashed or signed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::codec {

using Json = nlohmann::json;

inline constexpr int kJsonDepthMax = 64;
inline constexpr std::size_t kJsonBytesMax = 16U << 20U;

/// Strict RFC 8259; duplicate keys, invalid UTF-8, depth and size beyond the limits are refused.
Result<Json> parse_json(std::string_view text, std::size_t bytes_max = kJsonBytesMax);
/// RFC 8785: sorted by UTF-16 code units, ECMAScript numbers, minimal escapes.
std::string canonical_json(const Json& value);

}  // namespace theriac::codec
