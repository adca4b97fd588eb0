#include "trace/sightings.hpp"

#include <vector>

#include "trace/limits.hpp"

namespace theriac::trace {

std::optional<Sighting> Sightings::exchange(const ItemKey& item, const Sighting& seen) {
  const std::lock_guard lock(mutex_);
  std::optional<Sighting> before;
  if (const auto at = noted_.find(item); at != noted_.end()) {
    before = std::exchange(at->second, seen);
    return before;
  }
  if (const auto at = writing_.find(item); at != writing_.end()) before = at->second;
  const auto unwritten = noted_.size() + (written_ ? 0 : writing_.size());
  if (unwritten < kSightingsMax) noted_.emplace(item, seen);
  return before;
}

Result<std::optional<Sighting>> Sightings::note(Work& work, const ItemKey& item,
                                                const Sighting& seen) {
  if (const auto before = exchange(item, seen)) return before;
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT place, when_ms FROM sightings WHERE item = $1",
                                        ByteView(item)));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return std::nullopt;
  return Sighting{rows->integer(0), rows->integer(1)};
}

bool Sightings::waiting() const {
  const std::lock_guard lock(mutex_);
  return !noted_.empty() || !written_;
}

Status Sightings::write(Work& work) {
  std::vector<store::Param> values;
  {
    const std::lock_guard lock(mutex_);
    // What an earlier attempt could not write, unless it was seen again since.
    if (!written_) noted_.merge(writing_);
    writing_ = std::exchange(noted_, {});
    written_ = false;
    values.reserve(3 * writing_.size());
    // Nothing but the next write() changes what is being written.
    for (const auto& [item, seen] : writing_) {
      values.insert(values.end(), {ByteView(item), seen.place, seen.when_ms});
    }
  }
  constexpr std::array<std::string_view, 3> kColumns{"item", "place", "when_ms"};
  THERIAC_TRY(work.session.insert(
      "sightings", kColumns, values,
      "ON CONFLICT(item) DO UPDATE SET place = excluded.place, when_ms = excluded.when_ms"));
  return {};
}

void Sightings::written() {
  const std::lock_guard lock(mutex_);
  written_ = true;
}

}  // namespace theriac::trace
