#include "epcis/units.hpp"

#include <algorithm>
#include <array>
#include <numbers>

namespace theriac::epcis {

namespace {

constexpr Unit kUnits[] = {
#define THERIAC_UNIT(code, quantity, factor, offset) {code, Quantity::k##quantity, factor, offset},
#include "epcis/units.inc"
#undef THERIAC_UNIT
};

/// By code, so that they can be searched.
constexpr auto kByCode = [] {
  std::array<Unit, std::size(kUnits)> out{};
  std::ranges::copy(kUnits, out.begin());
  std::ranges::sort(out, {}, &Unit::code);
  return out;
}();
static_assert(std::ranges::adjacent_find(kByCode, {}, &Unit::code) == kByCode.end());

}  // namespace

std::optional<Unit> unit_of(std::string_view code) {
  const auto found = std::ranges::lower_bound(kByCode, code, {}, &Unit::code);
  if (found == kByCode.end() || found->code != code) return std::nullopt;
  return *found;
}

double to_base(const Unit& unit, double value) { return value * unit.factor + unit.offset; }

double difference_to_base(const Unit& unit, double difference) { return difference * unit.factor; }

}  // namespace theriac::epcis
