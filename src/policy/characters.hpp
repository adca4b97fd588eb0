// Text as a reader sees it: a letter with the accents that follow it is one character, so that a
// mask that keeps one character keeps no more and cuts none in two.
//
// Pure. Threading: free functions on values.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace theriac::policy {

/// Views into the text they were made from.
using Characters = std::vector<std::string_view>;

/// `text` is valid UTF-8. Combining marks, variation selectors, emoji modifiers and what a
/// zero-width joiner ties on belong to the character before them.
Characters characters_of(std::string_view text);
/// Code point at the begin of a non-empty valid UTF-8 text.
char32_t code_point_of(std::string_view text);

/// 0-9, and full-width ones as Chinese input methods write them.
bool is_digit(std::string_view character);
/// A Chinese ideograph.
bool is_han(std::string_view character);

}  // namespace theriac::policy
