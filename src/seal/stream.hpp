// Sealed files and pipes: 64 KiB chunks, last-chunk flag, wrapped file key in the header; seekable,
// resumable, and a truncated or reordered stream fails. Format: docs/design/stream.md.
#pragma once

#include <functional>
#include <memory>

#include "base/random.hpp"
#include "seal/keys.hpp"

namespace theriac::seal {

inline constexpr std::size_t kStreamChunkBytes = 64U * 1024U;
/// A stream's chunks are counted in 32 bits: 256 TiB.
inline constexpr std::uint64_t kStreamChunksMax = std::uint64_t{1} << 32U;

/// Feeds plaintext in, hands sealed bytes out. finish() must be called, once; after it everything
/// is Code::kClosed.
class StreamSealer {
 public:
  /// `wrapping.purpose` must be kStream. The header is handed out by the first call.
  static Result<StreamSealer> make(const LeasedKey& wrapping, const TenantId& tenant,
                                   Random& random);
  ~StreamSealer();
  StreamSealer(StreamSealer&&) noexcept;
  StreamSealer& operator=(StreamSealer&&) noexcept;
  /// Appends to `out`. Code::kTooLarge beyond kStreamChunksMax.
  Status update(ByteView plaintext, Bytes& out);
  Status finish(Bytes& out);

 private:
  struct State;
  explicit StreamSealer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Looks a wrapping key up by id.
using KeyLookup = std::function<const LeasedKey*(const KeyId&)>;

/// Feeds sealed bytes in, hands plaintext out, chunk by chunk and only after each chunk's tag.
/// After an error it stays in that error: Code::kMalformed (not a stream), kUnknownKey,
/// kNotAuthentic (altered, cut, reordered, extended, or another tenant's), kClosed after finish().
class StreamOpener {
 public:
  StreamOpener(KeyLookup lookup, const TenantId& tenant);
  ~StreamOpener();
  StreamOpener(StreamOpener&&) noexcept;
  StreamOpener& operator=(StreamOpener&&) noexcept;
  /// Starts at chunk `number` of a stream whose header was fed: for seeking and resuming. The next
  /// bytes fed are those at stream_chunk_offset(number). Code::kConflict before the whole header
  /// was fed, Code::kOutOfRange beyond kStreamChunksMax.
  Status seek(std::uint64_t number);
  Status update(ByteView sealed, Bytes& out);
  /// Code::kNotAuthentic when the last chunk was not seen.
  Status finish(Bytes& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Bytes of the header, and the sealed offset of a chunk, for seeking.
std::size_t stream_header_bytes();
std::uint64_t stream_chunk_offset(std::uint64_t number);

}  // namespace theriac::seal
