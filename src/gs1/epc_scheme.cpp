#include "gs1/epc_scheme.hpp"

#include <algorithm>
#include <array>

namespace theriac::gs1 {
namespace {

using enum SerialPlace;

/// In the order of Key.
constexpr auto kSchemes = std::to_array<Scheme>({
    {Key::kSgtin, "id", "sgtin", "01", 13, true, false, kOwnAi, "21"},
    {Key::kSscc, "id", "sscc", "00", 17, true, false, kNone, ""},
    {Key::kSgln, "id", "sgln", "414", 12, false, false, kOwnAi, "254"},
    {Key::kGrai, "id", "grai", "8003", 12, false, false, kSameAi, ""},
    {Key::kGiai, "id", "giai", "8004", 0, false, false, kNone, ""},
    {Key::kGsrn, "id", "gsrn", "8018", 17, false, false, kNone, ""},
    {Key::kGsrnp, "id", "gsrnp", "8017", 17, false, false, kNone, ""},
    {Key::kGdti, "id", "gdti", "253", 12, false, false, kSameAi, ""},
    {Key::kCpi, "id", "cpi", "8010", 0, false, false, kOwnAi, "8011"},
    {Key::kSgcn, "id", "sgcn", "255", 12, false, false, kSameAi, ""},
    {Key::kGinc, "id", "ginc", "401", 0, false, false, kNone, ""},
    {Key::kGsin, "id", "gsin", "402", 16, false, false, kNone, ""},
    {Key::kItip, "id", "itip", "8006", 13, true, true, kOwnAi, "21"},
    {Key::kUpui, "id", "upui", "01", 13, true, false, kOwnAi, "235"},
    {Key::kPgln, "id", "pgln", "417", 12, false, false, kNone, ""},
    {Key::kGtinClass, "idpat", "sgtin", "01", 13, true, false, kOwnAi, "21"},
    {Key::kLgtin, "class", "lgtin", "01", 13, true, false, kOwnAi, "10"},
    {Key::kGraiClass, "idpat", "grai", "8003", 12, false, false, kSameAi, ""},
    {Key::kGdtiClass, "idpat", "gdti", "253", 12, false, false, kSameAi, ""},
    {Key::kSgcnClass, "idpat", "sgcn", "255", 12, false, false, kSameAi, ""},
    {Key::kItipClass, "idpat", "itip", "8006", 13, true, true, kOwnAi, "21"},
    {Key::kCpiClass, "idpat", "cpi", "8010", 0, false, false, kOwnAi, "8011"},
    {Key::kUpuiClass, "idpat", "upui", "01", 13, true, false, kOwnAi, "235"},
});
static_assert([] {
  for (std::size_t i = 0; i < kSchemes.size(); ++i) {
    if (static_cast<std::size_t>(kSchemes[i].key) != i) return false;
  }
  return true;
}());

}  // namespace

const Scheme& scheme_of(Key key) { return kSchemes.at(static_cast<std::size_t>(key)); }

const Scheme* find_scheme(std::string_view kind, std::string_view name) {
  const auto* found = std::ranges::find_if(
      kSchemes, [&](const Scheme& scheme) { return scheme.kind == kind && scheme.name == name; });
  return found == kSchemes.end() ? nullptr : found;
}

std::string_view name_of(Key key) { return scheme_of(key).name; }

}  // namespace theriac::gs1
