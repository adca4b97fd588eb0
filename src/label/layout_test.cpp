#include "label/layout.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <algorithm>
#include <cmath>

#include "label/limits.hpp"
#include "label/testing.hpp"
#include "label/text.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

struct Box {
  double left, top, right, bottom;
};
Box box_of(const PlacedSymbol& placed) {
  const QuietZone quiet = quiet_zone(placed.symbol.carrier());
  const double beside = quiet.beside * placed.x_mm;
  const double above = quiet.above * placed.x_mm;
  return {placed.at.x_mm - beside, placed.at.y_mm - above,
          placed.at.x_mm + placed.symbol.columns() * placed.x_mm + beside,
          placed.at.y_mm + placed.symbol.rows() * placed.module_height_mm() + above};
}
Box box_of(const PlacedText& placed) {
  const double width = width_em(line_of(placed.text).value(), placed.bold) * placed.size_mm;
  return {placed.baseline.x_mm, placed.baseline.y_mm - 0.72 * placed.size_mm,
          placed.baseline.x_mm + width, placed.baseline.y_mm + 0.21 * placed.size_mm};
}
Box box_of(const PlacedIcon& placed) {
  return {placed.at.x_mm, placed.at.y_mm,
          placed.at.x_mm + shape_of(placed.icon).width * placed.height_mm,
          placed.at.y_mm + placed.height_mm};
}
bool apart(const Box& a, const Box& b) {
  constexpr double kTolerance = 0.01;
  return a.right <= b.left + kTolerance || b.right <= a.left + kTolerance ||
         a.bottom <= b.top + kTolerance || b.bottom <= a.top + kTolerance;
}

/// Nothing overlaps anything, the quiet zone included, and nothing leaves the margin.
void expect_tidy(const Drawing& drawing, const Design& design) {
  std::vector<Box> boxes;
  for (const auto& item : drawing.symbols) boxes.push_back(box_of(item));
  for (const auto& item : drawing.texts) boxes.push_back(box_of(item));
  for (const auto& item : drawing.icons) boxes.push_back(box_of(item));
  const double slack = 0.02 + design.grid.dot_mm;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    EXPECT_GE(boxes[i].left, design.margin_mm - slack);
    EXPECT_GE(boxes[i].top, design.margin_mm - slack);
    EXPECT_LE(boxes[i].right, design.width_mm - design.margin_mm + slack);
    EXPECT_LE(boxes[i].bottom, design.height_mm - design.margin_mm + slack);
    for (std::size_t k = 0; k < i; ++k) EXPECT_TRUE(apart(boxes[i], boxes[k])) << i << " " << k;
  }
}

LabelText text_of(std::string_view bracketed, TextForm form) {
  return {{"Exemplar® 20 mg", "示例片 二十毫克"}, human_text(elements_of(bracketed), form, 2026)};
}

TEST(Layout, EveryCarrierAndForm) {
  Design design;
  design.width_mm = 100;
  design.height_mm = 60;
  for (const std::string_view bracketed : {kMedicine, kDeviceText}) {
    for (const Carrier carrier :
         {Carrier::kDataMatrix, Carrier::kGs1128, Carrier::kQrLink, Carrier::kGs1Qr}) {
      for (const TextForm form : {TextForm::kBracketed, TextForm::kEuMedicine, TextForm::kDevice,
                                  TextForm::kChinaDevice}) {
        const auto symbol = make_symbol(elements_of(bracketed), carrier);
        if (!symbol) continue;  // GS1-128 and more than 48 characters
        const auto drawing = lay_out(*symbol, text_of(bracketed, form), design);
        ASSERT_TRUE(drawing) << drawing.error().message();
        expect_tidy(*drawing, design);
        EXPECT_EQ(drawing->symbols.size(), 1U);
        EXPECT_GE(drawing->texts.size(), 3U);
      }
    }
  }
}

TEST(Layout, TargetSizeWhereThereIsRoom) {
  const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
  const LabelText text = text_of(kMedicine, TextForm::kEuMedicine);
  Design design;
  const auto drawing = lay_out(symbol, text, design).value();
  EXPECT_DOUBLE_EQ(drawing.symbols[0].x_mm, 0.380);
  EXPECT_DOUBLE_EQ(drawing.texts.back().size_mm, design.text_mm);
  design.x_mm = 0.6;
  EXPECT_DOUBLE_EQ(lay_out(symbol, text, design)->symbols[0].x_mm, 0.6);
}

TEST(Layout, ShrinksWhereThereIsLittleRoomAndRefusesWhereThereIsNone) {
  const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
  LabelText text = text_of(kMedicine, TextForm::kEuMedicine);
  text.names.clear();
  Design design;
  design.margin_mm = 0.5;
  double before = 0;
  bool refused = false;
  for (double height = 30; height >= 5; height -= 0.5) {
    design.width_mm = 36;
    design.height_mm = height;
    const auto drawing = lay_out(symbol, text, design);
    if (!drawing) {
      EXPECT_EQ(code_of(drawing), Code::kTooLarge);
      refused = true;
      continue;
    }
    EXPECT_FALSE(refused) << "fits where more room was too little";
    expect_tidy(*drawing, design);
    const double x_mm = drawing->symbols[0].x_mm;
    if (before > 0) EXPECT_LE(x_mm, before + 1e-9);
    before = x_mm;
  }
  EXPECT_TRUE(refused);
  EXPECT_LT(before, 0.380);
}

