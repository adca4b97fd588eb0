#include "lease/state.hpp"

#include <gtest/gtest.h>

#include "lease/limits.hpp"

namespace theriac::lease {
namespace {

constexpr std::int64_t kWall = 1'800'000'000'000;
constexpr std::int64_t kTtl = 60'000;
constexpr std::int64_t kGraceMs = 900'000;

Keyring ring_of(std::int64_t wall, std::int64_t monotonic, std::uint8_t first_id = 1,
                std::vector<std::string> revoked = {}) {
  Keyring ring;
  ring.issued_wall_ms = wall;
  ring.expires_wall_ms = wall + kTtl;
  ring.expires_monotonic_ms = monotonic + kTtl;
  for (const char* name : {"contact", "strict"}) {
    seal::LeasedKey key;
    key.id.bytes[0] = first_id++;
    key.class_name = name;
    key.version = 1;
    key.active = true;
    ring.keys.push_back(std::move(key));
  }
  ring.revoked = std::move(revoked);
  return ring;
}

class StateTest : public testing::Test {
 protected:
  void grant(std::vector<std::string> revoked = {}) {
    state_.granted(ring_of(clock_.wall_ms(), clock_.monotonic_ms(), 1, std::move(revoked)));
  }
  Code read(std::string_view name = "contact") { return use(name, true); }
  Code write(std::string_view name = "contact") { return use(name, false); }
  /// kUsage stands for "allowed" (LeaseState never says it).
  static constexpr Code kAllowed = Code::kUsage;
  Code use(std::string_view name, bool reading) {
    const auto ring = state_.ring(name, reading, clock_.wall_ms(), clock_.monotonic_ms());
    return ring ? kAllowed : ring.error().code;
  }

