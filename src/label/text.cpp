#include "label/text.hpp"

#include <array>

#include "label/limits.hpp"

namespace theriac::label {

namespace {

constexpr char32_t kInvalid = 0xffffffff;

/// Takes one code point off the front; kInvalid for what is not UTF-8 (Unicode, table 3-7).
char32_t take(std::string_view& text) {
  const auto byte = [&](std::size_t i) -> char32_t {
    return i < text.size() ? static_cast<std::uint8_t>(text[i]) : 0U;
  };
  const char32_t lead = byte(0);
  const std::size_t size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  if ((lead >= 0x80 && lead < 0xc2) || lead > 0xf4) return kInvalid;
  char32_t value = size == 1 ? lead : lead & (0xffU >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0U) != 0x80) return kInvalid;
    value = (value << 6U) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> kLeast{0, 0, 0x80, 0x800, 0x10000};
  if (value < kLeast[size] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff)) {
    return kInvalid;
  }
  text.remove_prefix(size);
  return value;
}

bool printable(char32_t c) {
  const bool control = c < 0x20 || (c >= 0x7f && c < 0xa0);
  const bool separator = c == 0x2028 || c == 0x2029;
  const bool direction = (c >= 0x200b && c <= 0x200f) || (c >= 0x202a && c <= 0x202e) ||
                         (c >= 0x2060 && c <= 0x206f) || c == 0x061c || c == 0xfeff;
  const bool noncharacter = (c & 0xfffeU) == 0xfffe || (c >= 0xfdd0 && c <= 0xfdef);
  return !control && !separator && !direction && !noncharacter;
}

/// From space to tilde.
constexpr std::array<std::uint16_t, 95> kRegular{
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333,  278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667,
    611, 778, 722, 278, 500, 667, 556, 833, 722, 778, 667, 778, 722, 667,  611, 722, 667, 944, 667,
    667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556, 556, 278,  556, 556, 222, 222, 500,
    222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500,  500, 334, 260, 334, 584};
constexpr std::array<std::uint16_t, 95> kBold{
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556,
    556, 556, 556, 556, 556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667,
    611, 778, 722, 278, 556, 722, 611, 833, 722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667,
    667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611, 556, 333, 611, 611, 278, 278, 556,
    278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389, 280, 389, 584};

double width_em(char32_t c, bool bold) {
  if (c >= 0x20 && c < 0x7f) return (bold ? kBold : kRegular)[c - 0x20] / 1000.0;
  if (c > 0xff || c == 0xc6 || c == 0xe6) return 1;  // AE; and what may be an ideograph
  return c >= 0xdf ? 0.611 : 0.834;                  // the widest small letter, the widest sign
}

std::u32string_view trimmed(std::u32string_view text) {
  while (!text.empty() && text.front() == U' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == U' ') text.remove_suffix(1);
  return text;
}

/// Whether a line may end before text[i], i > 0; Chinese punctuation never begins a line.
bool edge(std::u32string_view text, std::size_t i) {
  constexpr std::u32string_view kNotFirst = U"、。，．：；！？）】》〉」』〕";
  if (kNotFirst.find(text[i]) != std::u32string_view::npos) return false;
  return text[i] == U' ' || wide(text[i]) || wide(text[i - 1]);
}

/// How many characters of `text` a line takes, at least one.
std::size_t taken(std::u32string_view text, double em, bool bold, Words words) {
  constexpr double kTolerance = 1e-6;
  double width = 0;
  std::size_t last_edge = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i > 0 && edge(text, i)) {
      if (width > em + kTolerance) return i;  // a whole word, wider than the line
      last_edge = i;
    }
    width += width_em(text[i], bold);
    if (width <= em + kTolerance) continue;
    if (last_edge > 0) return last_edge;
    if (words == Words::kBreakable) return std::max<std::size_t>(i, 1);
  }
  return text.size();
}

}  // namespace

Result<std::u32string> line_of(std::string_view text) {
  if (text.size() > kLineBytesMax) return fail(Code::kTooLarge, "label: line of text");
  std::u32string out;
  while (!text.empty()) {
    const char32_t c = take(text);
    if (c == kInvalid) return fail(Code::kBadEncoding, "label: line of text");
    if (!printable(c)) return fail(Code::kMalformed, "label: control character in a line");
    out.push_back(c);
  }
  return out;
}

std::string to_utf8(std::u32string_view text) {
  std::string out;
  for (const char32_t c : text) {
    const std::size_t more = c < 0x80 ? 0 : c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    constexpr std::array<char32_t, 4> kLead{0, 0xc0, 0xe0, 0xf0};
    out.push_back(static_cast<char>(kLead[more] | (c >> (6 * more))));
    for (std::size_t i = more; i-- > 0;) {
      out.push_back(static_cast<char>(0x80U | ((c >> (6 * i)) & 0x3fU)));
    }
  }
  return out;
}

bool wide(char32_t c) {
  return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) ||
         (c >= 0xac00 && c <= 0xd7a3) || (c >= 0xf900 && c <= 0xfaff) ||
         (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
         (c >= 0xffe0 && c <= 0xffe6) || (c >= 0x20000 && c <= 0x3fffd);
}

double width_em(std::u32string_view text, bool bold) {
  double width = 0;
  for (const char32_t c : text) width += width_em(c, bold);
  return width;
}

std::vector<std::u32string> wrap(std::u32string_view text, double em, bool bold, Words words) {
  std::vector<std::u32string> lines;
  for (text = trimmed(text); !text.empty(); text = trimmed(text)) {
    const std::size_t size = taken(text, em, bold, words);
    lines.emplace_back(trimmed(text.substr(0, size)));
    text.remove_prefix(size);
  }
  return lines;
}

}  // namespace theriac::label
