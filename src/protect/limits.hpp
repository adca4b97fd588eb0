// The figures that protection works with, in one place.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theriac::protect {

/// Rows sealed, or opened, in one transaction (about: batches are whole ranges of blocks).
inline constexpr std::int64_t kBatchRows = 1'000;
/// Values of one batch in memory, about: tables with long texts go in smaller batches.
inline constexpr std::int64_t kBatchBytesMax = 32 << 20;
/// Blocks of one batch at most, however thin the table's rows lie.
inline constexpr std::int64_t kBatchBlocksMax = 2'048;
/// How long to wait for programs that still use the table before giving up.
inline constexpr int kLockTimeoutMs = 30'000;

/// A searchable column is called low in entropy when its values repeat (below kNearlyUnique
/// distinct values a row) and either is true:
inline constexpr double kEntropyBitsMin = 8.0;  ///< Shannon entropy of the values
inline constexpr double kTopShareMax = 0.05;    ///< share of rows with the commonest value
inline constexpr double kNearlyUnique = 0.95;
/// With fewer rows nothing can be said of the distribution.
inline constexpr std::int64_t kEntropyRowsMin = 20;

/// Recycled WAL segments that are written over after plain values were erased; beyond this the
/// report says that old segments remain (16 MiB each by default).
inline constexpr std::int64_t kWalSegmentsMax = 512;

/// Columns that one table may protect: each adds two, and PostgreSQL ends at 1,600.
inline constexpr std::size_t kProtectedColumnsPerTable = 200;

}  // namespace theriac::protect
