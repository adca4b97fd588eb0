// Cases worth reading. The breadth is in tests/integration/types, which asks a live server.
#include "pgwire/types.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "pgwire/decimal.hpp"

namespace theriac::pgwire {
namespace {

using namespace std::string_literals;
const ColumnType kTextColumn{kOidText, -1}, kInt2{kOidInt2, -1}, kInt4{kOidInt4, -1},
    kInt8{kOidInt8, -1}, kNumeric{kOidNumeric, -1}, kDateColumn{kOidDate, -1},
    kMoment{kOidTimestamptz, -1};
ColumnType varchar(int n) { return {kOidVarchar, n + 4}; }
ColumnType numeric(int p, int s) { return {kOidNumeric, ((p << 16) | (s & 0x7ff)) + 4}; }

TextSettings in(std::string_view zone, std::string_view style = "ISO, MDY") {
  TextSettings settings;
  settings.time_zone = zone;
  return *with_date_style(settings, style);
}

std::string shown(const Result<std::string>& result) {
  return result ? *result : "error " + std::string(info_of(result.error().code).name);
}
std::string stored(const ColumnType& column, std::string_view text, std::uint32_t sent = 0,
                   const TextSettings& settings = {}) {
  return shown(to_stored(column, sent, 0, view_of(text), settings));
}
std::string stored_binary(const ColumnType& column, std::string_view hex, std::uint32_t sent = 0,
                          const TextSettings& settings = {}) {
  return shown(to_stored(column, sent, 1, *from_hex(hex), settings));
}
std::string comparand(const ColumnType& column, std::string_view text, std::uint32_t sent = 0,
                      const TextSettings& settings = {}) {
  return shown(to_comparand(column, sent, 0, view_of(text), settings));
}
std::string rendered(const ColumnType& column, std::string_view text,
                     const TextSettings& settings = {}) {
  Bytes out;
  const auto done = render(column, 0, text, settings, out);
  return done ? std::string(text_of(out)) : "error " + std::string(info_of(done.error().code).name);
}
std::string binary(const ColumnType& column, std::string_view text) {
  Bytes out;
  const auto done = render(column, 1, text, {}, out);
  return done ? to_hex(out) : "error " + std::string(info_of(done.error().code).name);
}
bool equal(const ColumnType& a, std::string_view x, const ColumnType& b, std::string_view y) {
  const auto form = equality_form(a, x), other = equality_form(b, y);
  EXPECT_TRUE(form && other);
  return *form == *other;
}

// --- text ----------------------------------------------------------------------------------------

TEST(Text, IsKeptByteForByte) {
  EXPECT_EQ(stored(kTextColumn, " 张伟 "), " 张伟 ");
  EXPECT_EQ(stored(kTextColumn, ""), "");
  EXPECT_EQ(stored(kTextColumn, "a\0b"s), "error Malformed");
  EXPECT_EQ(stored(kTextColumn, "\xff"), "error BadEncoding");
  EXPECT_EQ(stored(kTextColumn, "\xed\xa0\x80"), "error BadEncoding");
  EXPECT_EQ(stored(kTextColumn, "ab  ", kOidBpchar), "ab");
  EXPECT_EQ(rendered(kTextColumn, "\xff"), "error NotAuthentic");
}

TEST(Varchar, CountsCharactersAndDropsOnlySpaces) {
  EXPECT_EQ(stored(varchar(2), "张伟"), "张伟");
  EXPECT_EQ(stored(varchar(2), "张伟 "), "张伟");
  EXPECT_EQ(stored(varchar(2), "张伟x"), "error TooLong");
  EXPECT_EQ(stored(varchar(2), "a     "), "a ");
  EXPECT_EQ(stored(varchar(2), "a  \t"), "error TooLong");
  EXPECT_EQ(stored({kOidVarchar, -1}, std::string(10'000, 'x')), std::string(10'000, 'x'));
  // Compared, nothing is cut: PostgreSQL casts to the type without its length.
  EXPECT_EQ(comparand(varchar(2), "abc   "), "abc   ");
  EXPECT_EQ(comparand(varchar(2), "ab", kOidBpchar), "error Unsupported");
}

// --- numbers -------------------------------------------------------------------------------------

TEST(Integers, KeepTheirRange) {
  EXPECT_EQ(stored(kInt2, " +32767 "), "32767");
  EXPECT_EQ(stored(kInt2, "32768"), "error OutOfRange");
  EXPECT_EQ(stored(kInt2, "-0"), "0");
  EXPECT_EQ(stored(kInt8, "-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(stored(kInt8, "9223372036854775808"), "error OutOfRange");
  for (const auto* bad : {"", " ", "+", "+-1", "1.0", "1e3", "0x1", "1_0", "7 7"}) {
    EXPECT_EQ(stored(kInt4, bad), "error Malformed") << bad;
  }
  EXPECT_EQ(stored_binary(kInt4, "fffffff9"), "-7");
  EXPECT_EQ(stored_binary(kInt4, "fff9", kOidInt2), "-7");
  EXPECT_EQ(stored_binary(kInt2, "00008000", kOidInt4), "error OutOfRange");
  EXPECT_EQ(stored_binary(kInt4, "fff9"), "error Malformed");
  EXPECT_EQ(binary(kInt2, "-7"), "fff9");
  EXPECT_EQ(binary(kInt8, "-7"), "fffffffffffffff9");
  for (const auto* bad : {"007", "+7", "", "7 ", "x", "99999999999"}) {
    EXPECT_EQ(rendered(kInt4, bad), "error NotAuthentic") << bad;
  }
}

TEST(Integers, TakeNumericsAsAssignmentDoes) {
  EXPECT_EQ(stored(kInt4, "2.5", kOidNumeric), "3");
  EXPECT_EQ(stored(kInt4, "-2.5", kOidNumeric), "-3");
  EXPECT_EQ(stored(kInt4, "2147483647.4", kOidNumeric), "2147483647");
  EXPECT_EQ(stored(kInt4, "2147483647.5", kOidNumeric), "error OutOfRange");
  EXPECT_EQ(stored(kInt4, "NaN", kOidNumeric), "error Unsupported");
  EXPECT_EQ(stored(kInt4, "1e131071", kOidNumeric), "error OutOfRange");
  EXPECT_EQ(stored(kInt4, "7", kOidText), "error Unsupported");
  EXPECT_EQ(stored(kInt4, "7.5", kOidFloat8), "8");
  EXPECT_EQ(stored(kInt4, "t", kOidBool), "error Unsupported");
}

TEST(Integers, EqualNumericsOfTheSameValue) {
  EXPECT_TRUE(equal(kInt4, "7", kInt4, comparand(kInt4, "7.000", kOidNumeric)));
  EXPECT_FALSE(equal(kInt4, "7", kInt4, comparand(kInt4, "7.5", kOidNumeric)));
  EXPECT_FALSE(equal(kInt4, "8", kInt4, comparand(kInt4, "7.5", kOidNumeric)));
  EXPECT_TRUE(equal(kInt8, "100", kNumeric, "100.00"));
  EXPECT_TRUE(equal(kInt8, "0", kNumeric, "0.00"));
  // Beyond the column's type: no error, and equal to nothing.
  EXPECT_EQ(comparand(kInt2, "40000", kOidInt4), "40000");
  EXPECT_EQ(comparand(kInt2, "40000"), "error OutOfRange");
}

TEST(Numeric, KeepsItsScale) {
  EXPECT_EQ(stored(kNumeric, "1.50"), "1.50");
  EXPECT_EQ(stored(kNumeric, "1e3"), "1000");
  EXPECT_EQ(stored(kNumeric, " -1.5E-3 "), "-0.0015");
  EXPECT_EQ(stored(kNumeric, "-0.00"), "0.00");
  EXPECT_EQ(stored(kNumeric, "000123.4500"), "123.4500");
  EXPECT_EQ(stored(kNumeric, "nan"), "NaN");
  EXPECT_EQ(stored(kNumeric, "-inf"), "-Infinity");
  EXPECT_EQ(stored(kNumeric, "7", kOidInt8), "7");
  for (const auto* bad : {"", ".", "-", "1.2.3", "e5", "1e", "--1", "+nan", "0x1", "1,5"}) {
    EXPECT_EQ(stored(kNumeric, bad), "error Malformed") << bad;
  }
}

TEST(Numeric, RoundsHalfAwayFromZero) {
  EXPECT_EQ(stored(numeric(4, 2), "9.995"), "10.00");
  EXPECT_EQ(stored(numeric(4, 2), "-9.995"), "-10.00");
  EXPECT_EQ(stored(numeric(4, 2), "9.994999999"), "9.99");
  EXPECT_EQ(stored(numeric(4, 2), "99.995"), "error OutOfRange");
  EXPECT_EQ(stored(numeric(4, 2), "0.005"), "0.01");
  EXPECT_EQ(stored(numeric(4, 2), "0.00499999"), "0.00");
  EXPECT_EQ(stored(numeric(4, 2), "1"), "1.00");
  EXPECT_EQ(stored(numeric(3, -2), "150"), "200");
  EXPECT_EQ(stored(numeric(3, -2), "49"), "0");
  EXPECT_EQ(stored(numeric(3, -2), "99949"), "99900");
  EXPECT_EQ(stored(numeric(3, -2), "99950"), "error OutOfRange");
  EXPECT_EQ(stored(numeric(2, 5), "0.00099"), "0.00099");
  EXPECT_EQ(stored(numeric(2, 5), "0.001"), "error OutOfRange");
  EXPECT_EQ(stored(numeric(4, 2), "NaN"), "NaN");
  EXPECT_EQ(stored(numeric(4, 2), "Infinity"), "error OutOfRange");
  EXPECT_EQ(comparand(numeric(4, 2), "123456.789"), "123456.789");
}

TEST(Numeric, EndsAtItsLimits) {
  const std::string longest(131'072, '9');
  EXPECT_EQ(stored(kNumeric, longest), longest);
  EXPECT_EQ(stored(kNumeric, "1e131071").size(), 131'072U);
  EXPECT_EQ(stored(kNumeric, "1" + longest), "error OutOfRange");
  EXPECT_EQ(stored(kNumeric, "1e131072"), "error OutOfRange");
  EXPECT_EQ(stored(kNumeric, "1e-16383").size(), 16'385U);
  EXPECT_EQ(stored(kNumeric, "1e-16384"), "error OutOfRange");
  EXPECT_EQ(stored(kNumeric, "1e1073741823"), "error OutOfRange");
  EXPECT_EQ(stored(kNumeric, "0e200000"), "0");
}

TEST(Numeric, BinaryFormIsPostgresqls) {
  EXPECT_EQ(binary(kNumeric, "0"), "0000000000000000");
  EXPECT_EQ(binary(kNumeric, "0.00"), "0000000000000002");
  EXPECT_EQ(binary(kNumeric, "12345.678"), "0003000100000003000109291a7c");
  EXPECT_EQ(binary(kNumeric, "-0.0001"), "0001ffff400000040001");
  EXPECT_EQ(binary(kNumeric, "10000"), "00010001000000000001");
  EXPECT_EQ(binary(kNumeric, "NaN"), "00000000c0000000");
  EXPECT_EQ(binary(kNumeric, "Infinity"), "00000000d0000020");
  EXPECT_EQ(binary(kNumeric, "-Infinity"), "00000000f0000020");
  EXPECT_EQ(stored_binary(kNumeric, "0003000100000003000109291a7c"), "12345.678");
  EXPECT_EQ(stored_binary(kNumeric, "0003000100000001000109291a7c"),
            "12345.6");  // cut, not rounded
  EXPECT_EQ(stored_binary(numeric(5, 2), "0002ffff000000070001270f"), "0.00");
  for (const auto* bad : {"", "00000000000000", "000000000000000000", "0001000000000000",
                          "00010000000000002710", "0000000080000000", "0000000000004000"}) {
    EXPECT_EQ(stored_binary(kNumeric, bad), "error Malformed") << bad;
  }
  for (const auto* bad : {"1.", ".5", "01", "-0", "+1", "1e3", "nan", "inf", ""}) {
    EXPECT_EQ(rendered(kNumeric, bad), "error NotAuthentic") << bad;
  }
}

TEST(Numeric, EqualityIgnoresScale) {
  EXPECT_TRUE(equal(kNumeric, "1.50", kNumeric, "1.5"));
  EXPECT_TRUE(equal(kNumeric, "0.00", kNumeric, "0"));
  EXPECT_TRUE(equal(kNumeric, "NaN", kNumeric, "NaN"));
  EXPECT_FALSE(equal(kNumeric, "1500", kNumeric, "15"));
  EXPECT_FALSE(equal(kNumeric, "-1", kNumeric, "1"));
  EXPECT_FALSE(equal(kNumeric, "Infinity", kNumeric, "-Infinity"));
  EXPECT_EQ(*equality_form(kNumeric, "100.00"), bytes_of("100"));
  EXPECT_EQ(*equality_form(kNumeric, "0.0500"), bytes_of("0.05"));
  EXPECT_FALSE(equality_form(kNumeric, "1e3"));
}

// --- dates ---------------------------------------------------------------------------------------

TEST(Date, ReadsByDateOrder) {
  for (const auto* text : {"2026-11-21", "20261121", "2026/11/21", "2026.11.21", "21 Nov 2026",
                           "Nov 21, 2026", "21-nov-2026", "2026-November-21", "Sat Nov 21 2026",
                           "2026-11-21 24:00:00", "2026-11-21T10:30:00.5+08", "21Nov2026"}) {
    for (const auto* style : {"ISO, MDY", "ISO, DMY", "ISO, YMD"}) {
      EXPECT_EQ(stored(kDateColumn, text, 0, in("UTC", style)), "2026-11-21") << text << style;
    }
  }
  EXPECT_EQ(stored(kDateColumn, "11/12/2026", 0, in("UTC", "ISO, MDY")), "2026-11-12");
  EXPECT_EQ(stored(kDateColumn, "11/12/2026", 0, in("UTC", "ISO, DMY")), "2026-12-11");
  EXPECT_EQ(stored(kDateColumn, "11/12/2026", 0, in("UTC", "ISO, YMD")), "error BadDateTime");
  EXPECT_EQ(stored(kDateColumn, "11/12/26", 0, in("UTC", "ISO, YMD")), "2011-12-26");
  EXPECT_EQ(stored(kDateColumn, "11/12/69"), "2069-11-12");
  EXPECT_EQ(stored(kDateColumn, "11/12/70"), "1970-11-12");
}

TEST(Date, KnowsTheCalendarAndItsEnds) {
  EXPECT_EQ(stored(kDateColumn, "2024-02-29"), "2024-02-29");
  EXPECT_EQ(stored(kDateColumn, "2026-02-29"), "error DateTimeOutOfRange");
  EXPECT_EQ(stored(kDateColumn, "1900-02-29"), "error DateTimeOutOfRange");
  EXPECT_EQ(stored(kDateColumn, "0001-01-01 BC"), "0001-01-01 BC");
  EXPECT_EQ(stored(kDateColumn, "0000-01-01"), "error DateTimeOutOfRange");
  EXPECT_EQ(stored(kDateColumn, "4714-11-24 BC"), "4714-11-24 BC");
  EXPECT_EQ(stored(kDateColumn, "4714-11-23 BC"), "error DateTimeOutOfRange");
  EXPECT_EQ(stored(kDateColumn, "5874897-12-31"), "5874897-12-31");
  EXPECT_EQ(stored(kDateColumn, "5874898-01-01"), "error DateTimeOutOfRange");
  EXPECT_EQ(stored(kDateColumn, "infinity"), "infinity");
  EXPECT_EQ(stored(kDateColumn, "-Infinity"), "-infinity");
  EXPECT_EQ(stored(kDateColumn, "epoch"), "1970-01-01");
  EXPECT_EQ(binary(kDateColumn, "2000-01-01"), "00000000");
  EXPECT_EQ(binary(kDateColumn, "infinity"), "7fffffff");
  EXPECT_EQ(stored_binary(kDateColumn, "ffda97a7"), "4714-11-24 BC");
  EXPECT_EQ(stored_binary(kDateColumn, "ffda97a6"), "error DateTimeOutOfRange");
}

TEST(Date, RefusesWhatDependsOnNowOrIsGuessed) {
  for (const auto* text : {"now", "today", "TOMORROW", "yesterday", "2026-11-21 now"}) {
    EXPECT_EQ(stored(kDateColumn, text), "error Unsupported") << text;
  }
  for (const auto* text :
       {"", "2026", "2026.325", "2026-325", "J2461366", "2026 11 21", "y2026m11d21", "2026-11-21x",
        "10:30", "2026-11", "2026-11/21", "2026--11-21", "2026-11-021", "2026-11-21 25", "allballs",
        "2026-11-21;"}) {
    const auto made = stored(kDateColumn, text);
    EXPECT_TRUE(made == "error BadDateTime" || made == "error Unsupported") << text << made;
  }
}

TEST(Date, PrintsInEveryStyle) {
  EXPECT_EQ(rendered(kDateColumn, "2026-11-21", in("UTC", "SQL, MDY")), "11/21/2026");
  EXPECT_EQ(rendered(kDateColumn, "2026-11-21", in("UTC", "SQL, DMY")), "21/11/2026");
  EXPECT_EQ(rendered(kDateColumn, "2026-11-21", in("UTC", "Postgres, MDY")), "11-21-2026");
  EXPECT_EQ(rendered(kDateColumn, "2026-11-21", in("UTC", "Postgres, DMY")), "21-11-2026");
  EXPECT_EQ(rendered(kDateColumn, "2026-11-21", in("UTC", "German, DMY")), "21.11.2026");
  EXPECT_EQ(rendered(kDateColumn, "0044-03-15 BC", in("UTC", "German, DMY")), "15.03.0044 BC");
  for (const auto* bad : {"2026-1-1", "20261121", "2026-11-21 ", "epoch", "", "2026-02-30"}) {
    EXPECT_EQ(rendered(kDateColumn, bad), "error NotAuthentic") << bad;
  }
}

// --- moments -------------------------------------------------------------------------------------

TEST(Timestamptz, StandsInUtc) {
  const auto shanghai = in("Asia/Shanghai");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30:00.5", 0, shanghai), "2026-11-21 02:30:00.5+00");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30:00-05", 0, shanghai), "2026-11-21 15:30:00+00");
  EXPECT_EQ(stored(kMoment, "2026-11-21", 0, shanghai), "2026-11-20 16:00:00+00");
  for (const auto* zone :
       {"Z", "UTC", " gmt", "+00", "-0000", "+00:00", " Etc/UTC", " Atlantic/Reykjavik"}) {
    EXPECT_EQ(stored(kMoment, "2026-11-21 02:30:00"s + zone, 0, shanghai), "2026-11-21 02:30:00+00")
        << zone;
  }
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30 America/New_York", 0, shanghai),
            "2026-11-21 15:30:00+00");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30 UTC+8", 0, shanghai), "2026-11-21 18:30:00+00");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30 CST", 0, shanghai), "error Unsupported");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30 Nowhere/City", 0, shanghai), "error Unsupported");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30", 0, in("No/Zone")), "error Unsupported");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30", 0, in("right/UTC")), "error Unsupported");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30", 0, in("../../../etc/passwd")), "error Unsupported");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30", 0, in("localtime")), "error Unsupported");
}

