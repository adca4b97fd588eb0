#include "audit/wal.hpp"

#include <fmt/format.h>

#include <charconv>

#include "tlog/tiles.hpp"

namespace theriac::audit {

namespace {

constexpr std::string_view kMagic = "TWB1";
constexpr std::size_t kNameChars = 20;

/// Offsets in the header.
constexpr std::size_t kAtFirst = 4, kAtCount = 12, kAtBytes = 16;

tlog::Digest batch_digest(ByteView header, std::span<const tlog::Digest> leaves) {
  Bytes input;
  input.reserve(header.size() + leaves.size() * tlog::kHashBytes);
  append(input, header);
  for (const auto& leaf : leaves) append(input, leaf);
  return crypto::sha256(input);
}

std::optional<std::uint64_t> parse_name(std::string_view name) {
  std::uint64_t first = 0;
  if (name.size() != kNameChars) return std::nullopt;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), first);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return first;
}

struct ReadBatch {
  std::uint64_t first = 0;
  std::vector<ByteView> entries;
  std::vector<tlog::Digest> leaves;
  std::size_t bytes = 0;
};

bool begins_batch(ByteView bytes) { return text_of(bytes).starts_with(kMagic); }

/// The length of the batch that the header announces; 0 without a header.
std::size_t announced_bytes(ByteView bytes) {
  if (bytes.size() < kWalFrameBytes || !begins_batch(bytes)) return 0;
  return kWalFrameBytes + load_be<std::uint32_t>(bytes.data() + kAtBytes);
}

/// nullopt: not a whole, undamaged batch.
std::optional<ReadBatch> read_batch(ByteView bytes) {
  const std::size_t size = announced_bytes(bytes);
  if (size == 0 || size > bytes.size()) return std::nullopt;
  ReadBatch batch;
  batch.first = load_be<std::uint64_t>(bytes.data() + kAtFirst);
  batch.bytes = size;
  const auto count = load_be<std::uint32_t>(bytes.data() + kAtCount);
  ByteView payload = bytes.subspan(kWalFrameBytes, size - kWalFrameBytes);
  while (!payload.empty()) {
    const auto entry = tlog::take_bundle_entry(payload);
    if (!entry) return std::nullopt;
    batch.entries.push_back(*entry);
    batch.leaves.push_back(tlog::leaf_hash(*entry));
  }
  if (batch.entries.size() != count || count == 0) return std::nullopt;
  const auto digest = batch_digest(bytes.first(kWalHeaderBytes), batch.leaves);
  const ByteView stored = bytes.subspan(kWalHeaderBytes, tlog::kHashBytes);
  if (!std::ranges::equal(digest, stored)) return std::nullopt;
  return batch;
}

/// Whether a whole batch follows somewhere: then what stands before it was not torn by a crash.
bool batch_follows(ByteView bytes) {
  for (std::size_t at = 1; at < bytes.size(); ++at) {
    const std::size_t found = text_of(bytes).find(kMagic, at);
    if (found == std::string_view::npos) return false;
    if (read_batch(bytes.subspan(found))) return true;
    at = found;
  }
  return false;
}

/// Reads one segment behind what `out` holds.
void read_segment(ByteView bytes, WalContents& out) {
  while (!bytes.empty()) {
    auto batch = read_batch(bytes);
    if (!batch) {
      if (batch_follows(bytes)) {
        out.damage = {out.end(), "a batch of the write-ahead log was altered"};
      } else {
        const std::size_t announced = announced_bytes(bytes);
        out.torn_in_full = announced != 0 && announced <= bytes.size();
        out.torn_bytes += bytes.size();
      }
      return;
    }
    if (batch->first != out.end()) {
      out.damage = {out.end(), "a batch of the write-ahead log is missing or out of place"};
      return;
    }
    out.entries.insert(out.entries.end(), batch->entries.begin(), batch->entries.end());
    out.leaves.insert(out.leaves.end(), batch->leaves.begin(), batch->leaves.end());
    bytes = bytes.subspan(batch->bytes);
  }
}

}  // namespace

const Bytes& Batch::seal() {
  std::copy(kMagic.begin(), kMagic.end(), frame_.begin());
  store_be(frame_.data() + kAtFirst, first_);
  store_be(frame_.data() + kAtCount, static_cast<std::uint32_t>(leaves_.size()));
  store_be(frame_.data() + kAtBytes, static_cast<std::uint32_t>(frame_.size() - kWalFrameBytes));
  const auto digest = batch_digest(ByteView(frame_).first(kWalHeaderBytes), leaves_);
  std::memcpy(frame_.data() + kWalHeaderBytes, digest.data(), digest.size());
  return frame_;
}

