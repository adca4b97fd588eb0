// EPCIS events as they are kept: sealed whole, found again by blind indexes of their terms, each
// party seeing its own.
//
// A term's index is the same for equal terms: a thief of the database learns how often each was
// used, and of the few words of a vocabulary which is which, if he knows how often they are; of an
// identifier he learns nothing but how often it occurs.
//
// Threading: as the session of the Work.
#pragma once

#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "epcis/document.hpp"
#include "epcis/query.hpp"
#include "trace/records.hpp"

namespace theriac::trace {

struct StoredEvent {
  std::int64_t seq = 0;      ///< in the order of storing, from 1
  std::int64_t partner = 0;  ///< who captured it; 0: our own people
  std::int64_t record_ms = 0;
  epcis::Document document;  ///< a bare event with the namespaces it came with
  [[nodiscard]] const epcis::Event& event() const { return document.events.front(); }
};

enum class Kept : std::uint8_t {
  kStored,
  kRepeated,  ///< the same event is here already: nothing was changed
  kIdTaken,   ///< another event has this eventID; refused
};
struct KeptEvent {
  Kept what = Kept::kStored;
  std::int64_t seq = 0;  ///< of the event that is there
};

/// What events were read from, and are kept as: each format can say things that the other cannot.
enum class EventFormat : std::uint8_t { kJson, kXml };

/// Stores events one after the other. `document` gives contexts and namespaces. An event without an
/// eventID gets its hash for one; a recordTime is not taken over, as section 7.4.1 has it.
/// Code::kMalformed for an event that epcis::write_json refuses.
Result<std::vector<KeptEvent>> keep_events(Work& work, const epcis::Document& document,
                                           std::span<const epcis::Event> events, EventFormat format,
                                           const Who& who);

/// Rows with no event: kNotFound.
Result<StoredEvent> read_event(Work& work, std::int64_t seq);
Result<std::optional<StoredEvent>> find_event(Work& work, std::string_view event_id);

/// Whose events may be seen: 0 sees all; a partner sees those it captured and those that name it or
/// one of its places as source, destination, read point or business location.
struct Viewer {
  std::int64_t partner = 0;
};
struct EventPage {
  std::vector<StoredEvent> events;
  std::optional<std::int64_t> next;  ///< give it as `after` for what follows; none: the end
};
/// Events that match, `limit` of them behind `after`: in the order of storing, or of the query if
/// it has one (`after` is then how many to leave out). Each has its record time. Of a query that
/// finds little a page may hold fewer, or none, and others follow: one call looks at
/// kQueryScanEvents. Code::kTooLarge if an ordered query matches more than kOrderedEventsMax or
/// would have to look further.
Result<EventPage> find_events(Work& work, const epcis::Query& query,
                              const epcis::MasterDataLookup& lookup, const Viewer& viewer,
                              std::int64_t after, std::int64_t limit);

/// Everything that happened to one identifier, oldest first.
Result<std::vector<StoredEvent>> history_of(Work& work, std::string_view epc, const Viewer& viewer,
                                            std::int64_t limit);

}  // namespace theriac::trace
