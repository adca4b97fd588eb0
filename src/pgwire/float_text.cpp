#include "pgwire/float_text.hpp"

#include <fmt/format.h>
#include <locale.h>  // NOLINT: newlocale is POSIX

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <limits>

#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

locale_t c_locale() {
  static const locale_t locale = newlocale(LC_ALL_MASK, "C", nullptr);
  return locale;
}

template <typename T>
Result<T> read(std::string_view text) {
  const std::string copy(trimmed(text));
  if (copy.empty() || copy.find('\0') != std::string::npos) return fail(Code::kMalformed, "float");
  char* end = nullptr;
  errno = 0;
  T value{};
  if constexpr (sizeof(T) == sizeof(double)) {
    value = strtod_l(copy.c_str(), &end, c_locale());
  } else {
    value = strtof_l(copy.c_str(), &end, c_locale());
  }
  if (end != copy.c_str() + copy.size()) return fail(Code::kMalformed, "float");
  // A denormal is reported as out of range and still is a value.
  if (errno == ERANGE && (value == 0 || std::isinf(value))) return fail(Code::kOutOfRange, "float");
  return value;
}

int read_exponent(std::string_view text) {
  int value = 0;
  if (text.starts_with('+')) text.remove_prefix(1);
  std::from_chars(text.data(), text.data() + text.size(), value);
  return value;
}

/// Decimal digits and the exponent of the first.
struct Digits {
  std::string digits;
  int exponent = 0;
};

template <typename T>
Digits split(T magnitude, int precision) {
  std::array<char, 64> buffer{};
  const auto made = precision < 0
                        ? std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude,
                                        std::chars_format::scientific)
                        : std::to_chars(buffer.data(), buffer.data() + buffer.size(), magnitude,
                                        std::chars_format::scientific, precision);
  const std::string_view text(buffer.data(), static_cast<std::size_t>(made.ptr - buffer.data()));
  const auto e = text.find('e');
  Digits out;
  for (const char c : text.substr(0, e)) {
    if (c != '.') out.digits.push_back(c);
  }
  out.exponent = read_exponent(text.substr(e + 1));
  const auto used = out.digits.find_last_not_of('0');
  out.digits.resize(used == std::string::npos ? 1 : used + 1);
  return out;
}

/// True if the decimal lies exactly half-way to a neighbour: it reads back only under rounding to
/// even, on which PostgreSQL does not rely.
template <typename T>
bool is_halfway(T magnitude, const Digits& made) {
  using Wide = long double;
  const auto infinity = std::numeric_limits<T>::infinity();
  for (const T neighbour : {std::nextafter(magnitude, T{0}), std::nextafter(magnitude, infinity)}) {
    if (std::isinf(neighbour)) continue;
    const Wide middle = (static_cast<Wide>(magnitude) + static_cast<Wide>(neighbour)) / 2;
    // The middle has one bit more than T, so its decimal expansion is exact at this length.
    std::array<char, 1200> buffer{};
    constexpr int kDigitsMax = 800;
    const auto printed = std::snprintf(buffer.data(), buffer.size(), "%.*Le", kDigitsMax, middle);
    std::string digits;
    const std::string_view text(buffer.data(), static_cast<std::size_t>(std::max(printed, 0)));
    const auto e = text.find('e');
    for (const char c : text.substr(0, e)) {
      if (is_digit(c)) digits.push_back(c);
    }
    digits.resize(digits.find_last_not_of('0') + 1);
    if (digits == made.digits && read_exponent(text.substr(e + 1)) == made.exponent) {
      return true;
    }
  }
  return false;
}

template <typename T>
std::string shortest(T magnitude) {
  auto made = split(magnitude, -1);
  // Whole numbers that the type holds to the unit print exactly.
  constexpr auto kExact = static_cast<T>(std::uint64_t{1} << std::numeric_limits<T>::digits);
  constexpr int kDigitsMax = std::numeric_limits<T>::max_digits10;
  if (magnitude >= kExact || magnitude != std::floor(magnitude)) {
    for (auto digits = static_cast<int>(made.digits.size());
         digits < kDigitsMax && is_halfway(magnitude, made); ++digits) {
      made = split(magnitude, digits);
    }
  }
  // From this exponent on PostgreSQL writes one.
  constexpr int kFixedEnd = std::numeric_limits<T>::digits10;
  const auto count = static_cast<int>(made.digits.size());
  std::string out;
  if (made.exponent < -4 || made.exponent >= kFixedEnd) {
    out.push_back(made.digits[0]);
    if (count > 1) out.append(".").append(made.digits, 1);
    return out + fmt::format("e{}{:02}", made.exponent < 0 ? '-' : '+', std::abs(made.exponent));
  }
  if (made.exponent < 0) {
    return "0." + std::string(static_cast<std::size_t>(-made.exponent - 1), '0') + made.digits;
  }
  const auto whole = static_cast<std::size_t>(made.exponent) + 1;
  if (made.digits.size() < whole) made.digits.append(whole - made.digits.size(), '0');
  out = made.digits.substr(0, whole);
  if (made.digits.size() > whole) out.append(".").append(made.digits, whole);
  return out;
}

template <typename T>
std::string print(T value, int extra_digits) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  if (extra_digits > 0) {
    if (value == 0) return std::signbit(value) ? "-0" : "0";
    return (value < 0 ? "-" : "") + shortest(std::abs(value));
  }
  return fmt::format("{:.{}g}", value,
                     std::max(1, std::numeric_limits<T>::digits10 + extra_digits));
}

}  // namespace

Result<double> read_float8(std::string_view text) { return read<double>(text); }
Result<float> read_float4(std::string_view text) { return read<float>(text); }

Result<float> narrowed(double value) {
  const auto made = static_cast<float>(value);
  if ((std::isinf(made) && !std::isinf(value)) || (made == 0 && value != 0)) {
    return fail(Code::kOutOfRange, "float");
  }
  return made;
}

std::string float8_text(double value, int extra_digits) { return print(value, extra_digits); }
std::string float4_text(float value, int extra_digits) {
  // The digits of a rounded float4 are those of the double it widens to, as PostgreSQL prints them.
  return print(value, extra_digits);
}

}  // namespace theriac::pgwire
