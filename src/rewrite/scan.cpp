#include "rewrite/scan.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include "rewrite/lexeme.hpp"

namespace theriac::rewrite {
namespace {

bool is_operator(char c) { return std::string_view("+-*/<>=~!@#%^&|`?:").contains(c); }

/// Reads lexemes as PostgreSQL's scanner does (standard_conforming_strings on), as far as needed to
/// tell words from quoted text and comments.
class Reader {
 public:
  enum class Kind : std::uint8_t { kEnd, kWord, kOperator, kQuoted, kOther };
  explicit Reader(std::string_view text) : text_(text) {}

  Kind next() {
    skip_space();
    if (at_ >= text_.size()) return Kind::kEnd;
    begin_ = at_;
    const char c = text_[at_];
    if (is_letter(c)) return word();
    if (is_digit(c)) {
      while (at_ < text_.size() && (is_digit(text_[at_]) || text_[at_] == '.')) ++at_;
      return Kind::kOther;
    }
    if (c == '\'' || c == '"') {
      quoted(c, false);
      return Kind::kQuoted;
    }
    if (c == '$' && dollar_quoted()) return Kind::kQuoted;
    ++at_;
    return is_operator(c) ? Kind::kOperator : Kind::kOther;
  }
  [[nodiscard]] std::string_view lexeme() const { return text_.substr(begin_, at_ - begin_); }
  [[nodiscard]] std::string_view rest() const { return text_.substr(at_); }
  [[nodiscard]] bool comments() const { return comments_; }

 private:
  [[nodiscard]] bool here(std::string_view what) const {
    return text_.substr(at_, what.size()) == what;
  }

  void skip_space() {
    while (at_ < text_.size()) {
      if (is_space(text_[at_])) {
        ++at_;
      } else if (here("--")) {
        comments_ = true;
        while (at_ < text_.size() && text_[at_] != '\n' && text_[at_] != '\r') ++at_;
      } else if (here("/*")) {
        comments_ = true;
        int depth = 1;
        for (at_ += 2; at_ < text_.size() && depth > 0;) {
          const int step = here("*/") ? -1 : here("/*") ? 1 : 0;
          depth += step;
          at_ += step == 0 ? 1 : 2;
        }
      } else {
        return;
      }
    }
  }

  Kind word() {
    while (at_ < text_.size() &&
           (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == '$')) {
      ++at_;
    }
    const bool one = at_ - begin_ == 1;
    if (one && at_ < text_.size() && text_[at_] == '\'') {
      const char prefix = text_[begin_];
      if (std::string_view("eEbBxXnN").contains(prefix)) {
        quoted('\'', prefix == 'e' || prefix == 'E');
        return Kind::kQuoted;
      }
    }
    return Kind::kWord;
  }

  void quoted(char quote, bool escapes) {
    for (++at_; at_ < text_.size(); ++at_) {
      if (escapes && text_[at_] == '\\') {
        ++at_;
      } else if (text_[at_] == quote) {
        if (at_ + 1 < text_.size() && text_[at_ + 1] == quote) {
          ++at_;
        } else {
          ++at_;
          return;
        }
      }
    }
    at_ = text_.size();
  }

