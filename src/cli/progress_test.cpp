#include "cli/progress.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>

namespace theriac::cli {
namespace {

TEST(ProgressLine, SaysShareRateAndTimeLeft) {
  EXPECT_EQ(progress_line("sealing a.b", 13'200, 20'000, 2'000, "rows"),
            "sealing a.b  ███████░░░░░   66 %  13,200/20,000 rows  6,600/s  2 s left");
  EXPECT_EQ(progress_line("x", 20, 20, 1'000, "rows"), "x  ████████████  100 %  20/20 rows  20/s");
  EXPECT_EQ(progress_line("x", 0, 20, 0, "rows"), "x  ░░░░░░░░░░░░    0 %  0/20 rows");
  EXPECT_EQ(progress_line("x", 30, 20, 0, "rows"), "x  ████████████  100 %  20/20 rows");
  EXPECT_EQ(progress_line("x", 10, 1'000'000, 1'000, "rows"),
            "x  ░░░░░░░░░░░░    0 %  10/1,000,000 rows  10/s  27 h 46 min left");
  EXPECT_EQ(progress_line("x", 10, 1'000, 1'000, "rows"),
            "x  ░░░░░░░░░░░░    1 %  10/1,000 rows  10/s  1 min 39 s left");
  EXPECT_EQ(progress_line("x", 1'500, 0, 1'000, "bytes"), "x  1,500 bytes  1,500/s");
  EXPECT_EQ(progress_line("x", 0, 0, 5, "bytes"), "x");
}

TEST(ProgressLine, Commas) {
  EXPECT_EQ(with_commas(0), "0");
  EXPECT_EQ(with_commas(999), "999");
  EXPECT_EQ(with_commas(1'000), "1,000");
  EXPECT_EQ(with_commas(-123'456), "-123,456");
  EXPECT_EQ(with_commas(1'234'567), "1,234,567");
}

TEST(ProgressBar, DrawsNothingWhereNobodyLooks) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  ManualClock clock;
  {
    ProgressBar bar(clock, "rows", ends[1]);
    bar.show("x", 1, 2);
  }
  ::close(ends[1]);
  char byte = 0;
  EXPECT_EQ(::read(ends[0], &byte, 1), 0);
  ::close(ends[0]);
}

TEST(ProgressBar, DrawsOnATerminalTenTimesASecondAtMost) {
  const int master = ::posix_openpt(O_RDWR | O_NOCTTY);
  ASSERT_GE(master, 0);
  ASSERT_EQ(::grantpt(master), 0);
  ASSERT_EQ(::unlockpt(master), 0);
  const int terminal = ::open(::ptsname(master), O_RDWR | O_NOCTTY);
  ASSERT_GE(terminal, 0);
  ManualClock clock;
  {
    ProgressBar bar(clock, "rows", terminal);
    bar.show("first", 100, 200);  // these were done by an earlier run
    clock.advance_ms(50);
    bar.show("first", 110, 200);  // too soon
    clock.advance_ms(950);
    bar.show("first", 150, 200);
    bar.show("second", 0, 0);
  }
  std::string seen;
  std::array<char, 4096> buffer{};
  // A terminal gives what is there, which may be a part.
  while (!seen.contains("second")) {
    const auto got = ::read(master, buffer.data(), buffer.size());
    ASSERT_GT(got, 0) << seen;
    seen.append(buffer.data(), static_cast<std::size_t>(got));
  }
  EXPECT_NE(seen.find("100/200 rows"), std::string::npos);
  EXPECT_EQ(seen.find("110/200"), std::string::npos);
  EXPECT_NE(seen.find("150/200 rows  50/s  1 s left"), std::string::npos) << seen;
  ::close(terminal);
  ::close(master);
}

}  // namespace
}  // namespace theriac::cli
