// Text of others on a terminal.
#pragma once

#include <string>
#include <string_view>

namespace theriac::cli {

/// With "?" for what a terminal would take as a command: C0, DEL, and C1 in its UTF-8 form.
std::string harmless(std::string_view text);

}  // namespace theriac::cli
