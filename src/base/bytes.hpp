// Bytes, views and the few conversions everything needs.
//
// Threading: values and free functions, no shared state.
#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.hpp"

namespace theriac {

using Bytes = std::vector<std::uint8_t>;
/// Borrowed bytes: only ever a parameter, never kept, never passed into a coroutine.
using ByteView = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline ByteView view_of(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};  // NOLINT
}
inline std::string_view text_of(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};  // NOLINT
}
inline Bytes bytes_of(std::string_view text) {
  const auto v = view_of(text);
  return {v.begin(), v.end()};
}
inline void append(Bytes& out, ByteView more) { out.insert(out.end(), more.begin(), more.end()); }
inline void append(Bytes& out, std::string_view more) { append(out, view_of(more)); }

/// Reads an unsigned integer most significant byte first; `at` must hold sizeof(T) bytes.
template <std::unsigned_integral T>
T load_be(const std::uint8_t* at) {
  T value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = static_cast<T>((value << 8U) | at[i]);
  return value;
}
template <std::unsigned_integral T>
void store_be(std::uint8_t* at, T value) {
  for (std::size_t i = sizeof(T); i-- > 0; value = static_cast<T>(value >> 8U)) {
    at[i] = static_cast<std::uint8_t>(value);
  }
}
/// Appends `value` most significant byte first.
template <std::unsigned_integral T>
void append_be(Bytes& out, T value) {
  std::array<std::uint8_t, sizeof(T)> bytes;
  store_be(bytes.data(), value);
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Lower-case hexadecimal.
std::string to_hex(ByteView bytes);
/// Accepts both cases; anything else, or an odd length, is Code::kMalformed.
Result<Bytes> from_hex(std::string_view text);
/// The same into a buffer that is used again; empty after an error.
Status from_hex(std::string_view text, Bytes& out);

}  // namespace theriac
