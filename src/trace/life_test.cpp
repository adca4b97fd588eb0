#include "trace/life.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <vector>

#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using enum State;

constexpr std::int64_t kDay = 24LL * 60 * 60 * 1000;
constexpr std::int64_t kNow = 20'000 * kDay;
constexpr PlaceKey kHere = 7, kThere = 8;

ItemView item(State state = kCommissioned) {
  ItemView one;
  one.state = state;
  one.place = state == kAllocated ? kNowhere : kHere;
  one.released = true;
  one.changed_ms = kNow - kDay;
  one.expires_ms = kNow + 300 * kDay;
  return one;
}

ActAt act(Act what, PlaceKey to = kNowhere) {
  return {.act = what, .place = kHere, .to = to, .when_ms = kNow, .now_ms = kNow};
}

std::string shown(const tl::expected<Change, LifeRefusal>& decision) {
  if (!decision) return std::string(name_of(decision.error()));
  return std::string(name_of(decision->state)) + (decision->packed ? " packed" : "") +
         (decision->in_transit ? " in transit" : "") + " at " + std::to_string(decision->place);
}

std::string outcome(const ItemView& one, const ActAt& at) { return shown(decide(one, at)); }

// Every act on an item in every state, at its place, unpacked: the whole table, written down apart
// from the code.
TEST(Life, EveryActInEveryState) {
  struct Line {
    Act act;
    std::array<const char*, kStates> outcome;
  };
  const auto e = "encoded at 7", c = "commissioned at 7", s = "sampled at 7", d = "dispensed at 7",
             r = "returned at 7", x = "decommissioned at 7", z = "destroyed at 7",
             t = "stolen at 7";
  const auto to8 = "commissioned in transit at 8";
  const auto nyc = "NotYetCommissioned", is_s = "IsSampled", is_d = "IsDispensed",
             is_r = "IsReturned", is_x = "IsDecommissioned", is_z = "IsDestroyed",
             is_t = "IsStolen", ac = "AlreadyCommissioned", nit = "NotInTransit", np = "NotPacked";
  const std::vector<Line> lines{
      //                       allocated encoded commissioned sampled dispensed returned decomm.
      //                       destroyed stolen
      {Act::kEncode, {e, "AlreadyEncoded", ac, is_s, is_d, is_r, is_x, is_z, is_t}},
      {Act::kCommission, {c, c, ac, is_s, is_d, is_r, is_x, is_z, is_t}},
      {Act::kSample, {nyc, nyc, s, is_s, is_d, is_r, is_x, is_z, is_t}},
      {Act::kPack, {nyc, nyc, "commissioned packed at 7", is_s, is_d, is_r, is_x, is_z, is_t}},
      {Act::kUnpack, {np, np, np, np, np, np, np, is_z, np}},
      {Act::kShip, {nyc, nyc, to8, is_s, is_d, is_r, is_x, is_z, is_t}},
      {Act::kReceive, {nyc, nyc, nit, is_s, is_d, nit, nit, is_z, is_t}},
      {Act::kDispense, {nyc, nyc, d, is_s, is_d, is_r, is_x, is_z, is_t}},
      {Act::kReturn, {nyc, nyc, r, is_s, r, is_r, is_x, is_z, is_t}},
      {Act::kRestock, {nyc, nyc, "NotReturned", is_s, "NotReturned", c, is_x, is_z, is_t}},
      {Act::kDecommission, {x, x, x, x, is_d, x, is_x, is_z, is_t}},
      {Act::kDestroy, {z, z, z, z, is_d, z, z, is_z, z}},
      {Act::kReportStolen, {nyc, t, t, t, is_d, t, t, is_z, is_t}},
      {Act::kUndo,
       {"NothingToUndo", "NothingToUndo", "NothingToUndo", "NothingToUndo", "NothingToUndo",
        "NothingToUndo", "NothingToUndo", "NothingToUndo", "NothingToUndo"}},
  };
  ASSERT_EQ(lines.size(), kActs);
  for (const auto& line : lines) {
    for (std::size_t state = 0; state < kStates; ++state) {
      EXPECT_EQ(outcome(item(static_cast<State>(state)), act(line.act, kThere)),
                line.outcome[state])
          << name_of(line.act) << " of " << name_of(static_cast<State>(state));
    }
  }
}

