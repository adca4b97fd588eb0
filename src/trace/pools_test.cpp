#include "trace/pools.hpp"

#include <set>

#include "trace/reconciliation.hpp"
#include "trace/test_site.hpp"

namespace theriac::trace {
namespace {

class PoolsTest : public testing_support::Site {
 protected:
  std::vector<std::string> drawn(std::int64_t count) {
    auto all = done([&](Work& work) -> Result<std::vector<std::string>> {
      THERIAC_ASSIGN(last_allocation_, allocate(work, pool_, count, lot_, plant_, who_));
      return numbers_of(work, last_allocation_);
    });
    EXPECT_TRUE(all);
    return *all;
  }
  std::string refused(const NumberRule& rule) {
    const auto made = done([&](Work& work) { return make_pool(work, product_, rule, who_); });
    return made ? "made" : made.error().where;
  }
  Reconciliation sum() {
    return *done([&](Work& work) { return reconcile(work, lot_); });
  }
};

TEST_F(PoolsTest, NumbersAreIssuedOnce) {
  const auto first = drawn(500), second = drawn(500);
  std::set<std::string> all(first.begin(), first.end());
  all.insert(second.begin(), second.end());
  EXPECT_EQ(all.size(), 1000U);
  EXPECT_EQ(done([&](Work& work) { return pool(work, pool_); })->issued, 1000);
  EXPECT_EQ(last_allocation_.first, 500);
  // And found again, with the allocation they are of.
  const auto found = done([&](Work& work) -> Result<std::optional<Origin>> {
    Origins origins(work, product_);
    for (const auto& serial : first) {
      THERIAC_ASSIGN(const auto origin, origins.find(serial));
      EXPECT_TRUE(origin && origin->allocation.first == 0) << serial;
    }
    THERIAC_ASSIGN(const auto none, origins.find("AAAAAAAAAAAA"));
    EXPECT_FALSE(none);
    return origins.find(second[7]);
  });
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->allocation.id, last_allocation_.id);
  EXPECT_FALSE((*found)->returned);
}

TEST_F(PoolsTest, FormsThatCouldMeetAreRefused) {
  const auto rule = [](int length, std::string prefix) {
    return NumberRule{length, std::string(kDigits), std::move(prefix), "", 1000};
  };
  EXPECT_EQ(refused(rule(12, "")), "another pool of the product has numbers of this form");
  EXPECT_EQ(refused(rule(12, "A")), "another pool of the product has numbers of this form");
  EXPECT_EQ(refused(rule(13, "A")), "made");
  EXPECT_EQ(refused(rule(13, "AB")), "another pool of the product has numbers of this form");
  EXPECT_EQ(refused(rule(13, "B")), "made");
  EXPECT_EQ(refused(rule(13, "")), "another pool of the product has numbers of this form");
  auto full = rule(14, "");
  full.capacity = 10'000'000'001;
  EXPECT_EQ(refused(full), "density");
}

TEST_F(PoolsTest, PoolsEnd) {
  const NumberRule few{14, std::string(kDigits), "", "", 10};
  const auto small = done([&](Work& work) { return make_pool(work, product_, few, who_); });
  ASSERT_TRUE(small);
  const auto take = [&](std::int64_t pool, std::int64_t count, std::int64_t lot) {
    const auto got =
        done([&](Work& work) { return allocate(work, pool, count, lot, plant_, who_); });
    return got ? "issued" : std::string(info_of(got.error().code).name);
  };
  EXPECT_EQ(take(*small, 11, lot_), "KeyExhausted");
  EXPECT_EQ(take(*small, 10, lot_), "issued");
  EXPECT_EQ(take(*small, 1, lot_), "KeyExhausted");
  EXPECT_EQ(take(pool_, 0, lot_), "OutOfRange");
  EXPECT_EQ(take(pool_, 100'001, lot_), "TooLarge");
  EXPECT_EQ(take(pool_, 1, case_lot_), "Conflict");
  EXPECT_EQ(take(pool_, 1, 99), "NotFound");
  EXPECT_EQ(take(99, 1, lot_), "NotFound");
  ASSERT_TRUE(done([&](Work& work) { return close_pool(work, pool_, who_); }));
  EXPECT_EQ(take(pool_, 1, lot_), "Conflict");
}

TEST_F(PoolsTest, UnusedNumbersComeBackOnce) {
  const auto serials = drawn(10);
  const auto give_back = [&](std::vector<std::string> some) {
    const auto refused =
        done([&](Work& work) { return return_unused(work, last_allocation_.id, some, who_); });
    std::string out;
    for (const auto& one : *refused)
      out += std::to_string(one.at) + ":" + std::string(info_of(one.code).name) + " ";
    return out;
  };
  EXPECT_EQ(refusals(request(Act::kCommission, {link(serials[0])})), "");
  EXPECT_EQ(give_back({serials[1], serials[0]}), "1:Conflict ");
  EXPECT_EQ(give_back({serials[1], "AAAAAAAAAAAA", serials[1]}), "1:NotFound 2:AlreadyExists ");
  EXPECT_EQ(give_back({serials[1], serials[2]}), "");
  EXPECT_EQ(give_back({serials[2]}), "0:Conflict ");
  EXPECT_EQ(refusals(request(Act::kCommission, {link(serials[1]), link(serials[3])})),
            "0:NumberReturned");
  const auto got = sum();
  EXPECT_EQ(got.issued, 10);
  EXPECT_EQ(got[Fate::kReturned], 2);
  EXPECT_EQ(got[Fate::kCommissioned], 1);
  EXPECT_EQ(got[Fate::kUnused], 7);
  EXPECT_TRUE(got.adds_up());
}

TEST_F(PoolsTest, ListsOfOthersAreSealedOnArrival) {
  const auto own = drawn(1);
  std::vector<std::string> list{"FOREIGN-0001", "FOREIGN-0002", "FOREIGN-0002",
                                "not a serial", own[0],         "FOREIGN-0003"};
  const auto bring = [&](bool proceed) {
    return *done(
        [&](Work& work) { return bring_list(work, product_, list, lot_, plant_, proceed, who_); });
  };
  const auto refused = bring(false);
  EXPECT_EQ(refused.taken, 0);
  ASSERT_EQ(refused.refused.size(), 3U);
  EXPECT_EQ(refused.refused[0].code, Code::kAlreadyExists);
  EXPECT_EQ(refused.refused[1].code, Code::kMalformed);
  EXPECT_EQ(refused.refused[2].code, Code::kConflict);
  EXPECT_EQ(sum().issued, 1);
  const auto taken = bring(true);
  EXPECT_EQ(taken.taken, 3);
  EXPECT_EQ(sum().issued, 4);
  EXPECT_EQ(bring(true).taken, 0);  // all there already
  EXPECT_EQ(refusals(request(Act::kCommission, {link("FOREIGN-0001"), link("FOREIGN-0003")})), "");
  EXPECT_EQ(refusals(request(Act::kCommission, {link("FOREIGN-0004")})), "0:NeverIssued");
  last_allocation_.id = taken.allocation;
  EXPECT_TRUE(done([&](Work& work) {
                return return_unused(work, taken.allocation,
                                     std::vector<std::string>{"FOREIGN-0002"}, who_);
              })->empty());
  const auto got = sum();
  EXPECT_EQ(got[Fate::kReturned], 1);
  EXPECT_EQ(got[Fate::kCommissioned], 2);
  EXPECT_EQ(got[Fate::kUnused], 1);
  EXPECT_TRUE(got.adds_up());
  const auto all = stored();
  EXPECT_EQ(all.find("FOREIGN"), std::string::npos);
  EXPECT_EQ(all.find(own[0]), std::string::npos);
}

TEST_F(PoolsTest, ALotAddsUp) {
  auto links = issue(100);
  const auto some = [&](std::size_t from, std::size_t count) {
    return std::vector<std::string>(links.begin() + static_cast<std::ptrdiff_t>(from),
                                    links.begin() + static_cast<std::ptrdiff_t>(from + count));
  };
  EXPECT_EQ(refusals(request(Act::kEncode, some(0, 95))), "");
  EXPECT_EQ(refusals(request(Act::kCommission, some(0, 90))), "");
  EXPECT_EQ(refusals(request(Act::kDecommission, some(90, 3))), "");  // misprints
  EXPECT_EQ(refusals(request(Act::kDestroy, some(93, 1))), "");
  EXPECT_EQ(refusals(request(Act::kSample, some(0, 5))), "");
  EXPECT_EQ(refusals(request(Act::kDestroy, some(5, 2))), "");
  EXPECT_EQ(refusals(request(Act::kDecommission, some(7, 4))), "");
  const auto got = sum();
  EXPECT_EQ(got.issued, 100);
  EXPECT_EQ(got[Fate::kSampled], 5);
  EXPECT_EQ(got[Fate::kDestroyed], 2);
  EXPECT_EQ(got[Fate::kRejected], 4);
  EXPECT_EQ(got[Fate::kCommissioned], 83);
  EXPECT_EQ(got[Fate::kUnused], 6);
  EXPECT_TRUE(got.adds_up());
}

}  // namespace
}  // namespace theriac::trace
