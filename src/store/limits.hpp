// Our own bounds on what an engine is asked to do at once.
#pragma once

#include <cstddef>
#include <cstdint>

namespace theriac::store {

/// Rows of one insert() or update(), keys of one look_up(); Code::kTooLarge beyond.
inline constexpr std::size_t kBatchRowsMax = 100'000;
/// One parameter; Code::kTooLarge beyond. SQLite is opened for rows of 64 MiB.
inline constexpr std::size_t kValueBytesMax = 16U << 20U;
/// A transaction that met another is repeated that often before Code::kBusy is the answer.
inline constexpr int kRepeatsMax = 5;
/// How long a writer waits for another before Code::kBusy.
inline constexpr int kLockWaitMs = 5000;
/// Statements a session keeps prepared; all are dropped when one more comes.
inline constexpr std::size_t kStatementsMax = 256;
inline constexpr int kPartitionsMax = 256;
inline constexpr int kSessionsMax = 1024;

/// SQLite: what a session keeps of the file in memory.
inline constexpr int kPageCacheKib = 32 * 1024;
/// SQLite: a file of more pages (4 KiB each) is checked at opening without comparing indexes with
/// their tables, which took minutes for 6,000,000 items.
inline constexpr std::int64_t kWholeCheckPagesMax = 65'536;
/// SQLite: pages of the write-ahead log (4 KiB each) at which it is written into the file.
inline constexpr int kCheckpointPages = 4000;

}  // namespace theriac::store
