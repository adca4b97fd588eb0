#include "label/sheet.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "label/limits.hpp"
#include "label/testing.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

Drawing label_with(std::string text) {
  Drawing label{60, 30, {}, {}, {}};
  label.texts.push_back({std::move(text), {1, 5}, 2.5, false});
  return label;
}

TEST(Sheet, PagesAndStartingPlace) {
  const Sheet sheet{.top_mm = 0.5};
  EXPECT_EQ(page_count(sheet, 0), 0U);
  EXPECT_EQ(page_count(sheet, 1), 1U);
  EXPECT_EQ(page_count(sheet, 24), 1U);
  EXPECT_EQ(page_count(sheet, 25), 2U);
  EXPECT_EQ(page_count(sheet, 24, 1), 2U);
  EXPECT_EQ(page_count(sheet, 2, 23), 2U);
  EXPECT_EQ(code_of(page_count(sheet, 1, 24)), Code::kOutOfRange);
  EXPECT_TRUE(page_count(sheet, kLabelsMax));
  EXPECT_EQ(code_of(page_count(sheet, kLabelsMax + 1)), Code::kTooLarge);
}

TEST(Sheet, PlacesRowByRow) {
  const Sheet sheet{kLetter, 5, 12, 66, 33, 3, 0, 3, 8};
  std::vector<Drawing> labels;
  for (int i = 0; i < 25; ++i) labels.push_back(label_with(std::to_string(i)));
  const auto pages = arrange(sheet, labels, 2);
  ASSERT_TRUE(pages);
  ASSERT_EQ(pages->size(), 2U);
  const Drawing& first = pages->front();
  EXPECT_EQ(first.width_mm, 215.9);
  ASSERT_EQ(first.texts.size(), 22U);
  EXPECT_EQ(first.texts[0].text, "0");
  EXPECT_DOUBLE_EQ(first.texts[0].baseline.x_mm, 5 + 2 * 69 + 1);
  EXPECT_DOUBLE_EQ(first.texts[0].baseline.y_mm, 12 + 5);
  EXPECT_DOUBLE_EQ(first.texts[1].baseline.x_mm, 5 + 1);
  EXPECT_DOUBLE_EQ(first.texts[1].baseline.y_mm, 12 + 33 + 5);
  EXPECT_EQ(pages->back().texts.size(), 3U);
  EXPECT_EQ(pages->back().texts[0].text, "22");
}

TEST(Sheet, RefusesWhatDoesNotFit) {
  const auto refused = [](auto change) {
    Sheet sheet{.top_mm = 0.5};
    change(sheet);
    return code_of(check_sheet(sheet)) == Code::kOutOfRange;
  };
  EXPECT_FALSE(refused([](Sheet&) {}));
  EXPECT_FALSE(refused([](Sheet& s) { s.top_mm = 1; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.top_mm = 1.1; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.left_mm = 0.1; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.gap_x_mm = 0.1; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.gap_y_mm = -1; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.columns = 0; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.columns = kColumnsMax + 1; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.rows = -1; }));
  EXPECT_TRUE(refused([](Sheet& s) { s.paper.width_mm = std::nan(""); }));
  EXPECT_TRUE(refused([](Sheet& s) { s.label_width_mm = HUGE_VAL; }));
  const Sheet small{.label_width_mm = 59, .label_height_mm = 30};
  const Drawing label = label_with("a");
  EXPECT_EQ(code_of(arrange(small, {&label, 1})), Code::kOutOfRange);
}

}  // namespace
}  // namespace theriac::label