TEST(Timestamptz, GapsAndOverlapsAreResolvedAsByPostgresql) {
  const auto new_york = in("America/New_York");
  // 2026-03-08 02:30 does not exist; PostgreSQL reads it with the offset before.
  EXPECT_EQ(stored(kMoment, "2026-03-08 02:30", 0, new_york), "2026-03-08 07:30:00+00");
  // 2026-11-01 01:30 exists twice; the second is meant.
  EXPECT_EQ(stored(kMoment, "2026-11-01 01:30", 0, new_york), "2026-11-01 06:30:00+00");
  EXPECT_EQ(stored(kMoment, "2026-11-01 00:59:59", 0, new_york), "2026-11-01 04:59:59+00");
  EXPECT_EQ(stored(kMoment, "2100-07-01 12:00", 0, new_york), "2100-07-01 16:00:00+00");
  EXPECT_EQ(stored(kMoment, "1800-01-01 12:00", 0, new_york), "1800-01-01 16:56:02+00");
}

TEST(Timestamptz, FractionsRoundAsByPostgresql) {
  EXPECT_EQ(stored(kMoment, "2026-11-21 00:00:00.1234565"), "2026-11-21 00:00:00.123456+00");
  EXPECT_EQ(stored(kMoment, "2026-12-31 23:59:59.9999999"), "2027-01-01 00:00:00+00");
  EXPECT_EQ(stored({kOidTimestamptz, 0}, "2026-11-21 00:00:00.5"), "2026-11-21 00:00:01+00");
  EXPECT_EQ(stored({kOidTimestamptz, 0}, "1999-12-31 23:59:58.5"), "1999-12-31 23:59:58+00");
  EXPECT_EQ(stored({kOidTimestamptz, 3}, "2026-11-21 00:00:00.0005"), "2026-11-21 00:00:00.001+00");
  EXPECT_EQ(comparand({kOidTimestamptz, 0}, "2026-11-21 00:00:00.5"), "2026-11-21 00:00:00.5+00");
}

