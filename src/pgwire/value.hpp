// One value on its way between forms, and what each family of types does with it (types.hpp says
// what). The parts behind types.cpp: values_text, values_number, values_time, values_other and
// array_value. Threading: free functions on values.
#pragma once

#include <optional>

#include "pgwire/decimal.hpp"
#include "pgwire/interval.hpp"
#include "pgwire/types.hpp"
#include "pgwire/zone.hpp"

namespace theriac::pgwire {

inline constexpr std::int16_t kTextFormat = 0, kBinaryFormat = 1;

/// Types that share reading, printing and equality.
enum class Family : std::uint8_t {
  kNone,  ///< not a type of protected columns
  kText,  ///< text, varchar, character
  kCitext,
  kInteger,
  kNumeric,
  kFloat,
  kBool,
  kDate,
  kTime,
  kTimestamp,
  kTimestamptz,
  kInterval,
  kUuid,
  kBytea,
  kJson,
  kJsonb,
  kNetwork,
  kEnum,
  kArray,
};
Family family_of(const ColumnType& type);

inline tl::unexpected<Error> unsupported_type() {
  return fail(Code::kUnsupported, "type of a value");
}
inline tl::unexpected<Error> not_stored() { return fail(Code::kNotAuthentic, "stored value"); }

/// A value as it arrived. Its type's modifier does not count: parameters have none.
struct Sent {
  const ColumnType& type;
  Family family;
  std::int16_t format;
  ByteView value;
  const TextSettings& settings;

  Sent(const ColumnType& of, std::int16_t in_format, ByteView bytes, const TextSettings& with)
      : type(of), family(family_of(of)), format(in_format), value(bytes), settings(with) {}
  [[nodiscard]] std::uint32_t oid() const { return type.oid; }

  [[nodiscard]] Result<std::int64_t> fixed(std::size_t size) const;
  [[nodiscard]] Result<std::shared_ptr<const Zone>> zone() const;
  /// Valid text; a character(n) loses its padding unless it goes to another character(n).
  [[nodiscard]] Result<std::string_view> characters(bool keep_padding = false) const;
  [[nodiscard]] Result<std::int64_t> integer() const;
  [[nodiscard]] Result<Decimal> numeric() const;
  /// float4 widened, or float8.
  [[nodiscard]] Result<double> real() const;
  [[nodiscard]] Result<std::int32_t> date() const;
  /// timestamp or timestamptz, by type.
  [[nodiscard]] Result<std::int64_t> timestamp() const;
  /// Microseconds of the day, up to and including 24:00.
  [[nodiscard]] Result<std::int64_t> time() const;
  [[nodiscard]] Result<Interval> interval() const;
};

/// By the column's family; `comparing`: to_comparand.
Result<std::string> convert(const ColumnType& column, const Sent& sent, bool comparing);
/// For types of which only the type itself is taken: what was sent, read and printed.
Result<std::string> printed(const Sent& sent);

// One for each family or group of them. `render_*`: kNotAuthentic for what is no stored form.
Result<std::string> to_characters(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_integer(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_numeric(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_float(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_date(const Sent& sent, bool comparing);
Result<std::string> to_time(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_timestamp(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_timestamptz(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_interval(const ColumnType& column, const Sent& sent, bool comparing);
/// bool, uuid, bytea, json, jsonb, inet, cidr, enums.
Result<std::string> to_other(const ColumnType& column, const Sent& sent, bool comparing);
Result<std::string> to_array(const ColumnType& column, const Sent& sent, bool comparing);

Status render_integer(const ColumnType& column, std::int16_t format, std::string_view stored,
                      Bytes& out);
Status render_float(const ColumnType& column, std::int16_t format, std::string_view stored,
                    const TextSettings& settings, Bytes& out);
Status render_moment(const ColumnType& column, std::int16_t format, std::string_view stored,
                     const TextSettings& settings, Bytes& out);
Status render_other(const ColumnType& column, std::int16_t format, std::string_view stored,
                    const TextSettings& settings, Bytes& out);
Status render_array(const ColumnType& column, std::int16_t format, std::string_view stored,
                    const TextSettings& settings, Bytes& out);

Result<Bytes> float_equality(const ColumnType& column, std::string_view stored);
Result<Bytes> interval_equality(std::string_view stored);
/// citext, jsonb, inet and cidr.
Result<Bytes> other_equality(const ColumnType& column, std::string_view stored);
Result<Bytes> array_equality(const ColumnType& column, std::string_view stored);

}  // namespace theriac::pgwire
