#include "audit/checker.hpp"

#include <charconv>

#include "audit/files.hpp"

namespace theriac::audit {

using tlog::Digest;
using tlog::kTileWidth;
using tlog::TileId;

namespace {

/// First place at which two sequences of hashes differ.
std::optional<std::size_t> first_difference(ByteView stored, std::span<const Digest> hashes) {
  for (std::size_t i = 0; i < hashes.size(); ++i) {
    const ByteView at = stored.subspan(i * tlog::kHashBytes, tlog::kHashBytes);
    if (!std::ranges::equal(at, hashes[i])) return i;
  }
  return std::nullopt;
}

/// First entry under that hash of the tile.
std::uint64_t first_entry(const TileId& tile, std::uint64_t offset) {
  return (tile.index * kTileWidth + offset) << (tile.level * tlog::kTileHeight);
}

bool is_damage(const Status& status) {
  return status.error().code == Code::kNotFound || status.error().code == Code::kMalformed;
}

}  // namespace

void Checker::found(std::string kind, std::optional<std::uint64_t> entry, std::string text) {
  if (!finding_) finding_ = Finding{std::move(kind), entry, std::move(text)};
}

void Checker::watch(std::uint64_t size) {
  watched_.emplace(size, size == edge_.size() ? std::optional(edge_.root()) : std::nullopt);
}

std::optional<Digest> Checker::root_at(std::uint64_t size) const {
  const auto found = watched_.find(size);
  return found == watched_.end() ? std::nullopt : found->second;
}

void Checker::push(const Digest& leaf, const tlog::TreeEdge::Filled& filled) {
  edge_.push(leaf, filled);
  if (watched_.empty()) return;
  if (const auto at = watched_.find(edge_.size()); at != watched_.end()) at->second = edge_.root();
}

Status Checker::advance(std::uint64_t size) {
  while (edge_.size() < size && !finding_) {
    const std::uint64_t index = edge_.size() / kTileWidth;
    THERIAC_TRY(check_bundle(index, tlog::tile_width(0, index, size)));
    if (progress_) progress_(edge_.size(), size);
  }
  if (!finding_) THERIAC_TRY(check_edge());
  return {};
}

Status Checker::check_bundle(std::uint64_t index, unsigned width) {
  const std::uint64_t first = index * kTileWidth;
  const TileId tile{0, index, width};
  auto status = read_bundle(disk_, directory_, index, width, bundle_);
  if (!status) {
    if (!is_damage(status)) return status;
    found("cut", edge_.size(), tlog::bundle_path(index, width) + " is missing");
    return {};
  }
  status = read_tile(disk_, directory_, tile, tile_);
  if (!status) {
    if (!is_damage(status)) return status;
    found("cut", std::max(first, edge_.size()), tlog::tile_path(tile) + " is missing or cut");
    return {};
  }
  THERIAC_ASSIGN(const auto hashes, tlog::parse_tile(tile_, width));
  return check_entries(index, bundle_, hashes);
}

Status Checker::check_entries(std::uint64_t index, ByteView bundle,
                              std::span<const Digest> hashes) {
  Status filled_status;
  const auto filled = [&](const TileId& tile, std::span<const Digest> row) {
    if (tile.level > 0 && filled_status && !finding_) filled_status = check_tile(tile, row);
  };
  const std::uint64_t done = edge_.size();
  std::uint64_t entry = index * kTileWidth;
  for (std::size_t i = 0; i < hashes.size(); ++i, ++entry) {
    const auto bytes = tlog::take_bundle_entry(bundle);
    if (!bytes) {
      found("cut", entry, "its bundle ends before it");
      return {};
    }
    if (entry < done) continue;
    const Digest leaf = tlog::leaf_hash(*bytes);
    if (leaf != hashes[i] && !check_leaf(entry, leaf, bundle, hashes.subspan(i))) return {};
    if (!check_chain(entry, *bytes, leaf)) return {};
    push(leaf, filled);
    THERIAC_TRY(filled_status);
    if (finding_) return {};
  }
  if (!bundle.empty()) found("edited", entry, "it was added behind the last one of its bundle");
  return {};
}

bool Checker::check_leaf(std::uint64_t entry, const Digest& leaf, ByteView rest,
                         std::span<const Digest> hashes) {
  const std::string tile = tlog::tile_path({0, entry / kTileWidth, kTileWidth});
  if (hashes.size() > 1 && leaf == hashes[1]) {
    found("cut", entry, "the entry was taken out; the next one stands in its place");
    return false;
  }
  const auto next = tlog::take_bundle_entry(rest);
  const auto links = next ? read_links(*next) : std::nullopt;
  if (links && links->previous == to_hex(leaf)) {
    found("edited", entry,
          "its hash in " + tile + " was altered: the next entry records the one it has");
  } else {
    found("edited", entry, "it does not have the hash that is in " + tile);
  }
  return false;
}

bool Checker::check_chain(std::uint64_t entry, ByteView bytes, const Digest& leaf) {
  switch (chain_.check(entry, bytes, leaf)) {
    case Chain::Problem::kNone:
      return true;
    case Chain::Problem::kNotAnEntry:
      found("edited", entry, "it is not an audit entry");
      return false;
    case Chain::Problem::kGap:
      found("gap in producer sequence", entry, "entries of its producer before it are missing");
      return false;
    case Chain::Problem::kRepeat:
      found("producer sequence repeats", entry,
            "its producer sequence was given before: an entry was put in or put back");
      return false;
    case Chain::Problem::kPrevious:
      break;
  }
  const std::uint64_t previous = chain_.previous_index();
  found("previous hash does not match", previous,
        fmt::format("entry {} records another hash of it: one of the two was edited and the tiles "
                    "made again",
                    entry));
  return false;
}

Status Checker::check_tile(const TileId& tile, std::span<const Digest> hashes) {
  const auto status = read_tile(disk_, directory_, tile, tile_);
  const std::string path = tlog::tile_path(tile);
  if (!status) {
    if (!is_damage(status)) return status;
    found("cut", first_entry(tile, 0), path + " is missing or cut");
    return {};
  }
  if (const auto at = first_difference(tile_, hashes)) {
    const std::uint64_t first = first_entry(tile, *at), end = first_entry(tile, *at + 1);
    found("edited", first,
          tile.level == 0
              ? path + " holds another hash of it"
              : fmt::format("{} holds another hash of entries {} to {}: that file was "
                            "altered, or one of them was and the tiles below made again",
                            path, first, end - 1));
  }
  return {};
}

Status Checker::check_edge() {
  for (unsigned level = 0; level < edge_.levels().size() && !finding_; ++level) {
    const auto& row = edge_.levels()[level];
    if (row.empty()) continue;
    const TileId tile{level, tlog::level_size(level, edge_.size()) / kTileWidth,
                      static_cast<unsigned>(row.size())};
    THERIAC_TRY(check_tile(tile, row));
    if (!finding_) THERIAC_TRY(check_older_parts(tile, row));
  }
  return {};
}

Status Checker::check_older_parts(const TileId& tile, std::span<const Digest> hashes) {
  // Partial tiles of earlier checkpoints stay until the tile is full; somebody who made the tree
  // again may have forgotten them.
  TileId full = tile;
  full.width = kTileWidth;
  const auto names = disk_.list(directory_ + "/" + tlog::tile_path(full) + ".p");
  if (!names) return names.error().code == Code::kNotFound ? Status{} : fail(names.error());
  for (const auto& name : *names) {
    unsigned width = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), width);
    if (error != std::errc{} || end != name.data() + name.size()) continue;
    if (width == 0 || width >= tile.width) continue;
    const TileId part{tile.level, tile.index, width};
    THERIAC_TRY(check_tile(part, hashes.first(width)));
    if (finding_) return {};
  }
  return {};
}

void Checker::extend(const WalContents& wal) {
  for (std::size_t i = 0; i < wal.entries.size() && !finding_; ++i) {
    const std::uint64_t entry = wal.first + i;
    if (entry < edge_.size()) {
      // Already in tiles, not yet removed here. Only the edge's hashes are at hand, and they are
      // all of the last bundle.
      const std::uint64_t edge_first = edge_.size() / kTileWidth * kTileWidth;
      if (entry >= edge_first && edge_.levels()[0][entry - edge_first] != wal.leaves[i]) {
        found("edited", entry, "the write-ahead log holds another entry in its place");
      }
      continue;
    }
    if (!check_chain(entry, wal.entries[i], wal.leaves[i])) return;
    push(wal.leaves[i], {});
  }
  if (!finding_ && wal.damage) found("edited", wal.damage->entry, wal.damage->what);
}

}  // namespace theriac::audit
