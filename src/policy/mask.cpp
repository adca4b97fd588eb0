// Masks. A mask never gives back more than it names: whatever it cannot take apart becomes the
// constant of the type.
#include <algorithm>

#include "pgwire/types.hpp"
#include "pgwire/utf8.hpp"
#include "policy/mask_kinds.hpp"
#include "policy/policy.hpp"

namespace theriac::policy {
namespace {

constexpr std::int32_t kModifierBias = 4;  // VARHDRSZ in the modifier of varchar and character

/// How many characters the type has room for.
std::size_t room_of(const pgwire::ColumnType& type) {
  const bool limited = type.oid == pgwire::kOidVarchar || type.oid == pgwire::kOidBpchar;
  if (!limited || type.modifier < kModifierBias) return std::string::npos;
  return static_cast<std::size_t>(type.modifier - kModifierBias);
}

/// What a text would be stored as in the column; nullopt if it is no value of the type.
std::optional<std::string> as_value(const pgwire::ColumnType& type, std::string_view text) {
  auto room = room_of(type);
  if (room != std::string::npos) room = pgwire::position_after(text, room);
  auto made = pgwire::to_stored(type, 0, 0, view_of(text.substr(0, room)), {});
  if (!made) return std::nullopt;
  return std::move(*made);
}

/// 0 of a numeric keeps the value's scale, so that it is a value of numeric(p,s) as printed.
std::string zero_like(std::string_view stored) {
  const auto point = stored.find('.');
  if (point == std::string_view::npos) return "0";
  return "0." + std::string(stored.size() - point - 1, '0');
}

std::optional<std::string> constant(const pgwire::ColumnType& type, std::string_view stored) {
  if (pgwire::is_character(type)) return as_value(type, "***");
  const auto* detail = pgwire::detail_of(type);
  if (detail != nullptr && detail->kind == pgwire::TypeKind::kArray) return "{}";
  switch (type.oid) {
    case pgwire::kOidInt2:
    case pgwire::kOidInt4:
    case pgwire::kOidInt8:
    case pgwire::kOidFloat4:
    case pgwire::kOidFloat8:
      return "0";
    case pgwire::kOidNumeric:
      return zero_like(stored);
    case pgwire::kOidBool:
      return "f";
    case pgwire::kOidDate:
      return "1970-01-01";
    case pgwire::kOidTime:
    case pgwire::kOidInterval:
      return "00:00:00";
    case pgwire::kOidTimestamp:
      return "1970-01-01 00:00:00";
    case pgwire::kOidTimestamptz:
      return "1970-01-01 00:00:00+00";
    case pgwire::kOidUuid:
      return "00000000-0000-0000-0000-000000000000";
    case pgwire::kOidBytea:
      return "\\x";
    case pgwire::kOidJson:
    case pgwire::kOidJsonb:
      return "{}";
    case pgwire::kOidInet:
      return "0.0.0.0";
    case pgwire::kOidCidr:
      return "0.0.0.0/32";
    default:
      return std::nullopt;  // enums: no label says that it is a mask
  }
}

/// 5 bits a character, without letters that look like digits (Crockford's alphabet).
std::string readable(const PseudonymToken& token) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  constexpr unsigned kBits = 5;
  std::string out;
  unsigned held = 0, bits = 0;
  for (const auto byte : token) {
    held = (held << 8U | byte) & 0xFFFFU;
    bits += 8;
    for (; bits >= kBits && out.size() < kPseudonymCharacters; bits -= kBits) {
      out += kAlphabet[held >> (bits - kBits) & 0x1FU];
    }
  }
  return out;
}

std::optional<std::string> of_text(const Masked& mask, std::string_view text,
                                   const PseudonymToken* token) {
  switch (mask.how) {
    case MaskKind::kName:
      return masked_name(characters_of(text));
    case MaskKind::kPhone:
      return masked_phone(characters_of(text));
    case MaskKind::kLastFour:
      return keep_ends(characters_of(text), 0, 4);
    case MaskKind::kSerial:
      return keep_ends(characters_of(text), mask.first, mask.last);
    case MaskKind::kEmail:
      return masked_email(text);
    case MaskKind::kIdNumber:
      return masked_id_number(characters_of(text));
    case MaskKind::kBankCard:
      return masked_bank_card(characters_of(text));
    case MaskKind::kAddress:
      return masked_address(text);
    case MaskKind::kPseudonym:
      if (token == nullptr) return std::nullopt;
      return readable(*token);
    default:
      return std::nullopt;
  }
}

std::optional<std::string> taken_apart(const Masked& mask, const pgwire::ColumnType& type,
                                       std::string_view stored, const PseudonymToken* token) {
  if (!fits(mask, type)) return std::nullopt;
  switch (mask.how) {
    case MaskKind::kYear:
      return truncated_date(type, stored, DatePart::kYear);
    case MaskKind::kMonth:
      return truncated_date(type, stored, DatePart::kMonth);
    case MaskKind::kBand:
      return banded(type, stored, mask.size);
    case MaskKind::kConstant:
      return mask.value;
    default:
      if (!pgwire::is_utf8(stored)) return std::nullopt;
      return of_text(mask, pgwire::as_text(type, stored), token);
  }
}

}  // namespace

bool fits(const Masked& mask, const pgwire::ColumnType& type) {
  switch (mask.how) {
    case MaskKind::kNull:
      return true;
    case MaskKind::kConstant:
      if (mask.value) return pgwire::to_stored(type, 0, 0, view_of(*mask.value), {}).has_value();
      return constant(type, {}).has_value();
    case MaskKind::kYear:
    case MaskKind::kMonth:
      return type.oid == pgwire::kOidDate || type.oid == pgwire::kOidTimestamp ||
             type.oid == pgwire::kOidTimestamptz;
    case MaskKind::kBand:
      return mask.size > 0 && (type.oid == pgwire::kOidInt2 || type.oid == pgwire::kOidInt4 ||
                               type.oid == pgwire::kOidInt8 || type.oid == pgwire::kOidNumeric ||
                               type.oid == pgwire::kOidFloat4 || type.oid == pgwire::kOidFloat8);
    case MaskKind::kPseudonym:
      return pgwire::is_character(type) && room_of(type) >= kPseudonymCharacters;
    default:
      return pgwire::is_character(type);
  }
}

std::optional<std::string> apply_mask(const Masked& mask, const pgwire::ColumnType& type,
                                      std::string_view stored, const PseudonymToken* token) {
  if (mask.how == MaskKind::kNull) return std::nullopt;
  if (const auto made = taken_apart(mask, type, stored, token)) {
    if (auto value = as_value(type, *made)) return value;
  }
  return constant(type, stored);
}

}  // namespace theriac::policy
