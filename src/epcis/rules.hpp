// What the standard's text demands of an event beyond its form: EPCIS 2.0 sections 7.3 and 7.4, and
// GS1's conformance requirements TCR-53 (step 29) and TCR-54 (steps 3 and 4).
//
// Threading: free functions.
#pragma once

#include "base/error.hpp"
#include "epcis/event.hpp"
#include "epcis/report.hpp"

namespace theriac::epcis {

void check_rules(const Event& event, Report& report);

/// Everything that is wrong with an event, however it was made: its rules, and the form of times,
/// words, numbers and identifiers. Deviations and notices are among it.
std::vector<Problem> problems_of(const Event& event);
/// Code::kMalformed with the first refusal among them; `place` names the event.
Status check_writable(const Event& event, const std::string& place);

}  // namespace theriac::epcis
