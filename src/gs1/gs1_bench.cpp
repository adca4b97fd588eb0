// A pack of medicine in each form: read, checked as a whole, written.
#include <benchmark/benchmark.h>

#include "gs1/digital_link.hpp"
#include "gs1/epc.hpp"
#include "gs1/scan.hpp"

#pragma clang diagnostic ignored "-Wc2y-extensions"  // __COUNTER__ in BENCHMARK

namespace {

using namespace theriac::gs1;  // NOLINT: one file, one subject

constexpr std::string_view kBracketed = "(01)09504000059101(17)261231(10)LOT1A(21)A1B2C3D4E5";
constexpr std::string_view kScan =
    "]d201095040000591011726123110LOT1A\x1d"
    "21A1B2C3D4E5";
constexpr std::string_view kLink =
    "https://id.gs1.org/01/09504000059101/10/LOT1A/21/A1B2C3D4E5?17=261231";
constexpr std::string_view kUrn = "urn:epc:id:sgtin:9504000.005910.A1B2C3D4E5";

void read(benchmark::State& state, std::string_view text) {
  for (auto _ : state) benchmark::DoNotOptimize(read_scan(text));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(read, bracketed, kBracketed);
BENCHMARK_CAPTURE(read, data_matrix, kScan);
BENCHMARK_CAPTURE(read, digital_link, kLink);
BENCHMARK_CAPTURE(read, epc_urn, kUrn);

template <typename Write>
void write(benchmark::State& state, Write to_text) {
  const auto elements = *parse_bracketed(kBracketed);
  for (auto _ : state) benchmark::DoNotOptimize(to_text(elements));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK_CAPTURE(write, data_matrix,
                  [](const auto& elements) { return scan(elements, Symbology::kDataMatrix); });
BENCHMARK_CAPTURE(write, digital_link, [](const auto& elements) { return digital_link(elements); });

void urn_to_link(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(epc_link(*parse_epc(kUrn)));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(urn_to_link);

}  // namespace
