// interval: months, days and microseconds, as PostgreSQL 15 reads, prints and compares them.
//
// Read: numbers with units ("1 year 2 mons -3 days 4.5 hours ago", in the words PostgreSQL prints
// and their common abbreviations), a time of hours:minutes[:seconds] with or without a number of
// days before it, years-months ("1-2"), a bare number of seconds, a leading "@", and ISO 8601 with
// designators (P1Y2M3DT4H5M6.7S). Refused with Code::kBadDateTime, though PostgreSQL takes them: a
// bare number or a time of two parts for a column with fields (interval day to hour), a number
// without a unit elsewhere, a time of two parts with a fraction, "ago" not at the end, a space
// behind a sign, exponents, and ISO 8601's alternative format.
// Source: PostgreSQL 15 manual, 8.5.4. Threading: free functions on values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "pgwire/types.hpp"

namespace theriac::pgwire {

struct Interval {
  std::int64_t micros = 0;
  std::int32_t days = 0;
  std::int32_t months = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};

inline constexpr std::size_t kIntervalBytesMax = 200;

/// `modifier` tells the fields of a column; nothing is cut off by it here. Code::kBadDateTime, or
/// kDateTimeOutOfRange.
Result<Interval> read_interval(std::string_view text, IntervalStyle style, std::int32_t modifier);
/// Cuts off what is below the modifier's fields and rounds to its precision. kDateTimeOutOfRange:
/// rounding leaves the range, where PostgreSQL's wraps around.
Result<Interval> fit_interval(Interval value, std::int32_t modifier);
std::string interval_text(const Interval& value, IntervalStyle style);
/// Of exactly what interval_text() prints in style postgres.
std::optional<Interval> interval_of_stored(std::string_view stored);
/// Equal for intervals of equal length, with months of 30 days and days of 24 hours: decimal
/// microseconds.
std::string interval_span(const Interval& value);

}  // namespace theriac::pgwire
