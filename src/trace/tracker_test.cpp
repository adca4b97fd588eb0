#include "trace/tracker.hpp"

#include "trace/limits.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class TrackerTest : public testing_support::Site {
 protected:
  std::optional<Whereabouts> seen(const std::string& text) {
    auto found = done([&](Work& work) -> Result<std::optional<Whereabouts>> {
      Identifier identifier(work);
      THERIAC_ASSIGN(const auto one, identifier.identify(text));
      THERIAC_ASSIGN(const auto row, read_item(work, one->key));
      if (!row) return std::nullopt;
      THERIAC_ASSIGN(auto all, whereabouts(work, identifier, *row));
      return all;
    });
    return found ? *found : std::nullopt;
  }
  ActRequest at_shop(ActRequest one) {
    one.place = shop_;
    return one;
  }
};

TEST_F(TrackerTest, FromNumberToPatient) {
  const auto items = commissioned(3);
  release();
  EXPECT_EQ(refusals(request(Act::kPack, items, sscc(1))), "");
  EXPECT_EQ(refusals(request(Act::kDispense, {items[0]})), "0:IsPacked");
  EXPECT_EQ(refusals(request(Act::kShip, {sscc(1)})), "");
  auto there = seen(items[0]);
  ASSERT_TRUE(there);
  EXPECT_EQ(there->view.place, shop_);
  EXPECT_TRUE(there->view.in_transit);
  EXPECT_EQ(refusals(request(Act::kUnpack, {}, sscc(1))), "0:InTransit 1:InTransit 2:InTransit");
  EXPECT_EQ(refusals(request(Act::kReceive, {sscc(1)})), "0:NotForThisPlace");
  EXPECT_EQ(refusals(at_shop(request(Act::kReceive, {sscc(1)}))), "");
  EXPECT_EQ(refusals(at_shop(request(Act::kUnpack, {items[0], items[1]}, sscc(1)))), "");
  EXPECT_EQ(refusals(at_shop(request(Act::kDispense, {items[0]}))), "");
  EXPECT_EQ(state_of(items[0]), State::kDispensed);
  EXPECT_EQ(refusals(at_shop(request(Act::kDispense, {items[0], items[1], items[2]}))),
            "0:IsDispensed 2:IsPacked");
  EXPECT_EQ(state_of(items[1]), State::kCommissioned);  // all or none
  auto proceed = at_shop(request(Act::kDispense, {items[0], items[1], items[2]}));
  proceed.proceed = true;
  EXPECT_EQ(refusals(proceed), "0:IsDispensed 2:IsPacked");
  EXPECT_EQ(state_of(items[1]), State::kDispensed);
  EXPECT_EQ(refusals(at_shop(request(Act::kUndo, {items[1]}))), "");
  EXPECT_EQ(state_of(items[1]), State::kCommissioned);
}

TEST_F(TrackerTest, EveryFormOfAnIdentifierIsTheSameItem) {
  const auto items = commissioned(1);
  const auto serial = items[0].substr(items[0].rfind('/') + 1);
  const auto gtin = std::string(kGtin);
  for (const auto& form :
       {"urn:epc:id:sgtin:9506000.013435." + serial, "(01)" + gtin + "(21)" + serial,
        "]d201" + gtin + "21" + serial, "https://example.com/x/01/" + gtin + "/21/" + serial,
        "01" + gtin + "21" + serial}) {
    EXPECT_EQ(state_of(form), State::kCommissioned) << form;
  }
  EXPECT_EQ(refusals(request(Act::kSample, {items[0], "(01)" + gtin + "(21)" + serial})),
            "1:Twice");
  EXPECT_EQ(refusals(request(Act::kSample, {"nonsense"})), "0:NotAnIdentifier");
  EXPECT_EQ(refusals(request(Act::kSample, {"(01)09506000134369(21)X"})), "0:UnknownProduct");
  EXPECT_EQ(refusals(request(Act::kSample, {"(01)09506000134352(21)X"})), "0:NeverIssued");
  EXPECT_EQ(refusals(request(Act::kSample, {sscc(5)})), "0:UnknownItem");
}

TEST_F(TrackerTest, NumbersAreUsedForTheirLotAndAtTheirPlace) {
  const auto items = issue(2);
  auto one = request(Act::kCommission, {items[0]});
  one.lot = 0;
  EXPECT_EQ(refusals(one), "0:NoLot");
  one.lot = case_lot_;
  EXPECT_EQ(refusals(one), "0:IssuedForOtherLot");
  EXPECT_EQ(refusals(at_shop(request(Act::kCommission, {items[0]}))), "0:IssuedElsewhere");
  ASSERT_TRUE(done([&](Work& work) { return set_state(work, lot_, LotState::kBlocked, who_); }));
  EXPECT_EQ(refusals(request(Act::kCommission, {items[0]})), "0:LotBlocked");
  release();
  EXPECT_EQ(refusals(request(Act::kCommission, {items[0]})), "");
  EXPECT_EQ(refusals(request(Act::kCommission, {items[0]})), "0:AlreadyCommissioned");
}

