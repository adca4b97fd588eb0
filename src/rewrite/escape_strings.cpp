#include "rewrite/escape_strings.hpp"

#include <algorithm>

#include "rewrite/lexeme.hpp"

namespace theriac::rewrite {
namespace {

bool is_line_end(char c) { return c == '\n' || c == '\r'; }

/// Copies a text lexeme by lexeme. Source: PostgreSQL 15 manual, 4.1 and 20.13.1.
class Copier {
 public:
  explicit Copier(std::string_view text) : text_(text) { out_.reserve(text.size() + 64); }

  tl::expected<std::string, std::size_t> run() {
    while (at_ < text_.size()) {
      const auto begin = at_;
      if (!step()) return tl::unexpected(begin);
    }
    return std::move(out_);
  }

 private:
  enum class Kind : std::uint8_t { kPlain, kEscapes, kBits };

  [[nodiscard]] char peek(std::size_t ahead) const {
    return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0';
  }
  void copy(std::size_t size) {
    out_.append(text_.substr(at_, size));
    at_ = std::min(at_ + size, text_.size());
  }

  bool step() {
    const char c = text_[at_];
    if (is_letter(c)) return word();
    if (is_digit(c)) {
      while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) copy(1);
      return true;
    }
    if (c == '\'') {
      out_ += " E";
      string(Kind::kPlain);
    } else if (c == '"') {
      quoted_name();
    } else if (c == '$') {
      dollar();
    } else if (c == '-' && peek(1) == '-') {
      copy(line_comment(at_) - at_);
    } else if (c == '/' && peek(1) == '*') {
      block_comment();
    } else {
      copy(1);
    }
    return true;
  }

  bool word() {
    const auto begin = at_;
    while (at_ < text_.size() &&
           (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '$')) {
      ++at_;
    }
    const auto word = text_.substr(begin, at_ - begin);
    const char first = word.size() == 1 ? word[0] : '\0';
    if ((first == 'u' || first == 'U') && peek(0) == '&' && peek(1) == '\'') return false;
    if ((first == 'n' || first == 'N') && peek(0) == '\'') {
      out_ += "NCHAR";  // what N'...' means; the literal comes next
      return true;
    }
    out_.append(word);
    if (peek(0) != '\'') return true;
    if (first == 'e' || first == 'E') string(Kind::kEscapes);
    if (first == 'b' || first == 'B' || first == 'x' || first == 'X') string(Kind::kBits);
    return true;
  }

  /// From its opening quote, parts continued on other lines included.
  void string(Kind kind) {
    for (;;) {
      copy(1);
      while (at_ < text_.size()) {
        if (kind != Kind::kBits && text_[at_] == '\\') {
          copy(2);
        } else if (text_[at_] != '\'') {
          copy(1);
        } else if (peek(1) == '\'' && kind != Kind::kBits) {
          copy(2);
        } else {
          break;
        }
      }
      copy(1);
      const auto next = continued();
      if (next == 0) return;
      copy(next - at_);
    }
  }

  /// Where the string goes on; 0: it has ended.
  [[nodiscard]] std::size_t continued() const {
    bool line = false;
    auto at = at_;
    while (at < text_.size()) {
      if (is_space(text_[at])) {
        line = line || is_line_end(text_[at]);
        ++at;
      } else if (text_.substr(at, 2) == "--") {
        at = line_comment(at);
      } else {
        break;
      }
    }
    return line && at < text_.size() && text_[at] == '\'' ? at : 0;
  }

  [[nodiscard]] std::size_t line_comment(std::size_t at) const {
    while (at < text_.size() && !is_line_end(text_[at])) ++at;
    return at;
  }

  void block_comment() {
    int depth = 0;
    do {
      const auto two = text_.substr(at_, 2);
      const int step = two == "/*" ? 1 : two == "*/" ? -1 : 0;
      depth += step;
      copy(step == 0 ? 1 : 2);
    } while (depth > 0 && at_ < text_.size());
  }

  void quoted_name() {
    do {
      copy(1);
    } while (at_ < text_.size() && text_[at_] != '"');
    copy(1);  // a doubled quote begins what reads like another name, and is copied as one
  }

  void dollar() {
    auto end = at_ + 1;
    if (end < text_.size() && is_letter(text_[end])) {
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    }
    if (end >= text_.size() || text_[end] != '$') return copy(1);
    const auto tag = text_.substr(at_, end - at_ + 1);
    const auto close = text_.find(tag, end + 1);
    copy((close == std::string_view::npos ? text_.size() : close + tag.size()) - at_);
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::string out_;
};

}  // namespace

tl::expected<std::string, std::size_t> with_escape_strings(std::string_view sql) {
  return Copier(sql).run();
}

}  // namespace theriac::rewrite
