// Durable appends against a bare group-commit loop on the same disk in the same run, and
// verification per entry. THERIAC_BENCH_DIR names the directory (default: the temporary one).
#include <benchmark/benchmark.h>
#include <fcntl.h>
#include <unistd.h>

#include <condition_variable>
#include <filesystem>
#include <mutex>
#include <thread>

#include "audit/log.hpp"
#include "audit/verify.hpp"
#include "crypto/random.hpp"

// BENCHMARK() of Debian's Google Benchmark uses __COUNTER__.
#pragma clang diagnostic ignored "-Wc2y-extensions"

namespace theriac::audit {
namespace {

using Time = std::chrono::steady_clock;

std::string bench_dir(const char* name) {
  const char* const chosen = std::getenv("THERIAC_BENCH_DIR");  // NOLINT: one thread yet
  const auto base =
      chosen != nullptr ? std::filesystem::path(chosen) : std::filesystem::temp_directory_path();
  // Each time a fresh one: removing thousands of files just before makes creating others slow.
  static std::atomic<int> number = 0;
  const auto dir = base / ("theriac-audit-bench-" + std::to_string(::getpid())) /
                   (name + std::to_string(++number));
  std::filesystem::create_directories(dir);
  return dir;
}

Event bench_event() {
  Event event;
  event.action = "session.statement";
  event.actor = "erp_app";
  event.role = "clerk";
  event.object = "class:patient";
  event.policy_hash = "9f86d081884c7d65";
  event.correlation = "5c1b9a52-7f6e-4a8e";
  event.details["rows"] = 17;
  return event;
}

/// How the waiting writers of the bare loop wait.
enum class Waiting : std::uint8_t { kCondition, kAtomic };

/// What the log is measured against: waiting writers, one thread that writes and syncs what has
/// gathered. No chain, no hash, no tiles, no events.
class BareLoop {
 public:
  BareLoop(const std::string& path, Waiting waiting)
      : waiting_(waiting),
        fd_(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600)),
        writer_([this] { loop(); }) {}
  ~BareLoop() {
    {
      const std::scoped_lock lock(mutex_);
      stop_ = true;
    }
    work_.notify_one();
    writer_.join();
    ::close(fd_);
  }
  BareLoop(const BareLoop&) = delete;
  BareLoop& operator=(const BareLoop&) = delete;

  void append(ByteView bytes) {
    std::unique_lock lock(mutex_);
    const auto group = open_;
    const bool first = group->bytes.empty();
    theriac::append(group->bytes, bytes);
    if (first) work_.notify_one();
    if (waiting_ == Waiting::kCondition) {
      durable_.wait(lock, [&] { return group->durable.load() != 0; });
    } else {
      lock.unlock();
      group->durable.wait(0);
    }
  }

