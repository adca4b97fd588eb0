// The write-ahead log: entries that are durable but not yet in tiles, in segments named by their
// first entry's index (wal/00000000000000000256). A segment is a sequence of batches, each written
// and synced as one:
//
//   batch = "TWB1" | first index (8) | count (4) | payload bytes (4) | digest (32) | payload
//   payload = an entry bundle: 16-bit lengths and entries
//   digest = SHA-256 of the header before it and the entries' leaf hashes
//
// Numbers are big-endian. Only the last batch of a segment can be torn: the next one is written
// only after the one before it was synced.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "audit/disk.hpp"
#include "tlog/merkle.hpp"

namespace theriac::audit {

inline constexpr std::size_t kWalHeaderBytes = 20;
inline constexpr std::size_t kWalFrameBytes = kWalHeaderBytes + tlog::kHashBytes;

/// Entries on their way into the log.
class Batch {
 public:
  explicit Batch(std::uint64_t first) : first_(first), frame_(kWalFrameBytes) {}
  void reserve(std::size_t entries, std::size_t bytes) {
    constexpr std::size_t kLengthBytes = 2;
    leaves_.reserve(entries);
    frame_.reserve(kWalFrameBytes + bytes + entries * kLengthBytes);
  }

  /// Calls `write(Bytes&)`, which appends the entry's bytes, at most kEntryBytesMax.
  template <typename F>
  const tlog::Digest& add(F&& write) {
    frame_.push_back(0);
    const std::size_t zero = frame_.size();
    frame_.push_back(0);  // doubles as the leaf prefix while the entry is hashed
    write(frame_);
    const std::size_t size = frame_.size() - zero - 1;
    leaves_.push_back(tlog::leaf_hash_behind_zero(ByteView(frame_).subspan(zero)));
    store_be(frame_.data() + zero - 1, static_cast<std::uint16_t>(size));
    return leaves_.back();
  }
  /// The bytes for the segment; complete once all entries are in.
  const Bytes& seal();

  [[nodiscard]] std::uint64_t first() const { return first_; }
  [[nodiscard]] std::uint64_t end() const { return first_ + leaves_.size(); }
  [[nodiscard]] ByteView payload() const { return ByteView(frame_).subspan(kWalFrameBytes); }
  [[nodiscard]] const std::vector<tlog::Digest>& leaves() const { return leaves_; }

 private:
  std::uint64_t first_;
  Bytes frame_;
  std::vector<tlog::Digest> leaves_;
};

/// Writes batches. `append` and `rotate` belong to one thread; `remove_below` may be another's.
class WalWriter {
 public:
  WalWriter(Disk& disk, std::string directory) : disk_(disk), directory_(std::move(directory)) {}

  /// Makes the directory and takes over the segments that are there, to be removed in time. What
  /// can be read of them is durable afterwards: a program that was killed may have left entries
  /// that were written but never synced.
  Status open();
  /// Durable when it returns without error. After an error nothing of the batch counts, and the
  /// next call first cuts the segment back to what was acknowledged.
  Status append(Batch& batch);
  /// The next batch begins a new segment.
  void rotate() { rotate_ = true; }
  /// Removes segments all of whose entries are below `size`; never the one being written.
  void remove_below(std::uint64_t size);
  /// Removes everything; only when all entries are in tiles.
  void remove_all();

 private:
  struct Segment {
    std::uint64_t first;
    std::string path;
  };
  Status begin_segment(std::uint64_t first);
  Status repair();

  Disk& disk_;
  std::string directory_;
  std::unique_ptr<File> file_;
  std::uint64_t good_bytes_ = 0;  // of file_: written and synced
  bool rotate_ = false;
  bool broken_ = false;
  std::mutex mutex_;  // segments_
  std::vector<Segment> segments_;
};

/// What is wrong with a write-ahead log, and where.
struct WalDamage {
  std::uint64_t entry = 0;
  const char* what = "";
};

/// Everything that the segments hold, in order.
struct WalContents {
  std::uint64_t first = 0;        ///< index of entries.front()
  std::vector<ByteView> entries;  ///< views into `buffers`
  std::vector<tlog::Digest> leaves;
  std::vector<Bytes> buffers;
  std::uint64_t torn_bytes = 0;     ///< behind the last whole batch
  bool torn_in_full = false;        ///< the torn batch has its full length: damage, not a tear
  std::optional<WalDamage> damage;  ///< entries before it are good
  [[nodiscard]] std::uint64_t end() const { return first + entries.size(); }
};
/// `size`: entries that are in tiles; only gaps at or above it matter. A log without a write-ahead
/// log has empty contents that begin at `size`.
Result<WalContents> read_wal(Disk& disk, const std::string& directory, std::uint64_t size);

}  // namespace theriac::audit
