#include "seal/xaes.hpp"

#include "seal/secret_access.hpp"

namespace theriac::seal {

namespace {
crypto::GcmKey message_key(const Key256& key, std::span<const std::uint8_t, 24> nonce) {
  NoncePrefix prefix;
  std::ranges::copy(nonce.first<kNoncePrefixBytes>(), prefix.begin());
  return crypto::GcmKey(XaesKey(key).derive(prefix));
}
}  // namespace

Key256 XaesKey::derive(const NoncePrefix& prefix) {
  // Steps 3 to 5: one CMAC block each for the counters 1 and 2. A message of exactly one block
  // makes CMAC the single AES call with K1 that the specification writes out.
  crypto::Block message{0, 0, 'X', 0};
  std::ranges::copy(prefix, message.begin() + 4);
  Key256 derived;
  const auto out = SealSecretAccess::mutable_bytes(derived);
  for (std::uint8_t counter = 1; counter <= 2; ++counter) {
    message[1] = counter;
    crypto::Block half = cmac_.mac(message);
    std::ranges::copy(half, out.begin() + (counter - 1) * 16);
    wipe(half);
  }
  return derived;
}

void xaes_seal(const Key256& key, std::span<const std::uint8_t, 24> nonce, ByteView aad,
               ByteView plaintext, MutableBytes out) {
  message_key(key, nonce).seal(nonce.last<12>(), aad, plaintext, out);
}

Status xaes_open(const Key256& key, std::span<const std::uint8_t, 24> nonce, ByteView aad,
                 ByteView sealed, MutableBytes out) {
  return message_key(key, nonce).open(nonce.last<12>(), aad, sealed, out);
}

}  // namespace theriac::seal
