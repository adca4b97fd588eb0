// SHA-256 (FIPS 180-4) and SM3 (GB/T 32905), HMAC (RFC 2104) and HKDF (RFC 5869) over either.
// Threading: objects belong to one thread at a time; free functions are thread-safe.
#pragma once

#include <array>
#include <memory>

#include "base/bytes.hpp"
#include "base/secret.hpp"

namespace theriac::crypto {

using Digest = std::array<std::uint8_t, 32>;
enum class HashKind : std::uint8_t { kSha256, kSm3 };

Digest hash(HashKind kind, ByteView data);
inline Digest sha256(ByteView data) { return hash(HashKind::kSha256, data); }

/// Incremental hash.
class Hasher {
 public:
  explicit Hasher(HashKind kind);
  ~Hasher();
  Hasher(Hasher&&) noexcept;
  Hasher& operator=(Hasher&&) noexcept;
  void update(ByteView data);
  /// Ends the message and starts a new one.
  Digest finish();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// HMAC with a kept key: about 130 ns for 32 bytes.
class HmacKey {
 public:
  HmacKey(HashKind kind, const Key256& key);
  /// For keys of other lengths (test vectors, RFC 5869 salts).
  HmacKey(HashKind kind, const SecretBytes& key);
  ~HmacKey();
  HmacKey(HmacKey&&) noexcept;
  HmacKey& operator=(HmacKey&&) noexcept;
  Digest mac(ByteView data);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// RFC 5869 extract-and-expand to 32 bytes.
Key256 hkdf(HashKind kind, const Key256& input, ByteView salt, ByteView info);
/// RFC 5869 for any output length up to 255 x 32; for vectors and protocols.
Result<SecretBytes> hkdf(HashKind kind, const SecretBytes& input, ByteView salt, ByteView info,
                         std::size_t size);

}  // namespace theriac::crypto
