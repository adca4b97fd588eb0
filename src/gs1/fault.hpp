// Why a barcode's text, an identifier or a link is not what it should be: at which character, and
// in words that an operator at a line can read.
//
// A Fault never quotes the input (a serial is a secret here); it names an application identifier, a
// position and numbers. `explain` is the only place with words; `error_of` maps to a
// theriac::Error.
//
// Threading: values and free functions.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/error.hpp"
#include "base/language.hpp"

namespace theriac::gs1 {

enum class FaultCode : std::uint8_t {
#define THERIAC_GS1_FAULT(name, english, chinese) k##name,
#include "gs1/fault_codes.inc"
#undef THERIAC_GS1_FAULT
};

struct Fault {
  FaultCode code;
  std::size_t at = 0;  ///< byte of the text as it was given, from 0
  std::string ai;      ///< application identifier, EPC scheme or MA letter concerned, or empty
  /// A second AI: the one that may not be there too, or that has run in. Of what is missing, all
  /// that would do: "01+21,37" for 01 with 21, or 37.
  std::string other;
  std::size_t wanted = 0;  ///< length or number that was expected, 0: none
  std::size_t found = 0;   ///< what was there instead
  friend bool operator==(const Fault&, const Fault&) = default;
};

template <typename T>
using Checked = tl::expected<T, Fault>;

inline tl::unexpected<Fault> fault(FaultCode code, std::size_t at, std::string ai = {}) {
  return tl::unexpected<Fault>(Fault{code, at, std::move(ai), {}, 0, 0});
}

inline constexpr std::size_t kFaultCodeCount = 0
#define THERIAC_GS1_FAULT(name, english, chinese) +1
#include "gs1/fault_codes.inc"
#undef THERIAC_GS1_FAULT
    ;
/// "CheckDigit", …: stable, for logs and interfaces.
std::string_view name_of(FaultCode code);

/// One sentence, with the position counted from 1.
std::string explain(const Fault& fault, Language language);
/// Code::kMalformed; `where` names the AI and the position.
Error error_of(const Fault& fault);

}  // namespace theriac::gs1
