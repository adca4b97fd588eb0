#include "label/drawing.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "label/limits.hpp"
#include "label/text.hpp"

namespace theriac::label {

namespace {

using Line = IconShape::Line;

std::vector<Line> polygon(std::initializer_list<Point> corners) {
  std::vector<Line> lines;
  const Point* before = corners.end() - 1;
  for (const Point& corner : corners) {
    lines.push_back({before->x_mm, before->y_mm, corner.x_mm, corner.y_mm});
    before = &corner;
  }
  return lines;
}

IconShape boxed(std::string_view letters) {
  constexpr double kAir = 0.36;
  std::u32string wide_letters(letters.begin(), letters.end());
  const double width = width_em(wide_letters, true) * IconShape::kLetters + kAir;
  return {width, polygon({{0, 0}, {width, 0}, {width, 1}, {0, 1}}), letters};
}

IconShape hourglass() {
  IconShape shape{0.7, polygon({{0, 0}, {0.7, 0}, {0, 1}, {0.7, 1}}), {}};
  return shape;
}

IconShape factory() {  // a hall with two sheds and a chimney, not filled: the date, not the maker
  return {
      1.2,
      polygon(
          {{0, 1}, {0, 0}, {0.25, 0}, {0.25, 0.6}, {0.7, 0.35}, {0.7, 0.6}, {1.2, 0.35}, {1.2, 1}}),
      {}};
}

IconShape single_use() {
  constexpr int kCorners = 16;
  IconShape shape{1, {}, "2"};
  const auto rim = [](int i) {
    const double angle = 2 * M_PI * i / kCorners;
    return Point{0.5 + 0.5 * std::sin(angle), 0.5 - 0.5 * std::cos(angle)};
  };
  for (int i = 0; i < kCorners; ++i) {
    const Point a = rim(i);
    const Point b = rim(i + 1);
    shape.lines.push_back({a.x_mm, a.y_mm, b.x_mm, b.y_mm});
  }
  const Point low = rim(kCorners * 3 / 8);
  const Point high = rim(kCorners * 7 / 8);
  shape.lines.push_back({high.x_mm, high.y_mm, low.x_mm, low.y_mm});
  return shape;
}

bool length(double mm) { return mm > 0 && mm <= kSideMax_mm; }
bool place(const Point& at) {
  return std::abs(at.x_mm) <= kSideMax_mm && std::abs(at.y_mm) <= kSideMax_mm;
}

}  // namespace

void add(Drawing& page, const Drawing& label, Point at) {
  const auto moved = [&](Point p) { return Point{p.x_mm + at.x_mm, p.y_mm + at.y_mm}; };
  for (PlacedSymbol item : label.symbols) {
    item.at = moved(item.at);
    page.symbols.push_back(std::move(item));
  }
  for (PlacedText item : label.texts) {
    item.baseline = moved(item.baseline);
    page.texts.push_back(std::move(item));
  }
  for (PlacedIcon item : label.icons) {
    item.at = moved(item.at);
    page.icons.push_back(item);
  }
}

const IconShape& shape_of(Icon icon) {
  static const std::array<IconShape, 9> shapes{IconShape{0, {}, {}}, boxed("UDI"), boxed("LOT"),
                                               boxed("SN"),          boxed("REF"), boxed("MD"),
                                               hourglass(),          factory(),    single_use()};
  return shapes.at(static_cast<std::size_t>(icon));
}

IconParts parts_of(const std::vector<PlacedIcon>& icons) {
  constexpr double kCapital = 0.718;  // height of Helvetica's capitals in em
  IconParts parts;
  for (const PlacedIcon& placed : icons) {
    const IconShape& shape = shape_of(placed.icon);
    const double h = placed.height_mm;
    const auto point = [&](double x, double y) {
      return Point{placed.at.x_mm + x * h, placed.at.y_mm + y * h};
    };
    for (const Line& line : shape.lines) {
      parts.lines.push_back(
          {point(line.x1, line.y1), point(line.x2, line.y2), IconShape::kPen * h});
    }
    if (shape.letters.empty()) continue;
    const std::u32string letters(shape.letters.begin(), shape.letters.end());
    const double width = width_em(letters, true) * IconShape::kLetters;
    const Point baseline =
        point((shape.width - width) / 2, 0.5 + kCapital * IconShape::kLetters / 2);
    parts.letters.push_back({std::string(shape.letters), baseline, IconShape::kLetters * h, true});
  }
  return parts;
}

Status check_drawing(const Drawing& drawing) {
  const bool side_good = drawing.width_mm >= kSideMin_mm && drawing.height_mm >= kSideMin_mm &&
                         length(drawing.width_mm) && length(drawing.height_mm);
  const bool good = side_good &&
                    std::ranges::all_of(drawing.symbols,
                                        [](const PlacedSymbol& item) {
                                          return place(item.at) && length(item.x_mm) &&
                                                 length(item.module_height_mm());
                                        }) &&
                    std::ranges::all_of(drawing.texts,
                                        [](const PlacedText& item) {
                                          return place(item.baseline) && length(item.size_mm);
                                        }) &&
                    std::ranges::all_of(drawing.icons, [](const PlacedIcon& item) {
                      return place(item.at) && length(item.height_mm);
                    });
  if (!good) return fail(Code::kOutOfRange, "label: size or place");
  return {};
}

}  // namespace theriac::label
