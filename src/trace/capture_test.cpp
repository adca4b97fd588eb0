#include "trace/capture.hpp"

#include "codec/time.hpp"

#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

using epcis::Event;
using epcis::Word;

class CaptureTest : public testing_support::Site {
 protected:
  static constexpr const char* kPlant = "https://id.gs1.org/414/9506000140018";
  static constexpr const char* kShop = "https://id.gs1.org/414/9506000140001";

  Event event(epcis::EventType type, epcis::Action action, const char* step,
              std::vector<std::string> epcs, const char* at = kPlant) {
    now_ms_ += 1000;
    Event one;
    one.type = type;
    one.event_time = epcis::Time{codec::rfc3339_utc(now_ms_), now_ms_};
    one.time_zone_offset = "+00:00";
    one.action = action;
    one.biz_step = Word{step};
    one.epcs = std::move(epcs);
    one.read_point = epcis::Location{at, {}};
    return one;
  }
  Event object(epcis::Action action, const char* step, std::vector<std::string> epcs,
               const char* at = kPlant) {
    return event(epcis::EventType::kObject, action, step, std::move(epcs), at);
  }
  Event commissioning(std::vector<std::string> epcs, const char* lot = "LOT1A") {
    auto one = object(epcis::Action::kAdd, "commissioning", std::move(epcs));
    one.ilmd = {
        {std::string(epcis::kCbvMasterData), "lotNumber", epcis::Scalar::kText, lot, {}, {}}};
    return one;
  }
  Event packing(std::vector<std::string> epcs, const std::string& parent) {
    auto one =
        event(epcis::EventType::kAggregation, epcis::Action::kAdd, "packing", std::move(epcs));
    one.parent_id = parent;
    return one;
  }
  std::vector<CapturedEvent> take(const std::vector<Event>& events, std::int64_t partner = 0) {
    auto who = who_;
    who.partner = partner;
    const auto taken =
        done([&](Work& work) { return capture(work, {}, events, EventFormat::kJson, true, who); });
    EXPECT_TRUE(taken) << (taken ? "" : taken.error().message());
    return taken ? *taken : std::vector<CapturedEvent>();
  }
  std::vector<WorkItem> open() {
    return *done([&](Work& work) { return open_work(work, 0, 100); });
  }
};

TEST_F(CaptureTest, EventsMoveItemsThroughTheirLife) {
  const auto items = issue(3);
  release();
  auto shipping = object(epcis::Action::kObserve, "shipping", {sscc(1)});
  shipping.destinations = {{Word{"location"}, kShop}};
  const auto make = commissioning(items);
  const auto pack = packing(items, sscc(1));
  now_ms_ += 1000;
  shipping.event_time = epcis::Time{codec::rfc3339_utc(now_ms_), now_ms_};
  for (const auto& one : take({make, pack, shipping})) EXPECT_EQ(one.work, 0);
  EXPECT_EQ(state_of(items[2]), State::kCommissioned);
  auto unpack =
      event(epcis::EventType::kAggregation, epcis::Action::kDelete, "unpacking", {}, kShop);
  const auto receive = object(epcis::Action::kObserve, "receiving", {sscc(1)}, kShop);
  unpack.parent_id = sscc(1);
  now_ms_ += 1000;
  unpack.event_time = epcis::Time{codec::rfc3339_utc(now_ms_), now_ms_};
  const auto dispense = object(epcis::Action::kDelete, "dispensing", {items[0]}, kShop);
  for (const auto& one : take({receive, unpack, dispense}, partner_)) EXPECT_EQ(one.work, 0);
  EXPECT_EQ(state_of(items[0]), State::kDispensed);
  EXPECT_TRUE(open().empty());
  const auto history = done([&](Work& work) { return history_of(work, items[0], Viewer{}, 10); });
  ASSERT_TRUE(history);
  EXPECT_EQ(history->size(), 3U);  // made, packed, dispensed; the pallet's journey is the pallet's
}

