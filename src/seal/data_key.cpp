#include "seal/data_key.hpp"

#include "seal/secret_access.hpp"

namespace theriac::seal {

namespace {

std::variant<XaesKey, Sm4Key> encryption_key(Suite suite, Purpose purpose, const Key256& material) {
  const Key256 key = derive(suite, purpose, material, "theriac/data/v1");
  if (suite == Suite::kXaes256Gcm) return XaesKey(key);
  return Sm4Key(key);
}

crypto::CmacKey nonce_key(Suite suite, Purpose purpose, const Key256& material) {
  const Key256 key = derive(suite, purpose, material, "theriac/nonce/v1");
  if (suite == Suite::kXaes256Gcm) return crypto::CmacKey(key);
  return crypto::CmacKey(first_half(key));
}

}  // namespace

Secret<16> Sm4Key::derive(const NoncePrefix& prefix) {
  crypto::Block message{0, 1, 'S', 0};
  std::ranges::copy(prefix, message.begin() + 4);
  crypto::Digest whole = hmac_.mac(message);
  Secret<16> derived(std::span(whole).first<16>());
  wipe(whole);
  return derived;
}

DataKey::DataKey(Suite suite, Purpose purpose, const Key256& material)
    : suite_(suite),
      encryption_(encryption_key(suite, purpose, material)),
      nonce_(nonce_key(suite, purpose, material)) {}

crypto::GcmKey DataKey::message_key(const NoncePrefix& prefix) {
  return std::visit([&](auto& key) { return crypto::GcmKey(key.derive(prefix)); }, encryption_);
}

void DataKey::message_key(const NoncePrefix& prefix, crypto::GcmKey& into) {
  std::visit([&](auto& key) { into.set_key(key.derive(prefix)); }, encryption_);
}

NoncePrefix DataKey::hedge(ByteView head, ByteView tail) {
  const crypto::Block mac = nonce_.mac(head, tail);
  NoncePrefix out;
  std::copy_n(mac.begin(), out.size(), out.begin());
  return out;
}

}  // namespace theriac::seal
