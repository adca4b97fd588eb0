// The UN/CEFACT Standard Business Document Header, version 1.3 as GS1 uses it, and its three fields
// that JSON has: sender, receiver, instanceIdentifier.
//
// Threading: free functions.
#pragma once

#include "epcis/document.hpp"

namespace theriac::epcis {

inline constexpr std::string_view kBusinessHeaderNamespace =
    "http://www.unece.org/cefact/namespaces/StandardBusinessDocumentHeader";

/// The header that the three fields alone make.
Element business_header_of(const Document& document);
/// Takes the three fields out of `header`, and keeps the whole where it says more than they do.
void set_business_header(Document& document, const Element& header);

}  // namespace theriac::epcis
