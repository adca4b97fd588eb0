// What the tests of gs1 share.
#pragma once

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <string>
#include <string_view>

#include "gs1/fault.hpp"

namespace theriac::gs1 {

inline std::string said(const Fault& fault) { return explain(fault, Language::kEnglish); }

/// The code of a fault's name, or of "" that there is none.
template <typename T>
std::string code_of(const Checked<T>& result) {
  return result ? "" : std::string(name_of(result.error().code));
}

/// "CheckDigit at 12 in 01", or "" if there is no fault.
template <typename T>
std::string fault_of(const Checked<T>& result) {
  if (result) return "";
  const auto& fault = result.error();
  auto text = std::string(name_of(fault.code)) + " at " + std::to_string(fault.at);
  if (!fault.ai.empty()) text += " in " + fault.ai;
  if (!fault.other.empty()) text += " with " + fault.other;
  return text;
}

/// Between `shortest` and `longest` characters out of `characters`.
inline rc::Gen<std::string> text_of(std::string_view characters, std::size_t shortest,
                                    std::size_t longest) {
  const std::string all(characters);
  return rc::gen::mapcat(rc::gen::inRange(shortest, longest + 1), [all](std::size_t size) {
    return rc::gen::container<std::string>(size, rc::gen::elementOf(all));
  });
}
inline rc::Gen<std::string> digits_of(std::size_t size) {
  return text_of("0123456789", size, size);
}

inline constexpr std::string_view kSet82 =
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

}  // namespace theriac::gs1
