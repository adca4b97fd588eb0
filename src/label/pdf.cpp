#include "label/pdf.hpp"

#include <fmt/format.h>
#include <zlib.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <vector>

#include "label/limits.hpp"
#include "label/text.hpp"

namespace theriac::label {

namespace {

constexpr double kPoint = 72 / 25.4;  // in a millimetre

enum class Font : std::uint8_t { kLatin, kLatinBold, kChinese };
constexpr std::array<std::string_view, 3> kFontNames{"/L", "/B", "/C"};

/// WinAnsiEncoding (ISO 32000-1 annex D.2), 0 if the character is not in it.
unsigned win_ansi(char32_t c) {
  if ((c >= 0x20 && c < 0x7f) || (c >= 0xa0 && c <= 0xff)) return static_cast<unsigned>(c);
  using namespace std::string_view_literals;
  // From 0x80; NUL stands for the five codes without a character.
  constexpr auto kHigh = U"€\0‚ƒ„…†‡ˆ‰Š‹Œ\0Ž\0\0‘’“”•–—˜™š›œ\0žŸ"sv;
  static_assert(kHigh.size() == 32);
  const std::size_t at = c == 0 ? kHigh.npos : kHigh.find(c);
  return at == kHigh.npos ? 0 : 0x80 + static_cast<unsigned>(at);
}

/// Characters that labels use of those that Adobe-GB1-2 holds; all of them are one em wide.
bool in_chinese_font(char32_t c) {
  struct Range {
    char32_t first, last;
  };
  constexpr auto kRanges = std::to_array<Range>(
      {{0x391, 0x3a1},   {0x3a3, 0x3a9},   {0x3b1, 0x3c1},   {0x3c3, 0x3c9},   {0x401, 0x401},
       {0x410, 0x44f},   {0x451, 0x451},   {0x2103, 0x2103}, {0x2109, 0x2109}, {0x2116, 0x2116},
       {0x2160, 0x216b}, {0x2190, 0x2193}, {0x2264, 0x2265}, {0x2460, 0x2469}, {0x3000, 0x3003},
       {0x3005, 0x3017}, {0x3041, 0x3093}, {0x30a1, 0x30f6}, {0x338e, 0x338f}, {0x339c, 0x339e},
       {0x4e00, 0x9fa5}, {0xff01, 0xff5e}, {0xffe0, 0xffe5}});
  return std::ranges::any_of(
      kRanges, [&](const Range& range) { return c >= range.first && c <= range.last; });
}

/// A part of a line in one font, as hexadecimal text.
struct Part {
  Font font;
  std::string hex;
};

Result<std::vector<Part>> parts(const std::u32string& line, bool bold) {
  const Font latin = bold ? Font::kLatinBold : Font::kLatin;
  std::vector<Part> out;
  for (const char32_t c : line) {
    const unsigned code = win_ansi(c);
    if (code == 0 && !in_chinese_font(c)) {
      return fail(Code::kUnsupported, "pdf: a character without a standard font");
    }
    const Font font = code != 0 ? latin : Font::kChinese;
    if (out.empty() || out.back().font != font) out.push_back({font, {}});
    out.back().hex +=
        code != 0 ? fmt::format("{:02x}", code) : fmt::format("{:04x}", static_cast<unsigned>(c));
  }
  return out;
}

std::string number(double value) {
  std::string out = fmt::format("{:.4f}", value);
  while (out.back() == '0') out.pop_back();
  if (out.back() == '.') out.pop_back();
  return out == "-0" ? "0" : out;
}

/// The operators of one page; y goes up.
class Content {
 public:
  explicit Content(const Drawing& page) : height_mm_(page.height_mm) {}

  void add(const PlacedSymbol& placed) {
    const double h = placed.module_height_mm();
    for (const Run& run : dark_runs(placed.symbol)) {
      put("{} {} {} {} re\n", x(placed.at.x_mm + run.column * placed.x_mm),
          y(placed.at.y_mm + (run.row + 1) * h), number(run.length * placed.x_mm * kPoint),
          number(h * kPoint));
    }
    put("f\n");  // one path: no gaps between neighbours
  }
  void add(const PlacedLine& line) {
    put("2 J {} w {} {} m {} {} l S\n", number(line.pen_mm * kPoint), x(line.from.x_mm),
        y(line.from.y_mm), x(line.to.x_mm), y(line.to.y_mm));
  }
  Status add(const PlacedText& placed) {
    THERIAC_ASSIGN(const std::u32string line, line_of(placed.text));
    THERIAC_ASSIGN(const auto pieces, parts(line, placed.bold));
    if (pieces.empty()) return {};
    put("BT {} {} Td", x(placed.baseline.x_mm), y(placed.baseline.y_mm));
    for (const Part& piece : pieces) {
      const bool drawn_bold = placed.bold && piece.font == Font::kChinese;
      if (drawn_bold) put(" 2 Tr {} w", number(0.03 * placed.size_mm * kPoint));
      put(" {} {} Tf <{}> Tj", kFontNames.at(static_cast<std::size_t>(piece.font)),
          number(placed.size_mm * kPoint), piece.hex);
      if (drawn_bold) put(" 0 Tr");  // there is no bold STSong: its outline was drawn too
    }
    put(" ET\n");
    return {};
  }
  [[nodiscard]] const std::string& text() const { return text_; }

