// Identifiers in their two forms, EPC URN and GS1 Digital Link, over gs1/epc.hpp.
//
// Threading: free functions.
#pragma once

#include <string>
#include <string_view>

namespace theriac::epcis {

/// False for a text that begins as an EPC URN and does not follow the Tag Data Standard. Everything
/// that is no EPC URN is somebody's own identifier.
bool is_well_formed_epc(std::string_view text);

/// The canonical Digital Link (https://id.gs1.org/…, only the identifier); other texts as they are.
std::string as_link(std::string_view text);
/// The EPC URN, if the length of the company prefix is known; other texts as they are.
/// `prefix_length`: digits of the company prefix for links, 0: not known.
std::string as_urn(std::string_view text, int prefix_length = 0);

}  // namespace theriac::epcis
