#include "pgwire/zone.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "pgwire/calendar.hpp"

namespace theriac::pgwire {
namespace {

std::int64_t unix_time(std::int64_t year, int month, int day, int hour = 0, int minute = 0) {
  return (days_of({year, month, day}) + kUnixEpochDays) * kSecondsPerDay + hour * 3600 +
         minute * 60;
}

// --- calendar ------------------------------------------------------------------------------------

TEST(Calendar, WalksEveryDayOfFourCenturies) {
  CivilDate date{1899, 12, 31};
  auto weekday = weekday_of(days_of(date));
  EXPECT_EQ(weekday, 0);  // a Sunday
  for (std::int64_t days = days_of({1900, 1, 1}); days < days_of({2301, 1, 1}); ++days) {
    if (++date.day > days_in_month(date.year, date.month)) {
      date.day = 1;
      if (++date.month > 12) {
        date.month = 1;
        ++date.year;
      }
    }
    weekday = (weekday + 1) % 7;
    const auto found = civil_of(days);
    ASSERT_TRUE(found.year == date.year && found.month == date.month && found.day == date.day);
    ASSERT_EQ(days_of(date), days);
    ASSERT_EQ(weekday_of(days), weekday);
  }
}

TEST(Calendar, InvertsFarFromNow) {
  for (const std::int64_t base : {std::int64_t{kDateMin}, std::int64_t{-730'485}, std::int64_t{0},
                                  kTimestampEnd / kMicrosPerDay, std::int64_t{kDateEnd} - 2000}) {
    for (std::int64_t days = base; days < base + 2000; ++days) {
      ASSERT_EQ(days_of(civil_of(days)), days);
    }
  }
  EXPECT_EQ(days_of({-4713, 11, 24}), kDateMin);
  EXPECT_EQ(days_of({5'874'898, 1, 1}), kDateEnd);
  EXPECT_EQ(days_of({-4713, 11, 24}) * kMicrosPerDay, kTimestampMin);
  EXPECT_EQ(days_of({294'277, 1, 1}) * kMicrosPerDay, kTimestampEnd);
  EXPECT_TRUE(is_leap(0) && is_leap(-4) && !is_leap(-100) && is_leap(-400));
}

// --- POSIX rules ---------------------------------------------------------------------------------

TEST(PosixZone, ReadsRules) {
  const auto zone = PosixZone::parse("CET-1CEST,M3.5.0,M10.5.0/3");
  ASSERT_TRUE(zone);
  const Zone cet(*zone);
  EXPECT_EQ(cet.at(unix_time(2026, 3, 29, 0, 59)).abbreviation, "CET");
  EXPECT_EQ(cet.at(unix_time(2026, 3, 29, 1)).abbreviation, "CEST");
  EXPECT_EQ(cet.at(unix_time(2026, 10, 25, 0, 59)).offset, 7200);
  EXPECT_EQ(cet.at(unix_time(2026, 10, 25, 1)).offset, 3600);
  EXPECT_EQ(cet.at(unix_time(-4000, 7, 1)).offset, 7200);
  EXPECT_EQ(cet.at(unix_time(290'000, 7, 1)).offset, 7200);
}

TEST(PosixZone, SouthOfTheEquatorAndAllYear) {
  const Zone zealand(*PosixZone::parse("NZST-12NZDT,M9.5.0,M4.1.0/3"));
  EXPECT_TRUE(zealand.at(unix_time(2026, 1, 1)).daylight);
  EXPECT_FALSE(zealand.at(unix_time(2026, 7, 1)).daylight);
  EXPECT_TRUE(zealand.at(unix_time(2026, 12, 31)).daylight);
  const Zone always(*PosixZone::parse("XXX3EDT4,0/0,J365/23"));
  for (int month = 1; month <= 12; ++month) {
    EXPECT_EQ(always.at(unix_time(2026, month, 1)).offset, -4 * 3600);
  }
}

TEST(PosixZone, ReadsNamesAndOffsets) {
  EXPECT_EQ(PosixZone::parse("<+0530>-5:30")->constant().offset, 19'800);
  EXPECT_EQ(PosixZone::parse("<+0530>-5:30")->constant().abbreviation, "+0530");
  EXPECT_EQ(PosixZone::parse("UTC+8")->constant().offset, -28'800);
  EXPECT_EQ(PosixZone::parse("X1:02:03")->constant().offset, -3723);
  for (const auto* bad :
       {"", "UTC", "<UTC", "UTC8x,", "UTC999", "UTC8:60", "A1B,", "A1B,M3.5.0",
        "A1B,M13.1.0,M1.1.0", "A1B,M1.6.0,M2.1.0", "A1B,M1.1.7,M2.1.0", "A1B,J0,J1", "A1B,J366,J1",
        "A1B,366,1", "A1B,M3.2.0,M11.1.0x", "A1<>,0,1"}) {
    EXPECT_FALSE(PosixZone::parse(bad)) << bad;
  }
}

// --- files ---------------------------------------------------------------------------------------

Bytes file_of(const std::string& name) {
  std::ifstream file("/usr/share/zoneinfo/" + name, std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  return bytes_of(content);
}

TEST(Zone, FindsNamesInAnyCaseAndNothingElse) {
  const auto zone = Zone::find("europe/BERLIN");
  ASSERT_TRUE(zone);
  EXPECT_EQ((*zone)->at(unix_time(2026, 7, 1)).abbreviation, "CEST");
  EXPECT_EQ((*zone)->at(unix_time(1945, 7, 1)).abbreviation, "CEMT");
  EXPECT_EQ((*zone)->at(unix_time(1800, 1, 1)).abbreviation, "LMT");
  for (const auto* bad : {"Europe", "Europe/", "/etc/passwd", "../UTC", "right/Europe/Berlin",
                          "tzdata.zi", "zone.tab", "", " ", "Europe/Nowhere", ":UTC"}) {
    const auto found = Zone::find(bad);
    ASSERT_FALSE(found) << bad;
    EXPECT_EQ(found.error().code, Code::kUnsupported);
  }
  EXPECT_FALSE(Zone::find(std::string(kZoneNameBytesMax + 1, 'A') + "1"));
}

TEST(Zone, SessionsMayNameHours) {
  EXPECT_EQ((*Zone::find_session("8"))->at(0).offset, 28'800);
  EXPECT_EQ((*Zone::find_session("8"))->at(0).abbreviation, "+08");
  EXPECT_EQ((*Zone::find_session("-3.5"))->at(0).offset, -12'600);
  EXPECT_EQ((*Zone::find_session("-3.5"))->at(0).abbreviation, "-03:30");
  EXPECT_EQ((*Zone::find_session("0"))->at(0).abbreviation, "+00");
  EXPECT_FALSE(Zone::find_session("999"));
  EXPECT_FALSE(Zone::find_session("."));
}

TEST(Zone, DamagedFilesAreRefusedOrReadWithoutHarm) {
  const auto good = file_of("Europe/Berlin");
  ASSERT_TRUE(Zone::from_tzif(good));
  // The footer may be missing (then the last type holds); the tables may not.
  for (std::size_t size = 0; size < good.size(); ++size) {
    const auto cut = Zone::from_tzif(ByteView(good).first(size));
    if (cut) {
      EXPECT_GT(size, good.size() - 64) << "a file without its tables was taken";
    }
  }
  for (std::size_t at = 0; at < good.size(); ++at) {
    auto damaged = good;
    damaged[at] = static_cast<std::uint8_t>(damaged[at] ^ 0xffU);
    if (const auto zone = Zone::from_tzif(damaged)) {
      for (const auto year : {1800, 1945, 2026, 2500}) {
        (void)zone->at(unix_time(year, 7, 1)).offset;
        (void)zone->offset_of_local(unix_time(year, 7, 1));
      }
    }
  }
  EXPECT_FALSE(Zone::from_tzif({}));
  EXPECT_FALSE(Zone::from_tzif(file_of("right/Europe/Berlin"))) << "leap seconds";
}

/// Every moment's local time, read back, is that moment, unless the clock shows that time twice.
TEST(Zone, LocalTimesLeadBack) {
  for (const auto* name : {"America/New_York", "Europe/Dublin", "Australia/Lord_Howe",
                           "Asia/Tehran", "Pacific/Apia", "Africa/Casablanca"}) {
    const auto zone = *Zone::find(name);
    std::size_t twice = 0, checked = 0;
    // A step that does not divide the day meets every hour of it.
    for (auto time = unix_time(1965, 1, 1); time < unix_time(2045, 1, 1); time += 5100, ++checked) {
      const auto& type = zone->at(time);
      const auto local = time + type.offset;
      const auto offset = zone->offset_of_local(local);
      if (offset == type.offset) continue;
      // Then the later of two moments with this local time was meant.
      ASSERT_EQ(zone->at(local - offset).offset, offset) << name << " " << time;
      ASSERT_GT(local - offset, time) << name;
      ++twice;
    }
    EXPECT_GT(twice, 0U) << name;
    EXPECT_LT(twice, checked / 500) << name;
  }
}

}  // namespace
}  // namespace theriac::pgwire
