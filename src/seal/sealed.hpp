// Sealed values: the format of architecture section 4.
//
//   header = version(1)=1 | suite(1) | flags(1) | key_id(8) | [row_id(16) if flag bit 0]
//   sealed = header | nonce(24) | ciphertext | gcm tag(16)
//   aad    = header, tenant, kind, field: each u16-length-prefixed big-endian
//
// Flag bit 0: the value carries the row id it belongs to. Flag bit 1: the plaintext is padded to a
// length bucket with one 0x80 byte and zeros (ISO/IEC 7816-4). Other bits must be zero.
//
// Suite 1 is XAES-256-GCM byte for byte; suite 2 is docs/design/suite-2.md. Nonces are hedged: the
// high 12 bytes are drawn when a Sealer is made (one a lease) and select the derived key; the low
// 12 are the first bytes of CMAC(nonce key, 12 random bytes | header | aad | plaintext).
//
// Threading: a Sealer, an Opener and an Indexer belong to one thread at a time.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "base/ids.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "seal/keys.hpp"

namespace theriac::seal {

enum class Kind : std::uint8_t { kColumn = 1, kRecord = 2 };

/// What a value is bound to besides its key.
struct Binding {
  TenantId tenant;
  Kind kind = Kind::kColumn;
  FieldId field;
  std::optional<RowId> row;  ///< present exactly when the class binds rows
};

/// Sorted upper limits in bytes; a plaintext is padded to the smallest that holds it with the 0x80
/// byte. Beyond the last, to the next multiple of the last. Empty: no padding.
using Buckets = std::vector<std::uint32_t>;

/// Of a plaintext with its padding.
inline constexpr std::size_t kSealedPlaintextBytesMax = 64U << 20U;
/// Values under one nonce prefix: keeps a collision of hedged nonces below 2^-32.
inline constexpr std::uint64_t kSealedPerPrefixMax = std::uint64_t{1} << 32U;
inline constexpr std::size_t kHeaderBytes = 11;
inline constexpr std::size_t kRowIdBytes = 16;
inline constexpr std::size_t kNonceBytes = 24;
inline constexpr std::size_t kTagBytes = 16;
/// Overhead without padding: 51 bytes, or 67 with a row id.
inline constexpr std::size_t kOverheadBytes = kHeaderBytes + kNonceBytes + kTagBytes;

/// Header fields as read; nothing is authenticated yet.
struct Header {
  Suite suite = Suite::kXaes256Gcm;
  bool padded = false;
  KeyId key_id;
  std::optional<RowId> row;
  std::size_t size = 0;  ///< bytes of the header
};
/// Code::kMalformed for anything that is not version 1 with known suite, flags and full length.
Result<Header> parse_header(ByteView sealed);

/// Seals under one key version; made once a lease.
class Sealer {
 public:
  /// `key.purpose` must be kData (else Code::kUnknownKey). Keeps `random`, which must outlive it.
  static Result<Sealer> make(const LeasedKey& key, Random& random);
  ~Sealer();
  Sealer(Sealer&&) noexcept;
  Sealer& operator=(Sealer&&) noexcept;

  /// Code::kTooLarge beyond the limit, Code::kKeyExhausted after 2^32 values, Code::kOutOfRange
  /// when the last bucket is 0.
  Result<Bytes> seal(const Binding& binding, const Buckets& buckets, ByteView plaintext);
  /// The same into a caller's buffer, whose size is set; empty after an error. The hot path: no
  /// allocation when `out` has room.
  Status seal_into(const Binding& binding, const Buckets& buckets, ByteView plaintext, Bytes& out);
  [[nodiscard]] KeyId key_id() const;

 private:
  friend class SealerTestHook;  // unit tests only: sets the count of values
  struct State;
  explicit Sealer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Opens under every data key version it was given; caches derived keys by (key, nonce prefix).
class Opener {
 public:
  Opener();
  ~Opener();
  Opener(Opener&&) noexcept;
  Opener& operator=(Opener&&) noexcept;

  /// The same key again is accepted; a different key of the same id is Code::kKeyCollision, a key
  /// that is not for data Code::kUnknownKey.
  Status add(const LeasedKey& key);
  /// Forgets everything; for revocation.
  void clear();

  /// Code::kUnknownKey, kMalformed, or kNotAuthentic (altered, moved to another column, tenant or
  /// row, or bound when it should not be).
  Result<SecretBytes> open(const Binding& binding, ByteView sealed);
  /// The same into a caller's buffer, whose size is set to the plaintext's; wiped on failure. The
  /// hot path: no allocation when `out` has room.
  Status open_into(const Binding& binding, ByteView sealed, Bytes& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

using IndexToken = std::array<std::uint8_t, 16>;

/// Blind indexes of one equality domain: HMAC of the canonical value under a key derived from the
/// class's index key and the domain, truncated to 16 bytes.
class Indexer {
 public:
  /// `key.purpose` must be kIndex. `label` keeps several indexes of one domain apart
  /// ("identity", "lower", ...).
  static Result<Indexer> make(const LeasedKey& key, const TenantId& tenant, const DomainId& domain,
                              std::string_view label);
  ~Indexer();
  Indexer(Indexer&&) noexcept;
  Indexer& operator=(Indexer&&) noexcept;
  IndexToken index(ByteView canonical);

 private:
  struct State;
  explicit Indexer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The domain id of a domain name: first 16 bytes of SHA-256("theriac/domain/v1" | 0 | name).
DomainId domain_of(std::string_view name);

}  // namespace theriac::seal
