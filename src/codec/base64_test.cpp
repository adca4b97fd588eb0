#include "codec/base64.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace theriac::codec {
namespace {

TEST(Base64, Rfc4648Section10) {
  const std::vector<std::pair<std::string, std::string>> cases = {{"", ""},
                                                                  {"f", "Zg=="},
                                                                  {"fo", "Zm8="},
                                                                  {"foo", "Zm9v"},
                                                                  {"foob", "Zm9vYg=="},
                                                                  {"fooba", "Zm9vYmE="},
                                                                  {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : cases) {
    EXPECT_EQ(to_base64(view_of(plain)), encoded);
    EXPECT_EQ(from_base64(encoded), bytes_of(plain));
  }
}

TEST(Base64, EverythingElseIsRefused) {
  // Length, white space, the URL alphabet, padding inside or alone, pad bits that are not zero
  // (section 3.5), bytes beyond ASCII.
  for (const std::string bad :
       {"Z",     "Zg",   "Zg=",  "Zg===",   "Zm9v\n",   "Zm9vZm9\n", "Zm 9v",
        " Zm9v", "Zm9-", "Zm9_", "=Zm9",    "Zg==Zg==", "Z===",      "====",
        "==",    "Zh==", "Zm9=", "Zm9\xc3", "Zm9\x80",  "AA==AAAA"}) {
    const auto decoded = from_base64(bad);
    ASSERT_FALSE(decoded) << bad;
    EXPECT_EQ(decoded.error().code, Code::kMalformed) << bad;
  }
  EXPECT_FALSE(from_base64(std::string_view("Zg=\0", 4)));
}

TEST(Base64, RoundTrip) {
  EXPECT_TRUE(rc::check("what was encoded decodes to itself", [](const Bytes& bytes) {
    const auto decoded = from_base64(to_base64(bytes));
    RC_ASSERT(decoded.has_value());
    RC_ASSERT(*decoded == bytes);
  }));
}

TEST(Base64, OneValueOneText) {
  // All texts of one group of four: whatever decodes encodes back to the same text.
  const std::string alphabet = "AQgwZz09+/=-";
  for (char a : alphabet) {
    for (char b : alphabet) {
      for (char c : alphabet) {
        for (char d : alphabet) {
          const std::string text{a, b, c, d};
          const auto decoded = from_base64(text);
          if (decoded) EXPECT_EQ(to_base64(*decoded), text);
        }
      }
    }
  }
}

}  // namespace
}  // namespace theriac::codec