Status WalWriter::open() {
  THERIAC_TRY(disk_.make_dir(directory_));
  THERIAC_TRY(disk_.sync_dir(directory_.substr(0, directory_.rfind('/'))));
  THERIAC_ASSIGN(const auto names, disk_.list(directory_));
  const std::scoped_lock lock(mutex_);
  for (const auto& name : names) {
    const auto first = parse_name(name);
    if (!first) continue;
    segments_.push_back({*first, directory_ + "/" + name});
    THERIAC_TRY(disk_.sync_file(segments_.back().path));
  }
  return disk_.sync_dir(directory_);
}

Status WalWriter::begin_segment(std::uint64_t first) {
  const std::string path = fmt::format("{}/{:0{}}", directory_, first, kNameChars);
  file_.reset();
  THERIAC_ASSIGN(auto file, disk_.create(path));
  THERIAC_TRY(disk_.sync_dir(directory_));
  file_ = std::move(file);
  good_bytes_ = 0;
  rotate_ = false;
  const std::scoped_lock lock(mutex_);
  if (segments_.empty() || segments_.back().path != path) segments_.push_back({first, path});
  return {};
}

Status WalWriter::repair() {
  // What a failed write or sync left behind must be gone before its indexes are given again.
  if (file_) {
    THERIAC_TRY(file_->truncate(good_bytes_));
    THERIAC_TRY(file_->sync());
  }
  broken_ = false;
  rotate_ = true;
  return {};
}

Status WalWriter::append(Batch& batch) {
  if (broken_) THERIAC_TRY(repair());
  if (!file_ || (rotate_ && good_bytes_ > 0)) THERIAC_TRY(begin_segment(batch.first()));
  rotate_ = false;
  const Bytes& frame = batch.seal();
  auto status = file_->write(frame);
  if (status) status = file_->sync();
  if (!status) {
    broken_ = true;
    return status;
  }
  good_bytes_ += frame.size();
  return {};
}

void WalWriter::remove_below(std::uint64_t size) {
  const std::scoped_lock lock(mutex_);
  // A segment that could not be removed is tried again next time; its entries do no harm.
  std::size_t removed = 0;
  while (removed + 1 < segments_.size() && segments_[removed + 1].first <= size) {
    const auto status = disk_.remove(segments_[removed].path);
    if (!status && status.error().code != Code::kNotFound) break;
    ++removed;
  }
  segments_.erase(segments_.begin(), segments_.begin() + static_cast<std::ptrdiff_t>(removed));
}

void WalWriter::remove_all() {
  file_.reset();
  const std::scoped_lock lock(mutex_);
  for (const auto& segment : segments_) static_cast<void>(disk_.remove(segment.path));
  segments_.clear();
}

Result<WalContents> read_wal(Disk& disk, const std::string& directory, std::uint64_t size) {
  WalContents out;
  out.first = size;
  const auto names = disk.list(directory);
  if (!names) {
    if (names.error().code == Code::kNotFound) return out;
    return fail(names.error());
  }
  for (const auto& name : *names) {
    const auto first = parse_name(name);
    if (!first) continue;
    Bytes bytes;
    const auto status = disk.read(directory + "/" + name, bytes);
    if (!status && status.error().code == Code::kNotFound) continue;  // removed just now
    THERIAC_TRY(status);
    if (out.buffers.empty()) {
      if (*first > size) {
        out.damage = {size, "the write-ahead log begins too late"};
        return out;
      }
      out.first = *first;
    } else if (*first > out.end() && *first > size) {
      out.damage = {std::max(out.end(), size), "a segment of the write-ahead log is missing"};
      return out;
    } else if (*first > out.end()) {
      // A gap below what is in tiles: segments that were being removed when the machine stopped.
      out.entries.clear();
      out.leaves.clear();
      out.first = *first;
    } else if (*first < out.end()) {
      out.damage = {*first, "segments of the write-ahead log overlap"};
      return out;
    }
    out.buffers.push_back(std::move(bytes));
    out.torn_bytes = 0;
    out.torn_in_full = false;
    read_segment(out.buffers.back(), out);
    if (out.damage) return out;
  }
  return out;
}

}  // namespace theriac::audit
