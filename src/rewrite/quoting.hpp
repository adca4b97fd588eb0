// Names and literals in SQL texts that are built by hand. Pure.
#pragma once

#include <string>
#include <string_view>

namespace theriac::rewrite {

namespace quoting_detail {
inline std::string doubled(std::string_view text, char quote) {
  std::string out(1, quote);
  for (const char c : text) {
    if (c == quote) out.push_back(quote);
    out.push_back(c);
  }
  out.push_back(quote);
  return out;
}
}  // namespace quoting_detail

/// Always quoted: "name".
inline std::string quoted_name(std::string_view name) { return quoting_detail::doubled(name, '"'); }
/// 'text', or E'text' if there is a backslash: the same whatever standard_conforming_strings says.
inline std::string quoted_literal(std::string_view text) {
  if (!text.contains('\\')) return quoting_detail::doubled(text, '\'');
  std::string escaped;
  for (const char c : text) escaped.append(c == '\\' ? 2 : 1, c);
  return "E" + quoting_detail::doubled(escaped, '\'');
}

}  // namespace theriac::rewrite
