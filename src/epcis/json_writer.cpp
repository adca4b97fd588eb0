#include "epcis/json_writer.hpp"

#include <array>
#include <charconv>

#include "codec/json_escape.hpp"

namespace theriac::epcis {

void JsonWriter::separate() {
  if (!first_ && !after_key_) out_ += ',';
  first_ = false;
  after_key_ = false;
}

void JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
}

void JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
}

void JsonWriter::key(std::string_view name) {
  string(name);
  out_ += ':';
  after_key_ = true;
}

void JsonWriter::string(std::string_view text) {
  separate();
  out_ += '"';
  for (const char c : text) codec::append_json_character(out_, c);
  out_ += '"';
}

void JsonWriter::literal(std::string_view text) {
  separate();
  out_ += text;
}

void JsonWriter::number(double value) { literal(number_text(value, false)); }

std::string number_text(double value, bool plain) {
  std::array<char, 512> buffer;  // the longest plain double has some 330 characters
  const auto format = plain ? std::chars_format::fixed : std::chars_format::general;
  const auto end = plain ? std::to_chars(buffer.begin(), buffer.end(), value, format)
                         : std::to_chars(buffer.begin(), buffer.end(), value);
  return {buffer.data(), end.ptr};
}

}  // namespace theriac::epcis
