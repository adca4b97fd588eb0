// Why a file of the line is refused, in English and Chinese.
//
// Threading: free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/language.hpp"

namespace theriac::line {

enum class Reason : std::uint8_t {
#define THERIAC_LINE_REASON(name, english, chinese) k##name,
#include "line/reasons.inc"
#undef THERIAC_LINE_REASON
};
std::string_view name_of(Reason reason);
std::string_view explain(Reason reason, Language language);

/// Where in a file, and why. `at` counts lines of CSV, or events of JSON, from 1; 0: the whole.
struct Fault {
  Reason reason{};
  std::size_t at = 0;
  friend bool operator==(const Fault&, const Fault&) = default;
};

/// The text of a reason file: name of the reason, both languages, the place.
std::string reason_text(const Fault& fault);
/// Of a refusal of the server's by its name (trace/life_refusals.inc, base/error_codes.inc), in
/// both languages where there are two; an unknown one by its name.
std::string server_reason_text(std::string_view name);

}  // namespace theriac::line
