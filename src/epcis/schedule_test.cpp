#include "epcis/schedule.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <chrono>
#include <utility>
#include <vector>

#include "codec/time.hpp"

namespace theriac::epcis {
namespace {

using Fields = std::vector<std::pair<std::string_view, std::string_view>>;

std::optional<Schedule> schedule_of(const Fields& fields) {
  Schedule made;
  for (const auto& [name, text] : fields) {
    const auto field = Schedule::field_of(name);
    if (!field || !made.set(*field, text)) return std::nullopt;
  }
  return made;
}

std::string next_of(const Fields& fields, std::string_view after) {
  const auto schedule = schedule_of(fields);
  EXPECT_TRUE(schedule);
  const auto next = schedule->next(*codec::parse_rfc3339(after));
  return next ? codec::rfc3339_utc(*next) : "never";
}

TEST(ScheduleTest, TheNextTime) {
  struct Case {
    Fields fields;
    std::string_view after, next;
  };
  const std::vector<Case> cases{
      // GS1's own example: every morning at 1.05.
      {{{"hour", "1"}, {"minute", "5"}}, "2026-11-22T01:04:59Z", "2026-11-22T01:05:00.000Z"},
      {{{"hour", "1"}, {"minute", "5"}}, "2026-11-22T01:05:00Z", "2026-11-23T01:05:00.000Z"},
      {{{"hour", "1"}, {"minute", "5"}}, "2026-12-31T01:05:00.001Z", "2027-01-01T01:05:00.000Z"},
      {{{"second", "0/30"}}, "2026-11-22T10:00:01Z", "2026-11-22T10:00:30.000Z"},
      {{{"second", "0/30"}}, "2026-11-22T10:00:30Z", "2026-11-22T10:01:00.000Z"},
      {{{"minute", "0,[10-12],59"}}, "2026-11-22T10:12:00Z", "2026-11-22T10:59:00.000Z"},
      {{{"hour", "6"}}, "2026-11-22T06:00:00Z", "2026-11-23T06:00:00.000Z"},
      {{{"dayOfWeek", "1"}}, "2026-11-22T10:00:00Z", "2026-11-23T00:00:00.000Z"},
      {{{"dayOfWeek", "7"}, {"hour", "9"}}, "2026-11-22T10:00:00Z", "2026-11-29T09:00:00.000Z"},
      {{{"dayOfMonth", "31"}}, "2026-11-22T10:00:00Z", "2026-12-31T00:00:00.000Z"},
      {{{"month", "2"}, {"dayOfMonth", "29"}}, "2026-11-22T10:00:00Z", "2028-02-29T00:00:00.000Z"},
      {{{"month", "2"}, {"dayOfMonth", "29"}, {"dayOfWeek", "1"}},
       "2026-11-22T10:00:00Z",
       "2044-02-29T00:00:00.000Z"},
      {{{"month", "2"}, {"dayOfMonth", "30"}}, "2026-11-22T10:00:00Z", "never"},
      {{}, "2026-11-22T10:00:00.500Z", "2026-11-22T10:00:01.000Z"},
  };
  for (const auto& one : cases) EXPECT_EQ(next_of(one.fields, one.after), one.next) << one.next;
}

TEST(ScheduleTest, WhatIsNone) {
  for (const auto& [name, text] :
       Fields{{"second", ""},      {"second", "60"},     {"second", "-1"},     {"minute", "x"},
              {"hour", "24"},      {"dayOfMonth", "0"},  {"dayOfMonth", "32"}, {"month", "13"},
              {"dayOfWeek", "0"},  {"dayOfWeek", "8"},   {"second", "1,"},     {"second", ",1"},
              {"second", "[5-1]"}, {"second", "[1-60]"}, {"second", "[1"},     {"second", "1-5"},
              {"second", "0/0"},   {"second", "*"},      {"second", " 1"},     {"second", "0/"},
              {"second", "[-1-5]"}}) {
    EXPECT_FALSE(schedule_of({{name, text}})) << name << " " << text;
  }
  EXPECT_FALSE(Schedule::field_of("seconds"));
}

/// Any time found is behind the one before, and each second between is none.
TEST(ScheduleTest, NothingIsPassedOver) {
  EXPECT_TRUE(rc::check([] {
    const auto minute = *rc::gen::inRange(0, 60);
    const auto second = *rc::gen::inRange(0, 60);
    const auto from = *rc::gen::inRange<std::int64_t>(0, 4'000'000'000);
    const auto schedule =
        schedule_of({{"minute", std::to_string(minute)}, {"second", std::to_string(second)}});
    RC_ASSERT(schedule.has_value());
    const auto next = *schedule->next(from * 1000);
    RC_ASSERT(next > from * 1000);
    RC_ASSERT(next - from * 1000 <= 3600 * 1000);
    RC_ASSERT(next / 1000 % 3600 == minute * 60 + second);
  }));
}

}  // namespace
}  // namespace theriac::epcis
