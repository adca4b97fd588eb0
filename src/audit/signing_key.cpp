#include "audit/signing_key.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "base/secret.hpp"
#include "crypto/random.hpp"

namespace theriac::audit {
namespace {

constexpr std::size_t kDigits = 64;

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  [[nodiscard]] int get() const { return fd_; }

 private:
  int fd_;
};

Status make_key(const std::string& path) {
  std::array<std::uint8_t, 32> seed{};
  crypto::SystemRandom().fill(seed);
  auto text = to_hex(seed);
  wipe(seed);
  const File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
  if (file.get() < 0) return fail(errno == ENOSPC ? Code::kDiskFull : Code::kIo, path);
  const auto written = ::write(file.get(), text.data(), text.size());
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});  // NOLINT
  if (written != static_cast<ssize_t>(kDigits) || ::fsync(file.get()) != 0) {
    ::unlink(path.c_str());
    return fail(errno == ENOSPC ? Code::kDiskFull : Code::kIo, path);
  }
  const auto slash = path.rfind('/');
  const auto folder = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  const File directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return fail(Code::kIo, folder);
  return {};
}

}  // namespace

Result<crypto::Ed25519Key> signing_key(const std::string& path) {
  if (::access(path.c_str(), F_OK) != 0) THERIAC_TRY(make_key(path));
  const File file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.get() < 0) return fail(Code::kIo, path);
  std::array<char, kDigits> text{};
  if (::read(file.get(), text.data(), text.size()) != static_cast<ssize_t>(kDigits)) {
    return fail(Code::kMalformed, path);
  }
  auto seed = from_hex({text.data(), text.size()});
  wipe({reinterpret_cast<std::uint8_t*>(text.data()), text.size()});  // NOLINT
  if (!seed) return fail(Code::kMalformed, path);
  crypto::Ed25519Key key{Key256(ByteView(*seed).first<32>())};
  wipe(*seed);
  return key;
}

}  // namespace theriac::audit
