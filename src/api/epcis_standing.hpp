// What a subscription says, as it is asked for, kept and told. Internal to the handlers of EPCIS
// and the courier.
//
// Threading: values and free functions.
#pragma once

#include <optional>

#include "api/handlers.hpp"
#include "epcis/schedule.hpp"
#include "trace/events_standing.hpp"

namespace theriac::api {

/// The schedule of a subscription's details; nothing for one that follows the stream of events.
std::optional<epcis::Schedule> schedule_of(const codec::Json& details);
/// Code::kMalformed for fields or values that are none.
Result<epcis::Schedule> read_schedule(const codec::Json& fields);

/// When a schedule is over there is no next time: so late that it never comes.
std::int64_t next_due(const std::optional<epcis::Schedule>& schedule, std::int64_t now_ms);

}  // namespace theriac::api
