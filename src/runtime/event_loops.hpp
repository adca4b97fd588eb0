// Thread per core: N threads, each running one Loop. What is made on a loop stays on it.
//
// Threading: construct and run() on one thread; stop() from any, also from a loop.
#pragma once

#include <functional>
#include <initializer_list>
#include <memory>
#include <thread>
#include <vector>

#include "runtime/loop.hpp"
#include "runtime/poller.hpp"

namespace theriac::runtime {

class EventLoop final : public Loop {
 public:
  EventLoop(const Clock& clock, Random& random, Log& log);
  ~EventLoop() override;
  Poller* poller() override { return &poller_; }
  /// Until stop().
  void run();
  /// Thread-safe. The handler that runs is the last one.
  void stop();

 private:
  class Wakeup;
  void wake() override;
  bool run_handlers();

  Poller poller_;
  std::unique_ptr<Wakeup> wakeup_;
  std::atomic<std::thread::id> runner_;
  std::atomic<bool> stopped_{false};
};

class EventLoops {
 public:
  /// `count` at least 1. The references outlive this.
  EventLoops(std::size_t count, const Clock& clock, Random& random, Log& log);
  [[nodiscard]] std::size_t size() const { return loops_.size(); }
  Loop& at(std::size_t index) { return *loops_[index]; }
  /// Runs loop 0 on the calling thread and the others on their own; returns after stop().
  void run();
  /// Every loop ends after the handler it is in. Work that still waits is destroyed with the
  /// loops where it waits on a descriptor; clean code ends its work before.
  void stop();

 private:
  std::vector<std::unique_ptr<EventLoop>> loops_;
};

/// Signals of the process as events of a loop. Blocks them for the calling thread and those it
/// starts afterwards.
class ProcessSignals {
 public:
  virtual ~ProcessSignals() = default;
  /// Blocks the signals for this thread and those it makes: call it before the first thread, since
  /// a signal goes to any thread that does not block it.
  static Status block(std::initializer_list<int> which);
  /// `on_signal` is called on `loop` with the signal's number. Blocks the signals too.
  static Result<std::unique_ptr<ProcessSignals>> make(Loop& loop, std::initializer_list<int> which,
                                                      std::function<void(int)> on_signal);
};

}  // namespace theriac::runtime
