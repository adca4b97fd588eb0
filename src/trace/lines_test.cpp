#include "trace/lines.hpp"

#include "trace/capture.hpp"
#include "trace/limits.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class Lines : public testing_support::Site {
 protected:
  void SetUp() override {
    bind(plant_, {"line-1", "line-2"});
    bind(shop_, {"line-3"});
  }
  void bind(PlaceKey at, std::vector<std::string> names) {
    ASSERT_TRUE(done([&](Work& work) -> Status {
      THERIAC_ASSIGN(auto one, place(work, at));
      one.lines = std::move(names);
      return change(work, one, who_);
    }));
  }
  Who as(const std::string& name) {
    auto who = who_;
    who.person = name;
    auto line = done([&](Work& work) { return bound_line(work, name); });
    EXPECT_TRUE(line);
    if (line) who.line = *line;
    return who;
  }
  Result<Allocation> draw(const Who& who, std::int64_t count, PlaceKey at = kNowhere) {
    return done([&](Work& work) {
      return draw_for_line(work, lot_, at == kNowhere ? plant_ : at, count, who);
    });
  }
  std::vector<std::string> links_of(const Allocation& of) {
    std::vector<std::string> links;
    auto serials = done([&](Work& work) { return numbers_of(work, of); });
    EXPECT_TRUE(serials);
    for (const auto& serial : *serials) links.push_back(link(serial));
    return links;
  }
  std::string commission(const Who& who, std::vector<std::string> items, std::int64_t when_ms) {
    auto one = request(Act::kCommission, std::move(items));
    one.who = who;
    one.when_ms = when_ms;
    return refusals(one);
  }
};

TEST_F(Lines, ActAtPlacesThatNameThem) {
  const auto made = draw(as("line-1"), 10);
  ASSERT_TRUE(made);
  const auto links = links_of(*made);
  EXPECT_EQ(commission(as("line-1"), {links[0]}, now_ms_), "");
  EXPECT_EQ(commission(as("line-2"), {links[1]}, now_ms_), "0:IssuedToOtherLine");
  auto elsewhere = request(Act::kCommission, {links[1]});
  for (const auto* name : {"line-3", "stranger"}) {
    elsewhere.who = as(name);
    EXPECT_EQ(done([&](Work& work) { return act(work, elsewhere); }).error().code, Code::kDenied);
    EXPECT_EQ(draw(as(name), 1).error().code, Code::kDenied);
    const auto line = *as(name).line;
    EXPECT_EQ(done([&](Work& work) { return check_allocation(work, line, *made); }).error().code,
              Code::kDenied);
  }
  EXPECT_EQ(draw(who_, 1).error().code, Code::kDenied);
  // Bound no more.
  bind(plant_, {"line-2"});
  elsewhere.who = as("line-1");
  EXPECT_EQ(done([&](Work& work) { return act(work, elsewhere); }).error().code, Code::kDenied);
  // Our own people may use what a line left.
  EXPECT_EQ(commission(who_, {links[2]}, now_ms_), "");
}

TEST_F(Lines, AnAllocationIsOneLinesOrEverybodysAtItsPlace) {
  const auto of = done([&](Work& work) { return allocate(work, pool_, 4, lot_, plant_, who_); });
  ASSERT_TRUE(of);
  const auto links = links_of(*of);
  EXPECT_EQ(commission(as("line-1"), {links[0]}, now_ms_), "");
  EXPECT_EQ(commission(as("line-2"), {links[1]}, now_ms_), "");
  const auto given = [&](const char* name) {
    return done([&](Work& work) -> Status {
      THERIAC_ASSIGN(const auto made, allocate(work, pool_, 4, lot_, plant_, who_));
      return give_to_line(work, made, name);
    });
  };
  EXPECT_TRUE(given("line-2"));
  EXPECT_EQ(given("line-3").error().code, Code::kDenied);
}

TEST_F(Lines, HoldABoundedNumberOfNumbers) {
  const auto line = as("line-1");
  std::vector<std::string> first;
  for (std::int64_t left = kLineNumbersMax; left > 0;) {
    const auto count = std::min<std::int64_t>(left, 40'000);
    const auto made = draw(line, count);
    ASSERT_TRUE(made) << made.error().message();
    if (first.empty()) first = links_of(*made);
    left -= count;
  }
  EXPECT_EQ(draw(line, 1).error().code, Code::kTooLarge);
  // Another's are others.
  EXPECT_TRUE(draw(as("line-2"), 1));
  // What was used or given back counts no more.
  EXPECT_EQ(commission(line, {first[0]}, now_ms_), "");
  EXPECT_TRUE(draw(line, 1));
  EXPECT_EQ(draw(line, 1).error().code, Code::kTooLarge);
}

TEST_F(Lines, ReportInTheirOwnTimeWithinLimits) {
  const auto line = as("line-1");
  const auto made = draw(line, 10);
  ASSERT_TRUE(made);
  const auto links = links_of(*made);
  const auto issued = made->when_ms;
  const auto latest = issued + kLineStockMs + kLineUseMs;
  EXPECT_EQ(commission(line, {links[0]}, issued - kFutureMs - 1), "0:BeforeIssued");
  EXPECT_EQ(commission(line, {links[0]}, issued - kFutureMs), "");
  now_ms_ = latest + 1000;
  EXPECT_EQ(commission(line, {links[1]}, latest + 1), "0:StockTooOld");
  EXPECT_EQ(commission(line, {links[1]}, latest), "");
  // A report comes in late, but not for ever. request() moves the clock by a second.
  now_ms_ = latest + kLineReportMs - 1000;
  EXPECT_EQ(commission(line, {links[2]}, latest), "");
  now_ms_ = latest + kLineReportMs - 999;
  EXPECT_EQ(commission(line, {links[3]}, latest), "0:TooLongAgo");
}

TEST_F(Lines, OfAPlaceAreChecked) {
  const auto with = [&](std::vector<std::string> names) {
    return done([&](Work& work) -> Status {
      THERIAC_ASSIGN(auto one, place(work, plant_));
      one.lines = std::move(names);
      return change(work, one, who_);
    });
  };
  std::vector<std::string> names;
  for (std::size_t i = 0; i < kLinesOfPlaceMax; ++i) names.push_back("line-" + std::to_string(i));
  EXPECT_TRUE(with(names));
  names.push_back("one-more");
  EXPECT_EQ(with(names).error().code, Code::kMalformed);
  EXPECT_EQ(with({""}).error().code, Code::kMalformed);
  EXPECT_EQ(with({"line-1", "line-1"}).error().code, Code::kMalformed);
}

}  // namespace
}  // namespace theriac::trace
