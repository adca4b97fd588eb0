#include "codec/time.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>
#include <stdlib.h>
#include <time.h>

namespace theriac::codec {
namespace {

constexpr std::int64_t kFirst = -62'167'219'200'000;  // 0000-01-01T00:00:00Z
constexpr std::int64_t kLast = 253'402'300'799'999;   // 9999-12-31T23:59:59.999Z

TEST(Rfc3339, Writes) {
  EXPECT_EQ(rfc3339_utc(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339_utc(-1), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(rfc3339_utc(1'795'257'000'123), "2026-11-21T10:30:00.123Z");
  EXPECT_EQ(rfc3339_utc(951'782'400'000), "2000-02-29T00:00:00.000Z");
  EXPECT_EQ(rfc3339_utc(kFirst), "0000-01-01T00:00:00.000Z");
  EXPECT_EQ(rfc3339_utc(kLast), "9999-12-31T23:59:59.999Z");
}

TEST(Rfc3339, TimesOutsideAreWrittenAsTheNearest) {
  EXPECT_EQ(rfc3339_utc(kFirst - 1), rfc3339_utc(kFirst));
  EXPECT_EQ(rfc3339_utc(kLast + 1), rfc3339_utc(kLast));
  EXPECT_EQ(rfc3339_utc(INT64_MIN), rfc3339_utc(kFirst));
  EXPECT_EQ(rfc3339_utc(INT64_MAX), rfc3339_utc(kLast));
  EXPECT_EQ(rfc3339_local(INT64_MIN), rfc3339_local(kFirst));
  EXPECT_EQ(rfc3339_local(INT64_MAX), rfc3339_local(kLast));
}

/// Sets the zone of this process for one test.
class Zone {
 public:
  explicit Zone(const char* name) {
    if (const char* old = ::getenv("TZ")) old_ = old;
    ::setenv("TZ", name, 1);
    ::tzset();
  }
  ~Zone() {
    old_ ? ::setenv("TZ", old_->c_str(), 1) : ::unsetenv("TZ");
    ::tzset();
  }
  Zone(const Zone&) = delete;
  Zone& operator=(const Zone&) = delete;

 private:
  std::optional<std::string> old_;
};

TEST(Rfc3339, WritesLocalTimesWithTheirOffset) {
  constexpr std::int64_t kAt = 1'795'257'000'123;
  {
    const Zone zone("CST-8");
    EXPECT_EQ(rfc3339_local(kAt), "2026-11-21T18:30:00.123+08:00");
  }
  {
    const Zone zone("NST3:30");
    EXPECT_EQ(rfc3339_local(kAt), "2026-11-21T07:00:00.123-03:30");
    EXPECT_EQ(rfc3339_local(0), "1969-12-31T20:30:00.000-03:30");
  }
  {
    const Zone zone("UTC0");
    EXPECT_EQ(rfc3339_local(kAt), "2026-11-21T10:30:00.123+00:00");
  }
  {
    const Zone zone("LMT-8:05:43");  // offsets with seconds keep the instant
    EXPECT_EQ(parse_rfc3339(rfc3339_local(kAt)), kAt);
  }
}

TEST(Rfc3339, ReadsTheExamplesOfSection58) {
  EXPECT_EQ(parse_rfc3339("1985-04-12T23:20:50.52Z"), 482'196'050'520);
  EXPECT_EQ(parse_rfc3339("1996-12-19T16:39:57-08:00"), 851'042'397'000);
  EXPECT_EQ(parse_rfc3339("1990-12-31T23:59:60Z"), 662'688'000'000);
  EXPECT_EQ(parse_rfc3339("1990-12-31T15:59:60-08:00"), 662'688'000'000);
  EXPECT_EQ(parse_rfc3339("1937-01-01T12:00:27.87+00:20"), -1'041'337'172'130);
}

TEST(Rfc3339, ReadsOtherLegalSpellings) {
  EXPECT_EQ(parse_rfc3339("1970-01-01t00:00:01z"), 1000);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00-00:00"), 0);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.0019999999999999999999Z"), 1);
  EXPECT_EQ(parse_rfc3339("1970-01-01T00:00:00.9999Z"), 999);
}

TEST(Rfc3339, RefusesEverythingElse) {
  for (const std::string_view bad : {"",
                                     "1970-01-01",
                                     "1970-01-01T00:00:00",
                                     "1970-01-01 00:00:00Z",
                                     "1970-1-01T00:00:00Z",
                                     "1970-13-01T00:00:00Z",
                                     "1970-00-01T00:00:00Z",
                                     "1970-02-29T00:00:00Z",
                                     "1900-02-29T00:00:00Z",
                                     "1970-01-32T00:00:00Z",
                                     "1970-01-01T24:00:00Z",
                                     "1970-01-01T00:60:00Z",
                                     "1970-01-01T00:00:61Z",
                                     "1970-01-01T00:00:60Z",
                                     "1990-12-31T23:58:60Z",
                                     "1990-11-30T23:59:60Z",
                                     "1970-01-01T00:00:00.Z",
                                     "1970-01-01T00:00:00,5Z",
                                     "1970-01-01T00:00:00+24:00",
                                     "1970-01-01T00:00:00+00:60",
                                     "1970-01-01T00:00:00+0000",
                                     "1970-01-01T00:00:00ZZ",
                                     "1970-01-01T00:00:00Z ",
                                     " 1970-01-01T00:00:00Z",
                                     "-970-01-01T00:00:00Z",
                                     "19700-01-01T00:00:00Z",
                                     "1970-01-01T00:00:0\xd9\xa1Z"}) {
    const auto parsed = parse_rfc3339(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code, Code::kBadDateTime) << bad;
  }
}

TEST(Rfc3339, RoundTrip) {
  EXPECT_TRUE(rc::check("every millisecond of the range, in two zones", [] {
    const auto at = *rc::gen::inRange<std::int64_t>(kFirst, kLast);
    RC_ASSERT(parse_rfc3339(rfc3339_utc(at)) == at);
    RC_PRE(at > kFirst + 86'400'000 && at < kLast - 86'400'000);
    RC_ASSERT(parse_rfc3339(rfc3339_local(at)) == at);
  }));
}

}  // namespace
}  // namespace theriac::codec
