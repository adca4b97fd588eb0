#include "label/zpl.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <iterator>
#include <vector>

#include "label/limits.hpp"
#include "label/text.hpp"

namespace theriac::label {

namespace {

constexpr char kFnc1 = '\x1d';
constexpr std::size_t kFontNameMax = 16;

bool digit(char c) { return c >= '0' && c <= '9'; }

/// Device, name and extension, as ^A@ takes them.
bool font_name(std::string_view name) {
  const auto allowed = [](char c) {
    return digit(c) || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' || c == '-';
  };
  return name.size() > 2 && name.size() <= kFontNameMax && name[0] >= 'A' && name[0] <= 'Z' &&
         name[1] == ':' && std::ranges::all_of(name.substr(2), allowed);
}

/// The field's data: ^ and ~ would begin a command, \ is our sign for hexadecimal (^FH).
std::string field(std::string_view data) {
  std::string out = "^FH\\^FD";
  for (const char c : data) {
    const bool plain = c != '^' && c != '~' && c != '\\' && static_cast<unsigned char>(c) >= 0x20;
    if (plain) {
      out += c;
    } else {
      fmt::format_to(std::back_inserter(out), "\\{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out + "^FS\n";
}

/// ^BX with _ as escape character: FNC1 is _1, and _ itself is doubled.
std::string data_matrix_data(std::string_view content) {
  std::string out = "_1";
  for (const char c : content) {
    if (c == kFnc1) {
      out += "_1";
    } else {
      out += c == '_' ? "__" : std::string(1, c);
    }
  }
  return out;
}

/// ^BC in mode N: subsets are called by us, the fewest symbol characters that there can be, so that
/// the bars are no longer than they were laid out. >; and >: start in subset C and B, >5 and >6
/// change to them, >8 is FNC1, >0 the character >.
std::string code_128_data(std::string_view content) {
  enum : std::size_t { kB, kC };
  const std::size_t size = content.size();
  const auto pair_at = [&](std::size_t at) {
    return at + 1 < size && digit(content[at]) && digit(content[at + 1]);
  };
  // fewest[at][subset]: characters from `at` on; what a subset cannot write costs a change.
  std::vector<std::array<std::size_t, 2>> fewest(size + 1, {0, 0});
  const auto without_change = [&](std::size_t at, std::size_t subset) {
    if (subset == kB || content[at] == kFnc1) return 1 + fewest[at + 1][subset];
    return pair_at(at) ? 1 + fewest[at + 2][kC] : size * 2;
  };
  for (std::size_t at = size; at-- > 0;) {
    const std::size_t b = without_change(at, kB);
    const std::size_t c = without_change(at, kC);
    fewest[at] = {std::min(b, c + 1), std::min(c, b + 1)};
  }
  std::size_t subset = fewest[0][kC] <= fewest[0][kB] ? kC : kB;
  std::string out = subset == kC ? ">;>8" : ">:>8";
  for (std::size_t at = 0; at < size;) {
    if (without_change(at, subset) != fewest[at][subset]) {
      subset = subset == kC ? kB : kC;
      out += subset == kC ? ">5" : ">6";
    }
    const bool pair = subset == kC && content[at] != kFnc1;
    if (content[at] == kFnc1) {
      out += ">8";
    } else {
      out += content[at] == '>' ? ">0" : std::string(content.substr(at, pair ? 2 : 1));
    }
    at += pair ? 2 : 1;
  }
  return out;
}

class Writer {
 public:
  explicit Writer(const Printer& printer) : printer_(printer) {}

  void begin(const Drawing& drawing) {
    put("^XA\n^CI28\n^LH0,0\n^PW{}\n^LL{}\n", dots(drawing.width_mm), dots(drawing.height_mm));
  }
  Status add(const PlacedSymbol& placed) {
    const double exact = placed.x_mm * printer_.dots_per_mm;
    const int module = static_cast<int>(std::lround(exact));
    constexpr double kTolerance = 0.01;
    if (module < 1 || module > kPrinterDotsPerModuleMax || std::abs(exact - module) > kTolerance) {
      return fail(Code::kOutOfRange, "zpl: X-dimension is not 1 to 10 dots");
    }
    const Symbol& symbol = placed.symbol;
    const int x = at_least_0(placed.at.x_mm);
    const int y = at_least_0(placed.at.y_mm);
    if (symbol.carrier() == Carrier::kQrLink) {
      // Printers set a QR Code lower by the bars' height that ^BY left behind: it is made 1 dot.
      put("^BY1,3,1^FO{},{}", x, std::max(0, y - 1));
    } else {
      put("^FO{},{}", x, y);
    }
    switch (symbol.carrier()) {
      case Carrier::kDataMatrix:
        put("^BXN,{},200,{},{},,_", module, symbol.columns(), symbol.rows());
        out_ += field(data_matrix_data(symbol.content()));
        break;
      case Carrier::kGs1128:
        put("^BY{0},3,{1}^BCN,{1},N,N,N,N", module, dots(placed.bar_height_mm));
        out_ += field(code_128_data(symbol.content()));
        break;
      case Carrier::kQrLink:  // M: level of error correction; A: the printer chooses the modes
        put("^BQN,2,{},M", module);
        out_ += field("MA," + symbol.content());
        break;
      case Carrier::kGs1Qr:
        picture(symbol, module);
        break;
    }
    return {};
  }
  Status add(const PlacedText& placed) {
    THERIAC_ASSIGN(const std::u32string line, line_of(placed.text));
    if (line.empty()) return {};
    const int height = std::max(1, dots(placed.size_mm));
    put("^FT{},{}", at_least_0(placed.baseline.x_mm), at_least_0(placed.baseline.y_mm));
    if (std::ranges::none_of(line, [](char32_t c) { return c > 0xff; })) {
      put("^A0N,{0},{0}", height);
    } else if (printer_.chinese_font.empty()) {
      return fail(Code::kUnsupported, "zpl: the printer has no font for Chinese text");
    } else {
      put("^A@N,{0},{0},{1}", height, printer_.chinese_font);
    }
    out_ += field(placed.text);
    return {};
  }
  void add(const PlacedLine& line) {
    const int pen = std::max(1, dots(line.pen_mm));
    const int left = at_least_0(std::min(line.from.x_mm, line.to.x_mm));
    const int top = at_least_0(std::min(line.from.y_mm, line.to.y_mm));
    const int width = dots(std::abs(line.to.x_mm - line.from.x_mm));
    const int height = dots(std::abs(line.to.y_mm - line.from.y_mm));
    if (width <= pen || height <= pen) {
      put("^FO{},{}^GB{},{},{}^FS\n", left, top, std::max(width, pen), std::max(height, pen), pen);
      return;
    }
    constexpr int kLeast = 3;  // of ^GD
    const bool falls = (line.to.x_mm > line.from.x_mm) == (line.to.y_mm > line.from.y_mm);
    put("^FO{},{}^GD{},{},{},B,{}^FS\n", left, top, std::max(width, kLeast),
        std::max(height, kLeast), pen, falls ? 'L' : 'R');
  }
  std::string finish() && {
    put("^PQ{}\n^XZ\n", printer_.quantity);
    return std::move(out_);
  }

 private:
  template <typename... Values>
  void put(fmt::format_string<Values...> format, Values&&... values) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Values>(values)...);
  }
  [[nodiscard]] int dots(double mm) const {
    return static_cast<int>(std::lround(mm * printer_.dots_per_mm));
  }
  [[nodiscard]] int at_least_0(double mm) const { return std::max(0, dots(mm)); }

  /// One bit a dot, rows of whole bytes.
  void picture(const Symbol& symbol, int module) {
    const int row_bytes = (symbol.columns() * module + 7) / 8;
    const int bytes = row_bytes * symbol.rows() * module;
    put("^GFA,{0},{0},{1},", bytes, row_bytes);
    for (int row = 0; row < symbol.rows(); ++row) {
      std::string line;
      for (int byte = 0; byte < row_bytes; ++byte) {
        unsigned bits = 0;
        for (int bit = 0; bit < 8; ++bit) {
          const bool dark = symbol.dark((byte * 8 + bit) / module, row);
          bits = (bits << 1U) | (dark ? 1U : 0U);
        }
        fmt::format_to(std::back_inserter(line), "{:02X}", bits);
      }
      for (int i = 0; i < module; ++i) out_ += line;
    }
    put("^FS\n");
  }

  const Printer& printer_;
  std::string out_;
};

}  // namespace

Grid grid_of(const Printer& printer) {
  return {1.0 / printer.dots_per_mm, kPrinterDotsPerModuleMax};
}

Result<std::string> zpl(const Drawing& drawing, const Printer& printer) {
  THERIAC_TRY(check_drawing(drawing));
  const int d = printer.dots_per_mm;
  if (d != 6 && d != 8 && d != 12 && d != 24) return fail(Code::kOutOfRange, "zpl: dots per mm");
  if (printer.quantity < 1 || printer.quantity > kPrintQuantityMax) {
    return fail(Code::kOutOfRange, "zpl: quantity");
  }
  if (!printer.chinese_font.empty() && !font_name(printer.chinese_font)) {
    return fail(Code::kOutOfRange, "zpl: name of the font");
  }
  Writer writer(printer);
  writer.begin(drawing);
  for (const PlacedSymbol& placed : drawing.symbols) THERIAC_TRY(writer.add(placed));
  const IconParts icons = parts_of(drawing.icons);
  for (const PlacedLine& line : icons.lines) writer.add(line);
  for (const PlacedText& placed : icons.letters) THERIAC_TRY(writer.add(placed));
  for (const PlacedText& placed : drawing.texts) THERIAC_TRY(writer.add(placed));
  return std::move(writer).finish();
}

}  // namespace theriac::label
