// Random SQL on two databases with the same rows, one plain and asked directly, one protected and
// asked through the gateway; every answer and every changed table is compared.
//
//   random_driver --plain CONNINFO --sealed CONNINFO [--seed S] [--first N] [--cases N] [--seconds
//   N]
//                 [--threads N] [--state FILE] [--failures N]
//
// A case is one statement's shape, run several times with other values, in the simple, extended and
// prepared protocol, in strings of several and in pipelines, in transactions and outside. It
// depends on seed and number alone: `--first 17 --cases 1` repeats one. With --state a run that was
// interrupted goes on. Ends with one line of JSON; exit code 0 if nothing differed and enough was
// compared.
#include <fmt/format.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <thread>

#include "random_case.hpp"

namespace {

using namespace theriac::adversary;

struct Options {
  std::string plain, sealed, state;
  std::uint64_t seed = 1, first = 0, cases = 2'000, failures = 10;
  std::uint64_t seconds = 0;  ///< 0: no end but the cases
  std::size_t threads = 4;
};

std::atomic<bool> g_stop{false};

/// What all threads share.
struct Run {
  explicit Run(const Options& wanted) : options(wanted), next(wanted.first) {}
  const Options& options;
  std::atomic<std::uint64_t> next;
  Tally tally;
  Shared shared;
  std::mutex mutex;
  std::set<std::uint64_t> under_way;
  std::uint64_t differing = 0;

  /// nullopt: no more.
  std::optional<std::uint64_t> take() {
    const std::lock_guard lock(mutex);
    if (g_stop || next >= options.first + options.cases) return std::nullopt;
    const auto number = next++;
    under_way.insert(number);
    return number;
  }
  void done(std::uint64_t number) {
    const std::lock_guard lock(mutex);
    under_way.erase(number);
  }
  /// The first that is not done.
  std::uint64_t reached() {
    const std::lock_guard lock(mutex);
    return under_way.empty() ? next.load() : *under_way.begin();
  }
  void differs(std::uint64_t number, const std::string& story) {
    const std::lock_guard lock(mutex);
    fmt::print("case {}: {}\n", number, story);
    std::fflush(stdout);
    if (++differing >= options.failures) g_stop = true;
  }
};

void work(Run& run, std::size_t thread) {
  TwinSession twins(run.options.plain, run.options.sealed);
  constexpr std::uint64_t kCasesOfSession = 500;
  std::uint64_t cases = 0, asked = 0;
  while (const auto number = run.take()) {
    if (cases++ % kCasesOfSession == 0 && !twins.connect()) {
      run.differs(*number, twins.story());
      g_stop = true;
    }
    if (!g_stop) {
      RandomCase one(run.options.seed, *number, twins, run.shared, run.tally);
      if (const auto story = one.run()) {
        run.differs(*number, *story);
        if (!twins.connect()) g_stop = true;
      }
    }
    run.tally.asked += twins.asked() - asked;
    asked = twins.asked();
    run.done(*number);
  }
  static_cast<void>(thread);
}

/// The rows that every run begins with.
bool fill_tables(const Options& options, std::string& problem) {
  TwinSession twins(options.plain, options.sealed);
  if (!twins.connect()) {
    problem = twins.story();
    return false;
  }
  const auto told = restore_tables(options.seed, twins);
  problem = told.value_or("");
  return !told;
}

void print_progress(Run& run, double seconds) {
  const auto& t = run.tally;
  fmt::print(
      "{:7.0f} s  {} statements ({:.0f}/s): {} equal, {} with equal errors, {} with others, {} "
      "refused, {} tables "
      "compared; cases below {} are done\n",
      seconds, t.asked.load(), static_cast<double>(t.asked) / seconds, t.equal.load(),
      t.failed.load(), t.other_errors.load(), t.refused.load(), t.tables.load(), run.reached());
  std::fflush(stdout);
}

void save(Run& run) {
  if (run.options.state.empty()) return;
  std::ofstream(run.options.state + ".new")
      << run.options.seed << ' ' << run.reached() << ' ' << run.tally.asked << '\n';
  std::rename((run.options.state + ".new").c_str(), run.options.state.c_str());
}

Options parse(int argc, char** argv) {
  Options out;
  for (int i = 1; i + 1 < argc; i += 2) {
    const std::string flag = argv[i], value = argv[i + 1];
    if (flag == "--plain") out.plain = value;
    if (flag == "--sealed") out.sealed = value;
    if (flag == "--state") out.state = value;
    if (flag == "--seed") out.seed = std::stoull(value);
    if (flag == "--first") out.first = std::stoull(value);
    if (flag == "--cases") out.cases = std::stoull(value);
    if (flag == "--seconds") out.seconds = std::stoull(value);
    if (flag == "--threads") out.threads = std::stoull(value);
    if (flag == "--failures") out.failures = std::stoull(value);
  }
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  auto options = parse(argc, argv);
  if (options.plain.empty() || options.sealed.empty()) return 2;
  if (!options.state.empty()) {
    std::uint64_t seed = 0, reached = 0;
    if (std::ifstream(options.state) >> seed >> reached && seed == options.seed) {
      options.cases -= std::min(options.cases, reached - std::min(reached, options.first));
      options.first = reached;
      fmt::print("going on with case {}\n", reached);
    }
  }
  std::string problem;
  if (!fill_tables(options, problem)) {
    fmt::print("cannot make the rows: {}\n", problem);
    return 1;
  }
  std::signal(SIGTERM, [](int) { g_stop = true; });
  std::signal(SIGINT, [](int) { g_stop = true; });
  Run run(options);
  std::vector<std::jthread> threads;
  std::atomic<std::size_t> working{options.threads};
  for (std::size_t i = 0; i < options.threads; ++i) {
    threads.emplace_back([&run, &working, i] {
      work(run, i);
      --working;
      working.notify_all();
    });
  }
  const auto began = std::chrono::steady_clock::now();
  const auto elapsed = [&] {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  };
  std::jthread teller([&](const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any wake;
    for (int second = 1; !stop.stop_requested(); ++second) {
      std::unique_lock lock(mutex);
      wake.wait_for(lock, stop, std::chrono::seconds(1), [] { return false; });
      if (options.seconds > 0 && elapsed() > static_cast<double>(options.seconds)) g_stop = true;
      if (second % 10 == 0) {
        print_progress(run, elapsed());
        save(run);
      }
    }
  });
  threads.clear();
  teller.request_stop();
  teller.join();
  print_progress(run, elapsed());
  save(run);
  const auto& t = run.tally;
  fmt::print(
      "{{\"statements\": {}, \"equal\": {}, \"failed\": {}, \"other_errors\": {}, \"refused\": {}, "
      "\"tables\": {}, "
      "\"committed\": {}, \"differing\": {}, \"next\": {}, \"per_second\": {:.0f}}}\n",
      t.asked.load(), t.equal.load(), t.failed.load(), t.other_errors.load(), t.refused.load(),
      t.tables.load(), t.committed.load(), run.differing, run.reached(),
      static_cast<double>(t.asked) / elapsed());
  return run.differing == 0 && t.equal > t.asked / 4 ? 0 : 1;
}
