// Seal, open and index a 32-byte value with each suite, beside what the library alone takes.
// The budgets are in the project's plan: 500, 300 and 200 ns for suite 1 on one core.
#include <benchmark/benchmark.h>
#include <gcrypt.h>

#include "crypto/random.hpp"
#include "seal/sealed.hpp"
#include "seal/stream.hpp"

// BENCHMARK() of Debian's Google Benchmark uses __COUNTER__.
#pragma clang diagnostic ignored "-Wc2y-extensions"

namespace theriac::seal {
namespace {

constexpr std::size_t kValueBytes = 32;

LeasedKey leased(Suite suite, Purpose purpose) {
  LeasedKey key;
  key.suite = suite;
  key.purpose = purpose;
  key.material = crypto::new_key256();
  key.id = commit_key(suite, purpose, key.material);
  return key;
}

Binding binding_with_row(bool row) {
  crypto::SystemRandom random;
  Binding binding{random.id<TenantId>(), Kind::kColumn, random.id<FieldId>(), std::nullopt};
  if (row) binding.row = random.id<RowId>();
  return binding;
}

Suite suite_of(const benchmark::State& state) { return static_cast<Suite>(state.range(0)); }

void BM_Seal(benchmark::State& state) {
  crypto::SystemRandom random;
  auto sealer = Sealer::make(leased(suite_of(state), Purpose::kData), random);
  const Binding binding = binding_with_row(state.range(1) != 0);
  const Buckets buckets = state.range(1) != 0 ? Buckets{64} : Buckets{};
  const Bytes value(kValueBytes, 'v');
  for (auto _ : state) benchmark::DoNotOptimize(sealer->seal(binding, buckets, value));
}
BENCHMARK(BM_Seal)->ArgNames({"suite", "row_and_bucket"})->ArgsProduct({{1, 2}, {0, 1}});

void BM_Open(benchmark::State& state) {
  crypto::SystemRandom random;
  const LeasedKey key = leased(suite_of(state), Purpose::kData);
  auto sealer = Sealer::make(key, random);
  Opener opener;
  const bool added = opener.add(key).has_value();
  const Binding binding = binding_with_row(state.range(1) != 0);
  const Buckets buckets = state.range(1) != 0 ? Buckets{64} : Buckets{};
  const auto sealed = sealer->seal(binding, buckets, Bytes(kValueBytes, 'v'));
  Bytes out;
  for (auto _ : state) {
    if (!added || !opener.open_into(binding, *sealed, out)) state.SkipWithError("did not open");
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_Open)->ArgNames({"suite", "row_and_bucket"})->ArgsProduct({{1, 2}, {0, 1}});

/// Every value has a nonce prefix the cache does not hold: a table written under very many leases.
void BM_OpenUncached(benchmark::State& state) {
  crypto::SystemRandom random;
  const LeasedKey key = leased(suite_of(state), Purpose::kData);
  Opener opener;
  const bool added = opener.add(key).has_value();
  const Binding binding = binding_with_row(false);
  std::vector<Bytes> values;
  for (int i = 0; i < 4096; ++i) {
    values.push_back(*Sealer::make(key, random)->seal(binding, {}, Bytes(kValueBytes, 'v')));
  }
  Bytes out;
  std::size_t next = 0;
  for (auto _ : state) {
    if (!added || !opener.open_into(binding, values[next++ % values.size()], out)) {
      state.SkipWithError("did not open");
    }
    benchmark::DoNotOptimize(out.data());
  }
}
BENCHMARK(BM_OpenUncached)->ArgName("suite")->Arg(1)->Arg(2);

void BM_BlindIndex(benchmark::State& state) {
  auto indexer = Indexer::make(leased(suite_of(state), Purpose::kIndex), TenantId{},
                               domain_of("customer"), "identity");
  const Bytes value(kValueBytes, 'v');
  for (auto _ : state) benchmark::DoNotOptimize(indexer->index(value));
}
BENCHMARK(BM_BlindIndex)->ArgName("suite")->Arg(1)->Arg(2);

/// The peer: libgcrypt's GCM alone, kept key, same associated data and plaintext.
void BM_BareGcm(benchmark::State& state) {
  const bool sm4 = suite_of(state) == Suite::kSm4Gcm;
  gcry_check_version(nullptr);
  gcry_cipher_hd_t cipher = nullptr;
  const Bytes key(sm4 ? 16 : 32, 'k');
  gcry_cipher_open(&cipher, sm4 ? GCRY_CIPHER_SM4 : GCRY_CIPHER_AES256, GCRY_CIPHER_MODE_GCM, 0);
  gcry_cipher_setkey(cipher, key.data(), key.size());
  const Bytes nonce(12, 'n');
  const Bytes aad(52, 'a');
  Bytes body(kValueBytes, 'v');
  Bytes tag(16);
  for (auto _ : state) {
    gcry_cipher_setiv(cipher, nonce.data(), nonce.size());
    gcry_cipher_authenticate(cipher, aad.data(), aad.size());
    gcry_cipher_encrypt(cipher, body.data(), body.size(), nullptr, 0);
    gcry_cipher_gettag(cipher, tag.data(), tag.size());
    benchmark::DoNotOptimize(tag.data());
  }
  gcry_cipher_close(cipher);
}
BENCHMARK(BM_BareGcm)->ArgName("suite")->Arg(1)->Arg(2);

void BM_StreamSeal(benchmark::State& state) {
  crypto::SystemRandom random;
  const LeasedKey key = leased(suite_of(state), Purpose::kStream);
  const Bytes data(16U << 20U, 'd');
  Bytes out;
  for (auto _ : state) {
    out.clear();
    auto sealer = StreamSealer::make(key, TenantId{}, random);
    if (!sealer->update(data, out) || !sealer->finish(out)) state.SkipWithError("did not seal");
  }
  state.SetBytesProcessed(static_cast<std::int64_t>(data.size()) * state.iterations());
}
BENCHMARK(BM_StreamSeal)->ArgName("suite")->Arg(1)->Arg(2)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace theriac::seal
