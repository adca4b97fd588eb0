#include "gs1/fault.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

namespace theriac::gs1 {
namespace {

struct Words {
  std::string_view name, english, chinese;
};

constexpr auto kWords = std::to_array<Words>({
#define THERIAC_GS1_FAULT(name, english, chinese) {#name, english, chinese},
#include "gs1/fault_codes.inc"
#undef THERIAC_GS1_FAULT
});

/// "01+21,37" as "(01) with (21), or (37)".
std::string alternatives(std::string_view groups, Language language) {
  const bool chinese = language == Language::kChinese;
  std::string text = "(";
  for (const char c : groups) {
    if (c == '+') {
      text += chinese ? ") 加 (" : ") with (";
    } else if (c == ',') {
      text += chinese ? ")，或 (" : "), or (";
    } else {
      text.push_back(c);
    }
  }
  return text + ")";
}

const Words& words_of(FaultCode code) { return kWords.at(static_cast<std::size_t>(code)); }

}  // namespace

std::string_view name_of(FaultCode code) { return words_of(code).name; }

std::string explain(const Fault& fault, Language language) {
  const auto& words = words_of(fault.code);
  const auto pattern = language == Language::kChinese ? words.chinese : words.english;
  const auto other =
      fault.code == FaultCode::kRequiredMissing ? alternatives(fault.other, language) : fault.other;
  using fmt::arg;
  return fmt::format(fmt::runtime(pattern), arg("ai", fault.ai), arg("other", other),
                     arg("wanted", fault.wanted), arg("found", fault.found),
                     arg("at", fault.at + 1));
}

Error error_of(const Fault& fault) {
  const auto ai = fault.ai.empty() ? std::string() : fmt::format(" in ({})", fault.ai);
  return {Code::kMalformed,
          fmt::format("{}{} at character {}", name_of(fault.code), ai, fault.at + 1)};
}

}  // namespace theriac::gs1
