#include "pgwire/types.hpp"

#include <algorithm>
#include <charconv>
#include <limits>
#include <memory>
#include <optional>

#include "pgwire/calendar.hpp"
#include "pgwire/datetime_read.hpp"
#include "pgwire/datetime_write.hpp"
#include "pgwire/decimal.hpp"
#include "pgwire/text_scan.hpp"
#include "pgwire/utf8.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::int16_t kText = 0, kBinary = 1;
constexpr std::int32_t kModifierBias = 4;  // VARHDRSZ in varchar's atttypmod

tl::unexpected<Error> unsupported() { return fail(Code::kUnsupported, "type of a value"); }
tl::unexpected<Error> not_stored() { return fail(Code::kNotAuthentic, "stored value"); }

bool is_integer(std::uint32_t oid) { return oid == kOidInt2 || oid == kOidInt4 || oid == kOidInt8; }
bool is_character(std::uint32_t oid) {
  return oid == kOidText || oid == kOidVarchar || oid == kOidBpchar;
}
bool is_moment(std::uint32_t oid) {
  return oid == kOidDate || oid == kOidTimestamp || oid == kOidTimestamptz;
}

std::string_view without_padding(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

struct IntegerRange {
  std::int64_t low, high;
};
IntegerRange range_of(std::uint32_t oid) {
  switch (oid) {
    case kOidInt2:
      return {std::numeric_limits<std::int16_t>::min(), std::numeric_limits<std::int16_t>::max()};
    case kOidInt4:
      return {std::numeric_limits<std::int32_t>::min(), std::numeric_limits<std::int32_t>::max()};
    default:
      return {std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max()};
  }
}
Status check_range(std::uint32_t oid, std::int64_t value) {
  const auto range = range_of(oid);
  if (value < range.low || value > range.high) return fail(Code::kOutOfRange, "integer");
  return {};
}

/// A value as it arrived.
struct Sent {
  std::uint32_t oid;
  std::int16_t format;
  ByteView value;
  const TextSettings& settings;

  [[nodiscard]] Result<std::int64_t> fixed(std::size_t size) const {
    if (value.size() != size) return fail(Code::kMalformed, "binary value");
    std::uint64_t bits = 0;
    for (const auto byte : value) bits = (bits << 8U) | byte;
    const auto unused = 64U - 8U * static_cast<unsigned>(size);
    return static_cast<std::int64_t>(bits << unused) >> unused;
  }
  [[nodiscard]] Result<std::shared_ptr<const Zone>> zone() const {
    return Zone::find_session(settings.time_zone);
  }
  /// Valid text; a character(n) loses its padding unless it goes to another character(n).
  [[nodiscard]] Result<std::string_view> characters(bool keep_padding = false) const;
  [[nodiscard]] Result<std::int64_t> integer() const;
  [[nodiscard]] Result<Decimal> numeric() const;
  [[nodiscard]] Result<std::int32_t> date() const;
  /// timestamp or timestamptz, by oid.
  [[nodiscard]] Result<std::int64_t> timestamp() const;
};

Result<std::string_view> Sent::characters(bool keep_padding) const {
  const auto text = text_of(value);
  if (text.find('\0') != std::string_view::npos) return fail(Code::kMalformed, "text");
  if (!is_utf8(text)) return fail(Code::kBadEncoding, "text");
  // The cast to text and varchar drops it.
  return oid == kOidBpchar && !keep_padding ? without_padding(text) : text;
}

Result<std::int64_t> Sent::integer() const {
  if (format == kBinary) return fixed(static_cast<std::size_t>(type_size(oid)));
  auto rest = trimmed(text_of(value));
  if (rest.starts_with('+')) {
    rest.remove_prefix(1);
    if (rest.starts_with('-')) return fail(Code::kMalformed, "integer");
  }
  std::int64_t number = 0;
  const auto* end = rest.data() + rest.size();
  const auto [at, error] = std::from_chars(rest.data(), end, number);
  if (error == std::errc::invalid_argument || at != end) return fail(Code::kMalformed, "integer");
  if (error != std::errc{}) return fail(Code::kOutOfRange, "integer");
  THERIAC_TRY(check_range(oid, number));
  return number;
}

Result<Decimal> Sent::numeric() const {
  if (is_integer(oid)) {
    THERIAC_ASSIGN(const auto number, integer());
    return Decimal::from_integer(number);
  }
  return format == kBinary ? Decimal::from_binary(value) : Decimal::parse(text_of(value));
}

Result<std::int32_t> Sent::date() const {
  if (format == kText) return read_date(text_of(value), settings.order);
  THERIAC_ASSIGN(const auto days, fixed(sizeof(std::int32_t)));
  const auto made = static_cast<std::int32_t>(days);
  if (is_finite_date(made) && !is_date(days)) return fail(Code::kDateTimeOutOfRange, "date");
  return made;
}

Result<std::int64_t> Sent::timestamp() const {
  if (format == kText) {
    if (oid == kOidTimestamp) return read_timestamp(text_of(value), settings.order);
    THERIAC_ASSIGN(const auto session, zone());
    return read_timestamptz(text_of(value), settings.order, *session);
  }
  THERIAC_ASSIGN(const auto micros, fixed(sizeof(std::int64_t)));
  if (is_finite_timestamp(micros) && !is_timestamp(micros)) {
    return fail(Code::kDateTimeOutOfRange, "timestamp");
  }
  return micros;
}

// --- to the types of columns ---------------------------------------------------------------------

/// varchar(n) and character(n): what is beyond n characters may only be spaces, and is cut off;
/// character(n) is filled with spaces.
Result<std::string> fit_length(std::string_view text, const ColumnType& column) {
  if (column.oid == kOidText || column.modifier < kModifierBias) return std::string(text);
  const auto length = static_cast<std::size_t>(column.modifier - kModifierBias);
  const auto end = text.size() <= length ? text.size() : position_after(text, length);
  if (text.find_first_not_of(' ', end) != std::string_view::npos) {
    return fail(Code::kTooLong, column.oid == kOidBpchar ? "character" : "varchar");
  }
  std::string fitted(text.substr(0, end));
  if (column.oid == kOidBpchar) {
    const auto characters = count_characters(fitted);
    if (characters < length) fitted.append(length - characters, ' ');
  }
  return fitted;
}

/// `character(n) = value`: spaces at the end do not count when both are of the type; a text that
/// ends with one equals nothing, since the column's padding goes in the cast to text.
Result<std::string> to_bpchar_comparand(const Sent& sent) {
  THERIAC_ASSIGN(const auto text, sent.characters());
  if (sent.oid != kOidBpchar && text.ends_with(' ')) return unsupported();
  return std::string(text);
}

/// PostgreSQL casts any type to text on assignment, by printing it for the session.
Result<std::string> printed(const Sent& sent) {
  if (is_integer(sent.oid)) {
    THERIAC_ASSIGN(const auto number, sent.integer());
    return std::to_string(number);
  }
  if (sent.oid == kOidNumeric) {
    THERIAC_ASSIGN(auto number, sent.numeric());
    THERIAC_TRY(number.fit(-1));
    return number.text();
  }
  const auto& settings = sent.settings;
  if (sent.oid == kOidDate) {
    THERIAC_ASSIGN(const auto date, sent.date());
    return date_text(date, settings.style, settings.order);
  }
  if (sent.oid == kOidTimestamp) {
    THERIAC_ASSIGN(const auto timestamp, sent.timestamp());
    return timestamp_text(timestamp, settings.style, settings.order);
  }
  if (sent.oid == kOidTimestamptz) {
    THERIAC_ASSIGN(const auto timestamptz, sent.timestamp());
    THERIAC_ASSIGN(const auto zone, sent.zone());
    return timestamptz_text(timestamptz, settings.style, settings.order, *zone);
  }
  return unsupported();
}

Result<std::string> to_text(const ColumnType& column, const Sent& sent, bool comparing) {
  if (is_character(sent.oid)) {
    // varchar = character(n) ignores trailing spaces on both sides: no form is equal so.
    if (comparing && column.oid == kOidVarchar && sent.oid == kOidBpchar) return unsupported();
    if (comparing && column.oid == kOidBpchar) return to_bpchar_comparand(sent);
    THERIAC_ASSIGN(const auto text, sent.characters(column.oid == kOidBpchar));
    return comparing ? Result<std::string>(text) : fit_length(text, column);
  }
  // There is no operator text = integer and the like.
  if (comparing) return unsupported();
  THERIAC_ASSIGN(const auto text, printed(sent));
  return fit_length(text, column);
}

Result<std::string> to_integer(const ColumnType& column, const Sent& sent, bool comparing) {
  if (is_integer(sent.oid)) {
    THERIAC_ASSIGN(const auto number, sent.integer());
    // int4 = int8 compares across the types, so that a number beyond the column's is no error.
    if (!comparing) {
      THERIAC_TRY(check_range(column.oid, number));
    }
    return std::to_string(number);
  }
  if (sent.oid != kOidNumeric) return unsupported();
  THERIAC_ASSIGN(auto number, sent.numeric());
  THERIAC_TRY(number.fit(-1));
  if (comparing) return number.text();
  THERIAC_ASSIGN(const auto rounded, number.to_integer());
  THERIAC_TRY(check_range(column.oid, rounded));
  return std::to_string(rounded);
}

Result<std::string> to_numeric(const ColumnType& column, const Sent& sent, bool comparing) {
  if (!is_integer(sent.oid) && sent.oid != kOidNumeric) return unsupported();
  THERIAC_ASSIGN(auto number, sent.numeric());
  // The type's own limits hold before the column's precision rounds anything away.
  THERIAC_TRY(number.fit(-1));
  if (!comparing) THERIAC_TRY(number.fit(column.modifier));
  return number.text();
}

/// The one date that PostgreSQL finds equal to a moment: the date whose midnight it is. Where there
/// is none, a text that equals no date.
Result<std::string> date_equal_to(std::int64_t moment, const Sent& sent) {
  if (!is_finite_timestamp(moment)) return stored_date(date_of_timestamp(moment));
  if (sent.oid == kOidTimestamp) {
    const auto date = date_of_timestamp(moment);
    if (moment % kMicrosPerDay == 0) return stored_date(date);
    return stored_timestamptz(moment);
  }
  THERIAC_ASSIGN(const auto zone, sent.zone());
  const auto near = date_of_timestamptz(moment, *zone);
  std::optional<std::int32_t> found;
  // Where a zone left out a day, two dates have one midnight, and no single form stands for both.
  for (const int step : {-1, 0, 1}) {
    const auto midnight = timestamptz_of_date(near + step, *zone);
    if (!midnight || *midnight != moment) continue;
    if (found) return fail(Code::kUnsupported, "date compared across a left-out day");
    found = near + step;
  }
  return found ? stored_date(*found) : stored_timestamptz(moment);
}

Result<std::string> to_date(const Sent& sent, bool comparing) {
  if (sent.oid == kOidDate) {
    THERIAC_ASSIGN(const auto date, sent.date());
    return stored_date(date);
  }
  if (!is_moment(sent.oid)) return unsupported();
  THERIAC_ASSIGN(const auto moment, sent.timestamp());
  if (comparing) return date_equal_to(moment, sent);
  auto date = date_of_timestamp(moment);
  if (sent.oid == kOidTimestamptz) {
    THERIAC_ASSIGN(const auto zone, sent.zone());
    date = date_of_timestamptz(moment, *zone);
  }
  // West of UTC the first moment falls on the day before the first date, which PostgreSQL makes but
  // does not read back.
  if (is_finite_date(date) && !is_date(date)) return fail(Code::kDateTimeOutOfRange, "date");
  return stored_date(date);
}

Result<std::string> to_timestamptz(const ColumnType& column, const Sent& sent, bool comparing) {
  if (!is_moment(sent.oid)) return unsupported();
  THERIAC_ASSIGN(const auto zone, sent.zone());
  Result<std::int64_t> moment = 0;
  std::string printed_moment;
  if (sent.oid == kOidDate) {
    THERIAC_ASSIGN(const auto date, sent.date());
    printed_moment = stored_date(date);
    moment = timestamptz_of_date(date, *zone);
  } else {
    THERIAC_ASSIGN(moment, sent.timestamp());
    if (sent.oid == kOidTimestamp) {
      printed_moment = stored_timestamptz(*moment);
      moment = timestamptz_of_timestamp(*moment, *zone);
    }
  }
  if (comparing) {
    // Beyond the type nothing is equal, and PostgreSQL reports no error: a text no value has.
    if (!moment) return "beyond " + printed_moment;
    return stored_timestamptz(*moment);
  }
  if (!moment) return fail(std::move(moment.error()));
  const auto rounded = round_timestamp(*moment, column.modifier);
  // Rounding can leave the range; PostgreSQL keeps what it then cannot read back.
  if (is_finite_timestamp(rounded) && !is_timestamp(rounded)) {
    return fail(Code::kDateTimeOutOfRange, "timestamptz");
  }
  return stored_timestamptz(rounded);
}

Result<std::string> convert(const ColumnType& column, std::uint32_t sent_oid, std::int16_t format,
                            ByteView value, const TextSettings& settings, bool comparing) {
  if (format != kText && format != kBinary) return fail(Code::kProtocol, "format code");
  const bool own = sent_oid == 0 || sent_oid == kOidUnknown;
  const Sent sent{own ? column.oid : sent_oid, format, value, settings};
  switch (column.oid) {
    case kOidText:
    case kOidVarchar:
    case kOidBpchar:
      return to_text(column, sent, comparing);
    case kOidInt2:
    case kOidInt4:
    case kOidInt8:
      return to_integer(column, sent, comparing);
    case kOidNumeric:
      return to_numeric(column, sent, comparing);
    case kOidDate:
      return to_date(sent, comparing);
    case kOidTimestamptz:
      return to_timestamptz(column, sent, comparing);
    default:
      return unsupported();
  }
}

Status render_integer(std::uint32_t oid, std::int16_t format, std::string_view stored, Bytes& out) {
  std::int64_t number = 0;
  const auto* end = stored.data() + stored.size();
  const auto [at, error] = std::from_chars(stored.data(), end, number);
  if (error != std::errc{} || at != end || std::to_string(number) != stored ||
      !check_range(oid, number)) {
    return not_stored();
  }
  if (format == kText) {
    append(out, stored);
  } else if (oid == kOidInt2) {
    append_be(out, static_cast<std::uint16_t>(number));
  } else if (oid == kOidInt4) {
    append_be(out, static_cast<std::uint32_t>(number));
  } else {
    append_be(out, static_cast<std::uint64_t>(number));
  }
  return {};
}

}  // namespace