TEST(Layout, AnElementIsBrokenOnlyWhenNoSizeFits) {
  const std::string serial = "12345678901234567890";
  const auto elements = elements_of("(01)09504000059101(21)" + serial);
  const auto symbol = make_symbol(elements, Carrier::kDataMatrix).value();
  const LabelText text{{}, human_text(elements, TextForm::kBracketed, 2026)};
  Design design;
  design.height_mm = 40;
  const auto whole = [&](double width) {
    design.width_mm = width;
    const auto drawing = lay_out(symbol, text, design);
    EXPECT_TRUE(drawing) << width;
    return drawing && std::ranges::any_of(drawing->texts, [&](const PlacedText& placed) {
             return placed.text == "(21)" + serial;
           });
  };
  EXPECT_TRUE(whole(60));
  EXPECT_TRUE(whole(27));   // below the symbol, smaller
  EXPECT_FALSE(whole(20));  // 13.3 em of 1.8 mm are 24 mm
}

TEST(Layout, OnThePrintersDots) {
  for (const int dots : {6, 8, 12, 24}) {
    Design design;
    design.grid = {1.0 / dots, 10};
    const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
    const auto drawing = lay_out(symbol, text_of(kMedicine, TextForm::kEuMedicine), design).value();
    const PlacedSymbol& placed = drawing.symbols[0];
    for (const double mm : {placed.x_mm, placed.at.x_mm, placed.at.y_mm}) {
      EXPECT_NEAR(mm * dots, std::round(mm * dots), 1e-6);
    }
    expect_tidy(drawing, design);
  }
}

TEST(Layout, RefusesDesignsThatCannotBe) {
  const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
  const auto refused = [&](auto change) {
    Design design;
    change(design);
    return code_of(lay_out(symbol, {}, design)) == Code::kOutOfRange;
  };
  EXPECT_FALSE(refused([](Design&) {}));
  EXPECT_FALSE(refused([](Design& d) { d.width_mm = kSideMax_mm; }));
  EXPECT_TRUE(refused([](Design& d) { d.width_mm = kSideMax_mm + 1; }));
  EXPECT_TRUE(refused([](Design& d) { d.height_mm = kSideMin_mm - 1; }));
  EXPECT_TRUE(refused([](Design& d) { d.width_mm = std::nan(""); }));
  EXPECT_TRUE(refused([](Design& d) { d.margin_mm = -1; }));
  EXPECT_TRUE(refused([](Design& d) { d.text_mm = kTextMax_mm + 1; }));
  EXPECT_TRUE(refused([](Design& d) { d.text_min_mm = 0; }));
  EXPECT_TRUE(refused([](Design& d) { d.text_min_mm = d.text_mm + 1; }));
  EXPECT_TRUE(refused([](Design& d) { d.x_mm = 0.2; }));
  EXPECT_TRUE(refused([](Design& d) { d.x_mm = 1.0; }));
  EXPECT_TRUE(refused([](Design& d) { d.x_mm = 0.38, d.grid.dot_mm = 0.125; }));
  EXPECT_TRUE(refused([](Design& d) { d.grid.dot_mm = 2; }));
  EXPECT_TRUE(refused([](Design& d) { d.grid.dot_mm = -1; }));
}

TEST(Layout, RefusesTextsThatCannotBePrinted) {
  const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
  EXPECT_EQ(code_of(lay_out(symbol, {{"a\nb"}, {}}, {})), Code::kMalformed);
  EXPECT_EQ(code_of(lay_out(symbol, {{"\xff"}, {}}, {})), Code::kBadEncoding);
  LabelText text{std::vector<std::string>(kLinesMax, ""), {}};
  EXPECT_TRUE(lay_out(symbol, text, {}));
  text.lines.push_back({});
  EXPECT_EQ(code_of(lay_out(symbol, text, {})), Code::kTooLarge);
}

TEST(Layout, AnyLabelIsTidy) {
  EXPECT_TRUE(rc::check("any size, any names", [] {
    Design design;
    design.width_mm = *rc::gen::inRange(5, 200);
    design.height_mm = *rc::gen::inRange(5, 120);
    design.margin_mm = *rc::gen::inRange(0, 4);
    if (*rc::gen::arbitrary<bool>()) design.grid = {0.125, 10};
    const Carrier carrier =
        *rc::gen::element(Carrier::kDataMatrix, Carrier::kQrLink, Carrier::kGs1Qr);
    const auto symbol = make_symbol(elements_of(kMedicine), carrier).value();
    LabelText text = text_of(kMedicine, *rc::gen::element(TextForm::kDevice, TextForm::kEuMedicine,
                                                          TextForm::kChinaDevice));
    text.names.push_back(to_utf8(
        *rc::gen::container<std::u32string>(rc::gen::elementOf(std::u32string(U"aWi 药品，()")))));
    const auto drawing = lay_out(symbol, text, design);
    if (drawing) expect_tidy(*drawing, design);
    if (!drawing) RC_ASSERT(code_of(drawing) == Code::kTooLarge);
  }));
}

}  // namespace
}  // namespace theriac::label
