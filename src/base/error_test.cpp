#include "base/error.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "base/bytes.hpp"
#include "base/clock.hpp"

namespace theriac {
namespace {

TEST(ErrorTable, EveryEntryIsWhole) {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < kCodeCount; ++i) {
    const auto& info = info_of(static_cast<Code>(i));
    EXPECT_TRUE(names.insert(info.name).second) << info.name << " stands twice";
    EXPECT_EQ(info.sqlstate.size(), 5U) << info.name;
    // SQLSTATE: digits and upper-case letters (ISO/IEC 9075-2, section 23.1)
    EXPECT_EQ(info.sqlstate.find_first_not_of("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
              std::string_view::npos)
        << info.name;
    EXPECT_NE(info.sqlstate.substr(0, 2), "00") << info.name << " would mean success";
    EXPECT_GE(info.http, 400) << info.name;
    EXPECT_LT(info.http, 600) << info.name;
    EXPECT_FALSE(info.what.empty()) << info.name;
    EXPECT_FALSE(info.remedy.empty()) << info.name;
    for (const auto text : {info.what, info.remedy}) {
      EXPECT_EQ(text.find('\n'), std::string_view::npos) << info.name;
      EXPECT_EQ(text.find('|'), std::string_view::npos) << info.name << ": breaks docs/errors.md";
    }
  }
  EXPECT_EQ(names.size(), kCodeCount);
}

TEST(ErrorTable, CodesMeetTheirEntries) {
  EXPECT_EQ(info_of(Code::kInternal).name, "Internal");
  EXPECT_EQ(info_of(Code::kUsage).name, "Usage");
  EXPECT_EQ(info_of(Code::kUnsupported).sqlstate, "0A000");
  EXPECT_EQ(info_of(Code::kDenied).sqlstate, "42501");
}

TEST(Error, Message) {
  EXPECT_EQ((Error{Code::kDiskFull, "audit/wal"}.message()),
            "the disk is full (audit/wal); free space; nothing acknowledged was lost");
  EXPECT_EQ((Error{Code::kDiskFull, ""}.message()),
            "the disk is full; free space; nothing acknowledged was lost");
}

Status third(bool good) {
  if (!good) return fail(Code::kBusy, "third");
  return {};
}
Result<int> second(bool good) {
  THERIAC_TRY(third(good));
  return 2;
}
Result<std::string> first(bool good) {
  THERIAC_ASSIGN(const int number, second(good));
  THERIAC_ASSIGN(const int again, second(good));
  return std::to_string(number + again);
}

TEST(Result, TryAndAssignPassErrorsUp) {
  EXPECT_EQ(first(true).value(), "4");
  EXPECT_EQ(first(false).error(), (Error{Code::kBusy, "third"}));
}

TEST(ErrorDeathTest, AssertionStopsTheProgram) {
  EXPECT_DEATH(THERIAC_ASSERT(kCodeCount == 0), "assertion failed: kCodeCount == 0");
}

TEST(Clock, ManualMovesAsTold) {
  ManualClock clock(1'000);
  clock.advance_ms(5);
  EXPECT_EQ(clock.wall_ms(), 1'005);
  EXPECT_EQ(clock.monotonic_ms(), 5);
  clock.set_wall_ms(10);  // a clock set back does not move the other
  EXPECT_EQ(clock.wall_ms(), 10);
  EXPECT_EQ(clock.monotonic_ms(), 5);
}

TEST(Clock, SystemMonotonicNeverGoesBack) {
  const SystemClock clock;
  auto last = clock.monotonic_ms();
  for (int i = 0; i < 1'000; ++i) {
    const auto now = clock.monotonic_ms();
    ASSERT_GE(now, last);
    last = now;
  }
  EXPECT_GT(clock.wall_ms(), 1'600'000'000'000);
}

}  // namespace
}  // namespace theriac
