#include "epcis/value_reader.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "epcis/epc_form.hpp"

namespace theriac::epcis {

namespace {

using enum ProblemCode;

bool is_wrapper(const Element& child) {
  return child.ns.empty() && (child.name == "extension" || child.name == "baseExtension");
}

/// Leaves only what a finished tree has. False: a namespace that JSON could not name.
bool settle(Element& element) {
  if (element.type == Scalar::kNull) element.type = Scalar::kText;
  bool good = element.ns.empty() || is_uri(element.ns);
  for (const Attribute& one : element.attributes) {
    good = good && (one.ns.empty() || is_uri(one.ns));
  }
  for (Element& child : element.children) good = settle(child) && good;
  return good;
}

/// Of events, in documents that qualify what the schema leaves unqualified.
bool is_standard_namespace(std::string_view ns) {
  return ns == "urn:epcglobal:epcis:xsd:2" || ns == "urn:epcglobal:epcis:xsd:1";
}

}  // namespace

std::optional<double> number_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !std::isfinite(value)) {
    return std::nullopt;
  }
  return value;
}

const Element* Members::find(std::string_view name) const {
  for (const Member& member : list_) {
    if (member.ns.empty() && member.name == name) return member.value;
  }
  return nullptr;
}

void ValueReader::collect(const Element& value, bool wrapped, Members& out) {
  for (const Attribute& attribute : value.attributes) {
    Element& element = out.attributes_.emplace_back();
    element.ns = attribute.ns;
    element.name = attribute.name;
    element.text = attribute.value;
    out.list_.push_back({element.ns, element.name, &element, wrapped, true});
  }
  for (const Element& child : value.children) {
    if (!json()) {
      if (is_wrapper(child)) {
        collect(child, true, out);
        continue;
      }
      std::string_view ns = child.ns;
      if (is_standard_namespace(ns)) {
        report_.add(kQualifiedField);
        ns = {};
      }
      out.list_.push_back({ns, child.name, &child, wrapped, false});
      continue;
    }
    if (child.name == "@context") continue;  // the caller's
    const auto name = context_->resolve(child.name);
    if (!name) {
      report_.add(kUnknownPrefix);
      continue;
    }
    out.list_.push_back({name->ns, name->local, &child, false, false});
  }
}

Members ValueReader::members(const Element& value) {
  Members out;
  if (json() && value.type != Scalar::kObject) {
    report_.add(kWrongType);
    return out;
  }
  collect(value, false, out);
  return out;
}

Members ValueReader::members(const Element& value, std::initializer_list<std::string_view> names) {
  Members out = members(value);
  std::size_t position = 0;
  std::vector<bool> seen(names.size());
  for (const Member& member : out.all()) {
    const auto found = std::ranges::find(names, member.name);
    if (!member.ns.empty() || found == names.end()) {
      report_.add(kUnknownField);
      continue;
    }
    const auto at = static_cast<std::size_t>(found - names.begin());
    if (seen[at]) report_.add(kRepeatedField, *found);
    seen[at] = true;
    if (!json() && at < position) report_.add(kOutOfOrder, *found);
    position = std::max(position, at);
  }
  return out;
}

bool ValueReader::scalar(const Element& value) {
  const bool good = json() ? value.type == Scalar::kText : value.children.empty();
  if (!good) report_.add(kWrongType);
  return good;
}

std::string ValueReader::text(const Element& value) {
  if (!scalar(value)) return {};
  // The white space that XML's authors put around values is not theirs to mean anything.
  const std::string_view text = json() ? std::string_view(value.text) : trimmed(value.text);
  if (text.empty()) report_.add(kEmptyValue);
  if (text.size() > kUriBytesMax) {
    report_.add(kTooLong);
    return {};
  }
  return std::string(text);
}

std::string ValueReader::uri(const Element& value) {
  std::string text = this->text(value);
  if (text.empty()) return text;
  if (!is_uri(text)) {
    report_.add(kNotAUri);
    return {};
  }
  if (!is_well_formed_epc(text)) report_.add(kBadEpc);
  return text;
}

std::optional<Time> ValueReader::time(const Element& value) {
  const std::string text = this->text(value);
  if (text.empty()) return std::nullopt;
  auto time = time_of(text);
  if (!time) report_.add(kBadTime);
  return time;
}

std::optional<double> ValueReader::number(const Element& value) {
  if (!json() && value.type == Scalar::kNull) return std::nullopt;  // xsi:nil
  if (json() ? value.type != Scalar::kInteger && value.type != Scalar::kDouble
             : !value.children.empty()) {
    report_.add(kWrongType);
    return std::nullopt;
  }
  const auto number = number_of(value.text);
  if (!number) report_.add(kBadNumber);
  return number;
}

std::optional<bool> ValueReader::boolean(const Element& value) {
  const std::string_view text = trimmed(value.text);
  const bool is_true = text == "true" || (!json() && text == "1");
  const bool is_false = text == "false" || (!json() && text == "0");
  if ((json() && value.type != Scalar::kBoolean) || (!is_true && !is_false)) {
    report_.add(kWrongType);
    return std::nullopt;
  }
  return is_true;
}

