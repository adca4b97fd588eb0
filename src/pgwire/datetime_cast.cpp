// Casts between dates and times, and the time of day.
#include <array>
#include <cmath>

#include "pgwire/calendar.hpp"
#include "pgwire/datetime_read.hpp"
#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

tl::unexpected<Error> bad() { return fail(Code::kBadDateTime, "time"); }
tl::unexpected<Error> out_of_range() { return fail(Code::kDateTimeOutOfRange, "date or time"); }

Result<std::int64_t> checked(std::int64_t timestamp) {
  if (!is_timestamp(timestamp)) return out_of_range();
  return timestamp;
}

/// The shape of a time that read_date_time() reads behind a date as it would alone.
bool is_plain_time(std::string_view text) {
  const auto take_two = [&] { return take_digits(text).size() == 2; };
  const auto first = take_digits(text);
  if (first.size() == 6) {
    // hhmmss
  } else {
    if (first.empty() || first.size() > 2 || !text.starts_with(':')) return false;
    text.remove_prefix(1);
    if (!take_two()) return false;
    if (!text.starts_with(':')) {
      if (text.starts_with('.')) return false;
    } else {
      text.remove_prefix(1);
      if (!take_two()) return false;
    }
  }
  if (text.starts_with('.')) {
    text.remove_prefix(1);
    if (take_digits(text).empty()) return false;
  }
  skip_spaces(text);
  const auto word = take_while(text, is_letter);
  if (!word.empty() && !equals_ignoring_case(word, "am") && !equals_ignoring_case(word, "pm")) {
    return false;
  }
  if (first.size() == 6 && !word.empty()) return false;
  if (!word.empty()) skip_spaces(text);
  if (text.empty()) return true;
  if (text[0] != '+' && text[0] != '-') return false;
  text.remove_prefix(1);
  if (!take_two()) return false;
  if (text.starts_with(':')) {
    text.remove_prefix(1);
    if (!take_two()) return false;
  }
  return text.empty();
}

}  // namespace

Result<std::int64_t> read_time(std::string_view text) {
  const auto inner = trimmed(text);
  if (!is_plain_time(inner)) return bad();
  const auto read = read_date_time("2000-01-01 " + std::string(inner), DateOrder::kYmd);
  if (!read) return fail(read.error());
  return read->seconds * kMicrosPerSecond + read->micros;
}

Result<std::int64_t> timestamptz_of_date(std::int32_t date, const Zone& zone) {
  if (date == kDateInfinity) return kTimestampInfinity;
  if (date == kDateMinusInfinity) return kTimestampMinusInfinity;
  if (date >= kTimestampEnd / kMicrosPerDay) return out_of_range();
  const auto offset = zone.offset_of_local((std::int64_t{date} + kUnixEpochDays) * kSecondsPerDay);
  return checked(date * kMicrosPerDay - offset * kMicrosPerSecond);
}

Result<std::int64_t> timestamptz_of_timestamp(std::int64_t timestamp, const Zone& zone) {
  if (!is_finite_timestamp(timestamp)) return timestamp;
  const auto seconds = floor_div(timestamp, kMicrosPerSecond);
  const auto offset = zone.offset_of_local(seconds + kUnixEpochDays * kSecondsPerDay);
  return checked(timestamp - offset * kMicrosPerSecond);
}

Result<std::int64_t> timestamp_of_timestamptz(std::int64_t timestamptz, const Zone& zone) {
  if (!is_finite_timestamp(timestamptz)) return timestamptz;
  const auto seconds = floor_div(timestamptz, kMicrosPerSecond);
  const auto& type = zone.at(seconds + kUnixEpochDays * kSecondsPerDay);
  return checked(timestamptz + type.offset * kMicrosPerSecond);
}

std::int32_t date_of_timestamp(std::int64_t timestamp) {
  if (timestamp == kTimestampInfinity) return kDateInfinity;
  if (timestamp == kTimestampMinusInfinity) return kDateMinusInfinity;
  return static_cast<std::int32_t>(floor_div(timestamp, kMicrosPerDay));
}

std::int32_t date_of_timestamptz(std::int64_t timestamptz, const Zone& zone) {
  if (!is_finite_timestamp(timestamptz)) return date_of_timestamp(timestamptz);
  const auto seconds = floor_div(timestamptz, kMicrosPerSecond);
  const auto& type = zone.at(seconds + kUnixEpochDays * kSecondsPerDay);
  return static_cast<std::int32_t>(floor_div(seconds + type.offset, kSecondsPerDay));
}

std::int64_t round_timestamp(std::int64_t timestamp, std::int32_t precision) {
  constexpr std::int32_t kPrecisionMax = 6;
  if (!is_finite_timestamp(timestamp) || precision < 0 || precision >= kPrecisionMax) {
    return timestamp;
  }
  std::int64_t unit = kMicrosPerSecond;
  for (std::int32_t i = 0; i < precision; ++i) unit /= 10;
  // Half away from 2000-01-01.
  return timestamp >= 0 ? (timestamp + unit / 2) / unit * unit
                        : -((-timestamp + unit / 2) / unit * unit);
}

}  // namespace theriac::pgwire
