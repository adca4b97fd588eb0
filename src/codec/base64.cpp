#include "codec/base64.hpp"

namespace theriac::codec {

namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNotADigit = 0xff;

constexpr std::array<std::uint8_t, 256> kValueOf = [] {
  std::array<std::uint8_t, 256> made{};
  made.fill(kNotADigit);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    made[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return made;
}();

char digit(std::uint32_t value) { return kAlphabet[value & 63U]; }

}  // namespace

std::string to_base64(ByteView bytes) {
  std::string out;
  out.reserve((bytes.size() + 2) / 3 * 4);
  while (bytes.size() >= 3) {
    const std::uint32_t group =
        std::uint32_t{bytes[0]} << 16U | std::uint32_t{bytes[1]} << 8U | std::uint32_t{bytes[2]};
    for (unsigned shift : {18U, 12U, 6U, 0U}) out += digit(group >> shift);
    bytes = bytes.subspan(3);
  }
  if (bytes.size() == 1) {
    const std::uint32_t group = std::uint32_t{bytes[0]} << 16U;
    out += digit(group >> 18U);
    out += digit(group >> 12U);
    out += "==";
  } else if (bytes.size() == 2) {
    const std::uint32_t group = std::uint32_t{bytes[0]} << 16U | std::uint32_t{bytes[1]} << 8U;
    for (unsigned shift : {18U, 12U, 6U}) out += digit(group >> shift);
    out += '=';
  }
  return out;
}

Result<Bytes> from_base64(std::string_view text) {
  if (text.size() % 4 != 0) return fail(Code::kMalformed, "base64 length");
  Bytes out;
  if (text.empty()) return out;
  std::size_t padding = 0;
  if (text.ends_with("==")) {
    padding = 2;
  } else if (text.ends_with('=')) {
    padding = 1;
  }
  text.remove_suffix(padding);
  out.reserve(text.size() / 4 * 3 + 2);
  std::uint32_t held = 0;
  unsigned held_bits = 0;
  for (const char c : text) {
    const std::uint8_t value = kValueOf[static_cast<std::uint8_t>(c)];
    if (value == kNotADigit) return fail(Code::kMalformed, "base64 digit");
    held = held << 6U | value;
    held_bits += 6;
    if (held_bits >= 8) {
      held_bits -= 8;
      out.push_back(static_cast<std::uint8_t>(held >> held_bits));
      held &= (1U << held_bits) - 1;
    }
  }
  // RFC 4648 section 3.5: pad bits must be zero, or one value would have several texts.
  if (held != 0) return fail(Code::kMalformed, "base64 trailing bits");
  return out;
}

}  // namespace theriac::codec
