// JSON text of a document as trees: the part around the events first, then each event on its own,
// so that a document of any allowed size needs the memory of one event. Two passes over the text,
// since
// @context may stand behind the events that need it.
//
// Keys and values are as in the text; nothing is interpreted but where the event list is. An
// object's members are children with the key as name; an array's are children without. Checked: RFC
// 8259, valid UTF-8, no key twice in one object, limits.hpp. Refused: Code::kMalformed with the
// byte, Code::kTooLarge with the limit.
//
// Threading: free functions.
#pragma once

#include <functional>
#include <string_view>

#include "base/error.hpp"
#include "epcis/element.hpp"

namespace theriac::epcis {

/// Everything but the members of the event list, which stays as an empty array.
Result<Element> scan_json_document(std::string_view text);
/// Each member of the event list; false stops. Bare events are in the document's own tree.
Status scan_json_events(std::string_view text, const std::function<bool(Element&&)>& on_event);

/// The member of this name, or null.
const Element* member(const Element& object, std::string_view name);

}  // namespace theriac::epcis