TEST(Timestamptz, PrintsForTheSession) {
  const auto moment = "2026-11-21 02:30:00.5+00";
  EXPECT_EQ(rendered(kMoment, moment, in("Asia/Shanghai")), "2026-11-21 10:30:00.5+08");
  EXPECT_EQ(rendered(kMoment, moment, in("Asia/Kolkata")), "2026-11-21 08:00:00.5+05:30");
  EXPECT_EQ(rendered(kMoment, moment, in("UTC+8")), "2026-11-20 18:30:00.5-08");
  EXPECT_EQ(rendered(kMoment, moment, in("<+08>-08")), "2026-11-21 10:30:00.5+08");
  EXPECT_EQ(rendered(kMoment, moment, in("8")), "2026-11-21 10:30:00.5+08");
  EXPECT_EQ(rendered(kMoment, moment, in("-3.5")), "2026-11-20 23:00:00.5-03:30");
  EXPECT_EQ(rendered(kMoment, "1800-01-01 00:00:00+00", in("Asia/Shanghai")),
            "1800-01-01 08:05:43+08:05:43");
  EXPECT_EQ(rendered(kMoment, moment, in("Asia/Shanghai", "Postgres, MDY")),
            "Sat Nov 21 10:30:00.5 2026 CST");
  EXPECT_EQ(rendered(kMoment, moment, in("Asia/Shanghai", "Postgres, DMY")),
            "Sat 21 Nov 10:30:00.5 2026 CST");
  EXPECT_EQ(rendered(kMoment, moment, in("America/New_York", "SQL, DMY")),
            "20/11/2026 21:30:00.5 EST");
  EXPECT_EQ(rendered(kMoment, moment, in("Asia/Singapore", "German, DMY")),
            "21.11.2026 10:30:00.5 +08");
  EXPECT_EQ(rendered(kMoment, "infinity", in("Asia/Singapore", "German, DMY")), "infinity");
  for (const auto* bad : {"2026-11-21 02:30:00", "2026-11-21 02:30:00.50+00", "2026-11-21",
                          "2026-11-21 10:30:00+08", "2026-11-21T02:30:00+00", "epoch", ""}) {
    EXPECT_EQ(rendered(kMoment, bad), "error NotAuthentic") << bad;
  }
  EXPECT_EQ(binary(kMoment, "2000-01-01 00:00:01+00"), "00000000000f4240");
}

