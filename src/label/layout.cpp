#include "label/layout.hpp"

#include <algorithm>
#include <cmath>

#include "label/limits.hpp"
#include "label/text.hpp"

namespace theriac::label {

namespace {

constexpr double kLeading = 1.25;  // from line to line, in em
constexpr double kAscent = 0.80;   // from the top of a line to its baseline, in em
constexpr double kGap_mm = 1.0;    // between names, symbol and text
constexpr double kTextStep_mm = 0.1;
constexpr double kTolerance_mm = 0.0005;
constexpr double kIconGap = 0.35;    // between an icon and its text, in em
constexpr double kIconHeight = 1.0;  // in em
constexpr double kMarginMax_mm = 100;

struct Line {
  Icon icon;
  std::u32string text;
};
struct Given {
  std::vector<std::u32string> names;
  std::vector<Line> lines;
};

/// How far lines of text may be broken; product names always at spaces.
enum class Breaking : std::uint8_t { kNever, kAtSpaces, kAnywhere };

/// The column that the icons of these lines stand in, 0 if they have none.
double icons_em(const std::vector<Line>& lines) {
  double widest = 0;
  for (const Line& line : lines) {
    if (line.icon == Icon::kNone) continue;
    widest = std::max(widest, shape_of(line.icon).width * kIconHeight + kIconGap);
  }
  return widest;
}

/// Lines of text below each other; those that begin with an icon, and what follows of them, are
/// indented.
struct Block {
  struct Item {
    Icon icon;
    bool indented;
    std::u32string text;
  };
  std::vector<Item> items;
  double icons_em = 0;
  double width_mm = 0, height_mm = 0;
};

Block block(const std::vector<Line>& given, double width_mm, double em_mm, bool bold,
            Breaking breaking) {
  const Words words = breaking == Breaking::kAnywhere ? Words::kBreakable : Words::kWhole;
  Block out;
  out.icons_em = icons_em(given);
  for (const Line& line : given) {
    const bool indented = line.icon != Icon::kNone;
    const double before = indented ? out.icons_em : 0;
    Icon icon = line.icon;
    auto parts = breaking == Breaking::kNever
                     ? std::vector{line.text}
                     : wrap(line.text, width_mm / em_mm - before, bold, words);
    for (std::u32string& part : parts) {
      out.width_mm = std::max(out.width_mm, (width_em(part, bold) + before) * em_mm);
      out.items.push_back({icon, indented, std::move(part)});
      icon = Icon::kNone;
    }
  }
  out.height_mm = static_cast<double>(out.items.size()) * em_mm * kLeading;
  return out;
}

/// As many element strings on a line as fit: the text below bars.
std::vector<Line> joined(const std::vector<Line>& given, double width_mm, double em_mm) {
  std::vector<Line> out;
  for (const Line& line : given) {
    if (!out.empty() && out.back().icon == Icon::kNone && line.icon == Icon::kNone &&
        line.text.starts_with(U'(')) {
      const std::u32string longer = out.back().text + U" " + line.text;
      if (out.back().text.starts_with(U'(') && width_em(longer, false) * em_mm <= width_mm) {
        out.back().text = longer;
        continue;
      }
    }
    out.push_back(line);
  }
  return out;
}

struct Attempt {
  double x_mm, em_mm;
  Breaking breaking;
  bool beside;  ///< text beside the symbol, else below it
};

class Composer {
 public:
  Composer(const Symbol& symbol, const Given& given, const Design& design)
      : symbol_(symbol), given_(given), design_(design) {
    for (const std::u32string& name : given.names) names_.push_back({Icon::kNone, name});
    bar_height_mm_ = std::max(design.bar_height_mm,
                              specification(symbol.carrier(), design.application).bar_height_mm);
  }

  std::optional<Drawing> compose(const Attempt& attempt) const {
    const double width = design_.width_mm - 2 * design_.margin_mm;
    const double height = design_.height_mm - 2 * design_.margin_mm;
    const Extent size = extent(symbol_, attempt.x_mm, bar_height_mm_);
    const double name_em = attempt.em_mm * design_.name_scale;
    const Block names =
        block(names_, width, name_em, true, std::max(attempt.breaking, Breaking::kAtSpaces));
    const double below_names = names.items.empty() ? 0 : names.height_mm + kGap_mm;
    const double text_width = attempt.beside ? width - size.width_mm - kGap_mm : width;
    if (size.width_mm > width + kTolerance_mm || (attempt.beside && text_width <= 0)) return {};
    const Block text =
        block(symbol_.linear() ? joined(given_.lines, text_width, attempt.em_mm) : given_.lines,
              text_width, attempt.em_mm, false, attempt.breaking);
    const double gap = text.items.empty() ? 0 : kGap_mm;
    const double body = attempt.beside ? std::max(size.height_mm, text.height_mm)
                                       : size.height_mm + gap + text.height_mm;
    const bool fits = names.width_mm <= width + kTolerance_mm &&
                      text.width_mm <= text_width + kTolerance_mm &&
                      below_names + body <= height + kTolerance_mm;
    if (!fits) return {};

    Drawing out{design_.width_mm, design_.height_mm, {}, {}, {}};
    const double left = design_.margin_mm;
    // What is left of the height goes between names and body, as far as they still belong together,
    // and in equal parts above and below.
    const double spare = height - below_names - body;
    const double between = names.items.empty() ? 0 : std::min(spare / 3, attempt.em_mm);
    const double top = design_.margin_mm + (spare - between) / 2;
    const double body_top = top + below_names + between;
    put(out, names, {left, top}, name_em, true, symbol_.linear() ? width : 0);
    if (attempt.beside) {
      // With spare width on both sides, symbol and text stand together in the middle.
      const double used = size.width_mm + gap + text.width_mm;
      const double shift = names.items.empty() ? std::max(0.0, (width - used) / 2) : 0;
      put_symbol(out, {left + shift, body_top + (body - size.height_mm) / 2}, attempt.x_mm);
      put(out, text, {left + shift + size.width_mm + gap, body_top + (body - text.height_mm) / 2},
          attempt.em_mm, false, 0);
    } else {
      put_symbol(out, {left + (width - size.width_mm) / 2, body_top}, attempt.x_mm);
      put(out, text, {left, body_top + size.height_mm + gap}, attempt.em_mm, false, width);
    }
    return out;
  }

