// Labels per second: the symbol, its place, and each form of output.
#include <benchmark/benchmark.h>

#include "label/layout.hpp"
#include "label/pdf.hpp"
#include "label/png.hpp"
#include "label/sheet.hpp"
#include "label/svg.hpp"
#include "label/zpl.hpp"

// BENCHMARK() of Debian's Google Benchmark uses __COUNTER__.
#pragma clang diagnostic ignored "-Wc2y-extensions"

namespace {

using namespace theriac;
using namespace theriac::label;

gs1::ElementString elements_of(std::uint64_t serial) {
  return gs1::ElementString({{"01", "09504000059101"},
                             {"21", "8X2K7Q" + std::to_string(100'000 + serial % 900'000)},
                             {"17", "271231"},
                             {"10", "AB12C"}});
}

Drawing drawing_of(std::uint64_t serial, Carrier carrier) {
  const auto elements = elements_of(serial);
  const auto symbol = make_symbol(elements, carrier).value();
  Design design;
  design.grid = grid_of({});
  return lay_out(
             symbol,
             {{"Exemplar 20 mg, 28 tablets"}, human_text(elements, TextForm::kEuMedicine, 2026)},
             design)
      .value();
}

template <Carrier carrier>
void symbol(benchmark::State& state) {
  std::uint64_t serial = 0;
  for (auto _ : state) benchmark::DoNotOptimize(make_symbol(elements_of(++serial), carrier));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(symbol<Carrier::kDataMatrix>);
BENCHMARK(symbol<Carrier::kGs1128>);
BENCHMARK(symbol<Carrier::kQrLink>);

void layout(benchmark::State& state) {
  std::uint64_t serial = 0;
  for (auto _ : state) benchmark::DoNotOptimize(drawing_of(++serial, Carrier::kDataMatrix));
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(layout);

/// From the serial to the bytes.
void label_svg(benchmark::State& state) {
  std::uint64_t serial = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(svg(drawing_of(++serial, Carrier::kDataMatrix)));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(label_svg);

void label_zpl(benchmark::State& state) {
  std::uint64_t serial = 0;
  for (auto _ : state) {
    benchmark::DoNotOptimize(zpl(drawing_of(++serial, Carrier::kDataMatrix), {}));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(label_zpl);

void symbol_png(benchmark::State& state) {
  std::uint64_t serial = 0;
  for (auto _ : state) {
    const auto made = make_symbol(elements_of(++serial), Carrier::kDataMatrix).value();
    benchmark::DoNotOptimize(png(made, 0.38, 300));
  }
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(symbol_png);

/// 240 labels on ten sheets of A4.
void sheets_pdf(benchmark::State& state) {
  constexpr int kLabels = 240;
  const Sheet sheet{.top_mm = 0.5};
  for (auto _ : state) {
    std::vector<Drawing> labels;
    for (std::uint64_t i = 0; i < kLabels; ++i) {
      labels.push_back(drawing_of(i, Carrier::kDataMatrix));
    }
    benchmark::DoNotOptimize(pdf(arrange(sheet, labels).value()));
  }
  state.SetItemsProcessed(state.iterations() * kLabels);
}
BENCHMARK(sheets_pdf)->Unit(benchmark::kMillisecond);

}  // namespace
