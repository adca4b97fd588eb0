#include <fmt/format.h>

#include <cstdlib>
#include <iterator>

#include "pgwire/calendar.hpp"
#include "pgwire/interval.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr std::int64_t kMicrosPerHour = 60 * kMicrosPerMinute;

/// The fields as they are printed: all of one unit have the sign of the whole.
struct Parts {
  std::int64_t years, months, days, hours, minutes, seconds, micros;

  explicit Parts(const Interval& value)
      : years(value.months / 12),
        months(value.months % 12),
        days(value.days),
        hours(value.micros / kMicrosPerHour),
        minutes(value.micros % kMicrosPerHour / kMicrosPerMinute),
        seconds(value.micros % kMicrosPerMinute / kMicrosPerSecond),
        micros(value.micros % kMicrosPerSecond) {}
  [[nodiscard]] bool has_time() const {
    return hours != 0 || minutes != 0 || seconds != 0 || micros != 0;
  }
  [[nodiscard]] bool time_is_negative() const {
    return hours < 0 || minutes < 0 || seconds < 0 || micros < 0;
  }
};

void add_seconds(std::string& out, const Parts& parts, bool fill) {
  fmt::format_to(std::back_inserter(out), "{:0{}}", std::abs(parts.seconds), fill ? 2 : 1);
  if (parts.micros == 0) return;
  fmt::format_to(std::back_inserter(out), ".{:06}", std::abs(parts.micros));
  out.erase(out.find_last_not_of('0') + 1);
}

std::string postgres_text(const Parts& parts) {
  std::string out;
  bool before_negative = false;
  const auto add = [&](std::int64_t value, std::string_view unit) {
    if (value == 0) return;
    fmt::format_to(std::back_inserter(out), "{}{}{} {}{}", out.empty() ? "" : " ",
                   before_negative && value > 0 ? "+" : "", value, unit, value == 1 ? "" : "s");
    before_negative = value < 0;
  };
  add(parts.years, "year");
  add(parts.months, "mon");
  add(parts.days, "day");
  if (!out.empty() && !parts.has_time()) return out;
  const char* sign = parts.time_is_negative() ? "-" : before_negative ? "+" : "";
  fmt::format_to(std::back_inserter(out), "{}{}{:02}:{:02}:", out.empty() ? "" : " ", sign,
                 std::abs(parts.hours), std::abs(parts.minutes));
  add_seconds(out, parts, true);
  return out;
}

std::string verbose_text(const Parts& parts) {
  std::string out = "@";
  bool any = false, before = false;
  const auto add = [&](std::int64_t value, std::string_view unit) {
    if (value == 0) return;
    if (!any) before = value < 0;
    const auto shown = before ? -value : value;
    fmt::format_to(std::back_inserter(out), " {} {}{}", shown, unit, shown == 1 ? "" : "s");
    any = true;
  };
  add(parts.years, "year");
  add(parts.months, "mon");
  add(parts.days, "day");
  add(parts.hours, "hour");
  add(parts.minutes, "min");
  if (parts.seconds != 0 || parts.micros != 0) {
    const bool negative = parts.seconds < 0 || parts.micros < 0;
    if (!any) before = negative;
    out += negative == before ? " " : " -";
    add_seconds(out, parts, false);
    out += std::abs(parts.seconds) != 1 || parts.micros != 0 ? " secs" : " sec";
    any = true;
  }
  if (!any) out += " 0";
  if (before) out += " ago";
  return out;
}

std::string iso_text(const Parts& parts) {
  std::string out = "P";
  const auto add = [&](std::int64_t value, char unit) {
    if (value != 0) fmt::format_to(std::back_inserter(out), "{}{}", value, unit);
  };
  add(parts.years, 'Y');
  add(parts.months, 'M');
  add(parts.days, 'D');
  if (parts.has_time()) out += 'T';
  add(parts.hours, 'H');
  add(parts.minutes, 'M');
  if (parts.seconds != 0 || parts.micros != 0) {
    if (parts.seconds < 0 || parts.micros < 0) out += '-';
    add_seconds(out, parts, false);
    out += 'S';
  }
  return out == "P" ? "PT0S" : out;
}

std::string standard_text(const Parts& parts) {
  const bool dated = parts.years != 0 || parts.months != 0;
  const bool timed = parts.days != 0 || parts.has_time();
  const bool date_negative = parts.years < 0 || parts.months < 0;
  const bool negative = date_negative || parts.days < 0 || parts.time_is_negative();
  const bool positive = parts.years > 0 || parts.months > 0 || parts.days > 0 ||
                        (parts.has_time() && !parts.time_is_negative());
  if (!dated && !timed) return "0";
  std::string out;
  const auto to = std::back_inserter(out);
  if ((negative && positive) || (dated && timed)) {
    fmt::format_to(to, "{}{}-{} {}{} {}{}:{:02}:", date_negative ? '-' : '+', std::abs(parts.years),
                   std::abs(parts.months), parts.days < 0 ? '-' : '+', std::abs(parts.days),
                   parts.time_is_negative() ? '-' : '+', std::abs(parts.hours),
                   std::abs(parts.minutes));
    add_seconds(out, parts, true);
    return out;
  }
  if (negative) out += '-';
  if (dated) {
    fmt::format_to(to, "{}-{}", std::abs(parts.years), std::abs(parts.months));
    return out;
  }
  if (parts.days != 0) fmt::format_to(to, "{} ", std::abs(parts.days));
  fmt::format_to(to, "{}:{:02}:", std::abs(parts.hours), std::abs(parts.minutes));
  add_seconds(out, parts, true);
  return out;
}

}  // namespace

std::string interval_text(const Interval& value, IntervalStyle style) {
  const Parts parts(value);
  switch (style) {
    case IntervalStyle::kVerbose:
      return verbose_text(parts);
    case IntervalStyle::kSqlStandard:
      return standard_text(parts);
    case IntervalStyle::kIso8601:
      return iso_text(parts);
    case IntervalStyle::kPostgres:
      break;
  }
  return postgres_text(parts);
}

std::optional<Interval> interval_of_stored(std::string_view stored) {
  const auto read = read_interval(stored, IntervalStyle::kPostgres, -1);
  if (!read || interval_text(*read, IntervalStyle::kPostgres) != stored) return std::nullopt;
  return *read;
}

std::string interval_span(const Interval& value) {
  // 2^31 months of 30 days are more microseconds than 64 bits hold.
  constexpr std::int64_t kDaysPerMonth = 30;
  const auto days = value.months * kDaysPerMonth + value.days;
  const auto span = static_cast<__int128>(days) * kMicrosPerDay + value.micros;
  return fmt::format("{}", span);
}

}  // namespace theriac::pgwire
