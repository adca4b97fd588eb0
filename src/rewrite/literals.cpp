#include "rewrite/literals.hpp"

#include <charconv>
#include <limits>
#include <utility>

#include "rewrite/lexeme.hpp"

namespace theriac::rewrite {
namespace {

// Stand for literals in a key; no text that holds them has a shape.
constexpr char kMarks[] = {'\x01', '\x02', '\x03', '\x04'};

class Shaper {
 public:
  explicit Shaper(std::string_view sql) : sql_(sql) {}

  std::optional<TextShape> run() {
    out_.key.reserve(sql_.size());
    while (at_ < sql_.size()) {
      if (!step()) return std::nullopt;
    }
    if (out_.tokens.empty()) return std::nullopt;
    return std::move(out_);
  }

 private:
  [[nodiscard]] char peek(std::size_t ahead) const {
    return at_ + ahead < sql_.size() ? sql_[at_ + ahead] : '\0';
  }
  void keep(std::size_t end) {
    out_.key.append(sql_.substr(at_, end - at_));
    at_ = end;
  }

  bool step() {
    const char c = sql_[at_];
    if (c >= '\x01' && c <= '\x04') return false;
    if (is_letter(c)) return word();
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number();
    switch (c) {
      case '\'':
        return string();
      case '"': {
        const auto end = quoted_end('"');
        if (end == std::string_view::npos) return false;
        keep(end);
        return true;
      }
      case '$':
        return parameter();
      case '-':
      case '/':
        return comment();
      default:
        keep(at_ + 1);
        return true;
    }
  }

  /// One past the closing quote, doubled ones skipped.
  [[nodiscard]] std::size_t quoted_end(char quote) const {
    for (std::size_t i = at_ + 1; i < sql_.size(); ++i) {
      if (sql_[i] != quote) continue;
      if (i + 1 < sql_.size() && sql_[i + 1] == quote) {
        ++i;
        continue;
      }
      return i + 1;
    }
    return std::string_view::npos;
  }

  bool word() {
    std::size_t end = at_;
    while (end < sql_.size() && (is_letter(sql_[end]) || is_digit(sql_[end]) || sql_[end] == '$')) {
      ++end;
    }
    // A prefix changes what the quotes hold: e'', b'', x'', n'', u&''.
    const char next = end < sql_.size() ? sql_[end] : '\0';
    const bool unicode = next == '&' && end - at_ == 1 && (sql_[at_] == 'u' || sql_[at_] == 'U');
    if ((next == '\'' && end - at_ == 1) || unicode) return false;
    keep(end);
    return true;
  }

  bool string() {
    const auto end = quoted_end('\'');
    if (end == std::string_view::npos) return false;
    // 'a' <newline> 'b' is one string.
    std::size_t next = end;
    bool line = false;
    while (next < sql_.size() && is_space(sql_[next])) {
      line = line || sql_[next] == '\n' || sql_[next] == '\r';
      ++next;
    }
    const bool goes_on = next < sql_.size() &&
                         ((line && sql_[next] == '\'') ||
                          (sql_[next] == '-' && next + 1 < sql_.size() && sql_[next + 1] == '-'));
    if (goes_on) return false;
    add(LiteralToken::Kind::kString, end);
    return true;
  }

  bool number() {
    std::size_t end = at_;
    bool whole = true;
    while (end < sql_.size() && is_digit(sql_[end])) ++end;
    if (end < sql_.size() && sql_[end] == '.') {
      whole = false;
      ++end;
      while (end < sql_.size() && is_digit(sql_[end])) ++end;
    }
    if (end < sql_.size() && (sql_[end] == 'e' || sql_[end] == 'E')) {
      whole = false;
      ++end;
      if (end < sql_.size() && (sql_[end] == '+' || sql_[end] == '-')) ++end;
      if (end >= sql_.size() || !is_digit(sql_[end])) return false;
      while (end < sql_.size() && is_digit(sql_[end])) ++end;
    }
    if (end < sql_.size() && (is_letter(sql_[end]) || sql_[end] == '.')) return false;
    auto kind = LiteralToken::Kind::kNumeric;
    std::int64_t value = 0;
    const auto read = std::from_chars(sql_.data() + at_, sql_.data() + end, value);
    if (whole && sql_.substr(at_, end - at_) == "9223372036854775808")
      return false;  // int8 below zero
    if (whole && read.ec == std::errc{}) {
      kind = value <= std::numeric_limits<std::int32_t>::max() ? LiteralToken::Kind::kInt4
                                                               : LiteralToken::Kind::kInt8;
    }
    add(kind, end);
    return true;
  }

  bool parameter() {
    if (!is_digit(peek(1))) return false;  // a dollar quote
    std::size_t end = at_ + 1;
    while (end < sql_.size() && is_digit(sql_[end])) ++end;
    if (end < sql_.size() && is_letter(sql_[end])) return false;
    keep(end);
    return true;
  }

  bool comment() {
    if (sql_[at_] == '-' && peek(1) == '-') {
      auto end = sql_.find_first_of("\n\r", at_);
      keep(end == std::string_view::npos ? sql_.size() : end);
      return true;
    }
    if (sql_[at_] == '/' && peek(1) == '*') {
      int depth = 1;
      std::size_t end = at_ + 2;
      while (end < sql_.size() && depth > 0) {
        const auto two = sql_.substr(end, 2);
        depth += two == "/*" ? 1 : two == "*/" ? -1 : 0;
        end += two == "/*" || two == "*/" ? 2 : 1;
      }
      if (depth > 0) return false;
      keep(end);
      return true;
    }
    keep(at_ + 1);
    return true;
  }

  void add(LiteralToken::Kind kind, std::size_t end) {
    out_.tokens.push_back({kind, at_, end - at_});
    out_.key.push_back(kMarks[static_cast<std::size_t>(kind)]);
    at_ = end;
  }

  std::string_view sql_;
  std::size_t at_ = 0;
  TextShape out_;
};

}  // namespace

std::optional<TextShape> shape_of_text(std::string_view sql) { return Shaper(sql).run(); }

std::string value_of(std::string_view sql, const LiteralToken& token) {
  const auto raw = raw_of(sql, token);
  if (token.kind != LiteralToken::Kind::kString) return std::string(raw);
  std::string out;
  const auto inner = raw.substr(1, raw.size() - 2);
  out.reserve(inner.size());
  for (std::size_t i = 0; i < inner.size(); ++i) {
    out.push_back(inner[i]);
    if (inner[i] == '\'') ++i;
  }
  return out;
}

}  // namespace theriac::rewrite
