#include "store/dialect.hpp"

#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <utility>
#include <vector>

namespace theriac::store {
namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_space(char c) { return c == ' ' || c == '\n' || c == '\t' || c == '\r'; }

tl::unexpected<Error> unreadable(std::string_view what) {
  return fail(Code::kInternal, fmt::format("schema: {}", what));
}

struct Token {
  enum class Kind { kWord, kSpace, kOther } kind;
  std::string_view text;
};

/// Words, quoted texts, comments and single characters, in order and without a gap.
Result<std::vector<Token>> tokens_of(std::string_view sql) {
  std::vector<Token> tokens;
  std::size_t at = 0;
  const auto take = [&](Token::Kind kind, std::size_t end) {
    tokens.push_back({kind, sql.substr(at, end - at)});
    at = end;
  };
  const auto run_of = [&](auto belongs) {
    std::size_t end = at;
    while (end < sql.size() && belongs(sql[end])) ++end;
    return end;
  };
  while (at < sql.size()) {
    const char c = sql[at];
    const std::string_view rest = sql.substr(at);
    if (is_letter(c)) {
      take(Token::Kind::kWord, run_of([](char x) { return is_letter(x) || is_digit(x); }));
    } else if (is_space(c)) {
      take(Token::Kind::kSpace, run_of(is_space));
    } else if (rest.starts_with("--")) {
      take(Token::Kind::kSpace, run_of([](char x) { return x != '\n'; }));
    } else if (c == '\'') {
      // A doubled quote ends one text and begins the next, which is the same here.
      const auto end = sql.find(c, at + 1);
      if (end == std::string_view::npos) return unreadable("a quote that does not end");
      take(Token::Kind::kOther, end + 1);
    } else if (c == '\0' || c == '$' || c == '"' || c == '\\' || rest.starts_with("/*")) {
      return unreadable("a character that the engines read differently");
    } else {
      take(Token::Kind::kOther, at + 1);
    }
  }
  return tokens;
}

class Writer {
 public:
  Writer(Dialect dialect, int partitions) : dialect_(dialect), partitions_(partitions) {}

  Status statement(std::span<const Token> tokens) {
    std::vector<std::string_view> words;  // the first three: CREATE TABLE name
    for (const auto& token : tokens) {
      if (token.kind == Token::Kind::kWord && words.size() < 3) words.push_back(token.text);
      if (token.text == "(") break;
    }
    const bool of_table = words.size() >= 2 && words[1] == "TABLE";
    if (!of_table || words[0] != "CREATE") {
      for (const auto& token : tokens) out_ += of_table ? type_word(token) : token.text;
      return {};
    }
    if (words.size() < 3 || !is_name(words[2])) return unreadable("a table's name");
    return create_table(words[2], tokens);
  }
  void raw(std::string_view text) { out_ += text; }
  std::string take() { return std::move(out_); }

 private:
  [[nodiscard]] std::string_view type_word(const Token& token) const {
    const bool sqlite = dialect_ == Dialect::kSqlite;
    if (token.text == "INT") return sqlite ? "INTEGER" : "bigint";
    if (token.text == "TEXT") return sqlite ? "TEXT" : "text COLLATE \"C\"";
    if (token.text == "BYTES") return sqlite ? "BLOB" : "bytea";
    return token.text;
  }

  Status create_table(std::string_view name, std::span<const Token> tokens) {
    int depth = 0;
    std::size_t at = 0;
    for (; at < tokens.size(); ++at) {
      out_ += type_word(tokens[at]);
      if (tokens[at].text == "(") ++depth;
      if (tokens[at].text == ")" && --depth <= 0) break;
    }
    if (at == tokens.size() || depth != 0) return unreadable("parentheses of a table");
    std::vector<std::string_view> tail;
    for (const auto& token : tokens.subspan(at + 1)) {
      if (token.kind != Token::Kind::kSpace) tail.push_back(token.text);
    }
    return end_of_table(name, tail);
  }

  Status end_of_table(std::string_view name, std::span<const std::string_view> tail) {
    const bool clustered = !tail.empty() && tail[0] == "CLUSTERED";
    if (clustered) tail = tail.subspan(1);
    std::string_view partitioned;
    if (tail.size() == 4 && tail[0] == "PARTITIONED" && tail[1] == "(" && tail[3] == ")" &&
        is_name(tail[2])) {
      partitioned = tail[2];
    } else if (!tail.empty()) {
      return unreadable("what follows a table");
    }
    if (dialect_ == Dialect::kSqlite) {
      out_ += clustered ? " WITHOUT ROWID, STRICT" : " STRICT";
    } else if (!partitioned.empty()) {
      out_ += fmt::format(" PARTITION BY HASH ({})", partitioned);
      for (int i = 0; i < partitions_; ++i) {
        out_ += fmt::format(
            ";\nCREATE TABLE {0}_p{1} PARTITION OF {0} FOR VALUES WITH (MODULUS {2}, REMAINDER "
            "{1})",
            name, i, partitions_);
      }
    }
    return {};
  }

  Dialect dialect_;
  int partitions_;
  std::string out_;
};

}  // namespace

Result<std::string> in_dialect(Dialect dialect, std::string_view schema_sql, int partitions) {
  THERIAC_ASSIGN(const auto tokens, tokens_of(schema_sql));
  Writer writer(dialect, partitions);
  std::span<const Token> left(tokens);
  while (!left.empty()) {
    const auto end = std::ranges::find(left, ";", &Token::text);
    const auto size = static_cast<std::size_t>(end - left.begin());
    THERIAC_TRY(writer.statement(left.first(size)));
    if (end != left.end()) writer.raw(";");
    left = left.subspan(std::min(size + 1, left.size()));
  }
  return writer.take();
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 48 && !is_digit(text[0]) &&
         std::ranges::all_of(
             text, [](char c) { return (c >= 'a' && c <= 'z') || is_digit(c) || c == '_'; });
}

std::size_t parameters_in(std::string_view sql) {
  std::size_t highest = 0;
  bool quoted = false;
  for (std::size_t i = 0; i < sql.size(); ++i) {
    if (sql[i] == '\'') quoted = !quoted;
    if (quoted || sql[i] != '$') continue;
    std::size_t number = 0;
    std::from_chars(sql.data() + i + 1, sql.data() + sql.size(), number);
    highest = std::max(highest, number);
  }
  return highest;
}

std::string joined(std::span<const std::string_view> names) {
  return fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace theriac::store
