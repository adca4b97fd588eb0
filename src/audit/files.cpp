#include "audit/files.hpp"

namespace theriac::audit {

Status read_tile(Disk& disk, const std::string& directory, const tlog::TileId& tile, Bytes& out) {
  auto status = disk.read(directory + "/" + tlog::tile_path(tile), out);
  if (!status && status.error().code == Code::kNotFound && tile.width < tlog::kTileWidth) {
    tlog::TileId full = tile;
    full.width = tlog::kTileWidth;
    status = disk.read(directory + "/" + tlog::tile_path(full), out);
    if (status && out.size() == tlog::kTileBytes) out.resize(tile.width * tlog::kHashBytes);
  }
  THERIAC_TRY(status);
  if (out.size() != tile.width * tlog::kHashBytes) {
    return fail(Code::kMalformed, tlog::tile_path(tile));
  }
  return {};
}

Status read_bundle(Disk& disk, const std::string& directory, std::uint64_t index, unsigned width,
                   Bytes& out) {
  auto status = disk.read(directory + "/" + tlog::bundle_path(index, width), out);
  if (status || status.error().code != Code::kNotFound || width == tlog::kTileWidth) return status;
  THERIAC_TRY(disk.read(directory + "/" + tlog::bundle_path(index, tlog::kTileWidth), out));
  ByteView rest(out);
  for (unsigned i = 0; i < width; ++i) {
    if (!tlog::take_bundle_entry(rest)) return {};  // the reader finds it too short
  }
  out.resize(out.size() - rest.size());
  return {};
}

}  // namespace theriac::audit
