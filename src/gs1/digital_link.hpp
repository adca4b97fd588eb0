// GS1 Digital Link URIs, uncompressed: GS1 Digital Link Standard: URI Syntax 1.4.
//
// Threading: free functions.
#pragma once

#include <string>
#include <string_view>

#include "gs1/element_string.hpp"

namespace theriac::gs1 {

inline constexpr std::string_view kCanonicalStem = "https://id.gs1.org";

/// Any host and path may stand in front: the primary key is the last one for which AIs and values
/// alternate up to the end of the path. In the path the words of URI Syntax 1.0 (gtin, lot, ser)
/// are taken for their AIs; a GTIN may have 8, 12 or 13 digits. Query keys that are not all digits,
/// and the fragment, are somebody else's business. A '%' without two hexadecimal digits is refused.
Checked<ElementString> parse_digital_link(std::string_view uri, Strictness strictness = {});

/// Primary key and qualifiers in the path, the rest as query, those of predefined length first. The
/// key is the first element that is one and leaves nothing over that may not stand in a query
/// (kNotAnAttribute). kNoPrimaryKey if none of the elements is one; the stem must be a web address
/// without query.
Checked<std::string> digital_link(const ElementString& elements,
                                  std::string_view stem = kCanonicalStem);

}  // namespace theriac::gs1