TEST_F(TrackerTest, Containers) {
  const auto items = commissioned(12);
  const auto cases = issue(2, true);
  auto make = request(Act::kCommission, cases);
  make.lot = case_lot_;
  EXPECT_EQ(refusals(make), "");
  const std::vector<std::string> ten(items.begin(), items.begin() + 10);
  EXPECT_EQ(refusals(request(Act::kPack, {items[10], cases[1]}, cases[0])), "1:NotPackable");
  EXPECT_EQ(refusals(request(Act::kPack, {ten}, cases[0])), "");
  EXPECT_EQ(refusals(request(Act::kPack, {items[10]}, cases[0])), "0:ContainerFull");
  EXPECT_EQ(refusals(request(Act::kPack, {items[0]}, cases[1])), "0:IsPacked");
  EXPECT_EQ(refusals(request(Act::kPack, {cases[0], items[10]}, sscc(1))),
            "");  // mixed and partial
  EXPECT_EQ(refusals(request(Act::kPack, {items[11]}, cases[0])), "0:ContainerUnfit");
  EXPECT_EQ(refusals(request(Act::kPack, {sscc(1)}, sscc(1))), "0:Cycle");
  EXPECT_EQ(refusals(request(Act::kPack, {sscc(1)}, cases[0])), "0:Cycle");
  EXPECT_EQ(refusals(request(Act::kUnpack, {items[0]}, sscc(1))), "0:OtherContainer");
  EXPECT_EQ(refusals(request(Act::kUnpack, {items[11]}, sscc(1))), "0:NotPacked");
  EXPECT_EQ(refusals(request(Act::kUnpack, {items[11]})), "0:NoContainer");
  EXPECT_EQ(seen(items[0])->containers.size(), 2U);
  EXPECT_EQ(refusals(request(Act::kDecommission, {sscc(1)})), "0:NotEmpty");
  // A container is as what is in it.
  EXPECT_EQ(refusals(request(Act::kShip, {sscc(1)})), "0:NotReleased");
  EXPECT_EQ(refusals(request(Act::kReportStolen, {sscc(1)})), "");
  for (const auto& one : ten) EXPECT_EQ(state_of(one), State::kStolen);
  EXPECT_EQ(state_of(items[11]), State::kCommissioned);
}

TEST_F(TrackerTest, OneLotInAContainerUnlessItIsAllowed) {
  const auto of_one = commissioned(2);
  const auto other = done([&](Work& work) { return add(work, a_lot(product_, "LOT2"), who_); });
  ASSERT_TRUE(other);
  lot_ = *other;
  const auto of_other = commissioned(2);
  const auto box = issue(1, true);
  auto make = request(Act::kCommission, box);
  make.lot = case_lot_;
  EXPECT_EQ(refusals(make), "");
  EXPECT_EQ(refusals(request(Act::kPack, {of_one[0], of_other[0]}, box[0])), "1:MixedLots");
  EXPECT_EQ(refusals(request(Act::kPack, {of_one[0]}, box[0])), "");
  EXPECT_EQ(refusals(request(Act::kPack, {of_other[0]}, box[0])), "0:MixedLots");
  auto changed = *done([&](Work& work) { return product(work, case_); });
  changed.mixed_lots = true;
  ASSERT_TRUE(done([&](Work& work) { return change(work, changed, who_); }));
  EXPECT_EQ(refusals(request(Act::kPack, {of_other[0]}, box[0])), "");
  EXPECT_EQ(refusals(request(Act::kPack, {of_one[1], of_other[1]}, sscc(3))), "");
}

TEST_F(TrackerTest, NestingIsBounded) {
  for (int i = 0; i < kNestingMax; ++i) {
    EXPECT_EQ(refusals(request(Act::kCommission, {sscc(i)})), "") << i;
  }
  for (int i = 0; i + 1 < kNestingMax; ++i) {
    EXPECT_EQ(refusals(request(Act::kPack, {sscc(i)}, sscc(i + 1))), "") << i;
  }
  EXPECT_EQ(refusals(request(Act::kPack, {sscc(kNestingMax - 1)}, sscc(99))), "");
  EXPECT_EQ(refusals(request(Act::kPack, {sscc(99)}, sscc(100))), "0:TooDeep");
}

TEST_F(TrackerTest, PartnersActAtTheirOwnPlaces) {
  auto foreign = request(Act::kReceive, {sscc(1)});
  foreign.who.partner = partner_;
  const auto outcome = done([&](Work& work) { return act(work, foreign); });
  ASSERT_FALSE(outcome);
  EXPECT_EQ(outcome.error().code, Code::kDenied);
  foreign.place = 99;
  EXPECT_EQ(done([&](Work& work) { return act(work, foreign); }).error().code, Code::kNotFound);
}

TEST_F(TrackerTest, ManyAtOnce) {
  const auto items = commissioned(20'000);
  release();
  EXPECT_EQ(refusals(request(Act::kPack, items, sscc(1))), "");
  EXPECT_EQ(refusals(request(Act::kShip, {sscc(1)})), "");
  EXPECT_EQ(seen(items[19'999])->view.place, shop_);
  auto too_many = items;
  while (too_many.size() <= kItemsOfOneCallMax) too_many.push_back(items[0]);
  const auto refused = request(Act::kSample, too_many);
  EXPECT_EQ(done([&](Work& work) { return act(work, refused); }).error().code, Code::kTooLarge);
}

}  // namespace
}  // namespace theriac::trace
