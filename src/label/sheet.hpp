// Sheets of labels: rows and columns on a page.
//
// Lengths in millimetres. Threading: values and free functions.
#pragma once

#include <span>
#include <vector>

#include "label/drawing.hpp"

namespace theriac::label {

struct Paper {
  double width_mm, height_mm;
};
inline constexpr Paper kA4{210, 297};
inline constexpr Paper kLetter{215.9, 279.4};

struct Sheet {
  Paper paper = kA4;
  double left_mm = 0, top_mm = 0;  ///< of the first label
  double label_width_mm = 70, label_height_mm = 37;
  double gap_x_mm = 0, gap_y_mm = 0;  ///< between labels
  int columns = 3, rows = 8;
};

/// Code::kOutOfRange if the labels overlap, leave the page, or are none.
Status check_sheet(const Sheet& sheet);
/// How many pages `labels` take when the first `skip` places (of the first page) stay empty.
Result<std::size_t> page_count(const Sheet& sheet, std::size_t labels, std::size_t skip = 0);
/// Row by row from the top left. Code::kOutOfRange for a bad sheet, for `skip` beyond the first
/// page and for a label that is larger than its place; Code::kTooLarge beyond kLabelsMax.
Result<std::vector<Drawing>> arrange(const Sheet& sheet, std::span<const Drawing> labels,
                                     std::size_t skip = 0);

}  // namespace theriac::label
