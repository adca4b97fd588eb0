#include <ZXing/ReadBarcode.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <png.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "label/testing.hpp"

namespace theriac::label {

Picture picture_of(const Symbol& symbol, int scale) {
  const QuietZone quiet = quiet_zone(symbol.carrier());
  const int height = symbol.linear() ? 40 : (symbol.rows() + 2 * quiet.above) * scale;
  Picture out{(symbol.columns() + 2 * quiet.beside) * scale, height, {}};
  for (int y = 0; y < height; ++y) {
    const int row = symbol.linear() ? 0 : y / scale - quiet.above;
    for (int x = 0; x < out.width; ++x) {
      out.pixels.push_back(symbol.dark(x / scale - quiet.beside, row) ? 0 : 255);
    }
  }
  return out;
}

Picture read_png(ByteView file) {
  png_image image{};
  image.version = PNG_IMAGE_VERSION;
  if (png_image_begin_read_from_memory(&image, file.data(), file.size()) == 0) return {};
  image.format = PNG_FORMAT_GRAY;
  Picture out{static_cast<int>(image.width), static_cast<int>(image.height), {}};
  out.pixels.resize(PNG_IMAGE_SIZE(image));
  const png_color white{255, 255, 255};
  if (png_image_finish_read(&image, &white, out.pixels.data(), 0, nullptr) == 0) return {};
  return out;
}

Picture cut(const Picture& picture, Point at, double width_mm, double height_mm, int dpi) {
  const auto pixels = [&](double mm) { return static_cast<int>(std::lround(mm / 25.4 * dpi)); };
  const int left = std::clamp(pixels(at.x_mm), 0, picture.width);
  const int top = std::clamp(pixels(at.y_mm), 0, picture.height);
  Picture out{std::min(pixels(width_mm), picture.width - left),
              std::min(pixels(height_mm), picture.height - top),
              {}};
  for (int y = 0; y < out.height; ++y) {
    const auto from = picture.pixels.begin() + (top + y) * picture.width + left;
    out.pixels.insert(out.pixels.end(), from, from + out.width);
  }
  return out;
}

Picture cut(const Picture& picture, const PlacedSymbol& placed, int dpi) {
  constexpr double kAround_mm = 2;
  const QuietZone quiet = quiet_zone(placed.symbol.carrier());
  const Extent size = extent(placed.symbol, placed.x_mm, placed.bar_height_mm);
  const Point at{placed.at.x_mm - quiet.beside * placed.x_mm - kAround_mm,
                 placed.at.y_mm - quiet.above * placed.x_mm - kAround_mm};
  return cut(picture, at, size.width_mm + 2 * kAround_mm, size.height_mm + 2 * kAround_mm, dpi);
}

std::optional<std::string> decode(const Picture& picture) {
  if (picture.pixels.empty()) return {};
  ZXing::DecodeHints hints;
  hints.setFormats(ZXing::BarcodeFormat::DataMatrix | ZXing::BarcodeFormat::Code128 |
                   ZXing::BarcodeFormat::QRCode);
  const ZXing::ImageView view(picture.pixels.data(), picture.width, picture.height,
                              ZXing::ImageFormat::Lum);
  const ZXing::Result result = ZXing::ReadBarcode(view, hints);
  if (!result.isValid()) return {};
  const auto& bytes = result.bytes();
  return result.symbologyIdentifier() + std::string(bytes.begin(), bytes.end());
}

std::string scanned(const gs1::ElementString& elements, const Symbol& symbol) {
  switch (symbol.carrier()) {
    case Carrier::kDataMatrix:
      return gs1::scan(elements, gs1::Symbology::kDataMatrix);
    case Carrier::kGs1128:
      return gs1::scan(elements, gs1::Symbology::kGs1128);
    case Carrier::kGs1Qr:
      return gs1::scan(elements, gs1::Symbology::kQr);
    case Carrier::kQrLink:
      break;
  }
  return "]Q1" + symbol.content();
}

std::string output_of(std::vector<std::string> command, std::string_view input) {
  std::string folder = (std::filesystem::temp_directory_path() / "label_XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    ADD_FAILURE() << "no temporary folder";
    return {};
  }
  const std::string in = folder + "/in";
  const std::string out = folder + "/out";
  std::ofstream(in, std::ios::binary) << input;
  std::vector<char*> words;
  for (std::string& word : command) {
    if (word == "{}") word = in;
    words.push_back(word.data());
  }
  words.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 1, out.c_str(), O_WRONLY | O_CREAT, 0600);
  pid_t child = 0;
  int status = -1;
  const int failed = posix_spawnp(&child, words[0], &actions, nullptr, words.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  if (failed == 0) ::waitpid(child, &status, 0);
  EXPECT_EQ(failed, 0) << command[0] << " is not installed: tools/setup.sh";
  EXPECT_EQ(status, 0) << command[0];
  std::ifstream file(out, std::ios::binary);
  std::string text{std::istreambuf_iterator<char>(file), {}};
  std::filesystem::remove_all(folder);
  return text;
}

Picture render_svg(std::string_view svg, int dpi) {
  const std::string resolution = std::to_string(dpi);
  return read_png(view_of(
      output_of({"rsvg-convert", "-d", resolution, "-p", resolution, "-b", "white", "{}"}, svg)));
}

Picture render_pdf(std::string_view pdf, int page, int dpi) {
  const std::string number = std::to_string(page);
  return read_png(view_of(output_of(
      {"pdftoppm", "-gray", "-png", "-r", std::to_string(dpi), "-f", number, "-l", number, "{}"},
      pdf)));
}

gs1::ElementString elements_of(std::string_view bracketed) {
  const auto elements = gs1::parse_bracketed(bracketed, {false, false});
  EXPECT_TRUE(elements.has_value()) << bracketed;
  return elements ? *elements : gs1::ElementString();
}

Made label_of(std::string_view bracketed, Carrier carrier, TextForm form, Grid grid) {
  Made out{elements_of(bracketed), {}};
  const LabelText text{{"Exemplar® 20 mg <&> \"28\"", "示例片 二十毫克"},
                       human_text(out.elements, form, 2026)};
  Design design;
  design.width_mm = 130;
  design.height_mm = 50;
  design.grid = grid;
  const auto symbol = make_symbol(out.elements, carrier);
  EXPECT_TRUE(symbol);
  if (!symbol) return out;
  const auto drawing = lay_out(*symbol, text, design);
  EXPECT_TRUE(drawing);
  if (drawing) out.drawing = *drawing;
  return out;
}

std::vector<std::string> hostile_texts() {
  return {"\"><script>alert(1)</script>",
          "]]></text></svg>",
          "&lt;&#60;&amp;&bogus;",
          "<!-- --><?xml ?>",
          "'\"`\\",
          "^XZ^XA^FO0,0^FDx^FS^XZ",
          "~JR~HS",
          "\\5E\\7E_1_5E",
          "^FS^IDR:*.*^FS",
          ") Tj ET endstream endobj",
          "%%EOF <</Root 1 0 R>>",
          "((()"};
}

}  // namespace theriac::label