TEST(Moments, CastIntoEachOther) {
  const auto shanghai = in("Asia/Shanghai");
  EXPECT_EQ(stored(kMoment, "2026-11-21", kOidDate, shanghai), "2026-11-20 16:00:00+00");
  EXPECT_EQ(stored(kMoment, "2026-11-21 10:30+00", kOidTimestamp, shanghai),
            "2026-11-21 02:30:00+00");
  EXPECT_EQ(stored(kDateColumn, "2026-11-20 16:00:00+00", kOidTimestamptz, shanghai), "2026-11-21");
  EXPECT_EQ(stored(kDateColumn, "2026-11-21 23:59", kOidTimestamp, shanghai), "2026-11-21");
  EXPECT_EQ(stored(kMoment, "5874897-01-01", kOidDate, shanghai), "error DateTimeOutOfRange");
  EXPECT_EQ(stored(kMoment, "infinity", kOidDate, shanghai), "infinity");
  EXPECT_EQ(stored(kDateColumn, "4714-11-24 00:00:00+00 BC", kOidTimestamptz, in("UTC+1")),
            "error DateTimeOutOfRange");
  EXPECT_EQ(stored(kTextColumn, "2026-11-20 16:00:00+00", kOidTimestamptz, shanghai),
            "2026-11-21 00:00:00+08");
  EXPECT_EQ(stored(kTextColumn, "007", kOidInt4), "7");
  EXPECT_EQ(comparand(kTextColumn, "7", kOidInt4), "error Unsupported");
}

