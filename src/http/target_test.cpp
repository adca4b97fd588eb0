#include "http/target.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "http/limits.hpp"

namespace theriac::http {
namespace {

using Texts = std::vector<std::string>;

Result<Texts> segments(std::string_view target) {
  THERIAC_ASSIGN(const auto parsed, parse_target(target));
  Texts texts;
  for (const auto& segment : parsed.segments) {
    texts.push_back(segment.text + (segment.has_slash ? " (slash)" : ""));
  }
  return texts;
}

TEST(Target, Paths) {
  EXPECT_EQ(segments("/"), Texts{""});
  EXPECT_EQ(segments(""), Texts{""});
  EXPECT_EQ(segments("/a"), Texts{"a"});
  EXPECT_EQ(segments("/a/"), (Texts{"a", ""}));
  EXPECT_EQ(segments("/a/b.c/..."), (Texts{"a", "b.c", "..."}));
  EXPECT_EQ(segments("/01/09506000134352/10/AB%2FC"),
            (Texts{"01", "09506000134352", "10", "AB/C (slash)"}));
  EXPECT_EQ(segments("/%e5%bc%a0"), Texts{"\xe5\xbc\xa0"});
  EXPECT_EQ(segments("/a+b"), Texts{"a+b"});
  EXPECT_EQ(segments("?a=b"), Texts{""});
}

TEST(Target, PathsAreDecodedOnce) {
  EXPECT_EQ(segments("/%252e%252e"), Texts{"%2e%2e"});
  EXPECT_EQ(segments("/%2525"), Texts{"%25"});
  EXPECT_EQ(segments("/a%3Fb"), Texts{"a?b"});
}

TEST(Target, RefusedPaths) {
  for (const auto* bad : {"/.",
                          "/..",
                          "/a/../b",
                          "/a/./b",
                          "/%2e",
                          "/%2E%2e",
                          "/.%2e/etc",
                          "/a/%2e%2e/",
                          "//",
                          "//a",
                          "/a//b",
                          "/%",
                          "/%4",
                          "/%zz",
                          "/%4g",
                          "/a%",
                          "/%00",
                          "/a%00.txt",
                          "/%c0%af",
                          "/%c0%ae%c0%ae",
                          "/%e0%80%af",
                          "/%ff",
                          "/%ed%a0%80",
                          "/%f4%90%80%80",
                          "/%f8%88%80%80%80",
                          "/%e5%bc",
                          "/%u0041",
                          "a",
                          "*"}) {
    const auto parsed = parse_target(bad);
    EXPECT_TRUE(!parsed && parsed.error().code == Code::kMalformed) << bad;
  }
}

TEST(Target, LimitOfSegments) {
  std::string path;
  for (std::size_t i = 0; i < kSegmentsMax; ++i) path += "/a";
  EXPECT_TRUE(parse_target(path));
  EXPECT_EQ(parse_target(path + "/a").error().code, Code::kTooLarge);
}

TEST(Target, Queries) {
  const auto query = parse_query("a=1&b=&c&a=2&&d=e=f&%61+b=%2B+%26&=x");
  ASSERT_TRUE(query);
  using Pair = Query::Pair;
  EXPECT_EQ(
      query->pairs(),
      (std::vector<Pair>{
          {"a", "1"}, {"b", ""}, {"c", ""}, {"a", "2"}, {"d", "e=f"}, {"a b", "+ &"}, {"", "x"}}));
  EXPECT_EQ(query->find("a"), "1");
  EXPECT_EQ(query->all("a"), (std::vector<std::string_view>{"1", "2"}));
  EXPECT_TRUE(query->all("z").empty());
  EXPECT_FALSE(query->find("z"));
  for (const auto* bad : {"%", "a=%", "a=%0", "%zz=1", "a=%00", "%ff", "a=%c0%80"}) {
    EXPECT_FALSE(parse_query(bad)) << bad;
  }
}

TEST(Target, LimitOfParameters) {
  std::string text;
  for (std::size_t i = 0; i < kQueryParametersMax; ++i) text += "a&";
  EXPECT_TRUE(parse_query(text));
  EXPECT_EQ(parse_query(text + "a").error().code, Code::kTooLarge);
}

TEST(Target, WhatIsEncodedDecodesToItself) {
  EXPECT_TRUE(rc::check("decode(encode(x)) == x", [](const std::string& text) {
    const auto decoded = percent_decode(percent_encode(text), true);
    const bool allowed = is_utf8(text) && text.find('\0') == std::string::npos;
    RC_ASSERT(decoded.has_value() == allowed);
    if (allowed) RC_ASSERT(*decoded == text);
  }));
}

TEST(Target, Utf8EverySecondByte) {
  // RFC 3629, section 4, row by row: which second bytes may follow which first.
  for (unsigned first = 0x80; first < 0x100; ++first) {
    for (unsigned second = 0; second < 0x100; ++second) {
      std::string text{static_cast<char>(first), static_cast<char>(second)};
      unsigned low = 0x80;
      unsigned high = 0xbf;
      if (first == 0xe0) low = 0xa0;
      if (first == 0xed) high = 0x9f;
      if (first == 0xf0) low = 0x90;
      if (first == 0xf4) high = 0x8f;
      const bool wanted = first >= 0xc2 && first <= 0xf4 && second >= low && second <= high;
      if (first >= 0xe0) text += '\x80';
      if (first >= 0xf0) text += '\x80';
      EXPECT_EQ(is_utf8(text), wanted) << first << " " << second;
    }
  }
}

}  // namespace
}  // namespace theriac::http
