// A lock that is given in the order of asking, and not waited for without end.
//
// Threading: any.
#pragma once

#include <chrono>
#include <condition_variable>
#include <list>
#include <mutex>

namespace theriac::store {

class WriterQueue {
 public:
  /// False when `limit` passed first.
  bool enter(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    if (!held_) {
      held_ = true;
      return true;
    }
    Waiter self;
    const auto place = waiting_.insert(waiting_.end(), &self);
    if (self.wake.wait_for(lock, limit, [&] { return self.turn; })) return true;
    waiting_.erase(place);
    return false;
  }

  /// The first in the queue holds it now.
  void leave() {
    const std::lock_guard lock(mutex_);
    held_ = !waiting_.empty();
    if (!held_) return;
    Waiter& next = *waiting_.front();
    waiting_.pop_front();
    next.turn = true;
    next.wake.notify_one();  // under the lock: the waiter's condition lives no longer than its turn
  }

  [[nodiscard]] std::size_t waiting() const {
    const std::lock_guard lock(mutex_);
    return waiting_.size();
  }

 private:
  struct Waiter {
    std::condition_variable wake;
    bool turn = false;
  };
  mutable std::mutex mutex_;
  std::list<Waiter*> waiting_;  // in the order of asking; each lives in its waiter's enter()
  bool held_ = false;
};

}  // namespace theriac::store
