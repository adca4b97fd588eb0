// Numbers made and found again; commissionings, captures and verifications on SQLite, durable, in a
// store that has 100,000 items.
#include <benchmark/benchmark.h>
#include <unistd.h>
#include <filesystem>

#include "trace/bench_site.hpp"
#include "trace/verification.hpp"

// BENCHMARK() of Debian's Google Benchmark uses __COUNTER__.
#pragma clang diagnostic ignored "-Wc2y-extensions"

namespace theriac::trace {
namespace {

constexpr std::int64_t kThere = 100'000;

void count(benchmark::State& state, std::int64_t of_one) {
  state.SetItemsProcessed(state.iterations() * of_one);
}

Numbers numbers() {
  const NumberRule rule{14, std::string(kClearCharacters), "", "", 1'000'000'000};
  return Numbers::make(rule, testing_support::index_key(), testing_support::tenant(),
                       testing_support::pool())
      .value();
}

void BM_NumbersMade(benchmark::State& state) {
  auto order = numbers();
  std::vector<std::string> drawn;
  std::uint64_t first = 0;
  for (auto _ : state) {
    drawn.clear();
    THERIAC_ASSERT(order.draw(first, 10'000, drawn).has_value());
    first += 10'000;
  }
  count(state, 10'000);
}
BENCHMARK(BM_NumbersMade);

void BM_NumbersFound(benchmark::State& state) {
  auto order = numbers();
  std::vector<std::string> drawn;
  THERIAC_ASSERT(order.draw(0, 10'000, drawn).has_value());
  for (auto _ : state) {
    for (const auto& serial : drawn) benchmark::DoNotOptimize(order.counter_of(serial));
  }
  count(state, 10'000);
}
BENCHMARK(BM_NumbersFound);

class Folder {
 public:
  Folder() { THERIAC_ASSERT(::mkdtemp(name_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(name_); }
  [[nodiscard]] std::string file() const { return name_ + "/db"; }

 private:
  std::string name_ = "/tmp/theriac-bench-XXXXXX";
};

struct Filled {
  Folder folder;
  BenchSite site{"sqlite:" + folder.file()};
  std::vector<std::string> links = site.issue(kThere);
  Filled() { site.must(site.request(Act::kCommission, links)); }
  static BenchSite& get() { return made().site; }
  static const std::vector<std::string>& items() { return made().links; }

 private:
  static Filled& made() {
    static Filled filled;
    return filled;
  }
};

void BM_Commission(benchmark::State& state) {
  auto& site = Filled::get();
  for (auto _ : state) {
    state.PauseTiming();
    const auto request = site.request(Act::kCommission, site.issue(state.range(0)));
    state.ResumeTiming();
    site.must(request);
  }
  count(state, state.range(0));
}
BENCHMARK(BM_Commission)
    ->ArgName("batch")
    ->Arg(1'000)
    ->Arg(10'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

/// `range` commissionings of one item each in one transaction.
void BM_CaptureCommissionings(benchmark::State& state) {
  auto& site = Filled::get();
  for (auto _ : state) {
    state.PauseTiming();
    const auto document = site.commissionings(site.issue(state.range(0)), 1);
    state.ResumeTiming();
    site.must_capture(document);
  }
  count(state, state.range(0));
}
BENCHMARK(BM_CaptureCommissionings)
    ->ArgName("events")
    ->Arg(100)
    ->Arg(1'000)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_Verify(benchmark::State& state) {
  auto& site = Filled::get();
  Sightings sightings;
  std::size_t at = 0;
  for (auto _ : state) {
    const auto& link = Filled::items()[at++ * 7919 % Filled::items().size()];
    const auto found = site.seen([&](Work& work) { return verify(work, link, {}, sightings); });
    if (found.verdict != Verdict::kGenuine) state.SkipWithError("not genuine");
  }
  count(state, 1);
}
BENCHMARK(BM_Verify)->Unit(benchmark::kMicrosecond);

}  // namespace
}  // namespace theriac::trace
