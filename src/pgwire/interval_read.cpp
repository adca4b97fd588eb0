#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>

#include "pgwire/calendar.hpp"
#include "pgwire/interval.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::int32_t kDaysPerMonth = 30, kMonthsPerYear = 12;
constexpr std::int64_t kMicrosPerMinute = 60 * kMicrosPerSecond;
constexpr std::int64_t kMicrosPerHour = 60 * kMicrosPerMinute;
/// atttypmod: fields in the upper half, precision in the lower.
constexpr std::int32_t kFullFields = 0x7fff, kFullPrecision = 0xffff;

tl::unexpected<Error> bad() { return fail(Code::kBadDateTime, "interval"); }
tl::unexpected<Error> out_of_range() { return fail(Code::kDateTimeOutOfRange, "interval"); }

enum class Unit : std::uint8_t {
  kMicrosecond,
  kMillisecond,
  kSecond,
  kMinute,
  kHour,
  kDay,
  kWeek,
  kMonth,
  kYear,
  kDecade,
  kCentury,
  kMillennium,
};
struct Word {
  std::string_view word;
  Unit unit;
};
constexpr auto kWords = std::to_array<Word>({
    {"us", Unit::kMicrosecond},
    {"usec", Unit::kMicrosecond},
    {"usecs", Unit::kMicrosecond},
    {"microsecond", Unit::kMicrosecond},
    {"microseconds", Unit::kMicrosecond},
    {"ms", Unit::kMillisecond},
    {"msec", Unit::kMillisecond},
    {"msecs", Unit::kMillisecond},
    {"millisecond", Unit::kMillisecond},
    {"milliseconds", Unit::kMillisecond},
    {"s", Unit::kSecond},
    {"sec", Unit::kSecond},
    {"secs", Unit::kSecond},
    {"second", Unit::kSecond},
    {"seconds", Unit::kSecond},
    {"m", Unit::kMinute},
    {"min", Unit::kMinute},
    {"mins", Unit::kMinute},
    {"minute", Unit::kMinute},
    {"minutes", Unit::kMinute},
    {"h", Unit::kHour},
    {"hr", Unit::kHour},
    {"hrs", Unit::kHour},
    {"hour", Unit::kHour},
    {"hours", Unit::kHour},
    {"d", Unit::kDay},
    {"day", Unit::kDay},
    {"days", Unit::kDay},
    {"w", Unit::kWeek},
    {"week", Unit::kWeek},
    {"weeks", Unit::kWeek},
    {"mon", Unit::kMonth},
    {"mons", Unit::kMonth},
    {"month", Unit::kMonth},
    {"months", Unit::kMonth},
    {"y", Unit::kYear},
    {"yr", Unit::kYear},
    {"yrs", Unit::kYear},
    {"year", Unit::kYear},
    {"years", Unit::kYear},
    {"decade", Unit::kDecade},
    {"decades", Unit::kDecade},
    {"century", Unit::kCentury},
    {"centuries", Unit::kCentury},
    {"millennium", Unit::kMillennium},
    {"millennia", Unit::kMillennium},
});

std::optional<Unit> unit_of(std::string_view word) {
  const auto* found = std::find_if(kWords.begin(), kWords.end(), [word](const Word& each) {
    return equals_ignoring_case(word, each.word);
  });
  if (found == kWords.end()) return std::nullopt;
  return found->unit;
}

/// A number as written: PostgreSQL reads the fraction as a double of its own.
struct Number {
  bool negative = false;
  std::int64_t whole = 0;  ///< with its sign
  double fraction = 0;     ///< with its sign
  bool has_fraction = false;
};

Result<std::int64_t> whole_number(std::string_view digits, bool negative) {
  std::string text(negative ? "-" : "");
  text += digits;
  std::int64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::result_out_of_range) return out_of_range();
  if (error != std::errc{} || at != text.data() + text.size()) return bad();
  return value;
}

Result<double> fraction_of(std::string_view with_point) {
  double value = 0;
  const auto* end = with_point.data() + with_point.size();
  const auto [at, error] = std::from_chars(with_point.data(), end, value);
  if (error != std::errc{} || at != end) return bad();
  return value;
}

