#include "trace/attack.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_set>

#include "trace/attack_strategies.hpp"
#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

/// Of more tries than this per guess that is new, a strategy has no more to say.
constexpr std::uint64_t kTriesPerGuess = 4;
/// Of the verdict: one in a thousand, shared by the strategies.
constexpr double kVerdictTail = 0.001 / kStrategies;

double log_choose(double n, double k) {
  return std::lgamma(n + 1) - std::lgamma(k + 1) - std::lgamma(n - k + 1);
}

/// P(at most `hits` of `tries`) when each hits with chance `p`.
double at_most(std::uint64_t hits, std::uint64_t tries, double p) {
  if (p <= 0) return 1;
  if (p >= 1) return hits >= tries ? 1 : 0;
  double sum = 0;
  const auto n = static_cast<double>(tries);
  for (std::uint64_t i = 0; i <= hits; ++i) {
    const auto k = static_cast<double>(i);
    sum += std::exp(log_choose(n, k) + k * std::log(p) + (n - k) * std::log1p(-p));
  }
  return std::min(sum, 1.0);
}

/// Where a falling function of p passes zero.
template <typename F>
double root(F falls) {
  double low = 0, high = 1;
  for (int i = 0; i < 200; ++i) {
    const auto middle = (low + high) / 2;
    (falls(middle) > 0 ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

std::string_view name_of(Strategy strategy) {
  switch (strategy) {
    case Strategy::kBlind:
      return "blind";
    case Strategy::kNeighbours:
      return "neighbours";
    case Strategy::kStep:
      return "steps";
    case Strategy::kCongruence:
      return "congruence";
    case Strategy::kFeedback:
      return "feedback";
    case Strategy::kFrequencies:
      return "frequencies";
    case Strategy::kBeginnings:
      return "beginnings";
    case Strategy::kSwaps:
      return "swaps";
  }
  return {};
}

std::pair<double, double> clopper_pearson(std::uint64_t hits, std::uint64_t tries, double tail) {
  if (tries == 0) return {0, 1};
  const auto low =
      hits == 0 ? 0 : root([&](double p) { return at_most(hits - 1, tries, p) - (1 - tail); });
  const auto high =
      hits == tries ? 1 : root([&](double p) { return at_most(hits, tries, p) - tail; });
  return {low, high};
}

bool AttackReport::holds() const {
  return density * static_cast<double>(kGuessesPerHitMin) <= 1 &&
         std::ranges::all_of(results, [&](const AttackResult& one) {
           const auto low = clopper_pearson(one.hits, one.guesses, kVerdictTail).first;
           return low <= density && low * static_cast<double>(kGuessesPerHitMin) <= 1;
         });
}

AttackReport attack(const NumberRule& rule, std::span<const std::string> leaked,
                    std::uint64_t issued, const std::function<bool(std::string_view)>& is_issued,
                    std::uint64_t guesses, Random& random) {
  AttackReport report;
  report.leaked = leaked.size();
  report.issued = issued;
  auto filled = rule;
  filled.capacity = issued;
  report.density = density(filled);
  const Form form(rule);
  for (std::size_t i = 0; i < kStrategies; ++i) {
    AttackResult result{.strategy = static_cast<Strategy>(i)};
    auto guesser = make_guesser(result.strategy, form, leaked, Dice(random));
    std::unordered_set<std::string> known(leaked.begin(), leaked.end());
    for (auto left = guesses * kTriesPerGuess; left > 0 && result.guesses < guesses; --left) {
      auto guess = guesser->next();
      const auto [at, is_new] = known.insert(std::move(guess));
      if (!is_new) continue;
      ++result.guesses;
      if (is_issued(*at)) ++result.hits;
    }
    std::tie(result.low, result.high) = clopper_pearson(result.hits, result.guesses);
    report.results.push_back(result);
  }
  return report;
}

}  // namespace theriac::trace
