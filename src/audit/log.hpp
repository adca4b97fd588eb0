// The audit log writer: group commit, acknowledge after durable, a signed checkpoint each second.
//
// Files under `directory` are C2SP tlog-tiles: checkpoint, tile/<L>/<N>, tile/entries/<N>, so that
// tools written by others verify them; `wal` holds entries that are durable but not yet in tiles.
// Life of an entry and file formats: docs/design/audit-log.md.
//
// Threading: append calls come from any thread; one writer thread of its own does the disk work.
#pragma once

#include <functional>
#include <memory>
#include <string>

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
};

/// Called on the writer thread once the entry is durable, with its index, or with the error.
using Durable = std::function<void(Result<std::uint64_t>)>;

class AuditLog {
 public:
  virtual ~AuditLog() = default;
  /// Blocks until durable: for acts that must be on the log before they take effect.
  virtual Result<std::uint64_t> append_durable(Event event) = 0;
  /// Queues; `durable` may be empty. Code::kBusy when the queue is full (nothing was queued).
  virtual Status append(Event event, Durable durable = {}) = 0;
  /// Everything appended so far is durable, in tiles and under a checkpoint.
  virtual Status flush() = 0;
  [[nodiscard]] virtual std::uint64_t size() const = 0;
};

/// Opens or makes the log, recovers the WAL after a crash (a torn last entry was never acknowledged
/// and is cut off), refuses a log that does not verify against its own checkpoint
/// (Code::kLogTampered). The signing key is made by the caller.
Result<std::unique_ptr<AuditLog>> open_log(Options options, crypto::Ed25519Key key, Clock& clock,
                                           Random& random, Log& log);

}  // namespace theriac::audit
