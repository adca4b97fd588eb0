// Answers on standard output what src/pgwire makes of the values on standard input, one line each,
// so that a test in another language can compare it with a server.
//
//   stored|comparand TYPE MODIFIER SENT-OID FORMAT DATESTYLE TIMEZONE OTHERS HEX-OF-VALUE
//     -> ok HEX-OF-STORED HEX-OF-TEXT HEX-OF-BINARY HEX-OF-EQUALITY     ("-" for an empty field)
//   render TYPE MODIFIER 0 0 DATESTYLE TIMEZONE OTHERS HEX-OF-STORED
//     -> ok HEX-OF-STORED HEX-OF-TEXT HEX-OF-BINARY HEX-OF-EQUALITY
//   TYPE: an object id; citext:OID:LOCALE; enum:OID:HEX-OF-LABEL,...; array:OID:TYPE
//   OTHERS: IntervalStyle,bytea_output,extra_float_digits
//   lower LOCALE HEX-OF-VALUE
//     -> ok HEX-OF-LOWER HEX-OF-UPPER
//   anything refused
//     -> error NAME SQLSTATE
#include <fmt/format.h>

#include <iostream>
#include <sstream>

#include "pgwire/case_map.hpp"
#include "pgwire/types.hpp"

namespace {

using theriac::Bytes;
using theriac::Result;

struct Question {
  std::string act;
  theriac::pgwire::ColumnType column;
  std::uint32_t sent_oid = 0;
  std::int16_t format = 0;
  theriac::pgwire::TextSettings settings;
  Bytes value;
};

std::string field(theriac::ByteView bytes) { return bytes.empty() ? "-" : theriac::to_hex(bytes); }

Result<theriac::pgwire::ColumnType> parse_type(const std::string& text) {
  namespace pg = theriac::pgwire;
  const auto colon = text.find(':');
  if (colon == std::string::npos) {
    return pg::ColumnType{static_cast<std::uint32_t>(std::stoul(text)), -1};
  }
  const auto kind = text.substr(0, colon);
  const auto next = text.find(':', colon + 1);
  const auto oid = static_cast<std::uint32_t>(std::stoul(text.substr(colon + 1, next - colon - 1)));
  auto rest = text.substr(next + 1);
  auto detail = std::make_shared<pg::TypeDetail>();
  if (kind == "array") {
    detail->kind = pg::TypeKind::kArray;
    THERIAC_ASSIGN(detail->element, parse_type(rest));
  } else if (kind == "citext") {
    detail->kind = pg::TypeKind::kCitext;
    THERIAC_ASSIGN(detail->lower, pg::CaseMap::find(rest));
  } else {
    detail->kind = pg::TypeKind::kEnum;
    std::istringstream labels(rest);
    for (std::string label; std::getline(labels, label, ',');) {
      THERIAC_ASSIGN(const auto bytes, theriac::from_hex(label));
      detail->labels.emplace_back(theriac::text_of(bytes));
    }
  }
  return pg::ColumnType{oid, -1, std::move(detail)};
}

Result<Question> parse(const std::string& line) {
  std::istringstream in(line);
  Question question;
  std::string type, style, others, value;
  std::int32_t modifier = -1;
  in >> question.act >> type >> modifier >> question.sent_oid >> question.format >> style >>
      question.settings.time_zone >> others >> value;
  if (!in) return theriac::fail(theriac::Code::kUsage);
  THERIAC_ASSIGN(question.column, parse_type(type));
  question.column.modifier = modifier;
  if (value != "-") {
    THERIAC_ASSIGN(question.value, theriac::from_hex(value));
  }
  auto& settings = question.settings;
  THERIAC_ASSIGN(settings, theriac::pgwire::with_date_style(settings, style));
  std::istringstream list(others);
  for (const char* name : {"IntervalStyle", "bytea_output", "extra_float_digits"}) {
    std::string each;
    std::getline(list, each, ',');
    THERIAC_ASSIGN(settings, theriac::pgwire::with_setting(settings, name, each));
  }
  return question;
}

Result<std::string> answer_lower(std::istringstream in) {
  std::string act, locale, value;
  in >> act >> locale >> value;
  THERIAC_ASSIGN(const auto map, theriac::pgwire::CaseMap::find(locale));
  const auto text = value == "all" ? theriac::pgwire::CaseMap::probe_text() : std::string();
  return fmt::format("ok {} {}", field(theriac::view_of(map->lower(text))),
                     field(theriac::view_of(map->upper(text))));
}

Result<std::string> answer(const std::string& line) {
  namespace pg = theriac::pgwire;
  if (line.starts_with("lower ")) return answer_lower(std::istringstream(line));
  THERIAC_ASSIGN(const auto q, parse(line));
  Result<std::string> stored = std::string(theriac::text_of(q.value));
  if (q.act == "stored") {
    stored = pg::to_stored(q.column, q.sent_oid, q.format, q.value, q.settings);
  } else if (q.act == "comparand") {
    stored = pg::to_comparand(q.column, q.sent_oid, q.format, q.value, q.settings);
  }
  if (!stored) return theriac::fail(stored.error());
  Bytes text, binary;
  if (q.act != "comparand") {  // a comparand need not be a value of the type
    THERIAC_TRY(pg::render(q.column, 0, *stored, q.settings, text));
    THERIAC_TRY(pg::render(q.column, 1, *stored, q.settings, binary));
  }
  Bytes equality;
  if (pg::has_equality(q.column)) {
    THERIAC_ASSIGN(equality, pg::equality_form(q.column, *stored));
  }
  return fmt::format("ok {} {} {} {}", field(theriac::view_of(*stored)), field(text), field(binary),
                     field(equality));
}

}  // namespace

int main() {
  std::ios::sync_with_stdio(false);
  for (std::string line; std::getline(std::cin, line);) {
    const auto made = answer(line);
    if (made) {
      std::cout << *made << '\n';
      continue;
    }
    const auto& info = theriac::info_of(made.error().code);
    std::cout << "error " << info.name << ' ' << info.sqlstate << '\n';
  }
  return 0;
}
