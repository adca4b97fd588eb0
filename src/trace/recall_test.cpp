#include "trace/recall.hpp"

#include "trace/effectiveness.hpp"
#include "trace/test_site.hpp"
#include "trace/verification.hpp"

namespace theriac::trace {
namespace {

class RecallTest : public testing_support::Site {
 protected:
  std::string verdict(const std::string& text) {
    const auto made =
        done([&](Work& work) { return verify(work, text, {kNowhere, now_ms_}, sightings_); });
    return made ? std::string(name_of(made->verdict)) : made.error().message();
  }
  Result<OpenedRecall> open(std::vector<std::int64_t> lots, std::vector<std::string> items,
                            std::string level = "I") {
    auto who = who_;
    who.reason = "broken tips";
    return done([&](Work& work) { return open_recall(work, level, lots, items, who); });
  }
  Sightings sightings_;
  ActRequest at_shop(ActRequest one) {
    one.place = shop_;
    return one;
  }
};

TEST_F(RecallTest, OfALotStopsItEverywhereAtOnce) {
  const auto items = commissioned(6);
  release();
  EXPECT_EQ(refusals(request(Act::kPack, {items[0], items[1], items[2], items[3]}, sscc(1))), "");
  EXPECT_EQ(refusals(request(Act::kShip, {sscc(1)})), "");
  EXPECT_EQ(refusals(at_shop(request(Act::kReceive, {sscc(1)}))), "");
  EXPECT_EQ(refusals(at_shop(request(Act::kUnpack, {items[0], items[1]}, sscc(1)))), "");
  EXPECT_EQ(refusals(at_shop(request(Act::kDispense, {items[0]}))), "");
  const auto opened = open({lot_}, {});
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(verdict(items[1]), "recalled");
  EXPECT_EQ(verdict(items[5]), "recalled");
  EXPECT_EQ(refusals(at_shop(request(Act::kDispense, {items[1]}))), "0:IsRecalled");
  EXPECT_EQ(refusals(request(Act::kShip, {items[5]})), "0:IsRecalled");
  EXPECT_EQ(refusals(at_shop(request(Act::kUndo, {items[0]}))), "0:IsRecalled");
  auto sum = done([&](Work& work) { return effectiveness(work, opened->id); });
  ASSERT_TRUE(sum) << sum.error().message();
  EXPECT_EQ(sum->items, 6);
  EXPECT_EQ((*sum)[Recalled::kDispensed], 1);
  EXPECT_EQ(sum->recovered, 2);    // never left the plant
  EXPECT_EQ(sum->outstanding, 3);  // one on the shelf, two in the case, at the hospital
  // They come back.
  auto back = at_shop(request(Act::kShip, {items[1], sscc(1)}));
  back.to = plant_;
  back.to_market = false;
  EXPECT_EQ(refusals(back), "");
  EXPECT_EQ(done([&](Work& work) { return effectiveness(work, opened->id); })->outstanding, 3);
  EXPECT_EQ(refusals(request(Act::kReceive, {items[1], sscc(1)})), "");
  sum = done([&](Work& work) { return effectiveness(work, opened->id); });
  EXPECT_EQ(sum->outstanding, 0);
  EXPECT_EQ(sum->recovered, 5);
  ASSERT_TRUE(done([&](Work& work) { return close_recall(work, opened->id, who_); }));
  EXPECT_EQ(verdict(items[1]), "recalled");  // closed is not taken back
  EXPECT_EQ(done([&](Work& work) { return close_recall(work, opened->id, who_); }).error().code,
            Code::kConflict);
  EXPECT_FALSE(done([&](Work& work) { return recall(work, opened->id); })->open);
}

TEST_F(RecallTest, OfAListRecallsNoOthers) {
  const auto items = commissioned(3);
  release();
  const auto opened = open({}, {items[0], items[1]});
  ASSERT_TRUE(opened && opened->refused.empty());
  EXPECT_EQ(verdict(items[0]), "recalled");
  EXPECT_EQ(verdict(items[2]), "genuine");
  const auto sum = done([&](Work& work) { return effectiveness(work, opened->id); });
  EXPECT_EQ(sum->items, 2);
  const auto one = done([&](Work& work) { return recall(work, opened->id); });
  EXPECT_EQ(one->items, 2);
  EXPECT_EQ(one->reason, "broken tips");
  // Items of a recalled lot that are listed too are counted once.
  const auto both = open({lot_}, {items[0]});
  ASSERT_TRUE(both);
  EXPECT_EQ(done([&](Work& work) { return effectiveness(work, both->id); })->items, 3);
  EXPECT_EQ(done([&](Work& work) { return recalls(work, 0, 10); })->size(), 2U);
}

TEST_F(RecallTest, WhatIsRefused) {
  const auto items = commissioned(1);
  EXPECT_EQ(open({lot_}, {}, "IV").error().where, "level");
  EXPECT_EQ(open({}, {}).error().code, Code::kOutOfRange);
  EXPECT_EQ(open({99}, {}).error().code, Code::kNotFound);
  const auto refused = open({lot_}, {items[0], "(01)09506000134352(21)NOBODY", items[0], "x"});
  ASSERT_TRUE(refused);
  ASSERT_EQ(refused->refused.size(), 3U);
  EXPECT_EQ(refused->refused[0].why, LifeRefusal::kUnknownItem);
  EXPECT_EQ(refused->refused[1].why, LifeRefusal::kTwice);
  EXPECT_EQ(done([&](Work& work) { return trace::lot(work, lot_); })->recall,
            0);  // nothing was recalled
  ASSERT_TRUE(open({lot_}, {}));
  EXPECT_EQ(open({lot_}, {}).error().code, Code::kConflict);
}

}  // namespace
}  // namespace theriac::trace
