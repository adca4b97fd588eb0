// Text that people give for a label: what may be in it, how wide it is, where a line may be broken.
// Widths are those of Helvetica (Adobe's font metrics, 1/1000 em); Chinese characters are one em.
//
// Threading: free functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace theriac::label {

/// Code::kBadEncoding for what is not UTF-8; Code::kMalformed for control characters, line
/// separators, marks that change the direction of writing and noncharacters; Code::kTooLarge beyond
/// kLineBytesMax.
Result<std::u32string> line_of(std::string_view text);
std::string to_utf8(std::u32string_view text);

/// Ideographs, kana, hangul, full-width forms: one em wide, and a line may be broken around them.
bool wide(char32_t c);

/// In em. What is not ASCII counts as wide as the widest of its kind, and one em beyond Latin-1.
double width_em(std::u32string_view text, bool bold);

enum class Words : std::uint8_t {
  kWhole,     ///< a word wider than a line stays whole: the caller sees it by its width
  kBreakable  ///< it is cut where the line is full
};
/// Lines at most `em` wide, broken at spaces and between ideographs. None for an empty text.
std::vector<std::u32string> wrap(std::u32string_view text, double em, bool bold, Words words);

}  // namespace theriac::label
