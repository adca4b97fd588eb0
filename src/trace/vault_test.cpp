#include "trace/vault.hpp"

#include <gtest/gtest.h>

#include <set>

#include "crypto/random.hpp"
#include "trace/test_support.hpp"

namespace theriac::trace {
namespace {

using testing_support::fixed_ring;
using testing_support::SwitchedKeys;

class VaultTest : public ::testing::Test {
 protected:
  SwitchedKeys keys_{fixed_ring()};
  crypto::SystemRandom random_;
  Vault vault_{keys_, random_};
};

TEST_F(VaultTest, RecordsOpenWhereTheyBelong) {
  const auto row = row_of(Record::kLot, 7);
  const auto sealed = vault_.seal(Record::kLot, row, "LOT1A");
  ASSERT_TRUE(sealed);
  EXPECT_EQ(vault_.open(Record::kLot, row, *sealed), "LOT1A");
  for (const auto& moved : {row_of(Record::kLot, 8), row_of(Record::kItem, 7), RowId{}}) {
    EXPECT_EQ(vault_.open(Record::kLot, moved, *sealed).error().code, Code::kNotAuthentic);
  }
  EXPECT_EQ(vault_.open(Record::kItem, row, *sealed).error().code, Code::kNotAuthentic);
  EXPECT_EQ(std::string_view(text_of(*sealed)).find("LOT1A"), std::string_view::npos);
  EXPECT_EQ(vault_.seal(Record::kLot, row, "LOT")->size(), sealed->size());
}

TEST_F(VaultTest, IndexesOfOneDomainAgreeAndOfTwoDoNot) {
  std::set<seal::IndexToken> seen;
  for (const auto domain : {Domain::kProduct, Domain::kLot, Domain::kItem, Domain::kPartner,
                            Domain::kPlace, Domain::kEventId, Domain::kTerm}) {
    const auto one = vault_.index(domain, "x");
    ASSERT_TRUE(one);
    EXPECT_EQ(vault_.index(domain, "x"), one);
    EXPECT_NE(vault_.index(domain, "y"), one);
    seen.insert(*one);
  }
  EXPECT_EQ(seen.size(), 7U);
}

TEST_F(VaultTest, NumbersAreThoseOfTheRememberedKey) {
  const NumberRule rule{12, std::string(kDigits), "", "", 1000};
  const auto key = vault_.number_key();
  ASSERT_TRUE(key);
  auto numbers = vault_.numbers(rule, *key, testing_support::pool());
  ASSERT_TRUE(numbers);
  EXPECT_EQ(vault_.numbers(rule, KeyId{{1}}, testing_support::pool()).error().code,
            Code::kUnknownKey);
}

TEST_F(VaultTest, RevokedKeysAreForgotten) {
  const auto row = row_of(Record::kLot, 7);
  const auto sealed = vault_.seal(Record::kLot, row, "LOT1A");
  ASSERT_TRUE(sealed);
  keys_.refuse(Error{Code::kRevoked, "class serial"});
  EXPECT_EQ(vault_.check(true).error().code, Code::kRevoked);
  EXPECT_EQ(vault_.open(Record::kLot, row, *sealed).error().code, Code::kRevoked);
  EXPECT_EQ(vault_.seal(Record::kLot, row, "LOT1A").error().code, Code::kRevoked);
  EXPECT_EQ(vault_.index(Domain::kLot, "x").error().code, Code::kRevoked);
  EXPECT_EQ(vault_.number_key().error().code, Code::kRevoked);
  keys_.allow();
  EXPECT_EQ(vault_.open(Record::kLot, row, *sealed), "LOT1A");
}

}  // namespace
}  // namespace theriac::trace
