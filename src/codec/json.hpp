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

/// Strict RFC 8259. Refused: duplicate keys, invalid UTF-8, a byte order mark (Code::kMalformed);
/// depth and size beyond the limits (Code::kTooLarge); numbers beyond a double, and those whose
/// canonical text is an integer beyond +-(2^53 - 1), which RFC 7493 section 2.2 keeps out of
/// interchange (Code::kOutOfRange). What was parsed has a canonical text that parses to itself.
Result<Json> parse_json(std::string_view text, std::size_t bytes_max = kJsonBytesMax);
/// RFC 8785: sorted by UTF-16 code units, ECMAScript numbers, minimal escapes. Every number is
/// written as the double nearest to it; integers beyond +-(2^53 - 1) belong in strings. Bytes that
/// are not UTF-8 become U+FFFD and a NaN null, so that no value can stop a program.
std::string canonical_json(const Json& value);

}  // namespace theriac::codec
