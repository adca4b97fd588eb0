#include "trace/work_list.hpp"

#include "trace/limits.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class WorkListTest : public testing_support::Site {
 protected:
  std::int64_t raised(WorkKind kind, const std::string& same, const codec::Json& details) {
    ++now_ms_;
    const auto made = done([&](Work& work) { return raise(work, {kind, same, 0, details}); });
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return made.value_or(0);
  }
  WorkItem item(std::int64_t id) {
    return *done([&](Work& work) { return work_item(work, id); });
  }
  std::vector<std::int64_t> listed(const WorkFilter& filter, std::int64_t after = 0,
                                   std::int64_t limit = 10) {
    std::vector<std::int64_t> ids;
    const auto all = done([&](Work& work) { return work_list(work, filter, after, limit); });
    for (const auto& one : *all) ids.push_back(one.id);
    return ids;
  }
  using Ids = std::vector<std::int64_t>;
};

TEST_F(WorkListTest, WhatComesAgainIsTheSameItem) {
  const auto id = raised(WorkKind::kLineRefused, "line-1 SERIAL-77", {{"refused", 1}});
  EXPECT_EQ(raised(WorkKind::kLineRefused, "line-1 SERIAL-77", {{"refused", 2}}), id);
  const auto other = raised(WorkKind::kLineRefused, "line-1 SERIAL-78", {{"refused", 1}});
  EXPECT_NE(other, id);
  EXPECT_NE(raised(WorkKind::kAlarm, "line-1 SERIAL-77", {}), id);
  const auto one = item(id);
  EXPECT_EQ(one.times, 2);
  EXPECT_EQ(one.details.at("refused"), 2);
  EXPECT_LT(one.raised_ms, one.last_ms);
  ASSERT_TRUE(done([&](Work& work) { return close_work(work, id, who_); }));
  // Once it is resolved, what comes again is news.
  EXPECT_NE(raised(WorkKind::kLineRefused, "line-1 SERIAL-77", {}), id);
  EXPECT_EQ(item(id).times, 2);
  EXPECT_EQ(stored().find("SERIAL-77"), std::string::npos);
}

TEST_F(WorkListTest, ItIsListedByKindAgeAndState) {
  const auto a = raised(WorkKind::kAlarm, "a", {});
  const auto b = raised(WorkKind::kNotBalanced, "b", {});
  const auto b_raised = now_ms_;
  const auto c = raised(WorkKind::kAlarm, "c", {});
  ASSERT_TRUE(done([&](Work& work) { return close_work(work, a, who_); }));
  const auto whole = WorkFilter{.kind = {}, .open = {}, .raised_until_ms = {}};
  EXPECT_EQ(listed(whole), (Ids{a, b, c}));
  EXPECT_EQ(listed(whole, a, 1), (Ids{b}));
  EXPECT_EQ(listed({.kind = {}, .open = true, .raised_until_ms = {}}), (Ids{b, c}));
  EXPECT_EQ(listed({.kind = {}, .open = false, .raised_until_ms = {}}), (Ids{a}));
  EXPECT_EQ(listed({.kind = WorkKind::kAlarm, .open = {}, .raised_until_ms = {}}), (Ids{a, c}));
  EXPECT_EQ(listed({.kind = {}, .open = {}, .raised_until_ms = b_raised}), (Ids{a, b}));
  EXPECT_EQ(listed({.kind = {}, .open = {}, .raised_until_ms = b_raised - 1}), (Ids{a}));
}

TEST_F(WorkListTest, WhoDidWhatStaysInIt) {
  const auto id = raised(WorkKind::kRefusedAct, "x", {{"n", 1}});
  const Who qa{"qa-1", "desk", 0, "mine"};
  ASSERT_TRUE(done([&](Work& work) { return assign_work(work, id, "qa-2", qa); }));
  EXPECT_EQ(item(id).assigned, "qa-2");
  ASSERT_TRUE(
      done([&](Work& work) { return note_retry(work, id, false, codec::Json{{"n", 2}}, qa); }));
  EXPECT_TRUE(item(id).open);
  EXPECT_EQ(item(id).details.at("n"), 2);
  ASSERT_TRUE(done([&](Work& work) { return note_retry(work, id, true, std::nullopt, qa); }));
  const auto one = item(id);
  EXPECT_FALSE(one.open);
  EXPECT_EQ(one.closed_ms, now_ms_);
  ASSERT_EQ(one.notes.size(), 3U);
  EXPECT_EQ(one.notes[0].what, "assigned");
  EXPECT_EQ(one.notes[2].what, "tried again");
  EXPECT_EQ(one.notes[2].person, "qa-1");
  EXPECT_EQ(one.notes[2].reason, "mine");
  const auto code = [&](auto act) { return done(act).error().code; };
  EXPECT_EQ(code([&](Work& work) { return assign_work(work, id, "x", qa); }), Code::kConflict);
  EXPECT_EQ(code([&](Work& work) { return close_work(work, id, qa); }), Code::kConflict);
  EXPECT_EQ(code([&](Work& work) { return close_work(work, 99, qa); }), Code::kNotFound);
}

TEST_F(WorkListTest, ItsNotesHaveALimit) {
  const auto id = raised(WorkKind::kAlarm, "x", {});
  ASSERT_TRUE(done([&](Work& work) -> Status {
    for (std::size_t i = 0; i < kWorkNotesMax; ++i) THERIAC_TRY(assign_work(work, id, "a", who_));
    return {};
  }));
  EXPECT_EQ(done([&](Work& work) { return assign_work(work, id, "a", who_); }).error().code,
            Code::kTooLarge);
  const std::string name(kNameBytesMax + 1, 'x');
  const auto other = raised(WorkKind::kAlarm, "y", {});
  EXPECT_EQ(done([&](Work& work) { return assign_work(work, other, name, who_); }).error().code,
            Code::kTooLarge);
}

TEST(WorkKinds, HaveNames) {
  for (std::size_t i = 1; i <= kWorkKinds; ++i) {
    const auto kind = static_cast<WorkKind>(i);
    EXPECT_EQ(work_kind_named(name_of(kind)), kind);
  }
  EXPECT_EQ(work_kind_named(""), std::nullopt);
}

}  // namespace
}  // namespace theriac::trace
