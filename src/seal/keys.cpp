#include "seal/keys.hpp"

#include "seal/derive.hpp"
#include "seal/secret_access.hpp"

namespace theriac::seal {

Key256 derive(Suite suite, Purpose purpose, const Key256& key, std::string_view label,
              ByteView context) {
  Bytes info = bytes_of(label);
  info.push_back(static_cast<std::uint8_t>(suite));
  info.push_back(static_cast<std::uint8_t>(purpose));
  append(info, context);
  return crypto::hkdf(hash_of(suite), key, {}, info);
}

Secret<16> first_half(const Key256& key) {
  return Secret<16>(SealSecretAccess::bytes(key).first<16>());
}

crypto::Digest commitment(Suite suite, Purpose purpose, const Key256& key) {
  crypto::HmacKey mac(hash_of(suite), derive(suite, purpose, key, "theriac/commit/v1"));
  return mac.mac(view_of("key id"));
}

KeyId commit_key(Suite suite, Purpose purpose, const Key256& key) {
  const crypto::Digest whole = commitment(suite, purpose, key);
  KeyId id;
  std::memcpy(id.bytes.data(), whole.data(), KeyId::kSize);
  return id;
}

Status check_key(const LeasedKey& key, Purpose wanted) {
  if (key.purpose != wanted) return fail(Code::kUnknownKey, "key purpose");
  if (key.suite != Suite::kXaes256Gcm && key.suite != Suite::kSm4Gcm) {
    return fail(Code::kUnknownKey, "key suite");
  }
  if (commit_key(key.suite, key.purpose, key.material) != key.id) {
    return fail(Code::kKeyCollision, "key id");
  }
  return {};
}

}  // namespace theriac::seal
