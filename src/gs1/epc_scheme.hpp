// What an EPC scheme is made of, as data: URN parts on one side, application identifiers on the
// other. Internal to gs1. Source: EPC Tag Data Standard 2.x sections 6 to 8.
#pragma once

#include <string_view>

#include "gs1/epc.hpp"

namespace theriac::gs1 {

enum class SerialPlace : std::uint8_t {
  kNone,   ///< the key itself names one thing
  kOwnAi,  ///< in an AI of its own
  kSameAi  ///< behind the key, in the key's AI
};

struct Scheme {
  Key key;
  std::string_view kind;  ///< "id", "class", "idpat"
  std::string_view name;
  std::string_view ai;   ///< of the key
  std::uint8_t digits;   ///< of company prefix and reference together; 0: the reference is text
  bool indicator_first;  ///< the reference's first digit stands in front of the company prefix
  bool pieces;           ///< two parts of two digits follow
  SerialPlace serial_place;
  std::string_view serial_ai;  ///< if it has its own

  [[nodiscard]] bool is_pattern() const { return kind == "idpat"; }
  /// GRAI has a fixed zero in front.
  [[nodiscard]] std::size_t lead() const { return ai == "8003" ? 1 : 0; }
  /// Characters of the key's AI up to and with its check digit.
  [[nodiscard]] std::size_t checked_size() const { return digits == 0 ? 0 : lead() + digits + 1U; }
  [[nodiscard]] std::size_t parts() const {
    return 2U + (pieces ? 2U : 0U) + (serial_place == SerialPlace::kNone ? 0U : 1U);
  }
};

const Scheme& scheme_of(Key key);
/// nullptr if there is none.
const Scheme* find_scheme(std::string_view kind, std::string_view name);

}  // namespace theriac::gs1
