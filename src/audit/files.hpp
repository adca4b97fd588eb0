// Names and contents of the log's files.
#pragma once

#include <string>

#include "audit/disk.hpp"
#include "tlog/tiles.hpp"

namespace theriac::audit {

inline std::string checkpoint_file(const std::string& directory) {
  return directory + "/checkpoint";
}
inline std::string vkey_file(const std::string& directory) { return directory + "/log.vkey"; }
inline std::string lock_file(const std::string& directory) { return directory + "/lock"; }
inline std::string wal_dir(const std::string& directory) { return directory + "/wal"; }

/// A tile at the width asked for: out of the partial file, or out of the full one that has since
/// taken its place (tlog-tiles, "Partial Tiles"). Code::kMalformed when it is too short.
Status read_tile(Disk& disk, const std::string& directory, const tlog::TileId& tile, Bytes& out);
/// The same for entries. A file of `width` that holds more is returned with what is behind them.
Status read_bundle(Disk& disk, const std::string& directory, std::uint64_t index, unsigned width,
                   Bytes& out);

}  // namespace theriac::audit
