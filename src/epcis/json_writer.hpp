// JSON text piece by piece: commas and escapes are its business, what is written the caller's.
//
// Threading: one writer's own.
#pragma once

#include <string>
#include <string_view>

namespace theriac::epcis {

class JsonWriter {
 public:
  void begin_object() { open('{'); }
  void end_object() { close('}'); }
  void begin_array() { open('['); }
  void end_array() { close(']'); }
  /// The next value is this member's.
  void key(std::string_view name);
  void string(std::string_view text);
  /// A number, true or false: written as it is.
  void literal(std::string_view text);
  void number(double value);

  void member(std::string_view name, std::string_view text) {
    key(name);
    string(text);
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  void separate();
  void open(char bracket);
  void close(char bracket);

  std::string out_;
  bool first_ = true;  // nothing yet in the innermost container
  bool after_key_ = false;
};

/// The shortest decimal text that reads back as the same double; without an exponent if `plain`.
std::string number_text(double value, bool plain);

}  // namespace theriac::epcis
