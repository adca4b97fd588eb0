#include "trace/verification.hpp"

#include "trace/limits.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class VerificationTest : public testing_support::Site {
 protected:
  Sightings sightings_;
  Verified ask(const std::string& scan, PlaceKey place = kNowhere) {
    now_ms_ += 1000;
    const auto made =
        done([&](Work& work) { return verify(work, scan, {place, now_ms_}, sightings_); });
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return made ? *made : Verified{};
  }
  std::string told(const std::string& scan, PlaceKey place = kNowhere) {
    const auto made = ask(scan, place);
    return std::string(name_of(made.verdict)) + (made.reason == Reason::kNone ? "" : ":") +
           std::string(name_of(made.reason));
  }
  static std::string serial_of(const std::string& link) { return link.substr(link.rfind('/') + 1); }
  std::string scanned(const std::string& link, const char* lot = "LOT1A",
                      const char* expires = "271001") {
    return "(01)" + std::string(kGtin) + "(21)" + serial_of(link) + "(10)" + lot + "(17)" + expires;
  }
};

TEST_F(VerificationTest, GenuineFromEveryForm) {
  const auto items = commissioned(1);
  EXPECT_EQ(told(items[0]), "wrong-state:not-released");
  release();
  EXPECT_EQ(told(items[0]), "genuine");
  EXPECT_EQ(told(scanned(items[0])), "genuine");
  EXPECT_EQ(
      told("]d201" + std::string(kGtin) + "17271001" + "10LOT1A\x1d" + "21" + serial_of(items[0])),
      "genuine");
  EXPECT_EQ(told("urn:epc:id:sgtin:9506000.013435." + serial_of(items[0])), "genuine");
  EXPECT_EQ(ask(items[0]).lot, lot_);
}

TEST_F(VerificationTest, WhatNobodyMade) {
  EXPECT_EQ(told("hello"), "unknown:not-a-code");
  EXPECT_EQ(told("(01)09506000134369(21)1"), "unknown:unknown-product");
  EXPECT_EQ(told("(01)09506000134352(21)AAAAAAAAAAAA"), "unknown:never-issued");
  EXPECT_EQ(told(sscc(3)), "unknown:never-issued");
  const auto issued = issue(1);
  EXPECT_EQ(told(issued[0]), "suspicious:never-made");
  EXPECT_TRUE(ask(issued[0]).alarming());
}

TEST_F(VerificationTest, StatesExpiryAndRecall) {
  const auto items = commissioned(4);
  release();
  EXPECT_EQ(refusals(request(Act::kSample, {items[0]})), "");
  EXPECT_EQ(refusals(request(Act::kReportStolen, {items[1]})), "");
  EXPECT_EQ(refusals(request(Act::kDecommission, {items[2]})), "");
  EXPECT_EQ(told(items[0]), "wrong-state:state");
  EXPECT_EQ(ask(items[0]).state, State::kSampled);
  EXPECT_TRUE(ask(items[1]).alarming());
  EXPECT_EQ(told(items[2]), "wrong-state:state");
  EXPECT_EQ(told(items[3]), "genuine");
  // A decommissioned pack is one for every client at once.
  EXPECT_EQ(refusals(request(Act::kDecommission, {items[3]})), "");
  EXPECT_EQ(told(items[3], shop_), "wrong-state:state");
  const auto late = commissioned(1);
  now_ms_ += 4000 * testing_support::kDay;
  EXPECT_EQ(told(late[0]), "expired");
}

TEST_F(VerificationTest, CopiesAreGivenAway) {
  const auto items = commissioned(3);
  release();
  EXPECT_EQ(told(scanned(items[0], "LOT1B")), "suspicious:data-differ");
  EXPECT_EQ(told(scanned(items[0], "LOT1A", "281001")), "suspicious:data-differ");
  EXPECT_EQ(told(items[0], plant_), "genuine");
  EXPECT_EQ(told(items[0], plant_), "genuine");
  EXPECT_EQ(told(items[0], shop_), "suspicious:two-places");
  EXPECT_EQ(ask(items[0], plant_).other_place, shop_);
  now_ms_ += kTravelMs;
  EXPECT_EQ(told(items[0], shop_), "genuine");
  EXPECT_EQ(refusals(request(Act::kDispense, {items[1]})), "");
  EXPECT_EQ(told(items[1], plant_), "wrong-state:state");
  EXPECT_EQ(told(items[1], shop_), "suspicious:dispensed-twice");
}

