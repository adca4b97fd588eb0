// Cases of the types beside text, numbers and dates worth reading. The breadth is in
// tests/integration/types, which asks a live server.
#include <gtest/gtest.h>

#include "pgwire/case_map.hpp"
#include "pgwire/types.hpp"

namespace theriac::pgwire {
namespace {

std::string shown(const Result<std::string>& result) {
  return result ? *result : "error " + std::string(info_of(result.error().code).name);
}
std::string stored(const ColumnType& column, std::string_view text, std::uint32_t sent = 0,
                   const TextSettings& settings = {}) {
  return shown(to_stored(column, sent, 0, view_of(text), settings));
}
std::string comparand(const ColumnType& column, std::string_view text, std::uint32_t sent = 0) {
  return shown(to_comparand(column, sent, 0, view_of(text), {}));
}
std::string rendered(const ColumnType& column, std::string_view text,
                     const TextSettings& settings = {}, std::int16_t format = 0) {
  Bytes out;
  const auto done = render(column, format, text, settings, out);
  if (!done) return "error " + std::string(info_of(done.error().code).name);
  return format == 0 ? std::string(text_of(out)) : to_hex(out);
}
bool equal(const ColumnType& type, std::string_view a, std::string_view b, std::uint32_t sent = 0) {
  const auto x = to_stored(type, 0, 0, view_of(a), {});
  const auto y = to_comparand(type, sent, 0, view_of(b), {});
  EXPECT_TRUE(x && y) << a << " " << b;
  return *equality_form(type, *x) == *equality_form(type, *y);
}
TextSettings with(std::string_view name, std::string_view value) {
  return *with_setting({}, name, value);
}
ColumnType plain(std::uint32_t oid) { return {oid, -1}; }
ColumnType made(TypeDetail detail) {
  return {20'000, -1, std::make_shared<const TypeDetail>(std::move(detail))};
}

TEST(Floats, PrintTheShortestTextThatDoesNotLeanOnTies) {
  EXPECT_EQ(stored(plain(kOidFloat8), "0.1"), "0.1");
  EXPECT_EQ(stored(plain(kOidFloat8), "1e15"), "1e+15");
  EXPECT_EQ(stored(plain(kOidFloat8), "9007199254740993"), "9.007199254740992e+15");
  EXPECT_EQ(stored(plain(kOidFloat4), "1e6"), "1e+06");
  EXPECT_EQ(stored(plain(kOidFloat4), "16777216"), "1.6777216e+07");
  EXPECT_EQ(stored(plain(kOidFloat4), "1e39"), "error OutOfRange");
  EXPECT_EQ(stored(plain(kOidFloat4), "1e39", kOidFloat8), "error OutOfRange");
  EXPECT_EQ(rendered(plain(kOidFloat8), "0.1", with("extra_float_digits", "-13")), "0.1");
  EXPECT_EQ(rendered(plain(kOidFloat8), "0.30000000000000004", with("extra_float_digits", "0")),
            "0.3");
  EXPECT_EQ(rendered(plain(kOidFloat8), "0.10"), "error NotAuthentic");
}

TEST(Floats, CompareAsFloat8) {
  EXPECT_TRUE(equal(plain(kOidFloat8), "-0", "0"));
  EXPECT_TRUE(equal(plain(kOidFloat8), "NaN", "nan"));
  EXPECT_TRUE(equal(plain(kOidFloat4), "1.1", "1.1"));
  EXPECT_FALSE(equal(plain(kOidFloat4), "1.1", "1.1", kOidNumeric));
  EXPECT_TRUE(equal(plain(kOidFloat4), "1.5", "1.5", kOidNumeric));
  EXPECT_TRUE(equal(plain(kOidInt4), "2", "2.0", kOidFloat8));
  EXPECT_EQ(comparand(plain(kOidInt8), "1e17", kOidFloat8), "error Unsupported");
  EXPECT_EQ(comparand(plain(kOidNumeric), "1.5", kOidFloat8), "error Unsupported");
}

TEST(Intervals, KeepTheirFieldsAndCompareBySpan) {
  const auto interval = plain(kOidInterval);
  EXPECT_EQ(stored(interval, "1 mon -30 days 04:05:06.7"), "1 mon -30 days +04:05:06.7");
  EXPECT_EQ(stored(interval, "P1Y2M3DT4H"), "1 year 2 mons 3 days 04:00:00");
  EXPECT_EQ(stored(interval, "1 fortnight"), "error BadDateTime");
  EXPECT_TRUE(equal(interval, "1 mon", "720:00"));
  EXPECT_FALSE(equal(interval, "1 mon", "31 days"));
  EXPECT_EQ(rendered(interval, "-1 days -00:00:01", with("IntervalStyle", "postgres_verbose")),
            "@ 1 day 1 sec ago");
  const ColumnType days{kOidInterval, (8 << 16) | 0xffff};
  EXPECT_EQ(stored(days, "5"), "error BadDateTime") << "a literal would mean five days";
  EXPECT_EQ(stored(days, "5", kOidInterval), "00:00:00") << "a parameter means five seconds";
}

TEST(Documents, AreKeptOrPutInOrder) {
  EXPECT_EQ(stored(plain(kOidJson), " {\"b\": 1,\"a\":2} "), " {\"b\": 1,\"a\":2} ");
  EXPECT_EQ(stored(plain(kOidJsonb), R"({"bb":1.0,"a":2,"a":3})"), R"({"a": 3, "bb": 1.0})");
  EXPECT_EQ(stored(plain(kOidJsonb), R"("\u0000")"), "error Malformed");
  EXPECT_TRUE(equal(plain(kOidJsonb), R"({"a":1,"b":[]})", R"({"b":[],"a":1.00})"));
  EXPECT_FALSE(has_equality(plain(kOidJson)));
  EXPECT_FALSE(has_equality(plain(199)));
  EXPECT_EQ(stored(plain(kOidJsonb), std::string(600, '[') + std::string(600, ']')),
            "error TooLarge");
}

TEST(Addresses, CompareWithTheirMask) {
  EXPECT_EQ(stored(plain(kOidInet), "::ffff:1.2.3.4/128"), "::ffff:1.2.3.4");
  EXPECT_EQ(stored(plain(kOidCidr), "10.0.0.0/8"), "10.0.0.0/8");
  EXPECT_EQ(stored(plain(kOidCidr), "10.0.0.1/8"), "error Malformed");
  EXPECT_EQ(stored(plain(kOidCidr), "10.0.0.1/8", kOidInet), "10.0.0.0/8");
  EXPECT_TRUE(equal(plain(kOidInet), "10.0.0.1", "10.0.0.1/32"));
  EXPECT_FALSE(equal(plain(kOidInet), "10.0.0.1", "10.0.0.1/8"));
}

TEST(Bytea, ReadsBothFormsAndPrintsTheSessions) {
  EXPECT_EQ(stored(plain(kOidBytea), "\\x00 fF"), "\\x00ff");
  EXPECT_EQ(stored(plain(kOidBytea), "a\\000\\\\"), "\\x61005c");
  EXPECT_EQ(rendered(plain(kOidBytea), "\\x61005c", with("bytea_output", "escape")), "a\\000\\\\");
}

TEST(Enums, TakeTheirLabelsOnly) {
  TypeDetail detail;
  detail.kind = TypeKind::kEnum;
  detail.labels = {"sad", "ok"};
  const auto mood = made(detail);
  EXPECT_EQ(stored(mood, "ok"), "ok");
  EXPECT_EQ(stored(mood, "OK"), "error Malformed");
  EXPECT_EQ(stored(mood, "ok", kOidText), "error Unsupported");
  EXPECT_EQ(rendered(mood, "happy"), "error NotAuthentic");
  EXPECT_EQ(type_size(mood), 4);
}

TEST(Citext, ComparesInLowerCaseButNotWithText) {
  TypeDetail detail;
  detail.kind = TypeKind::kCitext;
  detail.lower = *CaseMap::find("C.UTF-8");
  const auto citext = made(detail);
  EXPECT_EQ(stored(citext, "Ünïted"), "Ünïted");
  EXPECT_TRUE(equal(citext, "Ünïted", "ÜNÏTED"));
  EXPECT_EQ(comparand(citext, "a", kOidVarchar), "error Unsupported");
}

TEST(CaseMaps, OfCChangeAsciiOnly) {
  const auto c = *CaseMap::find("C"), utf8 = *CaseMap::find("C.UTF-8");
  EXPECT_EQ(c->lower("ÄB"), "Äb");
  EXPECT_EQ(utf8->lower("ÄB"), "äb");
  EXPECT_EQ(utf8->upper("ßé"), "ßÉ");
  EXPECT_FALSE(CaseMap::find("xx_YY.UTF-8"));
}

TEST(Arrays, KeepBoundsAndQuoteWhatNeedsIt) {
  const auto texts = plain(1009), numbers = plain(1231);
  EXPECT_EQ(stored(texts, "{ a , \"b c\" ,NULL,\"null\"}"), "{a,\"b c\",NULL,\"null\"}");
  EXPECT_EQ(stored(texts, "[0:1]={a,b}"), "[0:1]={a,b}");
  EXPECT_EQ(stored(texts, "{{a},{b,c}}"), "error Malformed");
  EXPECT_EQ(stored(plain(1007), "{1,x}"), "error Malformed");
  EXPECT_EQ(stored({1015, 5}, "{ab}"), "error TooLong");
  EXPECT_TRUE(equal(numbers, "{1.0,NULL}", "{1,NULL}"));
  EXPECT_FALSE(equal(numbers, "{1}", "[0:0]={1}"));
  EXPECT_FALSE(equal(texts, "{a,b}", "{{a,b}}"));
  EXPECT_EQ(
      rendered(plain(1185), "{\"2026-11-21 02:30:00+00\"}", with("TimeZone", "Asia/Shanghai")),
      "{\"2026-11-21 10:30:00+08\"}");
  EXPECT_EQ(rendered(plain(1007), "{7}", {}, 1),
            "00000001000000000000001700000001000000010000000400000007");
}

TEST(Domains, AreDescribedAsThemselves) {
  TypeDetail detail;
  detail.domain_oid = 30'000;
  const ColumnType column{kOidInt4, -1, std::make_shared<const TypeDetail>(detail)};
  EXPECT_EQ(column.declared_oid(), 30'000U);
  EXPECT_EQ(stored(column, "7", 30'000), "7");
  EXPECT_EQ(stored(column, "7", 30'001), "error Unsupported");
}

}  // namespace
}  // namespace theriac::pgwire
