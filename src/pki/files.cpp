#include "pki/files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <array>
#include <cerrno>

namespace theriac::pki {
namespace {

tl::unexpected<Error> io_failure(const std::string& path) {
  switch (errno) {
    case ENOENT:
      return fail(Code::kNotFound, path);
    case ENOSPC:
    case EDQUOT:
      return fail(Code::kDiskFull, path);
    default:
      return fail(Code::kIo, path);
  }
}

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }
  [[nodiscard]] bool ok() const { return fd_ >= 0; }

 private:
  int fd_;
};

Status sync_folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const Descriptor fd(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.ok() || ::fsync(fd.get()) != 0) return io_failure(folder);
  return {};
}

Status write_whole(const std::string& path, ByteView bytes, unsigned rights) {
  const Descriptor fd(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW,
                             static_cast<mode_t>(rights)));
  if (!fd.ok()) return io_failure(path);
  while (!bytes.empty()) {
    const auto written = ::write(fd.get(), bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_failure(path);
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  // The mode given to open() is cut by the umask; ours is the one that is meant.
  if (::fchmod(fd.get(), static_cast<mode_t>(rights)) != 0 || ::fsync(fd.get()) != 0) {
    return io_failure(path);
  }
  return {};
}

}  // namespace

Result<Bytes> read_small_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.ok()) return io_failure(path);
  Bytes bytes;
  std::array<std::uint8_t, 4096> chunk{};
  while (true) {
    const auto got = ::read(fd.get(), chunk.data(), chunk.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return io_failure(path);
    if (got == 0) break;
    append(bytes, ByteView(chunk).first(static_cast<std::size_t>(got)));
    if (bytes.size() > kSmallFileBytesMax) return fail(Code::kTooLarge, path);
  }
  wipe(chunk);
  return bytes;
}

Status replace_file(const std::string& path, ByteView bytes, unsigned rights) {
  const std::string unfinished = path + ".unfinished";
  if (::unlink(unfinished.c_str()) != 0 && errno != ENOENT) return io_failure(unfinished);
  if (auto written = write_whole(unfinished, bytes, rights); !written) {
    (void)::unlink(unfinished.c_str());
    return written;
  }
  if (::rename(unfinished.c_str(), path.c_str()) != 0) {
    const auto failure = io_failure(path);
    (void)::unlink(unfinished.c_str());
    return failure;
  }
  return sync_folder_of(path);
}

Status remove_file(const std::string& path) {
  if (::unlink(path.c_str()) != 0 && errno != ENOENT) return io_failure(path);
  return sync_folder_of(path);
}

Result<Credentials> load_credentials(const CredentialPaths& paths) {
  THERIAC_ASSIGN(const auto certificate_pem, read_small_file(paths.certificate));
  THERIAC_ASSIGN(const auto authority_pem, read_small_file(paths.authority));
  THERIAC_ASSIGN(auto certificate, Certificate::from_pem(text_of(certificate_pem)));
  THERIAC_ASSIGN(auto authority, Certificate::from_pem(text_of(authority_pem)));

  const std::string next = paths.key + ".next";
  for (const auto& path : {paths.key, next}) {
    auto pem = read_small_file(path);
    if (!pem) {
      if (pem.error().code != Code::kNotFound) return fail(pem.error());
      continue;
    }
    auto key = PrivateKey::from_pem(*pem);
    wipe(*pem);
    if (!key || !certificate.matches(*key)) continue;
    if (path == next) {
      if (::rename(next.c_str(), paths.key.c_str()) != 0) return io_failure(next);
      THERIAC_TRY(sync_folder_of(paths.key));
    }
    return Credentials{std::move(certificate), std::move(*key), std::move(authority)};
  }
  return fail(Code::kBadCertificate, "no key fits " + paths.certificate);
}

Status replace_credentials(const CredentialPaths& paths, const std::string& certificate_pem,
                           ByteView key_pem) {
  const std::string next = paths.key + ".next";
  THERIAC_TRY(replace_file(next, key_pem, 0600));
  THERIAC_TRY(replace_file(paths.certificate, view_of(certificate_pem), 0644));
  if (::rename(next.c_str(), paths.key.c_str()) != 0) return io_failure(next);
  return sync_folder_of(paths.key);
}

}  // namespace theriac::pki
