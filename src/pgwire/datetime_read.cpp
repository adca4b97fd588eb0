#include "pgwire/datetime_read.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "pgwire/calendar.hpp"
#include "pgwire/datetime_tokens.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

constexpr int kOffsetHoursMax = 15;
/// The longest zone abbreviation PostgreSQL ships; a longer word can only be an IANA name.
constexpr std::size_t kAbbreviationBytesMax = 6;

tl::unexpected<Error> bad() { return fail(Code::kBadDateTime, "date or time"); }
tl::unexpected<Error> out_of_range() { return fail(Code::kDateTimeOutOfRange, "date or time"); }

Result<int> small_number(std::string_view digits) {
  constexpr std::size_t kDigitsMax = 7;  // years reach 5874897
  if (digits.empty() || digits.size() > kDigitsMax) return bad();
  int value = 0;
  for (const char c : digits) {
    if (!is_digit(c)) return bad();
    value = value * 10 + (c - '0');
  }
  return value;
}

Result<int> two_digits(std::string_view digits) {
  if (digits.size() > 2) return bad();
  return small_number(digits);
}

/// PostgreSQL reads a fraction of a second as a double; a decimal rounding would differ on ties.
Result<std::int64_t> read_fraction(std::string_view with_point) {
  if (with_point.size() == 1) return 0;
  double fraction = 0;
  const auto* end = with_point.data() + with_point.size();
  const auto [at, error] = std::from_chars(with_point.data(), end, fraction);
  if (error != std::errc{} || at != end) return bad();
  return static_cast<std::int64_t>(std::rint(fraction * 1'000'000));
}

/// Collects the parts of one date or time and puts them together.
class Reader {
 public:
  Reader(DateOrder order, bool has_digits) : order_(order), has_digits_(has_digits) {}

  Status take(const Token& token);
  Result<DateTimeText> finish();

 private:
  Status take_number(std::string_view text);
  Status take_date(std::string_view text);
  Status take_time(std::string_view text);
  Status take_compact_time(std::string_view text);
  Status take_offset(std::string_view text);
  Status take_word(std::string_view text);
  Status take_zone(std::string_view name);
  Status take_keyword(const Keyword& keyword);
  Status add_beside_month(std::string_view digits);
  Status set_month(int month);
  Status set_day(std::string_view digits);
  Status set_year(std::string_view digits);
  Status set_clock(int hour, int minute, int second);
  Result<CivilDate> date() const;

  [[nodiscard]] bool has_date() const { return month_ && day_ && year_; }
  [[nodiscard]] bool has_any_date() const { return month_ || day_ || year_ || !first_.empty(); }

  DateOrder order_;
  bool has_digits_;  ///< the whole text has some
  std::optional<int> month_, day_, year_, hour_;
  bool short_year_ = false;  ///< one or two digits
  std::string_view first_;   ///< a number before a written month: day or year
  int minute_ = 0, second_ = 0;
  std::int64_t micros_ = 0;
  bool time_mark_ = false;  ///< 'T' was read, a time must follow
  std::optional<Keyword::Kind> noon_, era_;
  bool weekday_ = false, has_zone_ = false;
  std::int32_t offset_ = 0;
  std::shared_ptr<const Zone> zone_;
};

Status Reader::take(const Token& token) {
  if (time_mark_ && token.kind != Token::Kind::kTime && token.kind != Token::Kind::kNumber &&
      token.kind != Token::Kind::kDate) {
    return bad();
  }
  const bool marked = std::exchange(time_mark_, false);
  switch (token.kind) {
    case Token::Kind::kNumber:
      return marked ? take_compact_time(token.text) : take_number(token.text);
    case Token::Kind::kDate:
      if (marked || has_date()) {  // 103000-08
        const auto dash = token.text.find('-');
        if (dash == std::string_view::npos) return bad();
        THERIAC_TRY(take_compact_time(token.text.substr(0, dash)));
        return take_offset(token.text.substr(dash));
      }
      return take_date(token.text);
    case Token::Kind::kTime:
      return take_time(token.text);
    case Token::Kind::kOffset:
      return take_offset(token.text);
    case Token::Kind::kWord:
      return take_word(token.text);
    case Token::Kind::kName:
      return month_ && day_ ? take_zone(token.text) : take_date(token.text);
  }
  return bad();
}