 private:
  template <typename... Values>
  void put(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(text_), format, std::forward<Values>(values)...);
  }
  static std::string x(double mm) { return number(mm * kPoint); }
  [[nodiscard]] std::string y(double mm) const { return number((height_mm_ - mm) * kPoint); }

  double height_mm_;
  std::string text_;
};

Result<std::string> content_of(const Drawing& page) {
  THERIAC_TRY(check_drawing(page));
  Content content(page);
  for (const PlacedSymbol& placed : page.symbols) content.add(placed);
  const IconParts icons = parts_of(page.icons);
  for (const PlacedLine& line : icons.lines) content.add(line);
  for (const PlacedText& placed : icons.letters) THERIAC_TRY(content.add(placed));
  for (const PlacedText& placed : page.texts) THERIAC_TRY(content.add(placed));
  return content.text();
}

/// Objects numbered from 1 in the order in which they are added, then the table of their places.
class File {
 public:
  File() : text_("%PDF-1.4\n%\xe2\xe3\xcf\xd3\n") {}
  int object(std::string_view body) {
    places_.push_back(text_.size());
    const auto number = static_cast<int>(places_.size());
    fmt::format_to(std::back_inserter(text_), "{} 0 obj\n{}\nendobj\n", number, body);
    return number;
  }
  Result<int> stream(const std::string& data) {
    uLongf size = compressBound(data.size());
    std::string packed(size, '\0');
    auto* const to = reinterpret_cast<Bytef*>(packed.data());              // NOLINT
    const auto* const from = reinterpret_cast<const Bytef*>(data.data());  // NOLINT
    if (compress2(to, &size, from, data.size(), Z_DEFAULT_COMPRESSION) != Z_OK) {
      return fail(Code::kInternal, "pdf");
    }
    packed.resize(size);
    return object(
        fmt::format("<< /Length {} /Filter /FlateDecode >>\nstream\n{}\nendstream", size, packed));
  }
  std::string finish(int root) && {
    const std::size_t table = text_.size();
    const auto at = std::back_inserter(text_);
    fmt::format_to(at, "xref\n0 {}\n0000000000 65535 f \n", places_.size() + 1);
    for (const std::size_t place : places_) fmt::format_to(at, "{:010} 00000 n \n", place);
    fmt::format_to(at, "trailer\n<< /Size {} /Root {} 0 R >>\nstartxref\n{}\n%%EOF\n",
                   places_.size() + 1, root, table);
    return std::move(text_);
  }

 private:
  std::string text_;
  std::vector<std::size_t> places_;
};

/// The three fonts as a resource dictionary.
std::string fonts(File& file) {
  const auto latin = [&](std::string_view name) {
    return file.object(fmt::format(
        "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>", name));
  };
  const int regular = latin("Helvetica");
  const int bold = latin("Helvetica-Bold");
  const int descriptor = file.object(
      "<< /Type /FontDescriptor /FontName /STSong-Light /Flags 6 /FontBBox [-25 -254 1000 880] "
      "/ItalicAngle 0 /Ascent 880 /Descent -120 /CapHeight 880 /StemV 93 >>");
  const int cid = file.object(fmt::format(
      "<< /Type /Font /Subtype /CIDFontType0 /BaseFont /STSong-Light /CIDSystemInfo << /Registry "
      "(Adobe) /Ordering (GB1) /Supplement 2 >> /FontDescriptor {} 0 R /DW 1000 >>",
      descriptor));
  const int chinese = file.object(
      fmt::format("<< /Type /Font /Subtype /Type0 /BaseFont /STSong-Light-UniGB-UCS2-H /Encoding "
                  "/UniGB-UCS2-H /DescendantFonts [{} 0 R] >>",
                  cid));
  return fmt::format("<< /Font << /L {} 0 R /B {} 0 R /C {} 0 R >> >>", regular, bold, chinese);
}

}  // namespace

Result<std::string> pdf(std::span<const Drawing> pages) {
  if (pages.empty()) return fail(Code::kMalformed, "pdf: no pages");
  if (pages.size() > kLabelsMax) return fail(Code::kTooLarge, "pdf: pages");
  File file;
  const int resources = file.object(fonts(file));
  // Each page is two objects, its content and itself; their parent comes behind them all.
  const int parent = resources + 2 * static_cast<int>(pages.size()) + 1;
  std::string kids;
  for (const Drawing& page : pages) {
    THERIAC_ASSIGN(const std::string text, content_of(page));
    THERIAC_ASSIGN(const int content, file.stream(text));
    const int page_number = file.object(fmt::format(
        "<< /Type /Page /Parent {} 0 R /MediaBox [0 0 {} {}] /Resources {} 0 R /Contents {} 0 R >>",
        parent, number(page.width_mm * kPoint), number(page.height_mm * kPoint), resources,
        content));
    kids += fmt::format("{} 0 R ", page_number);
  }
  file.object(fmt::format("<< /Type /Pages /Count {} /Kids [{}] >>", pages.size(), kids));
  const int root = file.object(fmt::format("<< /Type /Catalog /Pages {} 0 R >>", parent));
  return std::move(file).finish(root);
}

}  // namespace theriac::label