TEST(Moments, CompareAcrossTypes) {
  const auto shanghai = in("Asia/Shanghai");
  EXPECT_EQ(comparand(kDateColumn, "2026-11-20 16:00:00+00", kOidTimestamptz, shanghai),
            "2026-11-21");
  EXPECT_FALSE(equal(kDateColumn, "2026-11-21", kDateColumn,
                     comparand(kDateColumn, "2026-11-20 16:00:01+00", kOidTimestamptz, shanghai)));
  EXPECT_EQ(comparand(kDateColumn, "2026-11-21 00:00", kOidTimestamp, shanghai), "2026-11-21");
  EXPECT_FALSE(equal(kDateColumn, "2026-11-21", kDateColumn,
                     comparand(kDateColumn, "2026-11-21 00:01", kOidTimestamp, shanghai)));
  // A date beyond all timestamps: no error, equal to none.
  const auto far = comparand(kMoment, "5874897-01-01", kOidDate, shanghai);
  EXPECT_FALSE(far.starts_with("error"));
  EXPECT_FALSE(equal(kMoment, "infinity", kMoment, far));
  // Samoa left out 2011-12-30: its midnight is that of the 31st.
  EXPECT_EQ(comparand(kDateColumn, "2011-12-30 10:00:00+00", kOidTimestamptz, in("Pacific/Apia")),
            "error Unsupported");
}

