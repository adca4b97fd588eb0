#include "epcis/schedule.hpp"

#include <charconv>
#include <chrono>

namespace theriac::epcis {

namespace {

struct Range {
  std::string_view name;
  int least, most;
};
constexpr std::array<Range, Schedule::kFields> kRanges{{{"second", 0, 59},
                                                        {"minute", 0, 59},
                                                        {"hour", 0, 23},
                                                        {"dayOfMonth", 1, 31},
                                                        {"month", 1, 12},
                                                        {"dayOfWeek", 1, 7}}};
constexpr std::int64_t kSecondMs = 1000;
constexpr int kMinuteS = 60, kHourS = 3600, kDayS = 86'400;
/// The Gregorian calendar repeats, with its days of the week.
constexpr int kCycleDays = 400 * 365 + 97;

std::optional<int> number_of(std::string_view text, const Range& range) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  if (text.front() == '-' || value < range.least || value > range.most) return std::nullopt;
  return value;
}

struct Steps {
  int first, last, by;
};
/// "5", "[5-9]" or "5/10".
std::optional<Steps> steps_of(std::string_view text, const Range& range) {
  if (text.starts_with('[') && text.ends_with(']')) {
    text = text.substr(1, text.size() - 2);
    const auto dash = text.find('-');
    if (dash == std::string_view::npos) return std::nullopt;
    const auto first = number_of(text.substr(0, dash), range);
    const auto last = number_of(text.substr(dash + 1), range);
    if (!first || !last || *last < *first) return std::nullopt;
    return Steps{*first, *last, 1};
  }
  const auto slash = text.find('/');
  const auto first = number_of(text.substr(0, slash), range);
  if (!first) return std::nullopt;
  if (slash == std::string_view::npos) return Steps{*first, *first, 1};
  const auto by = number_of(text.substr(slash + 1), {{}, 1, range.most});
  if (!by) return std::nullopt;
  return Steps{*first, range.most, *by};
}

}  // namespace

std::optional<Schedule::Field> Schedule::field_of(std::string_view name) {
  for (std::size_t i = 0; i < kFields; ++i) {
    if (kRanges[i].name == name) return static_cast<Field>(i);
  }
  return std::nullopt;
}

bool Schedule::set(Field field, std::string_view text) {
  const auto& range = kRanges[static_cast<std::size_t>(field)];
  Values values;
  while (true) {
    const auto comma = std::min(text.find(','), text.size());
    const auto steps = steps_of(text.substr(0, comma), range);
    if (!steps) return false;
    for (int value = steps->first; value <= steps->last; value += steps->by) {
      values.set(static_cast<std::size_t>(value));
    }
    if (comma == text.size()) break;
    text.remove_prefix(comma + 1);
  }
  fields_[static_cast<std::size_t>(field)] = values;
  return true;
}

bool Schedule::has(Field field, int value) const {
  const auto at = static_cast<std::size_t>(field);
  if (fields_[at]) return fields_[at]->test(static_cast<std::size_t>(value));
  // Finer than what is there: at its start.
  constexpr auto kFinest = static_cast<std::size_t>(Field::kHour);
  if (at > kFinest) return true;
  bool coarser = false, finer = false;
  for (std::size_t i = 0; i < kFields; ++i) {
    if (!fields_[i]) continue;
    coarser = coarser || i > at;
    finer = finer || i < at;
  }
  return finer || !coarser || value == kRanges[at].least;
}

std::optional<int> Schedule::time_of_day(int from) const {
  for (int second = from; second < kDayS;) {
    if (!has(Field::kHour, second / kHourS)) {
      second = (second / kHourS + 1) * kHourS;
    } else if (!has(Field::kMinute, second % kHourS / kMinuteS)) {
      second = (second / kMinuteS + 1) * kMinuteS;
    } else if (!has(Field::kSecond, second % kMinuteS)) {
      ++second;
    } else {
      return second;
    }
  }
  return std::nullopt;
}

std::optional<std::int64_t> Schedule::next(std::int64_t ms) const {
  using namespace std::chrono;  // NOLINT(google-build-using-namespace)
  const auto after = floor<seconds>(sys_time<milliseconds>(milliseconds(ms))) + seconds(1);
  auto day = floor<days>(after);
  auto from = static_cast<int>((after - day).count());
  for (int i = 0; i <= kCycleDays; ++i, day += days(1), from = 0) {
    const year_month_day date(day);
    if (!has(Field::kMonth, static_cast<int>(static_cast<unsigned>(date.month()))) ||
        !has(Field::kDayOfMonth, static_cast<int>(static_cast<unsigned>(date.day()))) ||
        !has(Field::kDayOfWeek, static_cast<int>(weekday(day).iso_encoding()))) {
      continue;
    }
    if (const auto second = time_of_day(from)) {
      return (day.time_since_epoch() + seconds(*second)).count() * kSecondMs;
    }
  }
  return std::nullopt;
}

}  // namespace theriac::epcis
