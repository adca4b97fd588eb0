#include "protect/index_text.hpp"

#include <algorithm>

#include "store/pg.hpp"

namespace theriac::protect {
namespace {

/// Position behind a quoted name or literal that starts at `at`; doubled quotes belong to it.
std::size_t skip_quoted(std::string_view text, std::size_t at) {
  const char quote = text[at];
  for (++at; at < text.size(); ++at) {
    if (text[at] != quote) continue;
    if (at + 1 < text.size() && text[at + 1] == quote) {
      ++at;
      continue;
    }
    return at + 1;
  }
  return text.size();
}

bool quotes(char c) { return c == '"' || c == '\''; }

/// Position of `word` outside quotes and parentheses, or npos.
std::size_t find_word(std::string_view text, std::string_view word, std::size_t from) {
  int depth = 0;
  for (std::size_t at = from; at < text.size();) {
    if (quotes(text[at])) {
      at = skip_quoted(text, at);
      continue;
    }
    if (depth == 0 && text.substr(at).starts_with(word)) return at;
    if (text[at] == '(') ++depth;
    if (text[at] == ')') --depth;
    ++at;
  }
  return std::string_view::npos;
}

/// Size of the column's name at the element's begin, 0 if it is not there. As quote_identifier()
/// would print it: quoted only where it must be. Both spellings are compared, since reserved words
/// cannot be told from here.
std::size_t column_size(std::string_view element, std::string_view column) {
  const auto rest_ok = [&](std::size_t size) {
    return element.size() == size || element[size] == ' ';
  };
  const bool bare = std::all_of(column.begin(), column.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '$';
  });
  if (bare && element.starts_with(column) && rest_ok(column.size())) return column.size();
  const auto quoted = store::pg_quote_identifier(column);
  return element.starts_with(quoted) && rest_ok(quoted.size()) ? quoted.size() : 0;
}

}  // namespace

std::vector<std::size_t> IndexText::places_of(std::string_view column) const {
  std::vector<std::size_t> out;
  for (std::size_t i = 0; i < elements.size(); ++i) {
    if (column_size(elements[i], column) > 0) out.push_back(i);
  }
  return out;
}

IndexText::Rest IndexText::after_column(std::size_t place, std::string_view column) const {
  Rest out{elements.at(place).substr(column_size(elements.at(place), column)), {}};
  for (const std::string_view word : {" NULLS LAST", " NULLS FIRST", " DESC"}) {
    if (!out.form.ends_with(word)) continue;
    out.order.insert(0, word);
    out.form.resize(out.form.size() - word.size());
  }
  return out;
}

std::string IndexText::sql(const std::string& table) const {
  std::string list;
  for (const auto& element : elements) list += (list.empty() ? "" : ", ") + element;
  return head + " ON " + table + " USING " + method + " (" + list + ")" + tail;
}

Result<IndexText> parse_index(std::string_view definition) {
  const auto on = find_word(definition, " ON ", 0);
  const auto using_at =
      on == std::string_view::npos ? on : find_word(definition, " USING ", on + 4);
  if (using_at == std::string_view::npos) return fail(Code::kMalformed, "index definition");
  IndexText out;
  out.head = std::string(definition.substr(0, on));
  std::size_t at = using_at + 7;
  const auto open = definition.find(" (", at);
  if (open == std::string_view::npos) return fail(Code::kMalformed, "index definition");
  out.method = std::string(definition.substr(at, open - at));
  int depth = 1;
  std::string element;
  for (at = open + 2; at < definition.size() && depth > 0;) {
    const char c = definition[at];
    if (quotes(c)) {
      const auto end = skip_quoted(definition, at);
      element += definition.substr(at, end - at);
      at = end;
      continue;
    }
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if ((c == ',' && depth == 1) || depth == 0) {
      out.elements.push_back(std::move(element));
      element.clear();
      at += c == ',' && definition.substr(at).starts_with(", ") ? 2 : 1;
      continue;
    }
    element += c;
    ++at;
  }
  if (depth != 0) return fail(Code::kMalformed, "index definition");
  out.tail = std::string(definition.substr(at));
  return out;
}

}  // namespace theriac::protect
