#include "tlog/tiles.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>

namespace theriac::tlog {
namespace {

Digest leaf_of(std::uint64_t i) { return leaf_hash(view_of(std::to_string(i))); }

TEST(TilePaths, AsInTheSpecification) {
  EXPECT_EQ(tile_path({0, 1'234'067, 256}), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({0, 0, 256}), "tile/0/000");
  EXPECT_EQ(tile_path({1, 999, 17}), "tile/1/999.p/17");
  EXPECT_EQ(tile_path({63, 1000, 1}), "tile/63/x001/000.p/1");
  EXPECT_EQ(bundle_path(1'234'067, 256), "tile/entries/x001/x234/067");
  EXPECT_EQ(bundle_path(273, 112), "tile/entries/273.p/112");
  EXPECT_EQ(tile_path({0, kTreeSizeMax, 255}), "tile/0/x009/x223/x372/x036/x854/x775/807.p/255");
}

TEST(TilePaths, WhatIsWrittenIsRead) {
  EXPECT_TRUE(rc::check("round trip", [] {
    TilePath path;
    path.tile.index = *rc::gen::oneOf(rc::gen::inRange<std::uint64_t>(0, 5000),
                                      rc::gen::inRange<std::uint64_t>(0, kTreeSizeMax));
    path.tile.width = *rc::gen::inRange(1U, kTileWidth + 1);
    path.entries = *rc::gen::arbitrary<bool>();
    if (!path.entries) path.tile.level = *rc::gen::inRange(0U, kTileLevelMax + 1);
    const auto text =
        path.entries ? bundle_path(path.tile.index, path.tile.width) : tile_path(path.tile);
    RC_ASSERT(parse_tile_path(text).value() == path);
  }));
}

TEST(TilePaths, NothingElseIsRead) {
  for (const char* bad : {"",
                          "tile",
                          "tile/",
                          "tile/0",
                          "tile/0/",
                          "tile/0/0",
                          "tile/0/00",
                          "tile/0/0000",
                          "tile/0/x000/001",
                          "tile/0/x001",
                          "tile/0/x001/",
                          "tile/0/001/002",
                          "tile/0/x1/002",
                          "tile/00/001",
                          "tile/64/001",
                          "tile/-1/001",
                          "tile/+1/001",
                          "tile/0/001.p/0",
                          "tile/0/001.p/256",
                          "tile/0/001.p/01",
                          "tile/0/001.p/",
                          "tile/0/001.p",
                          "tile/0/001.p/1/",
                          "tile/0/001/",
                          "/tile/0/001",
                          "tile/0/001 ",
                          "tile/entries",
                          "tile/entries/",
                          "tile/x/001",
                          "tile/0/x009/x223/x372/x036/x854/x775/808",
                          "tile/0/00a",
                          "tile/entries/../checkpoint",
                          "tile/0/x018/x446/x744/x073/x709/x551/x616/000"}) {
    const auto path = parse_tile_path(bad);
    ASSERT_FALSE(path) << bad;
    EXPECT_EQ(path.error().code, Code::kMalformed) << bad;
  }
}

TEST(TileWidths, AsInTheSpecification) {
  // "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile
  // of width 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial
  // level 2 tile of width 1"
  EXPECT_EQ(tile_width(0, 272, 70'000), 256U);
  EXPECT_EQ(tile_width(0, 273, 70'000), 112U);
  EXPECT_EQ(tile_width(0, 274, 70'000), 0U);
  EXPECT_EQ(tile_width(1, 0, 70'000), 256U);
  EXPECT_EQ(tile_width(1, 1, 70'000), 17U);
  EXPECT_EQ(tile_width(2, 0, 70'000), 1U);
  EXPECT_EQ(tile_width(3, 0, 70'000), 0U);
  EXPECT_EQ(tile_width(9, 0, 70'000), 0U);
  const auto all = tiles_between(0, 70'000);
  EXPECT_EQ(all.size(), 274U + 2U + 1U);
  const auto small = tiles_between(0, 256);
  ASSERT_EQ(small.size(), 2U);
  EXPECT_EQ(small[0], (TileId{0, 0, 256}));
  EXPECT_EQ(small[1], (TileId{1, 0, 1}));
}

TEST(TileWidths, TilesBetweenIsTheDifference) {
  EXPECT_TRUE(rc::check("set difference", [] {
    const auto old_size = *rc::gen::inRange<std::uint64_t>(0, 140'000);
    const auto size = *rc::gen::inRange<std::uint64_t>(old_size, 140'001);
    std::vector<TileId> expected;
    for (unsigned level = 0; level < 4; ++level) {
      for (std::uint64_t index = 0; tile_width(level, index, size) > 0; ++index) {
        if (tile_width(level, index, size) != tile_width(level, index, old_size)) {
          expected.push_back({level, index, tile_width(level, index, size)});
        }
      }
    }
    RC_ASSERT(tiles_between(old_size, size) == expected);
  }));
}

TEST(Tiles, LengthIsExact) {
  EXPECT_EQ(parse_tile(Bytes(8192), 256)->size(), 256U);
  for (const std::size_t size : {0U, 31U, 8191U, 8193U}) {
    EXPECT_EQ(parse_tile(Bytes(size), 256).error().code, Code::kMalformed);
  }
  const std::vector<Digest> hashes{leaf_of(1), leaf_of(2)};
  EXPECT_EQ(parse_tile(tile_bytes(hashes), 2).value(), hashes);
}

TEST(Bundles, RoundTripAndLimits) {
  Bytes bundle;
  const Bytes longest(kEntryBytesMax, 'x');
  ASSERT_TRUE(put_bundle_entry(bundle, view_of("one")));
  ASSERT_TRUE(put_bundle_entry(bundle, {}));
  ASSERT_TRUE(put_bundle_entry(bundle, longest));
  EXPECT_EQ(put_bundle_entry(bundle, Bytes(kEntryBytesMax + 1)).error().code, Code::kTooLarge);
  const auto entries = parse_bundle(bundle, 3);
  ASSERT_TRUE(entries);
  EXPECT_EQ(text_of((*entries)[0]), "one");
  EXPECT_TRUE((*entries)[1].empty());
  EXPECT_EQ((*entries)[2].size(), kEntryBytesMax);
  EXPECT_EQ(bundle[0], 0);  // big-endian
  EXPECT_EQ(bundle[1], 3);
  EXPECT_FALSE(parse_bundle(bundle, 2));
  EXPECT_FALSE(parse_bundle(bundle, 4));
  for (std::size_t cut = 0; cut < 8; ++cut) {
    EXPECT_EQ(parse_bundle(ByteView(bundle).first(cut), 3).error().code, Code::kMalformed);
  }
}

/// Tiles of a tree as a log would keep them: only those of its size at the time.
class TileStore {
 public:
  void grow_to(std::uint64_t size) {
    while (edge_.size() < size) {
      edge_.push(leaf_of(edge_.size()), [&](const TileId& tile, std::span<const Digest> hashes) {
        tiles_[tile_path(tile)] = tile_bytes(hashes);
      });
    }
    for (unsigned level = 0; level < edge_.levels().size(); ++level) {
      const auto& row = edge_.levels()[level];
      if (row.empty()) continue;
      const TileId tile{level, level_size(level, size) / kTileWidth,
                        static_cast<unsigned>(row.size())};
      tiles_[tile_path(tile)] = tile_bytes(row);
    }
  }
  [[nodiscard]] const TreeEdge& edge() const { return edge_; }
  [[nodiscard]] std::function<Result<Bytes>(const TileId&)> fetch() const {
    return [this](const TileId& tile) -> Result<Bytes> {
      const auto found = tiles_.find(tile_path(tile));
      if (found == tiles_.end()) return fail(Code::kNotFound, tile_path(tile));
      return found->second;
    };
  }

 private:
  TreeEdge edge_;
  std::map<std::string, Bytes> tiles_;
};

TEST(TreeEdge, RootIsThatOfTheDefinitionAtEverySize) {
  TreeEdge edge;
  std::vector<Digest> leaves;
  EXPECT_EQ(edge.root(), empty_root());
  for (std::uint64_t i = 0; i < 1100; ++i) {
    leaves.push_back(leaf_of(i));
    edge.push(leaves.back());
    if (i < 300 || i % 37 == 0) ASSERT_EQ(edge.root(), tree_hash(leaves)) << i + 1;
  }
}

TEST(TreeEdge, TilesAreThoseOfTheSpecificationAndRestoreTheEdge) {
  TileStore store;
  for (const std::uint64_t size :
       {1U, 255U, 256U, 257U, 511U, 512U, 65'535U, 65'536U, 65'537U, 70'000U}) {
    store.grow_to(size);
    for (const auto& tile : tiles_between(0, size)) {
      ASSERT_TRUE(store.fetch()(tile)) << tile_path(tile) << " of " << size;
    }
    const auto restored = TreeEdge::restore(size, store.fetch());
    ASSERT_TRUE(restored);
    EXPECT_EQ(restored->root(), store.edge().root());
    EXPECT_EQ(restored->size(), size);
    // And it goes on as the original does.
    TreeEdge a = *restored, b = store.edge();
    for (std::uint64_t i = size; i < size + 300; ++i) {
      a.push(leaf_of(i));
      b.push(leaf_of(i));
    }
    EXPECT_EQ(a.root(), b.root());
  }
  EXPECT_FALSE(TreeEdge::restore(70'001, store.fetch()));
  EXPECT_FALSE(TreeEdge::restore(kTreeSizeMax + 1, store.fetch()));
}

TEST(NodeSource, ProofsOutOfTiles) {
  TileStore store;
  constexpr std::uint64_t kSize = 66'000;
  store.grow_to(kSize);
  const auto source = node_source(kSize, store.fetch());
  const Digest root = store.edge().root();
  EXPECT_EQ(range_hash(0, kSize, source).value(), root);
  for (const std::uint64_t index : {0U, 1U, 255U, 256U, 65'535U, 65'536U, 65'999U}) {
    const auto proof = prove_inclusion(index, kSize, source);
    ASSERT_TRUE(proof);
    EXPECT_TRUE(verify_inclusion(leaf_of(index), index, kSize, *proof, root));
  }
  for (const std::uint64_t old_size : {1U, 256U, 300U, 65'535U, 65'536U, 65'900U, 66'000U}) {
    const auto proof = prove_consistency(old_size, kSize, source);
    ASSERT_TRUE(proof);
    const auto old_root = range_hash(0, old_size, source);
    ASSERT_TRUE(old_root);
    EXPECT_TRUE(verify_consistency(old_size, *old_root, kSize, root, *proof));
  }
  EXPECT_EQ(source(Node{0, kSize}).error().code, Code::kOutOfRange);
  EXPECT_EQ(source(Node{17, 0}).error().code, Code::kOutOfRange);
}

}  // namespace
}  // namespace theriac::tlog
