// The characters of a JSON string, escaped as little as may be: RFC 8785 section 3.2.2.2, and
// PostgreSQL's jsonb. Threading: a free function on values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace theriac::codec {

/// One byte of a string's UTF-8, without the quotes around the string.
inline void append_json_character(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\b':
      out += "\\b";
      return;
    case '\t':
      out += "\\t";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\f':
      out += "\\f";
      return;
    case '\r':
      out += "\\r";
      return;
    default:
      break;
  }
  const auto byte = static_cast<std::uint8_t>(c);
  if (byte >= 0x20) {
    out += c;
    return;
  }
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[byte >> 4U];
  out += kHex[byte & 15U];
}

}  // namespace theriac::codec
