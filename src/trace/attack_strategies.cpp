#include "trace/attack_strategies.hpp"

#include <algorithm>
#include <array>
#include <map>

namespace theriac::trace {
namespace {

using crypto::Uint128;

Uint128 add(Uint128 a, Uint128 b, Uint128 most) { return a >= most - b ? a - (most - b) : a + b; }
Uint128 subtract(Uint128 a, Uint128 b, Uint128 most) { return a >= b ? a - b : a + (most - b); }

Uint128 multiply(Uint128 a, Uint128 b, Uint128 most) {
  Uint128 product = 0;
  for (; b != 0; b >>= 1U) {
    if ((b & 1U) != 0) product = add(product, a, most);
    a = add(a, a, most);
  }
  return product;
}

/// 0: there is none.
Uint128 inverse(Uint128 a, Uint128 most) {
  Uint128 r = most, next_r = a % most, t = 0, next_t = 1;
  while (next_r != 0) {
    const auto quotient = r / next_r;
    const auto step = subtract(t, multiply(quotient % most, next_t, most), most);
    t = next_t;
    next_t = step;
    const auto rest = r % next_r;
    r = next_r;
    next_r = rest;
  }
  return r == 1 ? t : 0;
}

unsigned bits_of(Uint128 most) {
  unsigned bits = 0;
  for (auto value = most - 1; value != 0; value >>= 1U) ++bits;
  return bits;
}

class Blind : public Guesser {
 public:
  Blind(const Form& form, Dice dice) : form_(form), dice_(dice) {}
  std::string next() override {
    auto text = form_.rule().prefix;
    for (std::size_t i = 0; i < form_.drawn(); ++i) text.push_back(character());
    return text;
  }

 protected:
  char character() { return form_.rule().alphabet[dice_.below(form_.rule().alphabet.size())]; }
  Form form_;
  Dice dice_;
};

/// Guesses numbers made from the leaked ones; blindly when nothing is left to try.
class FromNumbers : public Blind {
 public:
  FromNumbers(const Form& form, std::span<const std::string> leaked, Dice dice)
      : Blind(form, dice) {
    for (const auto& serial : leaked) {
      if (const auto number = form.number(serial)) known_.push_back(*number);
    }
  }
  std::string next() override {
    const auto number = guess();
    return number ? form_.text(*number) : Blind::next();
  }

 protected:
  virtual std::optional<Uint128> guess() = 0;
  std::vector<Uint128> known_;
  std::uint64_t turn_ = 0;
};

class Neighbours : public FromNumbers {
 public:
  using FromNumbers::FromNumbers;

 private:
  std::optional<Uint128> guess() override {
    if (known_.empty()) return std::nullopt;
    const auto one = turn_++;
    const auto base = known_[(one / 2) % known_.size()];
    const Uint128 distance = one / 2 / known_.size() + 1;
    if (distance >= form_.count()) return std::nullopt;
    return one % 2 == 0 ? add(base, distance, form_.count())
                        : subtract(base, distance, form_.count());
  }
};

class Step : public FromNumbers {
 public:
  Step(const Form& form, std::span<const std::string> leaked, Dice dice)
      : FromNumbers(form, leaked, dice) {
    for (std::size_t i = 0; i + 1 < known_.size(); ++i) {
      steps_.push_back(subtract(known_[i + 1], known_[i], form.count()));
    }
    std::ranges::sort(steps_);
    steps_.erase(std::ranges::unique(steps_).begin(), steps_.end());
  }

 private:
  std::vector<Uint128> steps_;
  std::optional<Uint128> guess() override {
    if (steps_.empty()) return std::nullopt;
    const auto one = turn_++;
    const auto times = one / steps_.size() + 1;
    const auto far = multiply(steps_[one % steps_.size()], times % form_.count(), form_.count());
    return add(known_.back(), far, form_.count());
  }
};

class Congruence : public FromNumbers {
 public:
  Congruence(const Form& form, std::span<const std::string> leaked, Dice dice)
      : FromNumbers(form, leaked, dice) {
    const auto power = Uint128{1} << std::min(bits_of(form.count()), 126U);
    for (const auto most : {form.count(), power}) {
      for (std::size_t i = 0; i + 2 < known_.size() && i < kTriples; ++i) {
        const auto x = known_[i] % most, y = known_[i + 1] % most, z = known_[i + 2] % most;
        const auto undo = inverse(subtract(y, x, most), most);
        if (undo == 0) continue;
        const auto factor = multiply(subtract(z, y, most), undo, most);
        const auto offset = subtract(y, multiply(factor, x, most), most);
        found_.push_back({most, factor, offset, known_.back() % most});
      }
    }
  }

