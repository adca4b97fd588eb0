// One event as XML, without a check.
//
// Threading: free functions.
#pragma once

#include "epcis/prefixes.hpp"
#include "epcis/write.hpp"
#include "epcis/xml_writer.hpp"

namespace theriac::epcis {

/// `root`: the event is the whole document and declares the prefixes itself.
void write_event_xml(const Event& event, const Prefixes& prefixes, const WriteOptions& options,
                     XmlWriter& out, bool root = false);
void write_declarations(const Prefixes& prefixes, XmlWriter& out);
void write_element(const Element& element, const Prefixes& prefixes, XmlWriter& out);
/// Attributes, text and children of the open element.
void write_content(const Element& element, const Prefixes& prefixes, XmlWriter& out);

}  // namespace theriac::epcis