Status Reader::take_number(std::string_view text) {
  if (text.find('.') != std::string_view::npos) {
    if (!has_date()) return bad();
    return take_compact_time(text);
  }
  if (has_date()) return take_compact_time(text);
  if (!has_any_date() && (text.size() == 6 || text.size() == 8)) {  // yymmdd, yyyymmdd
    const auto year = text.size() - 4;
    THERIAC_TRY(set_year(text.substr(0, year)));
    THERIAC_ASSIGN(const int month, two_digits(text.substr(year, 2)));
    month_ = month;
    return set_day(text.substr(year + 2));
  }
  // Six digits and more are a year only where no time can follow.
  if (text.size() >= 6 && !hour_) return bad();
  if (month_) return add_beside_month(text);
  if (has_any_date()) return bad();
  first_ = text;
  return {};
}

/// A number beside a month's name: by its length and the date order, day or year.
Status Reader::add_beside_month(std::string_view digits) {
  if (!day_ && !year_) {
    return digits.size() >= 3 || order_ == DateOrder::kYmd ? set_year(digits) : set_day(digits);
  }
  if (!day_) {
    if (short_year_ && digits.size() >= 3) {  // in YMD order, 21 Nov 2026 still means the 21st
      day_ = year_;
      year_.reset();
      return set_year(digits);
    }
    return set_day(digits);
  }
  if (year_) return bad();
  return set_year(digits);
}

Status Reader::set_month(int month) {
  if (month_) return bad();
  month_ = month;
  if (first_.empty()) return {};
  return add_beside_month(std::exchange(first_, {}));
}
Status Reader::set_day(std::string_view digits) {
  THERIAC_ASSIGN(const int day, two_digits(digits));
  day_ = day;
  return {};
}
Status Reader::set_year(std::string_view digits) {
  THERIAC_ASSIGN(const int year, small_number(digits));
  year_ = year;
  short_year_ = digits.size() <= 2;
  return {};
}

Status Reader::take_date(std::string_view text) {
  // PostgreSQL takes a date in one piece only before everything but a zone.
  if (has_any_date() || weekday_ || hour_ || era_) return bad();
  std::array<std::string_view, 3> part;
  auto rest = text;
  char mark = 0;
  for (std::size_t i = 0; i < part.size(); ++i) {
    if (i > 0) {
      if (rest.empty() || (i == 2 && rest[0] != mark)) return bad();
      mark = rest[0];
      if (mark != '-' && mark != '/' && mark != '.') return bad();
      rest.remove_prefix(1);
    }
    part.at(i) =
        rest.empty() || is_digit(rest[0]) ? take_digits(rest) : take_while(rest, is_letter);
    if (part.at(i).empty()) return bad();
  }
  if (!rest.empty()) return bad();
  // A month's name first, since with one the numbers read differently.
  for (std::size_t i = 0; i < 2; ++i) {
    if (is_digit(part.at(i)[0])) continue;
    const auto keyword = keyword_of(part.at(i));
    if (!keyword || keyword->kind != Keyword::Kind::kMonth) return bad();
    month_ = keyword->value;
    THERIAC_TRY(add_beside_month(part.at(1 - i)));
    return add_beside_month(part[2]);
  }
  const bool year_first = part[0].size() >= 3 || order_ == DateOrder::kYmd;
  const bool day_first = !year_first && order_ == DateOrder::kDmy;
  THERIAC_TRY(set_year(part.at(year_first ? 0 : 2)));
  THERIAC_TRY(set_day(part.at(year_first ? 2 : day_first ? 0 : 1)));
  THERIAC_ASSIGN(const int month, two_digits(part.at(year_first || day_first ? 1 : 0)));
  month_ = month;
  return {};
}

Status Reader::set_clock(int hour, int minute, int second) {
  if (hour_) return bad();
  // 24:00:00 and a leap second's 60 are taken, as long as the day is not exceeded.
  const std::int64_t total = (hour * 60LL + minute) * 60 + second;
  if (hour > 24 || minute > 59 || second > 60 ||
      total * kMicrosPerSecond + micros_ > kMicrosPerDay) {
    return out_of_range();
  }
  hour_ = hour;
  minute_ = minute;
  second_ = second;
  return {};
}

Status Reader::take_time(std::string_view text) {
  const auto point = std::min(text.find('.'), text.size());
  auto rest = text.substr(0, point);
  std::array<int, 3> part{};
  std::size_t count = 0;
  for (; count < part.size(); ++count) {
    if (count > 0) {
      if (rest.empty()) break;
      rest.remove_prefix(1);  // ':'
    }
    THERIAC_ASSIGN(part.at(count), two_digits(take_digits(rest)));
  }
  if (!rest.empty() || (point < text.size() && count < part.size())) return bad();
  if (point < text.size()) {
    THERIAC_ASSIGN(micros_, read_fraction(text.substr(point)));
  }
  return set_clock(part[0], part[1], part[2]);
}

