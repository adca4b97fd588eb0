#include "trace/recall_search.hpp"

#include "trace/effectiveness.hpp"
#include "trace/test_site.hpp"
#include "trace/visits.hpp"

namespace theriac::trace {
namespace {

class RecallSearchTest : public testing_support::Site {
 protected:
  RecallSearchTest() {
    const auto made = done([&](Work& work) -> Status {
      THERIAC_ASSIGN(other_partner_,
                     add(work, Partner{0, "Clinic", "9506000140056", "hospital", {}}, who_));
      THERIAC_ASSIGN(clinic_,
                     add(work, Place{0, "9506000140056", "", "Clinic", other_partner_, 7}, who_));
      auto second = a_lot(product_, "LOT2B");
      second.expires = "2028-10-01";
      THERIAC_ASSIGN(second_, add(work, second, who_));
      return {};
    });
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    who_.reason = "broken tips";
  }
  RecallSearch of_product() {
    RecallSearch search;
    search.product = product_;
    return search;
  }
  Result<RecallFindings> found(const RecallSearch& search) {
    return done([&](Work& work) { return find_for_recall(work, search); });
  }
  std::int64_t count(const RecallSearch& search) {
    const auto made = found(search);
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return made ? made->items : -1;
  }
  std::int64_t received_by(std::int64_t partner) {
    auto search = of_product();
    search.received_by = partner;
    return count(search);
  }
  void move(const std::vector<std::string>& what, PlaceKey from, PlaceKey to) {
    auto ship = request(Act::kShip, what);
    ship.place = from;
    ship.to = to;
    EXPECT_EQ(refusals(ship), "");
    auto receive = request(Act::kReceive, what);
    receive.place = to;
    EXPECT_EQ(refusals(receive), "");
  }
  ActRequest at(PlaceKey place, ActRequest one) {
    one.place = place;
    return one;
  }
  std::int64_t other_partner_ = 0, clinic_ = 0, second_ = 0;
};

TEST_F(RecallSearchTest, WholeLotsByExpiry) {
  commissioned(3);
  issue(2);  // not made: nothing to recall
  EXPECT_EQ(count(of_product()), 3);
  EXPECT_EQ(found(of_product())->lots.size(), 2U);
  auto search = of_product();
  search.expires_until = "2027-10-01";
  ASSERT_EQ(found(search)->lots.size(), 1U);
  EXPECT_EQ(found(search)->lots[0].lot, lot_);
  search.expires_until = "2027-09-30";
  EXPECT_TRUE(found(search)->lots.empty());
  search.expires_until.clear();
  search.expires_from = "2027-10-02";
  ASSERT_EQ(found(search)->lots.size(), 1U);
  EXPECT_EQ(found(search)->lots[0].lot, second_);
  search.lots = {lot_};
  EXPECT_TRUE(found(search)->lots.empty());
  search.expires_from.clear();
  const auto opened = done([&](Work& work) { return open_recall(work, "II", search, 3, who_); });
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(done([&](Work& work) { return lot(work, lot_); })->recall, *opened);
  EXPECT_EQ(done([&](Work& work) { return lot(work, second_); })->recall, 0);
  const auto one = done([&](Work& work) { return recall(work, *opened); });
  EXPECT_EQ(one->lots, std::vector<std::int64_t>{lot_});
  EXPECT_EQ(one->search.at("lots")[0], lot_);
  EXPECT_EQ(count(of_product()), 0);  // recalled already
}

TEST_F(RecallSearchTest, WhatAPartnerReceivedInWhateverItWas) {
  const auto items = commissioned(8);
  release();
  const std::vector<std::string> first(items.begin(), items.begin() + 3);
  const std::vector<std::string> second(items.begin() + 3, items.begin() + 5);
  EXPECT_EQ(refusals(request(Act::kPack, first, sscc(1))), "");
  EXPECT_EQ(refusals(request(Act::kPack, second, sscc(2))), "");
  EXPECT_EQ(refusals(request(Act::kPack, {sscc(1), sscc(2)}, sscc(9))), "");
  EXPECT_EQ(received_by(partner_), 0);
  move({sscc(9)}, plant_, shop_);
  EXPECT_EQ(received_by(partner_), 5);
  EXPECT_EQ(received_by(other_partner_), 0);
  // One case goes on to the clinic, with what is added to it at the shop.
  EXPECT_EQ(refusals(at(shop_, request(Act::kUnpack, {sscc(1)}, sscc(9)))), "");
  move({items[5]}, plant_, shop_);
  EXPECT_EQ(refusals(at(shop_, request(Act::kPack, {items[5]}, sscc(1)))), "");
  move({sscc(1)}, shop_, clinic_);
  EXPECT_EQ(received_by(partner_), 6);
  EXPECT_EQ(received_by(other_partner_), 4);
  // Out of its containers at the clinic each still knows where it was.
  EXPECT_EQ(refusals(at(clinic_, request(Act::kUnpack, {}, sscc(1)))), "");
  EXPECT_EQ(refusals(at(clinic_, request(Act::kDispense, {items[0]}))), "");
  EXPECT_EQ(received_by(partner_), 6);
  EXPECT_EQ(received_by(other_partner_), 4);
  // The empty case, used again, says nothing of what comes into it now.
  auto back = at(clinic_, request(Act::kShip, {sscc(1)}));
  back.to = plant_;
  EXPECT_EQ(refusals(back), "");
  EXPECT_EQ(refusals(request(Act::kReceive, {sscc(1)})), "");
  EXPECT_EQ(refusals(request(Act::kPack, {items[6], items[7]}, sscc(1))), "");
  EXPECT_EQ(received_by(partner_), 6);
  EXPECT_EQ(received_by(other_partner_), 4);

  auto search = of_product();
  search.place = clinic_;
  EXPECT_EQ(count(search), 4);
  search.place = shop_;
  EXPECT_EQ(count(search), 2);
  search.received_by = other_partner_;
  EXPECT_EQ(count(search), 0);
}

TEST_F(RecallSearchTest, LeavingTheInnerContainerFirstLosesNothing) {
  const auto items = commissioned(2);
  release();
  EXPECT_EQ(refusals(request(Act::kPack, items, sscc(1))), "");
  EXPECT_EQ(refusals(request(Act::kPack, {sscc(1)}, sscc(9))), "");
  move({sscc(9)}, plant_, shop_);
  EXPECT_EQ(refusals(at(shop_, request(Act::kUnpack, {items[0]}, sscc(1)))), "");
  EXPECT_EQ(refusals(at(shop_, request(Act::kUnpack, {items[1]}, sscc(1)))), "");
  EXPECT_EQ(received_by(partner_), 2);
  EXPECT_EQ(refusals(at(shop_, request(Act::kUnpack, {sscc(1)}, sscc(9)))), "");
  EXPECT_EQ(received_by(partner_), 2);
}

TEST_F(RecallSearchTest, OfItemsByPlaceAndTime) {
  const auto early = commissioned(2);
  const auto between = now_ms_ + 500;
  const auto late = commissioned(3);
  release();
  auto search = of_product();
  search.made_until_ms = between;
  EXPECT_EQ(count(search), 2);
  search.made_until_ms.reset();
  search.made_from_ms = between;
  EXPECT_EQ(count(search), 3);
  search.place = plant_;
  EXPECT_EQ(count(search), 3);
  const auto tried = [&](std::int64_t expected) {
    return done([&](Work& work) { return open_recall(work, "I", search, expected, who_); });
  };
  EXPECT_EQ(tried(2).error().code, Code::kConflict);  // one more was made since the preview
  const auto opened = tried(3);
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(done([&](Work& work) { return recall(work, *opened); })->items, 3);
  EXPECT_EQ(done([&](Work& work) { return lot(work, lot_); })->recall, 0);
  const auto sum = done([&](Work& work) { return effectiveness(work, *opened); });
  EXPECT_EQ(sum->items, 3);
  EXPECT_EQ((*sum)[Recalled::kInStock], 3);
  EXPECT_EQ(refusals(request(Act::kShip, {late[0]})), "0:IsRecalled");
  EXPECT_EQ(refusals(request(Act::kShip, {early[0]})), "");
}

TEST_F(RecallSearchTest, WhatIsRefused) {
  const auto code = [&](auto change) {
    auto search = of_product();
    change(search);
    return found(search).error().code;
  };
  EXPECT_EQ(code([](RecallSearch& one) { one.product = 99; }), Code::kNotFound);
  EXPECT_EQ(code([](RecallSearch& one) { one.lots = {99}; }), Code::kNotFound);
  EXPECT_EQ(code([&](RecallSearch& one) { one.lots = {case_lot_}; }), Code::kConflict);
  EXPECT_EQ(code([](RecallSearch& one) { one.place = 99; }), Code::kNotFound);
  EXPECT_EQ(code([](RecallSearch& one) { one.received_by = 99; }), Code::kNotFound);
  EXPECT_EQ(code([](RecallSearch& one) { one.expires_from = "2027-13-01"; }), Code::kMalformed);
  EXPECT_EQ(code([](RecallSearch& one) { one.expires_until = "soon"; }), Code::kMalformed);
  auto search = of_product();
  search.received_by = partner_;
  EXPECT_EQ(done([&](Work& work) { return open_recall(work, "I", search, 0, who_); }).error().code,
            Code::kOutOfRange);
}

TEST_F(RecallSearchTest, WhoIsToldAndWhatTheyAnswer) {
  const auto items = commissioned(4);
  release();
  move({items[0], items[1]}, plant_, shop_);
  move({items[1]}, shop_, clinic_);
  EXPECT_EQ(refusals(at(shop_, request(Act::kReportStolen, {items[0]}))), "");
  const std::vector<std::int64_t> lots{lot_};
  const auto opened = *done([&](Work& work) { return open_recall(work, "I", lots, {}, who_); });
  const auto effect = [&] {
    return *done([&](Work& work) { return effectiveness(work, opened.id); });
  };
  auto sum = effect();
  ASSERT_EQ(sum.partners.size(), 2U);
  EXPECT_EQ(sum.partners[0].partner, partner_);  // had one, and lost one
  EXPECT_EQ(sum.partners[0].told_ms, 0);
  EXPECT_EQ(sum.partners[1].partner, other_partner_);
  EXPECT_EQ(sum[Recalled::kNotFound], 1);
  EXPECT_EQ(sum[Recalled::kInStock], 3);
  EXPECT_EQ(sum.outstanding, 2);

  EXPECT_EQ(
      done([&](Work& work) { return note_answer(work, opened.id, partner_, 1, "searched", who_); })
          .error()
          .code,
      Code::kNotFound);
  ASSERT_TRUE(
      done([&](Work& work) { return note_told(work, opened.id, partner_, "telephone", who_); }));
  EXPECT_TRUE(*done([&](Work& work) { return was_told(work, opened.id, partner_); }));
  EXPECT_FALSE(*done([&](Work& work) { return was_told(work, opened.id, other_partner_); }));
  EXPECT_EQ(done([&](Work& work) { return recalls(work, 0, 10, partner_); })->size(), 1U);
  EXPECT_TRUE(done([&](Work& work) { return recalls(work, 0, 10, other_partner_); })->empty());
  now_ms_ += 1000;
  ASSERT_TRUE(done(
      [&](Work& work) { return note_answer(work, opened.id, partner_, 1, "searched", who_); }));
  sum = effect();
  ASSERT_EQ(sum.partners.size(), 2U);
  EXPECT_EQ(sum.partners[0].how, "telephone");
  EXPECT_EQ(sum.partners[0].answered_ms, now_ms_);
  EXPECT_EQ(sum.partners[0].missing, 1);
  EXPECT_EQ(sum.partners[0].answer, "searched");
  const auto code = [&](std::int64_t recall, std::int64_t partner, std::string_view how) {
    return done([&](Work& work) { return note_told(work, recall, partner, how, who_); })
        .error()
        .code;
  };
  EXPECT_EQ(code(opened.id, partner_, ""), Code::kMalformed);
  EXPECT_EQ(code(99, partner_, "letter"), Code::kNotFound);
  EXPECT_EQ(code(opened.id, 99, "letter"), Code::kNotFound);
}

}  // namespace
}  // namespace theriac::trace
