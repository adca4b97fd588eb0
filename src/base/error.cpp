#include "base/error.hpp"

#include <array>
#include <cstdio>
#include <cstdlib>

namespace theriac {
namespace {
constexpr std::array<CodeInfo, kCodeCount> kInfo{{
#define THERIAC_ERROR(name, sqlstate, http, what, remedy) {#name, sqlstate, http, what, remedy},
#include "base/error_codes.inc"
#undef THERIAC_ERROR
}};
}  // namespace

const CodeInfo& info_of(Code code) { return kInfo.at(static_cast<std::size_t>(code)); }

std::string Error::message() const {
  const auto& info = info_of(code);
  std::string text{info.what};
  if (!where.empty()) text += " (" + where + ")";
  text += "; ";
  text += info.remedy;
  return text;
}

void assertion_failed(const char* expression, const char* file, int line) {
  std::fprintf(stderr, "theriac: assertion failed: %s at %s:%d\n", expression, file, line);
  std::abort();
}
}  // namespace theriac
