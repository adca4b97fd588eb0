#include "crypto/sign.hpp"

#include <openssl/evp.h>

#include "crypto/random.hpp"
#include "crypto/secret_access.hpp"

namespace theriac::crypto {

namespace {

struct PkeyFree {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct ContextFree {
  void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
};
using Pkey = std::unique_ptr<EVP_PKEY, PkeyFree>;
using Context = std::unique_ptr<EVP_MD_CTX, ContextFree>;

/// OpenSSL refuses a null pointer even for an empty message.
const std::uint8_t* pointer_of(ByteView data) {
  static constexpr std::uint8_t kNothing = 0;
  return data.empty() ? &kNothing : data.data();
}

Pkey private_key(const Key256& seed) {
  const auto bytes = CryptoSecretAccess::bytes(seed);
  Pkey key(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes.data(), bytes.size()));
  THERIAC_ASSERT(key != nullptr);
  return key;
}

}  // namespace

Ed25519Key::Ed25519Key(Key256 seed) : seed_(std::move(seed)) {
  const Pkey key = private_key(seed_);
  std::size_t size = public_key_.size();
  THERIAC_ASSERT(EVP_PKEY_get_raw_public_key(key.get(), public_key_.data(), &size) == 1);
  THERIAC_ASSERT(size == public_key_.size());
}

Ed25519Key Ed25519Key::generate() { return Ed25519Key(new_key256()); }

Ed25519Signature Ed25519Key::sign(ByteView message) const {
  const Pkey key = private_key(seed_);
  const Context context(EVP_MD_CTX_new());
  THERIAC_ASSERT(context != nullptr);
  THERIAC_ASSERT(EVP_DigestSignInit(context.get(), nullptr, nullptr, nullptr, key.get()) == 1);
  Ed25519Signature out;
  std::size_t size = out.size();
  THERIAC_ASSERT(
      EVP_DigestSign(context.get(), out.data(), &size, pointer_of(message), message.size()) == 1);
  THERIAC_ASSERT(size == out.size());
  return out;
}

bool verify_ed25519(const Ed25519PublicKey& key, ByteView message, ByteView signature) {
  if (signature.size() != std::tuple_size_v<Ed25519Signature>) return false;
  const Pkey parsed(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, key.data(), key.size()));
  if (parsed == nullptr) return false;
  const Context context(EVP_MD_CTX_new());
  THERIAC_ASSERT(context != nullptr);
  if (EVP_DigestVerifyInit(context.get(), nullptr, nullptr, nullptr, parsed.get()) != 1) {
    return false;
  }
  return EVP_DigestVerify(context.get(), signature.data(), signature.size(), pointer_of(message),
                          message.size()) == 1;
}

}  // namespace theriac::crypto
