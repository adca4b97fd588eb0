// What people read beside a bar code: its data in words (human readable interpretation, GS1 General
// Specifications 4.15), in the forms that medicines in the EU and devices here and in China carry.
//
// Threading: values and free functions.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "gs1/element_string.hpp"

namespace theriac::label {

/// Signs of ISO 15223-1 (clause) for packs of devices.
enum class Icon : std::uint8_t {
  kNone,
  kUdi,        ///< unique device identifier (5.7.10)
  kLot,        ///< batch code (5.1.5)
  kSerial,     ///< serial number (5.1.7)
  kReference,  ///< catalogue number (5.1.6)
  kDevice,     ///< medical device (5.7.7)
  kUseBy,      ///< use-by date (5.1.4): hourglass
  kMade,       ///< date of manufacture (5.1.3): factory
  kSingleUse   ///< do not re-use (5.4.2): crossed 2
};

enum class TextForm : std::uint8_t {
  kBracketed,   ///< (01)09504000059101, each element string by itself
  kEuMedicine,  ///< PC, SN, LOT, EXP, NN: Delegated Regulation (EU) 2016/161 articles 4 and 7
  kDevice,      ///< UDI in brackets, then signs of ISO 15223-1 with dates of ISO 8601
  kChinaDevice  ///< UDI in brackets behind Chinese captions
};

struct TextLine {
  Icon icon = Icon::kNone;
  std::string text;  ///< UTF-8
  friend bool operator==(const TextLine&, const TextLine&) = default;
};

/// One line for each element, in the order in which the form wants them; elements that the form has
/// no caption for follow in brackets, so that nothing in the bar code is unsaid. `year_now` decides
/// the century of dates (7.12); a date that does not exist stays as it stands in the bar code.
std::vector<TextLine> human_text(const gs1::ElementString& elements, TextForm form, int year_now);

}  // namespace theriac::label
