// The audit log writer: group commit, acknowledge after durable, a signed checkpoint each second.
//
// Files under `directory` are C2SP tlog-tiles: checkpoint, tile/<L>/<N>, tile/entries/<N>, so that
// tools written by others verify them; `wal` holds entries that are durable but not yet in tiles.
// Life of an entry and file formats: docs/design/audit-log.md.
//
// Threading: append calls come from any thread. Two threads of its own do the disk work: one makes
// entries durable, one puts them into tiles and signs, so that an acknowledgement never waits for
// tiles.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "audit/disk.hpp"
#include "audit/entry.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "crypto/sign.hpp"

namespace theriac::audit {

struct Options {
  std::string directory;
  std::string origin;    ///< checkpoint origin, e.g. "theriac.local/gateway-1"
  std::string producer;  ///< e.g. "gateway-1"
  int group_commit_ms = 5;
  int checkpoint_ms = 1000;
  std::size_t queue_entries_max = 65'536;
  /// At opening, logs up to this size are verified whole; of longer ones the signature, the root
  /// and the right edge of the tree (`theriac audit verify` does the rest, at its own time).
  std::uint64_t verify_whole_max = 2'000'000;
};

/// Called on the writer thread once the entry is durable, with its index, or with the error. Must
/// not call append_durable or flush.
using Durable = std::function<void(Result<std::uint64_t>)>;

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  /// Blocks until durable: for acts that must be on the log before they take effect. An error says
  /// that the entry is not to be relied upon: Code::kDiskFull (the log goes on once there is
  /// space), kIo, kTooLarge (entry above 65,535 bytes), kBusy (queue full), kClosed.
  virtual Result<std::uint64_t> append_durable(Event event) = 0;
  /// Queues; `durable` may be empty. The event's tally may grow until the entry is written, some
  /// group_commit_ms later. An error means that nothing was queued and `durable` will not
  /// be called: Code::kBusy when the queue is full, kTooLarge, kClosed.
  virtual Status append(Event event, Durable durable = {}) = 0;
  /// Everything appended so far is durable, in tiles and under a checkpoint.
  virtual Status flush() = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
};

/// Opens or makes the log, recovers the WAL after a crash (a torn last batch was never acknowledged
/// and is cut off, which an entry "log.recovered" tells), refuses a log that does not verify
/// against its own checkpoint (Code::kLogTampered) and one that another process has open (kBusy).
/// The signing key is made by the caller; `origin` is the key's name. Clock, random and log outlive
/// the log. Closing puts everything into tiles.
///
/// A clock that was set back leaves an entry "time.moved_back" before the next one.
Result<std::unique_ptr<AuditLog>> open_log(Options options, crypto::Ed25519Key key, Clock& clock,
                                           Random& random, Log& log);
/// The same on another disk, which outlives the log.
Result<std::unique_ptr<AuditLog>> open_log_on(Disk& disk, Options options, crypto::Ed25519Key key,
                                              Clock& clock, Random& random, Log& log);

}  // namespace theriac::audit
