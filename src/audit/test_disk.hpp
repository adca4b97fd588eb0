// A disk in memory that fails or loses power at any chosen step, for tests.
//
// What power loss leaves: synced contents; of what was not synced, any part from its front; names
// whose directory was synced; of later changes to names, any selection. That is harsher than a
// journalling file system.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <random>
#include <set>

#include "audit/disk.hpp"

namespace theriac::audit {

class TestDisk final : public Disk {
 public:
  enum class Fault : std::uint8_t { kNone, kFail, kPowerLoss };

  TestDisk() { dirs_ = durable_dirs_ = {""}; }

  /// The `nth` mutating step (from 1) fails; with `steps` > 1 as many of them; a write leaves half.
  void fail_at(std::uint64_t nth, Code code, std::uint64_t steps = 1) {
    const std::scoped_lock lock(mutex_);
    fault_ = Fault::kFail;
    begin_ = nth;
    end_ = nth + steps;
    code_ = code;
  }
  /// From the `nth` step on nothing happens any more.
  void lose_power_at(std::uint64_t nth) {
    const std::scoped_lock lock(mutex_);
    fault_ = Fault::kPowerLoss;
    begin_ = nth;
    end_ = ~std::uint64_t{0};
    code_ = Code::kIo;
  }
  void works_again() {
    const std::scoped_lock lock(mutex_);
    fault_ = Fault::kNone;
  }
  [[nodiscard]] std::uint64_t steps() const {
    const std::scoped_lock lock(mutex_);
    return steps_;
  }
  [[nodiscard]] bool faulted() const {
    const std::scoped_lock lock(mutex_);
    return faulted_;
  }

  /// What is found when power is back.
  [[nodiscard]] std::unique_ptr<TestDisk> after_power_loss(std::uint32_t seed) const {
    const std::scoped_lock lock(mutex_);
    std::mt19937 dice(seed);
    auto out = std::make_unique<TestDisk>();
    auto names = durable_names_;
    auto dirs = durable_dirs_;
    for (const auto& change : changes_) {
      if (dice() % 2 == 0) apply(change, names, dirs);
    }
    std::map<const Inode*, std::shared_ptr<Inode>> copies;
    for (const auto& [path, inode] : names) {
      if (!reachable(path, dirs)) continue;
      auto& copy = copies[inode.get()];
      if (!copy) {
        copy = std::make_shared<Inode>();
        copy->now = copy->durable = survivor(*inode, dice);
      }
      out->names_[path] = copy;
    }
    out->durable_names_ = out->names_;
    for (const auto& dir : dirs) {
      if (reachable(dir, dirs)) out->dirs_.insert(dir);
    }
    out->durable_dirs_ = out->dirs_;
    return out;
  }
  /// A disk with the same contents, all of them synced.
  [[nodiscard]] std::unique_ptr<TestDisk> copy() const {
    const std::scoped_lock lock(mutex_);
    auto out = std::make_unique<TestDisk>();
    for (const auto& [path, inode] : names_) {
      out->names_[path] = std::make_shared<Inode>(Inode{inode->now, inode->now});
    }
    out->durable_names_ = out->names_;
    out->dirs_ = out->durable_dirs_ = dirs_;
    return out;
  }

  Result<std::unique_ptr<File>> create(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    THERIAC_TRY(step(path));
    if (!dirs_.contains(parent(path))) return fail(Code::kNotFound, path);
    auto& inode = names_[path];
    if (!inode) {
      inode = std::make_shared<Inode>();
      changes_.push_back({Change::kAdd, path, {}, inode});
    }
    inode->now.clear();
    return std::make_unique<OpenFile>(*this, path, inode);
  }
  Status read(const std::string& path, Bytes& out) override {
    const std::scoped_lock lock(mutex_);
    const auto found = names_.find(path);
    if (found == names_.end()) return fail(Code::kNotFound, path);
    out = found->second->now;
    return {};
  }
  Status rename(const std::string& from, const std::string& to) override {
    const std::scoped_lock lock(mutex_);
    THERIAC_TRY(step(to));
    const auto found = names_.find(from);
    if (found == names_.end()) return fail(Code::kNotFound, from);
    const Change change{Change::kRename, from, to, found->second};
    changes_.push_back(change);
    apply(change, names_, dirs_);
    return {};
  }
  Status remove(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    THERIAC_TRY(step(path));
    if (!names_.contains(path) && !dirs_.contains(path)) return fail(Code::kNotFound, path);
    if (dirs_.contains(path) && !children(path).empty()) return fail(Code::kIo, path);
    const Change change{Change::kRemove, path, {}, nullptr};
    changes_.push_back(change);
    apply(change, names_, dirs_);
    return {};
  }
  Status make_dir(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    THERIAC_TRY(step(path));
    if (!dirs_.contains(parent(path))) return fail(Code::kNotFound, path);
    if (!dirs_.insert(path).second) return {};
    changes_.push_back({Change::kMakeDir, path, {}, nullptr});
    return {};
  }
  Status sync_file(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    THERIAC_TRY(step(path));
    const auto found = names_.find(path);
    if (found == names_.end()) return fail(Code::kNotFound, path);
    found->second->durable = found->second->now;
    return {};
  }
  Status sync_dir(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    THERIAC_TRY(step(path));
    if (path != "/" && !dirs_.contains(path)) return fail(Code::kNotFound, path);
    // Changes of names in it become durable, in their order.
    std::erase_if(changes_, [&](const Change& change) {
      if (parent(change.path) != (path == "/" ? "" : path)) return false;
      apply(change, durable_names_, durable_dirs_);
      return true;
    });
    return {};
  }
  Result<std::vector<std::string>> list(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    if (!dirs_.contains(path)) return fail(Code::kNotFound, path);
    return children(path);
  }
  Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override {
    const std::scoped_lock lock(mutex_);
    THERIAC_TRY(step(path));
    if (locked_) return fail(Code::kBusy, path);
    locked_ = true;
    return std::make_unique<Held>(*this);
  }

