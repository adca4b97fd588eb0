#include "pgwire/types.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <map>

#include "base/secret.hpp"
#include "pgwire/encoding.hpp"
#include "pgwire/text_scan.hpp"
#include "pgwire/utf8.hpp"
#include "pgwire/value.hpp"

namespace theriac::pgwire {
namespace {

struct BuiltinType {
  std::uint32_t oid;
  std::uint32_t array_oid;
  Family family;
  std::int16_t size;
};
constexpr auto kBuiltin = std::to_array<BuiltinType>({
    {kOidText, 1009, Family::kText, -1},          {kOidVarchar, 1015, Family::kText, -1},
    {kOidBpchar, 1014, Family::kText, -1},        {kOidBool, 1000, Family::kBool, 1},
    {kOidInt2, 1005, Family::kInteger, 2},        {kOidInt4, 1007, Family::kInteger, 4},
    {kOidInt8, 1016, Family::kInteger, 8},        {kOidNumeric, 1231, Family::kNumeric, -1},
    {kOidFloat4, 1021, Family::kFloat, 4},        {kOidFloat8, 1022, Family::kFloat, 8},
    {kOidDate, 1182, Family::kDate, 4},           {kOidTime, 1183, Family::kTime, 8},
    {kOidTimestamp, 1115, Family::kTimestamp, 8}, {kOidTimestamptz, 1185, Family::kTimestamptz, 8},
    {kOidInterval, 1187, Family::kInterval, 16},  {kOidUuid, 2951, Family::kUuid, 16},
    {kOidBytea, 1001, Family::kBytea, -1},        {kOidJson, 199, Family::kJson, -1},
    {kOidJsonb, 3807, Family::kJsonb, -1},        {kOidInet, 1041, Family::kNetwork, -1},
    {kOidCidr, 651, Family::kNetwork, -1},
});

const BuiltinType* builtin(std::uint32_t oid) {
  const auto* found = std::find_if(kBuiltin.begin(), kBuiltin.end(),
                                   [oid](const BuiltinType& each) { return each.oid == oid; });
  return found == kBuiltin.end() ? nullptr : found;
}

/// Details of the built-in array types, by the array's object id.
const std::map<std::uint32_t, TypeDetail>& builtin_arrays() {
  static const auto made = [] {
    std::map<std::uint32_t, TypeDetail> out;
    for (const auto& each : kBuiltin) {
      auto& detail = out[each.array_oid];
      detail.kind = TypeKind::kArray;
      detail.element = {each.oid, -1};
    }
    return out;
  }();
  return made;
}

template <typename T>
Result<T> choose(std::string_view value, std::initializer_list<std::pair<std::string_view, T>> of) {
  for (const auto& [name, meaning] : of) {
    if (equals_ignoring_case(value, name)) return meaning;
  }
  return fail(Code::kMalformed, "setting");
}

Result<std::string> convert_sent(const ColumnType& column, std::uint32_t sent_oid,
                                 std::int16_t format, ByteView value, const TextSettings& settings,
                                 bool comparing) {
  if (format != kTextFormat && format != kBinaryFormat) return fail(Code::kProtocol, "format code");
  auto type = column;
  if (sent_oid != 0 && sent_oid != kOidUnknown) {
    const bool own = sent_oid == column.oid || sent_oid == column.declared_oid();
    // A value that was declared to be of a type was read before the column's modifier applied.
    type = own ? ColumnType{column.oid, -1, column.detail} : ColumnType{sent_oid, -1};
  } else if (comparing && column.oid == kOidCidr) {
    type = {kOidInet, -1};  // cidr has no = of its own
  }
  return convert(column, Sent(type, format, value, settings), comparing);
}

}  // namespace

std::uint32_t ColumnType::declared_oid() const {
  return detail && detail->domain_oid != 0 ? detail->domain_oid : oid;
}

const TypeDetail* detail_of(const ColumnType& type) {
  // The detail of a domain over a built-in array tells of the domain only.
  if (type.detail && type.detail->kind != TypeKind::kBase) return type.detail.get();
  const auto& arrays = builtin_arrays();
  const auto at = arrays.find(type.oid);
  return at == arrays.end() ? type.detail.get() : &at->second;
}

std::uint32_t builtin_array_of(std::uint32_t element_oid) {
  const auto* known = builtin(element_oid);
  return known == nullptr ? 0 : known->array_oid;
}

Family family_of(const ColumnType& type) {
  if (const auto* known = builtin(type.oid)) return known->family;
  const auto* detail = detail_of(type);
  if (detail == nullptr) return Family::kNone;
  switch (detail->kind) {
    case TypeKind::kEnum:
      return Family::kEnum;
    case TypeKind::kCitext:
      return Family::kCitext;
    case TypeKind::kArray:
      return Family::kArray;
    case TypeKind::kBase:
      break;
  }
  return Family::kNone;
}

bool is_supported(const ColumnType& type) {
  const auto family = family_of(type);
  if (family != Family::kArray) return family != Family::kNone;
  const auto element = family_of(detail_of(type)->element);
  return element != Family::kNone && element != Family::kArray;
}

bool has_equality(const ColumnType& type) {
  const auto family = family_of(type);
  if (family == Family::kArray) return has_equality(detail_of(type)->element);
  return family != Family::kNone && family != Family::kJson;
}

bool is_character(const ColumnType& type) {
  const auto family = family_of(type);
  return family == Family::kText || family == Family::kCitext;
}

std::string_view as_text(const ColumnType& type, std::string_view stored) {
  if (type.oid == kOidBpchar) {
    while (stored.ends_with(' ')) stored.remove_suffix(1);
  }
  return stored;
}

std::int16_t type_size(const ColumnType& type) {
  constexpr std::int16_t kEnumSize = 4, kUnknownSize = -2;
  if (const auto* known = builtin(type.oid)) return known->size;
  if (type.oid == kOidUnknown) return kUnknownSize;
  return family_of(type) == Family::kEnum ? kEnumSize : std::int16_t{-1};
}

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

Result<TextSettings> with_setting(TextSettings settings, std::string_view name,
                                  std::string_view value) {
  if (name == "DateStyle") return with_date_style(std::move(settings), value);
  if (name == "TimeZone") {
    settings.time_zone = value;
  } else if (name == "IntervalStyle") {
    THERIAC_ASSIGN(settings.interval,
                   choose<IntervalStyle>(value, {{"postgres", IntervalStyle::kPostgres},
                                                 {"postgres_verbose", IntervalStyle::kVerbose},
                                                 {"sql_standard", IntervalStyle::kSqlStandard},
                                                 {"iso_8601", IntervalStyle::kIso8601}}));
  } else if (name == "bytea_output") {
    THERIAC_ASSIGN(settings.bytea, choose<ByteaOutput>(value, {{"hex", ByteaOutput::kHex},
                                                               {"escape", ByteaOutput::kEscape}}));
  } else if (name == "extra_float_digits") {
    const auto* end = value.data() + value.size();
    const auto [at, error] = std::from_chars(value.data(), end, settings.extra_float_digits);
    if (error != std::errc{} || at != end) return fail(Code::kMalformed, "setting");
  }
  return settings;
}

namespace {

/// In binary form these are their characters.
bool is_text_in_binary(Family family) {
  return family == Family::kText || family == Family::kCitext || family == Family::kJson ||
         family == Family::kJsonb || family == Family::kEnum;
}

Result<std::string> convert_utf8(const ColumnType& column, const Sent& sent, bool comparing);

/// The value in UTF-8 first. Of an array in binary form each element comes by itself.
Result<std::string> convert_encoded(const ColumnType& column, const Sent& sent, bool comparing) {
  const auto plain = without_encoding(sent.settings);
  const bool binary = sent.format == kBinaryFormat;
  if (binary && sent.family == Family::kArray) {
    // Its elements cannot be told in the text that the array would be cast to.
    if (family_of(column) != Family::kArray) return unsupported_type();
    return convert_utf8(column, sent, comparing);
  }
  if (binary && !is_text_in_binary(sent.family)) {
    return convert_utf8(column, Sent(sent.type, sent.format, sent.value, plain), comparing);
  }
  // The version of a jsonb is no character beyond ASCII.
  THERIAC_ASSIGN(auto text, sent.settings.encoding->to_utf8(sent.value));
  auto made = convert_utf8(column, Sent(sent.type, sent.format, view_of(text), plain), comparing);
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});  // NOLINT
  return made;
}

}  // namespace

