#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "policy/mask_kinds.hpp"

namespace theriac::policy {
namespace {

bool are_digits(std::string_view text) {
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

/// `digits` + `more`; no sign.
std::string plus(std::string digits, std::uint64_t more) {
  for (auto at = digits.rbegin(); at != digits.rend() && more > 0; ++at) {
    more += static_cast<std::uint64_t>(*at - '0');
    *at = static_cast<char>('0' + more % 10);
    more /= 10;
  }
  return more > 0 ? std::to_string(more) + digits : digits;
}

/// `digits` - `less`, which is not more than `digits`.
std::string minus(std::string digits, std::uint64_t less) {
  for (auto at = digits.rbegin(); at != digits.rend() && less > 0; ++at) {
    const auto digit = static_cast<std::uint64_t>(*at - '0');
    const auto taken = less % 10;
    less /= 10;
    if (digit < taken) ++less;
    *at = static_cast<char>('0' + (digit + 10 - taken) % 10);
  }
  return digits;
}

/// Of a decimal number as PostgreSQL prints numeric, without exponent.
std::optional<std::string> banded_decimal(std::string_view stored, std::uint64_t size) {
  const bool negative = stored.starts_with('-');
  if (negative) stored.remove_prefix(1);
  const auto point = std::min(stored.find('.'), stored.size());
  const auto whole = stored.substr(0, point);
  const auto fraction = point < stored.size() ? stored.substr(point + 1) : std::string_view();
  if (!are_digits(whole) || (point < stored.size() && !are_digits(fraction))) return std::nullopt;
  std::uint64_t rest = 0;  // less than 10^9, so that no step overflows
  for (const char c : whole) rest = (rest * 10 + static_cast<std::uint64_t>(c - '0')) % size;
  auto out = minus(std::string(whole), rest);
  const bool between = rest != 0 || fraction.find_first_not_of('0') != std::string_view::npos;
  if (negative && between) out = plus(std::move(out), size);
  out.erase(0, std::min(out.find_first_not_of('0'), out.size() - 1));
  if (negative && out != "0") out.insert(0, 1, '-');
  if (!fraction.empty()) out += '.' + std::string(fraction.size(), '0');
  return out;
}

/// Beyond 2^53 a double is itself a multiple of many sizes, and would come out as it is.
constexpr double kExactMax = 9007199254740992.0;

std::optional<std::string> banded_float(std::string_view stored, std::uint64_t size) {
  double value = 0;
  const auto* end = stored.data() + stored.size();
  const auto read = std::from_chars(stored.data(), end, value);
  if (read.ec != std::errc{} || read.ptr != end || !std::isfinite(value) ||
      std::fabs(value) > kExactMax) {
    return std::nullopt;
  }
  const auto width = static_cast<double>(size);
  const auto down = std::floor(value / width) * width;
  return fmt::format("{:.0f}", down == 0 ? 0.0 : down);
}

}  // namespace

std::optional<std::string> banded(const pgwire::ColumnType& type, std::string_view stored,
                                  std::uint64_t size) {
  switch (type.oid) {
    case pgwire::kOidInt2:
    case pgwire::kOidInt4:
    case pgwire::kOidInt8:
    case pgwire::kOidNumeric:
      return banded_decimal(stored, size);
    case pgwire::kOidFloat4:
    case pgwire::kOidFloat8:
      return banded_float(stored, size);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> truncated_date(const pgwire::ColumnType& type, std::string_view stored,
                                          DatePart to) {
  const auto year = stored.substr(0, std::min(stored.find('-'), stored.size()));
  const bool before_christ = stored.ends_with(" BC");
  // PostgreSQL's calendar begins in November of 4714 BC: that year has no January.
  if (!are_digits(year) || stored.size() < year.size() + 6 || (before_christ && year == "4714")) {
    return std::nullopt;
  }
  const auto month = to == DatePart::kMonth ? stored.substr(year.size() + 1, 2) : "01";
  if (!are_digits(month)) return std::nullopt;
  std::string_view time;
  switch (type.oid) {
    case pgwire::kOidDate:
      break;
    case pgwire::kOidTimestamp:
      time = " 00:00:00";
      break;
    case pgwire::kOidTimestamptz:
      time = " 00:00:00+00";
      break;
    default:
      return std::nullopt;
  }
  return fmt::format("{}-{}-01{}{}", year, month, time, before_christ ? " BC" : "");
}

}  // namespace theriac::policy
