#include "keys/key_table.hpp"

#include <gtest/gtest.h>

#include "keys/test_support.hpp"

namespace theriac::keys {
namespace {

class KeyTableTest : public testing::Test {
 protected:
  KeyTableTest() {
    Tenant tenant;
    tenant.id = random_.uuid<TenantId>();
    tenant.name = "demo";
    EXPECT_TRUE(table_.add_tenant(root_, tenant));
    open_.emplace(std::move(*table_.open_tenant(root_, "demo")));
  }
  Version add(const std::string& name, seal::Purpose purpose = seal::Purpose::kData,
              std::uint32_t number = 1) {
    Version version;
    version.class_name = name;
    version.purpose = purpose;
    version.version = number;
    auto made = table_.add_version(*open_, version, act_);
    EXPECT_TRUE(made) << made.error().message();
    return std::move(*made);
  }

  crypto::SystemRandom random_;
  Key256 root_ = crypto::new_key256();
  store::Database database_ = std::move(*store::Database::open({.path = ":memory:"}, kSchema));
  KeyTable table_{database_, random_};
  std::optional<OpenTenant> open_;
  Act act_{"admin-1", "because", 1'800'000'000'000};
};

TEST_F(KeyTableTest, KeysComeBack) {
  const auto made = add("contact");
  const auto found = table_.versions(open_->tenant.id, "contact");
  ASSERT_TRUE(found);
  ASSERT_EQ(found->size(), 1U);
  EXPECT_EQ(found->front().id, made.id);
  EXPECT_EQ(found->front().person, "admin-1");
  const auto key = table_.material(*open_, found->front());
  ASSERT_TRUE(key);
  EXPECT_EQ(seal::commit_key(seal::Suite::kXaes256Gcm, seal::Purpose::kData, *key), made.id);
}

TEST_F(KeyTableTest, OrderedAndByClass) {
  add("b");
  add("a", seal::Purpose::kStream);
  add("a", seal::Purpose::kData, 1);
  add("a", seal::Purpose::kData, 2);
  const auto all = table_.versions(open_->tenant.id, "");
  ASSERT_EQ(all->size(), 4U);
  EXPECT_EQ((*all)[0].class_name, "a");
  EXPECT_EQ((*all)[1].version, 2U);
  EXPECT_EQ((*all)[3].class_name, "b");
  EXPECT_EQ(table_.versions(open_->tenant.id, "a")->size(), 3U);
  EXPECT_EQ(*table_.count_classes(open_->tenant.id), 2U);
}

// Every column of the row, edited in the file by somebody without the root key.
TEST_F(KeyTableTest, AnyEditOfMetadataDoesNotOpen) {
  add("contact");
  ASSERT_TRUE(table_.material(*open_, table_.versions(open_->tenant.id, "")->front()));
  for (const std::string change :
       {"class = 'formula'", "purpose = 2", "version = 2", "id = x'0102030405060708'", "suite = 2",
        "state = 'deactivated'", "resume = 'pending'", "created_ms = created_ms + 1",
        "changed_ms = changed_ms - 1", "person = 'admin-2'", "reason = 'none'",
        "wrapped = zeroblob(length(wrapped))"}) {
    ASSERT_TRUE(database_.exec("SAVEPOINT before; UPDATE key_versions SET " + change));
    ASSERT_EQ(database_.changes(), 1) << change;
    const auto versions = table_.versions(open_->tenant.id, "");
    ASSERT_TRUE(versions) << change;
    EXPECT_EQ(table_.material(*open_, versions->front()).error().code, Code::kNotAuthentic)
        << change;
    ASSERT_TRUE(database_.exec("ROLLBACK TO before; RELEASE before"));
  }
  EXPECT_TRUE(table_.material(*open_, table_.versions(open_->tenant.id, "")->front()));
}

TEST_F(KeyTableTest, ARowMovedToAnotherTenantDoesNotOpen) {
  add("contact");
  Tenant other;
  other.id = random_.uuid<TenantId>();
  other.name = "other";
  ASSERT_TRUE(table_.add_tenant(root_, other));
  ASSERT_TRUE(database_.run("UPDATE key_versions SET tenant = ?", other.id.view()));
  const auto open = table_.open_tenant(root_, "other");
  const auto versions = table_.versions(other.id, "");
  ASSERT_EQ(versions->size(), 1U);
  EXPECT_EQ(table_.material(*open, versions->front()).error().code, Code::kNotAuthentic);
}

TEST_F(KeyTableTest, AnyEditOfATenantDoesNotOpen) {
  ASSERT_TRUE(table_.restate_tenant(root_, *open_, State::kSuspended, act_));
  for (const std::string change :
       {"state = 'active'", "created_ms = 5", "changed_ms = 5", "person = 'x'", "reason = 'y'",
        "wrapped = zeroblob(81)", "id = zeroblob(16)"}) {
    ASSERT_TRUE(database_.exec("SAVEPOINT before; UPDATE tenants SET " + change));
    EXPECT_EQ(table_.open_tenant(root_, "demo").error().code, Code::kNotAuthentic) << change;
    ASSERT_TRUE(database_.exec("ROLLBACK TO before; RELEASE before"));
  }
  EXPECT_EQ(table_.open_tenant(root_, "demo")->tenant.state, State::kSuspended);
  EXPECT_EQ(table_.open_tenant(crypto::new_key256(), "demo").error().code, Code::kNotAuthentic);
  EXPECT_EQ(table_.open_tenant(root_, "none").error().code, Code::kNotFound);
}

TEST_F(KeyTableTest, StatesGoThereAndBack) {
  auto version = add("contact");
  const auto before = *table_.material(*open_, version);
  ASSERT_TRUE(table_.restate(*open_, version, State::kSuspended, State::kActive, act_));
  auto stored = table_.versions(open_->tenant.id, "")->front();
  EXPECT_EQ(stored.state, State::kSuspended);
  EXPECT_EQ(stored.resume, State::kActive);
  ASSERT_TRUE(table_.restate(*open_, stored, stored.resume, stored.resume, act_));
  stored = table_.versions(open_->tenant.id, "")->front();
  EXPECT_EQ(stored.state, State::kActive);
  EXPECT_EQ(*table_.material(*open_, stored), before);
}

TEST_F(KeyTableTest, SameKeyTwiceAndCollidingIdsAreTold) {
  const auto first = add("contact");
  const auto key = *table_.material(*open_, first);
  Version again;
  again.class_name = "other";
  again.version = 1;
  EXPECT_EQ(table_.import_version(*open_, again, key, act_).error().code, Code::kAlreadyExists);
  // Another key that claims the id: made by giving the stored row the newcomer's id.
  const auto newcomer = crypto::new_key256();
  const auto id = seal::commit_key(again.suite, again.purpose, newcomer);
  ASSERT_TRUE(database_.run("UPDATE key_versions SET id = ?", id.view()));
  const auto refused = table_.import_version(*open_, again, newcomer, act_);
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().code == Code::kNotAuthentic ||
              refused.error().code == Code::kKeyCollision);
}

TEST_F(KeyTableTest, IdIsUniqueAcrossTenants) {
  const auto first = add("contact");
  const auto key = *table_.material(*open_, first);
  Tenant other;
  other.id = random_.uuid<TenantId>();
  other.name = "other";
  ASSERT_TRUE(table_.add_tenant(root_, other));
  const auto open = table_.open_tenant(root_, "other");
  Version again;
  again.class_name = "contact";
  again.version = 1;
  EXPECT_EQ(table_.import_version(*open, again, key, act_).error().code, Code::kKeyCollision);
}

}  // namespace
}  // namespace theriac::keys
