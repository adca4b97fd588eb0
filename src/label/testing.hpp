// For the tests of this folder: pictures read back by programs and libraries that are not ours.
//
// Threading: free functions, temporary files of their own.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/bytes.hpp"
#include "gs1/element_string.hpp"
#include "label/layout.hpp"

namespace theriac::label {

/// Grey, row by row; 0 is black.
struct Picture {
  int width = 0, height = 0;
  Bytes pixels;
};
/// Of a symbol: modules of `scale` pixels, bars 40 pixels high, quiet zone included.
Picture picture_of(const Symbol& symbol, int scale);
/// By libpng; an empty picture if it is not a PNG.
Picture read_png(ByteView file);

/// A part of a rendered page.
Picture cut(const Picture& picture, Point at, double width_mm, double height_mm, int dpi);
/// The symbol with 2 mm around its quiet zone: zxing-cpp 1.4 does not find a small Data Matrix
/// among texts.
Picture cut(const Picture& picture, const PlacedSymbol& placed, int dpi);

/// What zxing-cpp reads, like a scanner that sends symbology identifiers; nothing if it reads
/// nothing.
std::optional<std::string> decode(const Picture& picture);
/// What decode must find: gs1::scan, or ]Q1 and the link.
std::string scanned(const gs1::ElementString& elements, const Symbol& symbol);

/// Standard output of a program that is given the text as a file (its name in place of "{}"); fails
/// the test when the program does not end with 0.
std::string output_of(std::vector<std::string> command, std::string_view input);
Picture render_svg(std::string_view svg, int dpi);
Picture render_pdf(std::string_view pdf, int page, int dpi);

gs1::ElementString elements_of(std::string_view bracketed);
/// A label of 130 x 50 mm with names in two languages.
struct Made {
  gs1::ElementString elements;
  Drawing drawing;
};
Made label_of(std::string_view bracketed, Carrier carrier, TextForm form, Grid grid = {});
/// What people may type into a name to get out of its field.
std::vector<std::string> hostile_texts();

/// A pack of medicine, a device.
inline constexpr std::string_view kMedicine =
    "(01)09504000059101(21)8X2K7QW4M9Z1(17)271231(10)AB12C";
inline constexpr std::string_view kDeviceText =
    "(01)06901234567892(11)250114(17)300113(10)20250114(21)SN0004711";

}  // namespace theriac::label
