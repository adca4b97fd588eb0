// The work list: what could not be done, does not balance or smells, and waits for a person. Raised
// by captures, lines, counts and verification; looked at, assigned, tried again, resolved.
//
// What comes again while it is open is the same item, seen once more: a line that repeats a refused
// call fills no list. An item is never deleted; who did what to it, when and why stays in it.
//
// Errors: Code::kNotFound; kConflict for an item that is closed.
// Threading: as the session of the Work.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "trace/records.hpp"

namespace theriac::trace {

enum class WorkKind : std::uint8_t {
  kRefusedAct = 1,    ///< an event tells of what cannot have happened
  kUnknownPlace = 2,  ///< an event of our items at a place that nobody registered
  kIdTaken = 3,       ///< an event with another event's ID
  kLineRefused = 4,   ///< a line's act
  kNotBalanced = 5,   ///< a lot's numbers are not what was counted
  kAlarm = 6,         ///< a verification: a copy, a stolen pack
  kGuessing = 7,      ///< somebody verifies numbers that do not exist
};
inline constexpr std::size_t kWorkKinds = 7;
std::string_view name_of(WorkKind kind);
std::optional<WorkKind> work_kind_named(std::string_view name);

/// What is to be raised.
struct Exception {
  WorkKind kind{};
  std::string same;      ///< equal for what comes again; may hold identifiers
  std::int64_t seq = 0;  ///< of the event, 0: of none
  codec::Json details;   ///< an object
};
/// The number of its item.
Result<std::int64_t> raise(Work& work, const Exception& what);

struct WorkNote {
  std::int64_t when_ms = 0;
  std::string person, what, reason;  ///< what: "assigned", "tried again", "resolved"
};
struct WorkItem {
  std::int64_t id = 0;
  WorkKind kind{};
  bool open = true;
  std::int64_t seq = 0;
  std::int64_t raised_ms = 0, closed_ms = 0;
  std::int64_t times = 1, last_ms = 0;  ///< how often it came, and when last
  std::string assigned;                 ///< to whom; empty: nobody
  codec::Json details;                  ///< as they came last
  std::vector<WorkNote> notes;          ///< oldest first
};
Result<WorkItem> work_item(Work& work, std::int64_t id);

struct WorkFilter {
  std::optional<WorkKind> kind = std::nullopt;
  std::optional<bool> open = std::nullopt;
  /// Raised at or before.
  std::optional<std::int64_t> raised_until_ms = std::nullopt;
};
/// Oldest first, after `after`.
Result<std::vector<WorkItem>> work_list(Work& work, const WorkFilter& filter, std::int64_t after,
                                        std::int64_t limit);
inline Result<std::vector<WorkItem>> open_work(Work& work, std::int64_t after, std::int64_t limit) {
  return work_list(work, {.open = true}, after, limit);
}

/// To somebody by name; empty: to nobody.
Status assign_work(Work& work, std::int64_t id, std::string_view to, const Who& who);
/// Closes it; `who.reason` says why.
Status close_work(Work& work, std::int64_t id, const Who& who);
/// Notes that it was tried again; closed when all was `done`, else open with the details that are
/// given now.
Status note_retry(Work& work, std::int64_t id, bool done, const std::optional<codec::Json>& details,
                  const Who& who);

}  // namespace theriac::trace
