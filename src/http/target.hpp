// What a request target says: path segments and query parameters, decoded once.
//
// Refused with Code::kMalformed: a broken percent sign, bytes that are not UTF-8, NUL, dot segments
// (RFC 3986, section 5.2.4: also "%2e"), empty segments except the last ("/a/" has one). More than
// the limits: Code::kTooLarge. A decoded slash stays inside its segment, and the segment says so,
// since only a route that expects it may take it.
//
// Pure values. Threading: no shared state.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.hpp"

namespace theriac::http {

struct Segment {
  std::string text;
  bool has_slash = false;  ///< an encoded one
};

/// In the order of the query; a key may come several times.
class Query {
 public:
  using Pair = std::pair<std::string, std::string>;
  /// The first value of the key.
  [[nodiscard]] std::optional<std::string_view> find(std::string_view key) const;
  [[nodiscard]] std::vector<std::string_view> all(std::string_view key) const;
  [[nodiscard]] const std::vector<Pair>& pairs() const { return pairs_; }
  void add(std::string key, std::string value) {
    pairs_.emplace_back(std::move(key), std::move(value));
  }

 private:
  std::vector<Pair> pairs_;
};

struct Target {
  std::vector<Segment> segments;  ///< of "/": one that is empty
  Query query;
};

/// `target`: path and query as RequestHead has them ("" means "/").
Result<Target> parse_target(std::string_view target);

/// The text between "?" and the end, or a form body (application/x-www-form-urlencoded, URL
/// Standard, section 5.1): "+" is a space, a key without "=" has an empty value.
Result<Query> parse_query(std::string_view text);

/// `plus_is_space` as in queries and forms. Code::kMalformed.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space);
/// Everything but unreserved characters (RFC 3986, section 2.3) as %XX.
std::string percent_encode(std::string_view text);

/// RFC 3629: shortest forms only, no surrogates, nothing above U+10FFFF.
bool is_utf8(std::string_view text);

}  // namespace theriac::http
