// Values of the protected types: from any form a client may send to the one stored form, back to
// any form a client may ask for, and to the form whose equality is PostgreSQL's own.
//
// The *stored form* is the UTF-8 text that PostgreSQL 15 prints for the type with DateStyle ISO and
// TimeZone UTC ("2026-11-21 02:30:00.5+00", "1.50", "-7"). The *equality form* equals for two
// values exactly when PostgreSQL's default operator class says they are equal: numeric without
// trailing zeros (NaN equals NaN), timestamptz in UTC, character(n) without its padding, text byte
// for byte (deterministic collations only).
//
// Types: text, varchar(n), char(n), int2, int4, int8, numeric(p,s), date, timestamptz. Others are
// Code::kUnsupported. Threading: free functions on values.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"

namespace theriac::pgwire {

inline constexpr std::uint32_t kOidBool = 16, kOidBytea = 17, kOidInt8 = 20, kOidInt2 = 21,
                               kOidInt4 = 23, kOidText = 25, kOidUnknown = 705, kOidBpchar = 1042,
                               kOidVarchar = 1043, kOidDate = 1082, kOidTimestamp = 1114,
                               kOidTimestamptz = 1184, kOidNumeric = 1700;

enum class DateOrder : std::uint8_t { kMdy, kDmy, kYmd };
enum class DateStyle : std::uint8_t { kIso, kSql, kPostgres, kGerman };

/// The session settings that change how values read and print.
struct TextSettings {
  DateStyle style = DateStyle::kIso;
  DateOrder order = DateOrder::kMdy;
  std::string time_zone = "UTC";  ///< IANA name, "UTC+8"-like POSIX, or offset, as PostgreSQL takes
};
/// Parses the value of the ParameterStatus "DateStyle", e.g. "ISO, MDY".
Result<TextSettings> with_date_style(TextSettings settings, std::string_view date_style);

struct ColumnType {
  std::uint32_t oid = kOidText;
  std::int32_t modifier = -1;  ///< pg_attribute.atttypmod
};

/// True if values of this type can be protected.
bool is_supported(std::uint32_t type_oid);
/// pg_type.typlen as RowDescription reports it (-1 for variable length).
std::int16_t type_size(std::uint32_t type_oid);

/// What a client sent, in `format` (0 text, 1 binary) of type `sent_oid` (0 or kOidUnknown: the
/// column's own), to the stored form of `column`. Follows PostgreSQL's input rules and assignment
/// casts: trims trailing spaces beyond varchar(n) and refuses other excess (kTooLong), rounds to
/// numeric(p,s) and refuses overflow (kOutOfRange), refuses text that is not UTF-8 (kBadEncoding),
/// holds a zero byte (kMalformed), or is not of the type (kMalformed, kBadDateTime, kOutOfRange).
/// A sent type that PostgreSQL would not cast implicitly or by assignment is kUnsupported, and so
/// are bool, float8 and every type not named here, which it would cast; a format other than 0 and 1
/// is kProtocol. Dates and times: the forms of datetime_read.hpp. kOutOfRange also for two moments
/// PostgreSQL stores and then does not read back: the day before the first date, and the first
/// moment after the last, reached by rounding to timestamptz(p).
Result<std::string> to_stored(const ColumnType& column, std::uint32_t sent_oid, std::int16_t format,
                              ByteView value, const TextSettings& settings);

/// As to_stored, but for a comparison `column = value`: no length is enforced and no scale applied
/// (PostgreSQL casts to the type without its modifier). A value that cannot equal any value of the
/// type still converts when PostgreSQL would accept it, to a text whose equality form no value of
/// the column has. kUnsupported where the operator's equality is not that of a form: varchar =
/// character(n), which ignores trailing spaces on both sides, and a timestamptz against a date
/// where the zone left a day out.
Result<std::string> to_comparand(const ColumnType& column, std::uint32_t sent_oid,
                                 std::int16_t format, ByteView value, const TextSettings& settings);

/// The stored form in the format a client asked for. Code::kNotAuthentic if `stored` is not a
/// stored form (it came out of a sealed value, so somebody's program sealed something else).
Status render(const ColumnType& column, std::int16_t format, std::string_view stored,
              const TextSettings& settings, Bytes& out);

/// Bytes whose equality is PostgreSQL's. Integers and numerics share one form ("150", "1.5",
/// "NaN"). `stored` is what to_stored or to_comparand returned for this column.
Result<Bytes> equality_form(const ColumnType& column, std::string_view stored);

}  // namespace theriac::pgwire
