// XML text of a document as trees: the part around the events first, then each event on its own, as
// in json_tree.hpp. This is the only place that knows libxml2.
//
// Names are resolved to their namespaces; xsi:type becomes the type of a text, other attributes of
// the schema instance and comments are dropped. Events are the elements in EventList, and in the
// <extension> elements there (1.x).
//
// Refused: Code::kMalformed with the line (not well formed; a DOCTYPE with declarations or an
// external subset; an entity that XML does not define; a prefix that is not declared),
// Code::kTooLarge.
//
// Threading: free functions.
#pragma once

#include <functional>

#include "base/error.hpp"
#include "epcis/document.hpp"

namespace theriac::epcis {

struct XmlDocument {
  Element root;                       ///< EventList is there, empty
  std::vector<Namespace> namespaces;  ///< in order of declaration, anywhere in the document
  bool doctype = false;
};

Result<XmlDocument> scan_xml_document(std::string_view text);
/// Each event; false stops.
Status scan_xml_events(std::string_view text, const std::function<bool(Element&&)>& on_event);

}  // namespace theriac::epcis
