// Codes of other agencies: MA (IDcode) of ISO/IEC 15459 for devices in China, and the drug
// traceability code of 20 digits.
//
// The issuing agency's coding manual is not public; the structure here is that of codes and
// programs that are (see other_codes_test.cpp). Check characters are therefore kept and not
// enforced: ma_check_digit is the algorithm of those programs, and of nine published examples two
// deviate from it, so that refusing by it would refuse real packs.
//
// Threading: values and free functions.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "gs1/fault.hpp"

namespace theriac::gs1 {

/// MA.156.M0.100761.21234561.Sx00008.M220117.L20220117.D20220118.E220130.V220117.C3: device
/// identifier and production identifiers, these in any order.
struct MaCode {
  std::string country, industry, registrant;
  std::string product;  ///< packaging level, item, check character
  std::optional<std::string> lot, serial, sterilisation_lot;
  std::optional<std::string> made, valid_until, expires;  ///< six or eight digits, as they were
  std::optional<std::string> check;  ///< over the production identifiers as they stood
  [[nodiscard]] std::string device_identifier() const;
  friend bool operator==(const MaCode&, const MaCode&) = default;
};
Checked<MaCode> parse_ma(std::string_view text);
/// Production identifiers in the order serial, made, lot, sterilisation, expires, valid until,
/// check.
std::string ma_text(const MaCode& code);

/// What the last character of a device identifier would be for what stands before it, or that of
/// ".S….M…" behind ".C". kBadCharacter for a character that has no number.
Checked<char> ma_check_digit(std::string_view text);

/// Seven digits of the product, nine of the serial, four that only the issuing platform can check.
struct DrugCode {
  std::string product, serial, check;
  friend bool operator==(const DrugCode&, const DrugCode&) = default;
};
Checked<DrugCode> parse_drug_code(std::string_view text);
std::string drug_code_text(const DrugCode& code);

}  // namespace theriac::gs1
