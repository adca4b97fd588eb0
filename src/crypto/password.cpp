#include "crypto/password.hpp"

#include <argon2.h>

#include "crypto/secret_access.hpp"

namespace theriac::crypto {

namespace {
constexpr std::size_t kSaltBytes = 16;          // RFC 9106 section 3.1
constexpr std::uint32_t kMemoryPerLaneKib = 8;  // RFC 9106 section 3.1: m >= 8 p
}  // namespace

Result<Key256> derive_argon2id(const SecretBytes& passphrase, ByteView salt_16_bytes,
                               const Argon2Cost& cost) {
  if (salt_16_bytes.size() != kSaltBytes) return fail(Code::kMalformed, "Argon2id salt length");
  if (cost.lanes == 0 || cost.lanes > kArgon2LanesMax) {
    return fail(Code::kOutOfRange, "Argon2id lanes");
  }
  if (cost.passes == 0 || cost.passes > kArgon2PassesMax) {
    return fail(Code::kOutOfRange, "Argon2id passes");
  }
  if (cost.memory_kib < kMemoryPerLaneKib * cost.lanes || cost.memory_kib > kArgon2MemoryKibMax) {
    return fail(Code::kOutOfRange, "Argon2id memory");
  }
  const ByteView words = CryptoSecretAccess::bytes(passphrase);
  Key256 out;
  const auto key = CryptoSecretAccess::mutable_bytes(out);
  const int done =
      argon2id_hash_raw(cost.passes, cost.memory_kib, cost.lanes, words.data(), words.size(),
                        salt_16_bytes.data(), salt_16_bytes.size(), key.data(), key.size());
  // The costs were checked, so what is left to fail is memory.
  if (done != ARGON2_OK) return fail(Code::kTooLarge, "Argon2id memory");
  return out;
}

}  // namespace theriac::crypto