TEST(Settings, ReadTheParameterStatus) {
  const auto made = with_date_style({}, "German, DMY");
  ASSERT_TRUE(made);
  EXPECT_EQ(made->style, DateStyle::kGerman);
  EXPECT_EQ(made->order, DateOrder::kDmy);
  EXPECT_EQ(with_date_style({}, "sql,ymd")->order, DateOrder::kYmd);
  EXPECT_FALSE(with_date_style({}, "ISO, XYZ"));
  EXPECT_EQ(stored(kInt4, "x", 0), "error Malformed");
  Bytes out;
  EXPECT_EQ(render(kInt4, 2, "1", {}, out).error().code, Code::kProtocol);
  EXPECT_EQ(to_stored(kInt4, 0, -1, view_of("1"), {}).error().code, Code::kProtocol);
  EXPECT_EQ(to_stored({600, -1}, 0, 0, view_of("1"), {}).error().code, Code::kUnsupported);
  EXPECT_FALSE(is_supported({600, -1}));
  EXPECT_TRUE(is_supported(kMoment));
  EXPECT_EQ(type_size(kNumeric), -1);
}

TEST(Types, CharacterIsPaddedAndComparedWithoutPadding) {
  const ColumnType column{kOidBpchar, 4 + 4};
  EXPECT_EQ(stored(column, "ab"), "ab  ");
  EXPECT_EQ(stored(column, "张伟"), "张伟  ");
  EXPECT_EQ(stored(column, "abcd    "), "abcd");
  EXPECT_EQ(stored(column, "abcde"), "error TooLong");
  EXPECT_EQ(stored(column, "ab", kOidText), "ab  ");
  EXPECT_EQ(stored(column, "7", kOidInt4), "7   ");
  EXPECT_EQ(equality_form(column, "ab  "), equality_form(column, "ab"));
  EXPECT_NE(equality_form(column, " ab "), equality_form(column, "ab"));
  EXPECT_EQ(comparand(column, "ab  "), "ab");
  EXPECT_EQ(comparand(column, "ab ", kOidText), "error Unsupported");
  EXPECT_EQ(stored({kOidBpchar, -1}, "ab  "), "ab  ");
}

