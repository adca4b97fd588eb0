// What the serial numbers of a pool look like, and how many there may be.
//
// A pool is refused in which a blind guess would hit an issued number more often than once in
// 10,000 times: so many texts of its form there must be for each number it may ever issue.
//
// Threading: values and free functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "crypto/ff1.hpp"

namespace theriac::trace {

struct NumberRule {
  int length = 0;        ///< characters of a serial, prefix included
  std::string alphabet;  ///< each character once, of the 82 that GS1 allows
  std::string prefix;    ///< the same for all numbers, may be empty
  std::string market;    ///< ISO 3166 alpha-2 of the country or "EU", "": no rules beside GS1's
  std::uint64_t capacity = 0;  ///< numbers that may ever be issued
  friend bool operator==(const NumberRule&, const NumberRule&) = default;
};

/// Digits, and letters and digits that a person does not confuse (no B8 G6 I1 O0 Q S5 Z2).
inline constexpr std::string_view kDigits = "0123456789";
inline constexpr std::string_view kClearCharacters = "ACDEFHJKLMNPRTUVWXY34679";

/// What a market demands of serial numbers.
struct MarketRule {
  std::string_view market;
  int length_min, length_max;
  bool capitals_and_digits;  ///< no other characters
  std::string_view source;
};
/// nullptr: none beside GS1's.
const MarketRule* market_rule(std::string_view market);

/// Code::kOutOfRange with what is wrong: length, alphabet, prefix, market, too few texts
/// ("density").
Status check(const NumberRule& rule);

/// Texts of this form; 0 when they are more than 2^127.
crypto::Uint128 texts_of(const NumberRule& rule);
/// The share of issued numbers among them, when all are issued.
double density(const NumberRule& rule);
/// The shortest length with this alphabet and prefix that `capacity` needs; 0: none.
int length_for(const NumberRule& rule);

}  // namespace theriac::trace
