// json and jsonb as PostgreSQL 15 checks, prints and compares them. PostgreSQL nests as deep as its
// stack allows, this reader kJsonDepthMax levels (Code::kTooLarge). Threading: free functions.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace theriac::pgwire {

inline constexpr int kJsonDepthMax = 500;

/// What the type json takes and keeps as it is. Code::kMalformed.
Status check_json(std::string_view text);
/// As jsonb prints it: keys by length and then bytes, of doubled keys the last, numbers as numeric.
/// Code::kMalformed also for \u0000 and half surrogate pairs, kOutOfRange for numbers.
Result<std::string> jsonb_text(std::string_view text);
/// Equal where jsonb is: as jsonb_text(), with numbers by value.
Result<std::string> jsonb_equality(std::string_view text);

}  // namespace theriac::pgwire
