#include "gs1/lint.hpp"

#include <array>

#include "gs1/code_lists.hpp"
#include "gs1/coupon.hpp"

namespace theriac::gs1 {
namespace {

using Finding = std::optional<Fault>;

Finding found(FaultCode code, std::size_t at = 0, std::size_t wanted = 0, std::size_t what = 0) {
  return Fault{code, at, {}, {}, wanted, what};
}

Finding digits(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (!is_digit(text[i])) return found(FaultCode::kNotDigits, i);
  }
  return {};
}

/// Exactly `count` digits.
Finding digits(std::string_view text, std::size_t count) {
  if (text.size() < count) return found(FaultCode::kValueTooShort, 0, count, text.size());
  if (text.size() > count) return found(FaultCode::kValueTooLong, 0, count, text.size());
  return digits(text);
}

/// Two digits at a place where `digits` held.
int two(std::string_view text, std::size_t at = 0) {
  return (text[at] - '0') * 10 + (text[at + 1] - '0');
}

Finding csum(std::string_view text) {
  if (text.empty()) return found(FaultCode::kValueTooShort, 0, 1, 0);
  if (auto fault = digits(text)) return fault;
  const char right = check_digit_of(text.substr(0, text.size() - 1));
  if (text.back() == right) return {};
  return found(FaultCode::kCheckDigit, text.size() - 1, static_cast<std::size_t>(right - '0'),
               static_cast<std::size_t>(text.back() - '0'));
}

/// 7.9.5: characters of set 82 by their place in it, weighted from the right by the prime numbers,
/// modulo 1021, as two characters of set 32.
Finding csum_alpha(std::string_view text) {
  constexpr std::string_view kSet82 =
      "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";
  constexpr std::string_view kSet32 = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
  constexpr std::size_t kBodyMax = 97;
  constexpr auto kPrimes = [] {
    std::array<unsigned, kBodyMax> primes{};
    unsigned candidate = 2;
    for (auto& prime : primes) {
      const auto divides = [&](unsigned by) { return by != 0 && candidate % by == 0; };
      while (std::ranges::any_of(primes, divides)) ++candidate;
      prime = candidate++;
    }
    return primes;
  }();
  if (text.size() < 2) return found(FaultCode::kValueTooShort, 0, 2, text.size());
  const auto body = text.substr(0, text.size() - 2);
  if (body.size() > kBodyMax) return found(FaultCode::kValueTooLong, 0, kBodyMax + 2, text.size());
  unsigned sum = 0;
  for (std::size_t i = 0; i < body.size(); ++i) {
    const auto place = kSet82.find(body[i]);
    if (place == std::string_view::npos) return found(FaultCode::kBadCharacter, i);
    sum += static_cast<unsigned>(place) * kPrimes.at(body.size() - 1 - i);
  }
  sum %= 1021;
  const bool right = text[body.size()] == kSet32[sum / 32] && text.back() == kSet32[sum % 32];
  return right ? Finding{} : found(FaultCode::kCheckPair, body.size());
}

/// The shortest company prefix that was ever given out has four digits.
Finding company_prefix(std::string_view text, std::size_t at) {
  constexpr std::size_t kShortest = 4;
  if (text.size() < at + kShortest) {
    return found(FaultCode::kValueTooShort, 0, at + kShortest, text.size());
  }
  for (std::size_t i = at; i < at + kShortest; ++i) {
    if (!is_digit(text[i])) return found(FaultCode::kCompanyPrefix, i);
  }
  return {};
}

Finding time_part(std::string_view text, int most) {
  if (auto fault = digits(text, 2)) return fault;
  return two(text) > most ? found(FaultCode::kTimeOfDay) : Finding{};
}

Finding hour_minute(std::string_view text) {
  if (auto fault = digits(text, 4)) return fault;
  if (two(text) > 23) return found(FaultCode::kTimeOfDay);
  return two(text, 2) > 59 ? found(FaultCode::kTimeOfDay, 2) : Finding{};
}

/// Year of `year_digits`, month and day. A year of two digits is taken for one from 1951 to 2050:
/// of these every fourth is a leap year.
Finding date(std::string_view text, std::size_t year_digits, bool day_zero) {
  if (auto fault = digits(text, year_digits + 4)) return fault;
  const int year = year_digits == 4 ? two(text) * 100 + two(text, 2) : 2000 + two(text);
  const int month = two(text, year_digits);
  if (month < 1 || month > 12) return found(FaultCode::kMonth, year_digits);
  const int day = two(text, year_digits + 2);
  if (day > days_in_month(year, month) || (day == 0 && !day_zero)) {
    return found(FaultCode::kDay, year_digits + 2);
  }
  return {};
}

/// ISO 13616: country, two check digits and up to 30 more, modulo 97.
Finding iban(std::string_view text) {
  constexpr std::size_t kMin = 11;
  constexpr std::size_t kMax = 34;
  if (text.size() < 4) return found(FaultCode::kIban);
  if (!is_country_alpha2(text.substr(0, 2))) return found(FaultCode::kCountry);
  if (text.size() < kMin || text.size() > kMax) return found(FaultCode::kIban);
  unsigned rest = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const std::size_t at = (i + 4) % text.size();
    const char c = text[at];
    if (is_digit(c)) {
      rest = (rest * 10 + static_cast<unsigned>(c - '0')) % 97;
    } else if (is_upper(c)) {
      rest = (rest * 100 + static_cast<unsigned>(c - 'A') + 10) % 97;
    } else {
      return found(FaultCode::kBadCharacter, at);
    }
  }
  return rest == 1 ? Finding{} : found(FaultCode::kIban, 2);
}

