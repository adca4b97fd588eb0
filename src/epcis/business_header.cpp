#include "epcis/business_header.hpp"

#include <algorithm>

namespace theriac::epcis {

namespace {

Element node(std::string_view name, std::string_view text = {},
             std::vector<Element> children = {}) {
  return {.ns = std::string(kBusinessHeaderNamespace),
          .name = std::string(name),
          .text = std::string(text),
          .children = std::move(children)};
}

std::string text_at(const Element& from, std::initializer_list<std::string_view> names) {
  const Element* at = &from;
  for (const std::string_view name : names) {
    const auto found = std::ranges::find(at->children, name, &Element::name);
    if (found == at->children.end()) return {};
    at = &*found;
  }
  return std::string(trimmed(at->text));
}

}  // namespace

Element business_header_of(const Document& document) {
  const std::string created = document.creation_date ? document.creation_date->text : "";
  return node(
      "StandardBusinessDocumentHeader", {},
      {node("HeaderVersion", "1.0"), node("Sender", {}, {node("Identifier", document.sender)}),
       node("Receiver", {}, {node("Identifier", document.receiver)}),
       node("DocumentIdentification", {},
            {node("Standard", "EPCglobal"), node("TypeVersion", "1.0"),
             node("InstanceIdentifier", document.instance_identifier), node("Type", "Events"),
             node("CreationDateAndTime", created)})});
}

void set_business_header(Document& document, const Element& header) {
  document.sender = text_at(header, {"Sender", "Identifier"});
  document.receiver = text_at(header, {"Receiver", "Identifier"});
  document.instance_identifier = text_at(header, {"DocumentIdentification", "InstanceIdentifier"});
  if (header != business_header_of(document)) document.business_header = header;
}

}  // namespace theriac::epcis
