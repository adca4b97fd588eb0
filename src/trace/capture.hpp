// EPCIS events coming in: kept, and what they say of our own items done to them.
//
// An event about items that we know moves them through their life, checked like every act. What
// cannot be done is kept all the same and becomes work for a person: a message is never lost, and a
// wrong one changes nothing. Events about others' products are kept and not judged.
//
// Threading: as the session of the Work.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "epcis/document.hpp"
#include "trace/events.hpp"
#include "trace/tracker.hpp"
#include "trace/work_list.hpp"

namespace theriac::trace {

/// The act that an event tells of, if it tells of one.
struct EventAct {
  Act act;
  std::vector<std::string> items;
  std::string container;
};
/// By business step, action and disposition: CBV 2.0 section 7. nullopt: an observation.
std::optional<EventAct> act_of(const epcis::Event& event);

struct CapturedEvent {
  KeptEvent kept;
  std::optional<Act> act;            ///< that was done, or tried
  std::vector<RefusedItem> refused;  ///< places in act_of(event)->items
  std::int64_t work = 0;             ///< the work item that was raised, 0: none
};

/// One transaction's events, in their order. Code::kAlreadyExists, with nothing kept, when one has
/// another event's ID and `proceed` is not set.
Result<std::vector<CapturedEvent>> capture(Work& work, const epcis::Document& document,
                                           std::span<const epcis::Event> events, EventFormat format,
                                           bool proceed, const Who& who);

/// What a work item's event tells, tried again for the items that were refused; what still cannot
/// be done is the same work item. Code::kNotFound.
Result<CapturedEvent> retry_event(Work& work, const WorkItem& item, const Who& who);

}  // namespace theriac::trace