bool take_sign(std::string_view& rest, bool& is_signed) {
  is_signed = !rest.empty() && (rest[0] == '+' || rest[0] == '-');
  const bool negative = is_signed && rest[0] == '-';
  if (is_signed) rest.remove_prefix(1);
  return negative;
}

Result<Number> take_number(std::string_view& rest) {
  Number made;
  bool is_signed = false;
  made.negative = take_sign(rest, is_signed);
  const auto digits = take_digits(rest);
  if (digits.empty()) return bad();
  THERIAC_ASSIGN(made.whole, whole_number(digits, made.negative));
  if (rest.size() < 2 || rest[0] != '.' || !is_digit(rest[1])) return made;
  const auto all = rest;
  rest.remove_prefix(1);
  take_digits(rest);
  THERIAC_ASSIGN(made.fraction, fraction_of(all.substr(0, all.size() - rest.size())));
  if (made.negative) made.fraction = -made.fraction;
  made.has_fraction = true;
  return made;
}

/// ISO 8601's numbers PostgreSQL reads as one double and splits, which shows in the last digits of
/// large ones.
Result<Number> take_iso_number(std::string_view& rest) {
  if (rest.starts_with('+')) return bad();
  const auto all = rest;
  THERIAC_ASSIGN(auto made, take_number(rest));
  if (!made.has_fraction) return made;
  const auto written = all.substr(0, all.size() - rest.size());
  double value = 0;
  std::from_chars(written.data(), written.data() + written.size(), value);
  constexpr double kEnd = 1e15;
  if (value < -kEnd || value > kEnd) return out_of_range();
  made.whole = static_cast<std::int64_t>(value);
  made.fraction = value - static_cast<double>(made.whole);
  return made;
}

class Sum {
 public:
  Status add(const Number& number, Unit unit);
  Status add_micros(std::int64_t count, std::int64_t scale) {
    std::int64_t product = 0;
    if (__builtin_mul_overflow(count, scale, &product) ||
        __builtin_add_overflow(micros_, product, &micros_)) {
      return out_of_range();
    }
    return {};
  }
  Status add_days(std::int64_t count, std::int64_t scale) { return add_to(days_, count, scale); }
  Status add_months(std::int64_t count, std::int64_t scale) {
    return add_to(months_, count, scale);
  }
  Status negate() {
    if (micros_ == std::numeric_limits<std::int64_t>::min()) return out_of_range();
    micros_ = -micros_;
    days_ = -days_;
    months_ = -months_;
    years_ = -years_;
    return {};
  }
  Result<Interval> result() const {
    const auto months = years_ * kMonthsPerYear + months_;
    constexpr std::int64_t kMin = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
    if (months < kMin || months > kMax || days_ < kMin || days_ > kMax) return out_of_range();
    return Interval{micros_, static_cast<std::int32_t>(days_), static_cast<std::int32_t>(months)};
  }

 private:
  /// 32-bit fields, as PostgreSQL counts them on the way.
  static Status add_to(std::int64_t& field, std::int64_t count, std::int64_t scale) {
    constexpr std::int64_t kMin = std::numeric_limits<std::int32_t>::min();
    constexpr std::int64_t kMax = std::numeric_limits<std::int32_t>::max();
    std::int64_t product = 0;
    if (count < kMin || count > kMax || __builtin_mul_overflow(count, scale, &product)) {
      return out_of_range();
    }
    field += product;
    if (product < kMin || product > kMax || field < kMin || field > kMax) return out_of_range();
    return {};
  }
  Status add_fraction_micros(double fraction, std::int64_t scale) {
    if (fraction == 0) return {};
    fraction *= static_cast<double>(scale);
    auto whole = static_cast<std::int64_t>(fraction);
    fraction -= static_cast<double>(whole);
    // PostgreSQL rounds halves towards zero here.
    if (fraction > 0.5) {
      ++whole;
    } else if (fraction < -0.5) {
      --whole;
    }
    return add_micros(whole, 1);
  }
  Status add_fraction_days(double fraction, std::int64_t scale) {
    if (fraction == 0) return {};
    fraction *= static_cast<double>(scale);
    const auto whole = static_cast<std::int64_t>(fraction);
    THERIAC_TRY(add_days(whole, 1));
    return add_fraction_micros(fraction - static_cast<double>(whole), kMicrosPerDay);
  }
  Status add_years(const Number& number, std::int64_t scale) {
    THERIAC_TRY(add_to(years_, number.whole, scale));
    const double months = std::rint(number.fraction * static_cast<double>(scale) * kMonthsPerYear);
    return add_months(static_cast<std::int64_t>(months), 1);
  }

