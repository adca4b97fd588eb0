#include "gs1/digital_link.hpp"

#include <algorithm>
#include <array>

#include "gs1/limits.hpp"
#include "gs1/reading.hpp"
#include "gs1/uri.hpp"

namespace theriac::gs1 {
namespace {

/// Words that URI Syntax 1.0 allowed instead of numbers; still printed, no longer to be written.
struct Convenience {
  std::string_view name, ai;
};
constexpr auto kConveniences = std::to_array<Convenience>({
    {"gtin", "01"},    {"itip", "8006"},  {"gmn", "8013"},  {"cpid", "8010"}, {"gln", "414"},
    {"party", "417"},  {"gsrnp", "8017"}, {"gsrn", "8018"}, {"gcn", "255"},   {"sscc", "00"},
    {"gdti", "253"},   {"ginc", "401"},   {"gsin", "402"},  {"grai", "8003"}, {"giai", "8004"},
    {"cpv", "22"},     {"lot", "10"},     {"ser", "21"},    {"cpsn", "8011"}, {"glnx", "254"},
    {"refno", "8020"}, {"srin", "8019"},
});

/// The AI that a segment of the path names; views of static text or of the segment.
std::string_view ai_of(std::string_view segment) {
  const auto* found = std::ranges::find(kConveniences, segment, &Convenience::name);
  return found == kConveniences.end() ? segment : found->ai;
}

/// Calls `see` with each alternative of qualifiers until it says true.
template <typename See>
bool any_alternative(std::string_view qualifiers, See see) {
  for (;;) {
    const auto bar = qualifiers.find('|');
    if (see(qualifiers.substr(0, bar))) return true;
    if (bar == std::string_view::npos) return false;
    qualifiers.remove_prefix(bar + 1);
  }
}

/// The place of an AI in "22,10,21"; npos if it is not there. No AI is part of another's number
/// there, since all are between commas.
std::size_t place_in(std::string_view alternative, std::string_view ai) {
  for (std::size_t at = 0; at < alternative.size();) {
    const auto end = std::min(alternative.find(',', at), alternative.size());
    if (alternative.substr(at, end - at) == ai) return at;
    at = end + 1;
  }
  return std::string_view::npos;
}

/// Do qualifiers stand in an order that an alternative has?
bool in_order(std::string_view alternative, std::span<const Element> qualifiers) {
  std::size_t next = 0;
  for (const auto& qualifier : qualifiers) {
    const auto place = place_in(alternative, qualifier.ai);
    if (place == std::string_view::npos || place < next) return false;
    next = place + 1;
  }
  return true;
}

/// A GTIN in a link may be written with its own 8, 12 or 13 digits (URI Syntax 4.6).
std::size_t missing_zeros(std::string_view ai, std::string_view value) {
  const bool shorter = value.size() == 8 || value.size() == 12 || value.size() == 13;
  return ai == "01" && shorter ? 14 - value.size() : 0;
}

class Reader {
 public:
  explicit Reader(std::string_view uri) : uri_(uri), collector_(uri) {}

  Checked<ElementString> read(Strictness strictness) {
    auto address = read_web_address(uri_);
    if (!address) return tl::unexpected<Fault>(std::move(address.error()));
    const auto key_at = find_key(*address);
    if (!key_at) return fault(FaultCode::kNoPrimaryKey, address->path_at);
    if (auto fault = read_path(*address, *key_at)) return tl::unexpected<Fault>(std::move(*fault));
    if (auto fault = read_query(*address)) return tl::unexpected<Fault>(std::move(*fault));
    return collector_.finish(strictness);
  }

 private:
  /// From the end: pairs of AI and value, up to the last that is a primary key. What stands before
  /// it is the stem, even if it looks like a key too.
  std::optional<std::size_t> find_key(const WebAddress& address) const {
    for (std::size_t i = address.segments.size(); i >= 2; i -= 2) {
      const auto* entry = find_ai(ai_of(address.segments[i - 2].of(uri_)));
      if (entry == nullptr) return {};
      if (entry->link_key) return i - 2;
    }
    return {};
  }

  std::optional<Fault> read_path(const WebAddress& address, std::size_t key_at) {
    for (std::size_t i = key_at; i + 1 < address.segments.size(); i += 2) {
      const auto name = address.segments[i];
      if (auto fault = add(name, ai_of(name.of(uri_)), address.segments[i + 1], false)) {
        return fault;
      }
      const auto& elements = collector_.elements();
      const auto* key = find_ai(elements.front().ai);
      const bool allowed = any_alternative(key->qualifiers, [&](std::string_view alternative) {
        return in_order(alternative, std::span(elements).subspan(1));
      });
      if (!allowed) {
        return Fault{FaultCode::kQualifierOrder, name.at, elements.front().ai,
                     elements.back().ai,         0,       0};
      }
    }
    in_path_ = collector_.elements().size();
    return {};
  }

