#include "pgwire/datetime_write.hpp"

#include <fmt/format.h>

#include <array>
#include <cstdlib>
#include <iterator>

#include "pgwire/calendar.hpp"
#include "pgwire/datetime_read.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                   "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"Sun", "Mon", "Tue", "Wed",
                                                    "Thu", "Fri", "Sat"};
/// PostgreSQL cuts abbreviations here.
constexpr std::size_t kAbbreviationBytesMax = 10;

/// A moment on the clock of its zone.
struct Clock {
  std::int64_t days = 0;
  CivilDate date;
  std::int64_t seconds = 0;  ///< of the day
  std::int64_t micros = 0;   ///< of the second
  const LocalType* type = nullptr;
};

Clock clock_of(std::int64_t micros, const LocalType* type) {
  const auto seconds = floor_div(micros, kMicrosPerSecond) + (type == nullptr ? 0 : type->offset);
  Clock clock;
  clock.days = floor_div(seconds, kSecondsPerDay);
  clock.date = civil_of(clock.days);
  clock.seconds = seconds - clock.days * kSecondsPerDay;
  clock.micros = micros - floor_div(micros, kMicrosPerSecond) * kMicrosPerSecond;
  clock.type = type;
  return clock;
}

std::int64_t shown_year(const CivilDate& date) { return date.year > 0 ? date.year : 1 - date.year; }

void add_date(std::string& out, const CivilDate& date, DateStyle style, DateOrder order) {
  const auto to = std::back_inserter(out);
  const auto year = shown_year(date);
  const bool day_first = order == DateOrder::kDmy;
  const int first = day_first ? date.day : date.month;
  const int second = day_first ? date.month : date.day;
  switch (style) {
    case DateStyle::kIso:
      fmt::format_to(to, "{:04}-{:02}-{:02}", year, date.month, date.day);
      break;
    case DateStyle::kSql:
      fmt::format_to(to, "{:02}/{:02}/{:04}", first, second, year);
      break;
    case DateStyle::kGerman:
      fmt::format_to(to, "{:02}.{:02}.{:04}", date.day, date.month, year);
      break;
    case DateStyle::kPostgres:
      fmt::format_to(to, "{:02}-{:02}-{:04}", first, second, year);
      break;
  }
}

void add_time(std::string& out, const Clock& clock) {
  fmt::format_to(std::back_inserter(out), "{:02}:{:02}:{:02}", clock.seconds / 3600,
                 clock.seconds / 60 % 60, clock.seconds % 60);
  if (clock.micros == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:06}", clock.micros);
  out.erase(out.find_last_not_of('0') + 1);
}

void add_zone(std::string& out, const LocalType& type, DateStyle style) {
  if (style != DateStyle::kIso) {
    out.push_back(' ');
    out += std::string_view(type.abbreviation).substr(0, kAbbreviationBytesMax);
    return;
  }
  const auto size = std::abs(type.offset);
  const auto to = std::back_inserter(out);
  fmt::format_to(to, "{}{:02}", type.offset < 0 ? '-' : '+', size / 3600);
  if (size % 3600 != 0) fmt::format_to(to, ":{:02}", size / 60 % 60);
  if (size % 60 != 0) fmt::format_to(to, ":{:02}", size % 60);
}

std::string clock_text(const Clock& clock, DateStyle style, DateOrder order) {
  std::string out;
  if (style == DateStyle::kPostgres) {
    const auto day = fmt::format("{:02}", clock.date.day);
    const auto month = kMonths.at(static_cast<std::size_t>(clock.date.month) - 1);
    out = kWeekdays.at(static_cast<std::size_t>(weekday_of(clock.days)));
    const bool day_first = order == DateOrder::kDmy;
    fmt::format_to(std::back_inserter(out), " {} {} ", day_first ? day : month,
                   day_first ? month : day);
    add_time(out, clock);
    fmt::format_to(std::back_inserter(out), " {:04}", shown_year(clock.date));
  } else {
    add_date(out, clock.date, style, order);
    out.push_back(' ');
    add_time(out, clock);
  }
  if (clock.type != nullptr) add_zone(out, *clock.type, style);
  if (clock.date.year <= 0) out += " BC";
  return out;
}

const LocalType& utc_type() {
  static const LocalType type{0, false, "UTC"};
  return type;
}

std::string_view infinity_text(bool positive) { return positive ? "infinity" : "-infinity"; }

}  // namespace

std::string date_text(std::int32_t date, DateStyle style, DateOrder order) {
  if (!is_finite_date(date)) return std::string(infinity_text(date == kDateInfinity));
  std::string out;
  const auto civil = civil_of(date);
  add_date(out, civil, style, order);
  if (civil.year <= 0) out += " BC";
  return out;
}

std::string timestamptz_text(std::int64_t timestamptz, DateStyle style, DateOrder order,
                             const Zone& zone) {
  if (!is_finite_timestamp(timestamptz)) {
    return std::string(infinity_text(timestamptz == kTimestampInfinity));
  }
  const auto seconds = floor_div(timestamptz, kMicrosPerSecond) + kUnixEpochDays * kSecondsPerDay;
  return clock_text(clock_of(timestamptz, &zone.at(seconds)), style, order);
}

std::string timestamp_text(std::int64_t timestamp, DateStyle style, DateOrder order) {
  if (!is_finite_timestamp(timestamp)) {
    return std::string(infinity_text(timestamp == kTimestampInfinity));
  }
  return clock_text(clock_of(timestamp, nullptr), style, order);
}

std::string time_text(std::int64_t micros) {
  Clock clock;
  clock.seconds = micros / kMicrosPerSecond;
  clock.micros = micros % kMicrosPerSecond;
  std::string out;
  add_time(out, clock);
  return out;
}

std::string stored_date(std::int32_t date) {
  return date_text(date, DateStyle::kIso, DateOrder::kYmd);
}

std::string stored_timestamp(std::int64_t timestamp) {
  return timestamp_text(timestamp, DateStyle::kIso, DateOrder::kYmd);
}

std::string stored_timestamptz(std::int64_t timestamptz) {
  if (!is_finite_timestamp(timestamptz)) {
    return std::string(infinity_text(timestamptz == kTimestampInfinity));
  }
  return clock_text(clock_of(timestamptz, &utc_type()), DateStyle::kIso, DateOrder::kYmd);
}

std::optional<std::int32_t> date_of_stored(std::string_view stored) {
  const auto date = read_date(stored, DateOrder::kYmd);
  if (!date || stored_date(*date) != stored) return std::nullopt;
  return *date;
}

std::optional<std::int64_t> time_of_stored(std::string_view stored) {
  const auto read = read_time(stored);
  if (!read || time_text(*read) != stored) return std::nullopt;
  return *read;
}

std::optional<std::int64_t> timestamp_of_stored(std::string_view stored) {
  const auto read = read_timestamp(stored, DateOrder::kYmd);
  if (!read || stored_timestamp(*read) != stored) return std::nullopt;
  return *read;
}

std::optional<std::int64_t> timestamptz_of_stored(std::string_view stored) {
  static const Zone utc(*PosixZone::parse("UTC0"));
  const auto read = read_timestamptz(stored, DateOrder::kYmd, utc);
  if (!read || stored_timestamptz(*read) != stored) return std::nullopt;
  return *read;
}

}  // namespace theriac::pgwire