Finding at_most(std::string_view text, std::size_t count, std::uint64_t most) {
  if (auto fault = digits(text, count)) return fault;
  std::uint64_t value = 0;
  for (const char c : text) value = value * 10 + static_cast<std::uint64_t>(c - '0');
  return value > most ? found(FaultCode::kOutOfRange, 0, most) : Finding{};
}

/// ICCBBA's list of media types: 01 to 10, and 80 to 99 for local use.
Finding media_type(std::string_view text) {
  if (text.size() != 2 || !all_digits(text)) return found(FaultCode::kNotInList);
  const int type = two(text);
  const bool listed = (type >= 1 && type <= 10) || type >= 80;
  return listed ? Finding{} : found(FaultCode::kNotInList);
}

Finding non_zero(std::string_view text) {
  if (auto fault = digits(text)) return fault;
  const bool zero = text.find_first_not_of('0') == std::string_view::npos;
  return zero ? found(FaultCode::kIsZero) : Finding{};
}

Finding percent_encoded(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') continue;
    if (i + 2 >= text.size() || !is_hex(text[i + 1]) || !is_hex(text[i + 2])) {
      return found(FaultCode::kPercentEscape, i);
    }
    i += 2;
  }
  return {};
}

Finding piece_of_total(std::string_view text) {
  if (auto fault = digits(text)) return fault;
  if (text.empty() || text.size() % 2 != 0) {
    return found(FaultCode::kValueTooShort, 0, text.size() + 1, text.size());
  }
  const auto half = text.size() / 2;
  if (non_zero(text.substr(0, half))) return found(FaultCode::kIsZero);
  if (non_zero(text.substr(half))) return found(FaultCode::kIsZero, half);
  // Both halves have the same number of digits, so their order is that of their numbers.
  return text.substr(0, half) > text.substr(half) ? found(FaultCode::kPieceOfTotal) : Finding{};
}

/// "1/3": the first of three.
Finding position_in_sequence(std::string_view text) {
  const auto slash = text.find('/');
  if (slash == std::string_view::npos) return found(FaultCode::kNotInList);
  const auto position = text.substr(0, slash);
  const auto end = text.substr(slash + 1);
  if (position.empty() || end.empty() || !all_digits(position) || !all_digits(end)) {
    return found(FaultCode::kNotInList);
  }
  if (position.front() == '0') return found(FaultCode::kLeadingZero);
  if (end.front() == '0') return found(FaultCode::kLeadingZero, slash + 1);
  const bool beyond =
      position.size() > end.size() || (position.size() == end.size() && position > end);
  return beyond ? found(FaultCode::kPieceOfTotal) : Finding{};
}

Finding one_of(std::string_view text, std::string_view choices) {
  const bool right = text.size() == 1 && choices.contains(text.front());
  return right ? Finding{} : found(FaultCode::kNotInList);
}

Finding importer_index(std::string_view text) {
  const bool right = text.size() == 1 && in_charset(Charset::kCset64, text[0]) && text[0] != '=';
  return right ? Finding{} : found(FaultCode::kNotInList);
}

