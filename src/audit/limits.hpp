// Bounds of the audit log.
#pragma once

#include <cstdint>

namespace theriac::audit {

inline constexpr std::size_t kProducerBytesMax = 128;
/// Entries that are queued but not yet on the disk; with queue_entries_max.
inline constexpr std::size_t kQueueBytesMax = 64U << 20U;
/// Entries that are on the disk but not yet in tiles. Beyond it tiles cannot be written at all, and
/// the log refuses rather than grow without bound.
inline constexpr std::size_t kPendingBytesMax = 256U << 20U;
/// An asynchronous group is written at the latest when it has grown to this.
inline constexpr std::size_t kGroupBytes = 1U << 20U;
/// Files open at once while tiles are written.
inline constexpr std::size_t kFilesOpenMax = 128;
/// RFC 7493 section 2.2: integers beyond it are not read alike by everybody.
inline constexpr std::uint64_t kSequenceMax = (std::uint64_t{1} << 53U) - 1;

}  // namespace theriac::audit
