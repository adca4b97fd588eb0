#include "pgwire/utf8.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace theriac::pgwire {
namespace {

void append_code_point(std::string& out, std::uint32_t c) {
  const auto add = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (c < 0x80) {
    add(c);
  } else if (c < 0x800) {
    add(0xc0U | (c >> 6U));
    add(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    add(0xe0U | (c >> 12U));
    add(0x80U | ((c >> 6U) & 0x3fU));
    add(0x80U | (c & 0x3fU));
  } else {
    add(0xf0U | (c >> 18U));
    add(0x80U | ((c >> 12U) & 0x3fU));
    add(0x80U | ((c >> 6U) & 0x3fU));
    add(0x80U | (c & 0x3fU));
  }
}

TEST(Utf8, EveryCodePoint) {
  for (std::uint32_t c = 0; c <= 0x1fffff; ++c) {
    std::string text;
    append_code_point(text, c);
    const bool valid = c <= 0x10ffff && (c < 0xd800 || c > 0xdfff);
    ASSERT_EQ(is_utf8(text), valid) << c;
    if (valid) {
      ASSERT_EQ(count_characters(text), 1U);
    }
  }
}

/// All sequences of up to three bytes, against the set of those that some code point encodes to.
TEST(Utf8, EveryShortSequence) {
  const auto first_of = [](std::uint32_t bytes, int size) {
    std::string text;
    for (int i = size - 1; i >= 0; --i)
      text.push_back(static_cast<char>(bytes >> (8U * unsigned(i))));
    return text;
  };
  std::size_t two = 0, three = 0;
  for (std::uint32_t b = 0x8000; b <= 0xffff; ++b) two += is_utf8(first_of(b, 2)) ? 1 : 0;
  EXPECT_EQ(two, 0x780U);  // U+0080..U+07FF; nothing else may start with a byte above 7F
  for (std::uint32_t b = 0xe00000; b <= 0xffffff; ++b) three += is_utf8(first_of(b, 3)) ? 1 : 0;
  EXPECT_EQ(three, 0x10000U - 0x800U - 0x800U);
}

TEST(Utf8, DamageIsFoundAtEveryPosition) {
  // Long enough that words of eight bytes are skipped before, between and behind.
  const std::string text = "0123456789abcdef中文0123456789abcdef🙂0123456";
  ASSERT_TRUE(is_utf8(text));
  EXPECT_EQ(count_characters(text), 16U + 2U + 16U + 1U + 7U);
  for (std::size_t at = 0; at < text.size(); ++at) {
    for (const unsigned bad : {0x80U, 0xc0U, 0xc1U, 0xf5U, 0xffU}) {
      auto damaged = text;
      if (static_cast<unsigned char>(damaged[at]) == bad) continue;
      damaged[at] = static_cast<char>(bad);
      // A continuation byte may stand for another one, unless that makes an overlong form.
      const bool replaced_continuation = bad == 0x80 &&
                                         (static_cast<unsigned char>(text[at]) & 0xc0U) == 0x80U &&
                                         static_cast<unsigned char>(text[at - 1]) != 0xf0;
      ASSERT_EQ(is_utf8(damaged), replaced_continuation) << at << " " << bad;
    }
  }
  for (std::size_t size = 0; size <= text.size(); ++size) {
    const bool whole =
        size == text.size() || (static_cast<unsigned char>(text[size]) & 0xc0U) != 0x80U;
    ASSERT_EQ(is_utf8(std::string_view(text).substr(0, size)), whole) << size;
  }
}

TEST(Utf8, PositionsAreBehindWholeCharacters) {
  const std::string text = "a中🙂b";
  const std::size_t expected[] = {0, 1, 4, 8, 9, 9, 9};
  for (std::size_t i = 0; i < 7; ++i) EXPECT_EQ(position_after(text, i), expected[i]) << i;
  EXPECT_EQ(position_after("", 3), 0U);
}

}  // namespace
}  // namespace theriac::pgwire
