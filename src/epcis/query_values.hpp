// How a query's values are compared with an event's: patterns of EPCs, numbers and times in
// extensions, sensor values in other units.
//
// Threading: free functions.
#pragma once

#include "epcis/event.hpp"
#include "epcis/units.hpp"

namespace theriac::epcis {

enum class Comparison : std::uint8_t { kEqual, kGreater, kGreaterOrEqual, kLess, kLessOrEqual };

bool compare(double left, Comparison comparison, double right);
/// Equal within a relative 1e-9, as conversion of units may leave them.
bool compare_measured(double left, Comparison comparison, double right);
bool compare(std::int64_t left, Comparison comparison, std::int64_t right);

/// A value of an extension parameter: a number, a time or a text, whichever it reads as.
struct Operand {
  std::string text;
  std::optional<double> number;
  std::optional<Time> time;
};
Operand operand_of(std::string_view text);
/// Of an extension's text with one of the operands; only equality has more than one.
bool compare(std::string_view text, Comparison comparison, const std::vector<Operand>& operands);

/// A pattern of EPC identities (Tag Data Standard section 8): urn:epc:idpat:sgtin:4012345.*.*
class EpcPattern {
 public:
  static std::optional<EpcPattern> parse(std::string_view text);
  /// Of an identifier as URN or Digital Link, or of a class's pattern that this one contains.
  [[nodiscard]] bool matches(std::string_view id) const;
  /// Canonical link of the class, if only the serial is open; else empty.
  [[nodiscard]] const std::string& class_link() const { return class_link_; }

 private:
  std::string scheme_;
  std::vector<std::string> parts_;
  std::string class_link_;
};

}  // namespace theriac::epcis
