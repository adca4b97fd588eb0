#include "epcis/epc_form.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "gs1/epc.hpp"

namespace theriac::epcis {

namespace {

bool is_epc_urn(std::string_view text) {
  return text.starts_with("urn:epc:id:") || text.starts_with("urn:epc:class:") ||
         text.starts_with("urn:epc:idpat:");
}

/// Digital Link 1.0 and 1.1 had names beside the numbers of application identifiers.
std::string without_names(std::string_view link) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 17> kNames{{
      {"gtin", "01"},
      {"itip", "8006"},
      {"cpid", "8010"},
      {"gln", "414"},
      {"party", "417"},
      {"gsrnp", "8017"},
      {"gsrn", "8018"},
      {"gcn", "255"},
      {"sscc", "00"},
      {"gdti", "253"},
      {"ginc", "401"},
      {"gsin", "402"},
      {"grai", "8003"},
      {"giai", "8004"},
      {"cpv", "22"},
      {"lot", "10"},
      {"ser", "21"},
  }};
  std::string out;
  while (!link.empty()) {
    const std::string_view part = link.substr(0, link.find('/'));
    const auto found = std::ranges::find(kNames, part, &decltype(kNames)::value_type::first);
    out += found == kNames.end() ? part : found->second;
    link.remove_prefix(part.size());
    if (link.empty()) break;
    out += '/';
    link.remove_prefix(1);
  }
  return out;
}

}  // namespace

bool is_well_formed_epc(std::string_view text) {
  return !is_epc_urn(text) || gs1::parse_epc_urn(text).has_value();
}

std::string as_link(std::string_view text) {
  if (!is_epc_urn(text) && !text.starts_with("http")) return std::string(text);
  const auto epc = gs1::parse_epc(text);
  if (epc) return gs1::epc_link(*epc);
  if (is_epc_urn(text)) return std::string(text);
  const auto plain = gs1::parse_epc_link(without_names(text.substr(0, text.find_first_of("?#"))));
  return plain ? gs1::epc_link(*plain) : std::string(text);
}

std::string as_urn(std::string_view text, int prefix_length) {
  if (!text.starts_with("http")) return std::string(text);
  const auto epc = gs1::parse_epc(text);
  if (!epc) return std::string(text);
  const auto urn = gs1::epc_urn(*epc, prefix_length);
  return urn ? *urn : std::string(text);
}

}  // namespace theriac::epcis
