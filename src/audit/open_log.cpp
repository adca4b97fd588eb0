// Opening: refuse what does not verify, take in what a crash left in the write-ahead log.
#include "audit/checker.hpp"
#include "audit/file_log.hpp"
#include "audit/files.hpp"
#include "audit/limits.hpp"
#include "base/ids.hpp"
#include "codec/time.hpp"
#include "tlog/checkpoint.hpp"

namespace theriac::audit {

using tlog::kTileWidth;

namespace {

Status check_options(const Options& options) {
  if (options.directory.empty()) return fail(Code::kUsage, "audit log: directory");
  if (!tlog::valid_key_name(options.origin)) return fail(Code::kUsage, "audit log: origin");
  if (options.producer.empty() || options.producer.size() > kProducerBytesMax) {
    return fail(Code::kUsage, "audit log: producer");
  }
  return {};
}

/// Makes the directory and those above it, each one's name durable.
Status make_directory(Disk& disk, const std::string& directory) {
  if (disk.list(directory)) return {};
  const std::size_t slash = directory.rfind('/');
  std::string parent = ".";
  if (slash == 0) parent = "/";
  if (slash != std::string::npos && slash > 0) {
    parent = directory.substr(0, slash);
    THERIAC_TRY(make_directory(disk, parent));
  }
  THERIAC_TRY(disk.make_dir(directory));
  return disk.sync_dir(parent);
}

class Opening {
 public:
  Opening(Disk& disk, const Options& options, crypto::Ed25519Key key, Random& random, Log& log)
      : disk_(disk), options_(options), log_(log) {
    files_.key = std::make_unique<crypto::Ed25519Key>(std::move(key));
    files_.tree =
        std::make_unique<TreeWriter>(disk, options.directory, options.origin, *files_.key);
    files_.wal = std::make_unique<WalWriter>(disk, wal_dir(options.directory));
    boot_id_ = to_uuid_text(random.uuid<RowId>().view());
  }

  Result<OpenedFiles> run(std::int64_t wall_ms) {
    THERIAC_TRY(make_directory(disk_, options_.directory));
    THERIAC_ASSIGN(files_.lock, disk_.lock(lock_file(options_.directory)));
    THERIAC_TRY(open_tree());
    THERIAC_ASSIGN(const WalContents wal,
                   read_wal(disk_, wal_dir(options_.directory), files_.tree->size()));
    THERIAC_TRY(follow(wal));
    files_.entries = std::make_unique<EntryWriter>(options_.producer, boot_id_, state_);
    THERIAC_TRY(files_.wal->open());
    THERIAC_TRY(take_in(wal, wall_ms));
    return std::move(files_);
  }

 private:
  tl::unexpected<Error> tampered(std::string_view what) {
    return fail(Code::kLogTampered, fmt::format("audit log {}: {}", options_.directory, what));
  }

  /// The checkpoint under our key, and the right edge of the tree under the checkpoint.
  Status open_tree() {
    Bytes raw;
    const auto status = disk_.read(checkpoint_file(options_.directory), raw);
    if (!status && status.error().code == Code::kNotFound) {
      // A log always has a checkpoint before it has entries.
      if (disk_.list(options_.directory + "/tile")) return tampered("the checkpoint is missing");
      THERIAC_ASSIGN(const WalContents wal, read_wal(disk_, wal_dir(options_.directory), 0));
      if (!wal.buffers.empty() || wal.damage) return tampered("the checkpoint is missing");
      return files_.tree->begin_empty();
    }
    THERIAC_TRY(status);
    THERIAC_ASSIGN(const auto key,
                   tlog::make_verifier_key(options_.origin, files_.key->public_key()));
    const auto checkpoint = tlog::open_checkpoint(text_of(raw), key);
    if (!checkpoint) return tampered("checkpoint not signed by this log's key");
    THERIAC_TRY(check_vkey(tlog::format_verifier_key(key) + "\n"));
    // We may have read a checkpoint whose new name is not on the medium yet, and are about to drop
    // the write-ahead log for its sake.
    THERIAC_TRY(disk_.sync_dir(options_.directory));
    const auto loaded = files_.tree->load(*checkpoint);
    if (!loaded) return tampered(loaded.error().where);
    return {};
  }

  /// Verification by others begins with that file.
  Status check_vkey(const std::string& expected) {
    Bytes raw;
    const auto status = disk_.read(vkey_file(options_.directory), raw);
    if (status && text_of(raw) != expected) return tampered("log.vkey holds another key");
    if (status || status.error().code != Code::kNotFound) return status;
    const std::array<NewFile, 1> files{NewFile{vkey_file(options_.directory), bytes_of(expected)}};
    return write_durably(disk_, options_.directory, files);
  }

  /// Entries in tiles and in the write-ahead log, as far as they are to be checked, and where our
  /// producer's chain stands.
  Status follow(const WalContents& wal) {
    const std::uint64_t size = files_.tree->size();
    if (size <= options_.verify_whole_max) {
      Checker checker(disk_, options_.directory, {});
      THERIAC_TRY(checker.advance(size));
      checker.extend(wal);
      if (const auto& finding = checker.finding()) return finding_to_status(*finding);
      if (const auto* last = checker.chain().find(producer())) {
        state_.next_sequence = last->next_sequence;
        state_.previous = last->hash;
      }
      return find_last_time(checker.chain().find(producer()), wal);
    }
    return follow_edge(wal);
  }

  Status finding_to_status(const Finding& finding) {
    return finding.entry ? tampered(fmt::format("{} at entry {}", finding.kind, *finding.entry))
                         : tampered(finding.kind);
  }

