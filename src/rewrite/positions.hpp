// Where in the client's text an error is that the server found in a rewritten one. Pure;
// thread-safe.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

namespace theriac::rewrite {

/// Positions as in ErrorResponse: characters from 1. `position` is in `sent`, which says what
/// `text` says with other names; nullopt if the place in `text` is not certain.
std::optional<std::size_t> position_in_text(const std::string& sent, std::size_t position,
                                            const std::string& text);

}  // namespace theriac::rewrite
