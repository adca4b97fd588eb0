#include "tlog/tiles.hpp"

#include <charconv>

namespace theriac::tlog {

namespace {

constexpr unsigned kGroupBase = 1000;  // three decimal digits in a path element
constexpr std::size_t kLengthBytes = 2;

void put_index(std::string& path, std::uint64_t index) {
  // At most seven groups for 64 bits; the last one alone has no 'x'.
  std::array<unsigned, 7> groups{};
  std::size_t count = 0;
  do {
    groups[count++] = static_cast<unsigned>(index % kGroupBase);
    index /= kGroupBase;
  } while (index != 0);
  for (std::size_t i = count; i-- > 0;)
    fmt::format_to(std::back_inserter(path), "{}{:03}{}", i > 0 ? "x" : "", groups[i],
                   i > 0 ? "/" : "");
}

void put_width(std::string& path, unsigned width) {
  THERIAC_ASSERT(width > 0 && width <= kTileWidth);
  if (width < kTileWidth) fmt::format_to(std::back_inserter(path), ".p/{}", width);
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

/// Decimal without leading zeros, of at most `max`.
std::optional<std::uint64_t> parse_decimal(std::string_view text, std::uint64_t max) {
  if (text.empty() || (text.size() > 1 && text.front() == '0')) return std::nullopt;
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

/// "x001/x234/067"; refuses what put_index would not write.
std::optional<std::uint64_t> parse_index(std::string_view text) {
  std::uint64_t index = 0;
  for (bool first = true;; first = false) {
    const bool more = take_prefix(text, "x");
    if (text.size() < 3) return std::nullopt;
    unsigned group = 0;
    for (const char c : text.substr(0, 3)) {
      if (c < '0' || c > '9') return std::nullopt;
      group = group * 10 + static_cast<unsigned>(c - '0');
    }
    text.remove_prefix(3);
    if (first && more && group == 0) return std::nullopt;
    if (index > (kTreeSizeMax - group) / kGroupBase) return std::nullopt;
    index = index * kGroupBase + group;
    if (!more) return text.empty() ? std::optional(index) : std::nullopt;
    if (!take_prefix(text, "/")) return std::nullopt;
  }
}

}  // namespace

std::string tile_path(const TileId& tile) {
  std::string path = fmt::format("tile/{}/", tile.level);
  put_index(path, tile.index);
  put_width(path, tile.width);
  return path;
}

std::string bundle_path(std::uint64_t index, unsigned width) {
  std::string path = "tile/entries/";
  put_index(path, index);
  put_width(path, width);
  return path;
}

Result<TilePath> parse_tile_path(std::string_view path) {
  const auto malformed = [] { return fail(Code::kMalformed, "tile path"); };
  if (!take_prefix(path, "tile/")) return malformed();
  TilePath out;
  const std::size_t slash = path.find('/');
  if (slash == std::string_view::npos) return malformed();
  const std::string_view level = path.substr(0, slash);
  path.remove_prefix(slash + 1);
  if (level == "entries") {
    out.entries = true;
  } else {
    const auto number = parse_decimal(level, kTileLevelMax);
    if (!number) return malformed();
    out.tile.level = static_cast<unsigned>(*number);
  }
  if (const std::size_t at = path.find(".p/"); at != std::string_view::npos) {
    const auto width = parse_decimal(path.substr(at + 3), kTileWidth - 1);
    if (!width || *width == 0) return malformed();
    out.tile.width = static_cast<unsigned>(*width);
    path = path.substr(0, at);
  }
  const auto index = parse_index(path);
  if (!index) return malformed();
  out.tile.index = *index;
  return out;
}

std::uint64_t level_size(unsigned level, std::uint64_t size) {
  const unsigned shift = level * kTileHeight;
  return shift >= 64 ? 0 : size >> shift;
}

unsigned tile_width(unsigned level, std::uint64_t index, std::uint64_t size) {
  const std::uint64_t hashes = level_size(level, size);
  const std::uint64_t full = hashes / kTileWidth;
  if (index < full) return kTileWidth;
  return index == full ? static_cast<unsigned>(hashes % kTileWidth) : 0;
}

std::vector<TileId> tiles_between(std::uint64_t old_size, std::uint64_t new_size) {
  std::vector<TileId> tiles;
  for (unsigned level = 0; level_size(level, new_size) > 0; ++level) {
    const std::uint64_t old_hashes = level_size(level, old_size);
    const std::uint64_t hashes = level_size(level, new_size);
    if (old_hashes >= hashes) break;
    for (std::uint64_t index = old_hashes / kTileWidth; index * kTileWidth < hashes; ++index) {
      tiles.push_back({level, index, tile_width(level, index, new_size)});
    }
  }
  return tiles;
}

Result<std::vector<Digest>> parse_tile(ByteView bytes, unsigned width) {
  if (bytes.size() != width * kHashBytes) return fail(Code::kMalformed, "tile length");
  std::vector<Digest> hashes(width);
  for (std::size_t i = 0; i < width; ++i) {
    std::memcpy(hashes[i].data(), bytes.data() + i * kHashBytes, kHashBytes);
  }
  return hashes;
}

Status put_bundle_entry(Bytes& bundle, ByteView entry) {
  if (entry.size() > kEntryBytesMax) return fail(Code::kTooLarge, "log entry");
  append_be(bundle, static_cast<std::uint16_t>(entry.size()));
  append(bundle, entry);
  return {};
}

Result<ByteView> take_bundle_entry(ByteView& rest) {
  if (rest.size() < kLengthBytes) return fail(Code::kMalformed, "entry bundle: length");
  const std::size_t size = load_be<std::uint16_t>(rest.data());
  if (rest.size() - kLengthBytes < size) return fail(Code::kMalformed, "entry bundle: entry");
  const ByteView entry = rest.subspan(kLengthBytes, size);
  rest = rest.subspan(kLengthBytes + size);
  return entry;
}

Result<std::vector<ByteView>> parse_bundle(ByteView bytes, unsigned width) {
  std::vector<ByteView> entries;
  entries.reserve(width);
  for (unsigned i = 0; i < width; ++i) {
    THERIAC_ASSIGN(const ByteView entry, take_bundle_entry(bytes));
    entries.push_back(entry);
  }
  if (!bytes.empty()) return fail(Code::kMalformed, "entry bundle: trailing bytes");
  return entries;
}

NodeSource node_source(std::uint64_t size, std::function<Result<Bytes>(const TileId&)> fetch) {
  return [size, fetch = std::move(fetch)](Node node) -> Result<Digest> {
    // The node is the root of 2^(level mod 8) neighbouring hashes of one tile.
    const unsigned level = node.level / kTileHeight;
    const unsigned height = node.level % kTileHeight;
    const std::uint64_t first = node.index << height;
    const std::uint64_t index = first / kTileWidth;
    const auto offset = static_cast<std::size_t>(first % kTileWidth);
    const std::size_t count = std::size_t{1} << height;
    const unsigned width = tile_width(level, index, size);
    if (offset + count > width) return fail(Code::kOutOfRange, "tree node");
    THERIAC_ASSIGN(const Bytes bytes, fetch(TileId{level, index, width}));
    THERIAC_ASSIGN(const auto hashes, parse_tile(bytes, width));
    return tree_hash(std::span(hashes).subspan(offset, count));
  };
}

Result<TreeEdge> TreeEdge::restore(std::uint64_t size,
                                   const std::function<Result<Bytes>(const TileId&)>& fetch) {
  if (size > kTreeSizeMax) return fail(Code::kOutOfRange, "tree size");
  TreeEdge edge;
  edge.size_ = size;
  for (unsigned level = 0; level_size(level, size) > 0; ++level) {
    const std::uint64_t index = level_size(level, size) / kTileWidth;
    const unsigned width = tile_width(level, index, size);
    edge.levels_.emplace_back();
    if (width == 0) continue;
    THERIAC_ASSIGN(const Bytes bytes, fetch(TileId{level, index, width}));
    THERIAC_ASSIGN(edge.levels_.back(), parse_tile(bytes, width));
  }
  return edge;
}

void TreeEdge::push(const Digest& leaf, const Filled& filled) {
  ++size_;
  Digest hash = leaf;
  for (unsigned level = 0;; ++level) {
    if (level == levels_.size()) {
      levels_.emplace_back();
      levels_.back().reserve(kTileWidth);
    }
    auto& row = levels_[level];
    row.push_back(hash);
    if (row.size() < kTileWidth) return;
    if (filled) filled(TileId{level, level_size(level, size_) / kTileWidth - 1, kTileWidth}, row);
    hash = tree_hash(row);
    row.clear();
  }
}

Digest TreeEdge::root() const {
  // Each level's hashes, with what is to their right as one smaller last leaf, give the next.
  std::optional<Digest> right;
  for (const auto& row : levels_) {
    std::vector<Digest> hashes = row;
    if (right) hashes.push_back(*right);
    if (!hashes.empty()) right = tree_hash(hashes);
  }
  return right ? *right : empty_root();
}

Bytes tile_bytes(std::span<const Digest> hashes) {
  Bytes out;
  out.reserve(hashes.size() * kHashBytes);
  for (const Digest& hash : hashes) append(out, hash);
  return out;
}

}  // namespace theriac::tlog
