#include "trace/reconciliation.hpp"

#include <rapidcheck.h>

#include "trace/number_rule.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class ReconciliationTest : public testing_support::Site {
 protected:
  Reconciliation sum() {
    const auto made = done([&](Work& work) { return reconcile(work, lot_); });
    EXPECT_TRUE(made) << (made ? "" : made.error().message());
    return made.value_or(Reconciliation{});
  }
  static std::string serial_of(const std::string& link) { return link.substr(link.rfind('/') + 1); }
};

/// What a number of the lot is, said without the code under test.
struct Model {
  bool returned = false, made = false;
  State state = State::kAllocated;
  std::optional<State> before;  ///< undo leads there
  [[nodiscard]] Fate fate() const {
    if (returned) return Fate::kReturned;
    if (state == State::kAllocated || state == State::kEncoded) return Fate::kUnused;
    if (!made) return Fate::kRejected;
    if (state == State::kSampled) return Fate::kSampled;
    return state == State::kDestroyed ? Fate::kDestroyed : Fate::kCommissioned;
  }
};

constexpr std::array kTried{Act::kEncode,       Act::kCommission, Act::kSample,  Act::kDispense,
                            Act::kReturn,       Act::kRestock,    Act::kDestroy, Act::kDecommission,
                            Act::kReportStolen, Act::kUndo};

// Whatever is done in whatever order, each number is counted once, as what it is.
TEST_F(ReconciliationTest, EveryNumberIsCountedOnceWhateverIsDone) {
  release();
  EXPECT_TRUE(rc::check([&] {
    const auto before = sum();
    const auto links = issue(*rc::gen::inRange(1, 12));
    std::vector<Model> models(links.size());
    const auto steps = *rc::gen::inRange(1, 40);
    for (int i = 0; i < steps; ++i) {
      const auto at = *rc::gen::inRange<std::size_t>(0, links.size());
      auto& model = models[at];
      if (*rc::gen::inRange(0, 8) == 0) {
        const auto refused = done([&](Work& work) {
          return return_unused(work, last_allocation_.id,
                               std::vector<std::string>{serial_of(links[at])}, who_);
        });
        RC_ASSERT(refused.has_value());
        const bool could = !model.returned && model.state == State::kAllocated;
        RC_ASSERT(refused->empty() == could);
        model.returned = model.returned || could;
        continue;
      }
      const auto act = kTried[*rc::gen::inRange<std::size_t>(0, kTried.size())];
      const auto was = state_of(links[at]);
      if (refusals(request(act, {links[at]})) != "") continue;
      RC_ASSERT(!model.returned);
      RC_ASSERT(was == model.state);
      model.state = state_of(links[at]);
      model.made = model.made || act == Act::kCommission;
    }
    const auto after = sum();
    RC_ASSERT(after.adds_up());
    auto expected = before;
    expected.issued += static_cast<std::int64_t>(links.size());
    for (const auto& model : models) ++expected[model.fate()];
    RC_ASSERT(after.issued == expected.issued);
    RC_ASSERT(after.counts == expected.counts);
  }));
}

TEST_F(ReconciliationTest, WhatComesBackUnusedIsNeverBorne) {
  const auto links = issue(2);
  // Taken out of use before it was printed, and that taken back: as it was.
  EXPECT_EQ(refusals(request(Act::kDecommission, {links[0]})), "");
  EXPECT_EQ(sum()[Fate::kRejected], 1);
  EXPECT_EQ(refusals(request(Act::kUndo, {links[0]})), "");
  EXPECT_TRUE(done([&](Work& work) {
                return return_unused(work, last_allocation_.id,
                                     std::vector<std::string>{serial_of(links[0])}, who_);
              })->empty());
  EXPECT_EQ(refusals(request(Act::kCommission, {links[0]})), "0:NumberReturned");
  EXPECT_TRUE(sum().adds_up());
  EXPECT_EQ(sum()[Fate::kReturned], 1);
  EXPECT_EQ(sum()[Fate::kUnused], 1);
}

TEST_F(ReconciliationTest, WhatWasNeverMadeIsRejectedHoweverItEnds) {
  const auto links = issue(3);
  EXPECT_EQ(refusals(request(Act::kEncode, links)), "");
  EXPECT_EQ(refusals(request(Act::kDecommission, links)), "");
  EXPECT_EQ(refusals(request(Act::kDestroy, {links[0]})), "");
  EXPECT_EQ(sum()[Fate::kRejected], 3);
  EXPECT_EQ(sum()[Fate::kDestroyed], 0);
}

TEST_F(ReconciliationTest, WhatDoesNotBalanceIsNamed) {
  commissioned(5);
  issue(2);
  Counted counted{};
  EXPECT_TRUE(compare(sum(), counted).empty());
  counted[static_cast<std::size_t>(Fate::kCommissioned)] = 5;
  EXPECT_TRUE(compare(sum(), counted).empty());
  counted[static_cast<std::size_t>(Fate::kCommissioned)] = 4;
  counted[static_cast<std::size_t>(Fate::kUnused)] = 3;
  EXPECT_EQ(compare(sum(), counted),
            (std::vector<Difference>{{Fate::kCommissioned, 5, 4}, {Fate::kUnused, 2, 3}}));
  Reconciliation broken = sum();
  ++broken.issued;
  EXPECT_FALSE(broken.adds_up());
  EXPECT_EQ(name_of(Fate::kRejected), "rejected");
}

}  // namespace
}  // namespace theriac::trace
