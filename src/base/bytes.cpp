#include "base/bytes.hpp"

namespace theriac {
namespace {
constexpr std::string_view kDigits = "0123456789abcdef";

/// Value of a digit; 255 for what is none.
constexpr auto kDigitValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(255);
  for (std::uint8_t i = 0; i < 10; ++i) values[static_cast<std::size_t>('0') + i] = i;
  for (std::uint8_t i = 0; i < 6; ++i) {
    values[static_cast<std::size_t>('a') + i] = values[static_cast<std::size_t>('A') + i] =
        static_cast<std::uint8_t>(10 + i);
  }
  return values;
}();
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
    const auto high = kDigitValues[static_cast<std::uint8_t>(text[2 * i])];
    const auto low = kDigitValues[static_cast<std::uint8_t>(text[2 * i + 1])];
    wrong |= static_cast<std::uint8_t>(high | low);
    out[i] = static_cast<std::uint8_t>(high * 16U + (low & 15U));
  }
  if (wrong <= 15) return {};
  out.clear();
  return fail(Code::kMalformed, "hex");
}

Result<Bytes> from_hex(std::string_view text) {
  Bytes bytes;
  THERIAC_TRY(from_hex(text, bytes));
  return bytes;
}

}  // namespace theriac
