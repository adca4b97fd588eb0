#include "label/pdf.hpp"

#include <gtest/gtest.h>

#include <charconv>

#include "label/limits.hpp"
#include "label/sheet.hpp"
#include "label/testing.hpp"
#include "label/text.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

void expect_clean(const std::string& file) {
  EXPECT_TRUE(output_of({"qpdf", "--check", "{}"}, file).contains("No syntax or stream"));
}

Drawing page_with(std::string text, bool bold = false) {
  Drawing page{120, 20, {}, {}, {}};
  page.texts.push_back({std::move(text), {5, 10}, 4, bold});
  return page;
}
std::string text_in(const Drawing& page) {
  const auto file = pdf({&page, 1});
  EXPECT_TRUE(file);
  if (!file) return {};
  expect_clean(*file);
  std::string text = output_of({"pdftotext", "-raw", "{}", "-"}, *file);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\f')) text.pop_back();
  return text;
}

TEST(Pdf, EveryCarrierReadsBack) {
  for (const Carrier carrier :
       {Carrier::kDataMatrix, Carrier::kGs1128, Carrier::kQrLink, Carrier::kGs1Qr}) {
    const auto made =
        label_of("(01)09504000059101(17)271231(10)AB12C", carrier, TextForm::kChinaDevice);
    const auto file = pdf({&made.drawing, 1});
    ASSERT_TRUE(file);
    expect_clean(*file);
    const PlacedSymbol& placed = made.drawing.symbols[0];
    EXPECT_EQ(decode(cut(render_pdf(*file, 1, 300), placed, 300)),
              scanned(made.elements, placed.symbol));
    const std::string text = output_of({"pdftotext", "-raw", "{}", "-"}, *file);
    for (const PlacedText& line : made.drawing.texts) {
      EXPECT_TRUE(text.contains(line.text)) << line.text << "\n" << text;
    }
  }
}

TEST(Pdf, TextsOfUsersStayTexts) {
  for (const std::string& hostile : hostile_texts())
    EXPECT_EQ(text_in(page_with(hostile)), hostile);
}

TEST(Pdf, LatinAndChinese) {
  for (const std::string_view text :
       {"Größe 5 µg – “ÄÖÜ” ® € ½ ŽžŸ™…", "β-受体阻滞药 25℃ ≤30℃ Ⅱ型", "药品123，（abc）", "АБВ"}) {
    EXPECT_EQ(text_in(page_with(std::string(text))), text);
  }
  for (const std::string_view text : {"ł", "ع", "\xf0\xa0\x80\x80", "한", "☃"}) {
    const Drawing page = page_with(std::string(text));
    EXPECT_EQ(code_of(pdf({&page, 1})), Code::kUnsupported) << text;
  }
}

/// Poppler knows Adobe's metrics of the standard fonts too.
TEST(Pdf, WidthsAreThoseOfTheFont) {
  std::vector<Drawing> pages;
  for (char c = '!'; c <= '~'; ++c) {
    for (const bool bold : {false, true}) pages.push_back(page_with(std::string(20, c), bold));
  }
  const std::string boxes = output_of({"pdftotext", "-bbox", "{}", "-"}, pdf(pages).value());
  std::size_t at = 0;
  const auto next = [&](std::string_view name) {
    at = boxes.find(name, at) + name.size();
    double value = 0;
    std::from_chars(boxes.data() + at, boxes.data() + boxes.size(), value);
    return value;
  };
  for (const Drawing& page : pages) {
    const PlacedText& word = page.texts[0];
    at = boxes.find("<word", at);
    ASSERT_NE(at, std::string::npos) << word.text;
    const double left = next("xMin=\"");
    const double points = next("xMax=\"") - left;
    EXPECT_NEAR(points * 25.4 / 72 / word.size_mm, width_em(line_of(word.text).value(), word.bold),
                0.005)
        << word.text;
  }
}

TEST(Pdf, SheetsReadBackLabelByLabel) {
  std::vector<Drawing> labels;
  std::vector<std::string> wanted;
  for (int i = 0; i < 30; ++i) {
    const auto elements = elements_of("(01)09504000059101(21)S" + std::to_string(1000 + i));
    const auto symbol = make_symbol(elements, Carrier::kDataMatrix).value();
    Design design;
    design.width_mm = 70;
    design.height_mm = 37;
    labels.push_back(
        lay_out(symbol, {{}, human_text(elements, TextForm::kEuMedicine, 2026)}, design).value());
    wanted.push_back(scanned(elements, symbol));
  }
  const Sheet sheet{.top_mm = 0.5};
  const auto file = pdf(arrange(sheet, labels, 5).value());
  ASSERT_TRUE(file);
  expect_clean(*file);
  const std::string text = output_of({"pdftotext", "-raw", "{}", "-"}, *file);
  for (int i = 0; i < 30; ++i) EXPECT_TRUE(text.contains("SN: S" + std::to_string(1000 + i)));
  const Picture first = render_pdf(*file, 1, 300);
  const Picture second = render_pdf(*file, 2, 300);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const std::size_t place = (i + 5) % 24;
    const Picture& page = i + 5 < 24 ? first : second;
    const Point at{70.0 * static_cast<double>(place % 3),
                   0.5 + 37.0 * static_cast<double>(place / 3)};
    EXPECT_EQ(decode(cut(page, at, 70, 37, 300)), wanted[i]) << i;
  }
}

TEST(Pdf, SamePagesSameBytesAndLimits) {
  const Drawing page = page_with("a");
  EXPECT_EQ(pdf({&page, 1}).value(), pdf({&page, 1}).value());
  EXPECT_EQ(code_of(pdf({})), Code::kMalformed);
  const Drawing bad{0, 20, {}, {}, {}};
  EXPECT_EQ(code_of(pdf({&bad, 1})), Code::kOutOfRange);
  const std::vector<Drawing> many(kLabelsMax + 1, Drawing{20, 20, {}, {}, {}});
  EXPECT_EQ(code_of(pdf(many)), Code::kTooLarge);
  EXPECT_TRUE(pdf(std::span(many).first(kLabelsMax)));
}

}  // namespace
}  // namespace theriac::label
