#include "audit/verify.hpp"

#include <charconv>

#include "audit/checker.hpp"
#include "audit/files.hpp"
#include "tlog/checkpoint.hpp"

namespace theriac::audit {

using tlog::kTileWidth;
using tlog::TileId;

namespace {

/// A log that is being written moves on under our eyes; each try takes in what has come meanwhile.
constexpr int kTriesMax = 20;

/// Verification in steps; the finding of the first step that has one stands.
class Verification {
 public:
  Verification(Disk& disk, const std::string& path, const Checker::Progress& progress)
      : disk_(disk), path_(path), checker_(disk, path, progress) {}

  Result<Verdict> run(const std::string& public_key, const std::optional<Remembered>& remembered);

 private:
  Status take_key(const std::string& public_key);
  Status read_checkpoint(std::string& raw);
  void judge_checkpoint(const std::string& raw);
  void judge_remembered_note(const Remembered& remembered);
  Status follow();
  Result<std::uint64_t> tiles_end();
  void judge_tail();
  void judge_remembered();
  Verdict verdict() const;
  void found(std::string kind, std::optional<std::uint64_t> entry, std::string text) {
    if (!finding_) finding_ = Finding{std::move(kind), entry, std::move(text)};
  }

  Disk& disk_;
  const std::string& path_;
  Checker checker_;
  std::optional<tlog::VerifierKey> key_;
  bool key_from_log_ = false;
  std::optional<tlog::Checkpoint> checkpoint_;
  std::string signature_problem_;  ///< of the checkpoint; told also when something else is found
  std::optional<tlog::Checkpoint> kept_;
  WalContents wal_;
  std::uint64_t tiles_end_ = 0;
  bool moving_ = false;
  std::optional<Finding> finding_;
};

Status Verification::take_key(const std::string& public_key) {
  std::string text = public_key;
  if (public_key.empty()) {
    key_from_log_ = true;
    Bytes bytes;
    THERIAC_TRY(disk_.read(vkey_file(path_), bytes));
    text = text_of(bytes);
    if (text.ends_with('\n')) text.pop_back();
  }
  auto key = tlog::parse_verifier_key(text);
  if (key) {
    key_ = std::move(*key);
  } else if (key_from_log_) {
    found("bad signature", std::nullopt, "log.vkey does not hold a verifier key");
  } else {
    return fail(key.error());
  }
  return {};
}

Status Verification::read_checkpoint(std::string& raw) {
  Bytes bytes;
  const auto status = disk_.read(checkpoint_file(path_), bytes);
  if (status) {
    raw = text_of(bytes);
    return {};
  }
  if (status.error().code != Code::kNotFound) return status;
  if (!disk_.list(path_ + "/tile") && !disk_.list(wal_dir(path_))) return status;
  found("cut", std::nullopt, "the checkpoint is missing");
  return {};
}

void Verification::judge_checkpoint(const std::string& raw) {
  const auto note = tlog::parse_note(raw);
  const auto parsed = note ? tlog::parse_checkpoint(note->text) : fail(note.error());
  if (!parsed) {
    found("bad signature", std::nullopt, "the checkpoint is not a signed checkpoint");
    return;
  }
  checkpoint_ = *parsed;
  signature_problem_.clear();
  const auto opened = tlog::open_checkpoint(raw, *key_);
  if (opened) return;
  switch (opened.error().code) {
    case Code::kNotFound:
      signature_problem_ = "the checkpoint is not signed by " + key_->name;
      break;
    case Code::kMismatch:
      signature_problem_ = "the checkpoint names another log than its key does";
      break;
    default:
      signature_problem_ = "the checkpoint's signature does not verify";
  }
}

void Verification::judge_remembered_note(const Remembered& remembered) {
  auto opened = tlog::open_checkpoint(remembered.note, *key_);
  if (opened) {
    kept_ = std::move(*opened);
    checker_.watch(kept_->size);
    return;
  }
  if (opened.error().code == Code::kNotFound || opened.error().code == Code::kMismatch) {
    found("other key", std::nullopt,
          "the remembered checkpoint was signed by another key than " + key_->name +
              ": another log, or this one was made again under a new key");
  } else {
    found("bad signature", std::nullopt, "the remembered checkpoint's signature does not verify");
  }
}

/// How far tiles and bundles on the disk go, looking at and just behind the checkpoint's edge.
Result<std::uint64_t> Verification::tiles_end() {
  std::uint64_t end = checkpoint_->size;
  const auto look = [&](const std::string& full, std::uint64_t index) -> Status {
    Bytes bytes;
    const auto status = disk_.read(path_ + "/" + full, bytes);
    if (status) end = std::max(end, (index + 1) * kTileWidth);
    if (!status && status.error().code != Code::kNotFound) return status;
    const auto parts = disk_.list(path_ + "/" + full + ".p");
    if (!parts) return parts.error().code == Code::kNotFound ? Status{} : fail(parts.error());
    for (const auto& name : *parts) {
      unsigned width = 0;
      const auto [at, error] = std::from_chars(name.data(), name.data() + name.size(), width);
      if (error == std::errc{} && at == name.data() + name.size() && width < kTileWidth) {
        end = std::max(end, index * kTileWidth + width);
      }
    }
    return {};
  };
  const std::uint64_t edge = checkpoint_->size / kTileWidth;
  for (const std::uint64_t index : {edge, edge + 1}) {
    THERIAC_TRY(look(tlog::tile_path({0, index, kTileWidth}), index));
    THERIAC_TRY(look(tlog::bundle_path(index, kTileWidth), index));
  }
  return end;
}

/// Reads everything of one moment: the checkpoint is the same before and after.
Status Verification::follow() {
  std::string raw, again;
  THERIAC_TRY(read_checkpoint(raw));
  for (int tries = 0; !finding_; ++tries) {
    judge_checkpoint(raw);
    if (finding_) return {};
    if (checkpoint_->size < checker_.size()) {
      found("rolled back", checkpoint_->size, "an older checkpoint was put back just now");
      return {};
    }
    THERIAC_TRY(checker_.advance(checkpoint_->size));
    finding_ = checker_.finding();
    if (finding_) {
      // How long the log should be is known only from a checkpoint that is genuine.
      if (finding_->kind == "cut" && !signature_problem_.empty()) {
        finding_ = Finding{"bad signature", std::nullopt,
                           signature_problem_ + "; by its size, " + finding_->text};
      }
      return {};
    }
    // In this order: what is in tiles beyond the checkpoint was in the write-ahead log before, and
    // leaves it only when the checkpoint has changed.
    THERIAC_ASSIGN(tiles_end_, tiles_end());
    auto wal = read_wal(disk_, wal_dir(path_), checkpoint_->size);
    if (!wal) return fail(wal.error());
    wal_ = std::move(*wal);
    THERIAC_TRY(read_checkpoint(again));
    if (again == raw) return {};
    if (tries == kTriesMax) {
      moving_ = true;
      return {};
    }
    raw = std::exchange(again, {});
  }
  return {};
}

/// The root, then what lies behind the checkpoint.
void Verification::judge_tail() {
  if (checker_.root() != checkpoint_->root) {
    if (signature_problem_.empty()) {
      found("edited", std::nullopt,
            "all hashes agree with one another, but not with the root that was signed: an entry "
            "was edited and everything after it made again");
    } else {
      found("bad signature", std::nullopt, signature_problem_);
    }
    return;
  }
  if (!signature_problem_.empty()) {
    found("bad signature", std::nullopt, signature_problem_);
    return;
  }
  if (moving_) return;
  checker_.extend(wal_);
  finding_ = checker_.finding();
  if (!finding_ && wal_.torn_in_full) {
    found("edited", wal_.end(), "the last batch of the write-ahead log is damaged");
  }
  if (tiles_end_ > checker_.size()) {
    found(
        "rolled back", checker_.size(),
        fmt::format("there are tiles of {} entries: an older checkpoint was put back", tiles_end_));
  }
}

void Verification::judge_remembered() {
  if (!kept_) return;
  const auto root = checker_.root_at(kept_->size);
  if (!root) {
    if (moving_) return;
    found("rolled back", checker_.size(),
          fmt::format("the remembered checkpoint has {} entries", kept_->size));
  } else if (*root != kept_->root) {
    found("forked", std::nullopt,
          fmt::format("its first {} entries are not those of the remembered checkpoint",
                      kept_->size));
  }
}

Verdict Verification::verdict() const {
  Verdict out;
  if (checkpoint_) {
    out.origin = checkpoint_->origin;
    out.entries = checkpoint_->size;
    const std::uint64_t chained = moving_ ? wal_.end() : checker_.size();
    out.entries_unsigned = std::max(chained, out.entries) - out.entries;
  } else if (key_) {
    out.origin = key_->name;
  }
  out.holds = !finding_;
  if (finding_) {
    out.finding = finding_->kind;
    out.bad_entry = finding_->entry;
    out.explanation = finding_->entry ? fmt::format("{} at entry {}: {}", finding_->kind,
                                                    *finding_->entry, finding_->text)
                                      : fmt::format("{}: {}", finding_->kind, finding_->text);
    if (!signature_problem_.empty() && finding_->kind != "bad signature") {
      out.explanation += "; " + signature_problem_;
    }
  } else {
    out.explanation = fmt::format("{} entries under the checkpoint", out.entries);
    if (out.entries_unsigned > 0) {
      out.explanation += fmt::format(", {} chained but not yet signed", out.entries_unsigned);
    }
    if (kept_) out.explanation += fmt::format(", the first {} as remembered", kept_->size);
    if (wal_.torn_bytes > 0) {
      out.explanation +=
          fmt::format(", {} bytes of a write that was never acknowledged", wal_.torn_bytes);
    }
    if (moving_) out.explanation += ", the newest not judged since the log is being written";
  }
  if (key_from_log_) {
    out.explanation +=
        "; key taken from the log's own log.vkey, compare it with one kept elsewhere";
  }
  return out;
}

Result<Verdict> Verification::run(const std::string& public_key,
                                  const std::optional<Remembered>& remembered) {
  THERIAC_TRY(take_key(public_key));
  if (!finding_ && remembered) judge_remembered_note(*remembered);
  if (!finding_) {
    THERIAC_TRY(follow());
    if (!finding_) judge_tail();
    if (!finding_) judge_remembered();
  }
  return verdict();
}

}  // namespace

Result<Verdict> verify_on(Disk& disk, const std::string& path, const std::string& public_key,
                          const std::optional<Remembered>& remembered,
                          const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return Verification(disk, path, progress).run(public_key, remembered);
}

Result<Verdict> verify_path(const std::string& path, const std::string& public_key,
                            const std::optional<Remembered>& remembered,
                            const std::function<void(std::uint64_t, std::uint64_t)>& progress) {
  return verify_on(posix_disk(), path, public_key, remembered, progress);
}

}  // namespace theriac::audit
