#include "keys/wrap.hpp"

#include "crypto/cipher.hpp"
#include "crypto/hash.hpp"
#include "keys/secret_access.hpp"

namespace theriac::keys {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::array<std::uint8_t, crypto::kGcmNonceBytes> kNonce{};

crypto::GcmKey derive(const Key256& wrapping, ByteView salt) {
  return crypto::GcmKey(
      crypto::hkdf(crypto::HashKind::kSha256, wrapping, salt, view_of("theriac/wrap/v1")));
}

Bytes wrap(const Key256& wrapping, ByteView secret, ByteView aad, Random& random) {
  Bytes out(kWrapOverheadBytes + secret.size());
  out[0] = kVersion;
  const auto salt = MutableBytes(out).subspan(1, kWrapSaltBytes);
  random.fill(salt);
  derive(wrapping, salt).seal(kNonce, aad, secret, MutableBytes(out).subspan(1 + kWrapSaltBytes));
  return out;
}

}  // namespace

Bytes wrap_bytes(const Key256& wrapping, const SecretBytes& secret, ByteView aad, Random& random) {
  return wrap(wrapping, secret.reveal(KeysSecretAccess::get()), aad, random);
}

Result<SecretBytes> unwrap_bytes(const Key256& wrapping, ByteView wrapped, ByteView aad) {
  if (wrapped.size() < kWrapOverheadBytes || wrapped[0] != kVersion) {
    return fail(Code::kNotAuthentic, "wrapped key");
  }
  SecretBytes secret(wrapped.size() - kWrapOverheadBytes);
  auto key = derive(wrapping, wrapped.subspan(1, kWrapSaltBytes));
  if (!key.open(kNonce, aad, wrapped.subspan(1 + kWrapSaltBytes),
                secret.reveal_mutable(KeysSecretAccess::get()))) {
    return fail(Code::kNotAuthentic, "wrapped key");
  }
  return secret;
}

Bytes wrap_key(const Key256& wrapping, const Key256& secret, ByteView aad, Random& random) {
  return wrap(wrapping, secret.reveal(KeysSecretAccess::get()), aad, random);
}

Result<Key256> unwrap_key(const Key256& wrapping, ByteView wrapped, ByteView aad) {
  THERIAC_ASSIGN(const auto secret, unwrap_bytes(wrapping, wrapped, aad));
  const auto raw = secret.reveal(KeysSecretAccess::get());
  if (raw.size() != Key256::kSize) return fail(Code::kNotAuthentic, "wrapped key");
  return Key256(std::span<const std::uint8_t, Key256::kSize>(raw));
}

}  // namespace theriac::keys
