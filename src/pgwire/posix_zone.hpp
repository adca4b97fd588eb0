// POSIX time-zone rules ("CET-1CEST,M3.5.0,M10.5.0/3", "<+08>-08"), as they end a TZif file and as
// a session may name its zone. Source: POSIX.1 8.3 with the extensions of RFC 9636, 3.3.1, read as
// PostgreSQL reads them. Threading: values.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace theriac::pgwire {

/// What is in force during a stretch of time.
struct LocalType {
  std::int32_t offset = 0;  ///< seconds east of UTC
  bool daylight = false;
  std::string abbreviation;
  friend bool operator==(const LocalType&, const LocalType&) = default;
};

/// The day and time of a yearly change.
struct YearlyRule {
  enum class Kind : std::uint8_t { kJulian, kDayOfYear, kMonthWeekDay };
  Kind kind = Kind::kMonthWeekDay;
  int month = 0, week = 0, day = 0;
  std::int32_t time = 7200;  ///< seconds after local midnight, may be negative or beyond a day
  /// Seconds from January 1, 00:00 local time of `year`.
  [[nodiscard]] std::int64_t seconds_in(std::int64_t year) const;
};

class PosixZone {
 public:
  /// nullopt if the text is not a rule.
  static std::optional<PosixZone> parse(std::string_view text);

  struct Change {
    std::int64_t at = 0;  ///< seconds from 1970-01-01 UTC
    bool daylight = false;
  };
  /// The last change at or before `time` and the first one after it; nullopt where the zone never
  /// changes.
  struct Around {
    Change before, after;
  };
  [[nodiscard]] std::optional<Around> around(std::int64_t time) const;
  [[nodiscard]] const LocalType& type(bool daylight) const {
    return daylight ? daylight_ : standard_;
  }
  /// The one type of a zone that never changes.
  [[nodiscard]] const LocalType& constant() const { return type(changes_); }

 private:
  struct Year {
    std::array<Change, 2> changes;
    std::size_t count = 0;
  };
  [[nodiscard]] Year changes_in(std::int64_t year) const;

  LocalType standard_, daylight_;
  bool changes_ = false;  ///< daylight saving is named; it may then last all year
  YearlyRule start_, end_;
};

}  // namespace theriac::pgwire