  std::int64_t micros_ = 0, days_ = 0, months_ = 0, years_ = 0;
};

Status Sum::add(const Number& number, Unit unit) {
  const auto clock = [&](std::int64_t scale) -> Status {
    THERIAC_TRY(add_micros(number.whole, scale));
    return add_fraction_micros(number.fraction, scale);
  };
  switch (unit) {
    case Unit::kMicrosecond:
      return clock(1);
    case Unit::kMillisecond:
      return clock(1000);
    case Unit::kSecond:
      return clock(kMicrosPerSecond);
    case Unit::kMinute:
      return clock(kMicrosPerMinute);
    case Unit::kHour:
      return clock(kMicrosPerHour);
    case Unit::kDay:
      THERIAC_TRY(add_days(number.whole, 1));
      return add_fraction_micros(number.fraction, kMicrosPerDay);
    case Unit::kWeek:
      THERIAC_TRY(add_days(number.whole, 7));
      return add_fraction_days(number.fraction, 7);
    case Unit::kMonth:
      THERIAC_TRY(add_months(number.whole, 1));
      return add_fraction_days(number.fraction, kDaysPerMonth);
    case Unit::kYear:
      return add_years(number, 1);
    case Unit::kDecade:
      return add_years(number, 10);
    case Unit::kCentury:
      return add_years(number, 100);
    case Unit::kMillennium:
      return add_years(number, 1000);
  }
  return bad();
}

class Reader {
 public:
  Reader(IntervalStyle style, bool all_fields) : style_(style), all_fields_(all_fields) {}
  Result<Interval> read(std::string_view text);
  Result<Interval> read_iso(std::string_view text);

 private:
  Status take_item(std::string_view& rest);
  Status take_time(std::string_view& rest);
  Status take_months(std::string_view& rest, const Number& years);
  /// sql_standard: a sign in front is the sign of every field, if it is the only one.
  [[nodiscard]] bool is_negative_as_a_whole(std::string_view text) const;
  /// A field may be given once; seconds with a fraction take their smaller units with them.
  Status note(unsigned fields) {
    if ((seen_ & fields) != 0) return bad();
    seen_ |= fields;
    return {};
  }
  static constexpr unsigned bit(Unit unit) { return 1U << static_cast<unsigned>(unit); }

  IntervalStyle style_;
  bool all_fields_;
  Sum sum_;
  unsigned seen_ = 0;
  int items_ = 0;
  bool negative_ = false, ago_ = false;
};

bool Reader::is_negative_as_a_whole(std::string_view text) const {
  if (style_ != IntervalStyle::kSqlStandard || !text.starts_with('-')) return false;
  for (std::size_t i = 1; i < text.size(); ++i) {
    // Between digits it is the dash of years-months.
    if ((text[i] == '-' || text[i] == '+') && !is_digit(text[i - 1])) return false;
  }
  return true;
}

