#include "rewrite/known_statements.hpp"

#include "rewrite/literals.hpp"

namespace theriac::rewrite {
namespace {

std::string key_of(std::string_view sql) {
  while (!sql.empty() && std::string_view(" \t\r\n;").contains(sql.back())) sql.remove_suffix(1);
  while (!sql.empty() && std::string_view(" \t\r\n").contains(sql.front())) sql.remove_prefix(1);
  auto shape = shape_of_text(sql);
  return shape ? std::move(shape->key) : std::string(sql);
}

}  // namespace

Result<KnownStatements> KnownStatements::parse(std::string_view text) {
  KnownStatements out;
  std::size_t line = 0;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto raw = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++line;
    if (raw.find_first_not_of(" \t\r") == std::string_view::npos || raw.starts_with("--")) continue;
    std::string sql;
    for (std::size_t i = 0; i < raw.size(); ++i) {
      if (raw[i] != '\\') {
        sql.push_back(raw[i]);
        continue;
      }
      const char next = i + 1 < raw.size() ? raw[i + 1] : '\0';
      if (next != 'n' && next != '\\') {
        return fail(Code::kMalformed, "line " + std::to_string(line) + ": backslash");
      }
      sql.push_back(next == 'n' ? '\n' : '\\');
      ++i;
    }
    out.keys_.insert(key_of(sql));
  }
  return out;
}

std::string KnownStatements::line_of(std::string_view sql) {
  std::string out;
  for (const char c : sql) {
    if (c == '\n') {
      out += "\\n";
    } else if (c == '\\') {
      out += "\\\\";
    } else {
      out.push_back(c);
    }
  }
  return out;
}

bool KnownStatements::knows(std::string_view sql) const { return keys_.contains(key_of(sql)); }

}  // namespace theriac::rewrite
