#include "epcis/element.hpp"

#include <array>
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
  if (text.empty()) return false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool start = is_letter(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    if (!start && (i == 0 || (!is_digit(c) && c != '-' && c != '.'))) return false;
  }
  return true;
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