Result<TextSettings> with_date_style(TextSettings settings, std::string_view date_style) {
  while (!date_style.empty()) {
    const auto comma = std::min(date_style.find(','), date_style.size());
    const auto word = to_lower(trimmed(date_style.substr(0, comma)));
    date_style.remove_prefix(std::min(comma + 1, date_style.size()));
    if (word == "iso") {
      settings.style = DateStyle::kIso;
    } else if (word == "sql") {
      settings.style = DateStyle::kSql;
    } else if (word == "postgres") {
      settings.style = DateStyle::kPostgres;
    } else if (word == "german") {
      settings.style = DateStyle::kGerman;
    } else if (word == "mdy") {
      settings.order = DateOrder::kMdy;
    } else if (word == "dmy") {
      settings.order = DateOrder::kDmy;
    } else if (word == "ymd") {
      settings.order = DateOrder::kYmd;
    } else {
      return fail(Code::kMalformed, "DateStyle");
    }
  }
  return settings;
}

bool is_supported(std::uint32_t type_oid) {
  switch (type_oid) {
    case kOidText:
    case kOidVarchar:
    case kOidBpchar:
    case kOidInt2:
    case kOidInt4:
    case kOidInt8:
    case kOidNumeric:
    case kOidDate:
    case kOidTimestamptz:
      return true;
    default:
      return false;
  }
}

