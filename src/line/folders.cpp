#include "line/folders.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "base/files.hpp"
#include "crypto/hash.hpp"
#include "line/limits.hpp"

namespace theriac::line {
namespace {

constexpr mode_t kOwnerOnly = 0700;

Status make_folder(const std::string& path) {
  if (::mkdir(path.c_str(), kOwnerOnly) != 0 && errno != EEXIST) return file_error(path);
  struct stat found{};
  if (::stat(path.c_str(), &found) != 0) return file_error(path);
  if (!S_ISDIR(found.st_mode)) return fail(Code::kIo, path);
  return {};
}

bool is_passed_over(std::string_view name) {
  return name.starts_with('.') || name.ends_with(".tmp") || name.ends_with(".part");
}

Status rename_file(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return file_error(from);
  return sync_folder_of(to);
}

/// For a name that nobody should have to type.
std::string safe_name(const std::string& name) {
  const auto digest = to_hex(ByteView(crypto::sha256(view_of(name))).first(4));
  return (is_plain_name(name) ? name : "unnamed") + "." + digest;
}

std::int64_t changed_ns(const struct stat& one) {
  return std::int64_t{one.st_mtim.tv_sec} * 1'000'000'000 + one.st_mtim.tv_nsec;
}

}  // namespace

bool is_plain_name(std::string_view name) {
  constexpr std::string_view kOthers = "._-";
  return !name.empty() && name.size() <= kFileNameBytesMax && name.front() != '.' &&
         std::ranges::all_of(name, [&](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                  kOthers.contains(c);
         });
}

std::string Folders::in(std::string_view name) const { return root_ + "/in/" + std::string(name); }
std::string Folders::out(std::string_view name) const {
  return root_ + "/out/" + std::string(name);
}
std::string Folders::refused(std::string_view name) const {
  return root_ + "/refused/" + std::string(name);
}
std::string Folders::part(std::string_view name) const {
  return root_ + "/out/." + std::string(name) + ".part";
}

Result<Folders> Folders::make(const std::string& root) {
  THERIAC_TRY(make_folder(root));
  for (const auto* name : {"/in", "/out", "/done", "/refused", "/state"}) {
    THERIAC_TRY(make_folder(root + name));
  }
  return Folders(root);
}

Result<std::vector<std::string>> Folders::arrived(std::int64_t monotonic_ms,
                                                  std::int64_t settle_ms) {
  const auto path = in("");
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(::opendir(path.c_str()), ::closedir);
  if (!folder) return file_error(path);
  std::map<std::string, Seen> now;
  for (const auto* entry = ::readdir(folder.get()); entry != nullptr;
       entry = ::readdir(folder.get())) {
    const std::string name(entry->d_name);
    struct stat found{};
    if (is_passed_over(name) || ::lstat(in(name).c_str(), &found) != 0) continue;
    Seen one{found.st_ino, static_cast<std::uint64_t>(found.st_size), changed_ns(found),
             monotonic_ms};
    const auto before = seen_.find(name);
    if (before != seen_.end() && before->second.inode == one.inode &&
        before->second.size == one.size && before->second.changed_ns == one.changed_ns) {
      one.since_ms = before->second.since_ms;
    }
    now.emplace(name, one);
  }
  seen_ = std::move(now);
  std::vector<std::string> ready;
  for (const auto& [name, one] : seen_) {
    if (monotonic_ms - one.since_ms < settle_ms) break;
    ready.push_back(name);
  }
  return ready;
}

Result<tl::expected<Bytes, Fault>> Folders::read(const std::string& name) const {
  using Read = tl::expected<Bytes, Fault>;
  const auto refuse = [](Reason reason) { return Read(tl::unexpected(Fault{reason})); };
  if (!is_plain_name(name)) return refuse(Reason::kBadName);
  // A pipe would hang a reader; a link could lead anywhere.
  const Descriptor file(
      ::open(in(name).c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY));
  struct stat found{};
  if (!file.good() && (errno == ELOOP || errno == ENXIO || errno == EACCES)) {
    return refuse(Reason::kNotAFile);
  }
  if (!file.good() || ::fstat(file.get(), &found) != 0) return file_error(in(name));
  if (!S_ISREG(found.st_mode)) return refuse(Reason::kNotAFile);
  if (static_cast<std::uint64_t>(found.st_size) > kOrderBytesMax) return refuse(Reason::kTooLarge);
  Bytes bytes(static_cast<std::size_t>(found.st_size));
  std::size_t filled = 0;
  while (filled < bytes.size()) {
    const auto got = ::read(file.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(in(name));
    if (got == 0) break;
    filled += static_cast<std::size_t>(got);
  }
  bytes.resize(filled);
  return Read(std::move(bytes));
}

bool Folders::answer_lies(const std::string& name) const {
  struct stat found{};
  return ::lstat(out(name).c_str(), &found) == 0;
}

Status Folders::write_part(const std::string& name, std::string_view text) const {
  return replace_file(part(name), view_of(text));
}

Status Folders::publish(const std::string& name) const {
  if (::rename(part(name).c_str(), out(name).c_str()) != 0) {
    if (errno == ENOENT) return {};
    return file_error(out(name));
  }
  return sync_folder_of(out(name));
}

Status Folders::remove_answer(const std::string& name) const { return remove_file(out(name)); }

Status Folders::finish(const std::string& name, std::string_view mark,
                       std::string_view receipt) const {
  THERIAC_TRY(replace_file(root_ + "/done/" + name + "." + std::string(mark) + ".receipt.json",
                           view_of(receipt)));
  return remove_file(in(name));
}

Status Folders::refuse(const std::string& name, std::string_view mark, ByteView sealed,
                       std::string_view reason) const {
  const auto stem = refused(name + "." + std::string(mark));
  THERIAC_TRY(replace_file(stem + ".p7m", sealed));
  THERIAC_TRY(replace_file(stem + ".reason.txt", view_of(reason)));
  return remove_file(in(name));
}

Status Folders::refuse_unread(const std::string& name, std::string_view reason) const {
  const auto stem = refused(safe_name(name));
  // Of an earlier one of this name: it stays, under another.
  std::string path = stem;
  struct stat found{};
  for (int i = 2; ::lstat(path.c_str(), &found) == 0; ++i) path = stem + "-" + std::to_string(i);
  THERIAC_TRY(replace_file(path + ".reason.txt", view_of(reason)));
  return rename_file(in(name), path);
}

Status Folders::refuse_call(const std::string& name, std::int64_t seq, ByteView sealed,
                            std::string_view reason) const {
  const auto stem = refused(name + ".call-" + std::to_string(seq));
  THERIAC_TRY(replace_file(stem + ".p7m", sealed));
  return replace_file(stem + ".reason.txt", view_of(reason));
}

}  // namespace theriac::line
