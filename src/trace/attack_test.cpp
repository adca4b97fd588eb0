#include "trace/attack.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <unordered_set>

#include "crypto/random.hpp"
#include "trace/attack_strategies.hpp"
#include "trace/numbers.hpp"
#include "trace/test_support.hpp"

namespace theriac::trace {
namespace {

const NumberRule kRule{12, std::string(kDigits), "", "", 1'000'000};

const AttackResult& result_of(const AttackReport& report, Strategy strategy) {
  return *std::ranges::find(report.results, strategy, &AttackResult::strategy);
}

/// Issues `issued` numbers, leaks `leaked` of them from `from` on, attacks.
AttackReport attack_on(const std::function<std::string(std::uint64_t)>& number,
                       std::size_t leaked = 100, const NumberRule& rule = kRule,
                       std::uint64_t issued = 20'000) {
  std::unordered_set<std::string> all;
  std::vector<std::string> known;
  for (std::uint64_t i = 0; i < issued; ++i) {
    auto serial = number(i);
    if (i >= 5000 && known.size() < leaked) known.push_back(serial);
    all.insert(std::move(serial));
  }
  crypto::SystemRandom random;
  return attack(
      rule, known, all.size(),
      [&](std::string_view guess) { return all.contains(std::string(guess)); }, 3000, random);
}

TEST(Attack, FindsNothingInOurNumbers) {
  auto numbers = Numbers::make(kRule, testing_support::index_key(), testing_support::tenant(),
                               testing_support::pool());
  ASSERT_TRUE(numbers);
  std::vector<std::string> drawn;
  ASSERT_TRUE(numbers->draw(0, 20'000, drawn));
  const auto report = attack_on([&](std::uint64_t i) { return drawn[i]; });
  EXPECT_TRUE(report.holds());
  EXPECT_EQ(report.results.size(), kStrategies);
  EXPECT_DOUBLE_EQ(report.density, 2e-8);
  for (const auto& one : report.results) {
    EXPECT_EQ(one.hits, 0U) << name_of(one.strategy);
    EXPECT_EQ(one.guesses, 3000U) << name_of(one.strategy);
  }
}

// Each weakness that the strategies are for is found: else the test above would say nothing.
TEST(Attack, FindsCounting) {
  const auto report =
      attack_on([](std::uint64_t i) { return fmt::format("{:012}", 400'000'000'000 + 7 * i); });
  EXPECT_FALSE(report.holds());
  EXPECT_GT(result_of(report, Strategy::kStep).low, 0.9);
  EXPECT_GT(result_of(report, Strategy::kNeighbours).hits, 0U);
  EXPECT_EQ(result_of(report, Strategy::kBlind).hits, 0U);
}

TEST(Attack, FindsALinearCongruence) {
  std::uint64_t at = 12'345;
  const auto report = attack_on([&](std::uint64_t) {
    at = static_cast<std::uint64_t>(
        (static_cast<crypto::Uint128>(at) * 6'364'136'223 + 1'442'695'043) % 1'000'000'000'000);
    return fmt::format("{:012}", at);
  });
  EXPECT_FALSE(report.holds());
  EXPECT_GT(result_of(report, Strategy::kCongruence).hits, 100U);
}

TEST(Attack, FindsAShiftRegisterWhoseStateIsTheNumber) {
  std::uint64_t at = 0x5a5a5a5a5aULL;
  const auto report = attack_on([&](std::uint64_t) {
    do {
      at = (at >> 1U) ^ ((at & 1U) != 0 ? 0x8e20000000ULL : 0);  // 40 bits
    } while (at >= 1'000'000'000'000);
    return fmt::format("{:012}", at);
  });
  EXPECT_FALSE(report.holds());
  EXPECT_GT(result_of(report, Strategy::kFeedback).hits, 100U);
}

TEST(Attack, FindsUnevenCharacters) {
  crypto::SystemRandom random;
  Dice dice(random);
  const NumberRule rule{8, std::string(kDigits), "", "", 10'000};
  const auto report = attack_on(
      [&](std::uint64_t) {
        std::string serial;
        for (int i = 0; i < 8; ++i)
          serial.push_back(dice.below(10) < 8 ? '7' : static_cast<char>('0' + dice.below(10)));
        return serial;
      },
      100, rule, 10'000);
  EXPECT_FALSE(report.holds());
  EXPECT_GT(result_of(report, Strategy::kFrequencies).low, 10 * report.density);
}

TEST(Attack, FindsNumbersThatBeginAlike) {
  crypto::SystemRandom random;
  Dice dice(random);
  const auto report = attack_on([&](std::uint64_t i) {
    return fmt::format("{:08}{:04}", 31'415'926 + i / 5000, dice.below(10'000));
  });
  EXPECT_FALSE(report.holds());
  EXPECT_GT(result_of(report, Strategy::kBeginnings).hits, 10U);
}

TEST(Attack, PoolsThatAreTooFullDoNotHold) {
  crypto::SystemRandom random;
  const NumberRule rule{6, std::string(kDigits), "", "", 100};
  const auto report = attack(rule, {}, 1000, [](std::string_view) { return false; }, 10, random);
  EXPECT_FALSE(report.holds());
}

TEST(Recurrence, IsTheShortest) {
  // x^4 + x + 1: the fourth bit before and the third before.
  std::vector<bool> bits{true, false, false, false};
  while (bits.size() < 64) bits.push_back(bits[bits.size() - 4] != bits[bits.size() - 3]);
  EXPECT_EQ(shortest_recurrence(bits), (std::vector<bool>{false, false, true, true}));
  EXPECT_TRUE(shortest_recurrence({false, false, false}).empty());
}

// R: binom.test(hits, tries)$conf.int
TEST(ClopperPearson, KnownIntervals) {
  const auto near = [](std::uint64_t hits, std::uint64_t tries, double low, double high) {
    const auto [l, h] = clopper_pearson(hits, tries);
    EXPECT_NEAR(l, low, 1e-6);
    EXPECT_NEAR(h, high, 1e-6);
  };
  near(0, 10, 0, 0.3084971);
  near(10, 10, 0.6915029, 1);
  near(5, 10, 0.1870860, 0.8129140);
  near(0, 100'000, 0, 3.688811e-05);
  near(0, 0, 0, 1);
}

}  // namespace
}  // namespace theriac::trace
