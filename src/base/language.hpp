// The languages of texts for people. Errors themselves are codes; words are looked up at the edge.
#pragma once

#include <cstdint>

namespace theriac {

enum class Language : std::uint8_t { kEnglish, kChinese };

}  // namespace theriac
