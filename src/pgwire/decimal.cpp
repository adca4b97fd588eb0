#include "pgwire/decimal.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>

#include "pgwire/text_scan.hpp"

namespace theriac::pgwire {
namespace {

constexpr std::int64_t kGroup = 4;  // decimal digits per base-10000 digit
constexpr std::uint16_t kPositive = 0x0000, kNegative = 0x4000, kNan = 0xc000,
                        kPlusInfinity = 0xd000, kMinusInfinity = 0xf000;
/// What PostgreSQL 15 sends as scale of an infinity: a bit of its flag word that stands where short
/// numerics keep their scale.
constexpr std::uint16_t kInfinityScale = 0x20;
constexpr std::int32_t kModifierBias = 4;  // VARHDRSZ
/// PostgreSQL refuses exponents from half of INT_MAX.
constexpr std::int64_t kExponentLimit = std::numeric_limits<std::int32_t>::max() / 2;

struct Special {
  std::string_view text;  // lower case
  int kind;
};

std::int64_t modifier_scale(std::int32_t modifier) {
  // 11 bits, two's complement: numeric(p,s) may have a negative scale since PostgreSQL 15.
  const auto bits = static_cast<std::int64_t>(modifier - kModifierBias) & 0x7ff;
  return bits >= 0x400 ? bits - 0x800 : bits;
}
std::int64_t modifier_precision(std::int32_t modifier) {
  return ((static_cast<std::int64_t>(modifier) - kModifierBias) >> 16) & 0xffff;
}

/// The exponent after 'e'. PostgreSQL reads it with strtol, which skips white space.
Result<std::int64_t> take_exponent(std::string_view& rest) {
  skip_spaces(rest);
  bool negative = false;
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    negative = rest[0] == '-';
    rest.remove_prefix(1);
  }
  const auto digits = take_digits(rest);
  if (digits.empty()) return fail(Code::kMalformed, "numeric");
  std::int64_t exponent = 0;
  for (const char c : digits) exponent = std::min(exponent * 10 + (c - '0'), kExponentLimit);
  if (exponent >= kExponentLimit) return fail(Code::kOutOfRange, "numeric");
  return negative ? -exponent : exponent;
}

}  // namespace

Result<Decimal> Decimal::parse(std::string_view text) {
  Decimal made;
  auto rest = trimmed(text);
  static constexpr std::array<Special, 7> kSpecials{{{"nan", 1},
                                                     {"infinity", 2},
                                                     {"+infinity", 2},
                                                     {"-infinity", 3},
                                                     {"inf", 2},
                                                     {"+inf", 2},
                                                     {"-inf", 3}}};
  for (const auto& [name, kind] : kSpecials) {
    if (equals_ignoring_case(rest, name)) {
      made.kind_ = static_cast<Kind>(kind);
      return made;
    }
  }
  if (!rest.empty() && (rest[0] == '+' || rest[0] == '-')) {
    made.negative_ = rest[0] == '-';
    rest.remove_prefix(1);
  }
  made.digits_ = take_digits(rest);
  std::int64_t fraction = 0;
  if (!rest.empty() && rest[0] == '.') {
    rest.remove_prefix(1);
    const auto more = take_digits(rest);
    made.digits_ += more;
    fraction = static_cast<std::int64_t>(more.size());
  }
  if (made.digits_.empty()) return fail(Code::kMalformed, "numeric");
  std::int64_t exponent = 0;
  if (!rest.empty() && (rest[0] == 'e' || rest[0] == 'E')) {
    rest.remove_prefix(1);
    THERIAC_ASSIGN(exponent, take_exponent(rest));
  }
  if (!rest.empty()) return fail(Code::kMalformed, "numeric");
  made.exponent_ = exponent - fraction;
  made.scale_ = std::max<std::int64_t>(0, fraction - exponent);
  made.normalise();
  return made;
}

