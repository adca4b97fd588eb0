#include "http/target.hpp"

#include <algorithm>
#include <cstdint>

#include "http/characters.hpp"
#include "http/limits.hpp"

namespace theriac::http {
namespace {

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (lower(c) >= 'a' && lower(c) <= 'f') return lower(c) - 'a' + 10;
  return -1;
}

/// Bytes of the UTF-8 form that begins `text`; 0 if none does.
std::size_t utf8_form(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto first = at(0);
  if (first < 0x80) return 1;
  const std::size_t size = first < 0xc2 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (size == 0 || first > 0xf4 || text.size() < size) return 0;
  for (std::size_t i = 1; i < size; ++i) {
    if ((at(i) & 0xc0U) != 0x80) return 0;
  }
  // The second byte keeps out longer forms than needed, surrogates, and what is above U+10FFFF.
  if ((first == 0xe0 && at(1) < 0xa0) || (first == 0xed && at(1) > 0x9f) ||
      (first == 0xf0 && at(1) < 0x90) || (first == 0xf4 && at(1) > 0x8f)) {
    return 0;
  }
  return size;
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto size = utf8_form(text);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[i] != '%') {
      decoded += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return fail(Code::kMalformed, "percent encoding");
      decoded += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  if (decoded.find('\0') != std::string::npos || !is_utf8(decoded)) {
    return fail(Code::kMalformed, "percent encoding");
  }
  return decoded;
}

std::string percent_encode(std::string_view text) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_kind(c, kHostName)) {
      encoded += c;
    } else {
      const auto byte = static_cast<std::uint8_t>(c);
      encoded += '%';
      encoded += kDigits[byte >> 4U];
      encoded += kDigits[byte & 15U];
    }
  }
  return encoded;
}

std::optional<std::string_view> Query::find(std::string_view key) const {
  const auto found = std::ranges::find(pairs_, key, &Pair::first);
  if (found == pairs_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string_view> Query::all(std::string_view key) const {
  std::vector<std::string_view> values;
  for (const auto& [name, value] : pairs_) {
    if (name == key) values.emplace_back(value);
  }
  return values;
}

Result<Query> parse_query(std::string_view text) {
  Query query;
  while (!text.empty()) {
    const auto end = std::min(text.find('&'), text.size());
    const auto pair = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (pair.empty()) continue;
    if (query.pairs().size() == kQueryParametersMax) return fail(Code::kTooLarge, "query");
    const auto equals = std::min(pair.find('='), pair.size());
    THERIAC_ASSIGN(auto key, percent_decode(pair.substr(0, equals), true));
    THERIAC_ASSIGN(auto value,
                   percent_decode(pair.substr(std::min(equals + 1, pair.size())), true));
    query.add(std::move(key), std::move(value));
  }
  return query;
}

Result<Target> parse_target(std::string_view target) {
  Target made;
  const auto mark = std::min(target.find('?'), target.size());
  auto path = target.substr(0, mark);
  if (path.empty()) path = "/";
  if (path.front() != '/') return fail(Code::kMalformed, "path");
  while (!path.empty()) {
    if (made.segments.size() == kSegmentsMax) return fail(Code::kTooLarge, "path");
    path.remove_prefix(1);
    const auto end = std::min(path.find('/'), path.size());
    THERIAC_ASSIGN(auto text, percent_decode(path.substr(0, end), false));
    path.remove_prefix(end);
    if (text == "." || text == ".." || (text.empty() && !path.empty())) {
      return fail(Code::kMalformed, "path");
    }
    const bool has_slash = text.find('/') != std::string::npos;
    made.segments.push_back({std::move(text), has_slash});
  }
  THERIAC_ASSIGN(made.query, parse_query(target.substr(std::min(mark + 1, target.size()))));
  return made;
}

}  // namespace theriac::http
