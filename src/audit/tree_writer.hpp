// Puts durable entries into tiles and signs a checkpoint over them.
//
// Order on the medium: bundles and tiles, then the checkpoint. A crash in between leaves tiles that
// go beyond the checkpoint; the write-ahead log still has their entries, and the same tiles are
// written again.
//
// Threading: one thread at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "audit/disk.hpp"
#include "audit/wal.hpp"
#include "crypto/sign.hpp"
#include "tlog/checkpoint.hpp"
#include "tlog/tiles.hpp"

namespace theriac::audit {

class TreeWriter {
 public:
  TreeWriter(Disk& disk, std::string directory, std::string origin, const crypto::Ed25519Key& key)
      : disk_(disk), directory_(std::move(directory)), origin_(std::move(origin)), key_(key) {}

  /// Writes the verifier key and the checkpoint of the empty tree.
  Status begin_empty();
  /// Continues the tree of that checkpoint. Code::kLogTampered when its tiles or its last bundle
  /// are missing, damaged, or do not give its root.
  Status load(const tlog::Checkpoint& checkpoint);
  /// Batches that follow one another and cover size() or begin at it. After an error the tree is
  /// where it was, and the same or more batches are to be given again.
  Status integrate(std::span<const std::shared_ptr<const Batch>> batches);
  [[nodiscard]] std::uint64_t size() const { return edge_.size(); }

 private:
  struct Growth;
  Status add(const Batch& batch, Growth& growth);
  Status put_out(Growth& growth);
  void add_partial_files(Growth& growth) const;
  Status sign(const tlog::TreeEdge& edge);
  void remove_outgrown(std::uint64_t old_size, std::uint64_t new_size);

  Disk& disk_;
  std::string directory_;
  std::string origin_;
  const crypto::Ed25519Key& key_;
  tlog::TreeEdge edge_;
  Bytes last_bundle_;  ///< the partial bundle at the edge, empty when there is none
};

}  // namespace theriac::audit
