// Documents as text: EPCIS 2.0 JSON-LD and XML that GS1's schemas accept, always.
//
// Every event is checked before it is written, by reading back what would be (rules.hpp).
// Code::kMalformed names the first place that is wrong; Code::kUnsupported what the format cannot
// hold: in XML names that are no names, control characters, more than one certificationInfo, an
// extension of sensor metadata or of a report that is more than a text (the schema has attributes
// there); in JSON a sensor report without a type.
//
// Threading: free functions.
#pragma once

#include <functional>

#include "base/error.hpp"
#include "epcis/document.hpp"

namespace theriac::epcis {

/// GS1-EPC-Format.
enum class EpcFormat : std::uint8_t { kAsIs, kDigitalLink, kUrn };
/// GS1-CBV-XML-Format. As is: as it was read; words that came from JSON are written as URNs.
enum class CbvFormat : std::uint8_t { kAsIs, kWebUri, kUrn };

struct WriteOptions {
  EpcFormat epcs = EpcFormat::kAsIs;
  CbvFormat words = CbvFormat::kAsIs;  ///< only for XML; JSON has bare words
  /// How many digits the company prefix in a Digital Link has, which only its owner and GS1 know;
  /// 0: not known, then the link stays. Only for EpcFormat::kUrn.
  std::function<int(std::string_view link)> prefix_length;
  /// The events were read, or written before, by this library and not changed since.
  bool checked = false;
};

/// Of any kind. The standard's context is added if the document names none; prefixes that
/// extensions need and the document does not declare are made up.
Result<std::string> write_json(const Document& document, const WriteOptions& options = {});
/// A creation date is required by the schema: Code::kMalformed without.
Result<std::string> write_xml(const Document& document, const WriteOptions& options = {});

}  // namespace theriac::epcis
