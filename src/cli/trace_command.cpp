#include "cli/trace_command.hpp"

#include <fmt/format.h>

#include <fstream>
#include <iostream>
#include <memory>
#include <unordered_set>

#include "cli/connection.hpp"
#include "cli/trace_verify.hpp"
#include "codec/json.hpp"
#include "crypto/random.hpp"
#include "trace/attack.hpp"
#include "trace/limits.hpp"
#include "trace/numbers.hpp"

namespace theriac::cli {
namespace {

using codec::Json;

/// Kept in memory, twice.
constexpr std::uint64_t kIssuedMax = 20'000'000;

struct Flags {
  int length = 12;
  std::string alphabet = "clear", prefix, market, numbers;
  std::uint64_t issued = 1'000'000, leaked = 1000, guesses = 100'000;
  bool sm4 = false, json = false;
};

/// The numbers in the order of their making.
using Numbers = std::vector<std::string>;

std::string alphabet_of(const std::string& word) {
  if (word == "digits") return std::string(trace::kDigits);
  if (word == "clear") return std::string(trace::kClearCharacters);
  return word;
}

/// Of a pool made for this, under keys that nobody else has.
Result<Numbers> draw(const trace::NumberRule& rule, bool sm4) {
  crypto::SystemRandom random;
  std::array<std::uint8_t, 32> bytes{};
  random.fill(bytes);
  seal::LeasedKey key;
  key.suite = sm4 ? seal::Suite::kSm4Gcm : seal::Suite::kXaes256Gcm;
  key.purpose = seal::Purpose::kIndex;
  key.material = Key256(bytes);
  key.id = seal::commit_key(key.suite, key.purpose, key.material);
  THERIAC_ASSIGN(auto numbers,
                 trace::Numbers::make(rule, key, random.id<TenantId>(), random.uuid<FieldId>()));
  Numbers drawn;
  THERIAC_TRY(numbers.draw(0, static_cast<std::size_t>(rule.capacity), drawn));
  return drawn;
}

Result<Numbers> read_numbers(const std::string& path) {
  std::ifstream file(path);
  if (!file) return fail(Code::kNotFound, path);
  Numbers all;
  for (std::string line; std::getline(file, line);) {
    if (!line.empty() && line.back() == '\r') line.pop_back();
    if (!line.empty()) all.push_back(std::move(line));
  }
  if (all.empty()) return fail(Code::kMalformed, path);
  return all;
}

Json json_of(const trace::NumberRule& rule, const trace::AttackReport& report) {
  auto strategies = Json::array();
  for (const auto& one : report.results) {
    strategies.push_back({{"strategy", trace::name_of(one.strategy)},
                          {"guesses", one.guesses},
                          {"hits", one.hits},
                          {"low", one.low},
                          {"high", one.high}});
  }
  return {{"length", rule.length},     {"characters", rule.alphabet.size()},
          {"issued", report.issued},   {"leaked", report.leaked},
          {"density", report.density}, {"strategies", strategies},
          {"holds", report.holds()}};
}

void print(const trace::NumberRule& rule, const trace::AttackReport& report) {
  fmt::print("{} numbers of {} characters out of {}; a blind guess hits once in {:.4g}\n",
             report.issued, rule.length, rule.alphabet.size(), 1 / report.density);
  fmt::print("the adversary knows {} of them, in the order of their making\n\n", report.leaked);
  fmt::print("{:<12} {:>9} {:>7}   {}\n", "strategy", "guesses", "hits", "chance of a hit, 95 %");
  for (const auto& one : report.results) {
    fmt::print("{:<12} {:>9} {:>7}   {:.3g} to {:.3g}\n", trace::name_of(one.strategy), one.guesses,
               one.hits, one.low, one.high);
  }
  fmt::print("\n{}\n",
             report.holds()
                 ? "holds: nothing known helps, and no guess hits above 1 in 10,000"
                 : "DOES NOT HOLD: guesses hit more often than chance or than 1 in 10,000");
}

Result<int> attack(const Flags& flags) {
  trace::NumberRule rule{flags.length, alphabet_of(flags.alphabet), flags.prefix, flags.market,
                         flags.issued};
  Numbers numbers;
  if (flags.numbers.empty()) {
    if (flags.issued > kIssuedMax) return fail(Code::kTooLarge, "--issued");
    THERIAC_TRY(trace::check(rule));
    THERIAC_ASSIGN(numbers, draw(rule, flags.sm4));
  } else {
    THERIAC_ASSIGN(numbers, read_numbers(flags.numbers));
    rule.length = static_cast<int>(numbers.front().size());
    rule.capacity = numbers.size();
    if (rule.length < 2 || rule.length > trace::kSerialCharactersMax || rule.alphabet.size() < 2 ||
        rule.prefix.size() + 2 > numbers.front().size()) {
      return fail(Code::kOutOfRange, "form of the numbers");
    }
  }
  const std::unordered_set<std::string_view> issued(numbers.begin(), numbers.end());
  const auto leaked = std::min<std::size_t>(flags.leaked, numbers.size() / 2);
  const auto middle = (numbers.size() - leaked) / 2;
  const auto is_issued = [&](std::string_view guess) { return issued.contains(guess); };
  crypto::SystemRandom random;
  const auto report = trace::attack(rule, std::span(numbers).subspan(middle, leaked), issued.size(),
                                    is_issued, flags.guesses, random);
  if (flags.json) {
    std::cout << json_of(rule, report).dump(2) << "\n";
  } else {
    print(rule, report);
  }
  return report.holds() ? 0 : 1;
}

}  // namespace

void add_trace_command(CLI::App& app, int& exit_code) {
  auto* trace = app.add_subcommand("trace", "serial numbers, track and trace");
  trace->require_subcommand(1);
  add_trace_verify_command(*trace, exit_code);
  auto flags = std::make_shared<Flags>();
  auto* command = trace->add_subcommand(
      "attack",
      "the adversary who knows some numbers and guesses others: of a pool made for this, or "
      "of a list");
  command->add_option("--length", flags->length, "characters of a number, prefix included");
  command->add_option("--alphabet", flags->alphabet,
                      "digits, clear (no characters that are confused) or the characters");
  command->add_option("--prefix", flags->prefix, "what all numbers begin with");
  command->add_option("--market", flags->market, "EU, US, CN, RU, …: its rules are checked");
  command->add_option("--issued", flags->issued, "numbers that are issued");
  command->add_option("--leaked", flags->leaked, "numbers that the adversary knows");
  command->add_option("--guesses", flags->guesses, "guesses of each strategy");
  command->add_flag("--sm4", flags->sm4, "numbers drawn with SM4 instead of AES");
  command->add_option("--numbers", flags->numbers,
                      "a file with one number on each line, in the order of their making");
  command->add_flag("--json", flags->json);
  command->callback([flags, &exit_code] {
    const auto done = attack(*flags);
    exit_code = done ? *done : report_failure("theriac trace attack", done.error());
  });
}

}  // namespace theriac::cli