Status Reader::take_compact_time(std::string_view text) {
  const auto point = std::min(text.find('.'), text.size());
  const auto digits = text.substr(0, point);
  if (digits.size() != 6 && (digits.size() != 4 || point < text.size())) return bad();
  if (digits.find_first_not_of("0123456789") != std::string_view::npos) return bad();
  if (point < text.size()) {
    THERIAC_ASSIGN(micros_, read_fraction(text.substr(point)));
  }
  THERIAC_ASSIGN(const int number, small_number(digits));
  const int seconds = digits.size() == 6 ? number : number * 100;
  return set_clock(seconds / 10'000, seconds / 100 % 100, seconds % 100);
}

Status Reader::take_offset(std::string_view text) {
  if (has_zone_ || !(has_date() || hour_)) return bad();
  const int sign = text[0] == '-' ? -1 : 1;
  auto rest = text.substr(1);
  const auto first = take_digits(rest);
  if (first.empty() || first.size() > 4) return bad();
  THERIAC_ASSIGN(int hours, small_number(first));
  int minutes = 0, seconds = 0;
  if (rest.empty() && first.size() > 2) {
    minutes = hours % 100;
    hours /= 100;
  } else if (!rest.empty() && rest[0] == ':') {
    rest.remove_prefix(1);
    THERIAC_ASSIGN(minutes, two_digits(take_digits(rest)));
    if (!rest.empty() && rest[0] == ':') {
      rest.remove_prefix(1);
      THERIAC_ASSIGN(seconds, two_digits(take_digits(rest)));
    }
  }
  if (!rest.empty()) return bad();
  if (hours > kOffsetHoursMax || minutes > 59 || seconds > 59) return out_of_range();
  has_zone_ = true;
  offset_ = sign * ((hours * 60 + minutes) * 60 + seconds);
  return {};
}

Status Reader::take_zone(std::string_view name) {
  if (has_zone_) return bad();
  THERIAC_ASSIGN(zone_, Zone::find(name));
  has_zone_ = true;
  return {};
}

Status Reader::take_word(std::string_view text) {
  if (const auto keyword = keyword_of(text)) return take_keyword(*keyword);
  if (equals_ignoring_case(text, "z") || equals_ignoring_case(text, "utc") ||
      equals_ignoring_case(text, "gmt")) {
    if (has_zone_ || !(has_date() || hour_)) return bad();
    has_zone_ = true;
    return {};
  }
  // Shorter words may be abbreviations that timezone_abbreviations gives a meaning; but not
  // "never".
  if (!has_digits_) return bad();
  if (text.size() <= kAbbreviationBytesMax) return fail(Code::kUnsupported, "time zone");
  auto zone = Zone::find(text);
  if (!zone) return bad();
  if (has_zone_ || !(has_date() || hour_)) return bad();
  zone_ = std::move(*zone);
  has_zone_ = true;
  return {};
}

Status Reader::take_keyword(const Keyword& keyword) {
  switch (keyword.kind) {
    case Keyword::Kind::kMonth:
      return set_month(keyword.value);
    case Keyword::Kind::kWeekday:  // read and, as in PostgreSQL, not compared with the date
      if (std::exchange(weekday_, true)) return bad();
      return {};
    case Keyword::Kind::kBeforeNoon:
    case Keyword::Kind::kAfterNoon:
      if (noon_ || !hour_) return bad();
      noon_ = keyword.kind;
      return {};
    case Keyword::Kind::kAd:
    case Keyword::Kind::kBc:
      if (era_) return bad();
      era_ = keyword.kind;
      return {};
    case Keyword::Kind::kTimeMark:
      if (!has_date() || hour_) return bad();
      time_mark_ = true;
      return {};
    case Keyword::Kind::kDependsOnNow:
      return fail(Code::kUnsupported, "a word that means the present time");
    case Keyword::Kind::kRefused:
      break;
  }
  return bad();
}

Result<CivilDate> Reader::date() const {
  CivilDate made{*year_, *month_, *day_};
  if (era_ == Keyword::Kind::kBc) {
    if (made.year == 0) return out_of_range();
    made.year = 1 - made.year;
  } else if (short_year_) {
    made.year += made.year < 70 ? 2000 : 1900;
  } else if (made.year == 0) {
    return out_of_range();
  }
  if (made.month < 1 || made.month > 12 || made.day < 1 ||
      made.day > days_in_month(made.year, made.month)) {
    return out_of_range();
  }
  return made;
}

Result<DateTimeText> Reader::finish() {
  if (!has_date() || time_mark_) return bad();
  THERIAC_ASSIGN(const auto civil, date());
  if (noon_) {
    if (*hour_ > 12) return out_of_range();
    hour_ = *hour_ % 12 + (noon_ == Keyword::Kind::kAfterNoon ? 12 : 0);
  }
  DateTimeText made;
  made.days = days_of(civil);
  made.seconds = (hour_.value_or(0) * 60LL + minute_) * 60 + second_;
  made.micros = micros_;
  made.has_zone = has_zone_;
  made.offset = offset_;
  made.zone = zone_;
  return made;
}

std::optional<DateTimeText::Kind> special_kind(std::string_view text) {
  if (equals_ignoring_case(text, "infinity")) return DateTimeText::Kind::kInfinity;
  if (equals_ignoring_case(text, "-infinity")) return DateTimeText::Kind::kMinusInfinity;
  if (equals_ignoring_case(text, "epoch")) return DateTimeText::Kind::kEpoch;
  return std::nullopt;
}

/// Seconds from 1970-01-01 local, for the zone's tables.
std::int64_t unix_seconds(std::int64_t days, std::int64_t seconds) {
  return (days + kUnixEpochDays) * kSecondsPerDay + seconds;
}

Result<std::int64_t> checked(std::int64_t timestamp) {
  if (!is_timestamp(timestamp)) return out_of_range();
  return timestamp;
}

/// Without its zone. Days beyond any timestamp are refused before they could overflow.
Result<std::int64_t> local_micros(const DateTimeText& text) {
  constexpr std::int64_t kMargin = 2;
  if (text.days < kDateMin - kMargin || text.days > kTimestampEnd / kMicrosPerDay) {
    return out_of_range();
  }
  return text.days * kMicrosPerDay + text.seconds * kMicrosPerSecond + text.micros;
}

}  // namespace

