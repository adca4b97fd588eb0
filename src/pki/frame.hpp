// Frames of the internal channel: a length of four bytes, most significant first, then that many
// bytes: canonical JSON (RFC 8785) or, where the frame before says so, secret bytes.
// Sans-IO: bytes in, frames out. docs/design/lease-protocol.md
#pragma once

#include "codec/json.hpp"

namespace theriac::pki {

inline constexpr std::size_t kFramePrefixBytes = 4;
inline constexpr std::size_t kFrameBytesMax = 1U << 20U;

/// The size that a prefix announces: Code::kTooLarge beyond the limit, kProtocol when zero.
Result<std::size_t> frame_size(ByteView prefix);
/// Prefix and bytes. Asserts that `payload` is within the limit.
Bytes frame(ByteView payload);
/// Code::kTooLarge when the canonical text is beyond the limit.
Result<Bytes> json_frame(const codec::Json& value);
/// An object in canonical form; anything else is Code::kProtocol. Taking the canonical form only
/// makes "the same request" a comparison of bytes.
Result<codec::Json> parse_frame(ByteView payload);

}  // namespace theriac::pki
