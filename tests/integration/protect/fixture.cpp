#include "fixture.hpp"

#include "crypto/hash.hpp"

namespace theriac::protect {
namespace {

Key256 key_from(const std::string& label) {
  const auto digest = crypto::sha256(view_of("test key " + label));
  return Key256(std::span<const std::uint8_t, 32>(digest));
}

const std::vector<std::pair<std::string, seal::Suite>> kClasses{
    {"person", seal::Suite::kXaes256Gcm},
    {"batch", seal::Suite::kXaes256Gcm},
    {"formula", seal::Suite::kSm4Gcm}};

}  // namespace

std::vector<std::string> MemoryAudit::actions() const {
  std::vector<std::string> out;
  for (const auto& event : events_) out.push_back(event.action);
  return out;
}

lease::Keyring ring_for(const std::vector<std::pair<std::string, seal::Suite>>& classes,
                        std::vector<std::string> revoked) {
  lease::Keyring ring;
  ring.generation = 1;
  ring.tenant.bytes.fill(0x11);
  ring.revoked = std::move(revoked);
  for (const auto& [name, suite] : classes) {
    for (const auto purpose : {seal::Purpose::kData, seal::Purpose::kIndex}) {
      seal::LeasedKey key;
      key.suite = suite;
      key.purpose = purpose;
      key.class_name = name;
      key.version = 1;
      key.active = true;
      key.material = key_from(name + std::to_string(static_cast<int>(purpose)));
      key.id = seal::commit_key(suite, purpose, key.material);
      ring.keys.push_back(std::move(key));
    }
  }
  return ring;
}

testing_support::PrivatePostgres& ProtectTest::server() {
  static testing_support::PrivatePostgres one;
  return one;
}

void ProtectTest::SetUpTestSuite() {
  auto database = PgConnection::open(server().conninfo("postgres")).value();
  const auto there = database.query("SELECT 1 FROM pg_roles WHERE rolname = 'erp_owner'").value();
  if (there.rows() > 0) return;
  const auto made = database.exec(
      "CREATE ROLE erp_owner LOGIN; CREATE ROLE erp_app LOGIN PASSWORD 'secret'; "
      "CREATE ROLE reader LOGIN; CREATE ROLE sub_reader LOGIN; CREATE ROLE auditor LOGIN");
  ASSERT_TRUE(made) << made.error().message();
}

void ProtectTest::SetUp() {
  static int count = 0;
  database_ = "t" + std::to_string(++count);
  auto database = PgConnection::open(server().conninfo("postgres")).value();
  ASSERT_TRUE(database.exec("CREATE DATABASE " + database_));
  sql("GRANT ALL ON SCHEMA public TO erp_owner");
}

void ProtectTest::TearDown() {
  auto database = PgConnection::open(server().conninfo("postgres")).value();
  EXPECT_TRUE(database.exec("DROP DATABASE " + database_ + " WITH (FORCE)"));
  EXPECT_TRUE(database.exec("DROP ROLE IF EXISTS theriac_gateway"));
}

PgConnection ProtectTest::connect(const std::string& user) const {
  auto opened = PgConnection::open(conninfo(user));
  if (!opened) ADD_FAILURE() << user << ": " << opened.error().message();
  return std::move(opened).value();
}

void ProtectTest::sql(const std::string& text) {
  auto database = connect();
  const auto done = database.exec(text);
  ASSERT_TRUE(done) << done.error().message() << "\n" << text;
}

std::string ProtectTest::value(const std::string& text) {
  auto database = connect();
  const auto rows = database.exec(text);
  if (!rows) {
    ADD_FAILURE() << rows.error().message() << "\n" << text;
    return {};
  }
  return std::string(rows->value(0, 0).value_or("NULL"));
}

std::string ProtectTest::state_of(const std::string& user, const std::string& text) {
  auto database = connect(user);
  const auto done = database.exec("BEGIN; " + text + "; ROLLBACK");
  return done ? "ok" : database.last_sqlstate();
}

Result<Report> ProtectTest::protect(const std::string& policy_yaml,
                                    const std::function<bool()>& interrupted) {
  THERIAC_ASSIGN(const auto policy, policy::parse_policy(policy_yaml, "test.yaml"));
  auto database = connect();
  const lease::FixedKeys keys(ring_for(kClasses, revoked_));
  const Services services{database, keys, random_, audit_, "tester", progress_, interrupted};
  return protect_tables(services, policy, {});
}

Result<Report> ProtectTest::unprotect(const std::function<bool()>& interrupted) {
  auto database = connect();
  const lease::FixedKeys keys(ring_for(kClasses, revoked_));
  const Services services{database, keys, random_, audit_, "tester", progress_, interrupted};
  return unprotect_tables(services, {});
}

Inspection ProtectTest::inspected(const std::string& policy_yaml) {
  const auto policy = policy::parse_policy(policy_yaml, "test.yaml");
  if (!policy) {
    ADD_FAILURE() << policy.error().message();
    return {};
  }
  auto database = connect();
  auto found = inspect(database, *policy);
  if (!found) {
    ADD_FAILURE() << found.error().message();
    return {};
  }
  return std::move(found).value();
}

}  // namespace theriac::protect
