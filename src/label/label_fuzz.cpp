// Texts of users in every form of label: what is written stays well formed whatever they are.
//
// Input: two bytes that choose, then lines: the element strings, and texts.
#include <array>

#include "base/bytes.hpp"
#include "label/layout.hpp"
#include "label/pdf.hpp"
#include "label/png.hpp"
#include "label/svg.hpp"
#include "label/zpl.hpp"

namespace {

using namespace theriac;
using namespace theriac::label;

std::size_t count(std::string_view text, std::string_view part) {
  std::size_t found = 0;
  for (auto at = text.find(part); at != text.npos; at = text.find(part, at + 1)) ++found;
  return found;
}

/// As many tags as the drawing asks for; & begins nothing but the four entities that we write.
void check_svg(const std::string& text) {
  std::size_t tags = 0;
  for (const std::string_view tag :
       {"<?xml ", "<svg ", "<rect ", "<path ", "<line ", "<text ", "</text>\n", "</svg>\n"}) {
    tags += count(text, tag);
  }
  THERIAC_ASSERT(tags == count(text, "<"));
  THERIAC_ASSERT(count(text, "<svg ") == 1 && text.ends_with("</svg>\n"));
  std::size_t entities = 0;
  for (const std::string_view entity : {"&lt;", "&gt;", "&amp;", "&quot;"}) {
    entities += count(text, entity);
  }
  THERIAC_ASSERT(entities == count(text, "&"));
}

void check_zpl(const std::string& text) {
  THERIAC_ASSERT(!text.contains('~'));
  THERIAC_ASSERT(count(text, "^XA") == 1 && count(text, "^XZ") == 1 && text.ends_with("^XZ\n"));
  std::size_t known = 0;
  for (const std::string_view name :
       {"^XA", "^CI28", "^LH0,0", "^PW",  "^LL",  "^FO",   "^FT", "^BX", "^BY", "^BC", "^BQ",
        "^GF", "^GB",   "^GD",    "^A0N", "^A@N", "^FH\\", "^FD", "^FS", "^PQ", "^XZ"}) {
    known += count(text, name);
  }
  THERIAC_ASSERT(known == count(text, "^"));
  THERIAC_ASSERT(count(text, "^FH\\^FD") == count(text, "^FD"));
}

/// Outside of the packed streams there is no text of users at all.
void check_pdf(const std::string& text) {
  THERIAC_ASSERT(text.starts_with("%PDF-1.4\n") && text.ends_with("%%EOF\n"));
}

std::string_view line(std::string_view& rest) {
  const std::size_t end = rest.find('\n');
  const std::string_view out = rest.substr(0, end);
  rest.remove_prefix(end == rest.npos ? rest.size() : end + 1);
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const unsigned choice = data[0];
  std::string_view rest = text_of({data + 2, size - 2});
  auto elements = gs1::parse_bracketed(line(rest), {false, false});
  if (!elements) elements = gs1::ElementString({{"10", "A"}});
  const auto symbol = make_symbol(*elements, static_cast<Carrier>(choice % 4));
  if (!symbol) return 0;
  LabelText text{{}, human_text(*elements, static_cast<TextForm>(choice / 4 % 4), 2026)};
  for (int i = 0; i < 3 && !rest.empty(); ++i) text.names.emplace_back(line(rest));
  while (!rest.empty()) {
    text.lines.push_back({static_cast<Icon>(text.lines.size() % 9), std::string(line(rest))});
  }
  Design design;
  design.width_mm = 5.0 + data[1];
  design.height_mm = 60;
  const Printer printer{choice >= 128 ? 8 : 12, 1, (choice & 64U) != 0 ? "E:SIMSUN.TTF" : ""};
  design.grid = grid_of(printer);
  const auto drawing = lay_out(*symbol, text, design);
  if (!drawing) return 0;
  const auto as_svg = svg(*drawing);
  THERIAC_ASSERT(as_svg.has_value());
  check_svg(*as_svg);
  if (const auto out = zpl(*drawing, printer)) check_zpl(*out);
  if (const auto out = pdf({&*drawing, 1})) check_pdf(*out);
  THERIAC_ASSERT(png(*symbol, 0.3, 300, 10).has_value());
  return 0;
}
