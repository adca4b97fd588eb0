// Whatever a scanner, a keyboard or a message gives for one pack: the form is recognised.
//
// Trailing line ends and tabs, which scanners add, are left away. A text of 20 digits that begins
// with 8 and has no symbology identifier is a drug traceability code.
//
// Threading: free functions.
#pragma once

#include <string_view>
#include <variant>

#include "gs1/element_string.hpp"
#include "gs1/other_codes.hpp"

namespace theriac::gs1 {

enum class ScanForm : std::uint8_t {
  kBracketed,
  kRaw,
  kScan,
  kDigitalLink,
  kEpcUrn,
  kMa,
  kDrugCode
};

struct Scan {
  ScanForm form;
  std::variant<ElementString, MaCode, DrugCode> code;
  friend bool operator==(const Scan&, const Scan&) = default;
};

/// Faults say at which character; what a scanner with the wrong keyboard layout or CapsLock does, a
/// separator that came as text or not at all, and a symbol without its GS1 flag are named as such
/// where they can be told. Letters that a layout swaps (Y and Z) cannot be told from others.
Checked<Scan> read_scan(std::string_view text, Strictness strictness = {});

}  // namespace theriac::gs1
