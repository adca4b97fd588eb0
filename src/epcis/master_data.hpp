// Vocabulary lists out of a tree (EPCIS 2.0 section 6.1, XML: EPCglobal-epcis-2_0.xsd
// VocabularyListType).
//
// Threading: free functions.
#pragma once

#include "epcis/value_reader.hpp"

namespace theriac::epcis {

std::vector<MasterData> read_master_data(const Element& list, ValueReader& in);

}  // namespace theriac::epcis