  /// Without its quotes, as Chain and read_links have it.
  [[nodiscard]] std::string producer() const {
    const std::string quoted = json_text(options_.producer);
    return quoted.substr(1, quoted.size() - 2);
  }

  /// Backwards from the end until the producer's last entry is found, then forward again.
  Status follow_edge(const WalContents& wal) {
    const std::uint64_t size = files_.tree->size();
    Chain chain(false);
    for (std::uint64_t index = (size + kTileWidth - 1) / kTileWidth; index-- > 0;) {
      Chain part(false);
      THERIAC_TRY(follow_bundle(part, index));
      if (index * kTileWidth + kTileWidth >= size || part.find(producer()) != nullptr) {
        chain = std::move(part);
      }
      if (chain.find(producer()) != nullptr) break;
    }
    for (std::size_t i = 0; i < wal.entries.size(); ++i) {
      const std::uint64_t entry = wal.first + i;
      if (entry < size) continue;
      if (chain.check(entry, wal.entries[i], wal.leaves[i]) != Chain::Problem::kNone) {
        return tampered(fmt::format("the write-ahead log does not continue it at entry {}", entry));
      }
    }
    if (wal.damage) return tampered(wal.damage->what);
    const auto* last = chain.find(producer());
    if (last != nullptr) {
      state_.next_sequence = last->next_sequence;
      state_.previous = last->hash;
    }
    return find_last_time(last, wal);
  }

  Status follow_bundle(Chain& chain, std::uint64_t index) {
    const unsigned width = tlog::tile_width(0, index, files_.tree->size());
    Bytes bundle, tile;
    if (!read_bundle(disk_, options_.directory, index, width, bundle) ||
        !read_tile(disk_, options_.directory, {0, index, width}, tile)) {
      return tampered(tlog::bundle_path(index, width));
    }
    ByteView rest(bundle);
    THERIAC_ASSIGN(const auto hashes, tlog::parse_tile(tile, width));
    for (unsigned i = 0; i < width; ++i) {
      const std::uint64_t number = index * kTileWidth + i;
      const auto entry = tlog::take_bundle_entry(rest);
      if (!entry || tlog::leaf_hash(*entry) != hashes[i] ||
          chain.check(number, *entry, hashes[i]) != Chain::Problem::kNone) {
        return tampered(fmt::format("edited at entry {}", number));
      }
    }
    return {};
  }

  /// So that a clock set back while the program was down is noticed.
  Status find_last_time(const Chain::Last* last, const WalContents& wal) {
    if (last == nullptr) return {};
    Bytes bundle;
    ByteView entry;
    if (last->index >= wal.first && last->index < wal.end()) {
      entry = wal.entries[last->index - wal.first];
    } else {
      const std::uint64_t index = last->index / kTileWidth;
      THERIAC_TRY(read_bundle(disk_, options_.directory, index,
                              tlog::tile_width(0, index, files_.tree->size()), bundle));
      ByteView rest(bundle);
      for (std::uint64_t i = index * kTileWidth; i <= last->index; ++i) {
        THERIAC_ASSIGN(entry, tlog::take_bundle_entry(rest));
      }
    }
    const auto links = read_links(entry);
    const auto time = links ? codec::parse_rfc3339(links->time) : fail(Code::kMalformed);
    if (!time) return tampered(fmt::format("the time of entry {}", last->index));
    state_.last_wall_ms = *time;
    return {};
  }

  /// Puts the write-ahead log's entries into tiles and starts it anew.
  Status take_in(const WalContents& wal, std::int64_t wall_ms) {
    const std::uint64_t size = files_.tree->size();
    const std::uint64_t end = std::max(wal.end(), size);
    std::vector<std::shared_ptr<const Batch>> batches;
    auto batch = std::make_shared<Batch>(size);
    for (std::uint64_t entry = size; entry < end; ++entry) {
      batch->add([&](Bytes& out) { append(out, wal.entries[entry - wal.first]); });
    }
    batches.push_back(std::move(batch));
    if (wal.torn_bytes > 0) {
      Event event;
      event.action = "log.recovered";
      event.actor = "system";
      event.object = options_.origin;
      event.details["bytes_cut"] = wal.torn_bytes;
      event.details["entries_kept"] = end - size;
      log_.write(Level::kWarning, "audit.recovered",
                 {{"bytes_cut", wal.torn_bytes}, {"entries_kept", end - size}});
      // An entry like any other: first in the write-ahead log, then in tiles.
      auto note = std::make_shared<Batch>(end);
      files_.entries->put(*note, draft_entry(event, boot_id_), wall_ms);
      THERIAC_TRY(files_.wal->append(*note));
      batches.push_back(std::move(note));
    }
    THERIAC_TRY(files_.tree->integrate(batches));
    files_.wal->remove_all();
    return {};
  }

  Disk& disk_;
  const Options& options_;
  Log& log_;
  OpenedFiles files_;
  std::string boot_id_;
  ChainState state_;
};

}  // namespace

Result<std::unique_ptr<AuditLog>> open_log_on(Disk& disk, Options options, crypto::Ed25519Key key,
                                              Clock& clock, Random& random, Log& log) {
  THERIAC_TRY(check_options(options));
  while (options.directory.size() > 1 && options.directory.ends_with('/')) {
    options.directory.pop_back();
  }
  THERIAC_ASSIGN(OpenedFiles files,
                 Opening(disk, options, std::move(key), random, log).run(clock.wall_ms()));
  return std::make_unique<FileLog>(std::move(options), std::move(files), clock, log);
}

Result<std::unique_ptr<AuditLog>> open_log(Options options, crypto::Ed25519Key key, Clock& clock,
                                           Random& random, Log& log) {
  return open_log_on(posix_disk(), std::move(options), std::move(key), clock, random, log);
}

}  // namespace theriac::audit