Result<Decimal> Decimal::from_binary(ByteView value) {
  constexpr std::size_t kHead = 8;
  if (value.size() < kHead) return fail(Code::kMalformed, "numeric");
  const std::size_t count = load_be<std::uint16_t>(value.data());
  const auto weight = static_cast<std::int16_t>(load_be<std::uint16_t>(value.data() + 2));
  const auto sign = load_be<std::uint16_t>(value.data() + 4);
  const auto scale = load_be<std::uint16_t>(value.data() + 6);
  if (value.size() != kHead + 2 * count || scale > kNumericScaleMax) {
    return fail(Code::kMalformed, "numeric");
  }
  Decimal made;
  switch (sign) {
    case kPositive:
      break;
    case kNegative:
      made.negative_ = true;
      break;
    case kNan:
      made.kind_ = Kind::kNan;
      break;
    case kPlusInfinity:
      made.kind_ = Kind::kInfinity;
      break;
    case kMinusInfinity:
      made.kind_ = Kind::kMinusInfinity;
      break;
    default:
      return fail(Code::kMalformed, "numeric");
  }
  made.digits_.reserve(count * kGroup);
  for (std::size_t i = 0; i < count; ++i) {
    const auto digit = load_be<std::uint16_t>(value.data() + kHead + 2 * i);
    if (digit > 9999) return fail(Code::kMalformed, "numeric");
    for (const int unit : {1000, 100, 10, 1}) {
      made.digits_.push_back(static_cast<char>('0' + digit / unit % 10));
    }
  }
  if (made.kind_ != Kind::kFinite) {
    made.digits_.clear();
    return made;
  }
  made.exponent_ = (std::int64_t{weight} + 1 - static_cast<std::int64_t>(count)) * kGroup;
  made.scale_ = scale;
  made.normalise();
  made.truncate_at(scale);
  return made;
}

Decimal Decimal::from_integer(std::int64_t value) {
  Decimal made;
  made.digits_ = std::to_string(value);
  if (value < 0) {
    made.negative_ = true;
    made.digits_.erase(0, 1);
  }
  made.normalise();
  return made;
}

std::optional<Decimal> Decimal::from_stored(std::string_view stored) {
  auto made = parse(stored);
  if (!made || !made->fit(-1) || made->text() != stored) return std::nullopt;
  return std::move(*made);
}

void Decimal::normalise() {
  digits_.erase(0, std::min(digits_.find_first_not_of('0'), digits_.size()));
  if (digits_.empty()) {
    negative_ = false;
    exponent_ = 0;
  }
}

void Decimal::truncate_at(std::int64_t scale) {
  const auto drop = -scale - exponent_;
  if (drop <= 0) return;
  const auto size = static_cast<std::int64_t>(digits_.size());
  digits_.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, size - drop)));
  exponent_ += drop;
  normalise();
}

void Decimal::round_at(std::int64_t scale) {
  const auto drop = -scale - exponent_;
  const auto size = static_cast<std::int64_t>(digits_.size());
  const bool up = drop > 0 && drop <= size && digits_[static_cast<std::size_t>(size - drop)] >= '5';
  const bool negative = negative_;
  truncate_at(scale);
  if (!up) return;
  if (digits_.empty()) exponent_ = -scale;
  negative_ = negative;
  auto last = digits_.find_last_not_of('9');
  if (last == std::string::npos) {
    digits_.insert(0, 1, '0');
    last = 0;
  }
  ++digits_[last];
  std::fill(digits_.begin() + static_cast<std::ptrdiff_t>(last) + 1, digits_.end(), '0');
}

Status Decimal::fit(std::int32_t modifier) {
  const bool typed = modifier >= kModifierBias;
  if (kind_ != Kind::kFinite) {
    // NaN fits every numeric(p,s); an infinity none.
    if (typed && kind_ != Kind::kNan) return fail(Code::kOutOfRange, "numeric");
    return {};
  }
  if (typed) {
    const auto scale = modifier_scale(modifier);
    round_at(scale);
    scale_ = std::max<std::int64_t>(scale, 0);
    if (!digits_.empty() && point() > modifier_precision(modifier) - scale) {
      return fail(Code::kOutOfRange, "numeric");
    }
  }
  if (scale_ > kNumericScaleMax || (!digits_.empty() && point() > kNumericIntegerDigitsMax)) {
    return fail(Code::kOutOfRange, "numeric");
  }
  return {};
}

