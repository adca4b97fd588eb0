// Secrets as types: move-only, wiped on destruction and on move-from, never printed, compared in
// constant time, readable only by a class that was given SecretAccess.
#pragma once

#include <fmt/format.h>
#include <array>
#include <cstdint>
#include <utility>

#include "base/bytes.hpp"

namespace theriac {

/// Overwrites memory in a way the compiler may not remove.
void wipe(MutableBytes bytes);
/// Constant time in the contents; lengths are public.
bool equal_constant_time(ByteView a, ByteView b);

/// The right to look at a secret. Only the classes named here can make one; to add a class is a
/// reviewed change of this header.
class SecretAccess {
  SecretAccess() = default;
  friend class CryptoSecretAccess;  // crypto/: hands key bytes to the libraries
  friend class KeysSecretAccess;    // keys/: wraps, unwraps and derives
  friend class LeaseSecretAccess;   // lease/: carries keys over mutual TLS
  friend class PgwireSecretAccess;  // pgwire/: SCRAM proofs with StoredKey, ServerKey, ClientKey
  friend class SealSecretAccess;    // seal/: derives per-field keys, wraps stream keys
  friend class TestSecretAccess;    // unit tests only
};

/// N secret bytes held in place.
template <std::size_t N>
class Secret {
 public:
  static constexpr std::size_t kSize = N;
  Secret() = default;
  explicit Secret(std::span<const std::uint8_t, N> source) {
    std::copy(source.begin(), source.end(), bytes_.begin());
  }
  Secret(const Secret&) = delete;
  Secret& operator=(const Secret&) = delete;
  Secret(Secret&& other) noexcept : bytes_(other.bytes_) { wipe(other.bytes_); }
  Secret& operator=(Secret&& other) noexcept {
    if (this != &other) {
      bytes_ = other.bytes_;
      wipe(other.bytes_);
    }
    return *this;
  }
  ~Secret() { wipe(bytes_); }

  /// A second copy, where two owners are meant.
  [[nodiscard]] Secret clone() const { return Secret(std::span<const std::uint8_t, N>(bytes_)); }
  [[nodiscard]] std::span<const std::uint8_t, N> reveal(SecretAccess) const { return bytes_; }
  [[nodiscard]] std::span<std::uint8_t, N> reveal_mutable(SecretAccess) { return bytes_; }
  friend bool operator==(const Secret& a, const Secret& b) {
    return equal_constant_time(a.bytes_, b.bytes_);
  }

 private:
  std::array<std::uint8_t, N> bytes_{};
};

/// Secret bytes of a length known at run time (passphrases, private keys, opened records).
class SecretBytes {
 public:
  SecretBytes() = default;
  explicit SecretBytes(ByteView source) : bytes_(source.begin(), source.end()) {}
  explicit SecretBytes(std::size_t size) : bytes_(size) {}
  SecretBytes(const SecretBytes&) = delete;
  SecretBytes& operator=(const SecretBytes&) = delete;
  SecretBytes(SecretBytes&& other) noexcept : bytes_(std::move(other.bytes_)) {
    other.bytes_.clear();
  }
  SecretBytes& operator=(SecretBytes&& other) noexcept {
    if (this != &other) {
      wipe(bytes_);
      bytes_ = std::move(other.bytes_);
      other.bytes_.clear();
    }
    return *this;
  }
  ~SecretBytes() { wipe(bytes_); }

  [[nodiscard]] std::size_t size() const { return bytes_.size(); }
  [[nodiscard]] bool empty() const { return bytes_.empty(); }
  [[nodiscard]] ByteView reveal(SecretAccess) const { return bytes_; }
  [[nodiscard]] MutableBytes reveal_mutable(SecretAccess) { return bytes_; }
  friend bool operator==(const SecretBytes& a, const SecretBytes& b) {
    return equal_constant_time(a.bytes_, b.bytes_);
  }

 private:
  Bytes bytes_;
};

using Key256 = Secret<32>;

}  // namespace theriac

// Formatting a secret does not compile.
template <std::size_t N>
struct fmt::formatter<theriac::Secret<N>> {
  formatter() = delete;
};
template <>
struct fmt::formatter<theriac::SecretBytes> {
  formatter() = delete;
};