 private:
  struct Group {
    Bytes bytes;
    std::atomic<int> durable{0};
  };
  void loop() {
    std::unique_lock lock(mutex_);
    for (;;) {
      work_.wait(lock, [this] { return stop_ || !open_->bytes.empty(); });
      if (open_->bytes.empty()) return;
      const auto group = std::exchange(open_, std::make_shared<Group>());
      lock.unlock();
      THERIAC_ASSERT(::write(fd_, group->bytes.data(), group->bytes.size()) ==
                     static_cast<ssize_t>(group->bytes.size()));
      THERIAC_ASSERT(::fdatasync(fd_) == 0);
      lock.lock();
      group->durable = 1;
      if (waiting_ == Waiting::kCondition) {
        durable_.notify_all();
      } else {
        group->durable.notify_all();
      }
    }
  }
  const Waiting waiting_;
  const int fd_;
  std::mutex mutex_;
  std::condition_variable work_, durable_;
  std::shared_ptr<Group> open_ = std::make_shared<Group>();
  bool stop_ = false;
  std::thread writer_;
};

std::unique_ptr<AuditLog> bench_log(const std::string& directory) {
  static SystemClock clock;
  static crypto::SystemRandom random;
  static NullLog log;
  Options options;
  options.directory = directory;
  options.origin = "theriac.bench/log";
  options.producer = "bench-1";
  return open_log(options, crypto::Ed25519Key::generate(), clock, random, log).value();
}

/// Entries per second of `writers` threads for that long.
template <typename F>
double rate(std::size_t writers, std::chrono::milliseconds duration, F&& append) {
  std::atomic<bool> stop = false;
  std::atomic<std::uint64_t> total = 0;
  std::vector<std::thread> threads;
  const auto begun = Time::now();
  for (std::size_t i = 0; i < writers; ++i) {
    threads.emplace_back([&] {
      std::uint64_t mine = 0;
      for (; !stop.load(std::memory_order_relaxed); ++mine) append();
      total += mine;
    });
  }
  std::this_thread::sleep_for(duration);
  stop = true;
  for (auto& thread : threads) thread.join();
  return static_cast<double>(total) / std::chrono::duration<double>(Time::now() - begun).count();
}

void BM_DurableAppendsAgainstBareLoop(benchmark::State& state) {
  const auto writers = static_cast<std::size_t>(state.range(0));
  const std::chrono::milliseconds duration(state.range(1));
  const Bytes entry(420, 'x');
  double condition = 0, atomic = 0, ours = 0;
  for (auto _ : state) {
    // In turns, so that a busy machine hurts all of them.
    const std::string dir = bench_dir("append");
    for (const auto waiting : {Waiting::kCondition, Waiting::kAtomic}) {
      BareLoop loop(dir + "/bare", waiting);
      const double got = rate(writers, duration, [&] { loop.append(entry); });
      (waiting == Waiting::kCondition ? condition : atomic) += got;
    }
    const auto log = bench_log(dir + "/log");
    ours += rate(writers, duration,
                 [&] { THERIAC_ASSERT(log->append_durable(bench_event()).has_value()); });
  }
  const auto rounds = static_cast<double>(state.iterations());
  state.counters["ours_per_s"] = ours / rounds;
  state.counters["bare_cv_per_s"] = condition / rounds;
  state.counters["bare_atomic_per_s"] = atomic / rounds;
  state.counters["ratio_cv"] = ours / condition;
  state.counters["ratio_atomic"] = ours / atomic;
}
BENCHMARK(BM_DurableAppendsAgainstBareLoop)
    ->ArgNames({"writers", "ms"})
    ->Args({1, 500})
    ->Args({8, 500})
    ->Args({64, 500})
    ->Args({256, 500})
    ->Args({256, 5000})
    ->Iterations(4)
    ->UseRealTime()
    ->Unit(benchmark::kMillisecond);

void BM_AsynchronousAppends(benchmark::State& state) {
  const auto log = bench_log(bench_dir("async"));
  for (auto _ : state) {
    while (!log->append(bench_event())) std::this_thread::yield();  // full: the disk decides
  }
  THERIAC_ASSERT(log->flush().has_value());
  state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_AsynchronousAppends)->UseRealTime();

void BM_Verify(benchmark::State& state) {
  const std::string dir = bench_dir("verify");
  const auto entries = static_cast<std::uint64_t>(state.range(0));
  {
    const auto log = bench_log(dir);
    for (std::uint64_t i = 0; i < entries; ++i) {
      while (!log->append(bench_event())) std::this_thread::yield();
    }
  }
  for (auto _ : state) {
    const auto verdict = verify_path(dir, "", std::nullopt);
    THERIAC_ASSERT(verdict && verdict->holds && verdict->entries == entries);
  }
  state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Verify)->Arg(300'000)->Unit(benchmark::kMillisecond);

/// Removes what the benchmarks wrote, when all of them are through.
const struct Cleanup {
  ~Cleanup() {
    std::error_code ignored;
    std::filesystem::remove_all(std::filesystem::path(bench_dir("end")).parent_path(), ignored);
  }
} kCleanup;

}  // namespace
}  // namespace theriac::audit