TEST_F(CaptureTest, WhatCannotBeIsKeptAndBecomesWork) {
  const auto items = issue(3);
  take({commissioning({items[0], items[1]})});
  // Twice: the second does nothing, and a person looks.
  const auto again = take({commissioning({items[1], items[2]})});
  ASSERT_EQ(again[0].refused.size(), 1U);
  EXPECT_EQ(again[0].refused[0], (RefusedItem{0, LifeRefusal::kAlreadyCommissioned}));
  EXPECT_EQ(state_of(items[2]), State::kCommissioned);
  const auto work = open();
  ASSERT_EQ(work.size(), 1U);
  EXPECT_EQ(work[0].kind, WorkKind::kRefusedAct);
  EXPECT_EQ(work[0].details.at("refused")[0].at("why"), "AlreadyCommissioned");
  ASSERT_TRUE(done(
      [&](Work& one) { return close_work(one, work[0].id, Who{"qa-1", "", 0, "scanned twice"}); }));
  EXPECT_TRUE(open().empty());
  EXPECT_EQ(done([&](Work& one) { return close_work(one, work[0].id, who_); }).error().code,
            Code::kConflict);
  EXPECT_EQ(done([&](Work& one) { return close_work(one, 99, who_); }).error().code,
            Code::kNotFound);
  // The event is there all the same.
  EXPECT_EQ(
      done([&](Work& one) { return read_event(one, again[0].kept.seq); })->event().epcs.size(), 2U);
}

TEST_F(CaptureTest, WhatWasRefusedIsTriedAgainAlone) {
  const auto items = issue(3);
  const auto tried = [&](const WorkItem& item) {
    return *done([&](Work& one) { return retry_event(one, item, who_); });
  };
  ASSERT_TRUE(done([&](Work& one) { return set_state(one, lot_, LotState::kBlocked, who_); }));
  take({commissioning(items)});
  ASSERT_EQ(open().size(), 1U);
  const auto id = open()[0].id;
  EXPECT_EQ(tried(open()[0]).work, id);  // still blocked: the same item
  EXPECT_EQ(open()[0].times, 2);
  release();
  EXPECT_EQ(refusals(request(Act::kCommission, {items[1]})), "");
  const auto again = tried(open()[0]);
  EXPECT_EQ(again.work, id);
  ASSERT_EQ(again.refused.size(), 1U);
  EXPECT_EQ(again.refused[0].at, 1U);
  // The others are done by now and are not asked for again.
  EXPECT_EQ(tried(open()[0]).refused.size(), 1U);
  EXPECT_EQ(open().size(), 1U);
}

TEST_F(CaptureTest, PlacesThatNobodyKnowsAndPlacesOfOthers) {
  const auto items = commissioned(1);
  take({object(epcis::Action::kObserve, "sampling", {items[0]},
               "https://id.gs1.org/414/9506000140025")});
  EXPECT_EQ(open().at(0).kind, WorkKind::kUnknownPlace);
  take({object(epcis::Action::kObserve, "sampling", {items[0]})}, partner_);
  EXPECT_EQ(open().at(1).details.at("error"), "Denied");
  EXPECT_EQ(state_of(items[0]), State::kCommissioned);
}

TEST_F(CaptureTest, OthersProductsAreKeptAndNotJudged) {
  const auto items = issue(1);
  const auto foreign = "https://id.gs1.org/01/09506000134369/21/X1";
  const auto taken = take({object(epcis::Action::kObserve, "shipping", {foreign}),
                           commissioning({foreign, items[0]}),
                           object(epcis::Action::kObserve, "inspecting", {items[0]})});
  EXPECT_EQ(taken[0].act, std::nullopt);
  EXPECT_TRUE(taken[1].refused.empty());
  EXPECT_EQ(state_of(items[0]), State::kCommissioned);
  EXPECT_EQ(taken[2].act, std::nullopt);
  EXPECT_TRUE(open().empty());
}

TEST_F(CaptureTest, RepeatedEventsDoNothingAgain) {
  const auto items = issue(1);
  const auto one = commissioning(items);
  take({one});
  const auto again = take({one});
  EXPECT_EQ(again[0].kept.what, Kept::kRepeated);
  EXPECT_TRUE(open().empty());
  auto taken = one;
  taken.event_id = "urn:uuid:374d95fc-9457-4a51-bd6a-0bba133845a8";
  auto other = taken;
  other.biz_step = Word{"inspecting"};
  take({taken, other});
  const auto work = open();
  ASSERT_EQ(work.size(), 2U);  // commissioned before, and the ID
  EXPECT_EQ(work[1].kind, WorkKind::kIdTaken);
  other.biz_step = Word{"storing"};
  const auto refused =
      done([&](Work& w) { return capture(w, {}, {&other, 1}, EventFormat::kJson, false, who_); });
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kAlreadyExists);
}

}  // namespace
}  // namespace theriac::trace
