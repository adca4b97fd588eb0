#include "runtime/event_loops.hpp"

#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <csignal>
#include <functional>

#include "runtime/limits.hpp"

namespace theriac::runtime {

/// Lets other threads interrupt the wait.
class EventLoop::Wakeup final : private Watch {
 public:
  explicit Wakeup(Poller& poller) : descriptor_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    THERIAC_ASSERT(descriptor_ >= 0 && watch(poller, descriptor_, false));
  }
  ~Wakeup() override {
    unwatch();
    ::close(descriptor_);
  }
  void ring() const {
    // A full counter has rung already.
    const std::uint64_t one = 1;
    static_cast<void>(!::write(descriptor_, &one, sizeof one));
  }

 private:
  void on_ready(std::uint32_t) override {
    std::uint64_t rung = 0;
    static_cast<void>(!::read(descriptor_, &rung, sizeof rung));
  }
  void abandon() override {}
  int descriptor_;
};

EventLoop::EventLoop(const Clock& clock, Random& random, Log& log)
    : Loop(clock, random, log), wakeup_(std::make_unique<Wakeup>(poller_)) {}

EventLoop::~EventLoop() = default;

void EventLoop::wake() {
  if (runner_.load(std::memory_order_relaxed) != std::this_thread::get_id()) wakeup_->ring();
}

void EventLoop::stop() {
  stopped_.store(true);
  wakeup_->ring();
}

/// True if more handlers may be waiting.
bool EventLoop::run_handlers() {
  for (std::size_t i = 0; i < kHandlersPerWait; ++i) {
    if (stopped_.load(std::memory_order_relaxed) || context_.poll_one() == 0) return false;
  }
  return true;
}

void EventLoop::run() {
  using Steady = std::chrono::steady_clock;
  runner_.store(std::this_thread::get_id());
  const auto guard = boost::asio::make_work_guard(context_);
  auto next_tick = Steady::now() + kTick;
  bool more = true;
  while (!stopped_.load(std::memory_order_relaxed)) {
    const auto until = std::chrono::ceil<std::chrono::milliseconds>(next_tick - Steady::now());
    const auto wait_ms = more ? 0 : std::max<std::int64_t>(0, until.count());
    // Handlers run from the queue, also those of ready descriptors: there Asio recycles the
    // memory of coroutines.
    // With more handlers than run in one go, those of the last wait may be behind the others.
    if (!poller_.awaits_dispatch() && poller_.wait(static_cast<int>(wait_ms))) {
      boost::asio::post(context_, [this] { poller_.dispatch(); });
    }
    if (const auto now = Steady::now(); now >= next_tick) {
      next_tick = now + kTick;
      boost::asio::post(context_, [this] { ticks_.tick(clock().monotonic_ms()); });
    }
    more = run_handlers();
  }
}

EventLoops::EventLoops(std::size_t count, const Clock& clock, Random& random, Log& log) {
  THERIAC_ASSERT(count > 0);
  for (std::size_t i = 0; i < count; ++i) {
    loops_.push_back(std::make_unique<EventLoop>(clock, random, log));
  }
}

void EventLoops::run() {
  std::vector<std::thread> threads;
  for (std::size_t i = 1; i < loops_.size(); ++i) {
    threads.emplace_back([&loop = *loops_[i]] { loop.run(); });
  }
  loops_[0]->run();
  for (auto& thread : threads) thread.join();
}

void EventLoops::stop() {
  for (auto& loop : loops_) loop->stop();
}

namespace {

class SignalWatch final : public ProcessSignals, private Watch {
 public:
  SignalWatch(int descriptor, std::function<void(int)> on_signal)
      : descriptor_(descriptor), on_signal_(std::move(on_signal)) {}
  ~SignalWatch() override {
    unwatch();
    ::close(descriptor_);
  }
  Status begin(Poller& poller) { return watch(poller, descriptor_, false); }

 private:
  void on_ready(std::uint32_t) override {
    signalfd_siginfo info{};
    while (::read(descriptor_, &info, sizeof info) == static_cast<ssize_t>(sizeof info)) {
      on_signal_(static_cast<int>(info.ssi_signo));
    }
  }
  void abandon() override {}
  int descriptor_;
  std::function<void(int)> on_signal_;
};

}  // namespace

namespace {
sigset_t set_of(std::initializer_list<int> which) {
  sigset_t set;
  ::sigemptyset(&set);
  for (const int number : which) ::sigaddset(&set, number);
  return set;
}
}  // namespace

Status ProcessSignals::block(std::initializer_list<int> which) {
  const auto set = set_of(which);
  if (::pthread_sigmask(SIG_BLOCK, &set, nullptr) != 0) return fail(Code::kInternal, "sigmask");
  return {};
}

Result<std::unique_ptr<ProcessSignals>> ProcessSignals::make(Loop& loop,
                                                             std::initializer_list<int> which,
                                                             std::function<void(int)> on_signal) {
  THERIAC_TRY(block(which));
  const auto set = set_of(which);
  const int descriptor = ::signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
  if (descriptor < 0) return fail(Code::kInternal, "signalfd");
  auto made = std::make_unique<SignalWatch>(descriptor, std::move(on_signal));
  THERIAC_TRY(made->begin(*loop.poller()));
  return std::unique_ptr<ProcessSignals>(std::move(made));
}

}  // namespace theriac::runtime
