#include <algorithm>

#include "policy/mask_kinds.hpp"

namespace theriac::policy {
namespace {

bool is_one_of(std::string_view character, std::string_view set) {
  return character.size() == 1 && set.find(character[0]) != std::string_view::npos;
}

/// Letters, digits, dots and hyphens, a dot among them, and no digits alone at the end: a telephone
/// number behind an @ is no domain.
bool is_mail_domain(std::string_view domain) {
  const auto dot = domain.rfind('.');
  if (dot == std::string_view::npos || dot == 0 || dot + 1 == domain.size()) return false;
  bool letter = false;
  for (std::size_t at = 0; at < domain.size(); ++at) {
    const auto c = static_cast<unsigned char>(domain[at]);
    const bool alpha = (c | 0x20U) >= 'a' && (c | 0x20U) <= 'z';
    const bool digit = c >= '0' && c <= '9';
    if (c < 0x80 && !alpha && !digit && c != '.' && c != '-') return false;
    if (at > dot && (alpha || c >= 0x80)) letter = true;
  }
  return letter;
}

}  // namespace

std::string keep_ends(const Characters& text, std::size_t head, std::size_t tail) {
  std::string out;
  const bool short_value = text.size() <= head + tail;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool kept = !short_value && (i < head || i >= text.size() - tail);
    out += kept ? text[i] : std::string_view("*");
  }
  return out;
}

std::string masked_name(const Characters& text) {
  if (text.empty()) return {};
  if (text.size() == 1) return "*";
  return std::string(text.front()) + '*';
}

std::string masked_phone(const Characters& text) {
  constexpr std::size_t kHead = 3, kTail = 4;
  const auto digits = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit));
  std::string out;
  std::size_t seen = 0;
  for (const auto c : text) {
    if (is_digit(c)) {
      const bool kept = digits > kHead + kTail && (seen < kHead || seen >= digits - kTail);
      out += kept ? c : std::string_view("*");
      ++seen;
    } else {
      out += is_one_of(c, " -+()./") ? c : std::string_view("*");
    }
  }
  return out;
}

std::optional<std::string> masked_email(std::string_view text) {
  if (text.empty()) return "";
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || !is_mail_domain(text.substr(at + 1))) {
    return std::nullopt;
  }
  return masked_name(characters_of(text.substr(0, at))) + std::string(text.substr(at));
}

std::optional<std::string> masked_id_number(const Characters& text) {
  constexpr std::size_t kOld = 15, kNew = 18;  // GB 11643-1989 and -1999
  if (text.size() != kOld && text.size() != kNew) return std::nullopt;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool check = i + 1 == kNew && is_one_of(text[i], "xX");
    // What this mask has made is taken again.
    const bool hidden = i >= 6 && i + 4 < text.size() && text[i] == "*";
    if (!is_digit(text[i]) && !check && !hidden) return std::nullopt;
  }
  return keep_ends(text, 6, 4);
}

std::optional<std::string> masked_bank_card(const Characters& text) {
  constexpr std::size_t kHead = 6, kTail = 4;              // PCI DSS 3.4.1
  constexpr std::size_t kDigitsMin = 13, kDigitsMax = 19;  // ISO/IEC 7812-1
  const auto counts = [](std::string_view c) { return is_digit(c) || c == "*"; };
  const auto digits = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), counts));
  if (digits < kDigitsMin || digits > kDigitsMax) return std::nullopt;
  std::string out;
  std::size_t seen = 0;
  for (const auto c : text) {
    if (counts(c)) {
      const bool kept = seen < kHead || seen >= digits - kTail;
      out += kept ? c : std::string_view("*");
      ++seen;
    } else if (is_one_of(c, " -")) {
      out += c;
    } else {
      return std::nullopt;
    }
  }
  return out;
}

}  // namespace theriac::policy
