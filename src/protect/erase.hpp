// After the plain values of a table were erased: what PostgreSQL keeps of them elsewhere.
#pragma once

#include <string>
#include <vector>

#include "protect/migrate.hpp"

namespace theriac::protect {

/// Statistics are made anew and their old versions removed, WAL segments are written over; what
/// could not be done, and what is out of reach, is returned as text for a person.
Result<std::vector<std::string>> erase_traces(const Services& services);

}  // namespace theriac::protect
