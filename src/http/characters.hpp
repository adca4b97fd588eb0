// Which bytes may stand where in a head (RFC 9110, section 5.6; RFC 3986, section 3).
//
// Threading: constants.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace theriac::http {

enum : std::uint8_t {
  kTokenCharacter = 1,  ///< tchar
  kInLine = 2,          ///< any byte of a line: field-vchar, SP, HTAB
  kFieldValue = kInLine,
  kPath = 4,      ///< pchar and "/"; "%" is checked when it is decoded
  kQuery = 8,     ///< what browsers send unencoded too (URL Standard, query percent-encode set)
  kHostName = 16  ///< unreserved characters of reg-name: names and IPv4
};

namespace detail {
constexpr std::array<std::uint8_t, 256> kinds() {
  std::array<std::uint8_t, 256> made{};
  const auto add = [&made](std::string_view which, std::uint8_t kind) {
    for (const char c : which) made[static_cast<unsigned char>(c)] |= kind;
  };
  constexpr std::string_view kAlphanumeric =
      "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
  add(kAlphanumeric, kTokenCharacter | kPath | kHostName);
  add("!#$%&'*+-.^_`|~", kTokenCharacter);
  add("-._~!$&'()*+,;=:@/%", kPath);
  add("-._~", kHostName);
  for (unsigned c = 0x21; c < 0x7f; ++c) made[c] |= kInLine | kQuery;
  for (unsigned c = 0x80; c < 0x100; ++c) made[c] |= kInLine;
  made[' '] |= kInLine;
  made['\t'] |= kInLine;
  for (const char c : std::string_view("\"#<>")) {
    made[static_cast<unsigned char>(c)] &= static_cast<std::uint8_t>(~kQuery);
  }
  return made;
}
inline constexpr auto kKinds = kinds();
}  // namespace detail

constexpr bool is_kind(char c, std::uint8_t kind) {
  return (detail::kKinds[static_cast<unsigned char>(c)] & kind) != 0;
}
constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; }

}  // namespace theriac::http
