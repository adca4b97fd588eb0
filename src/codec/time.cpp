#include "codec/time.hpp"

#include <fmt/format.h>
#include <time.h>

#include <chrono>

namespace theriac::codec {

namespace {

using std::chrono::days;
using std::chrono::sys_days;
using std::chrono::year_month_day;

constexpr std::int64_t kDayMs = 86'400'000;
constexpr std::int64_t kMinuteMs = 60'000;

std::int64_t day_ms(int year, unsigned month, unsigned day) {
  return sys_days(year_month_day(std::chrono::year(year), std::chrono::month(month),
                                 std::chrono::day(day)))
             .time_since_epoch()
             .count() *
         kDayMs;
}

/// Four-digit years are all that RFC 3339 can write.
std::int64_t writable(std::int64_t ms) {
  return std::clamp(ms, day_ms(0, 1, 1), day_ms(10'000, 1, 1) - 1);
}

/// Local time of day and date, without the offset.
std::string civil(std::int64_t ms) {
  ms = writable(ms);
  const std::int64_t day = ms >= 0 ? ms / kDayMs : (ms - kDayMs + 1) / kDayMs;
  const std::int64_t in_day = ms - day * kDayMs;
  const year_month_day date{sys_days(days(day))};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     in_day / 3'600'000, in_day / kMinuteMs % 60, in_day / 1000 % 60,
                     in_day % 1000);
}

/// Reads fixed-width digits and separators from the front of a text.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  int number(std::size_t width) {
    int value = 0;
    for (std::size_t i = 0; i < width; ++i) value = value * 10 + digit();
    return value;
  }
  void expect(std::string_view one_of) {
    if (text_.empty() || one_of.find(text_.front()) == std::string_view::npos) {
      good_ = false;
    } else {
      text_.remove_prefix(1);
    }
  }
  char next() {
    if (text_.empty()) {
      good_ = false;
      return '\0';
    }
    const char c = text_.front();
    text_.remove_prefix(1);
    return c;
  }
  /// Milliseconds of ".digits", any number of digits; further ones are dropped, not rounded, so
  /// that a time never moves into the next second.
  int fraction_ms() {
    if (!text_.starts_with('.')) return 0;
    text_.remove_prefix(1);
    int value = 0;
    int digits = 0;
    do {
      const int d = digit();
      if (digits < 3) value = value * 10 + d;
      ++digits;
    } while (good_ && !text_.empty() && text_.front() >= '0' && text_.front() <= '9');
    for (; digits < 3; ++digits) value *= 10;
    return value;
  }
  [[nodiscard]] bool good() const { return good_; }
  [[nodiscard]] bool done() const { return good_ && text_.empty(); }

 private:
  int digit() {
    const char c = next();
    if (c < '0' || c > '9') good_ = false;
    return good_ ? c - '0' : 0;
  }
  std::string_view text_;
  bool good_ = true;
};

/// RFC 3339 appendix D: leap seconds fall at the end of June or December, UTC.
bool may_be_leap_second(std::int64_t utc_ms_of_next_second) {
  if (utc_ms_of_next_second % kDayMs != 0) return false;
  const year_month_day date{sys_days(days(utc_ms_of_next_second / kDayMs))};
  const auto month = static_cast<unsigned>(date.month());
  return static_cast<unsigned>(date.day()) == 1 && (month == 1 || month == 7);
}

}  // namespace

std::string rfc3339_utc(std::int64_t wall_ms) { return civil(wall_ms) + "Z"; }

std::string rfc3339_local(std::int64_t wall_ms) {
  wall_ms = writable(wall_ms);
  const std::int64_t seconds = wall_ms >= 0 ? wall_ms / 1000 : (wall_ms - 999) / 1000;
  const time_t at = seconds;
  tm broken{};
  if (::localtime_r(&at, &broken) == nullptr) return rfc3339_utc(wall_ms);
  // Old zones have offsets with seconds, which the format cannot write; whole minutes keep the
  // instant right.
  const auto offset_min = static_cast<std::int64_t>(broken.tm_gmtoff / 60);
  const auto magnitude = offset_min < 0 ? -offset_min : offset_min;
  return fmt::format("{}{}{:02}:{:02}", civil(wall_ms + offset_min * kMinuteMs),
                     offset_min < 0 ? '-' : '+', magnitude / 60, magnitude % 60);
}

Result<std::int64_t> parse_rfc3339(std::string_view text) {
  const auto bad = [] { return fail(Code::kBadDateTime, "RFC 3339 time"); };
  Reader in(text);
  const int year = in.number(4);
  in.expect("-");
  const auto month = static_cast<unsigned>(in.number(2));
  in.expect("-");
  const auto day = static_cast<unsigned>(in.number(2));
  in.expect("Tt");
  const int hour = in.number(2);
  in.expect(":");
  const int minute = in.number(2);
  in.expect(":");
  const int second = in.number(2);
  const int millisecond = in.fraction_ms();
  const char zone = in.next();
  std::int64_t offset_ms = 0;
  if (zone == '+' || zone == '-') {
    const int offset_hours = in.number(2);
    in.expect(":");
    const int offset_minutes = in.number(2);
    if (offset_hours > 23 || offset_minutes > 59) return bad();
    offset_ms = (offset_hours * 60 + offset_minutes) * kMinuteMs * (zone == '-' ? -1 : 1);
  } else if (zone != 'Z' && zone != 'z') {
    return bad();
  }
  if (!in.done()) return bad();
  const year_month_day date{std::chrono::year(year), std::chrono::month(month),
                            std::chrono::day(day)};
  if (!date.ok() || hour > 23 || minute > 59 || second > 60) return bad();
  const std::int64_t whole_seconds = day_ms(year, month, day) +
                                     ((hour * 60 + minute) * std::int64_t{60} + second) * 1000 -
                                     offset_ms;
  // Like the clock itself, a leap second is counted as the second after it.
  if (second == 60 && !may_be_leap_second(whole_seconds)) return bad();
  return whole_seconds + millisecond;
}

}  // namespace theriac::codec
