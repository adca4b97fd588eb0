// The adversary against a pool of serial numbers: knows some real packs, guesses others.
//
// Regulation (EU) 2016/161, Article 4(c), demands that a guess succeeds less often than once in
// 10,000. The attack is the test of it: each strategy is given the leaked numbers in the order in
// which they were made and as many guesses, and may not hit better than blind guessing would.
//
// Threading: free functions.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hpp"
#include "trace/number_rule.hpp"

namespace theriac::trace {

/// How the adversary guesses.
enum class Strategy : std::uint8_t {
  kBlind,        ///< any text of the form
  kNeighbours,   ///< a leaked number a little more or less
  kStep,         ///< the difference of two leaked ones, added again
  kCongruence,   ///< a linear congruence through three leaked ones, continued
  kFeedback,     ///< a linear recurrence over bits (Berlekamp-Massey), continued
  kFrequencies,  ///< each character by its share at its place, given the one before
  kBeginnings,   ///< the first characters of a leaked one, the others drawn
  kSwaps,        ///< characters of leaked ones exchanged
};
inline constexpr std::size_t kStrategies = 8;
std::string_view name_of(Strategy strategy);

struct AttackResult {
  Strategy strategy = Strategy::kBlind;
  std::uint64_t guesses = 0;  ///< different texts, none of them leaked
  std::uint64_t hits = 0;
  /// Two-sided 95 % interval of the chance of a hit, after Clopper and Pearson.
  double low = 0, high = 0;
};

struct AttackReport {
  std::uint64_t leaked = 0, issued = 0;
  double density = 0;  ///< of the issued numbers among the texts of their form
  std::vector<AttackResult> results;
  /// No strategy is better than the density or above 1 in 10,000, as far as chance tells: of a
  /// thousand attacks on numbers that hold, one at most is found not to.
  [[nodiscard]] bool holds() const;
};

/// `leaked`: in the order of their making; `is_issued` says whether a guess hits; `guesses` for
/// each strategy. Numbers that do not have the rule's form make the strategies that need it guess
/// blindly.
AttackReport attack(const NumberRule& rule, std::span<const std::string> leaked,
                    std::uint64_t issued, const std::function<bool(std::string_view)>& is_issued,
                    std::uint64_t guesses, Random& random);

/// The interval's ends for `hits` of `tries`; the truth is beyond each end with a chance of `tail`.
std::pair<double, double> clopper_pearson(std::uint64_t hits, std::uint64_t tries,
                                          double tail = 0.025);

}  // namespace theriac::trace
