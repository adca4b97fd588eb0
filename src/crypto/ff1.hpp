// FF1, format-preserving encryption of numerals: NIST SP 800-38G Rev. 1, algorithm 7 and 8, over
// AES-256 or SM4. A permutation of the texts of one length over one alphabet.
//
// Many values go through the ten rounds together, so that the block cipher works on many blocks a
// call. Numerals are numbers here: the first half of the text (floor(n/2) numerals) and the second,
// each read as a number in the radix.
//
// Threading: an object belongs to one thread at a time.
#pragma once

#include <memory>
#include <span>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace theriac::crypto {

__extension__ using Uint128 = unsigned __int128;

/// A text of n numerals: its first u = floor(n/2) and its last v = n - u as numbers.
struct Ff1Text {
  Uint128 left = 0, right = 0;
  friend bool operator==(const Ff1Text&, const Ff1Text&) = default;
};

/// SP 800-38G Rev. 1, 5.1: radix^length is at least a million.
inline constexpr int kFf1DomainMin = 1'000'000;
/// A half must fit 12 bytes, so that a round is one block beside the tweak.
inline constexpr int kFf1HalfBytesMax = 12;
inline constexpr std::size_t kFf1TweakBytesMax = 256;

class Ff1 {
 public:
  /// Code::kOutOfRange if the radix is not in 2..65536, the texts are too few for the standard or a
  /// half is too long; kTooLarge for a longer tweak.
  static Result<Ff1> make(const Key256& aes256, int radix, int length, ByteView tweak);
  static Result<Ff1> make(const Secret<16>& sm4, int radix, int length, ByteView tweak);
  ~Ff1();
  Ff1(Ff1&&) noexcept;
  Ff1& operator=(Ff1&&) noexcept;

  /// In place. Asserts that each half is below radix^u and radix^v.
  void encrypt(std::span<Ff1Text> texts);
  void decrypt(std::span<Ff1Text> texts);

  /// radix^u and radix^v.
  [[nodiscard]] Uint128 left_count() const;
  [[nodiscard]] Uint128 right_count() const;

 private:
  struct State;
  explicit Ff1(std::unique_ptr<State> state);
  static Result<Ff1> make(int algorithm, ByteView key, int radix, int length, ByteView tweak);
  std::unique_ptr<State> state_;
};

}  // namespace theriac::crypto
