#include "pgwire/utf8.hpp"

#include <cstdint>
#include <cstring>

namespace theriac::pgwire {
namespace {

bool is_continuation(std::uint8_t byte) { return (byte & 0xc0U) == 0x80U; }

/// Length of the well-formed sequence at `at` (Unicode 15, table 3-7), 0 if there is none.
std::size_t sequence_at(const std::uint8_t* at, std::size_t left) {
  const std::uint8_t lead = at[0];
  if (lead < 0x80) return 1;
  std::size_t size = 0;
  std::uint8_t low = 0x80, high = 0xbf;  // of the second byte
  if (lead >= 0xc2 && lead <= 0xdf) {
    size = 2;
  } else if (lead >= 0xe0 && lead <= 0xef) {
    size = 3;
    if (lead == 0xe0) low = 0xa0;   // overlong
    if (lead == 0xed) high = 0x9f;  // surrogates
  } else if (lead >= 0xf0 && lead <= 0xf4) {
    size = 4;
    if (lead == 0xf0) low = 0x90;   // overlong
    if (lead == 0xf4) high = 0x8f;  // beyond U+10FFFF
  }
  if (size == 0 || left < size || at[1] < low || at[1] > high) return 0;
  for (std::size_t i = 2; i < size; ++i) {
    if (!is_continuation(at[i])) return 0;
  }
  return size;
}

}  // namespace

bool is_utf8(std::string_view text) {
  const auto* at = reinterpret_cast<const std::uint8_t*>(text.data());  // NOLINT
  std::size_t left = text.size();
  while (left > 0) {
    // Eight bytes of ASCII at a time: nearly all values are.
    if (std::uint64_t word = 0; left >= sizeof word) {
      std::memcpy(&word, at, sizeof word);
      if ((word & 0x8080'8080'8080'8080U) == 0) {
        at += sizeof word;
        left -= sizeof word;
        continue;
      }
    }
    const auto size = sequence_at(at, left);
    if (size == 0) return false;
    at += size;
    left -= size;
  }
  return true;
}

std::size_t count_characters(std::string_view text) {
  std::size_t count = 0;
  for (const char c : text) count += is_continuation(static_cast<std::uint8_t>(c)) ? 0 : 1;
  return count;
}

std::size_t position_after(std::string_view text, std::size_t characters) {
  std::size_t at = 0;
  for (; at < text.size(); ++at) {
    if (is_continuation(static_cast<std::uint8_t>(text[at]))) continue;
    if (characters == 0) break;
    --characters;
  }
  return at;
}

void append_utf8(std::string& out, char32_t code) {
  const auto put = [&](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code < 0x80) {
    put(code);
  } else if (code < 0x800) {
    put(0xc0U | (code >> 6U));
    put(0x80U | (code & 0x3fU));
  } else if (code < 0x10000) {
    put(0xe0U | (code >> 12U));
    put(0x80U | ((code >> 6U) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  } else {
    put(0xf0U | (code >> 18U));
    put(0x80U | ((code >> 12U) & 0x3fU));
    put(0x80U | ((code >> 6U) & 0x3fU));
    put(0x80U | (code & 0x3fU));
  }
}

}  // namespace theriac::pgwire
