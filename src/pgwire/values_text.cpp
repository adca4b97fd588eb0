// text, varchar, character, citext, and what goes into them.
#include "pgwire/case_map.hpp"
#include "pgwire/utf8.hpp"
#include "pgwire/value.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::int32_t kModifierBias = 4;  // VARHDRSZ in varchar's atttypmod

std::string_view without_padding(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

/// varchar(n) and character(n): what is beyond n characters may only be spaces, and is cut off;
/// character(n) is filled with spaces.
Result<std::string> fit_length(std::string_view text, const ColumnType& column) {
  const bool limited = column.oid == kOidVarchar || column.oid == kOidBpchar;
  if (!limited || column.modifier < kModifierBias) return std::string(text);
  const auto length = static_cast<std::size_t>(column.modifier - kModifierBias);
  const auto end = text.size() <= length ? text.size() : position_after(text, length);
  if (text.find_first_not_of(' ', end) != std::string_view::npos) {
    return fail(Code::kTooLong, column.oid == kOidBpchar ? "character" : "varchar");
  }
  std::string fitted(text.substr(0, end));
  if (column.oid == kOidBpchar) {
    const auto characters = count_characters(fitted);
    if (characters < length) fitted.append(length - characters, ' ');
  }
  return fitted;
}

/// `character(n) = value`: spaces at the end do not count when both are of the type; a text that
/// ends with one equals nothing, since the column's padding goes in the cast to text.
Result<std::string> to_bpchar_comparand(const Sent& sent) {
  THERIAC_ASSIGN(const auto text, sent.characters());
  if (sent.oid() != kOidBpchar && text.ends_with(' ')) return unsupported_type();
  return std::string(text);
}

}  // namespace

Result<std::string_view> Sent::characters(bool keep_padding) const {
  const auto text = text_of(value);
  if (text.find('\0') != std::string_view::npos) return fail(Code::kMalformed, "text");
  if (!is_utf8(text)) return fail(Code::kBadEncoding, "text");
  // The cast to text and varchar drops it.
  return type.oid == kOidBpchar && !keep_padding ? without_padding(text) : text;
}

/// PostgreSQL casts any type to text on assignment, by printing it for the session.
Result<std::string> printed(const Sent& sent) {
  const ColumnType plain{sent.type.oid, -1, sent.type.detail};
  THERIAC_ASSIGN(const auto stored, convert(plain, sent, false));
  switch (sent.family) {
    case Family::kBool:  // by a cast of its own
      return std::string(stored == "t" ? "true" : "false");
    case Family::kNetwork: {
      THERIAC_ASSIGN(const auto masked, other_equality(plain, stored));  // always with its mask
      return std::string(text_of(masked));
    }
    default: {
      Bytes out;
      THERIAC_TRY(render(plain, kTextFormat, stored, sent.settings, out));
      return std::string(text_of(out));
    }
  }
}

Result<std::string> to_characters(const ColumnType& column, const Sent& sent, bool comparing) {
  const bool own = sent.type.oid == column.oid;
  const bool folded = family_of(column) == Family::kCitext;
  if (sent.family == Family::kText || own) {
    // varchar = character(n) ignores trailing spaces on both sides: no form is equal so.
    if (comparing && column.oid == kOidVarchar && sent.oid() == kOidBpchar) {
      return unsupported_type();
    }
    // citext = text is case-sensitive: PostgreSQL compares both as text.
    if (comparing && folded && !own) return unsupported_type();
    if (comparing && column.oid == kOidBpchar) return to_bpchar_comparand(sent);
    THERIAC_ASSIGN(const auto text, sent.characters(column.oid == kOidBpchar));
    return comparing ? Result<std::string>(text) : fit_length(text, column);
  }
  // There is no operator text = integer and the like.
  if (comparing || sent.family == Family::kNone) return unsupported_type();
  THERIAC_ASSIGN(const auto text, printed(sent));
  return fit_length(text, column);
}

}  // namespace theriac::pgwire
