// A bounded pool for work that blocks (libpq, files, password hashing): results come back to the
// loop that asked. A full queue is refused with Code::kBusy instead of growing.
//
// Threading: run() from any loop. Destruction lets queued work finish; the loops must still exist
// then, or must have been stopped (a posted result is then dropped).
#pragma once

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "runtime/loop.hpp"
#include "runtime/transport.hpp"

namespace theriac::runtime {

class BlockingPool {
 public:
  BlockingPool(std::size_t threads, std::size_t queue_max);
  ~BlockingPool();
  BlockingPool(const BlockingPool&) = delete;
  BlockingPool& operator=(const BlockingPool&) = delete;

  /// Code::kBusy when the queue is full. `work` may not throw.
  Status submit(std::move_only_function<void()> work);

  /// Runs `work` on a pool thread and `done(its result)` on `loop`. Code::kBusy at once when full.
  template <typename Work, typename Done>
  Status run(Loop& loop, Work work, Done done) {
    return submit([guard = boost::asio::make_work_guard(loop.context()), work = std::move(work),
                   done = std::move(done)]() mutable {
      boost::asio::post(guard.get_executor(), [done = std::move(done), result = work()]() mutable {
        done(std::move(result));
      });
    });
  }

 private:
  void serve();
  std::size_t queue_max_;
  std::mutex mutex_;
  std::condition_variable wanted_;
  std::deque<std::move_only_function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace theriac::runtime
