// The adversary's ways of guessing. Internal to attack.cpp.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "trace/attack.hpp"

namespace theriac::trace {

/// The texts of a rule's form as numbers.
class Form {
 public:
  explicit Form(const NumberRule& rule);
  /// nullopt: not of this form.
  [[nodiscard]] std::optional<crypto::Uint128> number(std::string_view serial) const;
  [[nodiscard]] std::string text(crypto::Uint128 number) const;
  /// Numbers are below this; 0 when it passes 2^127.
  [[nodiscard]] crypto::Uint128 count() const { return count_; }
  [[nodiscard]] const NumberRule& rule() const { return *rule_; }
  [[nodiscard]] std::size_t drawn() const { return drawn_; }

 private:
  const NumberRule* rule_;
  std::size_t drawn_;
  crypto::Uint128 count_;
};

class Dice {
 public:
  explicit Dice(Random& random) : random_(&random) {}
  std::size_t below(std::size_t most);
  crypto::Uint128 number();

 private:
  Random* random_;
};

/// One way to guess; a guess may come twice and may have been leaked.
class Guesser {
 public:
  virtual ~Guesser() = default;
  virtual std::string next() = 0;
};

std::unique_ptr<Guesser> make_guesser(Strategy strategy, const Form& form,
                                      std::span<const std::string> leaked, Dice dice);

/// The shortest linear recurrence over bits that gives `bits` (Berlekamp and Massey): taps[i] says
/// whether bit n-1-i enters bit n.
std::vector<bool> shortest_recurrence(const std::vector<bool>& bits);

}  // namespace theriac::trace
