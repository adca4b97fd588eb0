#include "epcis/element.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

namespace theriac::epcis {

namespace {

constexpr std::array<std::pair<Scalar, std::string_view>, 9> kTypes{{
    {Scalar::kString, "string"},
    {Scalar::kInteger, "integer"},
    {Scalar::kDecimal, "decimal"},
    {Scalar::kDouble, "double"},
    {Scalar::kBoolean, "boolean"},
    {Scalar::kDateTime, "dateTime"},
    {Scalar::kDate, "date"},
    {Scalar::kTime, "time"},
    {Scalar::kAnyUri, "anyURI"},
}};

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

/// XML 1.0, fifth edition, productions 4 and 4a without the colon.
constexpr std::pair<char32_t, char32_t> kNameStart[] = {
    {'A', 'Z'},       {'_', '_'},       {'a', 'z'},       {0xc0, 0xd6},     {0xd8, 0xf6},
    {0xf8, 0x2ff},    {0x370, 0x37d},   {0x37f, 0x1fff},  {0x200c, 0x200d}, {0x2070, 0x218f},
    {0x2c00, 0x2fef}, {0x3001, 0xd7ff}, {0xf900, 0xfdcf}, {0xfdf0, 0xfffd}, {0x10000, 0xeffff}};
constexpr std::pair<char32_t, char32_t> kNameMore[] = {
    {'-', '.'}, {'0', '9'}, {0xb7, 0xb7}, {0x300, 0x36f}, {0x203f, 0x2040}};

bool in_ranges(std::span<const std::pair<char32_t, char32_t>> ranges, char32_t c) {
  return std::ranges::any_of(
      ranges, [&](const auto& range) { return c >= range.first && c <= range.second; });
}

/// Of text that has been checked to be UTF-8; 0 for what is not.
char32_t take_code_point(std::string_view& text) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
  };
  const char32_t lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t value = size == 1 ? lead : lead & (0xffU >> (size + 1));
  bool good = true;
  for (std::size_t i = 1; i < size; ++i) {
    good = good && (byte(i) & 0xc0U) == 0x80;
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  text.remove_prefix(std::min(size, text.size()));
  return good ? value : 0;
}

std::size_t digits_at(std::string_view text, std::size_t at) {
  std::size_t count = 0;
  while (at + count < text.size() && is_digit(text[at + count])) ++count;
  return count;
}

}  // namespace

std::string_view name_of(Scalar type) {
  for (const auto& [known, name] : kTypes) {
    if (known == type) return name;
  }
  return {};
}

Scalar scalar_of(std::string_view name) {
  for (const auto& [known, known_name] : kTypes) {
    if (known_name == name) return known;
  }
  if (name == "int" || name == "long" || name == "short") return Scalar::kInteger;
  if (name == "float") return Scalar::kDouble;
  return Scalar::kText;
}

bool is_xml_name(std::string_view text) {
  bool first = true;
  while (!text.empty()) {
    const char32_t c = take_code_point(text);
    if (!in_ranges(kNameStart, c) && (first || !in_ranges(kNameMore, c))) return false;
    first = false;
  }
  return !first;
}

bool is_json_number(std::string_view text) {
  std::size_t at = text.starts_with('-') ? 1 : 0;
  const std::size_t whole = digits_at(text, at);
  if (whole == 0 || (whole > 1 && text[at] == '0')) return false;
  at += whole;
  if (at < text.size() && text[at] == '.') {
    const std::size_t fraction = digits_at(text, at + 1);
    if (fraction == 0) return false;
    at += 1 + fraction;
  }
  if (at < text.size() && (text[at] == 'e' || text[at] == 'E')) {
    ++at;
    if (at < text.size() && (text[at] == '+' || text[at] == '-')) ++at;
    const std::size_t exponent = digits_at(text, at);
    if (exponent == 0) return false;
    at += exponent;
  }
  return at == text.size();
}

bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == std::string_view::npos || colon == 0 || colon + 1 == text.size()) return false;
  if (!is_letter(text[0])) return false;
  for (const char c : text.substr(0, colon)) {
    if (!is_letter(c) && !is_digit(c) && c != '+' && c != '-' && c != '.') return false;
  }
  for (const char c : text.substr(colon + 1)) {
    if (static_cast<unsigned char>(c) <= 0x20 || c == '"' || c == '<' || c == '>' || c == '\\' ||
        c == '^' || c == '`' || c == '{' || c == '|' || c == '}' || c == 0x7f) {
      return false;
    }
  }
  return true;
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t first = text.find_first_not_of(kSpace);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kSpace) - first + 1);
}

}  // namespace theriac::epcis
