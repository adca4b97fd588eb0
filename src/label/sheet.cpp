#include "label/sheet.hpp"

#include "label/limits.hpp"

namespace theriac::label {

namespace {

constexpr double kTolerance_mm = 0.001;

std::size_t places(const Sheet& sheet) {
  return static_cast<std::size_t>(sheet.columns) * static_cast<std::size_t>(sheet.rows);
}

}  // namespace

Status check_sheet(const Sheet& sheet) {
  const auto side = [](double mm) { return mm >= kSideMin_mm && mm <= kSideMax_mm; };
  const auto free = [](double mm) { return mm >= 0 && mm <= kSideMax_mm; };
  const bool good = side(sheet.paper.width_mm) && side(sheet.paper.height_mm) &&
                    side(sheet.label_width_mm) && side(sheet.label_height_mm) &&
                    free(sheet.left_mm) && free(sheet.top_mm) && free(sheet.gap_x_mm) &&
                    free(sheet.gap_y_mm) && sheet.columns >= 1 && sheet.rows >= 1 &&
                    sheet.columns <= kColumnsMax && sheet.rows <= kColumnsMax;
  if (!good) return fail(Code::kOutOfRange, "sheet: size");
  const double right =
      sheet.left_mm + sheet.columns * sheet.label_width_mm + (sheet.columns - 1) * sheet.gap_x_mm;
  const double bottom =
      sheet.top_mm + sheet.rows * sheet.label_height_mm + (sheet.rows - 1) * sheet.gap_y_mm;
  if (right > sheet.paper.width_mm + kTolerance_mm ||
      bottom > sheet.paper.height_mm + kTolerance_mm) {
    return fail(Code::kOutOfRange, "sheet: the labels leave the page");
  }
  return {};
}

Result<std::size_t> page_count(const Sheet& sheet, std::size_t labels, std::size_t skip) {
  THERIAC_TRY(check_sheet(sheet));
  if (skip >= places(sheet)) return fail(Code::kOutOfRange, "sheet: first place");
  if (labels > kLabelsMax) return fail(Code::kTooLarge, "sheet: labels");
  if (labels == 0) return 0;
  return (labels + skip + places(sheet) - 1) / places(sheet);
}

Result<std::vector<Drawing>> arrange(const Sheet& sheet, std::span<const Drawing> labels,
                                     std::size_t skip) {
  THERIAC_ASSIGN(const std::size_t pages, page_count(sheet, labels.size(), skip));
  std::vector<Drawing> out(pages, {sheet.paper.width_mm, sheet.paper.height_mm, {}, {}, {}});
  const auto columns = static_cast<std::size_t>(sheet.columns);
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const Drawing& label = labels[i];
    if (label.width_mm > sheet.label_width_mm + kTolerance_mm ||
        label.height_mm > sheet.label_height_mm + kTolerance_mm) {
      return fail(Code::kOutOfRange, "sheet: a label is larger than its place");
    }
    const std::size_t place = (i + skip) % places(sheet);
    const auto column = static_cast<double>(place % columns);
    const std::size_t full_rows = place / columns;
    const auto row = static_cast<double>(full_rows);
    add(out[(i + skip) / places(sheet)], label,
        {sheet.left_mm + column * (sheet.label_width_mm + sheet.gap_x_mm),
         sheet.top_mm + row * (sheet.label_height_mm + sheet.gap_y_mm)});
  }
  return out;
}

}  // namespace theriac::label
