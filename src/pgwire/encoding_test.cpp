#include "pgwire/encoding.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <array>

#include "pgwire/types.hpp"

namespace theriac::pgwire {
namespace {

std::string utf8(std::string_view name, std::string_view bytes) {
  const auto encoding = Encoding::find(name);
  if (!encoding || !*encoding) return "none";
  const auto text = (*encoding)->to_utf8(view_of(bytes));
  return text ? *text : "error";
}
std::string bytes(std::string_view name, std::string_view text) {
  const auto encoding = Encoding::find(name);
  if (!encoding || !*encoding) return "none";
  const auto made = (*encoding)->from_utf8(text);
  return made ? *made : "error";
}

TEST(EncodingTest, FindsByPostgresNames) {
  EXPECT_EQ(*Encoding::find("utf-8"), nullptr);
  EXPECT_EQ(*Encoding::find("SQL_ASCII"), nullptr);
  EXPECT_EQ((*Encoding::find("iso-8859-1"))->name(), "LATIN1");
  EXPECT_EQ((*Encoding::find("mskanji"))->name(), "SJIS");
  EXPECT_EQ(*Encoding::find("windows-936"), *Encoding::find("GBK"));
  for (const char* name :
       {"MULE_INTERNAL", "EUC_TW", "JOHAB", "SHIFT_JIS_2004", "EUC_JIS_2004", "x"}) {
    EXPECT_EQ(Encoding::find(name).error().code, Code::kUnsupported) << name;
  }
}

TEST(EncodingTest, LeavesAsciiAlone) {
  std::string ascii;
  for (char c = 0; c < 127; ++c) ascii.push_back(c);
  for (const char* name : {"LATIN1", "WIN1258", "KOI8R", "SJIS", "BIG5", "GBK", "GB18030", "EUC_JP",
                           "EUC_CN", "EUC_KR", "UHC"}) {
    EXPECT_EQ(utf8(name, ascii), ascii) << name;
    EXPECT_EQ(bytes(name, ascii), ascii) << name;
  }
}

TEST(EncodingTest, TakesSecondBytesForWhatTheyAre) {
  EXPECT_EQ(utf8("SJIS", "\x95\x5c'"), "\u8868'");
  EXPECT_EQ(utf8("BIG5", "\xb3\x5c"), "\u8a31");
  EXPECT_EQ(bytes("SJIS", "\u8868'"), "\x95\x5c'");
  EXPECT_EQ(utf8("SJIS", "\xb1\x5c"), "\uff71\\");
}

TEST(EncodingTest, AgreesWithPostgresWhereTheTablesDiffer) {
  EXPECT_EQ(bytes("SJIS", "\u2116\u2160\u2169"), "\xfa\x59\xfa\x4a\xfa\x53");
  EXPECT_EQ(bytes("SJIS", "\u2014"), "error");
  EXPECT_EQ(utf8("SJIS", "\xf0\x40"), "error");
  EXPECT_EQ(utf8("BIG5", "\xa1\x45\xc6\xa5"), "\u2022\u3041");
  EXPECT_EQ(bytes("BIG5", "\u2022\u00a3"), "\xa1\x45\xa2\x47");
  EXPECT_EQ(utf8("BIG5", "\xa1\x5a"), "error");
  EXPECT_EQ(utf8("BIG5", "\xa3\xe1"), "error");
  EXPECT_EQ(utf8("GBK", "\x80"), "error");
  EXPECT_EQ(utf8("EUC_JP", "\x80"), "error");
  EXPECT_EQ(utf8("WIN1258", "\xc2\xcc"), "\u00c2\u0300");
  EXPECT_EQ(bytes("WIN1258", "\u00c3"), "error");
  EXPECT_EQ(utf8("GB18030", "\xa8\xbc"), "error");
}

TEST(EncodingTest, Gb18030HasEveryPlane) {
  EXPECT_EQ(bytes("GB18030", "\U0001f600"), "\x94\x39\xfc\x36");
  EXPECT_EQ(utf8("GB18030", "\x94\x39\xfc\x36"), "\U0001f600");
  EXPECT_EQ(bytes("GB18030", "\U0010ffff"), "\xe3\x32\x9a\x35");
  EXPECT_EQ(utf8("GB18030", "\xe3\x32\x9a\x36"), "error");
  EXPECT_EQ(utf8("GB18030", "\x81\x30\x81"), "error");
}

TEST(EncodingTest, TellsNoCharacterFromNoEquivalent) {
  const auto well = [](std::string_view name, std::string_view bytes) {
    return (*Encoding::find(name))->is_well_formed(view_of(bytes));
  };
  EXPECT_TRUE(well("WIN1252", "\x81"));
  EXPECT_TRUE(well("GBK", "\x80'"));
  EXPECT_TRUE(well("GB18030", "\x81\x30\x81\x30\xa2\xa0"));
  EXPECT_TRUE(well("EUC_JP", "\x8f\xa1\xa1\x8e\xb1"));
  EXPECT_TRUE(well("SJIS", "\x81\x7e\xb1"));
  EXPECT_FALSE(well("SJIS", "\x81'"));
  EXPECT_FALSE(well("SJIS", "\xfd\xfe"));
  EXPECT_FALSE(well("EUC_KR", "\x81\x41"));
  EXPECT_FALSE(well("EUC_CN", "\xa1"));
  EXPECT_FALSE(well("GB18030", "\x81\x30\x81'"));
  EXPECT_FALSE(well("BIG5", "\xff"));
}

TEST(EncodingTest, StopsBeforeACutCharacter) {
  const auto encoding = *Encoding::find("EUC_JP");
  Bytes out;
  EXPECT_EQ(*encoding->decode(view_of("a\x8f\xb0"), out), 1U);
  EXPECT_EQ(text_of(out), "a");
  out.clear();
  EXPECT_EQ(*encoding->encode(view_of("a\xe5\xb1"), out), 1U);
  EXPECT_EQ(encoding->encode(view_of("\xff"), out).error().code, Code::kBadEncoding);
}

RC_GTEST_PROP(EncodingTest, ReadsWhatItWrites, (const std::vector<std::uint8_t>& choice)) {
  constexpr std::string_view kNames[] = {"LATIN2", "WIN1258", "SJIS",   "BIG5",   "GBK",
                                         "UHC",    "EUC_JP",  "EUC_CN", "GB18030"};
  const auto& encoding = **Encoding::find(kNames[choice.size() % std::size(kNames)]);
  // Whole characters as they come; then what is not one ends the text.
  Bytes whole;
  for (const auto byte : choice) {
    Bytes ignored;
    whole.push_back(static_cast<std::uint8_t>(byte | 0x80U));
    if (!encoding.decode(whole, ignored)) whole.pop_back();
  }
  Bytes text;
  const auto used = encoding.decode(whole, text);
  RC_ASSERT(used.has_value());
  whole.resize(*used);
  const auto written = encoding.from_utf8(text_of(text));
  RC_ASSERT(written.has_value());
  // Of two codes of one character only one is written.
  RC_ASSERT(*encoding.to_utf8(view_of(*written)) == text_of(text));
  Bytes parts;
  for (std::size_t cut = 0; cut <= whole.size(); ++cut) {
    parts.clear();
    const auto first = encoding.decode(ByteView(whole).first(cut), parts);
    RC_ASSERT(first.has_value());
    RC_ASSERT(encoding.decode(ByteView(whole).subspan(*first), parts).has_value());
    RC_ASSERT(text_of(parts) == text_of(text));
  }
}

TEST(EncodingTest, ValuesAreReadAndWrittenInIt) {
  TextSettings settings;
  settings.encoding = *Encoding::find("SJIS");
  const ColumnType text{kOidText, -1};
  EXPECT_EQ(*to_stored(text, 0, 0, view_of("\x95\x5c"), settings), "\u8868");
  EXPECT_EQ(*to_stored(text, kOidText, 1, view_of("\x95\x5c"), settings), "\u8868");
  EXPECT_EQ(to_stored(text, 0, 0, view_of("\x95"), settings).error().code, Code::kBadEncoding);
  const ColumnType words{1009, -1};
  EXPECT_EQ(*to_stored(words, 0, 0, view_of("{\x95\x5c,a}"), settings), "{\u8868,a}");
  EXPECT_EQ(
      *to_stored({kOidInt4, -1}, kOidInt4, 1, view_of(std::string_view("\0\0\0\x95", 4)), settings),
      "149");
  for (const std::int16_t format : std::array<std::int16_t, 2>{0, 1}) {
    Bytes out;
    EXPECT_TRUE(render(text, format, "\u8868", settings, out));
    EXPECT_EQ(text_of(out), "\x95\x5c");
    EXPECT_EQ(render(text, format, "\u0141", settings, out).error().code, Code::kBadEncoding);
  }
  Bytes array;
  EXPECT_TRUE(render(words, 1, "{\u8868}", settings, array));
  EXPECT_EQ(*to_stored(words, 1009, 1, array, settings), "{\u8868}");
  EXPECT_TRUE(text_of(array).ends_with("\x95\x5c"));
}

}  // namespace
}  // namespace theriac::pgwire
