// Keys as the seals see them: a key version, what it is for, and its commitment.
#pragma once

#include <optional>
#include <string>

#include "base/ids.hpp"
#include "base/secret.hpp"

namespace theriac::seal {

/// Algorithm suite; the byte in every sealed value.
enum class Suite : std::uint8_t {
  kXaes256Gcm = 1,  ///< C2SP XAES-256-GCM, HMAC-SHA-256, HKDF-SHA-256, AES-CMAC
  kSm4Gcm = 2,      ///< docs/design/suite-2.md: SM4-GCM with SM3 derivation, HMAC-SM3, SM4-CMAC
};

enum class Purpose : std::uint8_t { kData = 1, kIndex = 2, kStream = 3 };

/// First 8 bytes of HMAC(HKDF(key, info = "theriac/commit/v1" | suite | purpose), "key id").
/// Import refuses two different keys with one id, so that a value cannot open under two keys.
/// Sealer, Opener, Indexer and the streams check that a leased key's id is its commitment
/// (Code::kKeyCollision).
KeyId commit_key(Suite suite, Purpose purpose, const Key256& key);

/// One version of a key as leased: enough to seal or open, for as long as the lease holds.
struct LeasedKey {
  KeyId id;
  Suite suite = Suite::kXaes256Gcm;
  Purpose purpose = Purpose::kData;
  std::string class_name;     ///< the policy class it serves
  std::uint32_t version = 0;  ///< counts from 1 within (tenant, class, purpose)
  bool active = false;        ///< seals new values; others only open
  Key256 material;
};

}  // namespace theriac::seal