// --- properties ----------------------------------------------------------------------------------

/// Whatever was stored renders, in text and binary, to what reads back as the same.
void expect_round_trip(const ColumnType& column, const std::string& value,
                       const TextSettings& settings) {
  for (const std::int16_t format : {std::int16_t{0}, std::int16_t{1}}) {
    Bytes out;
    RC_ASSERT(render(column, format, value, settings, out).has_value());
    const auto again = to_stored(column, 0, format, out, settings);
    RC_ASSERT(again.has_value());
    RC_ASSERT(*again == value);
  }
}

RC_GTEST_PROP(RoundTrip, Integers, (std::int64_t n)) {
  expect_round_trip(kInt8, std::to_string(n), {});
  expect_round_trip(kInt2, std::to_string(static_cast<std::int16_t>(n)), {});
  RC_ASSERT(equal(kInt8, std::to_string(n), kNumeric, std::to_string(n) + ".000"));
}

RC_GTEST_PROP(RoundTrip, Numerics, (bool negative, std::uint64_t whole, std::uint64_t part)) {
  const auto zeros = *rc::gen::inRange(0, 30);
  const auto text = (negative ? "-" : "") + std::to_string(whole) +
                    std::string(std::size_t(zeros), '0') + "." +
                    std::string(std::size_t(30 - zeros), '0') + std::to_string(part);
  const auto value = to_stored(kNumeric, 0, 0, view_of(text), {});
  RC_ASSERT(value.has_value());
  expect_round_trip(kNumeric, *value, {});
  RC_ASSERT(equal(kNumeric, *value, kNumeric, *value + "00"));
}