Result<std::int64_t> Decimal::to_integer() const {
  if (kind_ != Kind::kFinite) return fail(Code::kUnsupported, "numeric");
  Decimal whole = *this;
  whole.round_at(0);
  if (whole.digits_.empty()) return 0;
  constexpr std::int64_t kDigitsMax = std::numeric_limits<std::int64_t>::digits10 + 1;
  if (whole.point() > kDigitsMax) return fail(Code::kOutOfRange, "integer");
  const auto text = whole.plain(0);
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{}) return fail(Code::kOutOfRange, "integer");
  return value;
}

std::string_view Decimal::special_text() const {
  switch (kind_) {
    case Kind::kNan:
      return "NaN";
    case Kind::kInfinity:
      return "Infinity";
    case Kind::kMinusInfinity:
      return "-Infinity";
    case Kind::kFinite:
      break;
  }
  return {};
}

std::string Decimal::plain(std::int64_t scale) const {
  std::string out;
  const auto size = static_cast<std::int64_t>(digits_.size());
  // The digit worth 10^(place - 1), counted from the left of digits_.
  const auto digit = [&](std::int64_t index) {
    return index >= 0 && index < size ? digits_[static_cast<std::size_t>(index)] : '0';
  };
  const auto whole = digits_.empty() ? 0 : point();
  out.reserve(static_cast<std::size_t>(std::max<std::int64_t>(whole, 1) + scale + 2));
  if (negative_) out.push_back('-');
  if (whole <= 0) out.push_back('0');
  for (std::int64_t i = 0; i < whole; ++i) out.push_back(digit(i));
  if (scale > 0) out.push_back('.');
  for (std::int64_t i = 0; i < scale; ++i) out.push_back(digit(whole + i));
  return out;
}

std::string Decimal::text() const {
  return kind_ == Kind::kFinite ? plain(scale_) : std::string(special_text());
}

std::string Decimal::equality_text() const {
  if (kind_ != Kind::kFinite) return std::string(special_text());
  const auto used = digits_.find_last_not_of('0');
  if (used == std::string::npos) return "0";
  const auto trailing = static_cast<std::int64_t>(digits_.size() - used - 1);
  return plain(std::max<std::int64_t>(0, -(exponent_ + trailing)));
}

void Decimal::append_binary(Bytes& out) const {
  if (kind_ != Kind::kFinite) {
    append_be(out, std::uint16_t{0});
    append_be(out, std::uint16_t{0});
    append_be(out, kind_ == Kind::kNan        ? kNan
                   : kind_ == Kind::kInfinity ? kPlusInfinity
                                              : kMinusInfinity);
    append_be(out, kind_ == Kind::kNan ? std::uint16_t{0} : kInfinityScale);
    return;
  }
  // Base-10000 digits are aligned at the decimal point: pad on the left to a whole group.
  const auto whole = digits_.empty() ? 0 : point();
  const auto pad = ((-whole) % kGroup + kGroup) % kGroup;
  const auto weight = digits_.empty() ? 0 : (whole + pad) / kGroup - 1;
  const auto used = digits_.find_last_not_of('0');
  const auto size = used == std::string::npos ? 0 : static_cast<std::int64_t>(used) + 1;
  const auto groups = size == 0 ? 0 : (pad + size + kGroup - 1) / kGroup;
  append_be(out, static_cast<std::uint16_t>(groups));
  append_be(out, static_cast<std::uint16_t>(weight));
  append_be(out, negative_ ? kNegative : kPositive);
  append_be(out, static_cast<std::uint16_t>(scale_));
  for (std::int64_t group = 0; group < groups; ++group) {
    unsigned value = 0;
    for (std::int64_t i = 0; i < kGroup; ++i) {
      const auto index = group * kGroup + i - pad;
      value *= 10;
      if (index >= 0 && index < size) {
        value += static_cast<unsigned>(digits_[static_cast<std::size_t>(index)] - '0');
      }
    }
    append_be(out, static_cast<std::uint16_t>(value));
  }
}

}  // namespace theriac::pgwire
