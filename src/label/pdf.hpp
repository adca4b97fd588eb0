// Drawings as PDF 1.4 (ISO 32000-1 without its later parts), one page each, for paper: symbols and
// icons are vectors. Text is in fonts that every reader brings and no file carries: Helvetica for
// Latin-1, STSong-Light (UniGB-UCS2-H) for Chinese; another font may stand in for them, so what
// must be embedded (PDF/A) cannot be made here.
//
// Threading: free functions.
#pragma once

#include <span>
#include <string>

#include "label/drawing.hpp"

namespace theriac::label {

/// The same pages give the same bytes. Code::kUnsupported for a character that neither font has;
/// Code::kMalformed for no page at all, Code::kTooLarge beyond kLabelsMax pages; what check_drawing
/// and line_of say.
Result<std::string> pdf(std::span<const Drawing> pages);

}  // namespace theriac::label
