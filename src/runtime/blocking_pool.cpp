#include "runtime/blocking_pool.hpp"

namespace theriac::runtime {

BlockingPool::BlockingPool(std::size_t threads, std::size_t queue_max) : queue_max_(queue_max) {
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { serve(); });
}

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
  }
  wanted_.notify_one();
  return {};
}

void BlockingPool::serve() {
  std::unique_lock lock(mutex_);
  while (true) {
    while (queue_.empty() && !stopping_) wanted_.wait(lock);
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
