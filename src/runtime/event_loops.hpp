// Thread per core: N threads, each running one Loop. What is made on a loop stays on it.
//
// Threading: construct and run() on one thread; stop() from any, also from a loop.
#pragma once

#include <memory>
#include <vector>

#include "runtime/loop.hpp"

namespace theriac::runtime {

class EventLoops {
 public:
  /// `count` at least 1. The references outlive this.
  EventLoops(std::size_t count, const Clock& clock, Random& random, Log& log);
  ~EventLoops();
  [[nodiscard]] std::size_t size() const { return loops_.size(); }
  Loop& at(std::size_t index) { return *loops_[index]; }
  /// Runs loop 0 on the calling thread and the others on their own; returns after stop().
  void run();
  /// Every loop ends after the handler it is in; work still waiting is destroyed with the loops.
  void stop();

 private:
  class Ticker;
  std::vector<std::unique_ptr<Loop>> loops_;
  std::vector<std::unique_ptr<Ticker>> tickers_;
};

}  // namespace theriac::runtime
