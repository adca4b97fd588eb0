// Sensor elements out of a tree (EPCIS 2.0 section 7.3.7). Metadata and reports are objects in JSON
// and attributes in XML.
//
// Threading: free functions.
#pragma once

#include "epcis/value_reader.hpp"

namespace theriac::epcis {

std::vector<SensorElement> read_sensor_elements(const Element& list, ValueReader& in);

}  // namespace theriac::epcis
