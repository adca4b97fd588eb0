// Lets coroutines on one loop wait for something that other code on the same loop makes happen.
// No timer is involved, so the same code runs in simulation.
//
// Threading: one loop. Destroying a Signal destroys the coroutines that wait on it.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <vector>

#include "runtime/resumption.hpp"
#include "runtime/transport.hpp"

namespace theriac::runtime {

class Signal {
 public:
  Signal() = default;
  Signal(const Signal&) = delete;
  Signal& operator=(const Signal&) = delete;

  /// Returns after the next notify_all(). The caller tests its condition again.
  Task<void> wait() {
    return boost::asio::async_initiate<const boost::asio::use_awaitable_t<>, void()>(
        Keep{}, boost::asio::use_awaitable, &waiters_);
  }
  /// Wakes everybody who waits now; they run later, from the loop.
  void notify_all() {
    if (waiters_.empty()) return;
    std::vector<Waiter> woken;
    woken.swap(waiters_);
    for (auto& waiter : woken) {
      auto executor = waiter.executor;
      boost::asio::post(executor, std::move(waiter.handler));
    }
  }
  /// Destroys the coroutines that wait, and perhaps what owns this.
  void abandon() {
    std::vector<Waiter> waiters;
    waiters.swap(waiters_);
  }
  [[nodiscard]] bool awaited() const { return !waiters_.empty(); }

 private:
  struct Waiter {
    boost::asio::any_io_executor executor;
    Resumption<> handler;
  };
  struct Keep {
    template <typename Handler>
    void operator()(Handler&& handler, std::vector<Waiter>* waiters) const {
      auto executor = boost::asio::get_associated_executor(handler);
      waiters->push_back({std::move(executor), Resumption<>(std::forward<Handler>(handler))});
    }
  };
  std::vector<Waiter> waiters_;
};

}  // namespace theriac::runtime