 private:
  struct Inode {
    Bytes now, durable;
  };
  struct Change {
    enum Kind : std::uint8_t { kAdd, kRename, kRemove, kMakeDir } kind;
    std::string path, to;
    std::shared_ptr<Inode> inode;
  };
  using Names = std::map<std::string, std::shared_ptr<Inode>>;

  class OpenFile final : public File {
   public:
    OpenFile(TestDisk& disk, std::string path, std::shared_ptr<Inode> inode)
        : disk_(disk), path_(std::move(path)), inode_(std::move(inode)) {}
    Status write(ByteView bytes) override {
      const std::scoped_lock lock(disk_.mutex_);
      const auto status = disk_.step(path_);
      append(inode_->now, status ? bytes : bytes.first(bytes.size() / 2));
      return status;
    }
    Status sync() override {
      const std::scoped_lock lock(disk_.mutex_);
      THERIAC_TRY(disk_.step(path_));
      inode_->durable = inode_->now;
      return {};
    }
    Status truncate(std::uint64_t size) override {
      const std::scoped_lock lock(disk_.mutex_);
      THERIAC_TRY(disk_.step(path_));
      inode_->now.resize(size);
      return {};
    }

   private:
    TestDisk& disk_;
    std::string path_;
    std::shared_ptr<Inode> inode_;
  };
  class Held final : public DiskLock {
   public:
    explicit Held(TestDisk& disk) : disk_(disk) {}
    ~Held() override {
      const std::scoped_lock lock(disk_.mutex_);
      disk_.locked_ = false;
    }

   private:
    TestDisk& disk_;
  };

  static std::string parent(const std::string& path) { return path.substr(0, path.rfind('/')); }
  static bool reachable(const std::string& path, const std::set<std::string>& dirs) {
    for (std::string at = path; !at.empty(); at = parent(at)) {
      if (!dirs.contains(parent(at))) return false;
    }
    return true;
  }
  static void apply(const Change& change, Names& names, std::set<std::string>& dirs) {
    switch (change.kind) {
      case Change::kAdd:
        names[change.path] = change.inode;
        break;
      case Change::kRename:
        names.erase(change.path);
        names[change.to] = change.inode;
        break;
      case Change::kRemove:
        names.erase(change.path);
        dirs.erase(change.path);
        break;
      case Change::kMakeDir:
        dirs.insert(change.path);
        break;
    }
  }
  static Bytes survivor(const Inode& inode, std::mt19937& dice) {
    if (inode.now == inode.durable) return inode.durable;
    Bytes out = inode.durable;
    const bool grew = inode.now.size() >= inode.durable.size() &&
                      std::equal(inode.durable.begin(), inode.durable.end(), inode.now.begin());
    if (!grew) {  // emptied or cut and written again: the old or a part of the new
      if (dice() % 2 == 0) return out;
      out.clear();
    }
    const std::size_t more = inode.now.size() - out.size();
    const std::size_t kept = dice() % 4 == 0 ? more : dice() % (more + 1);
    out.insert(out.end(), inode.now.begin() + static_cast<std::ptrdiff_t>(out.size()),
               inode.now.begin() + static_cast<std::ptrdiff_t>(out.size() + kept));
    return out;
  }
  [[nodiscard]] std::vector<std::string> children(const std::string& dir) const {
    std::vector<std::string> out;
    const auto add = [&](const std::string& path) {
      if (path.size() > dir.size() && parent(path) == dir)
        out.push_back(path.substr(dir.size() + 1));
    };
    for (const auto& [path, inode] : names_) add(path);
    for (const auto& path : dirs_) add(path);
    std::ranges::sort(out);
    return out;
  }
  Status step(const std::string& path) {
    ++steps_;
    if (fault_ == Fault::kNone || steps_ < begin_ || steps_ >= end_) return {};
    faulted_ = true;
    return fail(code_, path);
  }

  mutable std::mutex mutex_;
  Names names_, durable_names_;
  std::set<std::string> dirs_, durable_dirs_;
  std::vector<Change> changes_;  // not yet durable
  bool locked_ = false;
  Fault fault_ = Fault::kNone;
  std::uint64_t steps_ = 0, begin_ = 0, end_ = 0;
  Code code_ = Code::kIo;
  bool faulted_ = false;
};

}  // namespace theriac::audit
