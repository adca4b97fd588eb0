// One event out of its tree, whichever format that came from; the rules of form are here, those of
// sense in rules.hpp.
//
// Threading: free functions.
#pragma once

#include "epcis/value_reader.hpp"

namespace theriac::epcis {

/// Nothing if it is refused. What is wrong goes to the report, in any case.
std::optional<Event> read_event(const Element& tree, Format format, const Context& context,
                                Report& report);

}  // namespace theriac::epcis
