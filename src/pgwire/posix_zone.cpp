#include "pgwire/posix_zone.hpp"

#include <utility>

#include "pgwire/calendar.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

constexpr int kHoursMax = 24 * 7 - 1;
/// PostgreSQL's rules where daylight saving is named without any.
constexpr std::string_view kDefaultRules = ",M3.2.0,M11.1.0";

bool take(std::string_view& rest, char wanted) {
  if (rest.empty() || rest[0] != wanted) return false;
  rest.remove_prefix(1);
  return true;
}

bool take_number(std::string_view& rest, int low, int high, int& out) {
  const auto digits = take_digits(rest);
  if (digits.empty()) return false;
  out = 0;
  for (const char c : digits) {
    out = out * 10 + (c - '0');
    if (out > high) return false;
  }
  return out >= low;
}

/// [+-]hh[:mm[:ss]]
bool take_time(std::string_view& rest, std::int32_t& seconds) {
  const bool negative = !rest.empty() && rest[0] == '-';
  if (!rest.empty() && (rest[0] == '-' || rest[0] == '+')) rest.remove_prefix(1);
  int hours = 0, minutes = 0, more = 0;
  if (!take_number(rest, 0, kHoursMax, hours)) return false;
  if (take(rest, ':')) {
    if (!take_number(rest, 0, 59, minutes)) return false;
    if (take(rest, ':') && !take_number(rest, 0, 60, more)) return false;
  }
  seconds = hours * 3600 + minutes * 60 + more;
  if (negative) seconds = -seconds;
  return true;
}

bool take_name(std::string_view& rest, std::string& name) {
  if (take(rest, '<')) {
    name = take_while(rest, [](char c) { return c != '>'; });
    return take(rest, '>');
  }
  name = take_while(rest, [](char c) { return !is_digit(c) && c != ',' && c != '-' && c != '+'; });
  return true;
}

bool take_rule(std::string_view& rest, YearlyRule& rule) {
  if (take(rest, 'J')) {
    rule.kind = YearlyRule::Kind::kJulian;
    if (!take_number(rest, 1, 365, rule.day)) return false;
  } else if (take(rest, 'M')) {
    rule.kind = YearlyRule::Kind::kMonthWeekDay;
    if (!take_number(rest, 1, 12, rule.month) || !take(rest, '.') ||
        !take_number(rest, 1, 5, rule.week) || !take(rest, '.') ||
        !take_number(rest, 0, 6, rule.day)) {
      return false;
    }
  } else {
    rule.kind = YearlyRule::Kind::kDayOfYear;
    if (!take_number(rest, 0, 365, rule.day)) return false;
  }
  return !take(rest, '/') || take_time(rest, rule.time);
}

std::int64_t unix_seconds_of_year(std::int64_t year) {
  return (days_of({year, 1, 1}) + kUnixEpochDays) * kSecondsPerDay;
}

}  // namespace

std::int64_t YearlyRule::seconds_in(std::int64_t year) const {
  std::int64_t days = 0;
  switch (kind) {
    case Kind::kJulian:  // February 29 is never counted
      days = day - 1 + (is_leap(year) && day >= 60 ? 1 : 0);
      break;
    case Kind::kDayOfYear:
      days = day;
      break;
    case Kind::kMonthWeekDay: {
      const auto first = days_of({year, month, 1});
      int day_of_month = (day - weekday_of(first) + 7) % 7;
      for (int i = 1; i < week && day_of_month + 7 < days_in_month(year, month); ++i) {
        day_of_month += 7;
      }
      days = first - days_of({year, 1, 1}) + day_of_month;
      break;
    }
  }
  return days * kSecondsPerDay + time;
}

std::optional<PosixZone> PosixZone::parse(std::string_view text) {
  PosixZone zone;
  std::int32_t west = 0;
  if (!take_name(text, zone.standard_.abbreviation) || !take_time(text, west)) return std::nullopt;
  zone.standard_.offset = -west;
  if (text.empty()) return zone;

  zone.changes_ = true;
  zone.daylight_.daylight = true;
  if (!take_name(text, zone.daylight_.abbreviation) || zone.daylight_.abbreviation.empty()) {
    return std::nullopt;
  }
  west -= 3600;
  if (!text.empty() && text[0] != ',' && text[0] != ';' && !take_time(text, west)) {
    return std::nullopt;
  }
  zone.daylight_.offset = -west;
  if (text.empty()) text = kDefaultRules;
  if (!(take(text, ',') || take(text, ';')) || !take_rule(text, zone.start_) || !take(text, ',') ||
      !take_rule(text, zone.end_) || !text.empty()) {
    return std::nullopt;
  }
  return zone;
}

PosixZone::Year PosixZone::changes_in(std::int64_t year) const {
  const auto january = unix_seconds_of_year(year);
  // A change is told in the local time that it ends.
  Change start{start_.seconds_in(year) - standard_.offset, true};
  Change end{end_.seconds_in(year) - daylight_.offset, false};
  const bool reversed = end.at < start.at;  // south of the equator
  const auto year_seconds = unix_seconds_of_year(year + 1) - january;
  if (!reversed && (start.at == end.at ||
                    end.at - start.at >= year_seconds + daylight_.offset - standard_.offset)) {
    return {};  // daylight saving all year round, or never
  }
  if (reversed) std::swap(start, end);
  start.at += january;
  end.at += january;
  return {{start, end}, 2};
}

std::optional<PosixZone::Around> PosixZone::around(std::int64_t time) const {
  if (!changes_) return std::nullopt;
  const auto year = civil_of(floor_div(time, kSecondsPerDay) - kUnixEpochDays).year;
  // Offsets and rule times can carry a change over a year's end, so the neighbours are read too; up
  // to eight years, which hold a leap year even around a century, if nothing changes in those.
  for (const int reach : {1, 8}) {
    std::optional<Change> before, after;
    for (auto y = year - reach; y <= year + reach; ++y) {
      const auto in = changes_in(y);
      for (std::size_t i = 0; i < in.count && !after; ++i) {
        (in.changes.at(i).at <= time ? before : after) = in.changes.at(i);
      }
    }
    if (before && after) return Around{*before, *after};
  }
  return std::nullopt;
}

}  // namespace theriac::pgwire
