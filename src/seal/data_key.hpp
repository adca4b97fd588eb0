// The keys derived from one key's material that seal and open: what a suite is, in one place.
// docs/design/sealed-values.md section 3 and docs/design/suite-2.md. Internal to src/seal.
#pragma once

#include <variant>

#include "crypto/cipher.hpp"
#include "crypto/hash.hpp"
#include "seal/derive.hpp"
#include "seal/xaes.hpp"

namespace theriac::seal {

/// Suite 2's counterpart of XaesKey: HMAC-SM3 in counter mode, first 16 bytes.
class Sm4Key {
 public:
  explicit Sm4Key(const Key256& key) : hmac_(crypto::HashKind::kSm3, key) {}
  Secret<16> derive(const NoncePrefix& prefix);

 private:
  crypto::HmacKey hmac_;
};

/// Belongs to one thread at a time.
class DataKey {
 public:
  DataKey(Suite suite, Purpose purpose, const Key256& material);

  [[nodiscard]] Suite suite() const { return suite_; }
  /// The GCM key that the first half of a nonce selects.
  crypto::GcmKey message_key(const NoncePrefix& prefix);
  /// The same into a key of this suite that is no longer needed, without allocating.
  void message_key(const NoncePrefix& prefix, crypto::GcmKey& into);
  /// The second half of a hedged nonce: first 12 bytes of CMAC(nonce key, head | tail).
  NoncePrefix hedge(ByteView head, ByteView tail);

 private:
  Suite suite_;
  std::variant<XaesKey, Sm4Key> encryption_;
  crypto::CmacKey nonce_;
};

}  // namespace theriac::seal