 private:
  /// `at` is the corner of the quiet zone. Modules stand on the printer's dots.
  void put_symbol(Drawing& out, Point at, double x_mm) const {
    const QuietZone quiet = quiet_zone(symbol_.carrier());
    const double dot = design_.grid.dot_mm;
    const auto on_dot = [&](double mm) { return dot > 0 ? std::round(mm / dot) * dot : mm; };
    const Point first{on_dot(at.x_mm + quiet.beside * x_mm), on_dot(at.y_mm + quiet.above * x_mm)};
    out.symbols.push_back({symbol_, first, x_mm, symbol_.linear() ? bar_height_mm_ : 0});
  }

  /// Lines at the left of `at`, or centred in `centre_mm` if that is not 0.
  static void put(Drawing& out, const Block& text, Point at, double em_mm, bool bold,
                  double centre_mm) {
    double y = at.y_mm;
    for (const Block::Item& item : text.items) {
      const double indent = item.indented ? text.icons_em : 0;
      double x = at.x_mm;
      if (centre_mm > 0) x += (centre_mm - (width_em(item.text, bold) + indent) * em_mm) / 2;
      const double baseline = y + (kAscent + (kLeading - 1) / 2) * em_mm;
      if (item.icon != Icon::kNone) {
        constexpr double kMiddle = 0.36;  // of capitals and digits above the baseline, in em
        const double top = baseline - (kMiddle + kIconHeight / 2) * em_mm;
        out.icons.push_back({item.icon, {x, top}, kIconHeight * em_mm});
      }
      out.texts.push_back({to_utf8(item.text), {x + indent * em_mm, baseline}, em_mm, bold});
      y += kLeading * em_mm;
    }
  }

  const Symbol& symbol_;
  const Given& given_;
  const Design& design_;
  std::vector<Line> names_;
  double bar_height_mm_ = 0;
};

Result<Given> read(const LabelText& text) {
  if (text.names.size() + text.lines.size() > kLinesMax) {
    return fail(Code::kTooLarge, "label: lines of text");
  }
  Given given;
  for (const std::string& name : text.names) {
    THERIAC_ASSIGN(auto line, line_of(name));
    given.names.push_back(std::move(line));
  }
  for (const TextLine& item : text.lines) {
    THERIAC_ASSIGN(auto line, line_of(item.text));
    given.lines.push_back({item.icon, std::move(line)});
  }
  return given;
}

Status check_design(const Symbol& symbol, const Design& design) {
  const auto side = [](double mm) { return mm >= kSideMin_mm && mm <= kSideMax_mm; };
  const bool good = side(design.width_mm) && side(design.height_mm) && design.margin_mm >= 0 &&
                    design.margin_mm <= kMarginMax_mm && design.text_min_mm >= kTextStep_mm &&
                    design.text_mm >= design.text_min_mm && design.text_mm <= kTextMax_mm &&
                    design.name_scale > 0 && design.name_scale <= 10 && design.bar_height_mm >= 0 &&
                    design.bar_height_mm <= kSideMax_mm && design.grid.dot_mm >= 0 &&
                    design.grid.dot_mm <= kSideMin_mm;
  if (!good) return fail(Code::kOutOfRange, "label: design");
  if (!design.x_mm) return {};
  const double dot = design.grid.dot_mm;
  if (dot > 0 && std::abs(std::round(*design.x_mm / dot) * dot - *design.x_mm) > kTolerance_mm) {
    return fail(Code::kOutOfRange, "X-dimension: not a whole number of the printer's dots");
  }
  return check_dimension(symbol, design.application, *design.x_mm);
}

}  // namespace

Result<Drawing> lay_out(const Symbol& symbol, const LabelText& text, const Design& design) {
  THERIAC_TRY(check_design(symbol, design));
  THERIAC_ASSIGN(const Given given, read(text));
  const std::vector<double> widths =
      design.x_mm ? std::vector<double>{*design.x_mm}
                  : x_candidates(symbol.carrier(), design.application, design.grid);
  if (widths.empty())
    return fail(Code::kOutOfRange, "X-dimension: the printer's dots are too coarse");
  const Composer composer(symbol, given, design);
  const int text_steps =
      static_cast<int>((design.text_mm - design.text_min_mm) / kTextStep_mm + kTolerance_mm);
  for (const Breaking breaking : {Breaking::kNever, Breaking::kAtSpaces, Breaking::kAnywhere}) {
    for (const double x_mm : widths) {
      if (!check_dimension(symbol, design.application, x_mm)) continue;
      for (int step = 0; step <= text_steps; ++step) {
        const double em = design.text_mm - step * kTextStep_mm;
        for (const bool beside : {true, false}) {
          if (beside && symbol.linear()) continue;
          if (auto drawing = composer.compose({x_mm, em, breaking, beside})) return *drawing;
        }
      }
    }
  }
  return fail(Code::kTooLarge, "label: symbol and text need more room");
}

}  // namespace theriac::label
