// Documents out of text: EPCIS 2.0 as JSON-LD (section 10) and XML (section 9), EPCIS 1.0 to 1.2 as
// XML.
//
// Events come one by one: each is either whole and valid, or refused with the reasons, and the
// others are not concerned. What is wrong with the document itself refuses all of it. What partners
// send that is not as the standard has it, but means one thing only, is read and named
// (problem.hpp).
//
// Safe on anything: limits.hpp while reading; no key twice (JSON); no declarations, external
// entities or includes, no network (XML). Nothing of the input is in an error.
//
// Threading: free functions; the callback runs in the caller.
#pragma once

#include <functional>

#include "base/error.hpp"
#include "epcis/document.hpp"
#include "epcis/problem.hpp"

namespace theriac::epcis {

struct ReadOptions {
  /// Deviations that are to be refused; all_deviations() for what the standard has and no more. For
  /// a server, GS1's TCR-53 step 29 demands kSensorFieldDiffers at least, by its letter also
  /// kSensorFieldTwice, which GS1's own examples are full of.
  ProblemCodes refused;
};

struct EventReading {
  std::size_t index = 0;          ///< in the document, from 0
  std::optional<Event> event;     ///< nothing: refused
  std::vector<Problem> problems;  ///< paths are within the event
};
/// False stops the reading; what was read until then is returned.
using OnEvent = std::function<bool(EventReading&&)>;

struct Reading {
  Document document;              ///< with the events, unless they went to a callback
  std::vector<Problem> problems;  ///< of the document itself
  bool refused = false;           ///< by one of these; then there are no events
  std::vector<EventReading>
      events;  ///< that were refused or deviate; without the events themselves
};

/// Code::kMalformed (the place is a byte or line), kTooLarge, kOutOfRange for what cannot be read
/// at all. Every event goes to `on_event`; Reading::events and its document's stay empty.
Result<Reading> read_json(std::string_view text, const ReadOptions& options,
                          const OnEvent& on_event);
Result<Reading> read_xml(std::string_view text, const ReadOptions& options,
                         const OnEvent& on_event);

/// The same with the valid events in the document.
Result<Reading> read_json(std::string_view text, const ReadOptions& options = {});
Result<Reading> read_xml(std::string_view text, const ReadOptions& options = {});

}  // namespace theriac::epcis
