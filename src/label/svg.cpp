#include "label/svg.hpp"

#include <fmt/format.h>

#include <iterator>

#include "label/text.hpp"

namespace theriac::label {

namespace {

constexpr std::string_view kFonts =
    "Helvetica, Arial, 'Liberation Sans', 'Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', "
    "sans-serif";

/// Micrometres are finer than any printer; no trailing zeros.
std::string number(double value) {
  std::string out = fmt::format("{:.3f}", value);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

std::string escaped(std::string_view text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '"':
        out += "&quot;";
        break;
      default:
        out += c;
    }
  }
  return out;
}

void append(std::string& out, const PlacedSymbol& placed) {
  const auto at = std::back_inserter(out);
  fmt::format_to(at, "<path transform=\"translate({} {}) scale({} {})\" d=\"",
                 number(placed.at.x_mm), number(placed.at.y_mm), fmt::format("{:.6g}", placed.x_mm),
                 fmt::format("{:.6g}", placed.module_height_mm()));
  for (const Run& run : dark_runs(placed.symbol)) {
    fmt::format_to(at, "M{} {}h{}v1h-{}z", run.column, run.row, run.length, run.length);
  }
  out += "\" shape-rendering=\"crispEdges\"/>\n";
}

Status append(std::string& out, const PlacedText& placed) {
  THERIAC_ASSIGN(const std::u32string line, line_of(placed.text));
  if (line.empty()) return {};
  fmt::format_to(std::back_inserter(out),
                 "<text x=\"{}\" y=\"{}\" font-size=\"{}\"{} textLength=\"{}\" "
                 "lengthAdjust=\"spacingAndGlyphs\" xml:space=\"preserve\">{}</text>\n",
                 number(placed.baseline.x_mm), number(placed.baseline.y_mm), number(placed.size_mm),
                 placed.bold ? " font-weight=\"bold\"" : "",
                 number(width_em(line, placed.bold) * placed.size_mm), escaped(placed.text));
  return {};
}

}  // namespace

Result<std::string> svg(const Drawing& drawing) {
  THERIAC_TRY(check_drawing(drawing));
  const std::string width = number(drawing.width_mm);
  const std::string height = number(drawing.height_mm);
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
      "<svg xmlns=\"http://www.w3.org/2000/svg\" version=\"1.1\" width=\"{0}mm\" height=\"{1}mm\" "
      "viewBox=\"0 0 {0} {1}\" font-family=\"{2}\">\n"
      "<rect width=\"{0}\" height=\"{1}\" fill=\"#fff\"/>\n",
      width, height, kFonts);
  for (const PlacedSymbol& placed : drawing.symbols) append(out, placed);
  const IconParts icons = parts_of(drawing.icons);
  for (const PlacedLine& line : icons.lines) {
    fmt::format_to(std::back_inserter(out),
                   "<line x1=\"{}\" y1=\"{}\" x2=\"{}\" y2=\"{}\" stroke=\"#000\" "
                   "stroke-width=\"{}\" stroke-linecap=\"square\"/>\n",
                   number(line.from.x_mm), number(line.from.y_mm), number(line.to.x_mm),
                   number(line.to.y_mm), number(line.pen_mm));
  }
  for (const PlacedText& placed : icons.letters) THERIAC_TRY(append(out, placed));
  for (const PlacedText& placed : drawing.texts) THERIAC_TRY(append(out, placed));
  out += "</svg>\n";
  return out;
}

}  // namespace theriac::label
