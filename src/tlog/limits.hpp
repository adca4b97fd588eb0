// Sizes of the formats (C2SP tlog-tiles, signed-note, tlog-checkpoint) and our own bounds on input.
#pragma once

#include <cstdint>

namespace theriac::tlog {

inline constexpr unsigned kTileHeight = 8;                 ///< tlog-tiles: tree levels in a tile
inline constexpr unsigned kTileWidth = 1U << kTileHeight;  ///< hashes in a full tile
inline constexpr std::size_t kHashBytes = 32;
inline constexpr std::size_t kTileBytes = kTileWidth * kHashBytes;
inline constexpr unsigned kTileLevelMax = 63;          ///< tlog-tiles: <L> is 0 to 63
inline constexpr std::size_t kEntryBytesMax = 65'535;  ///< a bundle's lengths are 16 bits
/// Go's tlog counts in int64, and so must every checkpoint that it is to read.
inline constexpr std::uint64_t kTreeSizeMax = (std::uint64_t{1} << 63U) - 1;

inline constexpr std::size_t kNoteBytesMax = 1U << 20U;
inline constexpr std::size_t kNoteSignaturesMax = 128;  ///< signed-note: at least 16
inline constexpr std::size_t kKeyNameBytesMax = 255;

}  // namespace theriac::tlog
