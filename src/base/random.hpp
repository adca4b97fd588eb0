// Randomness as an interface. The real one is crypto::SystemRandom.
#pragma once

#include "base/bytes.hpp"

namespace theriac {

class Random {
 public:
  virtual ~Random() = default;
  /// Fills `out` completely; the real implementation never fails (it ends the program instead).
  virtual void fill(MutableBytes out) = 0;

  template <typename I>
  I id() {
    I made;
    fill(made.bytes);
    return made;
  }
  /// A version-4 UUID (RFC 9562, section 5.4).
  template <typename I>
    requires(I::kSize == 16)
  I uuid() {
    auto made = id<I>();
    made.bytes[6] = static_cast<std::uint8_t>((made.bytes[6] & 0x0fU) | 0x40U);
    made.bytes[8] = static_cast<std::uint8_t>((made.bytes[8] & 0x3fU) | 0x80U);
    return made;
  }
};

}  // namespace theriac
