// What everything that lives on one event loop may use: its handler queue, its ticks, and the
// process's clock, random numbers and log. EventLoops makes the real ones, SimWorld the simulated.
//
// Asio gives the coroutines and the queue; its sockets and timers are not used (poller.hpp).
//
// Threading: one thread runs the loop; only post() may be called from others.
#pragma once

#include <atomic>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <string>

#include "base/clock.hpp"
#include "base/log.hpp"
#include "base/random.hpp"
#include "runtime/ticks.hpp"
#include "runtime/transport.hpp"

namespace theriac::runtime {

class Poller;

class Loop {
 public:
  Loop(const Clock& clock, Random& random, Log& log)
      : clock_(&clock), random_(&random), log_(&log) {}
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;
  virtual ~Loop() = default;

  boost::asio::io_context& context() { return context_; }
  Ticks& ticks() { return ticks_; }
  [[nodiscard]] const Clock& clock() const { return *clock_; }
  [[nodiscard]] Random& random() { return *random_; }
  [[nodiscard]] Log& log() { return *log_; }
  /// Of a real loop; the simulated one has none.
  virtual Poller* poller() { return nullptr; }

  /// The one way to start detached work. An exception that leaves `task` is a bug: it is logged
  /// under `what` (a fixed text) and counted, and the loop goes on.
  void spawn(std::string what, Task<void> task);
  /// Runs `function` on the loop, soon. Thread-safe.
  template <typename F>
  void post(F function) {
    boost::asio::post(context_, std::move(function));
    wake();
  }
  [[nodiscard]] std::uint64_t faults() const { return faults_.load(std::memory_order_relaxed); }

 protected:
  /// Called after something was queued, from any thread.
  virtual void wake() {}
  Ticks ticks_;

 private:
  const Clock* clock_;
  Random* random_;
  Log* log_;
  std::atomic<std::uint64_t> faults_{0};

 protected:
  boost::asio::io_context context_{1};  // last: its handlers may hold listeners of the ticks
};

}  // namespace theriac::runtime