TEST_F(VerificationTest, ScansAreFoundBeforeAndAfterTheyAreWritten) {
  const auto items = commissioned(2);
  release();
  const auto write = [&] { return done([&](Work& work) { return sightings_.write(work); }); };
  EXPECT_FALSE(sightings_.waiting());
  EXPECT_EQ(told(items[0]), "genuine");
  EXPECT_FALSE(sightings_.waiting());  // nobody said where
  EXPECT_EQ(told(items[0], plant_), "genuine");
  EXPECT_TRUE(sightings_.waiting());
  EXPECT_TRUE(write());
  EXPECT_TRUE(sightings_.waiting());  // its commit may have failed
  EXPECT_EQ(told(items[1], plant_), "genuine");
  EXPECT_TRUE(write());
  sightings_.written();
  EXPECT_FALSE(sightings_.waiting());
  EXPECT_EQ(told(items[0], shop_), "suspicious:two-places");
  EXPECT_TRUE(write());
  sightings_.written();
  // Another program finds them in the store.
  Sightings others;
  const auto found =
      done([&](Work& work) { return verify(work, items[0], {plant_, now_ms_}, others); });
  EXPECT_EQ(found->other_place, shop_);
}

TEST_F(VerificationTest, OnlySoManyScansWait) {
  Sightings sightings;
  const auto note = [&](std::uint64_t number) {
    ItemKey key{};
    store_be(key.data(), number);
    return *done([&](Work& work) { return sightings.note(work, key, {plant_, now_ms_}); });
  };
  ASSERT_TRUE(done([&](Work& work) -> Status {
    for (std::uint64_t i = 0; i < kSightingsMax; ++i) {
      ItemKey key{};
      store_be(key.data(), i);
      THERIAC_TRY(sightings.note(work, key, {plant_, now_ms_}));
    }
    return {};
  }));
  EXPECT_TRUE(note(kSightingsMax - 1));
  EXPECT_FALSE(note(kSightingsMax));
  EXPECT_FALSE(note(kSightingsMax));  // it was one too many
  EXPECT_TRUE(done([&](Work& work) { return sightings.write(work); }));
  EXPECT_FALSE(note(kSightingsMax));
  EXPECT_FALSE(note(kSightingsMax));  // it may not be durable yet
  sightings.written();
  EXPECT_FALSE(note(kSightingsMax));
  EXPECT_TRUE(note(kSightingsMax));
}

TEST_F(VerificationTest, GuessersAreStopped) {
  Guesses guesses(3, 2);
  Verified unknown, genuine;
  genuine.verdict = Verdict::kGenuine;
  const std::int64_t now = 1'000'000'000;
  EXPECT_FALSE(guesses.note("a", unknown, now));
  EXPECT_FALSE(guesses.note("a", genuine, now));
  EXPECT_FALSE(guesses.note("a", unknown, now));
  EXPECT_TRUE(guesses.may_ask("a", now));
  EXPECT_TRUE(guesses.note("a", unknown, now));  // the alarm
  EXPECT_FALSE(guesses.may_ask("a", now));
  EXPECT_FALSE(guesses.note("a", unknown, now));
  EXPECT_TRUE(guesses.may_ask("b", now));
  EXPECT_FALSE(guesses.may_ask("a", now + kGuessWindowMs - 1));
  EXPECT_TRUE(guesses.may_ask("a", now + kGuessWindowMs));
  EXPECT_FALSE(guesses.note("b", unknown, now));
  EXPECT_FALSE(guesses.note("c", unknown, now));  // one too many to remember: no crash, no growth
  EXPECT_TRUE(guesses.may_ask("c", now));
}

}  // namespace
}  // namespace theriac::trace
