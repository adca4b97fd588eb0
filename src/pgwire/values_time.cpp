// Dates, times and intervals.
#include "pgwire/calendar.hpp"
#include "pgwire/datetime_read.hpp"
#include "pgwire/datetime_write.hpp"
#include "pgwire/value.hpp"

namespace theriac::pgwire {
namespace {

bool is_moment(const Sent& sent) {
  return sent.family == Family::kDate || sent.family == Family::kTimestamp ||
         sent.family == Family::kTimestamptz;
}

/// What no value of the type is: its text is longer than any of theirs.
std::string beyond(const std::string& text) { return "beyond " + text; }

/// The one date that PostgreSQL finds equal to a moment: the date whose midnight it is. Where there
/// is none, a text that equals no date.
Result<std::string> date_equal_to(std::int64_t moment, const Sent& sent) {
  if (!is_finite_timestamp(moment)) return stored_date(date_of_timestamp(moment));
  if (sent.family == Family::kTimestamp) {
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

/// The one timestamp that PostgreSQL finds equal to a moment: the one that means it on the
/// session's clock. In the hour a clock leaves out two of them do.
Result<std::string> timestamp_equal_to(std::int64_t moment, const Sent& sent) {
  if (!is_finite_timestamp(moment)) return stored_timestamp(moment);
  THERIAC_ASSIGN(const auto zone, sent.zone());
  std::optional<std::int64_t> found;
  for (const int step : {-1, 0, 1}) {
    const auto near = moment + step * kMicrosPerDay;
    if (!is_timestamp(near)) continue;
    const auto seconds = floor_div(near, kMicrosPerSecond) + kUnixEpochDays * kSecondsPerDay;
    const auto local = moment + zone->at(seconds).offset * kMicrosPerSecond;
    const auto meant = timestamptz_of_timestamp(local, *zone);
    if (!meant || *meant != moment || (found && *found == local)) continue;
    if (found) return fail(Code::kUnsupported, "timestamp compared in a left-out hour");
    found = local;
  }
  return found ? stored_timestamp(*found) : beyond(stored_timestamptz(moment));
}

}  // namespace

Result<std::shared_ptr<const Zone>> Sent::zone() const {
  return Zone::find_session(settings.time_zone);
}

Result<std::int32_t> Sent::date() const {
  if (format == kTextFormat) return read_date(text_of(value), settings.order);
  THERIAC_ASSIGN(const auto days, fixed(sizeof(std::int32_t)));
  const auto made = static_cast<std::int32_t>(days);
  if (is_finite_date(made) && !is_date(days)) return fail(Code::kDateTimeOutOfRange, "date");
  return made;
}

Result<std::int64_t> Sent::timestamp() const {
  if (format == kTextFormat) {
    if (family == Family::kTimestamp) return read_timestamp(text_of(value), settings.order);
    THERIAC_ASSIGN(const auto session, zone());
    return read_timestamptz(text_of(value), settings.order, *session);
  }
  THERIAC_ASSIGN(const auto micros, fixed(sizeof(std::int64_t)));
  if (is_finite_timestamp(micros) && !is_timestamp(micros)) {
    return fail(Code::kDateTimeOutOfRange, "timestamp");
  }
  return micros;
}

Result<std::int64_t> Sent::time() const {
  if (format == kTextFormat) return read_time(text_of(value));
  THERIAC_ASSIGN(const auto micros, fixed(sizeof(std::int64_t)));
  if (micros < 0 || micros > kMicrosPerDay) return fail(Code::kDateTimeOutOfRange, "time");
  return micros;
}

Result<Interval> Sent::interval() const {
  if (format == kTextFormat) {
    return read_interval(text_of(value), settings.interval, type.modifier);
  }
  constexpr std::size_t kSize = 16;
  if (value.size() != kSize) return fail(Code::kMalformed, "binary value");
  Interval made;
  made.micros = static_cast<std::int64_t>(load_be<std::uint64_t>(value.data()));
  made.days = static_cast<std::int32_t>(load_be<std::uint32_t>(value.data() + 8));
  made.months = static_cast<std::int32_t>(load_be<std::uint32_t>(value.data() + 12));
  return made;
}

Result<std::string> to_date(const Sent& sent, bool comparing) {
  if (sent.family == Family::kDate) {
    THERIAC_ASSIGN(const auto date, sent.date());
    return stored_date(date);
  }
  if (!is_moment(sent)) return unsupported_type();
  THERIAC_ASSIGN(const auto moment, sent.timestamp());
  if (comparing) return date_equal_to(moment, sent);
  auto date = date_of_timestamp(moment);
  if (sent.family == Family::kTimestamptz) {
    THERIAC_ASSIGN(const auto zone, sent.zone());
    date = date_of_timestamptz(moment, *zone);
  }
  // West of UTC the first moment falls on the day before the first date, which PostgreSQL makes but
  // does not read back.
  if (is_finite_date(date) && !is_date(date)) return fail(Code::kDateTimeOutOfRange, "date");
  return stored_date(date);
}

Result<std::string> to_time(const ColumnType& column, const Sent& sent, bool comparing) {
  std::int64_t micros = 0;
  if (sent.family == Family::kTime) {
    THERIAC_ASSIGN(micros, sent.time());
  } else if (comparing) {
    return unsupported_type();
  } else if (sent.family == Family::kInterval) {
    THERIAC_ASSIGN(const auto interval, sent.interval());
    micros = interval.micros % kMicrosPerDay;
    if (micros < 0) micros += kMicrosPerDay;
  } else if (sent.family == Family::kTimestamp || sent.family == Family::kTimestamptz) {
    THERIAC_ASSIGN(auto moment, sent.timestamp());
    // PostgreSQL makes NULL of an infinity here.
    if (!is_finite_timestamp(moment)) return unsupported_type();
    if (sent.family == Family::kTimestamptz) {
      THERIAC_ASSIGN(const auto zone, sent.zone());
      const auto seconds = floor_div(moment, kMicrosPerSecond) + kUnixEpochDays * kSecondsPerDay;
      moment += zone->at(seconds).offset * kMicrosPerSecond;
    }
    micros = moment - floor_div(moment, kMicrosPerDay) * kMicrosPerDay;
  } else {
    return unsupported_type();
  }
  return time_text(comparing ? micros : round_timestamp(micros, column.modifier));
}

Result<std::string> to_timestamp(const ColumnType& column, const Sent& sent, bool comparing) {
  if (!is_moment(sent)) return unsupported_type();
  std::int64_t moment = 0;
  if (sent.family == Family::kDate) {
    THERIAC_ASSIGN(const auto date, sent.date());
    if (is_finite_date(date) && date >= kTimestampEnd / kMicrosPerDay) {
      if (comparing) return beyond(stored_date(date));
      return fail(Code::kDateTimeOutOfRange, "timestamp");
    }
    moment = !is_finite_date(date)
                 ? (date == kDateInfinity ? kTimestampInfinity : kTimestampMinusInfinity)
                 : date * kMicrosPerDay;
  } else {
    THERIAC_ASSIGN(moment, sent.timestamp());
    if (sent.family == Family::kTimestamptz) {
      if (comparing) return timestamp_equal_to(moment, sent);
      THERIAC_ASSIGN(const auto zone, sent.zone());
      THERIAC_ASSIGN(moment, timestamp_of_timestamptz(moment, *zone));
    }
  }
  if (comparing) return stored_timestamp(moment);
  const auto rounded = round_timestamp(moment, column.modifier);
  // Rounding can leave the range; PostgreSQL keeps what it then cannot read back.
  if (is_finite_timestamp(rounded) && !is_timestamp(rounded)) {
    return fail(Code::kDateTimeOutOfRange, "timestamp");
  }
  return stored_timestamp(rounded);
}

Result<std::string> to_timestamptz(const ColumnType& column, const Sent& sent, bool comparing) {
  if (!is_moment(sent)) return unsupported_type();
  THERIAC_ASSIGN(const auto zone, sent.zone());
  Result<std::int64_t> moment = 0;
  std::string printed_moment;
  if (sent.family == Family::kDate) {
    THERIAC_ASSIGN(const auto date, sent.date());
    printed_moment = stored_date(date);
    moment = timestamptz_of_date(date, *zone);
  } else {
    THERIAC_ASSIGN(moment, sent.timestamp());
    if (sent.family == Family::kTimestamp) {
      printed_moment = stored_timestamptz(*moment);
      moment = timestamptz_of_timestamp(*moment, *zone);
    }
  }
  if (comparing) {
    // Beyond the type nothing is equal, and PostgreSQL reports no error: a text no value has.
    if (!moment) return beyond(printed_moment);
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

Result<std::string> to_interval(const ColumnType& column, const Sent& sent, bool comparing) {
  Interval value;
  if (sent.family == Family::kInterval) {
    THERIAC_ASSIGN(value, sent.interval());
  } else if (sent.family == Family::kTime) {
    THERIAC_ASSIGN(value.micros, sent.time());
  } else {
    return unsupported_type();
  }
  if (!comparing) {
    THERIAC_ASSIGN(value, fit_interval(value, column.modifier));
  }
  auto stored = interval_text(value, IntervalStyle::kPostgres);
  // The longest intervals print a text that does not read back, in PostgreSQL as well.
  if (interval_of_stored(stored) != value) return fail(Code::kDateTimeOutOfRange, "interval");
  return stored;
}

Status render_moment(const ColumnType& column, std::int16_t format, std::string_view stored,
                     const TextSettings& settings, Bytes& out) {
  const bool text = format == kTextFormat;
  switch (column.oid) {
    case kOidDate: {
      const auto date = date_of_stored(stored);
      if (!date) return not_stored();
      if (text) {
        append(out, date_text(*date, settings.style, settings.order));
      } else {
        append_be(out, static_cast<std::uint32_t>(*date));
      }
      return {};
    }
    case kOidInterval: {
      const auto value = interval_of_stored(stored);
      if (!value) return not_stored();
      if (text) {
        append(out, interval_text(*value, settings.interval));
      } else {
        append_be(out, static_cast<std::uint64_t>(value->micros));
        append_be(out, static_cast<std::uint32_t>(value->days));
        append_be(out, static_cast<std::uint32_t>(value->months));
      }
      return {};
    }
    default:
      break;
  }
  const auto moment = column.oid == kOidTime        ? time_of_stored(stored)
                      : column.oid == kOidTimestamp ? timestamp_of_stored(stored)
                                                    : timestamptz_of_stored(stored);
  if (!moment) return not_stored();
  if (!text) {
    append_be(out, static_cast<std::uint64_t>(*moment));
  } else if (column.oid == kOidTime) {
    append(out, time_text(*moment));
  } else if (column.oid == kOidTimestamp) {
    append(out, timestamp_text(*moment, settings.style, settings.order));
  } else {
    THERIAC_ASSIGN(const auto zone, Zone::find_session(settings.time_zone));
    append(out, timestamptz_text(*moment, settings.style, settings.order, *zone));
  }
  return {};
}

Result<Bytes> interval_equality(std::string_view stored) {
  const auto value = interval_of_stored(stored);
  if (!value) return not_stored();
  return bytes_of(interval_span(*value));
}

}  // namespace theriac::pgwire