  bool dollar_quoted() {
    std::size_t end = at_ + 1;
    if (end < text_.size() && is_letter(text_[end])) {
      while (end < text_.size() && (is_letter(text_[end]) || is_digit(text_[end]))) ++end;
    }
    if (end >= text_.size() || text_[end] != '$') return false;
    const auto tag = text_.substr(at_, end - at_ + 1);
    const auto close = text_.find(tag, end + 1);
    at_ = close == std::string_view::npos ? text_.size() : close + tag.size();
    return true;
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::size_t begin_ = 0;
  bool comments_ = false;
};

std::string lowered(std::string_view word) {
  std::string out(word);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> list) {
  return std::find(list.begin(), list.end(), word) != list.end();
}

/// Words that, like an operator, put what stands before them one level deeper.
bool deepens(std::string_view word) {
  return is_one_of(word, {"not", "collate", "at", "operator", "is", "isnull", "notnull", "like",
                          "ilike", "similar", "between", "in", "escape"});
}
bool chains(std::string_view word) {
  return is_one_of(word, {"join", "union", "intersect", "except"});
}

}  // namespace

int nesting(std::string_view sql) {
  struct Frame {
    int chain = 0;
    bool of_case = false;
  };
  std::vector<Frame> frames(1);
  int below = 0;  // sum over the frames under the last one
  int joined = 0;
  int most = 0;
  const auto open = [&](bool of_case) {
    below += frames.back().chain + 4;
    frames.push_back({0, of_case});
  };
  const auto close = [&](bool of_case) {
    if (frames.size() == 1 || frames.back().of_case != of_case) return;
    frames.pop_back();
    below -= frames.back().chain + 4;
  };
  Reader reader(sql);
  for (auto kind = reader.next(); kind != Reader::Kind::kEnd; kind = reader.next()) {
    const char first = reader.lexeme().front();
    if (kind == Reader::Kind::kOperator) {
      ++frames.back().chain;
    } else if (kind == Reader::Kind::kWord) {
      const auto word = lowered(reader.lexeme());
      if (word == "case") {
        open(true);
      } else if (word == "end") {
        close(true);
      } else if (deepens(word)) {
        ++frames.back().chain;
      } else if (chains(word)) {
        ++joined;
      } else if (word == "and" || word == "or" ||
                 (frames.back().of_case && is_one_of(word, {"when", "then", "else"}))) {
        // Chains of AND and OR become one flat list, and so do the branches of a CASE.
        frames.back().chain = 0;
      }
    } else if (kind == Reader::Kind::kOther) {
      if (first == '(' || first == '[') open(false);
      if (first == ')' || first == ']') close(false);
      if (first == ',') frames.back().chain = 0;
      if (first == ';' && frames.size() == 1) {
        frames.back().chain = 0;
        joined = 0;
      }
    }
    most = std::max(most, below + frames.back().chain + joined);
  }
  return most;
}

std::optional<std::string_view> simple_statement(std::string_view sql) {
  constexpr std::array<std::string_view, 4> kTags{"SELECT", "INSERT", "UPDATE", "DELETE"};
  if (sql.contains('$')) return std::nullopt;
  Reader reader(sql);
  if (reader.next() != Reader::Kind::kWord) return std::nullopt;
  const auto first = lowered(reader.lexeme());
  const auto tag = std::find_if(kTags.begin(), kTags.end(),
                                [&](std::string_view one) { return lowered(one) == first; });
  if (tag == kTags.end()) return std::nullopt;
  bool ended = false;
  bool into_allowed = first == "insert";
  for (auto kind = reader.next(); kind != Reader::Kind::kEnd; kind = reader.next()) {
    if (ended) return std::nullopt;
    if (kind == Reader::Kind::kOther && reader.lexeme() == ";") {
      ended = true;
    } else if (kind == Reader::Kind::kQuoted) {
      // A quoted identifier could hide a name that matters below.
      if (reader.lexeme().front() == '"') return std::nullopt;
    } else if (kind == Reader::Kind::kWord) {
      const auto word = lowered(reader.lexeme());
      if (word == "into" && into_allowed) {
        into_allowed = false;  // INSERT INTO; another one could be SELECT INTO
      } else if (is_one_of(word, {"into", "set_config", "pg_settings"})) {
        return std::nullopt;
      }
    }
  }
  return *tag;
}

std::optional<std::string_view> query_behind_as(std::string_view sql) {
  Reader reader(sql);
  const auto is_word = [&](Reader::Kind kind, std::string_view word) {
    return kind == Reader::Kind::kWord && lowered(reader.lexeme()) == word;
  };
  if (!is_word(reader.next(), "prepare")) return std::nullopt;
  const auto name = reader.next();
  if (name != Reader::Kind::kWord && name != Reader::Kind::kQuoted) return std::nullopt;
  auto kind = reader.next();
  if (kind == Reader::Kind::kOther && reader.lexeme() == "(") {
    for (int depth = 1; depth > 0;) {
      kind = reader.next();
      if (kind == Reader::Kind::kEnd) return std::nullopt;
      if (kind != Reader::Kind::kOther) continue;
      depth += reader.lexeme() == "(" ? 1 : reader.lexeme() == ")" ? -1 : 0;
    }
    kind = reader.next();
  }
  if (!is_word(kind, "as")) return std::nullopt;
  const auto rest = reader.rest();
  return rest.substr(std::min(rest.find_first_not_of(" \t\n\r\f\v"), rest.size()));
}

}  // namespace theriac::rewrite
