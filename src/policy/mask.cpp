// Masks. A mask never gives back more than it names: whatever it cannot take apart becomes the
// constant of the type.
#include <algorithm>

#include "pgwire/types.hpp"
#include "pgwire/utf8.hpp"
#include "policy/policy.hpp"

namespace theriac::policy {
namespace {

using Characters = std::vector<std::string_view>;

Characters characters_of(std::string_view text) {
  Characters out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = at + pgwire::position_after(text.substr(at), 1);
    out.push_back(text.substr(at, end - at));
    at = end;
  }
  return out;
}

/// 0 of a numeric keeps the value's scale, so that it is a value of numeric(p,s) as printed.
std::string zero_like(std::string_view stored) {
  const auto point = stored.find('.');
  if (point == std::string_view::npos) return "0";
  return "0." + std::string(stored.size() - point - 1, '0');
}

std::optional<std::string> constant(const pgwire::ColumnType& type, std::string_view stored) {
  if (pgwire::is_character(type)) return "***";
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

bool is_digit(std::string_view c) {
  if (c.size() == 1) return c[0] >= '0' && c[0] <= '9';
  // Full-width digits, U+FF10 to U+FF19, as Chinese input methods write them.
  return c.size() == 3 && c.substr(0, 2) == "\xEF\xBC" &&
         static_cast<unsigned char>(c[2]) >= 0x90 && static_cast<unsigned char>(c[2]) <= 0x99;
}

bool is_separator(std::string_view c) {
  return c.size() == 1 && std::string_view(" -+()./").find(c[0]) != std::string_view::npos;
}

std::string stars(std::size_t count) { return std::string(count, '*'); }

/// The first `head` and last `tail` characters stay, each other becomes one *.
std::string keep_ends(const Characters& text, std::size_t head, std::size_t tail) {
  if (text.size() <= head + tail) return stars(text.size());
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool kept = i < head || i >= text.size() - tail;
    out += kept ? text[i] : std::string_view("*");
  }
  return out;
}

std::string mask_name(const Characters& text) {
  if (text.empty()) return {};
  if (text.size() == 1) return "*";
  return std::string(text.front()) + '*';
}

std::string mask_phone(const Characters& text) {
  const auto digits = static_cast<std::size_t>(std::count_if(text.begin(), text.end(), is_digit));
  std::string out;
  std::size_t seen = 0;
  for (const auto c : text) {
    if (is_digit(c)) {
      const bool kept = digits > 7 && (seen < 3 || seen >= digits - 4);
      out += kept ? c : std::string_view("*");
      ++seen;
    } else {
      out += is_separator(c) ? c : std::string_view("*");
    }
  }
  return out;
}

std::string mask_email(std::string_view stored) {
  const auto at = stored.rfind('@');
  if (at == std::string_view::npos || at == 0) return stored.empty() ? "" : "*";
  const auto local = characters_of(stored.substr(0, at));
  return mask_name(local) + std::string(stored.substr(at));
}

std::string mask_id_number(const Characters& text) {
  const bool known = text.size() == 18 || text.size() == 15;
  return known ? keep_ends(text, 6, 4) : stars(text.size());
}

std::optional<std::string> mask_year(const pgwire::ColumnType& type, std::string_view stored) {
  const auto year = stored.substr(0, std::min(stored.find('-'), stored.size()));
  const bool digits =
      !year.empty() && year.size() < stored.size() &&
      std::all_of(year.begin(), year.end(), [](char c) { return c >= '0' && c <= '9'; });
  const bool before_christ = stored.ends_with(" BC");
  // PostgreSQL's calendar begins in November of 4714 BC: that year has no January.
  if (!digits || (before_christ && year == "4714")) return constant(type, stored);
  const std::string_view rest = type.oid == pgwire::kOidDate        ? "-01-01"
                                : type.oid == pgwire::kOidTimestamp ? "-01-01 00:00:00"
                                                                    : "-01-01 00:00:00+00";
  return fmt::format("{}{}{}", year, rest, before_christ ? " BC" : "");
}

}  // namespace

std::optional<std::string> apply_mask(const Masked& mask, const pgwire::ColumnType& type,
                                      std::string_view stored) {
  if (mask.how == MaskKind::kNull) return std::nullopt;
  if (mask.how == MaskKind::kYear) {
    const bool dated = type.oid == pgwire::kOidDate || type.oid == pgwire::kOidTimestamp ||
                       type.oid == pgwire::kOidTimestamptz;
    return dated ? mask_year(type, stored) : constant(type, stored);
  }
  if (!pgwire::is_character(type) || !pgwire::is_utf8(stored)) return constant(type, stored);
  switch (mask.how) {
    case MaskKind::kName:
      return mask_name(characters_of(stored));
    case MaskKind::kPhone:
      return mask_phone(characters_of(stored));
    case MaskKind::kLastFour:
      return keep_ends(characters_of(stored), 0, 4);
    case MaskKind::kEmail:
      return mask_email(stored);
    case MaskKind::kIdNumber:
      return mask_id_number(characters_of(stored));
    default:
      return constant(type, stored);
  }
}

}  // namespace theriac::policy
