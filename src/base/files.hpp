// Small files that must be there whole or not at all (keys, tokens, credentials), and what the
// system says about files as our errors.
//
// Threading: free functions; one writer a path.
#pragma once

#include <string>

#include "base/bytes.hpp"
#include "base/error.hpp"

namespace theriac {

inline constexpr std::size_t kSmallFileBytesMax = 1U << 20U;

/// Owns a descriptor of the system; a negative one is none.
class Descriptor {
 public:
  explicit Descriptor(int number) : number_(number) {}
  Descriptor(Descriptor&& other) noexcept : number_(other.release()) {}
  Descriptor& operator=(Descriptor&& other) noexcept;
  ~Descriptor() { reset(); }
  [[nodiscard]] int get() const { return number_; }
  [[nodiscard]] bool good() const { return number_ >= 0; }
  /// The caller closes it.
  int release();

 private:
  void reset();
  int number_;
};

/// errno after a call on `path`: Code::kNotFound (ENOENT, ENOTDIR), kDiskFull (ENOSPC, EDQUOT),
/// else kIo; `where` is the path.
tl::unexpected<Error> file_error(const std::string& path);

/// Errors: file_error's, Code::kTooLarge beyond kSmallFileBytesMax.
Result<Bytes> read_small_file(const std::string& path);
/// Writes beside the file (mode `rights`), syncs, renames over it, syncs the folder: after a crash
/// the path holds the old or the new bytes, never a mixture.
Status replace_file(const std::string& path, ByteView bytes, unsigned rights = 0600);
/// No error if there is none.
Status remove_file(const std::string& path);
/// An exclusive lock on `path`, made if missing (mode 0600), held until the descriptor is closed or
/// the process ends. Code::kBusy while another process, or another descriptor, holds it.
Result<Descriptor> lock_file(const std::string& path);
/// Makes a rename in the folder of `path` durable.
Status sync_folder_of(const std::string& path);

}  // namespace theriac