RC_GTEST_PROP(RoundTrip, Dates, (std::uint32_t bits)) {
  Bytes sent;
  append_be(sent, bits % 2'147'483'494U - 2'451'545U);
  const auto value = to_stored(kDateColumn, 0, 1, sent, {});
  RC_ASSERT(value.has_value());
  const auto style = *rc::gen::elementOf(
      std::vector<std::string>{"ISO, MDY", "ISO, DMY", "ISO, YMD", "SQL, MDY", "SQL, DMY",
                               "Postgres, MDY", "Postgres, DMY", "German, DMY"});
  expect_round_trip(kDateColumn, *value, in("UTC", style));
}

RC_GTEST_PROP(RoundTrip, Moments, (std::uint64_t bits)) {
  Bytes sent;
  append_be(sent, bits % 9'435'184'819'199'999'999U - 211'813'488'000'000'000U);
  const auto value = to_stored(kMoment, 0, 1, sent, {});
  RC_ASSERT(value.has_value());
  const auto zone = *rc::gen::elementOf(std::vector<std::string>{
      "UTC", "Asia/Shanghai", "America/New_York", "Australia/Lord_Howe", "Europe/London", "UTC+8"});
  expect_round_trip(kMoment, *value, in(zone));
}

RC_GTEST_PROP(RoundTrip, NumericTypmodNeverExceedsItsPrecision, (std::uint64_t whole)) {
  const auto scale = *rc::gen::inRange(-10, 20);
  const auto text = std::to_string(whole) + "." + std::to_string(whole);
  const auto value = to_stored(numeric(12, scale), 0, 0, view_of(text), {});
  if (!value) {
    RC_ASSERT(value.error().code == Code::kOutOfRange);
    return;
  }
  auto digits = *value;
  std::erase(digits, '.');
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size()));
  RC_ASSERT(digits.size() <= std::size_t(12 - std::min(scale, 0)));
  RC_ASSERT(stored(numeric(12, scale), *value) == *value);
}

}  // namespace
}  // namespace theriac::pgwire
