// Bounds on what is read. Those of single values stand in the application identifier table.
#pragma once

#include <cstddef>

namespace theriac::gs1 {

/// The largest symbol (QR version 40) holds 7,089 digits; a link may be written a little longer.
inline constexpr std::size_t kTextBytesMax = 8'192;
/// More elements than a label can carry, with room for several symbols read as one.
inline constexpr std::size_t kElementsMax = 64;
inline constexpr std::size_t kValueBytesMax = 90;  ///< the longest value of any AI
inline constexpr std::size_t kAiDigitsMax = 4;

inline constexpr int kPrefixDigitsMin = 6;  ///< company prefix, EPC Tag Data Standard 6.3
inline constexpr int kPrefixDigitsMax = 12;

/// Parts of an MA code; the coding manual names 8 characters of product and leaves longer ones
/// open.
inline constexpr std::size_t kMaProductMin = 3;
inline constexpr std::size_t kMaProductMax = 30;
inline constexpr std::size_t kMaValueMax = 40;
inline constexpr std::size_t kDrugCodeDigits = 20;

}  // namespace theriac::gs1
