// AIs that need others, and AIs that may not stand together: GS1 General Specifications 4.14, 4.15.
#include <algorithm>
#include <array>

#include "gs1/reading.hpp"

namespace theriac::gs1 {
namespace {

/// Cuts the next word off a list.
std::string_view next_word(std::string_view& list, char separator) {
  const auto word = list.substr(0, list.find(separator));
  list.remove_prefix(std::min(list.size(), word.size() + 1));
  return word;
}

/// An element that the pattern means, other than `self`: an AI does not exclude or satisfy itself.
const Element* partner(const std::vector<Element>& elements, std::string_view pattern,
                       std::string_view self) {
  const auto found = std::ranges::find_if(elements, [&](const Element& element) {
    return element.ai != self && matches(pattern, element.ai);
  });
  return found == elements.end() ? nullptr : &*found;
}

bool has_all(const std::vector<Element>& elements, std::string_view group, std::string_view self) {
  while (!group.empty()) {
    if (partner(elements, next_word(group, '+'), self) == nullptr) return false;
  }
  return true;
}

bool satisfied(const std::vector<Element>& elements, std::string_view groups,
               std::string_view self) {
  if (groups.empty()) return true;
  while (!groups.empty()) {
    if (has_all(elements, next_word(groups, ','), self)) return true;
  }
  return false;
}

const Element* excluded(const std::vector<Element>& elements, std::string_view patterns,
                        std::string_view self) {
  while (!patterns.empty()) {
    if (const auto* other = partner(elements, next_word(patterns, ','), self)) return other;
  }
  return nullptr;
}

/// A digital signature signs an instance: keys that may come without a serial need it.
bool lacks_serial(const Element& element, const AiEntry& entry) {
  constexpr std::array<std::string_view, 3> kKeys{"253", "255", "8003"};
  return std::ranges::find(kKeys, element.ai) != kKeys.end() &&
         element.value.size() == entry.shortest();
}

}  // namespace

std::optional<Fault> check_associations(const std::vector<Element>& elements,
                                        Strictness strictness) {
  const auto fault = [](FaultCode code, std::size_t at, std::string_view ai,
                        std::string_view other) {
    return Fault{code, at, std::string(ai), std::string(other), 0, 0};
  };
  const bool is_signed = find_element(elements, "8030") != nullptr;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    const auto& element = elements[i];
    const auto* entry = find_ai(element.ai);
    if (strictness.excluded) {
      if (const auto* other = excluded(elements, entry->excluded, element.ai)) {
        return fault(FaultCode::kExcluded, i, element.ai, other->ai);
      }
    }
    if (strictness.required) {
      if (!satisfied(elements, entry->required, element.ai)) {
        return fault(FaultCode::kRequiredMissing, i, element.ai, entry->required);
      }
      if (is_signed && lacks_serial(element, *entry)) {
        return fault(FaultCode::kSerialNeeded, i, element.ai, "8030");
      }
    }
  }
  return {};
}

}  // namespace theriac::gs1
