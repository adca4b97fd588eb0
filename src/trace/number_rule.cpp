#include "trace/number_rule.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

/// GS1 AI encodable character set 82 (GS1 General Specifications, figure 7.11-1).
constexpr std::string_view kGs1Characters =
    "!\"%&'()*+,-./0123456789:;<=>?ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz";

constexpr std::array kMarkets{
    MarketRule{"EU", 1, 20, false, "Regulation (EU) 2016/161, Article 4"},
    MarketRule{"GB", 1, 20, false, "Regulation (EU) 2016/161, Article 4, as retained"},
    MarketRule{"US", 1, 20, false, "FDA guidance on standards for the package level SNI"},
    MarketRule{"RU", 13, 13, false, "AI 21 of 13 characters beside the crypto code"},
    MarketRule{"BY", 13, 13, false, "AI 21 of 13 characters beside the crypto code"},
    MarketRule{"CN", 1, 20, true, "NMPA traceability codes: capitals and digits"},
};

bool is_capital_or_digit(char c) { return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z'); }

std::size_t drawn_length(const NumberRule& rule) {
  return static_cast<std::size_t>(rule.length) - rule.prefix.size();
}

}  // namespace

const MarketRule* market_rule(std::string_view market) {
  const auto at = std::ranges::find(kMarkets, market, &MarketRule::market);
  return at == kMarkets.end() ? nullptr : at;
}

Status check(const NumberRule& rule) {
  const auto wrong = [](const char* what) { return fail(Code::kOutOfRange, what); };
  if (rule.length < 1 || rule.length > kSerialCharactersMax) return wrong("length");
  if (rule.prefix.size() + 2 > static_cast<std::size_t>(rule.length)) return wrong("prefix");
  if (rule.alphabet.size() < 2) return wrong("alphabet");
  const auto is_gs1 = [](char c) { return kGs1Characters.find(c) != std::string_view::npos; };
  if (!std::ranges::all_of(rule.alphabet, is_gs1)) return wrong("alphabet");
  if (!std::ranges::all_of(rule.prefix, is_gs1)) return wrong("prefix");
  for (std::size_t i = 0; i < rule.alphabet.size(); ++i) {
    if (rule.alphabet.find(rule.alphabet[i], i + 1) != std::string::npos) return wrong("alphabet");
  }
  if (!rule.market.empty()) {
    const auto* market = market_rule(rule.market);
    if (market == nullptr) return wrong("market");
    if (rule.length < market->length_min || rule.length > market->length_max) {
      return wrong("length in this market");
    }
    if (market->capitals_and_digits && !(std::ranges::all_of(rule.alphabet, is_capital_or_digit) &&
                                         std::ranges::all_of(rule.prefix, is_capital_or_digit))) {
      return wrong("alphabet in this market");
    }
  }
  if (rule.capacity == 0) return wrong("capacity");
  const auto texts = texts_of(rule);
  if (texts != 0 && texts < crypto::kFf1DomainMin) return wrong("length");
  if (texts != 0 && texts / kGuessesPerHitMin < rule.capacity) return wrong("density");
  return {};
}

crypto::Uint128 texts_of(const NumberRule& rule) {
  constexpr auto kMost = crypto::Uint128{1} << 127U;
  crypto::Uint128 texts = 1;
  for (std::size_t i = 0; i < drawn_length(rule); ++i) {
    if (texts > kMost / rule.alphabet.size()) return 0;
    texts *= rule.alphabet.size();
  }
  return texts;
}

double density(const NumberRule& rule) {
  return static_cast<double>(rule.capacity) / std::pow(static_cast<double>(rule.alphabet.size()),
                                                       static_cast<double>(drawn_length(rule)));
}

int length_for(const NumberRule& rule) {
  auto tried = rule;
  for (tried.length = 1; tried.length <= kSerialCharactersMax; ++tried.length) {
    if (check(tried)) return tried.length;
  }
  return 0;
}

}  // namespace theriac::trace