TEST(Life, APackedItemIsOnlyUnpacked) {
  for (std::size_t i = 0; i < kActs; ++i) {
    for (std::size_t state = 0; state < kStates; ++state) {
      auto one = item(static_cast<State>(state));
      one.packed = true;
      const auto made = decide(one, act(static_cast<Act>(i), kThere));
      if (!made) continue;
      EXPECT_EQ(static_cast<Act>(i), Act::kUnpack);
      EXPECT_EQ(made->state, one.state);
      EXPECT_FALSE(made->packed);
    }
  }
  auto one = item();
  one.packed = true;
  EXPECT_EQ(outcome(one, act(Act::kSample)), "IsPacked");
  EXPECT_EQ(outcome(one, act(Act::kPack)), "IsPacked");
}

TEST(Life, ShippingAndReceiving) {
  auto one = item();
  EXPECT_EQ(outcome(one, act(Act::kShip, kThere)), "commissioned in transit at 8");
  EXPECT_EQ(outcome(one, act(Act::kShip)), "NoDestination");
  EXPECT_EQ(outcome(one, act(Act::kShip, kHere)), "NoDestination");
  one.in_transit = true;
  one.place = kThere;
  EXPECT_EQ(outcome(one, act(Act::kReceive)), "NotForThisPlace");
  auto there = act(Act::kReceive);
  there.place = kThere;
  EXPECT_EQ(outcome(one, there), "commissioned at 8");
  for (const auto other :
       {Act::kSample, Act::kPack, Act::kShip, Act::kDispense, Act::kDecommission, Act::kDestroy}) {
    auto at = act(other, kHere);
    at.place = kThere;
    EXPECT_EQ(outcome(one, at), "InTransit") << name_of(other);
  }
  EXPECT_EQ(outcome(one, act(Act::kReportStolen)), "stolen at 7");
  one.in_transit = false;
  EXPECT_EQ(outcome(one, act(Act::kDispense)), "OtherPlace");
  EXPECT_EQ(outcome(one, act(Act::kReturn)), "returned at 7");
  auto nowhere = act(Act::kDispense);
  nowhere.place = kNowhere;
  EXPECT_EQ(outcome(one, nowhere), "NoPlace");
}

TEST(Life, WhatIsNotForPatientsReachesNone) {
  for (const auto& [change, refusal] : std::vector<std::pair<void (*)(ItemView&), const char*>>{
           {[](ItemView& one) { one.recalled = true; }, "IsRecalled"},
           {[](ItemView& one) { one.expires_ms = kNow - 1; }, "IsExpired"},
           {[](ItemView& one) { one.released = false; }, "NotReleased"}}) {
    auto one = item();
    change(one);
    EXPECT_EQ(outcome(one, act(Act::kDispense)), refusal);
    EXPECT_EQ(outcome(one, act(Act::kShip, kThere)), refusal);
    auto returned = item(kReturned);
    change(returned);
    EXPECT_EQ(outcome(returned, act(Act::kRestock)), refusal);
    // Back or to destruction it may go.
    auto back = act(Act::kShip, kThere);
    back.to_market = false;
    EXPECT_EQ(outcome(one, back), "commissioned in transit at 8");
    EXPECT_EQ(outcome(returned, back), "returned in transit at 8");
    EXPECT_EQ(outcome(one, act(Act::kDestroy)), "destroyed at 7");
    EXPECT_EQ(outcome(one, act(Act::kSample)), "sampled at 7");
  }
  // The last day counts.
  auto one = item();
  one.expires_ms = kNow;
  EXPECT_EQ(outcome(one, act(Act::kDispense)), "dispensed at 7");
  EXPECT_EQ(outcome(item(kReturned), act(Act::kShip, kThere)), "IsReturned");
}

TEST(Life, Times) {
  auto at = act(Act::kSample);
  at.when_ms = kNow + kFutureMs;
  EXPECT_EQ(outcome(item(), at), "sampled at 7");
  ++at.when_ms;
  EXPECT_EQ(outcome(item(), at), "InTheFuture");
  at.when_ms = kNow - kDay;
  EXPECT_EQ(outcome(item(), at), "sampled at 7");
  --at.when_ms;
  EXPECT_EQ(outcome(item(), at), "BeforeLastAct");
}

