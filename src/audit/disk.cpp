#include "audit/disk.hpp"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <set>

#include "audit/limits.hpp"
#include "base/files.hpp"

namespace theriac::audit {

namespace {

constexpr mode_t kFileMode = 0640;
constexpr mode_t kDirMode = 0750;

Descriptor open_file(const std::string& path, int flags) {
  return Descriptor(::open(path.c_str(), flags, kFileMode));
}

class PosixFile final : public File {
 public:
  explicit PosixFile(const std::string& path)
      : path_(path), fd_(open_file(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC)) {}
  [[nodiscard]] bool good() const { return fd_.good(); }

  Status write(ByteView bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(fd_.get(), bytes.data(), bytes.size());
      if (written < 0) {
        if (errno == EINTR) continue;
        return file_error(path_);
      }
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
    return {};
  }
  Status sync() override {
    if (::fdatasync(fd_.get()) != 0) return file_error(path_);
    return {};
  }
  Status truncate(std::uint64_t size) override {
    if (::ftruncate(fd_.get(), static_cast<off_t>(size)) != 0) return file_error(path_);
    return {};
  }

 private:
  std::string path_;
  Descriptor fd_;
};

class PosixLock final : public DiskLock {
 public:
  explicit PosixLock(Descriptor fd) : fd_(std::move(fd)) {}

 private:
  Descriptor fd_;
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> create(const std::string& path) override {
    auto file = std::make_unique<PosixFile>(path);
    if (!file->good()) return file_error(path);
    return file;
  }
  Status read(const std::string& path, Bytes& out) override {
    const auto fd = open_file(path, O_RDONLY | O_CLOEXEC);
    struct stat info{};
    if (!fd.good() || ::fstat(fd.get(), &info) != 0) return file_error(path);
    if (!S_ISREG(info.st_mode)) return fail(Code::kIo, path);
    out.resize(static_cast<std::size_t>(info.st_size));
    std::size_t done = 0;
    while (done < out.size()) {
      const ssize_t got = ::read(fd.get(), out.data() + done, out.size() - done);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return file_error(path);
      if (got == 0) break;
      done += static_cast<std::size_t>(got);
    }
    out.resize(done);
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    if (::rename(from.c_str(), to.c_str()) != 0) return file_error(to);
    return {};
  }
  Status remove(const std::string& path) override {
    if (::unlink(path.c_str()) == 0) return {};
    if ((errno == EISDIR || errno == EPERM) && ::rmdir(path.c_str()) == 0) return {};
    return file_error(path);
  }
  Status make_dir(const std::string& path) override {
    if (::mkdir(path.c_str(), kDirMode) == 0 || errno == EEXIST) return {};
    return file_error(path);
  }
  Status sync_file(const std::string& path) override {
    const auto fd = open_file(path, O_WRONLY | O_CLOEXEC);
    if (!fd.good() || ::fdatasync(fd.get()) != 0) return file_error(path);
    return {};
  }
  Status sync_dir(const std::string& path) override {
    const auto fd = open_file(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (!fd.good() || ::fsync(fd.get()) != 0) return file_error(path);
    return {};
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    DIR* const dir = ::opendir(path.c_str());
    if (dir == nullptr) return file_error(path);
    std::vector<std::string> names;
    while (const dirent* const entry = ::readdir(dir)) {  // NOLINT: one stream, one thread
      const std::string_view name(entry->d_name);
      if (name != "." && name != "..") names.emplace_back(name);
    }
    ::closedir(dir);
    std::ranges::sort(names);
    return names;
  }
  Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override {
    THERIAC_ASSIGN(auto held, lock_file(path));
    return std::make_unique<PosixLock>(std::move(held));
  }
};

std::string parent_of(const std::string& path) { return path.substr(0, path.rfind('/')); }

/// Makes what is missing between `root` and `dir`; `changed` receives each directory that may have
/// got a new name in it.
Status make_dirs(Disk& disk, const std::string& root, const std::string& dir,
                 std::set<std::string>& known, std::set<std::string>& changed) {
  if (dir.size() <= root.size() || known.contains(dir)) return {};
  const std::string parent = parent_of(dir);
  THERIAC_TRY(make_dirs(disk, root, parent, known, changed));
  THERIAC_TRY(disk.make_dir(dir));
  known.insert(dir);
  changed.insert(parent);
  return {};
}

}  // namespace

Disk& posix_disk() {
  static PosixDisk disk;
  return disk;
}

Status write_durably(Disk& disk, const std::string& root, std::span<const NewFile> files) {
  std::set<std::string> known, changed;
  while (!files.empty()) {
    const auto some = files.first(std::min(files.size(), kFilesOpenMax));
    files = files.subspan(some.size());
    std::vector<std::unique_ptr<File>> open;
    for (const NewFile& file : some) {
      const std::string dir = parent_of(file.path);
      THERIAC_TRY(make_dirs(disk, root, dir, known, changed));
      changed.insert(dir);
      THERIAC_ASSIGN(auto made, disk.create(file.path + ".tmp"));
      THERIAC_TRY(made->write(file.bytes));
      open.push_back(std::move(made));
    }
    // Only when all are written: the first sync then carries most of the others with it.
    for (const auto& file : open) THERIAC_TRY(file->sync());
    open.clear();
    for (const NewFile& file : some) THERIAC_TRY(disk.rename(file.path + ".tmp", file.path));
  }
  for (const auto& dir : changed) THERIAC_TRY(disk.sync_dir(dir));
  return {};
}

}  // namespace theriac::audit
