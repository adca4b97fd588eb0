#include "pgwire/json_value.hpp"

#include <map>
#include <utility>

#include "codec/json_escape.hpp"
#include "pgwire/decimal.hpp"
#include "pgwire/text_scan.hpp"
#include "pgwire/utf8.hpp"

namespace theriac::pgwire {
namespace {

tl::unexpected<Error> bad() { return fail(Code::kMalformed, "json"); }

enum class Form : std::uint8_t { kCheck, kPrint, kEquality };

bool is_json_space(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

void add_quoted(std::string& out, std::string_view text) {
  out.push_back('"');
  for (const char c : text) codec::append_json_character(out, c);
  out.push_back('"');
}

/// Reads one value and writes it again on the way.
class Reader {
 public:
  Reader(std::string_view text, Form form) : rest_(text), form_(form) {}

  Result<std::string> read() {
    std::string out;
    THERIAC_TRY(value(out, 0));
    spaces();
    if (!rest_.empty()) return bad();
    return out;
  }

 private:
  void spaces() { take_while(rest_, is_json_space); }
  bool take(char c) {
    spaces();
    if (rest_.empty() || rest_[0] != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  Status value(std::string& out, int depth);
  Status object(std::string& out, int depth);
  Status array(std::string& out, int depth);
  Status number(std::string& out);
  Status string(std::string& out);
  Result<unsigned> hex4();
  Status escape(std::string& out);

  std::string_view rest_;
  Form form_;
};

Status Reader::value(std::string& out, int depth) {
  if (depth > kJsonDepthMax) return fail(Code::kTooLarge, "json");
  spaces();
  if (rest_.empty()) return bad();
  switch (rest_[0]) {
    case '{':
      return object(out, depth);
    case '[':
      return array(out, depth);
    case '"': {
      std::string text;
      THERIAC_TRY(string(text));
      if (form_ != Form::kCheck) add_quoted(out, text);
      return {};
    }
    default:
      break;
  }
  if (is_letter(rest_[0])) {
    const auto word = take_while(rest_, [](char c) {
      return is_letter(c) || is_digit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
    });
    if (word != "true" && word != "false" && word != "null") return bad();
    out += word;
    return {};
  }
  return number(out);
}

Status Reader::object(std::string& out, int depth) {
  rest_.remove_prefix(1);
  // By length, then bytes; of doubled keys the last counts.
  std::map<std::pair<std::size_t, std::string>, std::string> members;
  if (!take('}')) {
    do {
      spaces();
      if (rest_.empty() || rest_[0] != '"') return bad();
      std::string key, member;
      THERIAC_TRY(string(key));
      if (!take(':')) return bad();
      THERIAC_TRY(value(member, depth + 1));
      if (form_ != Form::kCheck) {
        const auto size = key.size();
        members.insert_or_assign({size, std::move(key)}, std::move(member));
      }
    } while (take(','));
    if (!take('}')) return bad();
  }
  out.push_back('{');
  bool first = true;
  for (const auto& [key, member] : members) {
    if (!first) out += ", ";
    first = false;
    add_quoted(out, key.second);
    out += ": ";
    out += member;
  }
  out.push_back('}');
  return {};
}

Status Reader::array(std::string& out, int depth) {
  rest_.remove_prefix(1);
  out.push_back('[');
  if (!take(']')) {
    bool first = true;
    do {
      if (!first) out += ", ";
      first = false;
      THERIAC_TRY(value(out, depth + 1));
    } while (take(','));
    if (!take(']')) return bad();
  }
  out.push_back(']');
  return {};
}

Status Reader::number(std::string& out) {
  const auto all = rest_;
  if (rest_.starts_with('-')) rest_.remove_prefix(1);
  const auto whole = take_digits(rest_);
  if (whole.empty() || (whole.size() > 1 && whole[0] == '0')) return bad();
  if (rest_.starts_with('.')) {
    rest_.remove_prefix(1);
    if (take_digits(rest_).empty()) return bad();
  }
  if (!rest_.empty() && lower(rest_[0]) == 'e') {
    rest_.remove_prefix(1);
    if (!rest_.empty() && (rest_[0] == '+' || rest_[0] == '-')) rest_.remove_prefix(1);
    if (take_digits(rest_).empty()) return bad();
  }
  if (!rest_.empty() && (is_letter(rest_[0]) || is_digit(rest_[0]) || rest_[0] == '_' ||
                         static_cast<unsigned char>(rest_[0]) >= 0x80)) {
    return bad();
  }
  if (form_ == Form::kCheck) return {};
  THERIAC_ASSIGN(auto decimal, Decimal::parse(all.substr(0, all.size() - rest_.size())));
  THERIAC_TRY(decimal.fit(-1));
  out += form_ == Form::kPrint ? decimal.text() : decimal.equality_text();
  return {};
}

Result<unsigned> Reader::hex4() {
  constexpr std::size_t kDigits = 4;
  if (rest_.size() < kDigits) return bad();
  unsigned code = 0;
  for (std::size_t i = 0; i < kDigits; ++i) {
    const char c = lower(rest_[i]);
    const bool letter = c >= 'a' && c <= 'f';
    if (!is_digit(c) && !letter) return bad();
    code = code * 16 + static_cast<unsigned>(letter ? c - 'a' + 10 : c - '0');
  }
  rest_.remove_prefix(kDigits);
  return code;
}

Status Reader::escape(std::string& out) {
  if (rest_.empty()) return bad();
  const char mark = rest_[0];
  rest_.remove_prefix(1);
  constexpr std::string_view kMarks = "\"\\/bfnrt", kMeant = "\"\\/\b\f\n\r\t";
  if (const auto at = kMarks.find(mark); at != std::string_view::npos) {
    out.push_back(kMeant[at]);
    return {};
  }
  if (mark != 'u') return bad();
  THERIAC_ASSIGN(auto code, hex4());
  if (form_ == Form::kCheck) return {};  // json keeps the escape and does not ask what it means
  const auto is_high = [](unsigned c) { return c >= 0xd800 && c < 0xdc00; };
  const auto is_low = [](unsigned c) { return c >= 0xdc00 && c < 0xe000; };
  if (code == 0 || is_low(code)) return bad();
  if (is_high(code)) {
    if (!rest_.starts_with("\\u")) return bad();
    rest_.remove_prefix(2);
    THERIAC_ASSIGN(const auto second, hex4());
    if (!is_low(second)) return bad();
    code = 0x10000 + ((code & 0x3ffU) << 10U) + (second & 0x3ffU);
  }
  append_utf8(out, code);
  return {};
}

Status Reader::string(std::string& out) {
  rest_.remove_prefix(1);
  for (;;) {
    const auto plain = take_while(rest_, [](char c) {
      return c != '"' && c != '\\' && static_cast<unsigned char>(c) >= ' ';
    });
    out += plain;
    if (rest_.empty()) return bad();
    const char c = rest_[0];
    rest_.remove_prefix(1);
    if (c == '"') return {};
    if (c != '\\') return bad();
    THERIAC_TRY(escape(out));
  }
}

}  // namespace

Status check_json(std::string_view text) {
  THERIAC_TRY(Reader(text, Form::kCheck).read());
  return {};
}
Result<std::string> jsonb_text(std::string_view text) { return Reader(text, Form::kPrint).read(); }
Result<std::string> jsonb_equality(std::string_view text) {
  return Reader(text, Form::kEquality).read();
}

}  // namespace theriac::pgwire
