#include "label/text.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "label/limits.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

std::vector<std::string> wrapped(std::string_view text, double em, Words words = Words::kWhole) {
  std::vector<std::string> out;
  for (const auto& line : wrap(line_of(text).value(), em, false, words)) {
    out.push_back(to_utf8(line));
  }
  return out;
}

TEST(Line, TakesWhatCanBePrinted) {
  for (const std::string_view good :
       {"", "Aspirin® 500 mg", "阿司匹林 肠溶片", "\xf0\xa0\x80\x80"}) {
    const auto line = line_of(good);
    ASSERT_TRUE(line) << good;
    EXPECT_EQ(to_utf8(*line), good);
  }
}

TEST(Line, RefusesWhatCannotBePrinted) {
  for (const std::string_view bad :
       {"\xff", "\xc0\x80", "a\xe9", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe4\xb8"}) {
    EXPECT_EQ(code_of(line_of(bad)), Code::kBadEncoding);
  }
  for (const std::string_view bad : {"a\nb", "\t", "\x7f", "\xc2\x85", "\xe2\x80\xa8",
                                     "\xe2\x80\xae"
                                     "evil",
                                     "\xef\xbf\xbe", "\xef\xbb\xbf", "\xe2\x80\x8b"}) {
    EXPECT_EQ(code_of(line_of(bad)), Code::kMalformed);
  }
  EXPECT_EQ(code_of(line_of(std::string_view("a\0b", 3))), Code::kMalformed);
}

TEST(Line, LimitAndOnePast) {
  EXPECT_TRUE(line_of(std::string(kLineBytesMax, 'a')));
  EXPECT_EQ(code_of(line_of(std::string(kLineBytesMax + 1, 'a'))), Code::kTooLarge);
}

TEST(Width, IsHelveticas) {
  EXPECT_DOUBLE_EQ(width_em(U"0123456789", false), 5.56);
  EXPECT_DOUBLE_EQ(width_em(U"Wi", false), 1.166);
  EXPECT_DOUBLE_EQ(width_em(U"Wi", true), 1.222);
  EXPECT_DOUBLE_EQ(width_em(U"药品", false), 2);
}

TEST(Wrap, AtSpacesAndBetweenIdeographs) {
  EXPECT_EQ(wrapped("", 5), (std::vector<std::string>{}));
  EXPECT_EQ(wrapped("   ", 5), (std::vector<std::string>{}));
  EXPECT_EQ(wrapped("one two three", 100), (std::vector<std::string>{"one two three"}));
  EXPECT_EQ(wrapped("one two three", 4), (std::vector<std::string>{"one two", "three"}));
  EXPECT_EQ(wrapped("一二三四五", 2), (std::vector<std::string>{"一二", "三四", "五"}));
  EXPECT_EQ(wrapped("一二，三四", 2), (std::vector<std::string>{"一", "二，", "三四"}));
  EXPECT_EQ(wrapped("ab一二", 2.2), (std::vector<std::string>{"ab一", "二"}));
}

TEST(Wrap, WordsAreCutOnlyWhenAllowed) {
  EXPECT_EQ(wrapped("0000000000 a", 3), (std::vector<std::string>{"0000000000", "a"}));
  EXPECT_EQ(wrapped("0000000000 a", 3, Words::kBreakable),
            (std::vector<std::string>{"00000", "00000", "a"}));
  EXPECT_EQ(wrapped("00", 0, Words::kBreakable), (std::vector<std::string>{"0", "0"}));
}

TEST(Wrap, LosesNothingAndKeepsToTheWidth) {
  EXPECT_TRUE(rc::check("any text, any width", [] {
    const auto letters = *rc::gen::container<std::u32string>(
        rc::gen::elementOf(std::u32string(U"aW1 ().-药品，  ")));
    const double em = *rc::gen::inRange(10, 150) / 10.0;
    std::u32string joined;
    for (const auto& line : wrap(letters, em, false, Words::kBreakable)) {
      RC_ASSERT(!line.empty());
      RC_ASSERT(width_em(line, false) <= std::max(em, 2.0) + 1e-6);
      joined += line;
    }
    const auto bare = [](std::u32string text) {
      std::erase(text, U' ');
      return text;
    };
    RC_ASSERT(bare(joined) == bare(letters));
  }));
}

}  // namespace
}  // namespace theriac::label