 private:
  static constexpr std::size_t kTriples = 16;
  struct Law {
    Uint128 most, factor, offset, at;
  };
  std::vector<Law> found_;
  std::optional<Uint128> guess() override {
    if (found_.empty()) return std::nullopt;
    auto& law = found_[turn_++ % found_.size()];
    law.at = add(multiply(law.factor, law.at, law.most), law.offset, law.most);
    return law.at % form_.count();
  }
};

/// Shift registers: one whose bits, one after the other, are the numbers; and one whose state is
/// the number (QU4RTET's random flavour is such a one).
class Feedback : public FromNumbers {
 public:
  Feedback(const Form& form, std::span<const std::string> leaked, Dice dice)
      : FromNumbers(form, leaked, dice), width_(bits_of(form.count())) {
    const auto few = std::span(known_).first(std::min<std::size_t>(known_.size(), kNumbers));
    for (const auto number : few) {
      for (unsigned bit = width_; bit-- > 0;) bits_.push_back(((number >> bit) & 1U) != 0);
    }
    taps_ = shortest_recurrence(bits_);
    // Twice as many bits as taps are needed before a recurrence says anything.
    if (2 * taps_.size() >= bits_.size()) taps_.clear();
    for (std::size_t i = 0; i + 1 < few.size(); ++i) {
      if ((few[i] & 1U) != 0) steps_.push_back({few[i + 1] ^ (few[i] >> 1U), few.back()});
    }
  }

 private:
  static constexpr std::size_t kNumbers = 64;
  struct State {
    Uint128 mask, at;
  };
  unsigned width_;
  std::vector<bool> bits_, taps_;
  std::vector<State> steps_;

  std::optional<Uint128> guess() override {
    const auto ways = steps_.size() + (taps_.empty() ? 0 : 1);
    if (ways == 0) return std::nullopt;
    const auto way = turn_++ % ways;
    if (way < steps_.size()) {
      auto& state = steps_[way];
      state.at = (state.at >> 1U) ^ ((state.at & 1U) != 0 ? state.mask : 0);
      return state.at % form_.count();
    }
    Uint128 number = 0;
    for (unsigned i = 0; i < width_; ++i) {
      bool bit = false;
      for (std::size_t k = 0; k < taps_.size(); ++k) {
        bit = bit != (taps_[k] && bits_[bits_.size() - 1 - k]);
      }
      bits_.push_back(bit);
      number = (number << 1U) | static_cast<unsigned>(bit);
    }
    return number % form_.count();
  }
};

class Frequencies : public Blind {
 public:
  Frequencies(const Form& form, std::span<const std::string> leaked, Dice dice)
      : Blind(form, dice) {
    for (const auto& serial : leaked) {
      if (!form.number(serial)) continue;
      const auto drawn = serial.substr(form.rule().prefix.size());
      for (std::size_t i = 0; i < drawn.size(); ++i) {
        seen_[{i, i == 0 ? '\0' : drawn[i - 1]}].push_back(drawn[i]);
      }
    }
  }
  std::string next() override {
    auto text = form_.rule().prefix;
    for (std::size_t i = 0; i < form_.drawn(); ++i) {
      const auto at = seen_.find({i, i == 0 ? '\0' : text.back()});
      // One time in eight a character that was not seen here.
      const bool known = at != seen_.end() && dice_.below(8) != 0;
      text.push_back(known ? at->second[dice_.below(at->second.size())] : character());
    }
    return text;
  }

 private:
  std::map<std::pair<std::size_t, char>, std::string> seen_;
};

/// Guesses leaked numbers with something changed; blindly when there are none.
class Changed : public Blind {
 public:
  Changed(const Form& form, std::span<const std::string> leaked, Dice dice)
      : Blind(form, dice), leaked_(leaked) {}
  std::string next() override {
    if (leaked_.empty()) return Blind::next();
    auto text = leaked_[dice_.below(leaked_.size())];
    if (text.size() <= form_.rule().prefix.size()) return Blind::next();
    change(text, form_.rule().prefix.size());
    return text;
  }

