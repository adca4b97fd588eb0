// A file system for tests that counts its writing calls and fails the one it is told to. Wraps
// SQLite's own; header only, never part of the library.
//
// Threading: one database at a time, one thread.
#pragma once

#include <sqlite3.h>

#include "base/error.hpp"

namespace theriac::store {

class FaultVfs {
 public:
  static constexpr const char* kName = "theriac-fault";

  /// Registers itself; stays registered until destroyed.
  FaultVfs() {
    THERIAC_ASSERT(current_ == nullptr);
    current_ = this;
    real_ = sqlite3_vfs_find(nullptr);
    vfs_ = *real_;
    vfs_.pNext = nullptr;
    vfs_.zName = kName;
    vfs_.pAppData = this;
    vfs_.szOsFile = static_cast<int>(sizeof(File)) + real_->szOsFile;
    vfs_.xOpen = open;
    vfs_.xDelete = remove;
    vfs_.xAccess = [](sqlite3_vfs*, const char* name, int flags, int* out) {
      return current_->real_->xAccess(current_->real_, name, flags, out);
    };
    vfs_.xFullPathname = [](sqlite3_vfs*, const char* name, int size, char* out) {
      return current_->real_->xFullPathname(current_->real_, name, size, out);
    };
    THERIAC_ASSERT(sqlite3_vfs_register(&vfs_, 0) == SQLITE_OK);
  }
  FaultVfs(const FaultVfs&) = delete;
  FaultVfs& operator=(const FaultVfs&) = delete;
  ~FaultVfs() {
    sqlite3_vfs_unregister(&vfs_);
    current_ = nullptr;
  }

  /// The call number `nth` (from 1) from now on fails with `code`, and every later one too when
  /// `for_good`: the disk went away. Zero: none fails.
  void fail_at(int nth, int code = SQLITE_IOERR_WRITE, bool for_good = true) {
    calls_ = 0;
    fail_at_ = nth;
    code_ = code;
    for_good_ = for_good;
  }
  [[nodiscard]] int calls() const { return calls_; }
  [[nodiscard]] bool failed() const { return fail_at_ > 0 && calls_ >= fail_at_; }

 private:
  struct File {
    sqlite3_file base;
    sqlite3_file* real;
  };
  static File* of(sqlite3_file* file) { return reinterpret_cast<File*>(file); }  // NOLINT
  static sqlite3_file* real(sqlite3_file* file) { return of(file)->real; }
  static const sqlite3_io_methods* methods(sqlite3_file* file) { return real(file)->pMethods; }

  /// SQLITE_OK, or the failure whose turn it is.
  static int turn() {
    auto& self = *current_;
    ++self.calls_;
    const bool fails = self.fail_at_ > 0 && (self.for_good_ ? self.calls_ >= self.fail_at_
                                                            : self.calls_ == self.fail_at_);
    return fails ? self.code_ : SQLITE_OK;
  }

  static int open(sqlite3_vfs*, const char* name, sqlite3_file* file, int flags, int* out) {
    auto* made = of(file);
    made->base.pMethods = nullptr;
    if ((flags & SQLITE_OPEN_CREATE) != 0) {
      if (const int code = turn(); code != SQLITE_OK) return code;
    }
    made->real = reinterpret_cast<sqlite3_file*>(made + 1);  // NOLINT: szOsFile made room
    const int code = current_->real_->xOpen(current_->real_, name, made->real, flags, out);
    if (made->real->pMethods != nullptr) made->base.pMethods = &kMethods;
    return code;
  }
  static int remove(sqlite3_vfs*, const char* name, int sync) {
    if (const int code = turn(); code != SQLITE_OK) return code;
    return current_->real_->xDelete(current_->real_, name, sync);
  }

  static const sqlite3_io_methods kMethods;
  static inline FaultVfs* current_ = nullptr;

  sqlite3_vfs* real_ = nullptr;
  sqlite3_vfs vfs_{};
  int calls_ = 0;
  int fail_at_ = 0;
  int code_ = SQLITE_IOERR_WRITE;
  bool for_good_ = true;
};

inline const sqlite3_io_methods FaultVfs::kMethods{
    3, [](sqlite3_file* f) { return methods(f)->xClose(real(f)); },
    [](sqlite3_file* f, void* to, int size, sqlite3_int64 at) {
      return methods(f)->xRead(real(f), to, size, at);
    },
    [](sqlite3_file* f, const void* from, int size, sqlite3_int64 at) {
      if (const int code = turn(); code != SQLITE_OK) return code;
      return methods(f)->xWrite(real(f), from, size, at);
    },
    [](sqlite3_file* f, sqlite3_int64 size) {
      if (const int code = turn(); code != SQLITE_OK) return code;
      return methods(f)->xTruncate(real(f), size);
    },
    [](sqlite3_file* f, int flags) {
      if (const int code = turn(); code != SQLITE_OK) return code;
      return methods(f)->xSync(real(f), flags);
    },
    [](sqlite3_file* f, sqlite3_int64* size) { return methods(f)->xFileSize(real(f), size); },
    [](sqlite3_file* f, int level) { return methods(f)->xLock(real(f), level); },
    [](sqlite3_file* f, int level) { return methods(f)->xUnlock(real(f), level); },
    [](sqlite3_file* f, int* out) { return methods(f)->xCheckReservedLock(real(f), out); },
    [](sqlite3_file* f, int what, void* arg) {
      return methods(f)->xFileControl(real(f), what, arg);
    },
    [](sqlite3_file* f) { return methods(f)->xSectorSize(real(f)); },
    [](sqlite3_file* f) { return methods(f)->xDeviceCharacteristics(real(f)); },
    [](sqlite3_file* f, int page, int size, int extend, void volatile** out) {
      if (const int code = extend != 0 ? turn() : SQLITE_OK; code != SQLITE_OK) return code;
      return methods(f)->xShmMap(real(f), page, size, extend, out);
    },
    [](sqlite3_file* f, int at, int count, int flags) {
      return methods(f)->xShmLock(real(f), at, count, flags);
    },
    [](sqlite3_file* f) { methods(f)->xShmBarrier(real(f)); },
    [](sqlite3_file* f, int remove) { return methods(f)->xShmUnmap(real(f), remove); },
    // No memory mapping: every write is seen here.
    [](sqlite3_file*, sqlite3_int64, int, void** out) {
      *out = nullptr;
      return SQLITE_OK;
    },
    [](sqlite3_file*, sqlite3_int64, void*) { return SQLITE_OK; }};

}  // namespace theriac::store
