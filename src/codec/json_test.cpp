#include "codec/json.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>
#include <limits>

namespace theriac::codec {
namespace {

std::string canonical(std::string_view text) {
  const auto parsed = parse_json(text);
  EXPECT_TRUE(parsed) << text;
  return parsed ? canonical_json(*parsed) : std::string();
}

std::optional<Code> refusal(std::string_view text, std::size_t bytes_max = kJsonBytesMax) {
  const auto parsed = parse_json(text, bytes_max);
  return parsed ? std::optional<Code>() : parsed.error().code;
}

TEST(CanonicalJson, Rfc8785AppendixBNumbers) {
  const std::vector<std::pair<std::uint64_t, std::string>> table = {
      {0x0000000000000000, "0"},
      {0x8000000000000000, "0"},
      {0x0000000000000001, "5e-324"},
      {0x8000000000000001, "-5e-324"},
      {0x7fefffffffffffff, "1.7976931348623157e+308"},
      {0xffefffffffffffff, "-1.7976931348623157e+308"},
      {0x4340000000000000, "9007199254740992"},
      {0xc340000000000000, "-9007199254740992"},
      {0x4430000000000000, "295147905179352830000"},
      {0x44b52d02c7e14af5, "9.999999999999997e+22"},
      {0x44b52d02c7e14af6, "1e+23"},
      {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
      {0x444b1ae4d6e2ef4e, "999999999999999700000"},
      {0x444b1ae4d6e2ef4f, "999999999999999900000"},
      {0x444b1ae4d6e2ef50, "1e+21"},
      {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
      {0x3eb0c6f7a0b5ed8d, "0.000001"},
      {0x41b3de4355555553, "333333333.3333332"},
      {0x41b3de4355555554, "333333333.33333325"},
      {0x41b3de4355555555, "333333333.3333333"},
      {0x41b3de4355555556, "333333333.3333334"},
      {0x41b3de4355555557, "333333333.33333343"},
      {0xbecbf647612f3696, "-0.0000033333333333333333"},
      {0x43143ff3c1cb0959, "1424953923781206.2"},
  };
  for (const auto& [bits, text] : table) {
    EXPECT_EQ(canonical_json(std::bit_cast<double>(bits)), text);
  }
  // The table's last two rows, NaN and Infinity, are errors there; see json.hpp for ours.
  EXPECT_EQ(canonical_json(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(canonical_json(std::numeric_limits<double>::infinity()), "null");
}

TEST(CanonicalJson, Rfc8785Section322Example) {
  EXPECT_EQ(canonical(R"({
     "numbers": [333333333.33333329, 1E30, 4.50,
                 2e-3, 0.000000000000000000000000001],
     "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
     "literals": [null, true, false]
   })"),
            "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
            "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
}

TEST(CanonicalJson, Rfc8785Section323Sorting) {
  EXPECT_EQ(canonical(R"({
     "\u20ac": "Euro Sign",
     "\r": "Carriage Return",
     "\ufb33": "Hebrew Letter Dalet With Dagesh",
     "1": "One",
     "\ud83d\ude00": "Emoji: Grinning Face",
     "\u0080": "Control",
     "\u00f6": "Latin Small Letter O With Diaeresis"
   })"),
            "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
            "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
            "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\","
            "\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

std::string utf8(char32_t c) {
  std::string out;
  const auto put = [&](char32_t bits) { out += static_cast<char>(bits); };
  if (c < 0x80) {
    put(c);
  } else if (c < 0x800) {
    put(0xc0U | c >> 6U);
    put(0x80U | (c & 0x3fU));
  } else if (c < 0x10000) {
    put(0xe0U | c >> 12U);
    put(0x80U | (c >> 6U & 0x3fU));
    put(0x80U | (c & 0x3fU));
  } else {
    put(0xf0U | c >> 18U);
    put(0x80U | (c >> 12U & 0x3fU));
    put(0x80U | (c >> 6U & 0x3fU));
    put(0x80U | (c & 0x3fU));
  }
  return out;
}

std::u16string utf16(const std::vector<char32_t>& text) {
  std::u16string out;
  for (char32_t c : text) {
    if (c >= 0x10000) {
      out += static_cast<char16_t>(0xd800 + ((c - 0x10000) >> 10U));
      out += static_cast<char16_t>(0xdc00 + ((c - 0x10000) & 0x3ffU));
    } else {
      out += static_cast<char16_t>(c);
    }
  }
  return out;
}

TEST(CanonicalJson, KeysAreInTheOrderOfTheirUtf16CodeUnits) {
  EXPECT_TRUE(rc::check("two keys drawn from the edges of each encoded length", [] {
    const auto letters = rc::gen::container<std::vector<char32_t>>(
        rc::gen::element<char32_t>(1, 'a', 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xee00, 0xf000,
                                   0xfffd, 0xffff, 0x10000, 0x1f600, 0x10ffff));
    const std::vector<char32_t> a = *letters;
    const std::vector<char32_t> b = *letters;
    RC_PRE(a != b);
    std::string key_a;
    std::string key_b;
    for (char32_t c : a) key_a += utf8(c);
    for (char32_t c : b) key_b += utf8(c);
    const Json first = {{utf16(a) < utf16(b) ? key_a : key_b, 1}};
    const Json second = {{utf16(a) < utf16(b) ? key_b : key_a, 2}};
    const std::string one = canonical_json(first);
    const std::string two = canonical_json(second);
    const std::string joined = one.substr(0, one.size() - 1) + "," + two.substr(1);
    RC_ASSERT(canonical_json(Json{{key_a, first.contains(key_a) ? 1 : 2},
                                  {key_b, first.contains(key_b) ? 1 : 2}}) == joined);
  }));
}

TEST(CanonicalJson, StringsAreEscapedNoMoreThanNeeded) {
  EXPECT_EQ(canonical_json(std::string("\0\x1f\x7f \b\t\n\f\r\"\\/", 12)),
            "\"\\u0000\\u001f\x7f \\b\\t\\n\\f\\r\\\"\\\\/\"");
  EXPECT_EQ(canonical_json(""), "\"\"");
  EXPECT_EQ(canonical_json("\xe5\xbc\xa0\xe4\xbc\x9f"), "\"\xe5\xbc\xa0\xe4\xbc\x9f\"");
}

TEST(CanonicalJson, BytesThatAreNotUtf8BecomeTheReplacementCharacter) {
  // Lone continuation, overlong, surrogate, beyond U+10FFFF, cut at the end.
  const std::string r = "\xef\xbf\xbd";
  EXPECT_EQ(canonical_json("a\x80z"), "\"a" + r + "z\"");
  EXPECT_EQ(canonical_json("\xc0\xaf"), "\"" + r + r + "\"");
  EXPECT_EQ(canonical_json("\xed\xa0\x80"), "\"" + r + r + r + "\"");
  EXPECT_EQ(canonical_json("\xf4\x90\x80\x80"), "\"" + r + r + r + r + "\"");
  EXPECT_EQ(canonical_json("\xe2\x82"), "\"" + r + r + "\"");
}

TEST(CanonicalJson, WhatItWritesParsesBackToItself) {
  EXPECT_TRUE(rc::check("numbers of any bits", [](std::uint64_t bits) {
    const auto value = std::bit_cast<double>(bits);
    RC_PRE(std::isfinite(value));
    const std::string text = canonical_json(value);
    RC_ASSERT(std::strtod(text.c_str(), nullptr) == value);
  }));
  EXPECT_TRUE(
      rc::check("any bytes as key and value", [](const std::string& key, const std::string& value) {
        const std::string once = canonical_json(Json{{key, value}, {"list", {1, value, nullptr}}});
        const auto parsed = parse_json(once);
        RC_ASSERT(parsed.has_value());
        RC_ASSERT(canonical_json(*parsed) == once);
      }));
}

TEST(ParseJson, GrammarIsStrict) {
  for (const std::string_view bad : {"",
                                     " ",
                                     "{",
                                     "[1,]",
                                     "{\"a\":1,}",
                                     "{a:1}",
                                     "'a'",
                                     "01",
                                     "+1",
                                     ".5",
                                     "1.",
                                     "1e",
                                     "NaN",
                                     "Infinity",
                                     "nul",
                                     "true false",
                                     "// x\n1",
                                     "\"\t\"",
                                     "\"\\x\"",
                                     "\"\\u12\"",
                                     "\"\\ud800\"",
                                     "\"\\udc00\\ud800\"",
                                     "\"\x80\"",
                                     "\"\xc0\xaf\"",
                                     "\"\xed\xa0\x80\"",
                                     "\xef\xbb\xbf{}",
                                     "[1]x",
                                     "\"a",
                                     "{\"a\"}",
                                     "{\"a\":}",
                                     "[,1]"}) {
    EXPECT_EQ(refusal(bad), Code::kMalformed) << bad;
  }
  EXPECT_EQ(refusal(std::string_view("1\0", 2)), Code::kMalformed);
  EXPECT_EQ(refusal(std::string_view("{}\0trailing", 11)), Code::kMalformed);
  for (const std::string_view good : {"0", "-0", "[]", "{}", " [ 1 , \"\" ] \n", "1e5", "null"}) {
    EXPECT_EQ(refusal(good), std::nullopt) << good;
  }
}

TEST(ParseJson, DuplicateKeysAreRefusedAtAnyDepthAndHoweverSpelt) {
  EXPECT_EQ(refusal(R"({"a":1,"a":1})"), Code::kMalformed);
  EXPECT_EQ(refusal(R"({"a":1,"\u0061":2})"), Code::kMalformed);
  EXPECT_EQ(refusal(R"([{"x":{"a":1,"b":2,"a":3}}])"), Code::kMalformed);
  EXPECT_EQ(refusal(R"({"a":{"a":1},"b":{"a":1}})"), std::nullopt);
}

TEST(ParseJson, DepthAtTheLimitAndOneBeyond) {
  const auto nested = [](int depth) {
    const auto n = static_cast<std::size_t>(depth);
    return std::string(n, '[') + std::string(n, ']');
  };
  EXPECT_EQ(refusal(nested(kJsonDepthMax)), std::nullopt);
  EXPECT_EQ(refusal(nested(kJsonDepthMax + 1)), Code::kTooLarge);
  EXPECT_EQ(refusal(std::string(1'000'000, '[')), Code::kTooLarge);
}

TEST(ParseJson, SizeAtTheLimitAndOneBeyond) {
  EXPECT_EQ(refusal("[1,2]", 5), std::nullopt);
  EXPECT_EQ(refusal("[1,2]", 4), Code::kTooLarge);
}

TEST(ParseJson, NumbersThatTwoProgramsCouldReadDifferently) {
  EXPECT_EQ(refusal("9007199254740991"), std::nullopt);
  EXPECT_EQ(refusal("-9007199254740991"), std::nullopt);
  EXPECT_EQ(refusal("9007199254740992"), Code::kOutOfRange);
  EXPECT_EQ(refusal("-9007199254740992"), Code::kOutOfRange);
  EXPECT_EQ(refusal("18446744073709551616"), Code::kOutOfRange);
  EXPECT_EQ(refusal("100000000000000000000000000000"), Code::kOutOfRange);
  EXPECT_EQ(refusal("1e400"), Code::kOutOfRange);
  EXPECT_EQ(refusal("1e30"), std::nullopt);
  EXPECT_EQ(refusal("1e21"), std::nullopt);
  EXPECT_EQ(refusal("-1e20"), Code::kOutOfRange) << "its canonical text is such an integer";
  EXPECT_EQ(refusal("9007199254740992.0"), Code::kOutOfRange);
  EXPECT_EQ(refusal("9007199254740991.0"), std::nullopt);
}

TEST(ParseJson, ErrorsQuoteNothingOfTheInput) {
  const auto parsed = parse_json("{\"diagnosis\": hypertension}");
  ASSERT_FALSE(parsed);
  EXPECT_EQ(parsed.error().message().find("diag"), std::string::npos);
  EXPECT_EQ(parsed.error().message().find("hyper"), std::string::npos);
  EXPECT_NE(parsed.error().message().find("byte 15"), std::string::npos)
      << parsed.error().message();
}

TEST(ParseJson, ValuesArriveInTheirPlaces) {
  const auto parsed = parse_json(R"({"a":[1,[2,{"b":-3}],"x"],"c":{"d":true,"e":null},"f":1.5})");
  ASSERT_TRUE(parsed);
  EXPECT_EQ((*parsed)["a"][1][1]["b"], -3);
  EXPECT_EQ((*parsed)["a"][2], "x");
  EXPECT_EQ((*parsed)["c"]["d"], true);
  EXPECT_TRUE((*parsed)["c"]["e"].is_null());
  EXPECT_EQ((*parsed)["f"], 1.5);
}

}  // namespace
}  // namespace theriac::codec