  /// Keys of digits only are AIs; others are the business of whoever answers for the address.
  std::optional<Fault> read_query(const WebAddress& address) {
    for (const auto& part : address.query) {
      const auto equals = part.of(uri_).find('=');
      if (equals == std::string_view::npos) continue;
      const Range name{part.at, equals};
      const auto ai = name.of(uri_);
      if (ai.empty() || !all_digits(ai)) continue;
      const auto* entry = find_ai(ai);
      if (entry == nullptr) return Fault{FaultCode::kUnknownAi, name.at, {}, {}, 0, 0};
      if (find_element(collector_.elements(), ai) != nullptr) {
        return Fault{FaultCode::kRepeatedInLink, name.at, std::string(ai), {}, 0, 0};
      }
      if (belongs_in_path(ai)) {
        return Fault{FaultCode::kBelongsInPath, name.at, std::string(ai), {}, 0, 0};
      }
      if (!entry->link_attribute) {
        return Fault{FaultCode::kNotAnAttribute, name.at, std::string(ai), {}, 0, 0};
      }
      const Range value{name.end() + 1, part.size - equals - 1};
      if (auto fault = add(name, ai, value, true)) return fault;
    }
    return {};
  }

  /// Would it be a qualifier beside those in the path?
  [[nodiscard]] bool belongs_in_path(std::string_view ai) const {
    const auto path = std::span(collector_.elements()).first(in_path_);
    const auto* key = find_ai(path.front().ai);
    return any_alternative(key->qualifiers, [&](std::string_view alternative) {
      return place_in(alternative, ai) != std::string_view::npos &&
             in_order(alternative, path.subspan(1));
    });
  }

  std::optional<Fault> add(Range name, std::string_view ai, Range range, bool in_query) {
    const auto* entry = find_ai(ai);
    if (entry == nullptr) return Fault{FaultCode::kUnknownAi, name.at, {}, {}, 0, 0};
    auto value = decode(uri_, range, in_query);
    if (!value) return std::move(value.error());
    const auto zeros = missing_zeros(ai, *value);
    value->insert(0, zeros, '0');
    return collector_.add(*entry, ai, std::move(*value), name.at, range.at, Escapes::kPercent,
                          zeros);
  }

  std::string_view uri_;
  Collector collector_;
  std::size_t in_path_ = 0;
};

std::vector<const Element*> path_of(const ElementString& elements, const Element& key,
                                    std::string_view alternative) {
  std::vector<const Element*> path{&key};
  for (std::size_t at = 0; at < alternative.size();) {
    const auto end = std::min(alternative.find(',', at), alternative.size());
    const auto* element = find_element(elements.elements(), alternative.substr(at, end - at));
    if (element != nullptr) path.push_back(element);
    at = end + 1;
  }
  return path;
}

bool holds(const std::vector<const Element*>& path, const Element& element) {
  return std::ranges::find(path, &element) != path.end();
}

/// The first element that could stand neither in this path nor in a query.
const Element* misplaced(const ElementString& elements, const std::vector<const Element*>& path) {
  for (const auto& element : elements.elements()) {
    const auto* entry = find_ai(element.ai);
    const bool attribute = entry != nullptr && entry->link_attribute;
    if (!attribute && !holds(path, element)) return &element;
  }
  return nullptr;
}

/// The longest path with everything else in the query, behind the first key for which there is one.
Checked<std::vector<const Element*>> choose_path(const ElementString& elements) {
  std::vector<const Element*> best;
  std::optional<Fault> first_fault;
  for (const auto& element : elements.elements()) {
    const auto* entry = find_ai(element.ai);
    if (entry == nullptr || !entry->link_key) continue;
    any_alternative(entry->qualifiers, [&](std::string_view alternative) {
      auto path = path_of(elements, element, alternative);
      const auto* wrong = misplaced(elements, path);
      if (wrong == nullptr && path.size() > best.size()) best = std::move(path);
      if (wrong != nullptr && !first_fault) {
        const auto at = static_cast<std::size_t>(wrong - elements.elements().data());
        first_fault = Fault{FaultCode::kNotAnAttribute, at, wrong->ai, {}, 0, 0};
      }
      return false;
    });
    if (!best.empty()) return best;
  }
  if (!first_fault) return fault(FaultCode::kNoPrimaryKey, 0);
  return tl::unexpected<Fault>(std::move(*first_fault));
}

}  // namespace

Checked<ElementString> parse_digital_link(std::string_view uri, Strictness strictness) {
  if (uri.empty()) return fault(FaultCode::kEmpty, 0);
  if (uri.size() > kTextBytesMax) {
    return tl::unexpected<Fault>(
        Fault{FaultCode::kTextTooLong, kTextBytesMax, {}, {}, kTextBytesMax, uri.size()});
  }
  return Reader(uri).read(strictness);
}

Checked<std::string> digital_link(const ElementString& elements, std::string_view stem) {
  if (stem.ends_with('/')) stem.remove_suffix(1);
  std::string link(stem);
  auto address = read_web_address(link + "/");
  if (!address) return tl::unexpected<Fault>(std::move(address.error()));
  if (address->path_end != link.size() + 1) {
    return fault(FaultCode::kMoreThanIdentifier, address->path_end);
  }
  const auto path = choose_path(elements);
  if (!path) return tl::unexpected<Fault>(path.error());
  for (const auto* element : *path) {
    link.append("/").append(element->ai).append("/").append(encode(element->value));
  }
  char joint = '?';
  for (const bool predefined : {true, false}) {
    for (const auto& element : elements.elements()) {
      if (holds(*path, element)) continue;
      if (find_ai(element.ai)->predefined_length != predefined) continue;
      link.append({joint}).append(element.ai).append("=").append(encode(element.value));
      joint = '&';
    }
  }
  return link;
}

}  // namespace theriac::gs1
