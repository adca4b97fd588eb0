#include "keys/certificate_table.hpp"

#include <gtest/gtest.h>

#include <fmt/format.h>

#include "keys/limits.hpp"
#include "keys/schema.hpp"
#include "keys/test_support.hpp"

namespace theriac::keys {
namespace {

class CertificateTableTest : public testing::Test {
 protected:
  pki::Identity identity(const std::string& serial, const std::string& tenant = "demo") {
    auto one = bench_.caller("line-" + serial, pki::Role::kTraceLine);
    one.serial = serial;
    one.tenant = tenant;
    return one;
  }
  void issue(const pki::Identity& one) { ASSERT_TRUE(table_.add(one, "person")); }
  using Serials = std::vector<std::string>;

  ManualClock clock_{1'795'000'000'000};
  Bench bench_{clock_};
  store::Database database_ = std::move(*store::Database::open({.path = ":memory:"}, kSchema));
  CertificateTable table_{database_};
};

TEST_F(CertificateTableTest, RevokedAreToldUntilTheyEnd) {
  for (const auto* serial : {"0c", "0a", "0b"}) issue(identity(serial));
  issue(identity("0d", "other"));
  const auto now = clock_.wall_ms();
  EXPECT_TRUE(table_.revoked("demo", now)->empty());
  ASSERT_TRUE(table_.revoke("0c", "demo", {"admin-1", "lost", now}));
  ASSERT_TRUE(table_.revoke("line-0a", "demo", {"admin-1", "lost", now}));
  ASSERT_TRUE(table_.revoke("0d", "other", {"admin-1", "lost", now}));
  EXPECT_EQ(*table_.revoked("demo", now), (Serials{"0a", "0c"}));
  EXPECT_EQ(*table_.revoked("other", now), Serials{"0d"});
  const auto end = identity("0a").not_after_ms;
  EXPECT_EQ(*table_.revoked("demo", end), (Serials{"0a", "0c"}));
  EXPECT_TRUE(table_.revoked("demo", end + 1)->empty());
}

TEST_F(CertificateTableTest, MoreThanALeaseTellsAreRefused) {
  for (std::size_t i = 0; i <= kRevokedCertificatesMax; ++i) {
    issue(identity(fmt::format("{:08x}", i)));
  }
  const auto now = clock_.wall_ms();
  ASSERT_TRUE(database_.run("UPDATE certificates SET revoked_ms = 1 WHERE serial <> '00000000'"));
  EXPECT_EQ(table_.revoked("demo", now)->size(), kRevokedCertificatesMax);
  ASSERT_TRUE(table_.revoke("00000000", "demo", {"admin-1", "lost", now}));
  EXPECT_EQ(table_.revoked("demo", now).error().code, Code::kTooLarge);
}

TEST_F(CertificateTableTest, OnlyServersAreTold) {
  const auto server = bench_.lease(bench_.caller("server-1", pki::Role::kServer), {"serial"});
  ASSERT_TRUE(server) << server.error().message();
  ASSERT_TRUE(server->revoked_certificates);
  EXPECT_TRUE(server->revoked_certificates->empty());
  const auto gateway = bench_.lease(bench_.gateway(), {"contact"});
  ASSERT_TRUE(gateway);
  EXPECT_FALSE(gateway->revoked_certificates);
}

}  // namespace
}  // namespace theriac::keys