Status Reader::take_time(std::string_view& rest) {
  bool is_signed = false;
  const bool negative = take_sign(rest, is_signed) || negative_;
  std::array<std::int64_t, 3> part{};
  std::size_t count = 0;
  for (; count < part.size(); ++count) {
    if (count > 0) {
      if (rest.empty() || rest[0] != ':') break;
      rest.remove_prefix(1);
    }
    const auto digits = take_digits(rest);
    if (digits.empty() || (count > 0 && digits.size() > 2)) return bad();
    THERIAC_ASSIGN(part.at(count), whole_number(digits, false));
  }
  if (count < part.size() && !all_fields_) return bad();
  double fraction = 0;
  if (rest.starts_with('.')) {
    if (count < part.size()) return bad();
    const auto all = rest;
    rest.remove_prefix(1);
    take_digits(rest);
    const auto written = all.substr(0, all.size() - rest.size());
    if (written.size() > 1) {
      THERIAC_ASSIGN(fraction, fraction_of(written));
    }
  }
  if (part[1] > 59 || part[2] > 60) return out_of_range();
  const auto micros = static_cast<std::int64_t>(std::rint(fraction * 1'000'000));
  // Summed without the sign: PostgreSQL refuses the one time that only fits below zero.
  Sum time;
  THERIAC_TRY(time.add_micros(part[0], kMicrosPerHour));
  THERIAC_TRY(time.add_micros(part[1] * 60 + part[2], kMicrosPerSecond));
  THERIAC_TRY(time.add_micros(micros, 1));
  THERIAC_ASSIGN(const auto whole, time.result());
  THERIAC_TRY(note(bit(Unit::kHour) | bit(Unit::kMinute) | bit(Unit::kSecond) |
                   bit(Unit::kMillisecond) | bit(Unit::kMicrosecond)));
  return sum_.add_micros(whole.micros, negative ? -1 : 1);
}

Status Reader::take_months(std::string_view& rest, const Number& years) {
  rest.remove_prefix(1);  // '-'
  const auto digits = take_digits(rest);
  if (digits.empty() || years.has_fraction) return bad();
  THERIAC_ASSIGN(const auto months, whole_number(digits, false));
  if (months >= kMonthsPerYear) return out_of_range();
  constexpr std::int64_t kYearsMax = std::numeric_limits<std::int32_t>::max() / kMonthsPerYear;
  if (std::abs(years.whole) > kYearsMax) return out_of_range();
  THERIAC_TRY(note(bit(Unit::kMonth)));
  const auto all = std::abs(years.whole) * kMonthsPerYear + months;
  return sum_.add_months(years.negative ? -all : all, 1);
}

Status Reader::take_item(std::string_view& rest) {
  if (!is_digit(rest[0]) && rest[0] != '+' && rest[0] != '-') return bad();
  const bool is_signed = !is_digit(rest[0]);
  ++items_;
  auto look = rest;
  if (is_signed) look.remove_prefix(1);
  if (take_digits(look).empty()) return bad();
  if (look.starts_with(':')) {
    THERIAC_TRY(take_time(rest));
    return rest.empty() || is_space(rest[0]) ? Status{} : bad();
  }
  THERIAC_ASSIGN(auto number, take_number(rest));
  if (negative_ && !number.negative) {
    number.negative = true;
    number.whole = -number.whole;
    number.fraction = -number.fraction;
  }
  if (rest.starts_with('-')) {
    THERIAC_TRY(take_months(rest, number));
    return rest.empty() || is_space(rest[0]) ? Status{} : bad();
  }
  if (!rest.empty() && !is_space(rest[0]) && !is_letter(rest[0])) return bad();
  skip_spaces(rest);
  auto unit = Unit::kSecond;
  if (rest.empty()) {
    // A number alone; elsewhere PostgreSQL guesses its unit from its neighbours.
    if (items_ != 1 || !all_fields_ || ago_) return bad();
  } else if (is_letter(rest[0])) {
    const auto found = unit_of(take_while(rest, is_letter));
    if (!found || (!rest.empty() && !is_space(rest[0]))) return bad();
    unit = *found;
  } else {
    look = rest;
    if (!is_digit(look[0])) look.remove_prefix(1);
    if (take_digits(look).empty() || !look.starts_with(':')) return bad();
    unit = Unit::kDay;
  }
  auto fields = bit(unit);
  if (unit == Unit::kSecond && number.fraction != 0) {
    fields |= bit(Unit::kMillisecond) | bit(Unit::kMicrosecond);
  }
  THERIAC_TRY(note(fields));
  return sum_.add(number, unit);
}

