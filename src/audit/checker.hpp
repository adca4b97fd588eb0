// Follows a log from its first entry on, comparing everything with everything: entries with the
// tiles above them, tiles with the level below, entries with the chain of their producer. Stops at
// the first thing that is wrong.
//
// Threading: one thread at a time. Reads only.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>

#include "audit/disk.hpp"
#include "audit/entry.hpp"
#include "audit/wal.hpp"
#include "tlog/tiles.hpp"

namespace theriac::audit {

struct Finding {
  std::string kind;                    ///< Verdict::finding
  std::optional<std::uint64_t> entry;  ///< Verdict::bad_entry
  std::string text;                    ///< a clause for Verdict::explanation
};

class Checker {
 public:
  using Progress = std::function<void(std::uint64_t done, std::uint64_t all)>;

  Checker(Disk& disk, std::string directory, Progress progress)
      : disk_(disk), directory_(std::move(directory)), progress_(std::move(progress)) {}

  /// The root at that size will be wanted; before the tree grows past it.
  void watch(std::uint64_t size);
  /// Checks entries and tiles up to a tree of `size` entries; to be called again when it has grown.
  /// Errors (Code::kIo) are of the medium only; what is wrong with the log is in finding().
  Status advance(std::uint64_t size);
  /// Goes on with entries that are not in tiles yet; entries below size() are compared.
  void extend(const WalContents& wal);

  [[nodiscard]] const std::optional<Finding>& finding() const { return finding_; }
  [[nodiscard]] std::uint64_t size() const { return edge_.size(); }
  [[nodiscard]] tlog::Digest root() const { return edge_.root(); }
  [[nodiscard]] std::optional<tlog::Digest> root_at(std::uint64_t size) const;
  [[nodiscard]] const Chain& chain() const { return chain_; }

 private:
  void found(std::string kind, std::optional<std::uint64_t> entry, std::string text);
  Status check_bundle(std::uint64_t index, unsigned width);
  Status check_entries(std::uint64_t index, ByteView bundle, std::span<const tlog::Digest> hashes);
  bool check_leaf(std::uint64_t entry, const tlog::Digest& leaf, ByteView rest,
                  std::span<const tlog::Digest> hashes);
  bool check_chain(std::uint64_t entry, ByteView bytes, const tlog::Digest& leaf);
  Status check_tile(const tlog::TileId& tile, std::span<const tlog::Digest> hashes);
  Status check_edge();
  Status check_older_parts(const tlog::TileId& tile, std::span<const tlog::Digest> hashes);
  void push(const tlog::Digest& leaf, const tlog::TreeEdge::Filled& filled);

  Disk& disk_;
  std::string directory_;
  Progress progress_;
  tlog::TreeEdge edge_;
  Chain chain_{true};
  std::optional<Finding> finding_;
  std::map<std::uint64_t, std::optional<tlog::Digest>> watched_;
  Bytes bundle_, tile_;  // kept for their memory
};

}  // namespace theriac::audit
