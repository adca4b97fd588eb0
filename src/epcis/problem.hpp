// What was wrong with an event or document, where, and in words for a person of either side.
//
// Three kinds. A *refusal*: it does not say what the standard wants, or not clearly; the event (or
// the document) is not taken. A *deviation*: not as the standard has it, though what is meant is
// certain; it was read as named, and the caller may have it refused. A *notice*: allowed, and worth
// knowing. A Problem quotes nothing of the input but places.
//
// Threading: values and free functions.
#pragma once

#include <bitset>
#include <cstdint>
#include <string>
#include <string_view>

#include "gs1/fault.hpp"

namespace theriac::epcis {

enum class Kind : std::uint8_t { kRefusal, kDeviation, kNotice };

enum class ProblemCode : std::uint8_t {
#define THERIAC_EPCIS_PROBLEM(name, kind, english, chinese) k##name,
#include "epcis/problems.inc"
#undef THERIAC_EPCIS_PROBLEM
};
inline constexpr std::size_t kProblemCodes = 0
#define THERIAC_EPCIS_PROBLEM(name, kind, english, chinese) +1
#include "epcis/problems.inc"
#undef THERIAC_EPCIS_PROBLEM
    ;

struct Problem {
  ProblemCode code;
  /// "sensorElementList[0].sensorReport[1].uom", within the event or document; counted from 0.
  std::string path;
  friend bool operator==(const Problem&, const Problem&) = default;
};

Kind kind_of(ProblemCode code);
/// "MissingField"; stable.
std::string_view name_of(ProblemCode code);
/// One sentence without the path.
std::string_view words_of(ProblemCode code, Language language);

using ProblemCodes = std::bitset<kProblemCodes>;
/// Every deviation: for a reader that takes only what the schemas and the standard's text allow.
ProblemCodes all_deviations();
ProblemCodes problem_codes(std::initializer_list<ProblemCode> codes);

}  // namespace theriac::epcis
