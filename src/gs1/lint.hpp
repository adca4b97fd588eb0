// The rules for single components of values: the linters that the GS1 Barcode Syntax Dictionary
// names, and its character sets.
//
// Threading: free functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "gs1/characters.hpp"
#include "gs1/fault.hpp"

namespace theriac::gs1 {

enum class Linter : std::uint8_t {
  kNone,
  kCoupon,              ///< couponcode: North American coupon, GS1 General Specifications 3.9
  kCouponOffer,         ///< couponposoffer
  kCsum,                ///< csum: check digit, 7.9.1
  kCsumAlpha,           ///< csumalpha: check character pair, 7.9.5
  kGcpPos1,             ///< gcppos1: begins with a company prefix (of at least 4 digits)
  kGcpPos2,             ///< gcppos2: has one behind its first character
  kHasNonDigit,         ///< hasnondigit
  kHour,                ///< hh
  kHourMinute,          ///< hhmi
  kMinute,              ///< mi
  kSecond,              ///< ss
  kHyphen,              ///< hyphen
  kIban,                ///< iban: ISO 13616
  kImporterIndex,       ///< importeridx
  kCountry,             ///< iso3166
  kCountryOr999,        ///< iso3166999
  kCountryAlpha2,       ///< iso3166alpha2
  kCurrency,            ///< iso4217
  kSex,                 ///< iso5218
  kLatitude,            ///< latitude
  kLongitude,           ///< longitude
  kMediaType,           ///< mediatype
  kNonZero,             ///< nonzero
  kNoZeroPrefix,        ///< nozeroprefix
  kPackageType,         ///< packagetype
  kPercentEncoded,      ///< pcenc
  kPieceOfTotal,        ///< pieceoftotal
  kPositionInSequence,  ///< posinseqslash
  kWinding,             ///< winding
  kYesNo,               ///< yesno
  kDateDay0,            ///< yymmd0: day 00 is the month's last
  kDate,                ///< yymmdd
  kDateLong,            ///< yyyymmdd
  kDateLongDay0,        ///< yyyymmd0: used by no AI of its own
  kZero,                ///< zero
};

/// What is wrong with a component, `at` from its start and `ai` empty; nothing if it is right.
std::optional<Fault> lint(Linter linter, std::string_view text);
std::optional<Fault> lint_charset(Charset charset, std::string_view text);

/// The check digit over `digits`, which are digits (7.9.1).
char check_digit_of(std::string_view digits);

/// Days of a month 1 to 12.
int days_in_month(int year, int month);

}  // namespace theriac::gs1