Word ValueReader::word(Vocabulary vocabulary, const Element& value) {
  const std::string text = this->text(value);
  if (text.empty()) return {};
  const WordReading reading = read_word(vocabulary, text);
  const bool web = vocabulary == Vocabulary::kMeasurementType ||
                   vocabulary == Vocabulary::kSensorAlert || vocabulary == Vocabulary::kComponent;
  if (!reading.standard) {
    // The JSON schema refuses these two beginnings, and lets the others pass.
    const bool closed = text.starts_with("urn:epcglobal:cbv") ||
                        text.find("://ns.gs1.org/cbv/") != std::string::npos;
    if (!is_uri(text) || closed) {
      report_.add(kUnknownWord);
      return {};
    }
    if (reading.reserved) report_.add(kNotAWordOfGs1);
    return reading.word;
  }
  if (reading.renamed) report_.add(kRenamedWord);
  const Spelling spelling = reading.word.spelling;
  // JSON has bare words, and its schema refuses these two other spellings; XML has everything else.
  const bool regular =
      json() ? spelling != Spelling::kUrn &&
                   (spelling != Spelling::kWebUri || vocabulary == Vocabulary::kComponent || !web)
             : spelling != Spelling::kBare;
  if (reading.irregular || !regular) report_.add(kSpellingOfWord);
  return reading.word;
}

void ValueReader::items(const Element& list, std::string_view item,
                        const std::function<void(const Element&)>& read) {
  if (json() && list.type != Scalar::kArray) return report_.add(kWrongType);
  if (list.children.size() > kListMax) return report_.add(kTooLong);
  for (std::size_t i = 0; i < list.children.size(); ++i) {
    const Element& child = list.children[i];
    const At at(report_, {}, i);
    if (!json()) {
      if (is_wrapper(child) && child.children.empty()) continue;
      if (child.name != item) {
        report_.add(kUnknownField);
        continue;
      }
      if (!child.ns.empty()) {
        report_.add(is_standard_namespace(child.ns) ? kQualifiedField : kUnknownField);
      }
    }
    read(child);
  }
}

std::vector<std::string> ValueReader::uris(const Element& list, std::string_view item) {
  std::vector<std::string> out;
  items(list, item, [&](const Element& value) {
    std::string uri = this->uri(value);
    if (!uri.empty()) out.push_back(std::move(uri));
  });
  std::vector<std::string_view> sorted(out.begin(), out.end());
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) == sorted.end()) return out;
  report_.add(kRepeatedIdentifier);
  std::vector<std::string> once;
  std::map<std::string_view, bool> seen;
  for (const std::string& uri : out) {
    if (seen.emplace(uri, true).second) once.push_back(uri);
  }
  return once;
}

void ValueReader::extension(const Member& member, std::vector<Element>& out) {
  std::string_view ns = member.ns;
  if (ns.empty()) {
    // In XML an <extension> may hold what has no namespace (1.x); elsewhere it may be a mistake.
    if (!member.wrapped) return report_.add(kUnknownField);
    report_.add(kUnqualifiedExtension);
    ns = kUnqualified;
  }
  // In XML the standard's own namespace would make a field of it.
  if (is_standard_namespace(ns)) return report_.add(kUnknownField);
  if (json()) return json_extension(*member.value, ns, member.name, out, false);
  Element& copy = out.emplace_back(*member.value);
  copy.ns = ns;
  copy.name = member.name;
  if (!settle(copy)) report_.add(kBadName);
}

void ValueReader::json_extension(const Element& value, std::string_view ns, std::string_view name,
                                 std::vector<Element>& out, bool in_list) {
  if (name.empty()) return report_.add(kBadName);
  switch (value.type) {
    case Scalar::kNull:
      return report_.add(kEmptyExtension);
    case Scalar::kArray:
      if (in_list) report_.add(kNestedList);
      if (value.children.empty()) report_.add(kEmptyExtension);
      for (const Element& item : value.children) json_extension(item, ns, name, out, true);
      return;
    case Scalar::kObject: {
      Element element;
      element.ns = ns;
      element.name = name;
      json_object(value, element);
      out.push_back(std::move(element));
      return;
    }
    default: {
      Element element = value;
      element.ns = ns;
      element.name = name;
      out.push_back(std::move(element));
    }
  }
}

void ValueReader::json_object(const Element& value, Element& out) {
  for (const Element& child : value.children) {
    const bool is_text = child.type != Scalar::kObject && child.type != Scalar::kArray;
    if ((child.name == "#text" || child.name == "@value") && is_text) {
      out.text = child.text;
      if (child.type != Scalar::kNull && child.type != Scalar::kText) out.type = child.type;
      continue;
    }
    if (child.name == "@type" && child.text.starts_with("xsd:")) {
      out.type = scalar_of(child.text.substr(4));
      continue;
    }
    const auto name = context_->resolve(child.name);
    if (!name) {
      report_.add(kUnknownPrefix);
    } else {
      json_extension(child, name->ns, name->local, out.children, false);
    }
  }
}

}  // namespace theriac::epcis
