// Integers, numeric and floats.
#include <charconv>
#include <cmath>
#include <limits>

#include "pgwire/float_text.hpp"
#include "pgwire/text_scan.hpp"
#include "pgwire/value.hpp"

namespace theriac::pgwire {
namespace {

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

/// Whole numbers up to here are one double each.
constexpr double kExactWhole = 9'007'199'254'740'992.0;

/// The one integer that PostgreSQL finds equal to a float, after it made a float8 of the integer.
Result<std::string> integer_equal_to(double value) {
  if (std::isfinite(value) && value == std::rint(value)) {
    // Beyond, several integers of 64 bits become the same float.
    if (std::abs(value) >= kExactWhole) {
      return fail(Code::kUnsupported, "integer compared with a large float");
    }
    return std::to_string(static_cast<std::int64_t>(value));
  }
  // No integer: any numeric that is none stands for it.
  return std::isfinite(value) ? "0.5" : "NaN";
}

Result<std::int64_t> integer_from(double value) {
  const double rounded = std::rint(value);
  constexpr double kEnd = 9'223'372'036'854'775'808.0;
  if (std::isnan(rounded) || rounded < -kEnd || rounded >= kEnd) {
    return fail(Code::kOutOfRange, "integer");
  }
  return static_cast<std::int64_t>(rounded);
}

/// float4's own stored text, or of a float8 that a float4 column is compared with and cannot hold.
constexpr std::string_view kWide = "float8 ";

std::string float_stored(const ColumnType& column, double value) {
  return column.oid == kOidFloat4 ? float4_text(static_cast<float>(value), 1)
                                  : float8_text(value, 1);
}

/// As float8, which is what PostgreSQL casts every other number to beside a float.
Result<double> widened(const Sent& sent) {
  switch (sent.family) {
    case Family::kFloat:
      return sent.real();
    case Family::kInteger: {
      THERIAC_ASSIGN(const auto number, sent.integer());
      return static_cast<double>(number);
    }
    case Family::kNumeric: {
      THERIAC_ASSIGN(auto number, sent.numeric());
      THERIAC_TRY(number.fit(-1));
      return read_float8(number.text());
    }
    default:
      return unsupported_type();
  }
}

}  // namespace

Result<std::int64_t> Sent::fixed(std::size_t size) const {
  if (value.size() != size) return fail(Code::kMalformed, "binary value");
  std::uint64_t bits = 0;
  for (const auto byte : value) bits = (bits << 8U) | byte;
  const auto unused = 64U - 8U * static_cast<unsigned>(size);
  return static_cast<std::int64_t>(bits << unused) >> unused;
}

Result<std::int64_t> Sent::integer() const {
  if (format == kBinaryFormat) return fixed(static_cast<std::size_t>(type_size(type)));
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
  THERIAC_TRY(check_range(type.oid, number));
  return number;
}

Result<Decimal> Sent::numeric() const {
  if (family == Family::kInteger) {
    THERIAC_ASSIGN(const auto number, integer());
    return Decimal::from_integer(number);
  }
  return format == kBinaryFormat ? Decimal::from_binary(value) : Decimal::parse(text_of(value));
}

Result<double> Sent::real() const {
  const bool small = type.oid == kOidFloat4;
  if (format == kBinaryFormat) {
    THERIAC_ASSIGN(const auto bits, fixed(small ? sizeof(float) : sizeof(double)));
    return small ? static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(bits)))
                 : std::bit_cast<double>(bits);
  }
  if (!small) return read_float8(text_of(value));
  THERIAC_ASSIGN(const auto read, read_float4(text_of(value)));
  return static_cast<double>(read);
}

Result<std::string> to_integer(const ColumnType& column, const Sent& sent, bool comparing) {
  if (sent.family == Family::kInteger) {
    THERIAC_ASSIGN(const auto number, sent.integer());
    // int4 = int8 compares across the types, so that a number beyond the column's is no error.
    if (!comparing) {
      THERIAC_TRY(check_range(column.oid, number));
    }
    return std::to_string(number);
  }
  if (sent.family == Family::kFloat) {
    THERIAC_ASSIGN(const auto value, sent.real());
    if (comparing) return integer_equal_to(value);
    THERIAC_ASSIGN(const auto rounded, integer_from(value));
    THERIAC_TRY(check_range(column.oid, rounded));
    return std::to_string(rounded);
  }
  if (sent.family != Family::kNumeric) return unsupported_type();
  THERIAC_ASSIGN(auto number, sent.numeric());
  THERIAC_TRY(number.fit(-1));
  if (comparing) return number.text();
  THERIAC_ASSIGN(const auto rounded, number.to_integer());
  THERIAC_TRY(check_range(column.oid, rounded));
  return std::to_string(rounded);
}

