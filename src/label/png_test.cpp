#include "label/png.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <cmath>

#include "label/limits.hpp"
#include "label/testing.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

TEST(Png, EveryModuleIsTheSamePixels) {
  EXPECT_TRUE(rc::check("any carrier, size and resolution", [] {
    const auto elements = elements_of("(01)09504000059101(17)271231(10)AB12C");
    const Carrier carrier = *rc::gen::element(Carrier::kDataMatrix, Carrier::kGs1128,
                                              Carrier::kQrLink, Carrier::kGs1Qr);
    const auto symbol = make_symbol(elements, carrier).value();
    const int dpi = *rc::gen::element(72, 96, 150, 203, 300, 600);
    const double x_mm = *rc::gen::inRange(10, 100) / 100.0;
    const auto file = png(symbol, x_mm, dpi, 10);
    RC_ASSERT(file.has_value());
    const Picture picture = read_png(*file);
    const int scale = pixels_per_module(x_mm, dpi);
    const QuietZone quiet = quiet_zone(carrier);
    RC_ASSERT(picture.width == (symbol.columns() + 2 * quiet.beside) * scale);
    const int down = symbol.linear() ? pixels_per_module(10, dpi) : scale;
    RC_ASSERT(picture.height == (symbol.rows() + 2 * quiet.above) * down);
    for (int y = 0; y < picture.height; ++y) {
      for (int x = 0; x < picture.width; ++x) {
        const bool dark = symbol.dark(x / scale - quiet.beside, y / down - quiet.above);
        const auto at = static_cast<std::size_t>(y) * static_cast<std::size_t>(picture.width) +
                        static_cast<std::size_t>(x);
        if (picture.pixels[at] != (dark ? 0 : 255)) RC_FAIL("pixel");
      }
    }
    if (scale >= 2) RC_ASSERT(decode(picture) == scanned(elements, symbol));
  }));
}

TEST(Png, SaysItsResolution) {
  const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
  const Bytes file = png(symbol, 0.38, 300).value();
  const auto at = text_of(file).find("pHYs");
  ASSERT_NE(at, std::string::npos);
  EXPECT_EQ(load_be<std::uint32_t>(file.data() + at + 4), 11811U);  // 300 / 0.0254
  EXPECT_EQ(file[at + 12], 1);
  EXPECT_EQ(pixels_per_module(0.38, 300), 4);
  EXPECT_EQ(pixels_per_module(0.01, 72), 1);
}

TEST(Png, LimitsAndOnePast) {
  const auto symbol = make_symbol(elements_of(kMedicine), Carrier::kDataMatrix).value();
  EXPECT_TRUE(png(symbol, 0.38, kDpiMin));
  EXPECT_TRUE(png(symbol, 0.38, kDpiMax));
  EXPECT_EQ(code_of(png(symbol, 0.38, kDpiMin - 1)), Code::kOutOfRange);
  EXPECT_EQ(code_of(png(symbol, 0.38, kDpiMax + 1)), Code::kOutOfRange);
  EXPECT_EQ(code_of(png(symbol, 0, 300)), Code::kOutOfRange);
  EXPECT_EQ(code_of(png(symbol, std::nan(""), 300)), Code::kOutOfRange);
  EXPECT_EQ(code_of(png(symbol, 1000, 300)), Code::kTooLarge);
  const auto bars = make_symbol(elements_of("(10)A"), Carrier::kGs1128).value();
  EXPECT_EQ(code_of(png(bars, 0.38, 300)), Code::kOutOfRange);  // no height
}

}  // namespace
}  // namespace theriac::label
