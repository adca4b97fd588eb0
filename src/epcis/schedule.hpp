// When a subscription's query runs: EPCIS 2.0 section 8.2.5.3 and GS1's query-schedule.json.
//
// A field is a list of numbers and ranges, "1,[5-9]", or start and step, "0/30", as GS1's OpenAPI
// document shows; a field that is not there matches anything, but fields finer than the finest that
// is there are at their start: {"hour":"1","minute":"5"} is once a day, at 01:05:00. Times are UTC.
//
// Threading: values.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <optional>
#include <string_view>

namespace theriac::epcis {

class Schedule {
 public:
  enum class Field : std::uint8_t { kSecond, kMinute, kHour, kDayOfMonth, kMonth, kDayOfWeek };
  static constexpr std::size_t kFields = 6;
  /// "second" to "dayOfWeek"; nothing for other names.
  static std::optional<Field> field_of(std::string_view name);

  /// False for a text that is none, or numbers out of range (days of the week: 1 is Monday).
  [[nodiscard]] bool set(Field field, std::string_view text);
  /// The first time behind `ms` (milliseconds since 1970) that matches; nothing if none does within
  /// a calendar's cycle: 30 February.
  [[nodiscard]] std::optional<std::int64_t> next(std::int64_t ms) const;

 private:
  [[nodiscard]] bool has(Field field, int value) const;
  /// In seconds of the day, from `from` on.
  [[nodiscard]] std::optional<int> time_of_day(int from) const;
  using Values = std::bitset<60>;
  std::array<std::optional<Values>, kFields> fields_;
};

}  // namespace theriac::epcis
