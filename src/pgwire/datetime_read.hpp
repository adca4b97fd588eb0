// Reading dates and times as PostgreSQL's date, timestamp and timestamptz read them.
//
// Accepted: the parts date, time, zone, era (AD, BC) and day of the week, in the orders PostgreSQL
// prints and ISO 8601 writes, and the words infinity, -infinity and epoch:
//   2026-11-21  2026/11/21  11/21/2026 (by DateOrder)  21-Nov-2026  Nov 21, 2026  20261121
//   10:30  10:30:00.123456  103000 (after a date)  10:30 PM  24:00
//   Z  UTC  GMT  +08  +0800  +08:00:00  Asia/Shanghai  UTC+8 (POSIX: west)
// Code::kUnsupported: what depends on the clock (now, today, tomorrow, yesterday), and zone
// abbreviations other than these three, whose meaning is a server setting.
// Everything else is Code::kBadDateTime, also where PostgreSQL guesses a meaning: Julian days, days
// of the year, labelled parts (y2026m11d21), a date of three bare numbers, months or days of more
// than two digits, empty parts, "allballs", "at", "on", "dst", a zone or AM/PM before the time,
// punctuation other than a comma. Text that both take means the same to both; a test compares them
// with a server.
// Source: PostgreSQL 15 manual, 8.5.1 and appendix B. Threading: free functions on values.
#pragma once

#include <memory>

#include "pgwire/types.hpp"
#include "pgwire/zone.hpp"

namespace theriac::pgwire {

/// Longest text read; PostgreSQL's own limit is little more.
inline constexpr std::size_t kDateTimeBytesMax = 120;

/// A date and time as written, not yet placed in a zone.
struct DateTimeText {
  enum class Kind : std::uint8_t { kFinite, kInfinity, kMinusInfinity, kEpoch };
  Kind kind = Kind::kFinite;
  std::int64_t days = 0;     ///< from 2000-01-01
  std::int64_t seconds = 0;  ///< of the day, 0..86400
  std::int64_t micros = 0;   ///< 0..1000000 (a rounded-up fraction)
  bool has_zone = false;
  std::int32_t offset = 0;           ///< seconds east, where no zone is named
  std::shared_ptr<const Zone> zone;  ///< a named one
};

Result<DateTimeText> read_date_time(std::string_view text, DateOrder order);

/// Days from 2000-01-01 or an infinity (calendar.hpp). Code::kOutOfRange beyond the type.
Result<std::int32_t> read_date(std::string_view text, DateOrder order);
/// Microseconds from 2000-01-01 UTC or an infinity; where no zone is written, `zone` holds.
Result<std::int64_t> read_timestamptz(std::string_view text, DateOrder order, const Zone& zone);
/// Microseconds from 2000-01-01 local; a zone is read and, as in PostgreSQL, ignored.
Result<std::int64_t> read_timestamp(std::string_view text, DateOrder order);
/// Microseconds of the day, up to and including 24:00. Read: hours:minutes[:seconds[.fraction]] of
/// two digits each (the hour may have one) and hhmmss[.fraction], then AM or PM, then an offset in
/// hours, which PostgreSQL ignores; everything else is Code::kBadDateTime.
Result<std::int64_t> read_time(std::string_view text);

// PostgreSQL's casts between the three. Code::kOutOfRange.
Result<std::int64_t> timestamptz_of_date(std::int32_t date, const Zone& zone);
Result<std::int64_t> timestamptz_of_timestamp(std::int64_t timestamp, const Zone& zone);
/// The clock of `zone`.
Result<std::int64_t> timestamp_of_timestamptz(std::int64_t timestamptz, const Zone& zone);
/// The date on the clock of `zone`.
std::int32_t date_of_timestamptz(std::int64_t timestamptz, const Zone& zone);
std::int32_t date_of_timestamp(std::int64_t timestamp);
/// timestamptz(p): rounds to p digits of a second; p of -1 or 6 changes nothing.
std::int64_t round_timestamp(std::int64_t timestamp, std::int32_t precision);

}  // namespace theriac::pgwire
