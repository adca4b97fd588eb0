// The log itself: queue, writer thread, tile thread. Opened by open_log (open_log.cpp).
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "audit/entry_writer.hpp"
#include "audit/log.hpp"
#include "audit/tree_writer.hpp"

namespace theriac::audit {

/// What opening found; everything in it is whole and consistent.
struct OpenedFiles {
  std::unique_ptr<DiskLock> lock;
  std::unique_ptr<crypto::Ed25519Key> key;
  std::unique_ptr<TreeWriter> tree;
  std::unique_ptr<WalWriter> wal;
  std::unique_ptr<EntryWriter> entries;
};

class FileLog final : public AuditLog {
 public:
  FileLog(Options options, OpenedFiles files, Clock& clock, Log& log);
  ~FileLog() override;
  FileLog(const FileLog&) = delete;
  FileLog& operator=(const FileLog&) = delete;

  Result<std::uint64_t> append_durable(Event event) override;
  Status append(Event event, Durable durable) override;
  Status flush() override;
  [[nodiscard]] std::uint64_t size() const override {
    return size_.load(std::memory_order_acquire);
  }

 private:
  using Time = std::chrono::steady_clock;

  struct Item {
    Draft draft;
    std::int64_t wall_ms = 0;
    Durable durable;
    std::uint64_t index = 0;
    std::unique_ptr<Event> growing;  ///< drafted anew when it is written
  };
  /// Entries that are written and acknowledged together. Shared with those who wait for it.
  struct Group {
    std::vector<Item> items;
    std::size_t bytes = 0;
    std::size_t waiters = 0;  ///< somebody stands still until this one is durable
    Time::time_point since;   ///< of the first item
    std::optional<Error> error;
    std::atomic<int> settled{0};
  };

  struct Place {
    std::shared_ptr<Group> group;
    std::size_t position = 0;
  };
  Result<Place> enqueue(Event event, Durable durable, bool waits);
  void write_loop();
  void linger(std::unique_lock<std::mutex>& lock);
  void wait_for_tiles();
  void write_group(Group& group);
  void integrate_loop();
  void integrate_pending(std::unique_lock<std::mutex>& lock);
  void report(const Status& status, bool& failing, std::string_view event);

  const Options options_;
  OpenedFiles files_;
  Clock& clock_;
  Log& log_;
  std::atomic<std::uint64_t> size_;

  std::mutex mutex_;  // from here to writing_
  std::condition_variable work_;
  std::shared_ptr<Group> open_ = std::make_shared<Group>();
  std::shared_ptr<Group> writing_;
  std::size_t wake_at_waiters_ = 1;  ///< the writer wants to be woken for that many
  std::size_t last_items_ = 0;       ///< of the group written last
  bool stop_ = false;

  // The writer thread's own.
  std::size_t last_waiters_ = 0;
  Time::time_point last_settled_;
  Time::duration write_time_{};  ///< smoothed duration of a durable write
  bool write_failing_ = false;

  std::mutex pending_mutex_;  // from here to hurry_
  std::condition_variable pending_work_, integrated_;
  std::vector<std::shared_ptr<const Batch>> pending_;
  std::uint64_t rounds_wanted_ = 0, rounds_done_ = 0;
  Status round_status_;
  bool stop_integrating_ = false;
  bool integrate_failing_ = false;
  bool hurry_ = false;  ///< much is waiting for tiles
  std::atomic<bool> rotate_wanted_{false};
  std::atomic<std::size_t> pending_bytes_{0};

  std::thread writer_, integrator_;
};

}  // namespace theriac::audit
