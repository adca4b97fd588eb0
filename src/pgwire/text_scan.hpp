// The few scanning steps that reading numbers, dates and zones share. ASCII only: no locale may
// change what a value means. Threading: free functions on values.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace theriac::pgwire {

inline bool is_digit(char c) { return c >= '0' && c <= '9'; }
inline char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }
inline char upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }
inline bool is_letter(char c) { return lower(c) >= 'a' && lower(c) <= 'z'; }
/// C's isspace: what PostgreSQL ignores around numbers and between parts of dates.
inline bool is_space(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

inline void skip_spaces(std::string_view& text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
}
inline std::string_view trimmed(std::string_view text) {
  skip_spaces(text);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}
template <typename Predicate>
std::string_view take_while(std::string_view& text, Predicate predicate) {
  const auto end = std::find_if_not(text.begin(), text.end(), predicate);
  const auto found = text.substr(0, static_cast<std::size_t>(end - text.begin()));
  text.remove_prefix(found.size());
  return found;
}
inline std::string_view take_digits(std::string_view& text) { return take_while(text, is_digit); }

/// `pattern` must be lower case.
inline bool equals_ignoring_case(std::string_view text, std::string_view pattern) {
  return std::equal(text.begin(), text.end(), pattern.begin(), pattern.end(),
                    [](char a, char b) { return lower(a) == b; });
}
inline std::string to_lower(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), lower);
  return made;
}
inline std::string to_upper(std::string_view text) {
  std::string made(text);
  std::transform(made.begin(), made.end(), made.begin(), upper);
  return made;
}

}  // namespace theriac::pgwire
