// Tiles and entry bundles (C2SP tlog-tiles v0.1.0): paths, encodings, and the tree's right edge as
// it grows.
//
// Threading: values and free functions; a TreeEdge belongs to one thread at a time. No I/O.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tlog/merkle.hpp"

namespace theriac::tlog {

/// A tile of hashes. Width below 256 makes it partial.
struct TileId {
  unsigned level = 0;
  std::uint64_t index = 0;
  unsigned width = kTileWidth;
  friend bool operator==(const TileId&, const TileId&) = default;
};

/// "tile/0/x001/x234/067", "tile/1/000.p/17".
std::string tile_path(const TileId& tile);
/// "tile/entries/x001/x234/067", "tile/entries/000.p/12".
std::string bundle_path(std::uint64_t index, unsigned width);

/// What a path names: a tile, or (entries) the bundle of that index and width.
struct TilePath {
  TileId tile;
  bool entries = false;
  friend bool operator==(const TilePath&, const TilePath&) = default;
};
/// Accepts exactly the texts the two functions above make. Code::kMalformed.
Result<TilePath> parse_tile_path(std::string_view path);

/// Hashes that the level has in a tree of `size` entries.
std::uint64_t level_size(unsigned level, std::uint64_t size);
/// Width of that tile in a tree of `size` entries; 0 when there is none.
unsigned tile_width(unsigned level, std::uint64_t index, std::uint64_t size);
/// Tiles of hashes that a tree of `new_size` has and one of `old_size` has not, lowest level first.
std::vector<TileId> tiles_between(std::uint64_t old_size, std::uint64_t new_size);

/// Concatenated hashes. Code::kMalformed unless there are exactly `width`.
Result<std::vector<Digest>> parse_tile(ByteView bytes, unsigned width);

/// Appends the 16-bit length and the entry. Code::kTooLarge.
Status put_bundle_entry(Bytes& bundle, ByteView entry);
/// Takes the next entry off the front of `rest`. Code::kMalformed when it is cut short.
Result<ByteView> take_bundle_entry(ByteView& rest);
/// Exactly `width` entries and nothing behind them. The views point into `bytes`.
Result<std::vector<ByteView>> parse_bundle(ByteView bytes, unsigned width);

/// Makes a source of perfect subtrees out of tiles of a tree of `size` entries, for proofs. `fetch`
/// returns the bytes of a tile at exactly the width asked for.
NodeSource node_source(std::uint64_t size, std::function<Result<Bytes>(const TileId&)> fetch);

/// The right edge of a growing tree: for each tile level the hashes that do not fill a tile yet.
class TreeEdge {
 public:
  /// Called with each tile that has just been filled.
  using Filled = std::function<void(const TileId&, std::span<const Digest>)>;

  TreeEdge() = default;
  /// The edge of an existing tree, out of its partial tiles; `fetch` as for node_source.
  static Result<TreeEdge> restore(std::uint64_t size,
                                  const std::function<Result<Bytes>(const TileId&)>& fetch);

  void push(const Digest& leaf, const Filled& filled = {});
  [[nodiscard]] std::uint64_t size() const { return size_; }
  [[nodiscard]] Digest root() const;
  /// Level n's hashes beyond its full tiles, fewer than 256 each; the last one is not empty.
  [[nodiscard]] const std::vector<std::vector<Digest>>& levels() const { return levels_; }

 private:
  std::uint64_t size_ = 0;
  std::vector<std::vector<Digest>> levels_;
};

/// The hashes one behind the other.
Bytes tile_bytes(std::span<const Digest> hashes);

}  // namespace theriac::tlog
