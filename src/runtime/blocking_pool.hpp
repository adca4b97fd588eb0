// A bounded pool for work that blocks (libpq, files, password hashing): results come back to the
// loop that asked. A full queue is refused with Code::kBusy instead of growing.
//
// Threading: from any loop. Destruction lets queued work finish; the loops must still exist then
// (a result posted to a stopped loop is dropped).
#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include "runtime/loop.hpp"
#include "runtime/signal.hpp"
#include "runtime/transport.hpp"

namespace theriac::runtime {

class BlockingPool {
 public:
  /// Threads are started when work wants them, at most `threads`: a program that never blocks stays
  /// single-threaded, which the kernel makes cheaper.
  BlockingPool(std::size_t threads, std::size_t queue_max);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Code::kBusy when the queue is full. `work` may not throw.
  Status submit(std::move_only_function<void()> work);

  /// Runs `work` on a pool thread and `done(its result)` on `loop`. Code::kBusy at once when full.
  template <typename Work, typename Done>
  Status run(Loop& loop, Work work, Done done) {
    return submit([&loop, work = std::move(work), done = std::move(done)]() mutable {
      loop.post([done = std::move(done), result = work()]() mutable { done(std::move(result)); });
    });
  }

  /// The same for coroutines. T: what `work` returns.
  template <typename T>
  Task<Result<T>> ask(Loop* loop, std::move_only_function<T()> work) {
    struct Answer {
      std::optional<T> value;
      Signal came;
    };
    const auto answer = std::make_shared<Answer>();  // shared with the pool thread's result
    const auto queued = run(*loop, std::move(work), [answer](T value) {
      answer->value.emplace(std::move(value));
      answer->came.notify_all();
    });
    if (!queued) co_return fail(queued.error());
    while (!answer->value) co_await answer->came.wait();
    co_return std::move(*answer->value);
  }

 private:
  void serve();
  /// False if no thread runs at all. Called with the mutex held.
  bool start_thread();
  std::size_t threads_max_;
  std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopping_ = false;
  std::size_t idle_ = 0;
  std::vector<std::thread> threads_;
};

}  // namespace theriac::runtime
