#include "runtime/event_loops.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/steady_timer.hpp>
#include <thread>

#include "runtime/limits.hpp"

namespace theriac::runtime {

class EventLoops::Ticker {
 public:
  explicit Ticker(Loop& loop) : loop_(&loop), timer_(loop.context()) { arm(); }

 private:
  struct Fire {
    Ticker* ticker;
    void operator()(const boost::system::error_code& error) const {
      if (!error) ticker->fire();
    }
  };
  void arm() {
    timer_.expires_after(kTick);
    timer_.async_wait(Fire{this});
  }
  void fire() {
    arm();
    loop_->ticks().tick(loop_->clock().monotonic_ms());
  }
  Loop* loop_;
  boost::asio::steady_timer timer_;
};

EventLoops::EventLoops(std::size_t count, const Clock& clock, Random& random, Log& log) {
  THERIAC_ASSERT(count > 0);
  for (std::size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<Loop>(clock, random, log));
    tickers_.push_back(std::make_unique<Ticker>(*loops_.back()));
  }
}

EventLoops::~EventLoops() = default;

void EventLoops::run() {
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads.emplace_back([&loop = *loops_[i]] { loop.context().run(); });
  }
  loops_[0]->context().run();
  for (auto& thread : threads) thread.join();
}

void EventLoops::stop() {
  for (auto& loop : loops_) loop->context().stop();
}

}  // namespace theriac::runtime
