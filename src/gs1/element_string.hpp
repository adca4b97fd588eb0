// GS1 element strings: application identifiers with their values, in the four forms that people and
// scanners use, each read and written. Source: GS1 General Specifications section 3 and 7.8, and
// the GS1 Barcode Syntax Dictionary (ai_table.hpp).
//
//   bracketed   (01)09504000059101(21)A1B2
//   raw         0109504000059101 21A1B2 without spaces; FNC1 is byte 0x1D, or '^' when it begins
//               with '^'
//   scan        raw behind a symbology identifier of ISO/IEC 15424: ]d2 ]C1 ]Q3 ]e0 ]J1
//   link        Digital Link (digital_link.hpp)
//
// Threading: values and free functions.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "gs1/fault.hpp"

namespace theriac::gs1 {

struct Element {
  std::string ai;     ///< two to four digits
  std::string value;  ///< checked against the AI's format
  friend bool operator==(const Element&, const Element&) = default;
};

/// Elements in the order in which they were read; no AI twice with two values.
class ElementString {
 public:
  ElementString() = default;
  explicit ElementString(std::vector<Element> elements) : elements_(std::move(elements)) {}
  [[nodiscard]] std::span<const Element> elements() const { return elements_; }
  /// The value of an AI, or nullptr.
  [[nodiscard]] const std::string* find(std::string_view ai) const;
  [[nodiscard]] bool has(std::string_view ai) const { return find(ai) != nullptr; }
  [[nodiscard]] bool empty() const { return elements_.empty(); }
  friend bool operator==(const ElementString&, const ElementString&) = default;

 private:
  std::vector<Element> elements_;
};

/// How much is asked of a whole: formats and check digits of single values are always checked.
struct Strictness {
  bool required = true;  ///< AIs that need others beside them have them
  bool excluded = true;  ///< no two that may not stand together
};

/// Where a text was read from, for what stands in front of it and how it is drawn.
enum class Symbology : std::uint8_t { kDataMatrix, kGs1128, kQr, kDataBar, kDotCode };

/// "\(" is a bracket inside a value.
Checked<ElementString> parse_bracketed(std::string_view text, Strictness strictness = {});
/// Separators that are not needed (behind a predefined length, at the end) are allowed.
Checked<ElementString> parse_raw(std::string_view text, Strictness strictness = {});
/// A GTIN alone too, of an EAN or ITF symbol (]E0 ]E4 ]I1), and a Digital Link in a symbol that is
/// not GS1's (]Q1 ]d1 ]J0 ]C0); kNotGs1Symbol for anything else in one of these.
Checked<ElementString> parse_scan(std::string_view text, Strictness strictness = {});
/// Elements that were put together by hand; `at` of a fault is the element's number.
Checked<ElementString> check(std::vector<Element> elements, Strictness strictness = {});

std::string bracketed(const ElementString& elements);
/// AIs of predefined length first, FNC1 (0x1D) where one is needed, none at the end.
std::string raw(const ElementString& elements);
std::string scan(const ElementString& elements, Symbology symbology);

/// The check digit of a text of digits (GS1 General Specifications 7.9.1); kNotDigits otherwise.
Checked<char> check_digit(std::string_view digits);

/// A date of six digits as ISO 8601 with the century of 7.12, seen from `year_now`; day 00 is the
/// month's last.
Checked<std::string> iso_date(std::string_view yymmdd, int year_now);

}  // namespace theriac::gs1
