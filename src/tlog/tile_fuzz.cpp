// Tile paths, bundles and proofs from anywhere: what parses is written back byte for byte, and no
// proof made of arbitrary hashes holds.
#include "tlog/tiles.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::tlog;
  const ByteView input{data, size};
  if (const auto path = parse_tile_path(text_of(input))) {
    const auto again =
        path->entries ? bundle_path(path->tile.index, path->tile.width) : tile_path(path->tile);
    THERIAC_ASSERT(again == text_of(input));
  }
  for (const unsigned width : {1U, 3U, 256U}) {
    const auto entries = parse_bundle(input, width);
    if (!entries) continue;
    Bytes again;
    for (const ByteView entry : *entries) THERIAC_ASSERT(put_bundle_entry(again, entry));
    THERIAC_ASSERT(std::ranges::equal(again, input));
  }
  constexpr std::size_t kHead = 24;
  if (size < kHead) return 0;
  const auto start = load_be<std::uint64_t>(data), end = load_be<std::uint64_t>(data + 8),
             tree = load_be<std::uint64_t>(data + 16);
  const ByteView rest = input.subspan(kHead);
  const auto hashes = parse_tile(rest.first(rest.size() / kHashBytes * kHashBytes),
                                 static_cast<unsigned>(rest.size() / kHashBytes));
  THERIAC_ASSERT(hashes.has_value());
  const Digest target = leaf_hash(view_of("not in any tree"));
  THERIAC_ASSERT(!verify_inclusion(leaf_hash({}), start, end, *hashes, target));
  // An equal tree is consistent with itself by definition; all else would be a forgery.
  if (start < end && (start != 0 || end != tree)) {
    THERIAC_ASSERT(!verify_subtree_consistency(start, end, tree, leaf_hash({}), target, *hashes));
  }
  return 0;
}
