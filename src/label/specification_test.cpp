#include "label/specification.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>

#include "label/testing.hpp"

namespace theriac::label {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

TEST(Specification, MinimumTargetMaximumAreInOrder) {
  for (const Carrier carrier :
       {Carrier::kDataMatrix, Carrier::kGs1128, Carrier::kQrLink, Carrier::kGs1Qr}) {
    for (const Application application :
         {Application::kHealthcare, Application::kPharmacy, Application::kDistribution}) {
      const Specification wanted = specification(carrier, application);
      EXPECT_LE(wanted.x_min_mm, wanted.x_target_mm);
      EXPECT_LE(wanted.x_target_mm, wanted.x_max_mm);
      EXPECT_EQ(wanted.bar_height_mm > 0, carrier == Carrier::kGs1128);
      for (const int dots : {0, 6, 8, 12, 24}) {
        const Grid grid{dots == 0 ? 0 : 1.0 / dots, 0};
        const auto widths = x_candidates(carrier, application, grid);
        ASSERT_FALSE(widths.empty()) << dots;
        EXPECT_TRUE(std::ranges::is_sorted(widths, std::greater()));
        for (const double x_mm : widths) {
          EXPECT_GE(x_mm, wanted.x_min_mm - 0.001);
          EXPECT_LE(x_mm, wanted.x_max_mm + 0.001);
        }
      }
    }
  }
}

TEST(Specification, TableSixOfTheGeneralSpecifications) {
  const auto elements = elements_of(kMedicine);
  const auto matrix = make_symbol(elements, Carrier::kDataMatrix).value();
  const auto check = [&](double x_mm) {
    return code_of(check_dimension(matrix, Application::kHealthcare, x_mm));
  };
  EXPECT_EQ(check(0.253), Code::kOutOfRange);
  EXPECT_EQ(check(0.254), Code::kInternal);
  EXPECT_EQ(check(0.990), Code::kInternal);
  EXPECT_EQ(check(0.991), Code::kOutOfRange);
  EXPECT_EQ(check(std::nan("")), Code::kOutOfRange);
}

TEST(Specification, PrintersDots) {
  using enum Carrier;
  using enum Application;
  EXPECT_DOUBLE_EQ(x_candidates(kDataMatrix, kHealthcare, {0.125, 10}).front(), 0.375);
  EXPECT_DOUBLE_EQ(x_candidates(kDataMatrix, kDistribution, {0.125, 10}).front(), 0.75);
  EXPECT_DOUBLE_EQ(x_candidates(kGs1128, kHealthcare, {1.0 / 24, 10}).front(), 10.0 / 24);
  EXPECT_DOUBLE_EQ(x_candidates(kDataMatrix, kHealthcare, {}).front(), 0.380);
  EXPECT_TRUE(x_candidates(kDataMatrix, kHealthcare, {1.5, 0}).empty());
}

TEST(Specification, ExtentAndQuietZone) {
  const auto elements = elements_of(kMedicine);
  const auto matrix = make_symbol(elements, Carrier::kDataMatrix).value();
  EXPECT_DOUBLE_EQ(extent(matrix, 0.5, 0).width_mm, 0.5 * (matrix.columns() + 2));
  const auto code = make_symbol(elements, Carrier::kQrLink).value();
  EXPECT_DOUBLE_EQ(extent(code, 0.5, 0).height_mm, 0.5 * (code.rows() + 8));
}

TEST(Specification, LongestBars) {  // 165.10 mm, quiet zones included
  const auto bars =
      make_symbol(elements_of("(01)09504000059101(10)" + std::string(20, 'a')), Carrier::kGs1128)
          .value();
  const double x_mm = 165.10 / (bars.columns() + 20);
  ASSERT_LT(x_mm, 0.660);
  EXPECT_TRUE(check_dimension(bars, Application::kPharmacy, x_mm));
  EXPECT_EQ(code_of(check_dimension(bars, Application::kPharmacy, x_mm + 0.01)), Code::kTooLarge);
}

}  // namespace
}  // namespace theriac::label
