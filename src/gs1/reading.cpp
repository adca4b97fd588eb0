#include "gs1/reading.hpp"

#include <algorithm>

#include "gs1/limits.hpp"

namespace theriac::gs1 {
namespace {

/// Does the text read as elements to its end? What would be said of it is not asked.
bool reads_to_the_end(std::string_view text) {
  while (!text.empty()) {
    const auto* entry = leading_ai(text);
    if (entry == nullptr) return false;
    text.remove_prefix(entry->first.size());
    const auto value = text.substr(0, entry->longest());
    if (check_value(*entry, value)) return false;
    text.remove_prefix(value.size());
    if (!entry->predefined_length) return text.empty();
  }
  return true;
}

/// Where in a value that cannot be right another element seems to begin: one that has a length of
/// its own, or a lot or serial number, with nothing wrong from there on.
std::size_t swallowed(const AiEntry& entry, std::string_view value) {
  const auto last = std::min(entry.longest(), value.size() - 1);
  for (std::size_t i = entry.shortest(); i <= last; ++i) {
    const auto rest = value.substr(i);
    const auto* next = leading_ai(rest);
    if (next == nullptr ||
        !(next->predefined_length || next->first == "10" || next->first == "21")) {
      continue;
    }
    if (i > 0 && !check_value(entry, value.substr(0, i)) && reads_to_the_end(rest)) return i;
  }
  return 0;
}

}  // namespace

std::size_t place_of(std::string_view text, std::size_t value_at, std::size_t index,
                     Escapes escapes) {
  std::size_t at = value_at;
  for (std::size_t i = 0; i < index && at < text.size(); ++i) {
    if (escapes == Escapes::kPercent && text[at] == '%') at += 2;
    if (escapes == Escapes::kBracket && text[at] == '\\' && text.substr(at + 1, 1) == "(") ++at;
    ++at;
  }
  return at;
}

const Element* find_element(std::span<const Element> elements, std::string_view ai) {
  const auto found = std::ranges::find(elements, ai, &Element::ai);
  return found == elements.end() ? nullptr : &*found;
}

std::optional<Fault> Collector::add(const AiEntry& entry, std::string_view ai, std::string value,
                                    std::size_t ai_at, std::size_t value_at, Escapes escapes,
                                    std::size_t unwritten) {
  if (elements_.size() == kElementsMax) {
    return Fault{FaultCode::kTooManyElements, ai_at, {}, {}, kElementsMax, 0};
  }
  if (auto fault = check_value(entry, value)) {
    const auto index = std::max(fault->at, unwritten) - unwritten;
    fault->at = place_of(text_, value_at, index, escapes);
    fault->ai = ai;
    return fault;
  }
  elements_.push_back({std::string(ai), std::move(value)});
  places_.push_back(ai_at);
  return {};
}

Checked<ElementString> Collector::finish(Strictness strictness) {
  std::vector<Element> once;
  for (std::size_t i = 0; i < elements_.size(); ++i) {
    const auto same = std::ranges::find(once, elements_[i].ai, &Element::ai);
    if (same == once.end()) {
      places_[once.size()] = places_[i];
      once.push_back(std::move(elements_[i]));
    } else if (same->value != elements_[i].value) {
      return fault(FaultCode::kRepeatedAi, places_[i], elements_[i].ai);
    }
  }
  if (auto fault = check_associations(once, strictness)) {
    fault->at = places_[fault->at];
    return tl::unexpected<Fault>(std::move(*fault));
  }
  return ElementString(std::move(once));
}

std::optional<Fault> read_raw(Collector& collector, std::string_view text, std::size_t from,
                              char separator) {
  while (from < text.size()) {
    const auto* entry = leading_ai(text.substr(from));
    if (entry == nullptr) return Fault{FaultCode::kUnknownAi, from, {}, {}, 0, 0};
    const auto ai = text.substr(from, entry->first.size());
    const auto value_at = from + ai.size();
    auto value = text.substr(value_at, text.find(separator, value_at) - value_at);
    if (entry->predefined_length) value = value.substr(0, entry->longest());
    if (auto fault =
            collector.add(*entry, ai, std::string(value), from, value_at, Escapes::kNone)) {
      if (entry->predefined_length || value.empty()) return fault;
      if (const auto at = swallowed(*entry, value); at > 0) {
        return Fault{FaultCode::kMissingSeparator,
                     value_at + at,
                     std::string(ai),
                     std::string(leading_ai(value.substr(at))->first),
                     0,
                     0};
      }
      return fault;
    }
    from = value_at + value.size();
    // One that is not needed is allowed, behind a predefined length and at the end.
    if (from < text.size() && text[from] == separator) ++from;
  }
  return {};
}

}  // namespace theriac::gs1
