#include "line/reasons.hpp"

#include <fmt/format.h>

#include <array>

#include "base/error.hpp"

namespace theriac::line {
namespace {

struct Entry {
  std::string_view name, english, chinese;
};

constexpr std::array kReasons{
#define THERIAC_LINE_REASON(name, english, chinese) Entry{#name, english, chinese},
#include "line/reasons.inc"
#undef THERIAC_LINE_REASON
};

constexpr std::array kServerReasons{
#define THERIAC_LIFE_REFUSAL(name, english, chinese) Entry{#name, english, chinese},
#include "trace/life_refusals.inc"
#undef THERIAC_LIFE_REFUSAL
};

const Entry& entry_of(Reason reason) { return kReasons.at(static_cast<std::size_t>(reason)); }

}  // namespace

std::string_view name_of(Reason reason) { return entry_of(reason).name; }

std::string_view explain(Reason reason, Language language) {
  const auto& one = entry_of(reason);
  return language == Language::kEnglish ? one.english : one.chinese;
}

std::string reason_text(const Fault& fault) {
  const auto& one = entry_of(fault.reason);
  if (fault.at == 0) return fmt::format("{}\n{}\n{}\n", one.name, one.english, one.chinese);
  return fmt::format("{}\nentry {}: {}\n第 {} 项：{}\n", one.name, fault.at, one.english, fault.at,
                     one.chinese);
}

std::string server_reason_text(std::string_view name) {
  for (const auto& one : kServerReasons) {
    if (one.name == name) return fmt::format("{}: {} / {}", one.name, one.english, one.chinese);
  }
  for (std::size_t i = 0; i < kCodeCount; ++i) {
    const auto& info = info_of(static_cast<Code>(i));
    if (info.name == name) return fmt::format("{}: {}; {}", info.name, info.what, info.remedy);
  }
  return "refused";
}

}  // namespace theriac::line