Result<DateTimeText> read_date_time(std::string_view text, DateOrder order) {
  const auto inner = trimmed(text);
  if (inner.size() > kDateTimeBytesMax) return bad();
  if (const auto kind = special_kind(inner)) {
    DateTimeText made;
    made.kind = *kind;
    return made;
  }
  THERIAC_ASSIGN(const auto tokens, TokenList::of(inner));
  Reader reader(order, inner.find_first_of("0123456789") != std::string_view::npos);
  for (const auto& token : tokens) THERIAC_TRY(reader.take(token));
  return reader.finish();
}

Result<std::int32_t> read_date(std::string_view text, DateOrder order) {
  THERIAC_ASSIGN(const auto read, read_date_time(text, order));
  switch (read.kind) {
    case DateTimeText::Kind::kInfinity:
      return kDateInfinity;
    case DateTimeText::Kind::kMinusInfinity:
      return kDateMinusInfinity;
    case DateTimeText::Kind::kEpoch:
      return static_cast<std::int32_t>(-kUnixEpochDays);
    case DateTimeText::Kind::kFinite:
      break;
  }
  if (!is_date(read.days)) return out_of_range();
  return static_cast<std::int32_t>(read.days);
}

Result<std::int64_t> read_timestamp(std::string_view text, DateOrder order) {
  THERIAC_ASSIGN(const auto read, read_date_time(text, order));
  switch (read.kind) {
    case DateTimeText::Kind::kInfinity:
      return kTimestampInfinity;
    case DateTimeText::Kind::kMinusInfinity:
      return kTimestampMinusInfinity;
    case DateTimeText::Kind::kEpoch:
      return -kUnixEpochDays * kMicrosPerDay;
    case DateTimeText::Kind::kFinite:
      break;
  }
  THERIAC_ASSIGN(const auto micros, local_micros(read));
  return checked(micros);
}

Result<std::int64_t> read_timestamptz(std::string_view text, DateOrder order, const Zone& zone) {
  THERIAC_ASSIGN(const auto read, read_date_time(text, order));
  if (read.kind == DateTimeText::Kind::kInfinity) return kTimestampInfinity;
  if (read.kind == DateTimeText::Kind::kMinusInfinity) return kTimestampMinusInfinity;
  if (read.kind == DateTimeText::Kind::kEpoch) return -kUnixEpochDays * kMicrosPerDay;
  THERIAC_ASSIGN(const auto micros, local_micros(read));
  std::int32_t offset = read.offset;
  if (!read.has_zone || read.zone) {
    const Zone& used = read.zone ? *read.zone : zone;
    offset = used.offset_of_local(unix_seconds(read.days, read.seconds));
  }
  return checked(micros - offset * kMicrosPerSecond);
}

}  // namespace theriac::pgwire
