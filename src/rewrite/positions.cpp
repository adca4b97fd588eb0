#include "rewrite/positions.hpp"

#include <pg_query.h>

#include <algorithm>
#include <vector>

#include "pgwire/utf8.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {
namespace {

struct Token {
  std::size_t begin = 0;
  std::string lexeme;  ///< names without quotes, as they are looked up
};

std::string plain(std::string_view lexeme) {
  if (lexeme.size() > 1 && lexeme.front() == '"') {
    return std::string(lexeme.substr(1, lexeme.size() - 2));
  }
  std::string out(lexeme);
  if (!out.empty() && out.front() != '\'') {
    for (char& c : out) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

std::vector<Token> tokens_of(const std::string& text) {
  std::vector<Token> out;
  const auto result = pg_query_scan(text.c_str());
  pg::ScanResult tokens;
  if (result.error == nullptr &&
      tokens.ParseFromArray(result.pbuf.data, static_cast<int>(result.pbuf.len))) {
    for (const auto& token : tokens.tokens()) {
      const auto begin = static_cast<std::size_t>(token.start());
      const auto end = static_cast<std::size_t>(token.end());
      if (begin > end || end > text.size()) continue;
      out.push_back({begin, plain(std::string_view(text).substr(begin, end - begin))});
    }
  }
  pg_query_free_scan_result(result);
  return out;
}

}  // namespace

std::optional<std::size_t> position_in_text(const std::string& sent, std::size_t position,
                                            const std::string& text) {
  if (position == 0) return std::nullopt;
  const auto at = pgwire::position_after(sent, position - 1);
  const auto theirs = tokens_of(sent);
  const auto found = std::ranges::find(theirs, at, &Token::begin);
  if (found == theirs.end()) return std::nullopt;
  // The nth of all tokens that read the same is the nth of them in the client's text.
  const auto same = [&](const Token& one) { return one.lexeme == found->lexeme; };
  const auto nth = std::count_if(theirs.begin(), found, same);
  const auto ours = tokens_of(text);
  if (std::ranges::count_if(ours, same) != std::ranges::count_if(theirs, same)) return std::nullopt;
  auto left = nth;
  for (const auto& one : ours) {
    if (same(one) && left-- == 0) {
      return pgwire::count_characters(std::string_view(text).substr(0, one.begin)) + 1;
    }
  }
  return std::nullopt;
}

}  // namespace theriac::rewrite
