// float4 and float8 as PostgreSQL 15 reads and prints them. Threading: free functions on values.
#pragma once

#include <string>
#include <string_view>

#include "base/error.hpp"

namespace theriac::pgwire {

/// What the C library's strtod takes in locale C, with white space around it, as PostgreSQL on the
/// same library does. Code::kMalformed; kOutOfRange beyond the type, at both ends.
Result<double> read_float8(std::string_view text);
Result<float> read_float4(std::string_view text);
/// PostgreSQL's cast: kOutOfRange for what becomes an infinity or zero.
Result<float> narrowed(double value);

/// `extra_digits`: extra_float_digits. From 1 on the shortest text that reads back as the value.
std::string float8_text(double value, int extra_digits);
std::string float4_text(float value, int extra_digits);

}  // namespace theriac::pgwire
