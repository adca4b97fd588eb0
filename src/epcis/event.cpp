#include "epcis/event.hpp"

#include <array>

#include "codec/time.hpp"

namespace theriac::epcis {

namespace {

constexpr std::array<std::string_view, kEventTypes> kTypeNames{
    "ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent",
    "AssociationEvent"};
constexpr std::array<std::string_view, 3> kActionNames{"OBSERVE", "ADD", "DELETE"};

template <typename T, std::size_t kSize>
std::optional<T> by_name(const std::array<std::string_view, kSize>& names, std::string_view name) {
  for (std::size_t i = 0; i < kSize; ++i) {
    if (names[i] == name) return static_cast<T>(i);
  }
  return std::nullopt;
}

}  // namespace

std::string_view name_of(EventType type) { return kTypeNames[static_cast<std::size_t>(type)]; }
std::optional<EventType> event_type_of(std::string_view name) {
  return by_name<EventType>(kTypeNames, name);
}
std::string_view name_of(Action action) { return kActionNames[static_cast<std::size_t>(action)]; }
std::optional<Action> action_of(std::string_view name) {
  return by_name<Action>(kActionNames, name);
}

bool is_offset(std::string_view text) {
  if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':') return false;
  const auto digit = [&](std::size_t i) { return text[i] >= '0' && text[i] <= '9'; };
  if (!digit(1) || !digit(2) || !digit(4) || !digit(5)) return false;
  const std::string_view hours = text.substr(1, 2);
  return hours <= "13" ? text[4] <= '5' : text.substr(1) == "14:00";
}

std::optional<Time> time_of(std::string_view text) {
  // RFC 3339 allows more than XML Schema's dateTime: leap seconds, lower case, the year 0000, zones
  // beyond 14:00.
  if (text.size() < 20 || text[10] != 'T' || text.starts_with("0000")) return std::nullopt;
  if (text.substr(17, 2) >= "60") return std::nullopt;
  const std::size_t zone = text.find_first_of("Z+-", 19);
  if (zone == std::string_view::npos) return std::nullopt;
  if (text[zone] != 'Z' && !is_offset(text.substr(zone))) return std::nullopt;
  const auto ms = codec::parse_rfc3339(text);
  if (!ms) return std::nullopt;
  return Time{std::string(text), *ms};
}

}  // namespace theriac::epcis
