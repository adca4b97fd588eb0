// Elements and links that identify. The URNs are in epc_urn.cpp.
#include "gs1/epc.hpp"

#include <algorithm>
#include <array>

#include "gs1/digital_link.hpp"
#include "gs1/epc_scheme.hpp"
#include "gs1/reading.hpp"
#include "gs1/uri.hpp"

namespace theriac::gs1 {
namespace {

/// Instances before their classes, and what is shipped before what it is made of.
constexpr auto kByPrecedence = std::to_array<Key>({
    Key::kSscc,      Key::kSgtin,     Key::kUpui,  Key::kLgtin,     Key::kGtinClass,
    Key::kItip,      Key::kItipClass, Key::kGrai,  Key::kGraiClass, Key::kGiai,
    Key::kCpi,       Key::kCpiClass,  Key::kGdti,  Key::kGdtiClass, Key::kSgcn,
    Key::kSgcnClass, Key::kGsrn,      Key::kGsrnp, Key::kGinc,      Key::kGsin,
    Key::kSgln,      Key::kPgln,
});

/// Whether the elements hold all that such an identifier consists of.
bool fits(const ElementString& elements, const Scheme& scheme) {
  const auto* value = elements.find(scheme.ai);
  if (value == nullptr) return false;
  if (scheme.is_pattern()) return true;
  switch (scheme.serial_place) {
    case SerialPlace::kNone:
      return true;
    case SerialPlace::kSameAi:
      return value->size() > scheme.checked_size();
    case SerialPlace::kOwnAi:
      break;
  }
  // A location without an extension is one with extension 0.
  return scheme.key == Key::kSgln || elements.has(scheme.serial_ai);
}

Epc identifier_from(const ElementString& elements, const Scheme& scheme) {
  std::vector<Element> parts{{std::string(scheme.ai), *elements.find(scheme.ai)}};
  const auto add = [&](std::string_view ai) {
    if (const auto* value = elements.find(ai)) parts.push_back({std::string(ai), *value});
  };
  if (scheme.serial_place == SerialPlace::kOwnAi && !scheme.is_pattern()) add(scheme.serial_ai);
  if (scheme.key == Key::kItipClass) add("10");
  if (scheme.key == Key::kSgln && parts.size() == 2 && parts[1].value == "0") parts.pop_back();
  return {scheme.key, ElementString(std::move(parts)), 0};
}

}  // namespace

Checked<Epc> epc_of(const ElementString& elements) {
  for (const auto key : kByPrecedence) {
    const auto& scheme = scheme_of(key);
    if (fits(elements, scheme)) return identifier_from(elements, scheme);
  }
  return fault(FaultCode::kNotAnIdentifier, 0);
}

Checked<Epc> parse_epc_link(std::string_view uri) {
  // An identifier is not a label: nothing has to stand beside it.
  auto elements = parse_digital_link(uri, {.required = false, .excluded = true});
  if (!elements) return tl::unexpected<Fault>(std::move(elements.error()));
  if (const auto more = uri.find_first_of("?#"); more != std::string_view::npos) {
    return fault(FaultCode::kMoreThanIdentifier, more);
  }
  auto epc = epc_of(*elements);
  if (!epc) return epc;
  // CBV 2.0 8.1: a consumer product variant, and the lot of a thing with a serial, do not identify.
  for (const auto& element : elements->elements()) {
    const bool left_out = element.ai == "22" || (element.ai == "10" && elements->has("21")) ||
                          (element.ai == "254" && element.value == "0");
    if (!left_out && !epc->elements.has(element.ai)) return fault(FaultCode::kNotAnIdentifier, 0);
  }
  return epc;
}

Checked<Epc> parse_epc(std::string_view text) {
  const auto begins = [&](std::string_view with) {
    return std::ranges::equal(text.substr(0, with.size()), with, {}, lower);
  };
  if (begins("urn:epc:")) return parse_epc_urn(text);
  if (begins("http://") || begins("https://")) return parse_epc_link(text);
  return fault(FaultCode::kNotAnIdentifier, 0);
}

std::string epc_link(const Epc& epc) {
  std::string link(kCanonicalStem);
  for (const auto& element : epc.elements.elements()) {
    link.append("/").append(element.ai).append("/").append(encode(element.value));
  }
  return link;
}

}  // namespace theriac::gs1
