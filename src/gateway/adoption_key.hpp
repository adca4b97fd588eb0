// The key by which the functions of schema theriac know the gateway (protect/adoption.hpp). One for
// each database.
//
// Threading: digest() of one object belongs to any thread, one at a time.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "crypto/hash.hpp"
#include "protect/adoption.hpp"

namespace theriac::gateway {

class AdoptionKey {
 public:
  explicit AdoptionKey(const Key256& key) : mac_(crypto::HashKind::kSha256, key) {}
  /// In lower-case hexadecimal.
  [[nodiscard]] std::string digest(std::string_view backend, std::string_view transaction,
                                   std::string_view function, std::string_view arguments) const {
    const std::lock_guard lock(mutex_);
    return to_hex(
        mac_.mac(view_of(protect::settle_message(backend, transaction, function, arguments))));
  }

 private:
  mutable std::mutex mutex_;
  mutable crypto::HmacKey mac_;
};

}  // namespace theriac::gateway
