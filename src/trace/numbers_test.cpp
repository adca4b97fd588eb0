#include "trace/numbers.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <set>

#include "crypto/random.hpp"
#include "trace/limits.hpp"
#include "trace/number_rule.hpp"
#include "trace/test_support.hpp"

namespace theriac::trace {
namespace {

NumberRule rule(int length, std::string_view alphabet, std::uint64_t capacity,
                std::string prefix = {}, std::string market = {}) {
  return {length, std::string(alphabet), std::move(prefix), std::move(market), capacity};
}

std::string refusal(const NumberRule& one) {
  const auto good = check(one);
  return good ? "" : good.error().where;
}

TEST(NumberRule, DensityIsHeld) {
  // 10^12 texts bear 10^8 numbers, and not one more.
  EXPECT_EQ(refusal(rule(12, kDigits, 100'000'000)), "");
  EXPECT_EQ(refusal(rule(12, kDigits, 100'000'001)), "density");
  EXPECT_EQ(refusal(rule(12, kDigits, 10'000'000, "4")), "");
  EXPECT_EQ(refusal(rule(12, kDigits, 10'000'001, "4")), "density");
  EXPECT_DOUBLE_EQ(density(rule(12, kDigits, 100'000'000)), 1e-4);
  EXPECT_EQ(length_for(rule(0, kDigits, 100'000'000)), 12);
  EXPECT_EQ(length_for(rule(0, kDigits, 100'000'000, "77")), 14);
  EXPECT_EQ(length_for(rule(0, "AB", 100'000'000)), 0);
}

TEST(NumberRule, WhatIsRefused) {
  EXPECT_EQ(refusal(rule(21, kDigits, 1000)), "length");
  EXPECT_EQ(refusal(rule(0, kDigits, 1000)), "length");
  EXPECT_EQ(refusal(rule(5, kDigits, 1)), "length");  // fewer texts than FF1 takes
  EXPECT_EQ(refusal(rule(6, kDigits, 1)), "");
  EXPECT_EQ(refusal(rule(12, "0", 1000)), "alphabet");
  EXPECT_EQ(refusal(rule(12, "01230", 1000)), "alphabet");
  EXPECT_EQ(refusal(rule(12, "01 ", 1000)), "alphabet");
  EXPECT_EQ(refusal(rule(12, "01#", 1000)), "alphabet");
  EXPECT_EQ(refusal(rule(12, kDigits, 1000, "a b")), "prefix");
  EXPECT_EQ(refusal(rule(12, kDigits, 1000, "12345678901")), "prefix");
  EXPECT_EQ(refusal(rule(12, kDigits, 0)), "capacity");
  EXPECT_EQ(refusal(rule(12, kDigits, 1000, {}, "XX")), "market");
  EXPECT_EQ(refusal(rule(12, kDigits, 1000, {}, "RU")), "length in this market");
  EXPECT_EQ(refusal(rule(13, kDigits, 1000, {}, "RU")), "");
  EXPECT_EQ(refusal(rule(14, "abcdef", 1000, {}, "CN")), "alphabet in this market");
  EXPECT_EQ(refusal(rule(20, kDigits, 1'000'000'000'000, {}, "EU")), "");
}

TEST(Numbers, AreDifferentOfTheFormAndKnown) {
  const auto key = testing_support::index_key();
  for (const auto& one :
       {rule(12, kClearCharacters, 1'000'000'000), rule(6, kDigits, 100),
        rule(20, kDigits, 1u << 31),
        rule(20,
             "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz",
             UINT64_MAX),
        rule(14, kDigits, 1'000'000, "86", "CN")}) {
    auto numbers = Numbers::make(one, key, testing_support::tenant(), testing_support::pool());
    ASSERT_TRUE(numbers) << numbers.error().message();
    const auto count = static_cast<std::size_t>(std::min<std::uint64_t>(one.capacity, 5000));
    std::vector<std::string> drawn;
    ASSERT_TRUE(numbers->draw(0, count, drawn));
    EXPECT_EQ(std::set<std::string>(drawn.begin(), drawn.end()).size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      ASSERT_EQ(drawn[i].size(), static_cast<std::size_t>(one.length));
      ASSERT_TRUE(drawn[i].starts_with(one.prefix));
      ASSERT_EQ(numbers->counter_of(drawn[i]), i) << drawn[i];
    }
    // The same numbers whether drawn together or one by one.
    std::vector<std::string> again;
    for (std::size_t i = 0; i < 100; ++i) ASSERT_TRUE(numbers->draw(i, 1, again));
    EXPECT_TRUE(std::equal(again.begin(), again.end(), drawn.begin()));
    EXPECT_FALSE(numbers->draw(one.capacity, 1, again));
    EXPECT_TRUE(numbers->draw(one.capacity - 1, 1, again));
    EXPECT_EQ(numbers->counter_of(again.back()), one.capacity - 1);
  }
}

TEST(Numbers, OthersAreNotKnown) {
  auto numbers = Numbers::make(rule(10, kDigits, 1'000'000), testing_support::index_key(),
                               testing_support::tenant(), testing_support::pool());
  ASSERT_TRUE(numbers);
  EXPECT_EQ(numbers->counter_of(""), std::nullopt);
  EXPECT_EQ(numbers->counter_of("123456789"), std::nullopt);
  EXPECT_EQ(numbers->counter_of("12345678901"), std::nullopt);
  EXPECT_EQ(numbers->counter_of("123456789x"), std::nullopt);
  // All that counter_of() knows are drawn: of 200,000 texts looked at, about one in 10,000.
  int known = 0;
  for (int i = 0; i < 200'000; ++i) {
    const auto counter = numbers->counter_of(fmt::format("{:010}", 7919 * std::int64_t{i}));
    if (!counter) continue;
    ++known;
    std::vector<std::string> drawn;
    ASSERT_TRUE(numbers->draw(*counter, 1, drawn));
    EXPECT_EQ(drawn[0], fmt::format("{:010}", 7919 * std::int64_t{i}));
  }
  EXPECT_GT(known, 3);
  EXPECT_LT(known, 50);
}

TEST(Numbers, AnotherKeyTenantOrPoolGivesOthers) {
  const auto one = rule(12, kDigits, 1'000'000);
  std::set<std::string> firsts;
  const auto first = [&](const seal::LeasedKey& key, const TenantId& tenant, const FieldId& pool) {
    std::vector<std::string> drawn;
    auto numbers = Numbers::make(one, key, tenant, pool);
    ASSERT_TRUE(numbers);
    ASSERT_TRUE(numbers->draw(0, 1, drawn));
    firsts.insert(drawn[0]);
  };
  auto other_tenant = testing_support::tenant();
  other_tenant.bytes[15] ^= 1;
  auto other_pool = testing_support::pool();
  other_pool.bytes[0] ^= 1;
  first(testing_support::index_key(), testing_support::tenant(), testing_support::pool());
  first(testing_support::index_key(2), testing_support::tenant(), testing_support::pool());
  first(testing_support::index_key(), other_tenant, testing_support::pool());
  first(testing_support::index_key(), testing_support::tenant(), other_pool);
  first(testing_support::index_key(1, seal::Suite::kSm4Gcm), testing_support::tenant(),
        testing_support::pool());
  EXPECT_EQ(firsts.size(), 5U);
  auto data = testing_support::index_key();
  data.purpose = seal::Purpose::kData;
  const auto refused = Numbers::make(one, data, testing_support::tenant(), testing_support::pool());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kUnknownKey);
}

}  // namespace
}  // namespace theriac::trace
