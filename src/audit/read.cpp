#include "audit/read.hpp"

#include "audit/files.hpp"
#include "audit/wal.hpp"
#include "tlog/checkpoint.hpp"

namespace theriac::audit {

using tlog::kTileWidth;

Status read_entries(Disk& disk, const std::string& path, std::uint64_t from, std::uint64_t to,
                    const std::function<bool(const ReadEntry&)>& take) {
  Bytes raw;
  THERIAC_TRY(disk.read(checkpoint_file(path), raw));
  THERIAC_ASSIGN(const auto note, tlog::parse_note(text_of(raw)));
  THERIAC_ASSIGN(const auto checkpoint, tlog::parse_checkpoint(note.text));
  std::uint64_t next = from;
  while (next < std::min(to, checkpoint.size)) {
    const std::uint64_t index = next / kTileWidth;
    const unsigned width = tlog::tile_width(0, index, checkpoint.size);
    THERIAC_TRY(read_bundle(disk, path, index, width, raw));
    ByteView rest(raw);
    for (std::uint64_t entry = index * kTileWidth; entry < index * kTileWidth + width; ++entry) {
      auto bytes = tlog::take_bundle_entry(rest);
      if (!bytes) return fail(Code::kMalformed, tlog::bundle_path(index, width));
      if (entry < next) continue;
      if (entry >= to || !take({entry, text_of(*bytes), true})) return {};
      next = entry + 1;
    }
  }
  THERIAC_ASSIGN(const auto wal, read_wal(disk, wal_dir(path), checkpoint.size));
  for (; next < std::min(to, wal.end()); ++next) {
    if (next < wal.first) break;  // begins too late; verification tells
    if (!take({next, text_of(wal.entries[next - wal.first]), false})) break;
  }
  return {};
}

}  // namespace theriac::audit
