// What the tests of keys/ and lease/ share: an audit log that remembers and can refuse, a key
// service on a database in memory, callers. Header only, never part of the library.
#pragma once

#include <unistd.h>
#include <filesystem>
#include <mutex>

#include "crypto/random.hpp"
#include "keys/schema.hpp"
#include "keys/service.hpp"

namespace theriac {
class TestSecretAccess {
 public:
  static SecretAccess get() { return {}; }
};
}  // namespace theriac

namespace theriac::keys {

/// Remembers events; refuses the `fail_at`th (from 1) and, if told so, all after it.
class RecordingAudit final : public audit::AuditLog {
 public:
  Result<std::uint64_t> append_durable(audit::Event event) override {
    const std::scoped_lock lock(mutex_);
    ++calls_;
    if (fail_at > 0 && calls_ >= fail_at) return fail(Code::kDiskFull, "audit");
    event.settle();
    events_.push_back(std::move(event));
    return events_.size() - 1;
  }
  Status append(audit::Event event, audit::Durable) override {
    THERIAC_TRY(append_durable(std::move(event)));
    return {};
  }
  Status flush() override { return {}; }
  [[nodiscard]] std::uint64_t size() const override {
    const std::scoped_lock lock(mutex_);
    return events_.size();
  }
  [[nodiscard]] std::vector<audit::Event> events() const {
    const std::scoped_lock lock(mutex_);
    return events_;
  }
  [[nodiscard]] std::size_t count(std::string_view action) const {
    std::size_t found = 0;
    for (const auto& event : events()) found += event.action == action ? 1 : 0;
    return found;
  }
  void start_failing_at(int nth) {
    const std::scoped_lock lock(mutex_);
    calls_ = 0;
    fail_at = nth;
  }
  [[nodiscard]] bool failed() const { return fail_at > 0 && calls_ >= fail_at; }

 private:
  mutable std::mutex mutex_;
  std::vector<audit::Event> events_;
  int calls_ = 0;
  int fail_at = 0;
};

class Folder {
 public:
  Folder() {
    std::string name = "/tmp/theriac-keys-XXXXXX";
    THERIAC_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] const std::string& path() const { return path_; }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// A key service with tenant "demo" and everything around it by hand.
class Bench {
 public:
  explicit Bench(Clock& clock, const store::DatabaseOptions& options = {.path = ":memory:"},
                 std::int64_t lease_ms = kLeaseMsDefault)
      : clock_(clock),
        authority_(pki::Authority::create("test authority", clock.wall_ms(), random_)) {
    auto database = store::Database::open(options, kSchema);
    THERIAC_ASSERT(database.has_value());
    KeyTable keys(*database, random_);
    if (keys.tenants()->empty()) {
      Tenant tenant;
      tenant.id = random_.uuid<TenantId>();
      tenant.name = "demo";
      THERIAC_ASSERT(keys.add_tenant(root(), tenant).has_value());
    }
    service_ = std::make_unique<KeyService>(
        KeyService::Options{lease_ms}, std::move(*database), root(),
        *pki::Authority::load(authority_.certificate().to_pem(),
                              authority_.key_pem().reveal(TestSecretAccess::get())),
        audit, clock_, random_, log_);
  }

  /// The same root every time, so that a database can be opened again.
  static Key256 root() {
    std::array<std::uint8_t, 32> raw{};
    raw.fill(7);
    return Key256(raw);
  }
  KeyService& service() { return *service_; }
  crypto::SystemRandom& random() { return random_; }
  const pki::Authority& authority() { return authority_; }

  pki::Identity caller(const std::string& name, pki::Role role) {
    pki::Identity identity;
    identity.name = name;
    identity.role = role;
    identity.tenant = "demo";
    identity.serial = "00";
    identity.not_before_ms = clock_.wall_ms() - 1000;
    identity.not_after_ms = clock_.wall_ms() + 365 * pki::kDayMs;
    return identity;
  }
  pki::Identity gateway() { return caller("gateway-1", pki::Role::kGateway); }
  pki::Identity admin() { return caller("admin-1", pki::Role::kAdmin); }

  /// A request that differs from every other unless `hash` is given.
  Result<Grant> lease(const pki::Identity& caller, std::vector<std::string> classes,
                      std::optional<std::string> token = {},
                      std::optional<crypto::Digest> hash = {}) {
    if (!hash) {
      hash.emplace();
      random_.fill(*hash);
    }
    return service_->lease(caller, {caller.tenant, std::move(classes), {}, std::move(token)},
                           *hash);
  }

  RecordingAudit audit;

 private:
  Clock& clock_;
  crypto::SystemRandom random_;
  NullLog log_;
  pki::Authority authority_;
  std::unique_ptr<KeyService> service_;
};

inline const seal::LeasedKey* active_of(const Grant& grant, std::string_view class_name,
                                        seal::Purpose purpose = seal::Purpose::kData) {
  for (const auto& key : grant.keys) {
    if (key.active && key.class_name == class_name && key.purpose == purpose) return &key;
  }
  return nullptr;
}

}  // namespace theriac::keys
