// The primitives under the seals, at the sizes the seals use, beside OpenSSL's with contexts kept
// as well as its interface allows (docs/adr/0003).
#include <benchmark/benchmark.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>

#include "crypto/cipher.hpp"
#include "crypto/ff1.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/sign.hpp"

// BENCHMARK() of Debian's Google Benchmark uses __COUNTER__.
#pragma clang diagnostic ignored "-Wc2y-extensions"

namespace theriac::crypto {
namespace {

void BM_Hmac(benchmark::State& state) {
  HmacKey key(static_cast<HashKind>(state.range(0)), new_key256());
  const Bytes value(32, 'v');
  for (auto _ : state) benchmark::DoNotOptimize(key.mac(value));
}
BENCHMARK(BM_Hmac)->ArgName("sm3")->Arg(0)->Arg(1);

void BM_CmacAes256(benchmark::State& state) {
  CmacKey key(new_key256());
  const Bytes value(static_cast<std::size_t>(state.range(0)), 'v');
  for (auto _ : state) benchmark::DoNotOptimize(key.mac(value));
}
BENCHMARK(BM_CmacAes256)->Arg(16)->Arg(107);

void BM_GcmSealAes256(benchmark::State& state) {
  GcmKey key(new_key256());
  const std::array<std::uint8_t, kGcmNonceBytes> nonce{};
  const Bytes aad(52, 'a');
  Bytes out(32 + kGcmTagBytes);
  for (auto _ : state) {
    key.seal(nonce, aad, ByteView(out).first(32), out);
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_GcmSealAes256);

void BM_OpenSslGcmSealAes256(benchmark::State& state) {
  EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  EVP_CIPHER_CTX* const context = EVP_CIPHER_CTX_new();
  const Bytes key(32, 'k');
  const Bytes nonce(12, 'n');
  const Bytes aad(52, 'a');
  Bytes body(32, 'v');
  Bytes tag(16);
  int size = 0;
  EVP_EncryptInit_ex2(context, cipher, key.data(), nonce.data(), nullptr);
  for (auto _ : state) {
    EVP_EncryptInit_ex2(context, nullptr, nullptr, nonce.data(), nullptr);
    EVP_EncryptUpdate(context, nullptr, &size, aad.data(), static_cast<int>(aad.size()));
    EVP_EncryptUpdate(context, body.data(), &size, body.data(), static_cast<int>(body.size()));
    EVP_EncryptFinal_ex(context, body.data(), &size);
    EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag.data());
    benchmark::DoNotOptimize(tag.data());
  }
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(cipher);
}
BENCHMARK(BM_OpenSslGcmSealAes256);

/// HMAC or CMAC of `size` bytes with a kept key.
void openssl_mac(benchmark::State& state, const char* mac_name, const char* param,
                 std::string algorithm, std::size_t size) {
  EVP_MAC* const mac = EVP_MAC_fetch(nullptr, mac_name, nullptr);
  EVP_MAC_CTX* const context = EVP_MAC_CTX_new(mac);
  const std::array<OSSL_PARAM, 2> params = {
      OSSL_PARAM_construct_utf8_string(param, algorithm.data(), 0), OSSL_PARAM_construct_end()};
  const Bytes key(32, 'k');
  const Bytes value(size, 'v');
  Bytes out(32);
  std::size_t made = 0;
  EVP_MAC_init(context, key.data(), key.size(), params.data());
  for (auto _ : state) {
    EVP_MAC_init(context, nullptr, 0, nullptr);
    EVP_MAC_update(context, value.data(), value.size());
    EVP_MAC_final(context, out.data(), &made, out.size());
    benchmark::DoNotOptimize(out.data());
  }
  EVP_MAC_CTX_free(context);
  EVP_MAC_free(mac);
}
void BM_OpenSslHmacSha256(benchmark::State& state) {
  openssl_mac(state, "HMAC", OSSL_MAC_PARAM_DIGEST, "SHA256", 32);
}
BENCHMARK(BM_OpenSslHmacSha256);
void BM_OpenSslHmacSm3(benchmark::State& state) {
  openssl_mac(state, "HMAC", OSSL_MAC_PARAM_DIGEST, "SM3", 32);
}
BENCHMARK(BM_OpenSslHmacSm3);
void BM_OpenSslCmacAes256(benchmark::State& state) {
  openssl_mac(state, "CMAC", OSSL_MAC_PARAM_CIPHER, "AES-256-CBC", 107);
}
BENCHMARK(BM_OpenSslCmacAes256);

void BM_Random12(benchmark::State& state) {
  SystemRandom random;
  std::array<std::uint8_t, 12> out;
  for (auto _ : state) {
    random.fill(out);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(BM_Random12);

void BM_Ed25519Sign(benchmark::State& state) {
  const auto key = Ed25519Key::generate();
  const Bytes message(128, 'm');
  for (auto _ : state) benchmark::DoNotOptimize(key.sign(message));
}
BENCHMARK(BM_Ed25519Sign);

/// Serials of 12 characters of 32, as many together as the argument says.
void BM_Ff1(benchmark::State& state) {
  auto ff1 = Ff1::make(new_key256(), 32, 12, bytes_of("tweak"));
  std::vector<Ff1Text> texts(static_cast<std::size_t>(state.range(0)));
  for (auto _ : state) ff1->encrypt(texts);
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Ff1)->Arg(1)->Arg(64)->Arg(1000);

}  // namespace
}  // namespace theriac::crypto
