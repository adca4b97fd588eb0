#include "lease/state.hpp"

#include <algorithm>

#include "lease/limits.hpp"

namespace theriac::lease {
namespace {

bool same_keys(const Keyring& a, const Keyring& b) {
  return a.revoked == b.revoked &&
         std::equal(a.keys.begin(), a.keys.end(), b.keys.begin(), b.keys.end(),
                    [](const seal::LeasedKey& x, const seal::LeasedKey& y) {
                      return x.id == y.id && x.active == y.active && x.class_name == y.class_name;
                    });
}

bool ends_at_once(Code code) {
  return code == Code::kLeaseReplayed || code == Code::kBadCertificate || code == Code::kDenied ||
         code == Code::kRevoked || code == Code::kKeyCollision || code == Code::kNotAuthentic;
}

}  // namespace

const seal::LeasedKey* Keyring::active(std::string_view class_name, seal::Purpose purpose) const {
  for (const auto& key : keys) {
    if (key.active && key.purpose == purpose && key.class_name == class_name) return &key;
  }
  return nullptr;
}

bool Keyring::is_revoked(std::string_view class_name) const {
  return std::find(revoked.begin(), revoked.end(), class_name) != revoked.end();
}

bool Keyring::is_revoked_certificate(std::string_view serial) const {
  return std::binary_search(revoked_certificates.begin(), revoked_certificates.end(), serial);
}

void LeaseState::granted(Keyring ring) {
  if (!ring_ || !same_keys(*ring_, ring)) ++generation_;
  ring.generation = generation_;
  ring_ = std::make_shared<const Keyring>(std::move(ring));
  refusal_.reset();
  contact_ = Contact::kGranted;
}

void LeaseState::refused(Error error) {
  contact_ = Contact::kAnswered;
  if (ends_at_once(error.code)) {
    if (ring_) ++generation_;
    ring_.reset();
    refusal_ = std::move(error);
  }
}

void LeaseState::unreachable() {
  // A refusal of the holder has dropped the ring, so silence cannot turn it into grace.
  contact_ = Contact::kUnreachable;
}

bool LeaseState::clock_moved(std::int64_t wall_ms) const {
  return ring_ && wall_ms < ring_->issued_wall_ms - kClockToleranceMs;
}

std::int64_t LeaseState::overdue_ms(std::int64_t wall_ms, std::int64_t monotonic_ms) const {
  return std::max(wall_ms - ring_->expires_wall_ms, monotonic_ms - ring_->expires_monotonic_ms);
}

std::int64_t LeaseState::left_ms(std::int64_t wall_ms, std::int64_t monotonic_ms) const {
  return ring_ ? std::max<std::int64_t>(0, -overdue_ms(wall_ms, monotonic_ms)) : 0;
}

bool LeaseState::holding(std::int64_t wall_ms, std::int64_t monotonic_ms) const {
  return ring_ && !clock_moved(wall_ms) && overdue_ms(wall_ms, monotonic_ms) < 0;
}

bool LeaseState::in_grace(std::int64_t wall_ms, std::int64_t monotonic_ms) const {
  if (!ring_ || contact_ != Contact::kUnreachable || clock_moved(wall_ms)) return false;
  const auto overdue = overdue_ms(wall_ms, monotonic_ms);
  return overdue >= 0 && std::any_of(grace_s_.begin(), grace_s_.end(), [&](const auto& entry) {
           return overdue < std::int64_t{entry.second} * 1000;
         });
}

Result<std::shared_ptr<const Keyring>> LeaseState::ring(std::string_view class_name, bool reading,
                                                        std::int64_t wall_ms,
                                                        std::int64_t monotonic_ms) const {
  if (refusal_) return fail(*refusal_);
  if (!ring_) return fail(Code::kLeaseExpired, std::string(class_name));
  if (clock_moved(wall_ms)) return fail(Code::kClockMoved, "this machine");
  const auto overdue = overdue_ms(wall_ms, monotonic_ms);
  if (overdue >= 0) {
    const auto grace = grace_s_.find(class_name);
    const bool allowed = reading && contact_ == Contact::kUnreachable && grace != grace_s_.end() &&
                         overdue < std::int64_t{grace->second} * 1000;
    if (!allowed) return fail(Code::kLeaseExpired, std::string(class_name));
  }
  if (ring_->is_revoked(class_name)) return fail(Code::kRevoked, std::string(class_name));
  const bool known =
      std::any_of(ring_->keys.begin(), ring_->keys.end(),
                  [&](const seal::LeasedKey& key) { return key.class_name == class_name; });
  if (!known) return fail(Code::kUnknownKey, "class " + std::string(class_name));
  return ring_;
}

bool LeaseState::forget_if_over(std::int64_t wall_ms, std::int64_t monotonic_ms) {
  if (!ring_ || clock_moved(wall_ms)) return false;
  if (overdue_ms(wall_ms, monotonic_ms) < 0 || in_grace(wall_ms, monotonic_ms)) return false;
  ring_.reset();
  ++generation_;
  return true;
}

}  // namespace theriac::lease
