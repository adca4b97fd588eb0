// Recalls: of lots, and of single items. A recall is not taken back; it is closed when nothing more
// is to be done for it. From the moment it is committed no act brings the items to a patient, and
// verification says "recalled".
//
// Threading: as the session of the Work.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "trace/tracker.hpp"

namespace theriac::trace {

struct Recall {
  std::int64_t id = 0;
  bool open = true;
  std::int64_t opened_ms = 0, closed_ms = 0;
  std::string level;  ///< "I", "II" or "III": 21 CFR 7.3(m), NMPA's one to three
  std::string reason;
  std::vector<std::int64_t> lots;
  std::int64_t items = 0;  ///< beside those of the lots
};

struct OpenedRecall {
  std::int64_t id = 0;
  std::vector<RefusedItem> refused;  ///< of the list; with any, nothing was recalled
};
/// Code::kMalformed for the level or no reason, kOutOfRange for nothing to recall, kNotFound for a
/// lot, kConflict for one that is recalled already.
Result<OpenedRecall> open_recall(Work& work, std::string_view level,
                                 std::span<const std::int64_t> lots,
                                 std::span<const std::string> items, const Who& who);
/// kNotFound, kConflict.
Status close_recall(Work& work, std::int64_t id, const Who& who);
Result<Recall> recall(Work& work, std::int64_t id);
Result<std::vector<Recall>> recalls(Work& work, std::int64_t after, std::int64_t limit);

/// Where the recalled items are.
struct Effectiveness {
  struct Line {
    State state{};
    PlaceKey place = kNowhere;  ///< of the outermost container
    std::int64_t partner = 0;   ///< whose place it is; 0: ours
    bool in_transit = false;
    std::int64_t count = 0;
  };
  std::vector<Line> lines;
  std::int64_t items = 0;
  std::int64_t recovered = 0;    ///< back at a place of ours, returned, sampled or destroyed
  std::int64_t dispensed = 0;    ///< with patients: to be told
  std::int64_t outstanding = 0;  ///< the rest: at partners, on their way, stolen
};
Result<Effectiveness> effectiveness(Work& work, std::int64_t id);

}  // namespace theriac::trace
