// Where everything goes on one label: product names on top, a matrix at the left with its text
// beside it (or above its text), bars across with their text below.
//
// Lengths in millimetres. Threading: free functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "label/drawing.hpp"
#include "label/specification.hpp"

namespace theriac::label {

struct Design {
  double width_mm = 60, height_mm = 30;
  double margin_mm = 1.5;
  Application application = Application::kHealthcare;
  Grid grid;  ///< of the printer that it is for
  /// Chosen module width; else the target of the GS1 table, or as much as there is room for.
  std::optional<double> x_mm;
  /// Height of bars; the least of the GS1 table when 0 (or less than that).
  double bar_height_mm = 0;
  double text_mm = 2.5;      ///< em of the text: 7 point
  double text_min_mm = 1.8;  ///< it shrinks so far where there is little room: 5 point
  double name_scale = 1.2;   ///< product names, times the text
};

/// What is printed beside the symbol.
struct LabelText {
  std::vector<std::string> names;  ///< product names, one line each or more, bold
  std::vector<TextLine> lines;     ///< human_text, and notes
};

/// Text shrinks before the symbol does; an element string is broken only when at the smallest sizes
/// it fits no line. Code::kTooLarge when it does not fit even so; Code::kOutOfRange for a design
/// that cannot be (sizes, an X-dimension outside the GS1 table or off the grid); what line_of says
/// of texts.
Result<Drawing> lay_out(const Symbol& symbol, const LabelText& text, const Design& design);

}  // namespace theriac::label
