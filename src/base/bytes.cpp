#include "base/bytes.hpp"

namespace theriac {
namespace {
constexpr std::string_view kDigits = "0123456789abcdef";

// Arithmetic instead of a table, so that the compiler does many digits at once.

/// Not 0 for what is no digit.
constexpr std::uint8_t no_digit(std::uint8_t c) {
  const auto decimal = static_cast<std::uint8_t>(c - '0');
  const auto letter = static_cast<std::uint8_t>((c | 0x20U) - 'a');
  return static_cast<std::uint8_t>(static_cast<unsigned>(decimal > 9) &
                                   static_cast<unsigned>(letter > 5));
}
/// Of a digit.
constexpr std::uint8_t digit_value(std::uint8_t c) {
  return static_cast<std::uint8_t>((c & 15U) + (c >> 6U) * 9U);
}
}  // namespace

std::string to_hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const auto b : bytes) {
    text.push_back(kDigits[b >> 4U]);
    text.push_back(kDigits[b & 15U]);
  }
  return text;
}

Status from_hex(std::string_view text, Bytes& out) {
  if (text.size() % 2 != 0) return fail(Code::kMalformed, "hex");
  out.resize(text.size() / 2);
  std::uint8_t wrong = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    const auto high = static_cast<std::uint8_t>(text[2 * i]);
    const auto low = static_cast<std::uint8_t>(text[2 * i + 1]);
    wrong |= static_cast<std::uint8_t>(no_digit(high) | no_digit(low));
    out[i] = static_cast<std::uint8_t>(digit_value(high) * 16U + digit_value(low));
  }
  if (wrong == 0) return {};
  out.clear();
  return fail(Code::kMalformed, "hex");
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes bytes;
  THERIAC_TRY(from_hex(text, bytes));
  return bytes;
}

}  // namespace theriac