Result<std::string> to_numeric(const ColumnType& column, const Sent& sent, bool comparing) {
  Result<Decimal> number = Decimal::from_integer(0);
  if (sent.family == Family::kFloat) {
    // numeric = float8 is compared as float8, where many numerics are one.
    if (comparing) return unsupported_type();
    THERIAC_ASSIGN(const auto value, sent.real());
    // PostgreSQL's cast keeps the digits that are sure.
    number = Decimal::parse(sent.oid() == kOidFloat4 ? float4_text(static_cast<float>(value), 0)
                                                     : float8_text(value, 0));
  } else if (sent.family == Family::kInteger || sent.family == Family::kNumeric) {
    number = sent.numeric();
  } else {
    return unsupported_type();
  }
  if (!number) return fail(std::move(number.error()));
  // The type's own limits hold before the column's precision rounds anything away.
  THERIAC_TRY(number->fit(-1));
  if (!comparing) THERIAC_TRY(number->fit(column.modifier));
  return number->text();
}

Result<std::string> to_float(const ColumnType& column, const Sent& sent, bool comparing) {
  const bool small = column.oid == kOidFloat4;
  if (!comparing && small && sent.family == Family::kNumeric) {
    THERIAC_ASSIGN(auto number, sent.numeric());  // straight to float4: rounded once
    THERIAC_TRY(number.fit(-1));
    THERIAC_ASSIGN(const auto value, read_float4(number.text()));
    return float4_text(value, 1);
  }
  if (!comparing && small && sent.family == Family::kInteger) {
    THERIAC_ASSIGN(const auto number, sent.integer());
    return float4_text(static_cast<float>(number), 1);
  }
  THERIAC_ASSIGN(const auto value, widened(sent));
  if (!small || sent.oid() == kOidFloat4) return float_stored(column, value);
  if (comparing) {
    const auto same = static_cast<float>(value);
    if (static_cast<double>(same) == value || std::isnan(value)) return float4_text(same, 1);
    return std::string(kWide) + float8_text(value, 1);
  }
  THERIAC_ASSIGN(const auto narrow, narrowed(value));
  return float4_text(narrow, 1);
}

Status render_integer(const ColumnType& column, std::int16_t format, std::string_view stored,
                      Bytes& out) {
  std::int64_t number = 0;
  const auto* end = stored.data() + stored.size();
  const auto [at, error] = std::from_chars(stored.data(), end, number);
  if (error != std::errc{} || at != end || std::to_string(number) != stored ||
      !check_range(column.oid, number)) {
    return not_stored();
  }
  if (format == kTextFormat) {
    append(out, stored);
  } else if (column.oid == kOidInt2) {
    append_be(out, static_cast<std::uint16_t>(number));
  } else if (column.oid == kOidInt4) {
    append_be(out, static_cast<std::uint32_t>(number));
  } else {
    append_be(out, static_cast<std::uint64_t>(number));
  }
  return {};
}

Status render_float(const ColumnType& column, std::int16_t format, std::string_view stored,
                    const TextSettings& settings, Bytes& out) {
  if (column.oid == kOidFloat4) {
    const auto value = read_float4(stored);
    if (!value || float4_text(*value, 1) != stored) return not_stored();
    if (format == kTextFormat) {
      append(out, float4_text(*value, settings.extra_float_digits));
    } else {
      append_be(out, std::bit_cast<std::uint32_t>(*value));
    }
    return {};
  }
  const auto value = read_float8(stored);
  if (!value || float8_text(*value, 1) != stored) return not_stored();
  if (format == kTextFormat) {
    append(out, float8_text(*value, settings.extra_float_digits));
  } else {
    append_be(out, std::bit_cast<std::uint64_t>(*value));
  }
  return {};
}

Result<Bytes> float_equality(const ColumnType& column, std::string_view stored) {
  Result<double> value = 0.0;
  if (column.oid == kOidFloat4 && !stored.starts_with(kWide)) {
    const auto small = read_float4(stored);
    if (!small) return not_stored();
    value = static_cast<double>(*small);
  } else {
    if (column.oid == kOidFloat4) stored.remove_prefix(kWide.size());
    value = read_float8(stored);
    if (!value) return not_stored();
  }
  // One form for both types, since float4 = float8 is compared as float8; -0 = 0.
  return bytes_of(float8_text(*value == 0 ? 0.0 : *value, 1));
}

}  // namespace theriac::pgwire
