// Values of the protected types: from any form a client may send to the one stored form, back to
// any form a client may ask for, and to the form whose equality is PostgreSQL's own.
//
// The *stored form* is the UTF-8 text that PostgreSQL 15 prints for the type with DateStyle ISO,
// TimeZone UTC, IntervalStyle postgres, bytea_output hex and extra_float_digits 1
// ("2026-11-21 02:30:00.5+00", "1.50", "-7"). The *equality form* equals for two values exactly
// when PostgreSQL's default operator class says they are equal: numeric without trailing zeros (NaN
// equals NaN), floats as the double they widen to (-0 equals 0), intervals by their span,
// timestamptz in UTC, character(n) without its padding, citext in lower case, jsonb by structure,
// arrays with their bounds, text byte for byte (deterministic collations only).
//
// Types: text, varchar(n), char(n), citext, bool, int2, int4, int8, numeric(p,s), float4, float8,
// date, time(p), timestamp(p), timestamptz(p), interval, uuid, bytea, json (no equality), jsonb,
// inet, cidr, enums, and arrays of these. Domains go as their base type. Others are
// Code::kUnsupported. Threading: free functions on values.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"

namespace theriac::pgwire {

inline constexpr std::uint32_t kOidBool = 16, kOidBytea = 17, kOidInt8 = 20, kOidInt2 = 21,
                               kOidInt4 = 23, kOidText = 25, kOidJson = 114, kOidCidr = 650,
                               kOidFloat4 = 700, kOidFloat8 = 701, kOidUnknown = 705,
                               kOidInet = 869, kOidBpchar = 1042, kOidVarchar = 1043,
                               kOidDate = 1082, kOidTime = 1083, kOidTimestamp = 1114,
                               kOidTimestamptz = 1184, kOidInterval = 1186, kOidNumeric = 1700,
                               kOidUuid = 2950, kOidJsonb = 3802;

enum class DateOrder : std::uint8_t { kMdy, kDmy, kYmd };
enum class DateStyle : std::uint8_t { kIso, kSql, kPostgres, kGerman };
enum class IntervalStyle : std::uint8_t { kPostgres, kVerbose, kSqlStandard, kIso8601 };
enum class ByteaOutput : std::uint8_t { kHex, kEscape };

class Encoding;

/// The session settings that change how values read and print.
struct TextSettings {
  /// What the client sends and wants texts in; null: UTF-8. Stored forms are UTF-8 always.
  std::shared_ptr<const Encoding> encoding{};
  DateStyle style = DateStyle::kIso;
  DateOrder order = DateOrder::kMdy;
  std::string time_zone = "UTC";  ///< IANA name, "UTC+8"-like POSIX, or offset, as PostgreSQL takes
  IntervalStyle interval = IntervalStyle::kPostgres;
  ByteaOutput bytea = ByteaOutput::kHex;
  int extra_float_digits = 1;  ///< -15 to 3
};
/// For values that are UTF-8 already: literals of a text that was converted, stored forms.
TextSettings without_encoding(const TextSettings& settings);
/// Parses the value of the ParameterStatus "DateStyle", e.g. "ISO, MDY".
Result<TextSettings> with_date_style(TextSettings settings, std::string_view date_style);
/// Parses the value of a setting by its name: DateStyle, TimeZone, IntervalStyle, bytea_output,
/// extra_float_digits. Others change nothing. Code::kMalformed: not a value of the setting.
Result<TextSettings> with_setting(TextSettings settings, std::string_view name,
                                  std::string_view value);

class CaseMap;
struct TypeDetail;

/// A column's type, of a domain its base type and modifier. Cheap to copy.
struct ColumnType {
  std::uint32_t oid = kOidText;
  std::int32_t modifier = -1;  ///< pg_attribute.atttypmod
  /// Of what the object id alone does not tell: enums, citext, arrays, domains. Null for others;
  /// of built-in arrays detail_of() knows it.
  std::shared_ptr<const TypeDetail> detail{};
  /// What a parameter assigned to the column is described as: the domain, or `oid`.
  [[nodiscard]] std::uint32_t declared_oid() const;
};

enum class TypeKind : std::uint8_t { kBase, kEnum, kArray, kCitext };
/// Shared by all copies of a type, never changed. Object ids are the server's.
struct TypeDetail {
  TypeKind kind = TypeKind::kBase;
  std::string schema, name;      ///< of an enum or citext
  std::uint32_t domain_oid = 0;  ///< the column's domain, 0: none
  std::string domain_schema, domain_name;
  std::vector<std::string> labels{};       ///< of an enum, in its order
  ColumnType element{};                    ///< of an array, without the array's modifier
  char delimiter = ',';                    ///< between the elements
  std::shared_ptr<const CaseMap> lower{};  ///< citext: lower() of the database's collation
};
/// Of a type that has detail: its own, or a built-in array's. nullptr: none.
const TypeDetail* detail_of(const ColumnType& type);
/// Array type of a built-in type that can be protected, 0: none known.
std::uint32_t builtin_array_of(std::uint32_t element_oid);

/// True if values of this type can be protected.
bool is_supported(const ColumnType& type);
/// True if PostgreSQL has an `=` for it, so that it can be searchable: not json, nor arrays of it.
bool has_equality(const ColumnType& type);
/// text, varchar, character and citext: what masks and expressions on characters work on.
bool is_character(const ColumnType& type);
/// What the cast of a character type to text gives: a stored form without character(n)'s padding.
std::string_view as_text(const ColumnType& type, std::string_view stored);
/// pg_type.typlen as RowDescription reports it (-1 for variable length).
std::int16_t type_size(const ColumnType& type);

/// What a client sent, in `format` (0 text, 1 binary) of type `sent_oid` (0 or kOidUnknown: the
/// column's own), to the stored form of `column`. Follows PostgreSQL's input rules and assignment
/// casts: trims trailing spaces beyond varchar(n) and refuses other excess (kTooLong), rounds to
/// numeric(p,s) and refuses overflow (kOutOfRange), refuses text that is not UTF-8 (kBadEncoding),
/// holds a zero byte (kMalformed), or is not of the type (kMalformed, kBadDateTime, kOutOfRange).
/// A sent type that PostgreSQL would not cast implicitly or by assignment is kUnsupported, and so
/// is every type not named here, which it would cast; a format other than 0 and 1 is kProtocol.
/// Forms taken: dates and times, datetime_read.hpp; intervals, interval.hpp; addresses,
/// network.hpp; arrays, array_text.hpp; JSON, json_value.hpp. kOutOfRange also for two moments
/// PostgreSQL stores and then does not read back: the day before the first date, and the first
/// moment after the last, reached by rounding to timestamptz(p). A NaN loses its payload.
/// A value that is no character of the settings' encoding is kBadEncoding.
/// Of `sent_oid` 0 is a literal, whose reading an interval column's fields take part in; a
/// parameter without a declared type has the column's object id.
Result<std::string> to_stored(const ColumnType& column, std::uint32_t sent_oid, std::int16_t format,
                              ByteView value, const TextSettings& settings);

/// As to_stored, but for a comparison `column = value`: no length is enforced and no scale applied
/// (PostgreSQL casts to the type without its modifier). A value that cannot equal any value of the
/// type still converts when PostgreSQL would accept it, to a text whose equality form no value of
/// the column has. kUnsupported where the operator's equality is not that of a form: varchar =
/// character(n), which ignores trailing spaces on both sides; citext = text, which is
/// case-sensitive; a timestamptz against a date where the zone left a day out; numeric and int8
/// against a float to which several of their values are equal.
Result<std::string> to_comparand(const ColumnType& column, std::uint32_t sent_oid,
                                 std::int16_t format, ByteView value, const TextSettings& settings);

/// The stored form in the format a client asked for. Code::kNotAuthentic if `stored` is not a
/// stored form (it came out of a sealed value, so somebody's program sealed something else);
/// Code::kBadEncoding if the settings' encoding lacks one of its characters (22P05).
Status render(const ColumnType& column, std::int16_t format, std::string_view stored,
              const TextSettings& settings, Bytes& out);

/// Bytes whose equality is PostgreSQL's. Integers and numerics share one form ("150", "1.5",
/// "NaN"). `stored` is what to_stored or to_comparand returned for this column.
Result<Bytes> equality_form(const ColumnType& column, std::string_view stored);

}  // namespace theriac::pgwire
