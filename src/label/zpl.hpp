// Labels in ZPL II, the language of label printers: the printer draws Data Matrix (^BX), GS1-128
// (^BC) and QR Codes with a link (^BQ) itself, from data that cannot leave its field; GS1 QR Codes,
// whose FNC1 ^BQ does not know, go as a picture (^GF). Source: Zebra, ZPL II Programming Guide.
//
// Threading: free functions.
#pragma once

#include <string>

#include "label/drawing.hpp"
#include "label/specification.hpp"

namespace theriac::label {

struct Printer {
  int dots_per_mm = 8;       ///< 6, 8, 12 or 24: 150, 203, 300, 600 dpi
  unsigned quantity = 1;     ///< copies of the label
  std::string chinese_font;  ///< on the printer, e.g. "E:SIMSUN.TTF"; empty: none there
};

/// For Design::grid, so that a symbol has the size it was laid out with.
Grid grid_of(const Printer& printer);

/// One label, or as many as `quantity` says. Code::kOutOfRange for another resolution, a quantity
/// or font name that cannot be, and an X-dimension that is not 1 to 10 whole dots;
/// Code::kUnsupported for a text with Chinese characters without a font for them; what
/// check_drawing and line_of say.
Result<std::string> zpl(const Drawing& drawing, const Printer& printer);

}  // namespace theriac::label
