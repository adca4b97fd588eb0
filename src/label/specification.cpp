#include "label/specification.hpp"

#include <cmath>

#include "label/limits.hpp"

namespace theriac::label {

namespace {

/// Lengths are given to a thousandth of a millimetre.
constexpr double kTolerance_mm = 0.0005;
constexpr double kStep_mm = 0.01;

}  // namespace

Specification specification(Carrier carrier, Application application) {
  constexpr double kBars_mm = 12.70;
  constexpr double kBarsDistribution_mm = 31.75;
  const bool bars = carrier == Carrier::kGs1128;
  // At retail and in distribution a matrix has 1.5 times the X-dimension of bars (5.12.3).
  switch (application) {
    case Application::kHealthcare:
      if (bars) return {0.170, 0.495, 0.495, kBars_mm};
      if (carrier == Carrier::kDataMatrix) return {0.254, 0.380, 0.990, 0};
      return {0.396, 0.495, 0.990, 0};
    case Application::kPharmacy:
      if (bars) return {0.264, 0.330, 0.660, kBars_mm};
      return {0.396, 0.495, 0.990, 0};
    case Application::kDistribution:
      if (bars) return {0.495, 0.495, 0.940, kBarsDistribution_mm};
      return {0.743, 0.743, 1.500, 0};
  }
  THERIAC_ASSERT(false);
  return {};
}

QuietZone quiet_zone(Carrier carrier) {
  switch (carrier) {
    case Carrier::kDataMatrix:
      return {1, 1};
    case Carrier::kGs1128:
      return {10, 0};
    case Carrier::kQrLink:
    case Carrier::kGs1Qr:
      return {4, 4};
  }
  THERIAC_ASSERT(false);
  return {};
}

Extent extent(const Symbol& symbol, double x_mm, double bar_height_mm) {
  const QuietZone quiet = quiet_zone(symbol.carrier());
  const double width = x_mm * (symbol.columns() + 2 * quiet.beside);
  if (symbol.linear()) return {width, bar_height_mm};
  return {width, x_mm * (symbol.rows() + 2 * quiet.above)};
}

Status check_dimension(const Symbol& symbol, Application application, double x_mm) {
  const Specification wanted = specification(symbol.carrier(), application);
  const bool inside =
      x_mm >= wanted.x_min_mm - kTolerance_mm && x_mm <= wanted.x_max_mm + kTolerance_mm;
  if (!inside) return fail(Code::kOutOfRange, "X-dimension: outside the GS1 table");  // NaN too
  if (symbol.linear() && extent(symbol, x_mm, 0).width_mm > kGs1128WidthMax_mm + kTolerance_mm) {
    return fail(Code::kTooLarge, "GS1-128: longer than 165.10 mm");
  }
  return {};
}

std::vector<double> x_candidates(Carrier carrier, Application application, Grid grid) {
  const Specification wanted = specification(carrier, application);
  const double step = grid.dot_mm > 0 ? grid.dot_mm : kStep_mm;
  const auto dots = [&](double x_mm) { return static_cast<int>(std::floor(x_mm / step)); };
  const int least = dots(wanted.x_min_mm - kTolerance_mm) + 1;
  const int bound = grid.dot_mm > 0 && grid.dots_per_module_max > 0
                        ? grid.dots_per_module_max
                        : dots(wanted.x_max_mm + kTolerance_mm);
  std::vector<double> out;
  if (grid.dot_mm <= 0) out.push_back(wanted.x_target_mm);
  for (int n = std::min(bound, dots(wanted.x_target_mm + kTolerance_mm)); n >= least; --n) {
    const double x_mm = n * step;
    if (out.empty() || x_mm < out.back() - kTolerance_mm) out.push_back(x_mm);
  }
  if (out.empty() && least <= bound && least * step <= wanted.x_max_mm + kTolerance_mm) {
    out.push_back(least * step);
  }
  return out;
}

}  // namespace theriac::label
