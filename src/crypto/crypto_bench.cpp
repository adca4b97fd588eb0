// The primitives under the seals, at the sizes the seals use.
#include <benchmark/benchmark.h>

#include "crypto/cipher.hpp"
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

}  // namespace
}  // namespace theriac::crypto