// Regulation (EU) 2016/161, Article 13.
TEST(Life, Undo) {
  const auto dispensed = [] {
    auto one = item(kDispensed);
    one.last_act = Act::kDispense;
    one.state_before = kCommissioned;
    one.last_place = kHere;
    one.changed_ms = one.acted_ms = kNow - kUndoDays * kDay;
    return one;
  };
  EXPECT_EQ(outcome(dispensed(), act(Act::kUndo)), "commissioned at 7");
  auto one = dispensed();
  --one.acted_ms;
  EXPECT_EQ(outcome(one, act(Act::kUndo)), "UndoTooLate");
  one = dispensed();
  one.last_place = kThere;
  EXPECT_EQ(outcome(one, act(Act::kUndo)), "UndoElsewhere");
  one = dispensed();
  one.recalled = true;
  EXPECT_EQ(outcome(one, act(Act::kUndo)), "IsRecalled");
  one = dispensed();
  one.expires_ms = kNow - 1;
  EXPECT_EQ(outcome(one, act(Act::kUndo)), "IsExpired");
  for (std::size_t i = 0; i < kActs; ++i) {
    one = dispensed();
    one.last_act = static_cast<Act>(i);
    const bool can = *one.last_act == Act::kDispense || *one.last_act == Act::kSample ||
                     *one.last_act == Act::kDecommission;
    EXPECT_EQ(outcome(one, act(Act::kUndo)), can ? "commissioned at 7" : "NothingToUndo")
        << name_of(*one.last_act);
  }
}

// From wherever an item can be brought by acts: nothing ends destruction, and what was stolen,
// destroyed or returned by a patient is not commissioned again but by a decision.
TEST(Life, NothingComesBack) {
  std::set<State> from_destroyed, from_stolen;
  const auto reach = [](State start, std::set<State>& seen) {
    std::vector<State> open{start};
    while (!open.empty()) {
      const auto state = open.back();
      open.pop_back();
      for (std::size_t i = 0; i < kActs; ++i) {
        for (const bool transit : {false, true}) {
          auto one = item(state);
          one.in_transit = transit;
          const auto made = decide(one, act(static_cast<Act>(i), kThere));
          if (made && seen.insert(made->state).second) open.push_back(made->state);
        }
      }
    }
  };
  reach(kDestroyed, from_destroyed);
  reach(kStolen, from_stolen);
  EXPECT_TRUE(from_destroyed.empty());
  EXPECT_EQ(from_stolen, std::set<State>{kDestroyed});
}

TEST(Life, EveryRefusalIsSaidInBothLanguages) {
  std::set<std::string_view> names, english, chinese;
  constexpr std::array kAll{
#define THERIAC_LIFE_REFUSAL(name, english, chinese) LifeRefusal::k##name,
#include "trace/life_refusals.inc"
#undef THERIAC_LIFE_REFUSAL
  };
  for (const auto one : kAll) {
    names.insert(name_of(one));
    english.insert(explain(one, Language::kEnglish));
    chinese.insert(explain(one, Language::kChinese));
    const auto text = explain(one, Language::kChinese);
    EXPECT_TRUE(std::ranges::any_of(text, [](char c) { return (c & 0x80) != 0; })) << text;
  }
  EXPECT_EQ(names.size(), kAll.size());
  EXPECT_EQ(english.size(), kAll.size());
  EXPECT_EQ(chinese.size(), kAll.size());
}

TEST(Life, Names) {
  for (std::size_t i = 0; i < kActs; ++i) {
    EXPECT_EQ(act_named(name_of(static_cast<Act>(i))), static_cast<Act>(i));
  }
  EXPECT_EQ(act_named("Encode"), std::nullopt);
  EXPECT_EQ(explain(LifeRefusal::kIsPacked, Language::kEnglish),
            "the item is packed; unpack it first");
  EXPECT_EQ(explain(LifeRefusal::kIsPacked, Language::kChinese), "该物品已装箱，请先拆箱");
}

}  // namespace
}  // namespace theriac::trace
