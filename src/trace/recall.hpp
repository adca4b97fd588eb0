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

#include "trace/recall_search.hpp"
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
  codec::Json search;      ///< what was searched for; null: lots and a list were given
};

struct OpenedRecall {
  std::int64_t id = 0;
  std::vector<RefusedItem> refused;  ///< of the list; with any, nothing was recalled
};
/// Lots as a whole, and a list. Code::kMalformed for the level or no reason, kOutOfRange for
/// nothing to recall, kNotFound for a lot, kConflict for one that is recalled already.
Result<OpenedRecall> open_recall(Work& work, std::string_view level,
                                 std::span<const std::int64_t> lots,
                                 std::span<const std::string> items, const Who& who);
/// What a search finds: lots as a whole, or the items of them that match. kConflict when it finds
/// another number of items than were `expected`, kOutOfRange when none.
Result<std::int64_t> open_recall(Work& work, std::string_view level, const RecallSearch& search,
                                 std::int64_t expected, const Who& who);
/// kNotFound, kConflict.
Status close_recall(Work& work, std::int64_t id, const Who& who);
Result<Recall> recall(Work& work, std::int64_t id);
/// With a partner: those it was told of.
Result<std::vector<Recall>> recalls(Work& work, std::int64_t after, std::int64_t limit,
                                    std::int64_t partner = 0);

/// What a partner was told, and answered.
struct RecallNotice {
  std::int64_t partner = 0;
  std::int64_t told_ms = 0;      ///< 0: nobody told it yet
  std::int64_t answered_ms = 0;  ///< 0: no answer yet
  std::int64_t missing = 0;      ///< what it should have and does not find
  std::string how, answer;       ///< by telephone, by letter; its own words
};
/// That a partner was told: `how`. Again replaces what was noted.
Status note_told(Work& work, std::int64_t recall, std::int64_t partner, std::string_view how,
                 const Who& who);
/// A partner's answer; kNotFound for one that was not told.
Status note_answer(Work& work, std::int64_t recall, std::int64_t partner, std::int64_t missing,
                   std::string_view answer, const Who& who);
Result<std::vector<RecallNotice>> notices_of(Work& work, std::int64_t recall);
/// Whether this partner was told.
Result<bool> was_told(Work& work, std::int64_t recall, std::int64_t partner);

}  // namespace theriac::trace
