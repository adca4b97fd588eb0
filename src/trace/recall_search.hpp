// What a recall is to take back: items of a product by lot, expiry, place, time of making, or the
// partner who received them.
//
// Threading: as the session of the Work.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trace/life.hpp"
#include "trace/records.hpp"

namespace theriac::trace {

/// All that is said must hold.
struct RecallSearch {
  std::int64_t product = 0;
  std::vector<std::int64_t> lots;           ///< empty: all of the product
  std::string expires_from, expires_until;  ///< ISO 8601 dates, inclusive, or empty
  PlaceKey place = kNowhere;                ///< where they are now, or are on their way to
  std::optional<std::int64_t> made_from_ms, made_until_ms;
  std::int64_t received_by = 0;  ///< a partner, also if they went on from there
  /// Else it finds lots as a whole.
  [[nodiscard]] bool is_of_items() const {
    return place != kNowhere || made_from_ms || made_until_ms || received_by != 0;
  }
};
codec::Json json_of(const RecallSearch& search);

struct RecallFindings {
  struct OfLot {
    std::int64_t lot = 0;
    std::int64_t items = 0;  ///< that were commissioned
  };
  std::vector<OfLot> lots;  ///< that match and are not recalled yet; of items: with any
  std::int64_t items = 0;
};
/// Code::kNotFound for a product, lot, place or partner, kMalformed for a date, kConflict for a lot
/// of another product.
Result<RecallFindings> find_for_recall(Work& work, const RecallSearch& search);

/// Puts the items that match into a recall's list and marks them; how many.
Result<std::int64_t> mark_for_recall(Work& work, const RecallSearch& search,
                                     const RecallFindings& found, std::int64_t recall);

}  // namespace theriac::trace
