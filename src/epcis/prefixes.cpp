#include "epcis/prefixes.hpp"

#include "epcis/business_header.hpp"
#include "epcis/context.hpp"
#include "epcis/limits.hpp"

namespace theriac::epcis {

Prefixes::Prefixes(const std::vector<Namespace>& declared,
                   std::set<std::string, std::less<>> reserved, const std::vector<Namespace>& known)
    : taken_(std::move(reserved)) {
  // The last declaration of a prefix is the one that holds where a document repeats it.
  for (auto it = declared.rbegin(); it != declared.rend(); ++it) {
    if (!is_xml_name(it->prefix) || it->prefix.size() > kPrefixBytesMax || it->uri.empty() ||
        !taken_.insert(it->prefix).second) {
      continue;
    }
    declarations_.insert(declarations_.begin(), *it);
    by_uri_.insert_or_assign(it->uri, it->prefix);
  }
  for (const Namespace& one : known) {
    if (taken_.insert(one.prefix).second) by_uri_.emplace(one.uri, one.prefix);
  }
}

std::string_view Prefixes::of(std::string_view ns) const {
  const auto found = by_uri_.find(ns);
  return found == by_uri_.end() ? std::string_view() : std::string_view(found->second);
}

void Prefixes::cover(std::string_view ns) {
  if (ns.empty() || by_uri_.contains(ns)) return;
  std::string prefix = ns == kUnqualified               ? "unqualified"
                       : ns == kBusinessHeaderNamespace ? "sbdh"
                                                        : "ns1";
  for (const auto& [name, uri] : standard_prefixes()) {
    if (uri == ns) prefix = name;
  }
  for (int number = 2; !taken_.insert(prefix).second; ++number) {
    prefix = "ns" + std::to_string(number);
  }
  declarations_.push_back({prefix, std::string(ns)});
  by_uri_.emplace(ns, prefix);
}

void Prefixes::cover(const Element& element) {
  cover(std::string_view(element.ns));
  for (const Attribute& attribute : element.attributes) cover(std::string_view(attribute.ns));
  cover(element.children);
}

void Prefixes::cover(const std::vector<Element>& elements) {
  for (const Element& element : elements) cover(element);
}

void Prefixes::cover(const Event& event) {
  cover(event.extensions);
  cover(event.ilmd);
  if (event.read_point) cover(event.read_point->extensions);
  if (event.biz_location) cover(event.biz_location->extensions);
  if (event.error_declaration) cover(event.error_declaration->extensions);
  for (const SensorElement& element : event.sensor_elements) {
    cover(element.extensions);
    if (element.metadata) cover(element.metadata->extensions);
    for (const SensorReport& report : element.reports) cover(report.extensions);
  }
}

void Prefixes::cover(const Document& document) {
  cover(document.extensions);
  for (const MasterData& vocabulary : document.master_data) {
    for (const VocabularyElement& element : vocabulary.elements) {
      for (const MasterDataAttribute& attribute : element.attributes) cover(attribute.value);
    }
  }
  for (const Event& event : document.events) cover(event);
}

}  // namespace theriac::epcis
