// The little of a file system that the log needs, as an interface, so that every step of it can be
// made to fail or be cut short in tests.
//
// Errors: Code::kNotFound, Code::kDiskFull (ENOSPC, EDQUOT), Code::kIo; `where` is the path.
// Threading: a Disk may be used by several threads, a File by one at a time.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/bytes.hpp"

namespace theriac::audit {

/// A file being written from its start to its end.
class File {
 public:
  virtual ~File() = default;
  /// At the end. After an error a part may have been written.
  virtual Status write(ByteView bytes) = 0;
  /// The contents and the length are on the medium when it returns without error.
  virtual Status sync() = 0;
  virtual Status truncate(std::uint64_t size) = 0;
};

/// Held until destroyed, or until the process ends in whatever way.
class DiskLock {
 public:
  virtual ~DiskLock() = default;
};

class Disk {
 public:
  virtual ~Disk() = default;
  /// Empties a file that exists. Readable by owner and group.
  virtual Result<std::unique_ptr<File>> create(const std::string& path) = 0;
  /// Replaces the contents of `out`.
  virtual Status read(const std::string& path, Bytes& out) = 0;
  virtual Status rename(const std::string& from, const std::string& to) = 0;
  /// A file or an empty directory.
  virtual Status remove(const std::string& path) = 0;
  /// One level; no error when it is there already.
  virtual Status make_dir(const std::string& path) = 0;
  /// The contents are on the medium, whoever wrote them.
  virtual Status sync_file(const std::string& path) = 0;
  /// The names in the directory are on the medium.
  virtual Status sync_dir(const std::string& path) = 0;
  /// Names, sorted.
  virtual Result<std::vector<std::string>> list(const std::string& path) = 0;
  /// Code::kBusy when somebody else holds it.
  virtual Result<std::unique_ptr<DiskLock>> lock(const std::string& path) = 0;
};

/// The machine's own.
Disk& posix_disk();

struct NewFile {
  std::string path;
  Bytes bytes;
};
/// All files are whole and on the medium when it returns without error: written beside, synced,
/// renamed, their directories synced. `root` exists; directories below it are made.
Status write_durably(Disk& disk, const std::string& root, std::span<const NewFile> files);

}  // namespace theriac::audit