Result<Interval> Reader::read(std::string_view rest) {
  if (rest.starts_with('@')) {
    rest.remove_prefix(1);
    skip_spaces(rest);
  }
  negative_ = is_negative_as_a_whole(rest);
  constexpr std::string_view kAgo = "ago";
  if (rest.size() > kAgo.size() && equals_ignoring_case(rest.substr(rest.size() - 3), kAgo) &&
      is_space(rest[rest.size() - kAgo.size() - 1])) {
    ago_ = true;
    rest = trimmed(rest.substr(0, rest.size() - kAgo.size()));
  }
  if (rest.empty()) return bad();
  while (!rest.empty()) {
    THERIAC_TRY(take_item(rest));
    skip_spaces(rest);
  }
  if (ago_) THERIAC_TRY(sum_.negate());
  return sum_.result();
}

Result<Interval> Reader::read_iso(std::string_view rest) {
  rest.remove_prefix(1);  // 'P'
  bool timed = false, any = false;
  int last = -1;
  while (!rest.empty()) {
    if (rest[0] == 'T') {
      if (timed) return bad();
      timed = true;
      any = false;
      last = -1;
      rest.remove_prefix(1);
      continue;
    }
    THERIAC_ASSIGN(const auto number, take_iso_number(rest));
    if (rest.empty()) return bad();
    constexpr std::string_view kDateUnits = "YMWD", kTimeUnits = "HMS";
    constexpr std::array kDate{Unit::kYear, Unit::kMonth, Unit::kWeek, Unit::kDay};
    constexpr std::array kTime{Unit::kHour, Unit::kMinute, Unit::kSecond};
    const auto place = (timed ? kTimeUnits : kDateUnits).find(rest[0]);
    if (place == std::string_view::npos || static_cast<int>(place) <= last) return bad();
    last = static_cast<int>(place);
    rest.remove_prefix(1);
    THERIAC_TRY(sum_.add(number, timed ? kTime.at(place) : kDate.at(place)));
    any = true;
  }
  if (!any) return bad();
  return sum_.result();
}

}  // namespace

Result<Interval> read_interval(std::string_view text, IntervalStyle style, std::int32_t modifier) {
  const auto inner = trimmed(text);
  if (inner.empty() || inner.size() > kIntervalBytesMax) return bad();
  const bool all_fields = modifier < 0 || ((modifier >> 16) & kFullFields) == kFullFields;
  Reader reader(style, all_fields);
  // ISO 8601 has no room for white space.
  return text[0] == 'P' ? reader.read_iso(text) : reader.read(inner);
}

Result<Interval> fit_interval(Interval value, std::int32_t modifier) {
  if (modifier < 0) return value;
  const auto fields = (modifier >> 16) & kFullFields;
  const auto has = [fields](int field) { return (fields & (1 << field)) != 0; };
  // Numbers of PostgreSQL's fields, as atttypmod holds them.
  constexpr int kMonth = 1, kYear = 2, kDay = 3, kHour = 10, kMinute = 11, kSecond = 12;
  if (fields != kFullFields) {
    if (has(kSecond)) {
      // The finest field is there.
    } else if (has(kMinute)) {
      value.micros = value.micros / kMicrosPerMinute * kMicrosPerMinute;
    } else if (has(kHour)) {
      value.micros = value.micros / kMicrosPerHour * kMicrosPerHour;
    } else if (has(kDay)) {
      value.micros = 0;
    } else if (has(kMonth)) {
      value.micros = 0;
      value.days = 0;
    } else if (has(kYear)) {
      value.micros = 0;
      value.days = 0;
      value.months = value.months / kMonthsPerYear * kMonthsPerYear;
    }
  }
  const auto precision = modifier & kFullPrecision;
  constexpr std::int32_t kPrecisionMax = 6;
  if (precision >= kPrecisionMax) return value;
  std::int64_t unit = kMicrosPerSecond;
  for (std::int32_t i = 0; i < precision; ++i) unit /= 10;
  const auto half = value.micros >= 0 ? unit / 2 : -(unit / 2);
  std::int64_t moved = 0;
  if (__builtin_add_overflow(value.micros, half, &moved)) return out_of_range();
  value.micros = moved / unit * unit;
  return value;
}

}  // namespace theriac::pgwire
