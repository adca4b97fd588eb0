// bool, uuid, bytea, json, jsonb, inet, cidr, enums: what only their own type, or a near one,
// gives.
#include <algorithm>
#include <array>

#include "pgwire/case_map.hpp"
#include "pgwire/json_value.hpp"
#include "pgwire/network.hpp"
#include "pgwire/text_scan.hpp"
#include "pgwire/value.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::uint8_t kJsonbVersion = 1;

tl::unexpected<Error> bad(const char* type) { return fail(Code::kMalformed, type); }

Result<std::string> read_bool(const Sent& sent) {
  if (sent.format == kBinaryFormat) {
    THERIAC_ASSIGN(const auto value, sent.fixed(1));
    return value != 0 ? "t" : "f";
  }
  const auto text = to_lower(trimmed(text_of(sent.value)));
  // Any beginning of these words, as long as it is the beginning of one only.
  const auto begins = [&](std::string_view word, std::size_t least) {
    return text.size() >= least && word.starts_with(text);
  };
  if (begins("true", 1) || begins("yes", 1) || text == "on" || text == "1") return "t";
  if (begins("false", 1) || begins("no", 1) || begins("off", 2) || text == "0") return "f";
  return bad("bool");
}

Result<std::string> read_uuid(const Sent& sent) {
  constexpr std::size_t kSize = 16;
  Bytes bytes;
  if (sent.format == kBinaryFormat) {
    bytes.assign(sent.value.begin(), sent.value.end());
  } else {
    auto text = text_of(sent.value);
    const bool braces = text.starts_with('{');
    if (braces) {
      if (!text.ends_with('}')) return bad("uuid");
      text = text.substr(1, text.size() - 2);
    }
    std::string digits;
    for (std::size_t i = 0; i < text.size(); ++i) {
      // A dash may stand behind every fourth digit but the last.
      if (text[i] == '-' && digits.size() % 4 == 0 && !digits.empty() &&
          digits.size() < 2 * kSize && text[i - 1] != '-') {
        continue;
      }
      digits.push_back(text[i]);
    }
    THERIAC_ASSIGN(bytes, from_hex(digits));
  }
  if (bytes.size() != kSize) return bad("uuid");
  auto out = to_hex(bytes);
  for (const std::size_t at : {20U, 16U, 12U, 8U}) out.insert(at, 1, '-');
  return out;
}

Result<Bytes> read_bytea(std::string_view text) {
  if (text.starts_with("\\x")) {
    std::string digits;
    for (std::size_t i = 2; i < text.size(); ++i) {
      const bool space = text[i] == ' ' || text[i] == '\n' || text[i] == '\t' || text[i] == '\r';
      // White space may stand between bytes.
      if (space && digits.size() % 2 == 0) continue;
      digits.push_back(text[i]);
    }
    return from_hex(digits);
  }
  Bytes out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      out.push_back(static_cast<std::uint8_t>(text[i]));
      continue;
    }
    if (text.substr(i + 1).starts_with('\\')) {
      out.push_back('\\');
      ++i;
      continue;
    }
    const auto octal = text.substr(i + 1, 3);
    const bool good =
        octal.size() == 3 && octal[0] <= '3' &&
        std::all_of(octal.begin(), octal.end(), [](char c) { return c >= '0' && c <= '7'; });
    if (!good) return bad("bytea");
    out.push_back(
        static_cast<std::uint8_t>((octal[0] - '0') * 64 + (octal[1] - '0') * 8 + (octal[2] - '0')));
    i += 3;
  }
  return out;
}

std::string escaped_bytea(ByteView bytes) {
  std::string out;
  for (const auto byte : bytes) {
    if (byte == '\\') {
      out += "\\\\";
    } else if (byte < 0x20 || byte > 0x7e) {
      out.push_back('\\');
      for (const unsigned shift : {6U, 3U, 0U}) {
        out.push_back(static_cast<char>('0' + ((byte >> shift) & 7U)));
      }
    } else {
      out.push_back(static_cast<char>(byte));
    }
  }
  return out;
}

Result<std::string> read_json(const ColumnType& column, const Sent& sent) {
  auto value = sent.value;
  if (sent.family == Family::kJsonb && sent.format == kBinaryFormat) {
    if (value.empty() || value[0] != kJsonbVersion) return bad("jsonb");
    value = value.subspan(1);
  }
  const Sent plain(sent.type, kTextFormat, value, sent.settings);
  THERIAC_ASSIGN(const auto text, plain.characters());
  if (sent.family == Family::kJson) {
    THERIAC_TRY(check_json(text));
    if (column.oid == kOidJson) return std::string(text);
  }
  return jsonb_text(text);
}

