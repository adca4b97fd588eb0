#include "pgwire/calendar.hpp"

#include <array>

namespace theriac::pgwire {
namespace {

constexpr std::int64_t kDaysPer400Years = 146'097;
constexpr std::array<int, 13> kDaysBefore{0,   31,  59,  90,  120, 151, 181,
                                          212, 243, 273, 304, 334, 365};

/// Days from 0000-01-01 to January 1 of `year`.
constexpr std::int64_t days_before_year(std::int64_t year) {
  return year * 365 + floor_div(year + 3, 4) - floor_div(year + 99, 100) +
         floor_div(year + 399, 400);
}
constexpr std::int64_t kEpoch = days_before_year(2000);
static_assert(days_before_year(2000) - days_before_year(1970) == kUnixEpochDays);

int days_before_month(std::int64_t year, int month) {
  return kDaysBefore.at(static_cast<std::size_t>(month) - 1) + (month > 2 && is_leap(year) ? 1 : 0);
}

}  // namespace

bool is_leap(std::int64_t year) { return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0); }

int days_in_month(std::int64_t year, int month) {
  const auto index = static_cast<std::size_t>(month);
  return kDaysBefore.at(index) - kDaysBefore.at(index - 1) + (month == 2 && is_leap(year) ? 1 : 0);
}

std::int64_t days_of(const CivilDate& date) {
  return days_before_year(date.year) + days_before_month(date.year, date.month) + date.day - 1 -
         kEpoch;
}

CivilDate civil_of(std::int64_t days) {
  const auto since_zero = days + kEpoch;
  const auto cycle = floor_div(since_zero, kDaysPer400Years);
  const auto in_cycle = since_zero - cycle * kDaysPer400Years;
  // Rounding down the mean length of a year can fall short by one year, never overshoot by more.
  auto year = in_cycle * 400 / kDaysPer400Years;
  while (days_before_year(year + 1) <= in_cycle) ++year;
  while (days_before_year(year) > in_cycle) --year;
  const auto day_of_year = static_cast<int>(in_cycle - days_before_year(year));
  int month = day_of_year / 32 + 1;
  while (month < 12 && days_before_month(year, month + 1) <= day_of_year) ++month;
  return {year + cycle * 400, month, day_of_year - days_before_month(year, month) + 1};
}

int weekday_of(std::int64_t days) {
  // 2000-01-01 was a Saturday.
  return static_cast<int>(days + 6 - floor_div(days + 6, 7) * 7);
}

}  // namespace theriac::pgwire
