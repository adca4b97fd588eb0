// One server for the whole program, a fresh database for each test, keys, an audit log in memory.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <mutex>

#include "audit/log.hpp"
#include "crypto/random.hpp"
#include "lease/lease.hpp"
#include "policy/policy.hpp"
#include "private_postgres.hpp"
#include "protect/inspect.hpp"
#include "protect/migrate.hpp"
#include "store/pg.hpp"

namespace theriac::protect {

using store::PgConnection;

/// Keeps the entries' actions and details.
class MemoryAudit final : public audit::AuditLog {
 public:
  Result<std::uint64_t> append_durable(audit::Event event) override {
    const std::lock_guard guard(mutex_);
    event.settle();
    events_.push_back(std::move(event));
    return events_.size() - 1;
  }
  Status append(audit::Event event, audit::Durable durable) override {
    THERIAC_ASSIGN(const auto index, append_durable(std::move(event)));
    if (durable) durable(index);
    return {};
  }
  Status flush() override { return {}; }
  [[nodiscard]] std::uint64_t size() const override { return events_.size(); }
  [[nodiscard]] std::vector<std::string> actions() const;
  [[nodiscard]] const std::vector<audit::Event>& events() const { return events_; }

 private:
  std::mutex mutex_;
  std::vector<audit::Event> events_;
};

/// The same keys for the same tenant whenever they are asked for, for these classes (name, suite).
lease::Keyring ring_for(const std::vector<std::pair<std::string, seal::Suite>>& classes,
                        std::vector<std::string> revoked = {});

class ProtectTest : public testing::Test {
 protected:
  static void SetUpTestSuite();
  void SetUp() override;
  void TearDown() override;

  static testing_support::PrivatePostgres& server();
  [[nodiscard]] std::string conninfo(const std::string& user = "postgres") const {
    return server().conninfo(database_, user);
  }
  [[nodiscard]] PgConnection connect(const std::string& user = "postgres") const;
  /// Runs SQL that must succeed, as a superuser.
  void sql(const std::string& text);
  /// One value.
  std::string value(const std::string& text);
  /// SQLSTATE of SQL run by `user`; "ok" when it succeeds.
  std::string state_of(const std::string& user, const std::string& text);
  [[nodiscard]] std::string dump() const { return server().schema_dump(database_); }

  /// Protects with a connection of its own, as the program does.
  Result<Report> protect(
      const std::string& policy_yaml,
      const std::function<bool()>& interrupted = [] { return false; });
  Result<Report> unprotect(const std::function<bool()>& interrupted = [] { return false; });
  Inspection inspected(const std::string& policy_yaml);

  std::string database_;
  MemoryAudit audit_;
  crypto::SystemRandom random_;
  std::vector<std::string> revoked_;
  Progress progress_ = [](std::string_view, std::int64_t, std::int64_t) {};
};

}  // namespace theriac::protect
