// Which partners received an item: who has to be told of a recall, and what to look for with whom.
//
// A container is received as one: the visit is noted for its row alone, and is a visit of what was
// packed in it before. When something leaves a container, it takes the visits of that time along.
// A receipt at a place of ours is no visit.
//
// Threading: as the session of the Work.
#pragma once

#include <span>
#include <vector>

#include "trace/items.hpp"

namespace theriac::trace {

struct Visit {
  ItemKey item{};
  PlaceKey place = kNowhere;
  std::int64_t when_ms = 0;
};

/// Those that are there already are left as they are.
Status add_visits(Work& work, std::span<const Visit> visits);
/// Of one row, without those of the containers it is in.
Result<std::vector<Visit>> visits_of(Work& work, const ItemKey& item);

/// What one that leaves a container takes along. `chain` is what it was in, from the nearest to the
/// outermost, as before it left.
class Inherited {
 public:
  static Result<Inherited> of(Work& work, std::span<const ItemRow> chain);
  /// `packed_ms`: since when it was in the nearest.
  void add_to(std::vector<Visit>& visits, const ItemKey& item, std::int64_t packed_ms) const;

 private:
  std::vector<Visit> visits_;
};

}  // namespace theriac::trace
