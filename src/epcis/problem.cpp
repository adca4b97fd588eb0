#include "epcis/problem.hpp"

#include <array>

namespace theriac::epcis {

namespace {

struct Entry {
  std::string_view name;
  Kind kind;
  std::string_view english;
  std::string_view chinese;
};

constexpr std::array<Entry, kProblemCodes> kEntries{{
#define THERIAC_EPCIS_PROBLEM(name, kind, english, chinese) \
  Entry{#name, Kind::k##kind, english, chinese},
#include "epcis/problems.inc"
#undef THERIAC_EPCIS_PROBLEM
}};

const Entry& entry_of(ProblemCode code) { return kEntries[static_cast<std::size_t>(code)]; }

}  // namespace

Kind kind_of(ProblemCode code) { return entry_of(code).kind; }
std::string_view name_of(ProblemCode code) { return entry_of(code).name; }

std::string_view words_of(ProblemCode code, Language language) {
  return language == Language::kEnglish ? entry_of(code).english : entry_of(code).chinese;
}

ProblemCodes all_deviations() {
  ProblemCodes codes;
  for (std::size_t i = 0; i < kProblemCodes; ++i) {
    if (kEntries[i].kind == Kind::kDeviation) codes.set(i);
  }
  return codes;
}

ProblemCodes problem_codes(std::initializer_list<ProblemCode> list) {
  ProblemCodes codes;
  for (const ProblemCode code : list) codes.set(static_cast<std::size_t>(code));
  return codes;
}

}  // namespace theriac::epcis
