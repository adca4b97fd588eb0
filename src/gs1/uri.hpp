// Web addresses as far as a Digital Link needs them: RFC 3986. Internal to gs1.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "gs1/fault.hpp"

namespace theriac::gs1 {

/// A stretch of a text.
struct Range {
  std::size_t at = 0, size = 0;
  [[nodiscard]] std::string_view of(std::string_view text) const { return text.substr(at, size); }
  [[nodiscard]] std::size_t end() const { return at + size; }
};

struct WebAddress {
  std::vector<Range> segments;  ///< of the path, without the slashes
  std::vector<Range> query;     ///< its parts between '&', empty ones left out
  std::size_t path_at = 0;      ///< of the first slash
  std::size_t path_end = 0;     ///< where a query or a fragment begins, or the text ends
};

/// http or https, a host, a path.
Checked<WebAddress> read_web_address(std::string_view text);

/// What %-escapes (and in a query '+') stand for. kPercentEscape.
Checked<std::string> decode(std::string_view text, Range range, bool in_query);
/// Everything escaped but letters, digits and -._~
std::string encode(std::string_view value);

}  // namespace theriac::gs1
