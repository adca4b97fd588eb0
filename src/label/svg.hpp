// Drawings as SVG 1.1 for screens and artwork: lengths in millimetres, each symbol one path, no
// script, style sheet or reference to anything outside.
//
// Threading: free functions.
#pragma once

#include <string>

#include "label/drawing.hpp"

namespace theriac::label {

/// A whole document. Texts carry the width they were laid out with (textLength), so that another
/// font than Helvetica cannot run into the symbol. What check_drawing and line_of say.
Result<std::string> svg(const Drawing& drawing);

}  // namespace theriac::label