Result<Address> sent_address(const Sent& sent) {
  const bool network = sent.oid() == kOidCidr;
  if (sent.format == kBinaryFormat) return read_binary_address(sent.value, network);
  return read_address(text_of(sent.value), network);
}

Result<std::string> read_network(const ColumnType& column, const Sent& sent, bool comparing) {
  THERIAC_ASSIGN(auto address, sent_address(sent));
  // inet = cidr compares both as inet.
  if (column.oid == kOidCidr && !comparing) address = to_network(address);
  return address_text(address, column.oid == kOidCidr || comparing);
}

Result<std::string> read_enum(const ColumnType& column, const Sent& sent) {
  THERIAC_ASSIGN(const auto text, sent.characters());
  const auto& labels = column.detail->labels;
  if (std::find(labels.begin(), labels.end(), text) == labels.end()) return bad("enum");
  return std::string(text);
}

/// Stored forms that are exactly what reading them makes.
bool is_own_text(const ColumnType& column, std::string_view stored) {
  static const TextSettings settings;
  const Sent sent(column, kTextFormat, view_of(stored), settings);
  const auto again = to_other(column, sent, false);
  return again && *again == stored;
}

}  // namespace

Result<std::string> to_other(const ColumnType& column, const Sent& sent, bool comparing) {
  const auto family = family_of(column);
  const bool own = sent.oid() == column.oid;
  switch (family) {
    case Family::kBool:
      return own ? read_bool(sent) : unsupported_type();
    case Family::kUuid:
      return own ? read_uuid(sent) : unsupported_type();
    case Family::kBytea: {
      if (!own) return unsupported_type();
      if (sent.format == kBinaryFormat) return "\\x" + to_hex(sent.value);
      THERIAC_ASSIGN(const auto bytes, read_bytea(text_of(sent.value)));
      return "\\x" + to_hex(bytes);
    }
    case Family::kJson:
    case Family::kJsonb:
      if (sent.family != Family::kJson && sent.family != Family::kJsonb) return unsupported_type();
      if (comparing && (!own || family == Family::kJson)) return unsupported_type();
      return read_json(column, sent);
    case Family::kNetwork:
      return sent.family == Family::kNetwork ? read_network(column, sent, comparing)
                                             : unsupported_type();
    case Family::kEnum:
      return own ? read_enum(column, sent) : unsupported_type();
    default:
      return unsupported_type();
  }
}

Status render_other(const ColumnType& column, std::int16_t format, std::string_view stored,
                    const TextSettings& settings, Bytes& out) {
  if (!is_own_text(column, stored)) return not_stored();
  const auto family = family_of(column);
  if (format == kTextFormat) {
    if (family != Family::kBytea || settings.bytea == ByteaOutput::kHex) {
      append(out, stored);
    } else {
      THERIAC_ASSIGN(const auto bytes, from_hex(stored.substr(2)));
      append(out, escaped_bytea(bytes));
    }
    return {};
  }
  switch (family) {
    case Family::kBool:
      out.push_back(stored == "t" ? 1 : 0);
      return {};
    case Family::kUuid: {
      std::string digits(stored);
      std::erase(digits, '-');
      THERIAC_ASSIGN(const auto bytes, from_hex(digits));
      append(out, bytes);
      return {};
    }
    case Family::kBytea: {
      THERIAC_ASSIGN(const auto bytes, from_hex(stored.substr(2)));
      append(out, bytes);
      return {};
    }
    case Family::kNetwork: {
      THERIAC_ASSIGN(const auto address, read_address(stored, column.oid == kOidCidr));
      append_binary_address(out, address, column.oid == kOidCidr);
      return {};
    }
    case Family::kJsonb:
      out.push_back(kJsonbVersion);
      append(out, stored);
      return {};
    default:
      append(out, stored);
      return {};
  }
}

Result<Bytes> other_equality(const ColumnType& column, std::string_view stored) {
  switch (family_of(column)) {
    case Family::kCitext:
      if (column.detail->lower == nullptr) return unsupported_type();
      return bytes_of(column.detail->lower->lower(stored));
    case Family::kJsonb: {
      auto form = jsonb_equality(stored);
      if (!form) return not_stored();
      return bytes_of(*form);
    }
    default: {
      const auto address = read_address(stored, false);
      if (!address) return not_stored();
      return bytes_of(address_text(*address, true));
    }
  }
}

}  // namespace theriac::pgwire
