// Fills a store with items as they would come in, and measures what is asked of it at that size.
//
// usage: trace_growth STORE ITEMS
// STORE: sqlite:/path or a conninfo of PostgreSQL. Goes on from the items that are there. Items are
// commissioned by EPCIS events of 100 items, ten events a transaction; of every 100,000 items
// 10,000 are packed on one pallet. What a run that was ended has left half done is not asked about.
// Prints lines of JSON.
#include <charconv>
#include <cstdio>

#include "trace/bench_site.hpp"

namespace {

using namespace theriac;         // NOLINT: a program of one file
using namespace theriac::trace;  // NOLINT
using Time = std::chrono::steady_clock;

constexpr std::int64_t kAllocation = 10'000, kTransaction = 1'000, kEvent = 100;
constexpr std::int64_t kPalletEvery = 10, kReportEvery = 10;

double seconds_since(Time::time_point began) {
  return std::chrono::duration<double>(Time::now() - began).count();
}

/// The pallet that holds the items of the allocation that begins with this counter.
std::string pallet(std::int64_t first) { return BenchSite::sscc(first / kAllocation); }

void add_allocation(BenchSite& site, std::int64_t first) {
  const auto links = site.issue(kAllocation);
  for (std::int64_t at = 0; at < kAllocation; at += kTransaction) {
    const auto some = std::span(links).subspan(static_cast<std::size_t>(at), kTransaction);
    site.must_capture(site.commissionings(some, kEvent));
  }
  if (first / kAllocation % kPalletEvery == 0) {
    site.must(site.request(Act::kPack, links, pallet(first)));
  }
}

void fill(BenchSite& site, std::int64_t items) {
  const auto began = Time::now();
  const auto there = site.issued();
  auto last = began;
  for (auto first = there; first < items; first += kAllocation) {
    add_allocation(site, first);
    const auto done = first + kAllocation;
    if (done / kAllocation % kReportEvery != 0 && done < items) continue;
    std::printf("{\"items\":%ld,\"per_second\":%.0f}\n", done,
                double(kReportEvery * kAllocation) / seconds_since(last));
    std::fflush(stdout);
    last = Time::now();
  }
}

/// Asks about random items, one by one.
template <typename F>
void measure(const char* what, BenchSite& site, std::int64_t items, std::size_t samples, F ask) {
  std::mt19937_64 random(static_cast<std::uint64_t>(Time::now().time_since_epoch().count()));
  std::vector<std::int64_t> counters(samples);
  for (auto& one : counters) {
    one = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(items));
  }
  const auto links = site.links_of(counters);
  std::vector<double> took;
  for (std::size_t i = 0; i < samples; ++i) {
    const auto began = Time::now();
    if (ask(links[i], counters[i])) took.push_back(seconds_since(began) * 1e3);
  }
  THERIAC_ASSERT(took.size() > samples / 2);
  std::ranges::sort(took);
  std::printf("{\"items\":%ld,\"what\":\"%s\",\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
              items, what, took[took.size() / 2], took[took.size() * 99 / 100], took.back());
  std::fflush(stdout);
}

bool ask_where(BenchSite& site, const std::string& link) {
  return site.seen([&](Work& work) -> Result<bool> {
    Identifier identifier(work);
    THERIAC_ASSIGN(const auto named, identifier.identify(link));
    THERIAC_ASSIGN(const auto row, read_item(work, named->key));
    if (!row) return false;
    THERIAC_ASSIGN(const auto found, whereabouts(work, identifier, *row));
    return found.view.state == State::kCommissioned;
  });
}

bool ask_history(BenchSite& site, const std::string& link) {
  return site.seen([&](Work& work) { return history_of(work, link, {}, 100); }).size() == 1;
}

/// As the API does: pages of a thousand, each in a transaction of its own.
bool ask_contents(BenchSite& site, std::int64_t counter) {
  const auto every = kPalletEvery * kAllocation;
  const auto container = pallet(counter / every * every);
  std::optional<ItemKey> after;
  std::int64_t count = 0;
  for (std::size_t of_page = 1'000; of_page == 1'000; count += std::int64_t(of_page)) {
    of_page = site.seen([&](Work& work) -> Result<std::size_t> {
      Identifier identifier(work);
      THERIAC_ASSIGN(const auto named, identifier.identify(container));
      THERIAC_ASSIGN(const auto rows, contents_of(work, named->key, after, 1'000));
      for (const auto& one : rows) {
        THERIAC_ASSIGN(const auto inside, identifier.of_row(one.key, one.product, one.sealed));
        THERIAC_ASSERT(!inside.serial.empty());
      }
      if (!rows.empty()) after = rows.back().key;
      return rows.size();
    });
  }
  return count == kAllocation;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return 2;
  std::int64_t items = 0;
  const std::string_view asked = argv[2];
  std::from_chars(asked.data(), asked.data() + asked.size(), items);
  BenchSite site(argv[1]);
  fill(site, items);
  measure("where", site, items, 1'000,
          [&](const auto& link, auto) { return ask_where(site, link); });
  measure("history", site, items, 1'000,
          [&](const auto& link, auto) { return ask_history(site, link); });
  measure("contents", site, items, 20,
          [&](const auto&, auto at) { return ask_contents(site, at); });
  return 0;
}
