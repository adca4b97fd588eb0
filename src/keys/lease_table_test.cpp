#include "keys/lease_table.hpp"

#include <gtest/gtest.h>

#include "codec/base64.hpp"
#include "keys/test_support.hpp"

namespace theriac::keys {
namespace {

TEST(Judge, EveryCase) {
  const crypto::Digest kept{1};
  const crypto::Digest other{2};
  Lease lease;
  lease.counter = 5;
  lease.request_hash = kept;
  struct Case {
    std::uint64_t counter;
    crypto::Digest hash;
    Verdict verdict;
  };
  for (const auto& c : {Case{5, other, Verdict::kRenew}, Case{5, kept, Verdict::kRenew},
                        Case{4, kept, Verdict::kRepeat}, Case{4, other, Verdict::kReplayed},
                        Case{3, kept, Verdict::kReplayed}, Case{3, other, Verdict::kReplayed},
                        Case{0, kept, Verdict::kReplayed}, Case{6, kept, Verdict::kRolledBack},
                        Case{6, other, Verdict::kRolledBack},
                        Case{~std::uint64_t{0}, kept, Verdict::kRolledBack}}) {
    lease.state = LeaseState::kLive;
    EXPECT_EQ(judge(lease, c.counter, c.hash), c.verdict) << c.counter;
    lease.state = LeaseState::kSuperseded;
    EXPECT_EQ(judge(lease, c.counter, c.hash), Verdict::kReplayed) << c.counter;
    lease.state = LeaseState::kReleased;
    EXPECT_EQ(judge(lease, c.counter, c.hash), Verdict::kOver) << c.counter;
  }
}

TEST(Tokens, GenuineForTheHolderOnly) {
  crypto::SystemRandom random;
  TokenMaker tokens(crypto::new_key256());
  const Token token{random.id<LeaseId>(), 42};
  const auto text = tokens.make(token, "gateway-1");
  const auto read = tokens.read(text, "gateway-1");
  ASSERT_TRUE(read);
  EXPECT_EQ(read->lease, token.lease);
  EXPECT_EQ(read->counter, 42U);
  EXPECT_EQ(tokens.read(text, "gateway-2").error().code, Code::kDenied);
  EXPECT_FALSE(TokenMaker(crypto::new_key256()).read(text, "gateway-1"));
  auto raw = *codec::from_base64(text);
  for (std::size_t i = 0; i < raw.size(); ++i) {
    raw[i] = static_cast<std::uint8_t>(raw[i] ^ 0x80U);
    EXPECT_FALSE(tokens.read(codec::to_base64(raw), "gateway-1")) << i;
    raw[i] = static_cast<std::uint8_t>(raw[i] ^ 0x80U);
  }
  for (const std::string& bad : {std::string(), std::string("x"), text + "AAAA", text.substr(4)}) {
    EXPECT_EQ(tokens.read(bad, "gateway-1").error().code, Code::kDenied);
  }
}

class LeaseTableTest : public testing::Test {
 protected:
  Lease make(const std::string& holder, std::int64_t expires, LeaseState state = LeaseState::kLive,
             pki::Role role = pki::Role::kGateway) {
    Lease lease;
    lease.id = random_.id<LeaseId>();
    lease.holder = holder;
    lease.role = role;
    lease.tenant = random_.uuid<TenantId>();
    lease.serial = "0a";
    lease.classes = {"contact", "formula"};
    lease.state = state;
    lease.counter = 3;
    lease.request_hash.fill(9);
    lease.issued_ms = expires - 60'000;
    lease.expires_ms = expires;
    lease.proven_ms = 17;
    EXPECT_TRUE(table_.add(lease));
    return lease;
  }
  crypto::SystemRandom random_;
  store::Database database_ = std::move(*store::Database::open({.path = ":memory:"}, kSchema));
  LeaseTable table_{database_};
};

TEST_F(LeaseTableTest, RowsComeBack) {
  const auto made = make("gateway-1", 1000);
  auto found = table_.find(made.id);
  ASSERT_TRUE(found && found->has_value());
  EXPECT_EQ((*found)->classes, made.classes);
  EXPECT_EQ((*found)->request_hash, made.request_hash);
  EXPECT_EQ((*found)->tenant, made.tenant);
  EXPECT_EQ((*found)->proven_ms, 17);
  EXPECT_TRUE((*found)->covers("formula"));
  EXPECT_FALSE((*found)->covers("formul"));
  EXPECT_FALSE(table_.find(random_.id<LeaseId>())->has_value());
}

TEST_F(LeaseTableTest, LiveIsLiveAndNotEnded) {
  make("a", 1000);
  make("b", 2000);
  make("c", 3000, LeaseState::kReleased);
  EXPECT_EQ(table_.live(1000)->size(), 1U);
  EXPECT_EQ(table_.live(999)->size(), 2U);
  EXPECT_EQ(table_.of_holder("c")->size(), 1U);
}

TEST_F(LeaseTableTest, WhatIsForgotten) {
  make("gateway", 1000);
  make("gateway", 1000, LeaseState::kSuperseded);
  make("tool", 1000, LeaseState::kLive, pki::Role::kProtector);
  make("tool", 5000, LeaseState::kLive, pki::Role::kProtector);
  ASSERT_TRUE(table_.forget_ended(2000));
  EXPECT_EQ(table_.of_holder("gateway")->size(), 1U) << "its token still tells a copy";
  EXPECT_EQ(table_.of_holder("tool")->size(), 1U);
}

TEST_F(LeaseTableTest, Fences) {
  const auto lease = make("gateway-1", 1000);
  EXPECT_FALSE(*table_.is_fenced("gateway-1"));
  EXPECT_EQ(table_.clear_fence("gateway-1").error().code, Code::kNotFound);
  ASSERT_TRUE(table_.fence(lease, 5));
  ASSERT_TRUE(table_.fence(lease, 6)) << "fencing twice is no error";
  EXPECT_TRUE(*table_.is_fenced("gateway-1"));
  ASSERT_EQ(table_.fences()->size(), 1U);
  EXPECT_EQ(table_.fences()->front().since_ms, 5);
  ASSERT_TRUE(table_.clear_fence("gateway-1"));
  EXPECT_FALSE(*table_.is_fenced("gateway-1"));
}

TEST_F(LeaseTableTest, EditedRowsAreRefusedNotMisread) {
  const auto made = make("gateway-1", 1000);
  for (const std::string change : {"state = 'x'", "role = 'root'", "classes = '{'",
                                   "classes = '[1]'", "request_hash = x'00'", "tenant = x'00'"}) {
    ASSERT_TRUE(database_.exec("SAVEPOINT before; UPDATE leases SET " + change));
    EXPECT_FALSE(table_.find(made.id)) << change;
    ASSERT_TRUE(database_.exec("ROLLBACK TO before; RELEASE before"));
  }
}

}  // namespace
}  // namespace theriac::keys
