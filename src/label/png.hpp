// A symbol with its quiet zone as a PNG picture of one bit a pixel, for documents and screens that
// take no vectors: every module is the same whole number of pixels, nothing is smoothed. Text is
// for svg and pdf. Source: PNG 1.2 (ISO/IEC 15948).
//
// Threading: free functions.
#pragma once

#include "base/bytes.hpp"
#include "label/specification.hpp"

namespace theriac::label {

/// The X-dimension nearest to `x_mm` that is whole pixels at `dpi`; at least one pixel.
int pixels_per_module(double x_mm, int dpi);

/// The picture says its resolution (pHYs). `bar_height_mm` is for a row of bars.
/// Code::kOutOfRange for a resolution or a length outside limits.hpp, Code::kTooLarge beyond
/// kPixelsMax.
Result<Bytes> png(const Symbol& symbol, double x_mm, int dpi, double bar_height_mm = 0);

}  // namespace theriac::label
