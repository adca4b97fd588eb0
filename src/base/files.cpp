#include "base/files.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "base/secret.hpp"

namespace theriac {

Descriptor& Descriptor::operator=(Descriptor&& other) noexcept {
  if (this != &other) {
    reset();
    number_ = other.release();
  }
  return *this;
}

int Descriptor::release() { return std::exchange(number_, -1); }

void Descriptor::reset() {
  if (number_ >= 0) ::close(number_);
  number_ = -1;
}

tl::unexpected<Error> file_error(const std::string& path) {
  switch (errno) {
    case ENOENT:
    case ENOTDIR:
      return fail(Code::kNotFound, path);
    case ENOSPC:
    case EDQUOT:
      return fail(Code::kDiskFull, path);
    default:
      return fail(Code::kIo, path);
  }
}

namespace {

Status write_whole(const std::string& path, ByteView bytes, unsigned rights) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                             static_cast<mode_t>(rights)));
  if (!fd.good()) return file_error(path);
  while (!bytes.empty()) {
    const auto written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return file_error(path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  // The mode given to open() is cut by the umask; ours is the one that is meant.
  if (::fchmod(fd.get(), static_cast<mode_t>(rights)) != 0 || ::fsync(fd.get()) != 0) {
    return file_error(path);
  }
  return {};
}

}  // namespace

Status sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.good() || ::fsync(fd.get()) != 0) return file_error(folder);
  return {};
}

Result<Descriptor> lock_file(const std::string& path) {
  Descriptor fd(::open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!fd.good()) return file_error(path);
  if (::flock(fd.get(), LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return fail(Code::kBusy, path + " is held by another process");
    return file_error(path);
  }
  return fd;
}

Result<Bytes> read_small_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.good()) return file_error(path);
  Bytes bytes;
  std::array<std::uint8_t, 4096> chunk{};
  while (true) {
    const auto got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return file_error(path);
    if (got == 0) break;
    append(bytes, ByteView(chunk).first(static_cast<std::size_t>(got)));
    if (bytes.size() > kSmallFileBytesMax) return fail(Code::kTooLarge, path);
  }
  wipe(chunk);
  return bytes;
}

Status replace_file(const std::string& path, ByteView bytes, unsigned rights) {
  const std::string unfinished = path + ".unfinished";
  if (::unlink(unfinished.c_str()) != 0 && errno != ENOENT) return file_error(unfinished);
  if (auto written = write_whole(unfinished, bytes, rights); !written) {
    (void)::unlink(unfinished.c_str());
    return written;
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) {
    const auto failure = file_error(path);
    (void)::unlink(unfinished.c_str());
    return failure;
  }
  return sync_folder_of(path);
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return file_error(path);
  return sync_folder_of(path);
}

}  // namespace theriac