  ManualClock clock_{kWall};
  LeaseState state_{{{"contact", 900}, {"strict", 0}}};
};

TEST_F(StateTest, NothingBeforeTheFirstLease) {
  EXPECT_EQ(read(), Code::kLeaseExpired);
  EXPECT_EQ(write(), Code::kLeaseExpired);
  EXPECT_EQ(state_.generation(), 0U);
}

TEST_F(StateTest, HoldsUntilTheEndAndNotLonger) {
  grant();
  EXPECT_EQ(read(), kAllowed);
  EXPECT_EQ(write(), kAllowed);
  clock_.advance_ms(kTtl - 1);
  EXPECT_EQ(write(), kAllowed);
  clock_.advance_ms(1);
  EXPECT_EQ(write(), Code::kLeaseExpired);
  EXPECT_EQ(read(), Code::kLeaseExpired) << "the service was not said to be unreachable";
}

TEST_F(StateTest, EndsByTheWallClockAlone) {
  grant();
  clock_.set_wall_ms(kWall + kTtl);
  EXPECT_EQ(write(), Code::kLeaseExpired);
}

TEST_F(StateTest, EndsByTheMonotonicClockAlone) {
  grant();
  clock_.advance_ms(kTtl);
  clock_.set_wall_ms(kWall);
  EXPECT_EQ(write(), Code::kLeaseExpired);
}

TEST_F(StateTest, ClockSetBackStopsEverything) {
  grant();
  clock_.set_wall_ms(kWall - kClockToleranceMs);
  EXPECT_EQ(read(), kAllowed);
  clock_.set_wall_ms(kWall - kClockToleranceMs - 1);
  EXPECT_EQ(read(), Code::kClockMoved);
  EXPECT_EQ(write(), Code::kClockMoved);
  state_.unreachable();
  clock_.advance_ms(kTtl + 10);
  clock_.set_wall_ms(kWall - kClockToleranceMs - 1);
  EXPECT_EQ(read(), Code::kClockMoved) << "nor does grace survive it";
}

TEST_F(StateTest, GraceIsForReadingWhatAllowsIt) {
  grant();
  state_.unreachable();
  clock_.advance_ms(kTtl);
  EXPECT_TRUE(state_.in_grace(clock_.wall_ms(), clock_.monotonic_ms()));
  EXPECT_EQ(read("contact"), kAllowed);
  EXPECT_EQ(write("contact"), Code::kLeaseExpired);
  EXPECT_EQ(read("strict"), Code::kLeaseExpired);
  clock_.advance_ms(kGraceMs - 1);
  EXPECT_EQ(read("contact"), kAllowed);
  clock_.advance_ms(1);
  EXPECT_EQ(read("contact"), Code::kLeaseExpired);
  EXPECT_FALSE(state_.in_grace(clock_.wall_ms(), clock_.monotonic_ms()));
}

TEST_F(StateTest, NoGraceForWhatWasAnsweredAsRevoked) {
  grant({"contact"});
  EXPECT_EQ(read(), Code::kRevoked);
  state_.unreachable();
  clock_.advance_ms(kTtl + 1);
  EXPECT_EQ(read(), Code::kRevoked);
  EXPECT_EQ(write(), Code::kLeaseExpired);
}

TEST_F(StateTest, RefusalOfTheHolderEndsTheLeaseAtOnce) {
  for (const auto code :
       {Code::kLeaseReplayed, Code::kBadCertificate, Code::kDenied, Code::kRevoked}) {
    grant();
    const auto before = state_.generation();
    state_.refused({code, "x"});
    EXPECT_EQ(read(), code);
    EXPECT_EQ(write(), code);
    EXPECT_GT(state_.generation(), before) << "caches must go";
    state_.unreachable();
    EXPECT_EQ(read(), code) << "silence afterwards brings nothing back";
  }
  grant();
  EXPECT_EQ(read(), kAllowed) << "a new lease does";
}

TEST_F(StateTest, OtherRefusalsLetTheLeaseRunOutWithoutGrace) {
  for (const auto code : {Code::kBusy, Code::kClockMoved, Code::kDiskFull, Code::kInternal}) {
    grant();
    state_.refused({code, "x"});
    EXPECT_EQ(write(), kAllowed);
    clock_.advance_ms(kTtl);
    EXPECT_EQ(read(), Code::kLeaseExpired);
    EXPECT_FALSE(state_.in_grace(clock_.wall_ms(), clock_.monotonic_ms()));
  }
}

TEST_F(StateTest, UnknownClassIsNotAsked) {
  grant();
  EXPECT_EQ(read("other"), Code::kUnknownKey);
}

TEST_F(StateTest, GenerationGrowsWithChangesOnly) {
  grant();
  EXPECT_EQ(state_.generation(), 1U);
  grant();
  EXPECT_EQ(state_.generation(), 1U);
  grant({"contact"});
  EXPECT_EQ(state_.generation(), 2U);
  grant();
  EXPECT_EQ(state_.generation(), 3U);
  state_.granted(ring_of(clock_.wall_ms(), clock_.monotonic_ms(), 7));
  EXPECT_EQ(state_.generation(), 4U);
  auto ring = ring_of(clock_.wall_ms(), clock_.monotonic_ms(), 7);
  ring.keys[0].active = false;
  state_.granted(std::move(ring));
  EXPECT_EQ(state_.generation(), 5U);
  const auto seen = state_.ring("contact", true, clock_.wall_ms(), clock_.monotonic_ms());
  EXPECT_EQ((*seen)->generation, 5U);
}

TEST_F(StateTest, KeysAreForgottenWhenNobodyMayUseThem) {
  grant();
  EXPECT_FALSE(state_.forget_if_over(clock_.wall_ms(), clock_.monotonic_ms()));
  state_.unreachable();
  clock_.advance_ms(kTtl);
  EXPECT_FALSE(state_.forget_if_over(clock_.wall_ms(), clock_.monotonic_ms())) << "grace";
  clock_.advance_ms(kGraceMs);
  EXPECT_TRUE(state_.forget_if_over(clock_.wall_ms(), clock_.monotonic_ms()));
  EXPECT_FALSE(state_.has_ring());
  EXPECT_FALSE(state_.forget_if_over(clock_.wall_ms(), clock_.monotonic_ms())) << "told once";
  EXPECT_EQ(read(), Code::kLeaseExpired);
}

// Every combination of clocks, contact and use against the rule in words.
TEST_F(StateTest, TheRuleExhaustively) {
  for (const std::int64_t wall : {-kClockToleranceMs - 1, std::int64_t{0}, kTtl - 1, kTtl,
                                  kTtl + kGraceMs - 1, kTtl + kGraceMs}) {
    for (const std::int64_t monotonic :
         {std::int64_t{0}, kTtl - 1, kTtl, kTtl + kGraceMs - 1, kTtl + kGraceMs}) {
      for (const bool silent : {false, true}) {
        for (const bool reading : {false, true}) {
          for (const bool graced : {false, true}) {
            LeaseState state({{"contact", 900}, {"strict", 0}});
            state.granted(ring_of(kWall, 0));
            if (silent) state.unreachable();
            const bool moved = wall < -kClockToleranceMs;
            const bool inside = wall < kTtl && monotonic < kTtl;
            const bool grace = silent && reading && graced && wall < kTtl + kGraceMs &&
                               monotonic < kTtl + kGraceMs;
            const auto ring =
                state.ring(graced ? "contact" : "strict", reading, kWall + wall, monotonic);
            EXPECT_EQ(ring.has_value(), !moved && (inside || grace))
                << wall << ' ' << monotonic << ' ' << silent << reading << graced;
          }
        }
      }
    }
  }
}

TEST(Keyring, ActiveIsByClassAndPurpose) {
  auto ring = ring_of(0, 0);
  EXPECT_EQ(ring.active("contact", seal::Purpose::kData)->id.bytes[0], 1);
  EXPECT_EQ(ring.active("contact", seal::Purpose::kIndex), nullptr);
  EXPECT_EQ(ring.active("other", seal::Purpose::kData), nullptr);
  ring.keys[0].active = false;
  EXPECT_EQ(ring.active("contact", seal::Purpose::kData), nullptr);
}

}  // namespace
}  // namespace theriac::lease