TextSettings without_encoding(const TextSettings& settings) {
  auto plain = settings;
  plain.encoding = nullptr;
  return plain;
}

Result<std::string> convert(const ColumnType& column, const Sent& sent, bool comparing) {
  return sent.settings.encoding ? convert_encoded(column, sent, comparing)
                                : convert_utf8(column, sent, comparing);
}

namespace {

Result<std::string> convert_utf8(const ColumnType& column, const Sent& sent, bool comparing) {
  switch (family_of(column)) {
    case Family::kText:
    case Family::kCitext:
      return to_characters(column, sent, comparing);
    case Family::kInteger:
      return to_integer(column, sent, comparing);
    case Family::kNumeric:
      return to_numeric(column, sent, comparing);
    case Family::kFloat:
      return to_float(column, sent, comparing);
    case Family::kDate:
      return to_date(sent, comparing);
    case Family::kTime:
      return to_time(column, sent, comparing);
    case Family::kTimestamp:
      return to_timestamp(column, sent, comparing);
    case Family::kTimestamptz:
      return to_timestamptz(column, sent, comparing);
    case Family::kInterval:
      return to_interval(column, sent, comparing);
    case Family::kArray:
      return to_array(column, sent, comparing);
    case Family::kNone:
      return unsupported_type();
    default:
      return to_other(column, sent, comparing);
  }
}

}  // namespace

