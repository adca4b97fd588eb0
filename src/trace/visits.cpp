#include "trace/visits.hpp"

#include <algorithm>
#include <array>

namespace theriac::trace {

Status add_visits(Work& work, std::span<const Visit> visits) {
  if (visits.empty()) return {};
  std::vector<store::Param> values;
  values.reserve(visits.size() * 3);
  for (const auto& one : visits) {
    values.insert(values.end(), {ByteView(one.item), one.place, one.when_ms});
  }
  constexpr std::array<std::string_view, 3> kColumns{"item", "place", "when_ms"};
  THERIAC_TRY(work.session.insert("visits", kColumns, values, "ON CONFLICT DO NOTHING"));
  return {};
}

Result<std::vector<Visit>> visits_of(Work& work, const ItemKey& item) {
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT place, when_ms FROM visits "
                                                   "WHERE item = $1 ORDER BY when_ms, place",
                                                   ByteView(item)));
  std::vector<Visit> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    all.push_back({item, rows->integer(0), rows->integer(1)});
  }
}

Result<Inherited> Inherited::of(Work& work, std::span<const ItemRow> chain) {
  Inherited made;
  // What was received before the inner container came into it is none of its contents' visits. A
  // packed row is not written until it leaves, so it was changed when it was packed.
  std::int64_t since_ms = 0;
  for (const auto& container : chain) {
    THERIAC_ASSIGN(const auto visits, visits_of(work, container.key));
    std::ranges::copy_if(visits, std::back_inserter(made.visits_),
                         [&](const Visit& one) { return one.when_ms >= since_ms; });
    since_ms = std::max(since_ms, container.changed_ms);
  }
  return made;
}

void Inherited::add_to(std::vector<Visit>& visits, const ItemKey& item,
                       std::int64_t packed_ms) const {
  for (const auto& one : visits_) {
    if (one.when_ms >= packed_ms) visits.push_back({item, one.place, one.when_ms});
  }
}

}  // namespace theriac::trace
