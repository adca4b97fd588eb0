#include "pgwire/datetime_tokens.hpp"

#include <algorithm>

#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

struct Entry {
  std::string_view word;
  Keyword meaning;
};
using K = Keyword::Kind;
constexpr auto kKeywords = std::to_array<Entry>({
    {"jan", {K::kMonth, 1}},
    {"january", {K::kMonth, 1}},
    {"feb", {K::kMonth, 2}},
    {"february", {K::kMonth, 2}},
    {"mar", {K::kMonth, 3}},
    {"march", {K::kMonth, 3}},
    {"apr", {K::kMonth, 4}},
    {"april", {K::kMonth, 4}},
    {"may", {K::kMonth, 5}},
    {"jun", {K::kMonth, 6}},
    {"june", {K::kMonth, 6}},
    {"jul", {K::kMonth, 7}},
    {"july", {K::kMonth, 7}},
    {"aug", {K::kMonth, 8}},
    {"august", {K::kMonth, 8}},
    {"sep", {K::kMonth, 9}},
    {"sept", {K::kMonth, 9}},
    {"september", {K::kMonth, 9}},
    {"oct", {K::kMonth, 10}},
    {"october", {K::kMonth, 10}},
    {"nov", {K::kMonth, 11}},
    {"november", {K::kMonth, 11}},
    {"dec", {K::kMonth, 12}},
    {"december", {K::kMonth, 12}},
    {"sun", {K::kWeekday, 0}},
    {"sunday", {K::kWeekday, 0}},
    {"mon", {K::kWeekday, 1}},
    {"monday", {K::kWeekday, 1}},
    {"tue", {K::kWeekday, 2}},
    {"tues", {K::kWeekday, 2}},
    {"tuesday", {K::kWeekday, 2}},
    {"wed", {K::kWeekday, 3}},
    {"weds", {K::kWeekday, 3}},
    {"wednesday", {K::kWeekday, 3}},
    {"thu", {K::kWeekday, 4}},
    {"thur", {K::kWeekday, 4}},
    {"thurs", {K::kWeekday, 4}},
    {"thursday", {K::kWeekday, 4}},
    {"fri", {K::kWeekday, 5}},
    {"friday", {K::kWeekday, 5}},
    {"sat", {K::kWeekday, 6}},
    {"saturday", {K::kWeekday, 6}},
    {"am", {K::kBeforeNoon, 0}},
    {"pm", {K::kAfterNoon, 0}},
    {"ad", {K::kAd, 0}},
    {"bc", {K::kBc, 0}},
    {"t", {K::kTimeMark, 0}},
    {"now", {K::kDependsOnNow, 0}},
    {"today", {K::kDependsOnNow, 0}},
    {"tomorrow", {K::kDependsOnNow, 0}},
    {"yesterday", {K::kDependsOnNow, 0}},
    // Words PostgreSQL gives a meaning that is not read here; listed so that a digit behind one
    // does not make it look like the name of a zone.
    {"allballs", {}},
    {"at", {}},
    {"on", {}},
    {"d", {}},
    {"dow", {}},
    {"doy", {}},
    {"dst", {}},
    {"epoch", {}},
    {"h", {}},
    {"infinity", {}},
    {"isodow", {}},
    {"isoyear", {}},
    {"j", {}},
    {"jd", {}},
    {"julian", {}},
    {"m", {}},
    {"mm", {}},
    {"s", {}},
    {"y", {}},
});

bool is_name_mark(char c) {
  return c == '+' || c == '-' || c == '/' || c == '_' || c == '.' || c == ':';
}

Token take_from_digit(std::string_view& rest) {
  const auto all = rest;
  const auto made = [&](Token::Kind kind) {
    return Token{kind, all.substr(0, all.size() - rest.size())};
  };
  take_digits(rest);
  if (rest.empty()) return made(Token::Kind::kNumber);
  const char mark = rest[0];
  if (mark == ':') {
    take_while(rest, [](char c) { return is_digit(c) || c == ':' || c == '.'; });
    return made(Token::Kind::kTime);
  }
  if (mark != '-' && mark != '/' && mark != '.') return made(Token::Kind::kNumber);
  rest.remove_prefix(1);
  if (!rest.empty() && is_digit(rest[0])) {
    take_digits(rest);
    // A date needs the same delimiter twice; one point is a fraction.
    if (rest.empty() || rest[0] != mark) {
      return made(mark == '.' ? Token::Kind::kNumber : Token::Kind::kDate);
    }
    take_while(rest, [mark](char c) { return is_digit(c) || c == mark; });
    return made(Token::Kind::kDate);
  }
  take_while(rest, [mark](char c) { return is_digit(c) || is_letter(c) || c == mark; });
  return made(Token::Kind::kDate);
}

Token take_from_letter(std::string_view& rest) {
  const auto all = rest;
  const auto word = take_while(rest, is_letter);
  const char next = rest.empty() ? ' ' : rest[0];
  const bool name = next == '-' || next == '/' || next == '.' ||
                    ((next == '+' || is_digit(next)) && !keyword_of(word));
  if (!name) return {Token::Kind::kWord, word};
  take_while(rest, [](char c) { return is_name_mark(c) || is_letter(c) || is_digit(c); });
  return {Token::Kind::kName, all.substr(0, all.size() - rest.size())};
}

}  // namespace

std::optional<Keyword> keyword_of(std::string_view word) {
  const auto* found = std::find_if(kKeywords.begin(), kKeywords.end(), [word](const Entry& entry) {
    return equals_ignoring_case(word, entry.word);
  });
  if (found == kKeywords.end()) return std::nullopt;
  return found->meaning;
}

Result<TokenList> TokenList::of(std::string_view text) {
  const auto refused = [] { return fail(Code::kBadDateTime, "date or time"); };
  TokenList list;
  while (!text.empty()) {
    const char c = text[0];
    if (is_space(c) || c == ',') {
      text.remove_prefix(1);
      continue;
    }
    Token token;
    if (is_digit(c)) {
      token = take_from_digit(text);
    } else if (is_letter(c)) {
      token = take_from_letter(text);
    } else if (c == '+' || c == '-') {
      const auto all = text;
      text.remove_prefix(1);
      take_while(text, [](char d) { return is_digit(d) || d == ':' || d == '.' || d == '-'; });
      token = {Token::Kind::kOffset, all.substr(0, all.size() - text.size())};
    } else {
      return refused();
    }
    if (list.count_ == kMax) return refused();
    list.tokens_.at(list.count_++) = token;
  }
  return list;
}

}  // namespace theriac::pgwire
