#include "trace/reconciliation.hpp"

#include <algorithm>
#include <numeric>

#include "trace/life.hpp"
#include "trace/pools.hpp"

namespace theriac::trace {
namespace {

constexpr std::array<std::string_view, kFates> kFateNames{"commissioned", "rejected", "sampled",
                                                          "destroyed",    "returned", "unused"};

/// Of an item that is out of `allocated` and `encoded`.
Fate fate_of(State state, bool was_commissioned) {
  if (!was_commissioned) return Fate::kRejected;
  if (state == State::kSampled) return Fate::kSampled;
  if (state == State::kDestroyed) return Fate::kDestroyed;
  return Fate::kCommissioned;
}

}  // namespace

std::string_view name_of(Fate fate) { return kFateNames[static_cast<std::size_t>(fate)]; }

bool Reconciliation::adds_up() const {
  return issued == std::accumulate(counts.begin(), counts.end(), std::int64_t{0}) &&
         std::ranges::all_of(counts, [](std::int64_t one) { return one >= 0; });
}

Result<Reconciliation> reconcile(Work& work, std::int64_t lot_id) {
  Reconciliation sum;
  THERIAC_ASSIGN(const auto all, allocations_of(work, lot_id));
  for (const auto& one : all) {
    sum.issued += one.count;
    sum[Fate::kReturned] += one.returned;
  }
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT state, made_ms > 0, count(*) FROM items "
                                        "WHERE lot = $1 AND allocation > 0 GROUP BY 1, 2",
                                        lot_id));
  std::int64_t used = 0;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) break;
    const auto state = static_cast<State>(rows->integer(0));
    // Printed or listed, and not used yet.
    if (state == State::kAllocated || state == State::kEncoded) continue;
    used += rows->integer(2);
    sum[fate_of(state, rows->integer(1) != 0)] += rows->integer(2);
  }
  sum[Fate::kUnused] = sum.issued - sum[Fate::kReturned] - used;
  return sum;
}

std::vector<Difference> compare(const Reconciliation& here, const Counted& counted) {
  std::vector<Difference> all;
  for (std::size_t i = 0; i < kFates; ++i) {
    if (!counted[i] || *counted[i] == here.counts[i]) continue;
    all.push_back({static_cast<Fate>(i), here.counts[i], *counted[i]});
  }
  return all;
}

}  // namespace theriac::trace
