// Values of every type, form and setting. Four bytes choose them, the rest is the value. Whatever
// was taken must render in both formats and read back as itself.
#include <array>
#include <cstdint>

#include "pgwire/case_map.hpp"
#include "pgwire/types.hpp"

namespace {

using namespace theriac::pgwire;  // NOLINT: one file, one subject
using theriac::Bytes;
using theriac::ByteView;

constexpr std::array<std::uint32_t, 32> kColumns{kOidText,
                                                 kOidVarchar,
                                                 kOidInt2,
                                                 kOidInt4,
                                                 kOidInt8,
                                                 kOidNumeric,
                                                 kOidDate,
                                                 kOidTimestamptz,
                                                 kOidBool,
                                                 kOidFloat4,
                                                 kOidFloat8,
                                                 kOidTime,
                                                 kOidTimestamp,
                                                 kOidInterval,
                                                 kOidUuid,
                                                 kOidBytea,
                                                 kOidJson,
                                                 kOidJsonb,
                                                 kOidInet,
                                                 kOidCidr,
                                                 1007,
                                                 1009,
                                                 1015,
                                                 1231,
                                                 1001,
                                                 1022,
                                                 3807,
                                                 1187,
                                                 1041,
                                                 0,
                                                 1,
                                                 2};
constexpr std::array<std::uint32_t, 26> kSent{0,
                                              kOidText,
                                              kOidVarchar,
                                              kOidBpchar,
                                              kOidInt2,
                                              kOidInt4,
                                              kOidInt8,
                                              kOidNumeric,
                                              kOidDate,
                                              kOidTimestamp,
                                              kOidTimestamptz,
                                              kOidBool,
                                              kOidFloat4,
                                              kOidFloat8,
                                              kOidTime,
                                              kOidInterval,
                                              kOidUuid,
                                              kOidBytea,
                                              kOidJson,
                                              kOidJsonb,
                                              kOidInet,
                                              kOidCidr,
                                              1007,
                                              1009,
                                              1231,
                                              600};
constexpr std::array<const char*, 4> kIntervals{"postgres", "postgres_verbose", "sql_standard",
                                                "iso_8601"};

/// Small numbers stand for types that are made in a database.
ColumnType type_of(std::uint32_t oid, std::int32_t modifier) {
  if (oid > 2) return {oid, modifier};
  static const auto made = [] {
    std::array<std::shared_ptr<TypeDetail>, 3> out;
    for (auto& each : out) each = std::make_shared<TypeDetail>();
    out[0]->kind = TypeKind::kEnum;
    out[0]->labels = {"a", "b c", "\xc3\xa9"};
    out[1]->kind = TypeKind::kCitext;
    out[1]->lower = *CaseMap::find("C.UTF-8");
    out[2]->kind = TypeKind::kArray;
    out[2]->element = {20'000, -1, out[0]};
    return out;
  }();
  return {20'000 + oid, modifier, made.at(oid)};
}
constexpr std::array<std::int32_t, 6> kModifiers{
    -1, 0, 3, 9, (10 << 16 | 2) + 4, (3 << 16 | 0x7fe) + 4};
constexpr std::array<std::string_view, 6> kStyles{"ISO, MDY", "ISO, DMY",      "ISO, YMD",
                                                  "SQL, DMY", "Postgres, MDY", "German, DMY"};
constexpr std::array<const char*, 5> kZones{"UTC", "Asia/Shanghai", "America/New_York",
                                            "<+0530>-5:30", "CET-1CEST,M3.5.0,M10.5.0/3"};

void check_taken(const ColumnType& column, const std::string& stored,
                 const TextSettings& settings) {
  if (has_equality(column)) THERIAC_ASSERT(equality_form(column, stored));
  Bytes text, binary;
  THERIAC_ASSERT(render(column, 0, stored, settings, text));
  THERIAC_ASSERT(render(column, 1, stored, settings, binary));
  const auto from_binary = to_stored(column, 0, 1, binary, settings);
  THERIAC_ASSERT(from_binary && *from_binary == stored);
  // A restricted interval column does not take every text as a literal, nor rounded floats back.
  if (settings.extra_float_digits < 1 || column.modifier != -1) return;
  if (settings.style != DateStyle::kIso) return;  // abbreviations of zones are not read
  const auto from_text = to_stored(column, 0, 0, text, settings);
  THERIAC_ASSERT(from_text && *from_text == stored);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  constexpr std::size_t kChoices = 4;
  if (size < kChoices) return 0;
  const auto pick = [](const auto& from, std::size_t by) { return from[by % from.size()]; };
  const auto column = type_of(pick(kColumns, data[0]), pick(kModifiers, data[0] / kColumns.size()));
  const auto sent = pick(kSent, data[1]);
  const auto format = static_cast<std::int16_t>(data[2] % 2);
  auto settings = *with_date_style({}, pick(kStyles, data[2] / 2));
  settings.time_zone = pick(kZones, data[3]);
  settings = *with_setting(settings, "IntervalStyle", pick(kIntervals, data[2] / 16));
  if (data[3] >= 128) settings = *with_setting(settings, "bytea_output", "escape");
  if (data[3] >= 192) settings = *with_setting(settings, "extra_float_digits", "-3");
  const ByteView value(data + kChoices, size - kChoices);

  if (const auto stored = to_stored(column, sent, format, value, settings)) {
    check_taken(column, *stored, settings);
  }
  if (const auto comparand = to_comparand(column, sent, format, value, settings)) {
    if (has_equality(column)) THERIAC_ASSERT(equality_form(column, *comparand));
  }
  // As something that came out of a seal, and as a session's settings.
  Bytes out;
  (void)render(column, format, theriac::text_of(value), settings, out);
  (void)equality_form(column, theriac::text_of(value));
  (void)with_date_style(settings, theriac::text_of(value));
  settings.time_zone = theriac::text_of(value);
  (void)render({kOidTimestamptz, -1}, 0, "2026-11-21 02:30:00+00", settings, out);
  (void)to_stored({kOidTimestamptz, -1}, 0, 0, theriac::view_of("2026-11-21 02:30:00"), settings);
  return 0;
}
