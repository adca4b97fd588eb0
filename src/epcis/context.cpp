#include "epcis/context.hpp"

#include <algorithm>
#include <array>

namespace theriac::epcis {

namespace {

using Prefix = std::pair<std::string_view, std::string_view>;
constexpr std::array<Prefix, 8> kStandardPrefixes{{
    {"epcis", "https://ref.gs1.org/epcis/"},
    {"cbv", "https://ref.gs1.org/cbv/"},
    {"cbvmda", kCbvMasterData},
    {"gs1", "https://gs1.org/voc/"},
    {"rdfs", "http://www.w3.org/2000/01/rdf-schema#"},
    {"owl", "http://www.w3.org/2002/07/owl#"},
    {"xsd", "http://www.w3.org/2001/XMLSchema#"},
    {"dcterms", "http://purl.org/dc/terms/"},
}};

}  // namespace

std::span<const Prefix> standard_prefixes() { return kStandardPrefixes; }

bool is_standard_prefix(const Namespace& declaration) {
  return std::ranges::find(kStandardPrefixes, Prefix(declaration.prefix, declaration.uri)) !=
         kStandardPrefixes.end();
}

Context::Context() {
  for (const auto& [prefix, uri] : kStandardPrefixes) prefixes_.emplace(prefix, uri);
}

void Context::add(const Element& value, Report& report, std::vector<std::string>* contexts,
                  std::vector<Namespace>* namespaces) {
  switch (value.type) {
    case Scalar::kText:
      if (!is_uri(value.text) || value.text.size() > kUriBytesMax) {
        report.add(ProblemCode::kBadContext);
      } else if (contexts != nullptr) {
        contexts->push_back(value.text);
      }
      return;
    case Scalar::kArray:
      for (const Element& item : value.children) {
        if (item.type == Scalar::kArray) {
          report.add(ProblemCode::kBadContext);
        } else {
          add(item, report, contexts, namespaces);
        }
      }
      return;
    case Scalar::kObject:
      for (const Element& term : value.children) add_term(term.name, term, report, namespaces);
      return;
    default:
      report.add(ProblemCode::kBadContext);
  }
}

void Context::add_term(const std::string& term, const Element& value, Report& report,
                       std::vector<Namespace>* namespaces) {
  const Element* id = &value;
  if (value.type == Scalar::kObject) {
    const auto found = std::ranges::find(value.children, "@id", &Element::name);
    // {"@type": "@id"} and the like say how a value reads, not where a prefix leads.
    if (found == value.children.end()) return report.add(ProblemCode::kContextTerm);
    id = &*found;
  }
  if (term == "@vocab" && id->type == Scalar::kText && is_uri(id->text)) {
    vocab_ = id->text;
    return;
  }
  if (term.starts_with('@')) return report.add(ProblemCode::kContextTerm);
  if (id->type != Scalar::kText || !is_uri(id->text) || id->text.size() > kUriBytesMax ||
      prefixes_.size() >= kNamespacesMax) {
    return report.add(ProblemCode::kBadContext);
  }
  if (!is_xml_name(term)) return report.add(ProblemCode::kContextTerm);
  prefixes_[term] = id->text;
  if (namespaces == nullptr) return;
  Namespace declaration{term, id->text};
  const bool known = std::ranges::find(*namespaces, declaration) != namespaces->end();
  if (!known && !is_standard_prefix(declaration)) namespaces->push_back(std::move(declaration));
}

std::optional<Context::Name> Context::resolve(std::string_view name) const {
  const std::size_t colon = name.find(':');
  if (colon == std::string_view::npos) return Name{vocab_, name};
  const std::string_view prefix = name.substr(0, colon);
  const std::string_view local = name.substr(colon + 1);
  if (!local.starts_with("//")) {
    const auto found = prefixes_.find(prefix);
    if (found != prefixes_.end()) return Name{found->second, local};
    if (prefix != "urn") return std::nullopt;
  }
  const std::size_t end = name.find_last_of("/#:");
  if (!is_uri(name) || end <= colon) return std::nullopt;
  return Name{name.substr(0, end + 1), name.substr(end + 1)};
}

}  // namespace theriac::epcis
