// One case of the random driver. Used by tests only.
#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <random>
#include <shared_mutex>
#include <string>

#include "statement_maker.hpp"
#include "twin_session.hpp"

namespace theriac::adversary {

struct Tally {
  std::atomic<std::uint64_t> asked{0}, equal{0}, failed{0}, other_errors{0}, refused{0}, tables{0},
      committed{0};
};

/// Sessions share two databases. Rows that others do not see (rolled back) are written by one at a
/// time; rows that others see, while nobody else asks.
struct Shared {
  std::shared_mutex tables;
  std::mutex writing;
  std::atomic<int> changes{0};  ///< committed since the tables were restored
};

/// Empties all tables on both sides and fills them again. A text if that went wrong.
std::optional<std::string> restore_tables(std::uint64_t seed, TwinSession& twins);

class RandomCase {
 public:
  RandomCase(std::uint64_t seed, std::uint64_t number, TwinSession& twins, Shared& shared,
             Tally& tally);
  /// What differed.
  std::optional<std::string> run();

 private:
  std::size_t pick(std::size_t count) { return engine_() % count; }
  bool chance(std::size_t percent) { return pick(100) < percent; }
  std::optional<std::string> run_canaries();
  std::optional<std::string> run_grammar();
  std::optional<std::string> run_mixed();
  std::optional<std::string> run_copy();
  /// One text in one protocol, with its transaction.
  Verdict one(const std::vector<Step>& steps, bool pipelined);
  Verdict step(const Step& step);
  Verdict begun(const std::vector<Step>& steps, bool pipelined);
  Verdict committed(const std::vector<Step>& steps, bool pipelined);
  Verdict run_steps(const std::vector<Step>& steps, bool pipelined);
  Verdict compare_tables(const std::vector<Step>& steps);
  Verdict prepared(const Shape& shape);
  Verdict note(Verdict verdict);

  std::mt19937_64 engine_;
  std::uint64_t seed_, number_;
  bool commits_ = false;  ///< what it writes
  TwinSession& twins_;
  Shared& shared_;
  Tally& tally_;
};

}  // namespace theriac::adversary
