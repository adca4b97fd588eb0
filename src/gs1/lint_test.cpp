#include "gs1/lint.hpp"

#include <array>
#include <set>

#include "gs1/code_lists.hpp"
#include "gs1/testing.hpp"

namespace theriac::gs1 {
namespace {

struct Text {
  Linter linter;
  std::string_view text, fault;  ///< "": accepted
  std::size_t at;
};
struct Characters {
  Charset charset;
  std::string_view text, fault;
  std::size_t at;
};
using enum Linter;
#include "gs1/lint_vectors.inc"

void expect(const std::optional<Fault>& finding, std::string_view text, std::string_view fault,
            std::size_t at) {
  EXPECT_EQ(finding ? name_of(finding->code) : "", fault) << text;
  if (finding) EXPECT_EQ(finding->at, at) << text << " " << fault;
}

TEST(Lint, VectorsOfTheReferenceLinters) {
  std::set<Linter> seen;
  for (const auto& [linter, text, fault, at] : kTexts) {
    SCOPED_TRACE(static_cast<int>(linter));
    expect(lint(linter, text), text, fault, at);
    seen.insert(linter);
  }
  for (const auto& [charset, text, fault, at] : kCharacters) {
    expect(lint_charset(charset, text), text, fault, at);
  }
  // Every linter but the one that checks nothing.
  EXPECT_EQ(seen.size(), static_cast<std::size_t>(kZero));
}

TEST(Lint, NothingToCheck) { EXPECT_FALSE(lint(kNone, "anything \x01")); }

/// How many texts of `size` out of `characters` a linter takes.
std::size_t accepted(Linter linter, std::string_view characters, std::size_t size,
                     const std::string& begin = {}) {
  if (begin.size() == size) return lint(linter, begin) ? 0 : 1;
  std::size_t count = 0;
  for (const char c : characters) count += accepted(linter, characters, size, begin + c);
  return count;
}

// Counted in the reference linters' lists.
TEST(Lint, ListsHaveAllTheirCodes) {
  constexpr std::string_view kDigits = "0123456789";
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  constexpr std::string_view kBoth = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
  EXPECT_EQ(accepted(kCountry, kDigits, 3), 249U);
  EXPECT_EQ(accepted(kCountryOr999, kDigits, 3), 250U);
  EXPECT_EQ(accepted(kCountryAlpha2, kLetters, 2), 249U);
  EXPECT_EQ(accepted(kCurrency, kDigits, 3), 179U);
  EXPECT_EQ(accepted(kMediaType, kDigits, 2), 30U);
  EXPECT_EQ(accepted(kPackageType, kBoth, 1) + accepted(kPackageType, kBoth, 2) +
                accepted(kPackageType, kBoth, 3),
            431U);
  EXPECT_EQ(accepted(kHourMinute, kDigits, 4), 1440U);
  EXPECT_EQ(accepted(kSecond, kDigits, 2), 60U);
}

TEST(Lint, EveryDayOfACentury) {
  // 36,525 days from 1951 to 2050, and a day 00 in each of 1,200 months.
  EXPECT_EQ(accepted(kDate, "0123456789", 6), 36'525U);
  EXPECT_EQ(accepted(kDateDay0, "0123456789", 6), 37'725U);
}

TEST(Lint, CharacterSetsHaveTheirSizes) {
  std::array<std::size_t, 4> sizes{};
  for (int c = 0; c < 256; ++c) {
    for (const auto set :
         {Charset::kDigits, Charset::kCset82, Charset::kCset39, Charset::kCset64}) {
      if (in_charset(set, static_cast<char>(c))) ++sizes.at(static_cast<std::size_t>(set));
    }
  }
  // Set 64 counts its padding too.
  EXPECT_EQ(sizes, (std::array<std::size_t, 4>{10, 82, 39, 65}));
  for (const char c : kSet82) EXPECT_TRUE(in_charset(Charset::kCset82, c)) << c;
}

TEST(Lint, AnyOneDigitWrongIsFound) {
  EXPECT_TRUE(rc::check("a check digit finds every change of a single digit", [] {
    auto text = *digits_of(*rc::gen::inRange<std::size_t>(1, 30));
    text.push_back(check_digit_of(text));
    RC_ASSERT(!lint(kCsum, text));
    const auto at = *rc::gen::inRange<std::size_t>(0, text.size());
    const auto by = *rc::gen::inRange(1, 10);
    text[at] = static_cast<char>('0' + (text[at] - '0' + by) % 10);
    RC_ASSERT(lint(kCsum, text).has_value());
  }));
}

TEST(Lint, AnyTextIsJudgedWithinIt) {
  EXPECT_TRUE(rc::check("a finding lies in the text or at its end", [](const std::string& text) {
    for (int i = 0; i <= static_cast<int>(kZero); ++i) {
      const auto finding = lint(static_cast<Linter>(i), text);
      RC_ASSERT((!finding || finding->at <= text.size()));
    }
  }));
}

}  // namespace
}  // namespace theriac::gs1
