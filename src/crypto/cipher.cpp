#include "crypto/cipher.hpp"

#include "crypto/gcrypt.hpp"
#include "crypto/secret_access.hpp"

namespace theriac::crypto {

struct GcmKey::State {
  gcry_cipher_hd_t cipher = nullptr;

  int algorithm;

  State(int which, ByteView key) : algorithm(which) {
    gcrypt_ready();
    gcrypt_must(gcry_cipher_open(&cipher, algorithm, GCRY_CIPHER_MODE_GCM, 0));
    set_key(key);
  }
  ~State() { gcry_cipher_close(cipher); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void set_key(ByteView key) { gcrypt_must(gcry_cipher_setkey(cipher, key.data(), key.size())); }

  void start(std::span<const std::uint8_t, kGcmNonceBytes> nonce, ByteView aad) {
    gcrypt_must(gcry_cipher_setiv(cipher, nonce.data(), nonce.size()));
    if (!aad.empty()) gcrypt_must(gcry_cipher_authenticate(cipher, aad.data(), aad.size()));
  }
};

GcmKey::GcmKey(const Key256& aes256)
    : state_(std::make_unique<State>(GCRY_CIPHER_AES256, CryptoSecretAccess::bytes(aes256))) {}
GcmKey::GcmKey(const Secret<16>& sm4)
    : state_(std::make_unique<State>(GCRY_CIPHER_SM4, CryptoSecretAccess::bytes(sm4))) {}
GcmKey::~GcmKey() = default;
GcmKey::GcmKey(GcmKey&&) noexcept = default;
GcmKey& GcmKey::operator=(GcmKey&&) noexcept = default;

void GcmKey::set_key(const Key256& aes256) {
  THERIAC_ASSERT(state_->algorithm == GCRY_CIPHER_AES256);
  state_->set_key(CryptoSecretAccess::bytes(aes256));
}
void GcmKey::set_key(const Secret<16>& sm4) {
  THERIAC_ASSERT(state_->algorithm == GCRY_CIPHER_SM4);
  state_->set_key(CryptoSecretAccess::bytes(sm4));
}

void GcmKey::seal(std::span<const std::uint8_t, kGcmNonceBytes> nonce, ByteView aad,
                  ByteView plaintext, MutableBytes out) {
  THERIAC_ASSERT(out.size() == plaintext.size() + kGcmTagBytes);
  state_->start(nonce, aad);
  if (!plaintext.empty()) {
    gcrypt_must(gcry_cipher_encrypt(state_->cipher, out.data(), plaintext.size(), plaintext.data(),
                                    plaintext.size()));
  }
  gcrypt_must(gcry_cipher_gettag(state_->cipher, out.data() + plaintext.size(), kGcmTagBytes));
}

Status GcmKey::open(std::span<const std::uint8_t, kGcmNonceBytes> nonce, ByteView aad,
                    ByteView sealed, MutableBytes out) {
  THERIAC_ASSERT(sealed.size() >= kGcmTagBytes && out.size() == sealed.size() - kGcmTagBytes);
  const ByteView tag = sealed.last(kGcmTagBytes);
  state_->start(nonce, aad);
  if (!out.empty()) {
    gcrypt_must(
        gcry_cipher_decrypt(state_->cipher, out.data(), out.size(), sealed.data(), out.size()));
  }
  // checktag compares in constant time.
  if (gcry_cipher_checktag(state_->cipher, tag.data(), tag.size()) != 0) {
    wipe(out);
    return fail(Code::kNotAuthentic);
  }
  return {};
}

struct CmacKey::State {
  gcry_mac_hd_t mac = nullptr;

  State(int algorithm, ByteView key) {
    gcrypt_ready();
    gcrypt_must(gcry_mac_open(&mac, algorithm, 0, nullptr));
    gcrypt_must(gcry_mac_setkey(mac, key.data(), key.size()));
  }
  ~State() { gcry_mac_close(mac); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  void write(ByteView data) {
    if (!data.empty()) gcrypt_must(gcry_mac_write(mac, data.data(), data.size()));
  }
  Block finish() {
    Block out;
    std::size_t size = out.size();
    gcrypt_must(gcry_mac_read(mac, out.data(), &size));
    gcrypt_must(gcry_mac_reset(mac));
    return out;
  }
};

CmacKey::CmacKey(const Key256& aes256)
    : state_(std::make_unique<State>(GCRY_MAC_CMAC_AES, CryptoSecretAccess::bytes(aes256))) {}
CmacKey::CmacKey(const Secret<16>& sm4)
    : state_(std::make_unique<State>(GCRY_MAC_CMAC_SM4, CryptoSecretAccess::bytes(sm4))) {}
CmacKey::~CmacKey() = default;
CmacKey::CmacKey(CmacKey&&) noexcept = default;
CmacKey& CmacKey::operator=(CmacKey&&) noexcept = default;

Block CmacKey::mac(ByteView data) {
  state_->write(data);
  return state_->finish();
}

Block CmacKey::mac(ByteView first, ByteView second) {
  state_->write(first);
  state_->write(second);
  return state_->finish();
}

}  // namespace theriac::crypto
