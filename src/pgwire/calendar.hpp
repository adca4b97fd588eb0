// The proleptic Gregorian calendar and PostgreSQL's ranges of dates and times.
// Days count from 2000-01-01; microseconds from 2000-01-01 00:00 UTC. Threading: free functions.
#pragma once

#include <cstdint>
#include <limits>

namespace theriac::pgwire {

inline constexpr std::int64_t kSecondsPerDay = 86'400;
inline constexpr std::int64_t kMicrosPerSecond = 1'000'000;
inline constexpr std::int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
/// 1970-01-01 in days from 2000-01-01, negated.
inline constexpr std::int64_t kUnixEpochDays = 10'957;

/// date: 4713-11-24 BC (astronomical -4713) up to, not including, 5874898-01-01.
inline constexpr std::int32_t kDateMin = -2'451'545, kDateEnd = 2'145'031'949;
inline constexpr std::int32_t kDateInfinity = std::numeric_limits<std::int32_t>::max();
inline constexpr std::int32_t kDateMinusInfinity = std::numeric_limits<std::int32_t>::min();
/// timestamp and timestamptz: the same start, up to, not including, 294277-01-01 UTC.
inline constexpr std::int64_t kTimestampMin = -211'813'488'000'000'000,
                              kTimestampEnd = 9'223'371'331'200'000'000;
inline constexpr std::int64_t kTimestampInfinity = std::numeric_limits<std::int64_t>::max();
inline constexpr std::int64_t kTimestampMinusInfinity = std::numeric_limits<std::int64_t>::min();

inline bool is_finite_date(std::int32_t date) {
  return date != kDateInfinity && date != kDateMinusInfinity;
}
inline bool is_finite_timestamp(std::int64_t timestamp) {
  return timestamp != kTimestampInfinity && timestamp != kTimestampMinusInfinity;
}
inline bool is_date(std::int64_t days) { return days >= kDateMin && days < kDateEnd; }
inline bool is_timestamp(std::int64_t micros) {
  return micros >= kTimestampMin && micros < kTimestampEnd;
}

/// Quotient rounded towards minus infinity.
constexpr std::int64_t floor_div(std::int64_t a, std::int64_t b) {
  return a / b - (a % b < 0 ? 1 : 0);
}

/// Astronomical year (0 is 1 BC).
struct CivilDate {
  std::int64_t year = 2000;
  int month = 1;
  int day = 1;
};
bool is_leap(std::int64_t year);
int days_in_month(std::int64_t year, int month);
/// Month 1..12; any day number.
std::int64_t days_of(const CivilDate& date);
CivilDate civil_of(std::int64_t days);
/// 0 = Sunday.
int weekday_of(std::int64_t days);

}  // namespace theriac::pgwire