Result<std::string> to_stored(const ColumnType& column, std::uint32_t sent_oid, std::int16_t format,
                              ByteView value, const TextSettings& settings) {
  return convert_sent(column, sent_oid, format, value, settings, false);
}

Result<std::string> to_comparand(const ColumnType& column, std::uint32_t sent_oid,
                                 std::int16_t format, ByteView value,
                                 const TextSettings& settings) {
  return convert_sent(column, sent_oid, format, value, settings, true);
}

Status render(const ColumnType& column, std::int16_t format, std::string_view stored,
              const TextSettings& settings, Bytes& out) {
  const auto family = family_of(column);
  const bool text = format == kTextFormat || is_text_in_binary(family);
  if (settings.encoding && text) {
    Bytes plain;
    THERIAC_TRY(render(column, format, stored, without_encoding(settings), plain));
    const auto encoded = settings.encoding->from_utf8(text_of(plain));
    wipe(plain);
    if (!encoded) return fail(Code::kBadEncoding, "a character without an equivalent");
    append(out, *encoded);
    return {};
  }
  if (format != kTextFormat && format != kBinaryFormat) return fail(Code::kProtocol, "format code");
  switch (family) {
    case Family::kText:
    case Family::kCitext:
      if (stored.find('\0') != std::string_view::npos || !is_utf8(stored)) return not_stored();
      append(out, stored);
      return {};
    case Family::kInteger:
      return render_integer(column, format, stored, out);
    case Family::kNumeric: {
      const auto number = Decimal::from_stored(stored);
      if (!number) return not_stored();
      if (format == kTextFormat) {
        append(out, stored);
      } else {
        number->append_binary(out);
      }
      return {};
    }
    case Family::kFloat:
      return render_float(column, format, stored, settings, out);
    case Family::kDate:
    case Family::kTime:
    case Family::kTimestamp:
    case Family::kTimestamptz:
    case Family::kInterval:
      return render_moment(column, format, stored, settings, out);
    case Family::kArray:
      return render_array(column, format, stored, settings, out);
    case Family::kNone:
      return unsupported_type();
    default:
      return render_other(column, format, stored, settings, out);
  }
}

Result<Bytes> equality_form(const ColumnType& column, std::string_view stored) {
  switch (family_of(column)) {
    case Family::kText:
      return bytes_of(as_text(column, stored));
    case Family::kDate:
    case Family::kTime:
    case Family::kTimestamp:
    case Family::kTimestamptz:
    case Family::kBool:
    case Family::kUuid:
    case Family::kBytea:
    case Family::kEnum:
      return bytes_of(stored);
    case Family::kInteger:
    case Family::kNumeric: {
      // One form for all numbers, so that an integer column can be compared with a numeric.
      const auto number = Decimal::from_stored(stored);
      if (!number) return not_stored();
      return bytes_of(number->equality_text());
    }
    case Family::kFloat:
      return float_equality(column, stored);
    case Family::kInterval:
      return interval_equality(stored);
    case Family::kArray:
      return array_equality(column, stored);
    case Family::kCitext:
    case Family::kJsonb:
    case Family::kNetwork:
      return other_equality(column, stored);
    case Family::kJson:
    case Family::kNone:
      break;
  }
  return unsupported_type();
}

}  // namespace theriac::pgwire