Finding listed(bool right, FaultCode code) { return right ? Finding{} : found(code); }

Finding only(std::string_view text, char c, FaultCode code) {
  const bool right = !text.empty() && text.find_first_not_of(c) == std::string_view::npos;
  return right ? Finding{} : found(code);
}

Finding no_zero_prefix(std::string_view text) {
  if (text.starts_with('0')) return found(FaultCode::kLeadingZero);
  return digits(text);
}

}  // namespace

char check_digit_of(std::string_view digits) {
  unsigned sum = 0;
  unsigned weight = 3;
  for (std::size_t i = digits.size(); i-- > 0; weight = 4 - weight) {
    sum += weight * static_cast<unsigned>(digits[i] - '0');
  }
  return static_cast<char>('0' + (10 - sum % 10) % 10);
}

int days_in_month(int year, int month) {
  constexpr std::array<int, 12> kDays{31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return kDays.at(static_cast<std::size_t>(month - 1)) + (month == 2 && leap ? 1 : 0);
}

std::optional<Fault> lint_charset(Charset charset, std::string_view text) {
  auto body = text;
  if (charset == Charset::kCset64) {
    // The reference linter takes the padding of a text whose length is a multiple of three.
    const auto last = text.find_last_not_of('=');
    body = text.substr(0, last == std::string_view::npos ? 0 : last + 1);
    const auto padding = text.size() - body.size();
    if (padding > 2 || (padding > 0 && text.size() % 3 != 0)) {
      return found(FaultCode::kPadding, body.size());
    }
  }
  for (std::size_t i = 0; i < body.size(); ++i) {
    if (!in_charset(charset, body[i]) || body[i] == (charset == Charset::kCset64 ? '=' : '\0')) {
      return found(FaultCode::kBadCharacter, i);
    }
  }
  return {};
}

std::optional<Fault> lint(Linter linter, std::string_view text) {
  using enum Linter;
  switch (linter) {
    case kNone:
      return {};
    case kCoupon:
      return lint_coupon(text);
    case kCouponOffer:
      return lint_coupon_offer(text);
    case kCsum:
      return csum(text);
    case kCsumAlpha:
      return csum_alpha(text);
    case kGcpPos1:
      return company_prefix(text, 0);
    case kGcpPos2:
      return company_prefix(text, 1);
    case kHasNonDigit:
      return listed(!all_digits(text), FaultCode::kNeedsNonDigit);
    case kHour:
      return time_part(text, 23);
    case kHourMinute:
      return hour_minute(text);
    case kMinute:
    case kSecond:
      return time_part(text, 59);
    case kHyphen:
      return only(text, '-', FaultCode::kNotInList);
    case kIban:
      return iban(text);
    case kImporterIndex:
      return importer_index(text);
    case kCountry:
      return listed(is_country(text), FaultCode::kCountry);
    case kCountryOr999:
      return listed(text == "999" || is_country(text), FaultCode::kCountry);
    case kCountryAlpha2:
      return listed(is_country_alpha2(text), FaultCode::kCountry);
    case kCurrency:
      return listed(is_currency(text), FaultCode::kCurrency);
    case kSex:
      return one_of(text, "0129");
    case kLatitude:
      return at_most(text, 10, 1'800'000'000);
    case kLongitude:
      return at_most(text, 10, 3'600'000'000);
    case kMediaType:
      return media_type(text);
    case kNonZero:
      return non_zero(text);
    case kNoZeroPrefix:
      return no_zero_prefix(text);
    case kPackageType:
      return listed(is_package_type(text), FaultCode::kNotInList);
    case kPercentEncoded:
      return percent_encoded(text);
    case kPieceOfTotal:
      return piece_of_total(text);
    case kPositionInSequence:
      return position_in_sequence(text);
    case kWinding:
      return one_of(text, "019");
    case kYesNo:
      return one_of(text, "01");
    case kDateDay0:
      return date(text, 2, true);
    case kDate:
      return date(text, 2, false);
    case kDateLong:
      return date(text, 4, false);
    case kDateLongDay0:
      return date(text, 4, true);
    case kZero:
      return only(text, '0', FaultCode::kNotZero);
  }
  return {};
}

}  // namespace theriac::gs1