std::int16_t type_size(std::uint32_t type_oid) {
  switch (type_oid) {
    case kOidBool:
      return 1;
    case kOidInt2:
      return 2;
    case kOidInt4:
    case kOidDate:
      return 4;
    case kOidInt8:
    case kOidTimestamp:
    case kOidTimestamptz:
      return 8;
    case kOidUnknown:
      return -2;
    default:
      return -1;
  }
}

Result<std::string> to_stored(const ColumnType& column, std::uint32_t sent_oid, std::int16_t format,
                              ByteView value, const TextSettings& settings) {
  return convert(column, sent_oid, format, value, settings, false);
}

Result<std::string> to_comparand(const ColumnType& column, std::uint32_t sent_oid,
                                 std::int16_t format, ByteView value,
                                 const TextSettings& settings) {
  return convert(column, sent_oid, format, value, settings, true);
}

Status render(const ColumnType& column, std::int16_t format, std::string_view stored,
              const TextSettings& settings, Bytes& out) {
  if (format != kText && format != kBinary) return fail(Code::kProtocol, "format code");
  switch (column.oid) {
    case kOidText:
    case kOidVarchar:
    case kOidBpchar:
      if (stored.find('\0') != std::string_view::npos || !is_utf8(stored)) return not_stored();
      append(out, stored);
      return {};
    case kOidInt2:
    case kOidInt4:
    case kOidInt8:
      return render_integer(column.oid, format, stored, out);
    case kOidNumeric: {
      const auto number = Decimal::from_stored(stored);
      if (!number) return not_stored();
      if (format == kText) {
        append(out, stored);
      } else {
        number->append_binary(out);
      }
      return {};
    }
    case kOidDate: {
      const auto date = date_of_stored(stored);
      if (!date) return not_stored();
      if (format == kText) {
        append(out, date_text(*date, settings.style, settings.order));
      } else {
        append_be(out, static_cast<std::uint32_t>(*date));
      }
      return {};
    }
    case kOidTimestamptz: {
      const auto moment = timestamptz_of_stored(stored);
      if (!moment) return not_stored();
      if (format == kBinary) {
        append_be(out, static_cast<std::uint64_t>(*moment));
        return {};
      }
      THERIAC_ASSIGN(const auto zone, Zone::find_session(settings.time_zone));
      append(out, timestamptz_text(*moment, settings.style, settings.order, *zone));
      return {};
    }
    default:
      return unsupported();
  }
}

Result<Bytes> equality_form(const ColumnType& column, std::string_view stored) {
  switch (column.oid) {
    case kOidText:
    case kOidVarchar:
    case kOidDate:
    case kOidTimestamptz:
      return bytes_of(stored);
    case kOidBpchar:
      return bytes_of(without_padding(stored));
    case kOidInt2:
    case kOidInt4:
    case kOidInt8:
    case kOidNumeric: {
      // One form for all numbers, so that an integer column can be compared with a numeric.
      const auto number = Decimal::from_stored(stored);
      if (!number) return not_stored();
      return bytes_of(number->equality_text());
    }
    default:
      return unsupported();
  }
}

}  // namespace theriac::pgwire
