// How large a bar code is to be printed: GS1 General Specifications section 5.12.3, the symbol
// specification tables that medicines and devices use.
//
// Lengths in millimetres; X is the width of one module. Threading: free functions.
#pragma once

#include "label/symbol.hpp"

namespace theriac::label {

/// Where a symbol is scanned.
enum class Application : std::uint8_t {
  kHealthcare,    ///< table 6: healthcare items, not retail, not general distribution
  kPharmacy,      ///< table 10: healthcare items at a retail pharmacy
  kDistribution,  ///< table 5 and its addendum: logistic units, conveyors
};

struct Specification {
  double x_min_mm, x_target_mm, x_max_mm;
  double bar_height_mm;  ///< least height of a row of bars, 0: a matrix
};
/// QR Codes are in no healthcare table: there they take the sizes of consumer items.
Specification specification(Carrier carrier, Application application);

/// Light modules that must stay free: at the left and right, and above and below.
struct QuietZone {
  int beside, above;
};
QuietZone quiet_zone(Carrier carrier);

/// With its quiet zone.
struct Extent {
  double width_mm, height_mm;
};
/// `bar_height_mm` is for a row of bars only.
Extent extent(const Symbol& symbol, double x_mm, double bar_height_mm);

/// Code::kOutOfRange for an X-dimension outside the table, Code::kTooLarge for a GS1-128 that
/// becomes longer than 165.10 mm.
Status check_dimension(const Symbol& symbol, Application application, double x_mm);

/// The printer's or screen's dots: an X-dimension is a whole number of them.
struct Grid {
  double dot_mm = 0;            ///< 0: any length can be drawn
  int dots_per_module_max = 0;  ///< 0: no bound
};
/// What may be drawn, the best first: from the target downwards; if no whole number of dots lies
/// there, the least above the minimum. Empty if there is none.
std::vector<double> x_candidates(Carrier carrier, Application application, Grid grid);

}  // namespace theriac::label
