#include "runtime/blocking_pool.hpp"

#include <system_error>

namespace theriac::runtime {

BlockingPool::BlockingPool(std::size_t threads, std::size_t queue_max)
    : threads_max_(threads), queue_max_(queue_max) {}

BlockingPool::~BlockingPool() {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wanted_.notify_all();
  for (auto& thread : threads_) thread.join();
}

Status BlockingPool::submit(std::move_only_function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return fail(Code::kClosed, "blocking pool");
    if (queue_.size() >= queue_max_) return fail(Code::kBusy, "blocking pool");
    queue_.push_back(std::move(work));
    if (idle_ < queue_.size() && threads_.size() < threads_max_ && !start_thread()) {
      queue_.pop_back();
      return fail(Code::kBusy, "blocking pool");
    }
  }
  wanted_.notify_one();
  return {};
}

bool BlockingPool::start_thread() {
  try {
    threads_.emplace_back([this] { serve(); });
  } catch (const std::system_error&) {  // no thread to be had: those that run suffice
  }
  return !threads_.empty();
}

void BlockingPool::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    while (queue_.empty() && !stopping_) wanted_.wait(lock);
    --idle_;
    if (queue_.empty()) return;
    auto work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
    work = nullptr;
    lock.lock();
  }
}

}  // namespace theriac::runtime
