#include "audit/tree_writer.hpp"

#include "audit/files.hpp"
#include "audit/limits.hpp"

namespace theriac::audit {

namespace {

Status tampered(const char* where) { return fail(Code::kLogTampered, where); }

}  // namespace

/// The tree as it is becoming.
struct TreeWriter::Growth {
  tlog::TreeEdge edge;
  Bytes bundle;
  std::vector<NewFile> files;
};

Status TreeWriter::begin_empty() {
  THERIAC_ASSIGN(const auto key, tlog::make_verifier_key(origin_, key_.public_key()));
  const std::array<NewFile, 1> files{
      NewFile{vkey_file(directory_), bytes_of(tlog::format_verifier_key(key) + "\n")}};
  THERIAC_TRY(write_durably(disk_, directory_, files));
  return sign(tlog::TreeEdge{});
}

Status TreeWriter::load(const tlog::Checkpoint& checkpoint) {
  const auto fetch = [this](const tlog::TileId& tile) -> Result<Bytes> {
    Bytes bytes;
    THERIAC_TRY(read_tile(disk_, directory_, tile, bytes));
    return bytes;
  };
  auto edge = tlog::TreeEdge::restore(checkpoint.size, fetch);
  if (!edge) return tampered("tiles of the last entries");
  if (edge->root() != checkpoint.root) return tampered("root of the tree");
  const std::uint64_t index = checkpoint.size / tlog::kTileWidth;
  const unsigned width = tlog::tile_width(0, index, checkpoint.size);
  Bytes bundle;
  if (width > 0) {
    if (!read_bundle(disk_, directory_, index, width, bundle)) return tampered("last entry bundle");
    ByteView rest(bundle);
    for (unsigned i = 0; i < width; ++i) {
      const auto entry = tlog::take_bundle_entry(rest);
      if (!entry || tlog::leaf_hash(*entry) != edge->levels()[0][i]) {
        return tampered("last entry bundle");
      }
    }
    if (!rest.empty()) return tampered("last entry bundle");
  }
  edge_ = std::move(*edge);
  last_bundle_ = std::move(bundle);
  return {};
}

Status TreeWriter::put_out(Growth& growth) {
  THERIAC_TRY(write_durably(disk_, directory_, growth.files));
  growth.files.clear();
  return {};
}

Status TreeWriter::add(const Batch& batch, Growth& growth) {
  THERIAC_ASSERT(batch.first() <= growth.edge.size());
  ByteView rest = batch.payload();
  std::uint64_t index = batch.first();
  for (const tlog::Digest& leaf : batch.leaves()) {
    const ByteView before = rest;
    THERIAC_TRY(tlog::take_bundle_entry(rest));
    if (index++ < growth.edge.size()) continue;
    append(growth.bundle, before.first(before.size() - rest.size()));
    growth.edge.push(leaf, [&](const tlog::TileId& tile, std::span<const tlog::Digest> hashes) {
      growth.files.push_back({directory_ + "/" + tlog::tile_path(tile), tlog::tile_bytes(hashes)});
    });
    if (growth.edge.size() % tlog::kTileWidth != 0) continue;
    const std::uint64_t full = growth.edge.size() / tlog::kTileWidth - 1;
    growth.files.push_back({directory_ + "/" + tlog::bundle_path(full, tlog::kTileWidth),
                            std::exchange(growth.bundle, {})});
    if (growth.files.size() >= kFilesOpenMax) THERIAC_TRY(put_out(growth));
  }
  return {};
}

void TreeWriter::add_partial_files(Growth& growth) const {
  const std::uint64_t size = growth.edge.size();
  for (const auto& tile : tlog::tiles_between(edge_.size(), size)) {
    if (tile.width == tlog::kTileWidth) continue;
    growth.files.push_back({directory_ + "/" + tlog::tile_path(tile),
                            tlog::tile_bytes(growth.edge.levels()[tile.level])});
  }
  if (const unsigned width = tlog::tile_width(0, size / tlog::kTileWidth, size); width > 0) {
    growth.files.push_back(
        {directory_ + "/" + tlog::bundle_path(size / tlog::kTileWidth, width), growth.bundle});
  }
}

Status TreeWriter::sign(const tlog::TreeEdge& edge) {
  THERIAC_ASSIGN(const auto note,
                 tlog::sign_checkpoint({origin_, edge.size(), edge.root(), {}}, key_));
  const std::array<NewFile, 1> files{NewFile{checkpoint_file(directory_), bytes_of(note)}};
  return write_durably(disk_, directory_, files);
}

Status TreeWriter::integrate(std::span<const std::shared_ptr<const Batch>> batches) {
  Growth growth{edge_, last_bundle_, {}};
  for (const auto& batch : batches) THERIAC_TRY(add(*batch, growth));
  if (growth.edge.size() == edge_.size()) return {};
  add_partial_files(growth);
  THERIAC_TRY(put_out(growth));
  THERIAC_TRY(sign(growth.edge));
  const std::uint64_t old_size = edge_.size();
  edge_ = std::move(growth.edge);
  last_bundle_ = std::move(growth.bundle);
  remove_outgrown(old_size, edge_.size());
  return {};
}

void TreeWriter::remove_outgrown(std::uint64_t old_size, std::uint64_t new_size) {
  // Partial tiles may go once the full one is there (tlog-tiles); what cannot be removed does no
  // harm, so errors do not count.
  const auto remove_parts = [this](const std::string& full) {
    const std::string parts = directory_ + "/" + full + ".p";
    const auto names = disk_.list(parts);
    if (!names) return;
    for (const auto& name : *names) static_cast<void>(disk_.remove(parts + "/" + name));
    static_cast<void>(disk_.remove(parts));
  };
  for (unsigned level = 0; tlog::level_size(level, old_size) > 0; ++level) {
    const std::uint64_t index = tlog::level_size(level, old_size) / tlog::kTileWidth;
    if (tlog::tile_width(level, index, old_size) == 0) continue;
    if (tlog::tile_width(level, index, new_size) < tlog::kTileWidth) continue;
    remove_parts(tlog::tile_path({level, index, tlog::kTileWidth}));
    if (level == 0) remove_parts(tlog::bundle_path(index, tlog::kTileWidth));
  }
}

}  // namespace theriac::audit
