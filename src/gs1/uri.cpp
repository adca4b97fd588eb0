#include "gs1/uri.hpp"

#include <algorithm>

#include "gs1/characters.hpp"

namespace theriac::gs1 {
namespace {

/// RFC 3986 2.2 and 2.3, and the percent sign.
bool is_uri_character(char c) {
  constexpr std::string_view kReserved = ":/?#[]@!$&'()*+,;=%";
  return is_unreserved(c) || kReserved.contains(c);
}

/// Names, addresses and a port; no user, no escapes.
bool is_host_character(char c) {
  return is_alphanumeric(c) || std::string_view("-.:[]").contains(c);
}

std::size_t scheme_size(std::string_view text) {
  for (const std::string_view scheme : {"https://", "http://"}) {
    if (std::ranges::equal(text.substr(0, scheme.size()), scheme, {}, lower)) return scheme.size();
  }
  return 0;
}

std::vector<Range> split(std::string_view text, Range range, char separator) {
  std::vector<Range> parts;
  for (std::size_t at = range.at; at <= range.end();) {
    const auto end = std::min(text.find(separator, at), range.end());
    parts.push_back({at, end - at});
    at = end + 1;
  }
  return parts;
}

}  // namespace

Checked<WebAddress> read_web_address(std::string_view text) {
  const auto host_at = scheme_size(text);
  if (host_at == 0) return fault(FaultCode::kNotALink, 0);
  const auto other = std::ranges::find_if_not(text, is_uri_character);
  if (other != text.end()) {
    return fault(FaultCode::kLinkCharacter, static_cast<std::size_t>(other - text.begin()));
  }
  WebAddress address;
  address.path_at = std::min(text.find_first_of("/?#", host_at), text.size());
  for (std::size_t i = host_at; i < address.path_at; ++i) {
    if (!is_host_character(text[i])) return fault(FaultCode::kLinkCharacter, i);
  }
  if (address.path_at == host_at || address.path_at == text.size() ||
      text[address.path_at] != '/') {
    return fault(FaultCode::kNotALink, address.path_at);
  }
  const auto end = std::min(text.find('#'), text.size());
  address.path_end = std::min(text.find('?'), end);
  address.segments =
      split(text, {address.path_at + 1, address.path_end - address.path_at - 1}, '/');
  if (address.path_end < end) {
    address.query = split(text, {address.path_end + 1, end - address.path_end - 1}, '&');
    std::erase_if(address.query, [](const Range& part) { return part.size == 0; });
  }
  return address;
}

Checked<std::string> decode(std::string_view text, Range range, bool in_query) {
  std::string value;
  for (std::size_t i = range.at; i < range.end(); ++i) {
    if (text[i] == '%') {
      if (i + 2 >= range.end() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
        return fault(FaultCode::kPercentEscape, i);
      }
      value.push_back(static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2])));
      i += 2;
    } else {
      value.push_back(in_query && text[i] == '+' ? ' ' : text[i]);
    }
  }
  return value;
}

std::string encode(std::string_view value) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (const char c : value) {
    if (is_unreserved(c)) {
      text.push_back(c);
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    text.append({'%', kHex[byte / 16], kHex[byte % 16]});
  }
  return text;
}

}  // namespace theriac::gs1
