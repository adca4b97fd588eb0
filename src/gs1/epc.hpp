// EPC pure identity URNs, class and pattern URNs, and their Digital Links: GS1 EPC Tag Data
// Standard 2.x section 6 to 8, CBV 2.0 section 8.
//
// Keys: SGTIN, SSCC, SGLN, GRAI, GIAI, GSRN, GSRNP, GDTI, CPI, SGCN, GINC, GSIN, ITIP, UPUI, PGLN;
// and classes: LGTIN, and the idpat forms of a GTIN, GRAI, GDTI, SGCN, ITIP, CPI, UPUI. What a URN
// says of the length of its company prefix a Digital Link does not; it is an argument where it is
// needed.
//
// Threading: free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "gs1/element_string.hpp"

namespace theriac::gs1 {

enum class Key : std::uint8_t {
  kSgtin,
  kSscc,
  kSgln,
  kGrai,
  kGiai,
  kGsrn,
  kGsrnp,
  kGdti,
  kCpi,
  kSgcn,
  kGinc,
  kGsin,
  kItip,
  kUpui,
  kPgln,
  kGtinClass,
  kLgtin,
  kGraiClass,
  kGdtiClass,
  kSgcnClass,
  kItipClass,
  kCpiClass,
  kUpuiClass
};

/// "sgtin", "lgtin", …: the URN's scheme.
std::string_view name_of(Key key);

struct Epc {
  Key key;
  ElementString elements;  ///< in canonical order
  int prefix_length = 0;   ///< digits of the company prefix; 0: not known (from a link)
  friend bool operator==(const Epc&, const Epc&) = default;
};

/// `urn:epc:id:…`, `urn:epc:class:lgtin:…`, `urn:epc:idpat:…`.
Checked<Epc> parse_epc_urn(std::string_view urn);
/// A Digital Link of an identifier (not of its data: kMoreThanIdentifier for a query), any stem.
/// What does not identify beside the rest is left out (CPV, the lot of a thing with a serial,
/// extension 0); a qualifier that makes it something without an EPC is kNotAnIdentifier.
Checked<Epc> parse_epc_link(std::string_view uri);
/// Either; kNotAnIdentifier for anything else.
Checked<Epc> parse_epc(std::string_view text);
/// What elements as scanned identify, most specific key first. An ITIP with a lot is kItipClass
/// with both: it has a link and no URN.
Checked<Epc> epc_of(const ElementString& elements);

/// kPrefixUnknown if the length of the company prefix is neither in `epc` nor given (6 to 12; 0:
/// not), kPrefixLength if it is no such length, kCompanyPrefix if the key has not as many digits,
/// kNoUrn if `epc` has none.
Checked<std::string> epc_urn(const Epc& epc, int prefix_length = 0);
/// The canonical link, stem https://id.gs1.org.
std::string epc_link(const Epc& epc);

}  // namespace theriac::gs1
