// One label or page as what is to be seen on it, black on white: what layout makes and svg, pdf and
// zpl write.
//
// Lengths in millimetres from the top left corner, y downwards. Threading: values and free
// functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "label/human_text.hpp"
#include "label/symbol.hpp"

namespace theriac::label {

struct Point {
  double x_mm = 0, y_mm = 0;
};

struct PlacedSymbol {
  Symbol symbol;
  Point at;  ///< of the first module: the quiet zone lies outside
  double x_mm;
  double bar_height_mm;  ///< of a row of bars

  [[nodiscard]] double module_height_mm() const { return symbol.linear() ? bar_height_mm : x_mm; }
};

struct PlacedText {
  std::string text;  ///< UTF-8, one line
  Point baseline;    ///< at the left
  double size_mm;    ///< of the em
  bool bold = false;
};

struct PlacedIcon {
  Icon icon;
  Point at;
  double height_mm;
};

struct Drawing {
  double width_mm = 0, height_mm = 0;
  std::vector<PlacedSymbol> symbols;
  std::vector<PlacedText> texts;
  std::vector<PlacedIcon> icons;
};

/// Adds what is on `label` at another place.
void add(Drawing& page, const Drawing& label, Point at);

/// An icon of height 1: lines, and letters in their midst.
struct IconShape {
  struct Line {
    double x1, y1, x2, y2;
  };
  double width;
  std::vector<Line> lines;
  std::string_view letters;                 ///< capital letters, may be empty
  static constexpr double kLetters = 0.72;  ///< their size
  static constexpr double kPen = 0.07;      ///< width of a line
};
const IconShape& shape_of(Icon icon);

/// Lines and letters of the icons, in millimetres, so that a writer need know no more than lines
/// and texts.
struct PlacedLine {
  Point from, to;
  double pen_mm;
};
struct IconParts {
  std::vector<PlacedLine> lines;
  std::vector<PlacedText> letters;
};
IconParts parts_of(const std::vector<PlacedIcon>& icons);

/// Code::kOutOfRange for a size of label that cannot be (also not a number), a place that is not a
/// number, or a size of anything on it that is not above 0.
Status check_drawing(const Drawing& drawing);

}  // namespace theriac::label
