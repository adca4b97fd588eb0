// Answers on standard output what src/pgwire makes of the values on standard input, one line each,
// so that a test in another language can compare it with a server.
//
//   stored|comparand COLUMN-OID MODIFIER SENT-OID FORMAT DATESTYLE TIMEZONE HEX-OF-VALUE
//     -> ok HEX-OF-STORED HEX-OF-TEXT HEX-OF-BINARY HEX-OF-EQUALITY     ("-" for an empty field)
//   render COLUMN-OID MODIFIER 0 0 DATESTYLE TIMEZONE HEX-OF-STORED
//     -> ok HEX-OF-STORED HEX-OF-TEXT HEX-OF-BINARY HEX-OF-EQUALITY
//   anything refused
//     -> error NAME SQLSTATE
#include <fmt/format.h>

#include <iostream>
#include <sstream>

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

Result<Question> parse(const std::string& line) {
  std::istringstream in(line);
  Question question;
  std::string style, value;
  in >> question.act >> question.column.oid >> question.column.modifier >> question.sent_oid >>
      question.format >> style >> question.settings.time_zone >> value;
  if (!in) return theriac::fail(theriac::Code::kUsage);
  if (value != "-") {
    THERIAC_ASSIGN(question.value, theriac::from_hex(value));
  }
  THERIAC_ASSIGN(question.settings, theriac::pgwire::with_date_style(question.settings, style));
  return question;
}

Result<std::string> answer(const std::string& line) {
  namespace pg = theriac::pgwire;
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
  THERIAC_ASSIGN(const auto equality, pg::equality_form(q.column, *stored));
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
