// Limits of the runtime, in one place. Values are what one gateway on a small host can afford.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace theriac::runtime {

inline constexpr std::chrono::milliseconds kTick{1000};
/// Handlers that run before descriptors are looked at again.
inline constexpr std::size_t kHandlersPerWait = 256;
/// Names being looked up at once, and waiting for it.
inline constexpr std::size_t kResolverThreads = 1;
inline constexpr std::size_t kResolverQueueMax = 1024;
/// A dead peer is noticed after 60 + 4 x 15 seconds even where no idle deadline is set.
inline constexpr int kKeepAliveIdle_s = 60;
inline constexpr int kKeepAliveInterval_s = 15;
inline constexpr int kKeepAliveProbes = 4;
inline constexpr int kListenBacklog = 511;
/// One TLS record's plaintext (RFC 8446, section 5.1).
inline constexpr std::size_t kTlsRecordBytes = 16'384;
/// Ciphertext read at once.
inline constexpr std::size_t kTlsReadBytes = 16'384 + 512;
/// sun_path, with its terminator.
inline constexpr std::size_t kUnixPathBytesMax = 107;

}  // namespace theriac::runtime
