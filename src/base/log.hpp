// Operational log: one line an event, to standard error, in key=value form.
// Not the audit log (audit/). Field values are numbers, names from configuration or catalogue, and
// error codes; text from clients or stored values does not belong here, and there is no call
// that takes a format string from input.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"

namespace theriac {

enum class Level : std::uint8_t { kDebug, kInfo, kWarning, kError };

struct LogField {
  std::string_view name;
  std::variant<std::int64_t, std::string_view> value;

  template <std::integral T>
  LogField(std::string_view n, T v) : name(n), value(static_cast<std::int64_t>(v)) {}
  LogField(std::string_view n, std::string_view v) : name(n), value(v) {}
  LogField(std::string_view n, const std::string& v) : name(n), value(std::string_view(v)) {}
  LogField(std::string_view n, const char* v) : name(n), value(std::string_view(v)) {}
};

class Log {
 public:
  virtual ~Log() = default;
  /// Thread-safe. `event` is a fixed text; control characters in values are escaped.
  virtual void write(Level level, std::string_view event,
                     std::initializer_list<LogField> fields = {}) = 0;
  void error(std::string_view event, const Error& e) {
    write(Level::kError, event, {{"code", info_of(e.code).name}, {"where", e.where}});
  }
};

/// Writes to a file descriptor, whole lines at a time.
class FdLog final : public Log {
 public:
  explicit FdLog(std::string program, int fd = 2, Level least = Level::kInfo)
      : program_(std::move(program)), fd_(fd), least_(least) {}
  void write(Level level, std::string_view event, std::initializer_list<LogField> fields) override;

 private:
  std::string program_;
  int fd_;
  Level least_;
};

class NullLog final : public Log {
 public:
  void write(Level, std::string_view, std::initializer_list<LogField>) override {}
};

}  // namespace theriac
