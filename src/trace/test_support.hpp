// Keys for the tests of this folder.
#pragma once

#include <optional>

#include "lease/lease.hpp"
#include "seal/keys.hpp"

namespace theriac::trace::testing_support {

inline TenantId tenant() { return TenantId{{1, 2, 3}}; }
inline FieldId pool() { return FieldId{{9, 8, 7}}; }

inline seal::LeasedKey leased_key(seal::Purpose purpose, std::uint8_t seed, seal::Suite suite) {
  std::array<std::uint8_t, 32> bytes{};
  bytes.fill(seed);
  Key256 material(bytes);
  seal::LeasedKey key;
  key.id = seal::commit_key(suite, purpose, material);
  key.suite = suite;
  key.purpose = purpose;
  key.class_name = "serial";
  key.version = 1;
  key.active = true;
  key.material = std::move(material);
  return key;
}

inline seal::LeasedKey index_key(std::uint8_t seed = 1,
                                 seal::Suite suite = seal::Suite::kXaes256Gcm) {
  return leased_key(seal::Purpose::kIndex, seed, suite);
}

inline lease::Keyring fixed_ring(seal::Suite suite = seal::Suite::kXaes256Gcm) {
  lease::Keyring ring;
  ring.generation = 1;
  ring.tenant = tenant();
  ring.keys.push_back(leased_key(seal::Purpose::kData, 3, suite));
  ring.keys.push_back(index_key(1, suite));
  return ring;
}

/// Keys that a test takes away and gives back.
class SwitchedKeys : public lease::KeySource {
 public:
  explicit SwitchedKeys(lease::Keyring ring) : keys_(std::move(ring)) {}
  void refuse(Error error) { error_ = std::move(error); }
  void allow() { error_.reset(); }
  /// A certificate that is not to be believed any more.
  void revoke_certificate(const std::string& serial) {
    auto ring = fixed_ring();
    ring.revoked_certificates = {serial};
    revoked_.emplace(std::move(ring));
  }
  Result<std::shared_ptr<const lease::Keyring>> ring(std::string_view class_name,
                                                     bool reading) const override {
    if (error_) return fail(*error_);
    if (revoked_) return revoked_->ring(class_name, reading);
    return keys_.ring(class_name, reading);
  }
  [[nodiscard]] std::uint64_t generation() const override { return keys_.generation(); }

 private:
  lease::FixedKeys keys_;
  std::optional<lease::FixedKeys> revoked_;
  std::optional<Error> error_;
};

}  // namespace theriac::trace::testing_support