 private:
  /// Behind the first `prefix` characters, of which there are more.
  virtual void change(std::string& text, std::size_t prefix) = 0;
  std::span<const std::string> leaked_;
};

class Beginnings : public Changed {
 public:
  using Changed::Changed;

 private:
  void change(std::string& text, std::size_t prefix) override {
    const auto kept = dice_.below(text.size() - prefix);
    for (auto i = prefix + kept; i < text.size(); ++i) text[i] = character();
  }
};

class Swaps : public Changed {
 public:
  using Changed::Changed;

 private:
  void change(std::string& text, std::size_t prefix) override {
    const auto any = [&] { return prefix + dice_.below(text.size() - prefix); };
    for (std::size_t i = dice_.below(3) + 1; i-- > 0;) std::swap(text[any()], text[any()]);
    if (dice_.below(2) == 0) text[any()] = character();
  }
};

}  // namespace

std::size_t Dice::below(std::size_t most) { return static_cast<std::size_t>(number() % most); }

Uint128 Dice::number() {
  std::array<std::uint8_t, 16> bytes;
  random_->fill(bytes);
  Uint128 value = 0;
  for (const auto byte : bytes) value = (value << 8U) | byte;
  return value;
}

Form::Form(const NumberRule& rule)
    : rule_(&rule),
      drawn_(static_cast<std::size_t>(rule.length) - rule.prefix.size()),
      count_(texts_of(rule)) {}

std::optional<Uint128> Form::number(std::string_view serial) const {
  if (count_ == 0 || serial.size() != static_cast<std::size_t>(rule_->length) ||
      !serial.starts_with(rule_->prefix)) {
    return std::nullopt;
  }
  Uint128 value = 0;
  for (const char c : serial.substr(rule_->prefix.size())) {
    const auto digit = rule_->alphabet.find(c);
    if (digit == std::string::npos) return std::nullopt;
    value = value * rule_->alphabet.size() + digit;
  }
  return value;
}

std::string Form::text(Uint128 number) const {
  std::string text(static_cast<std::size_t>(rule_->length), ' ');
  std::copy(rule_->prefix.begin(), rule_->prefix.end(), text.begin());
  for (auto i = text.size(); i-- > rule_->prefix.size(); number /= rule_->alphabet.size()) {
    text[i] = rule_->alphabet[static_cast<std::size_t>(number % rule_->alphabet.size())];
  }
  return text;
}

std::vector<bool> shortest_recurrence(const std::vector<bool>& bits) {
  std::vector<bool> now{true}, before{true};
  std::size_t length = 0, since = 1;
  for (std::size_t n = 0; n < bits.size(); ++n) {
    bool wrong = bits[n];
    for (std::size_t i = 1; i <= length && i < now.size(); ++i) {
      wrong = wrong != (now[i] && bits[n - i]);
    }
    if (!wrong) {
      ++since;
      continue;
    }
    const auto kept = now;
    if (now.size() < before.size() + since) now.resize(before.size() + since);
    for (std::size_t i = 0; i < before.size(); ++i) now[i + since] = now[i + since] != before[i];
    if (2 * length <= n) {
      length = n + 1 - length;
      before = kept;
      since = 1;
    } else {
      ++since;
    }
  }
  now.resize(length + 1);
  return {now.begin() + 1, now.end()};
}

std::unique_ptr<Guesser> make_guesser(Strategy strategy, const Form& form,
                                      std::span<const std::string> leaked, Dice dice) {
  switch (strategy) {
    case Strategy::kBlind:
      break;
    case Strategy::kNeighbours:
      return std::make_unique<Neighbours>(form, leaked, dice);
    case Strategy::kStep:
      return std::make_unique<Step>(form, leaked, dice);
    case Strategy::kCongruence:
      return std::make_unique<Congruence>(form, leaked, dice);
    case Strategy::kFeedback:
      return std::make_unique<Feedback>(form, leaked, dice);
    case Strategy::kFrequencies:
      return std::make_unique<Frequencies>(form, leaked, dice);
    case Strategy::kBeginnings:
      return std::make_unique<Beginnings>(form, leaked, dice);
    case Strategy::kSwaps:
      return std::make_unique<Swaps>(form, leaked, dice);
  }
  return std::make_unique<Blind>(form, dice);
}

}  // namespace theriac::trace
