#include "base/bytes.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace theriac {
namespace {

TEST(Bytes, HexRoundTrip) {
  EXPECT_TRUE(rc::check("from_hex inverts to_hex", [](const Bytes& bytes) {
    const auto text = to_hex(bytes);
    RC_ASSERT(text.size() == 2 * bytes.size());
    RC_ASSERT(text.find_first_not_of("0123456789abcdef") == std::string::npos);
    RC_ASSERT(from_hex(text).value() == bytes);
  }));
}

TEST(Bytes, HexAcceptsBothCases) {
  EXPECT_EQ(from_hex("0aFf").value(), (Bytes{0x0a, 0xff}));
  EXPECT_EQ(from_hex("").value(), Bytes{});
}

TEST(Bytes, HexRefusesAllElse) {
  for (const auto* text : {"a", "0g", "0x12", " 12", "12 ", "1\xc3\xa9", "-1"}) {
    const auto read = from_hex(text);
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().code, Code::kMalformed);
  }
}

TEST(Bytes, EveryPairOfCharactersIsHexOrRefused) {
  const std::string digits = "0123456789abcdefABCDEF";
  for (int high = 0; high < 256; ++high) {
    for (int low = 0; low < 256; ++low) {
      const std::string text{static_cast<char>(high), static_cast<char>(low)};
      const bool valid =
          digits.find(text[0]) != std::string::npos && digits.find(text[1]) != std::string::npos;
      EXPECT_EQ(from_hex(text).has_value(), valid) << high << ' ' << low;
    }
  }
}

TEST(Bytes, BigEndian) {
  Bytes out;
  append_be(out, std::uint16_t{0x0102});
  append_be(out, std::uint64_t{0x1122334455667788});
  EXPECT_EQ(to_hex(out), "01021122334455667788");
  EXPECT_EQ(load_be<std::uint16_t>(out.data()), 0x0102);
  EXPECT_EQ(load_be<std::uint64_t>(out.data() + 2), 0x1122334455667788U);
  EXPECT_TRUE(rc::check("store_be, append_be and load_be agree", [](std::uint32_t value) {
    Bytes appended;
    append_be(appended, value);
    Bytes stored(4);
    store_be(stored.data(), value);
    RC_ASSERT(appended == stored);
    RC_ASSERT(load_be<std::uint32_t>(stored.data()) == value);
  }));
}

TEST(Bytes, TextAndBytesAreOneThing) {
  const std::string text("a\0\xe5\xbc\xa0", 5);
  EXPECT_EQ(text_of(view_of(text)), text);
  EXPECT_EQ(bytes_of(text).size(), 5U);
  Bytes out = bytes_of("x");
  append(out, "y");
  append(out, view_of("z"));
  EXPECT_EQ(text_of(out), "xyz");
}

}  // namespace
}  // namespace theriac
