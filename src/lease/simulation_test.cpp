// Holders and the key service over a bad network, seeded: lost requests, lost replies, crashes
// between writing down and sending, copies of a holder. Same seed, same trace.
//
// What must hold:
//   - a healthy holder is never fenced, whatever is lost and whenever it or the service restarts;
//   - a copy is found at the latest at the second renewal after both have begun to act;
//   - no two holders of one name hold leases from two different tokens for longer than that.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <random>

#include "keys/reply.hpp"
#include "keys/test_support.hpp"
#include "lease/holder.hpp"

namespace theriac::lease {
namespace {

using keys::Bench;

/// A holder with its disk: what is written survives a crash, the rest does not.
struct Machine {
  Memory disk;
  std::optional<Holder> holder;  ///< empty: crashed
  int renewals = 0;              ///< granted since it was copied
  bool fenced = false;

  void start(std::uint64_t boot) {
    holder.emplace(Wanted{"demo", {"contact"}, {}}, hex(boot), disk);
  }
  static std::string hex(std::uint64_t value) {
    Bytes raw(8);
    append_be(raw, value);
    return to_hex(raw);
  }
};

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed) : random_(seed), bench_(clock_) {}

  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }
  std::uint64_t number() { return random_(); }
  ManualClock& clock() { return clock_; }
  Bench& bench() { return bench_; }

  /// One attempt of a machine, with the network's help or not. Loss in percent.
  void attempt(Machine& machine, int loss) {
    if (!machine.holder) machine.start(number());
    for (int round = 0; round < 2; ++round) {
      const auto request = machine.holder->next(Machine::hex(number()));
      machine.disk = machine.holder->memory();
      if (chance(loss)) return crash_perhaps(machine);  // died or lost before the service saw it
      const auto answer = ask(request);
      if (chance(loss)) return crash_perhaps(machine);  // the reply was lost
      if (!answer) {
        machine.fenced = machine.fenced || answer.error().code == Code::kLeaseReplayed;
        const auto step = machine.holder->failed(answer.error().code);
        machine.disk = machine.holder->memory();
        if (step == Holder::Step::kAgain && round == 0) continue;
        return;
      }
      ++machine.renewals;
      const auto step = machine.holder->granted(answer->token);
      // The memory of a machine that dies here is the old one, with the request still pending.
      if (chance(loss / 4)) return machine.holder.reset();
      machine.disk = machine.holder->memory();
      if (step != Holder::Step::kAgain) return;
    }
  }

 private:
  void crash_perhaps(Machine& machine) {
    if (chance(30)) machine.holder.reset();
  }
  Result<keys::Grant> ask(const std::string& text) {
    THERIAC_ASSIGN(const auto request, keys::parse_request(view_of(text)));
    return bench_.service().lease(bench_.gateway(), std::get<keys::LeaseAsk>(request),
                                  crypto::sha256(view_of(text)));
  }
  std::mt19937_64 random_;
  ManualClock clock_;
  Bench bench_;
};

TEST(LeaseSimulation, HealthyHoldersAreNeverFenced) {
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Simulation simulation(seed);
    Machine machine;
    const int loss = static_cast<int>(seed % 60);
    for (int step = 0; step < 60; ++step) {
      simulation.attempt(machine, loss);
      // From hasty retries to hours of darkness.
      simulation.clock().advance_ms(static_cast<std::int64_t>(
          simulation.chance(5) ? 7'200'000 : simulation.number() % 45'000));
      ASSERT_FALSE(machine.fenced) << "seed " << seed << " step " << step;
    }
    EXPECT_EQ(simulation.bench().audit.count("lease.fence"), 0U) << seed;
    EXPECT_GT(machine.renewals, 5) << "seed " << seed << ": the run must have done something";
    // And the network heals.
    simulation.clock().advance_ms(keys::kLeaseMsDefault);
    const int before = machine.renewals;
    simulation.attempt(machine, 0);
    EXPECT_GT(machine.renewals, before) << seed;
  }
}

TEST(LeaseSimulation, CopiesAreFound) {
  int with_pending = 0;
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Simulation simulation(seed);
    Machine original;
    // Some history, on a network that loses a third, so that copies are taken at every point.
    const int steps = 1 + static_cast<int>(seed % 9);
    for (int step = 0; step < steps || original.disk.token.empty(); ++step) {
      ASSERT_LT(step, 200) << "seed " << seed;
      simulation.attempt(original, 33);
      simulation.clock().advance_ms(20'000);
    }
    if (!original.disk.pending.empty()) ++with_pending;

    // The disk is copied; the copy starts as a program of its own.
    Machine copy;
    copy.disk = original.disk;
    original.renewals = 0;
    bool found = false;
    for (int round = 0; round < 3 && !found; ++round) {
      // Either may come first, on a perfect network.
      const bool copy_first = simulation.chance(50);
      simulation.attempt(copy_first ? copy : original, 0);
      simulation.clock().advance_ms(1'000);
      simulation.attempt(copy_first ? original : copy, 0);
      simulation.clock().advance_ms(29'000);
      found = original.fenced || copy.fenced;
    }
    EXPECT_TRUE(found) << "seed " << seed;
    EXPECT_LE(original.renewals, 2) << "seed " << seed << ": found too late";
    EXPECT_LE(copy.renewals, 2) << "seed " << seed << ": found too late";
    EXPECT_EQ(simulation.bench().audit.count("lease.fence"), 1U) << seed;
    // Neither gets anything any more.
    const int before = original.renewals + copy.renewals;
    for (int round = 0; round < 3; ++round) {
      simulation.attempt(original, 0);
      simulation.attempt(copy, 0);
      simulation.clock().advance_ms(60'000);
    }
    EXPECT_EQ(original.renewals + copy.renewals, before) << seed;
  }
  EXPECT_GT(with_pending, 20) << "copies taken while a request was pending must occur";
}

TEST(LeaseSimulation, ACopyWithoutItsTokenGetsNothing) {
  Simulation simulation(5);
  Machine original;
  simulation.attempt(original, 0);
  Machine copy;  // same certificate, no state file
  for (int round = 0; round < 20; ++round) {
    simulation.clock().advance_ms(25'000);
    simulation.attempt(original, 0);
    simulation.attempt(copy, 0);
  }
  EXPECT_EQ(copy.renewals, 0);
  EXPECT_EQ(original.renewals, 21);
}

TEST(LeaseSimulation, SameSeedSameTrace) {
  const auto trace = [](std::uint64_t seed) {
    Simulation simulation(seed);
    Machine machine;
    std::string text;
    for (int step = 0; step < 40; ++step) {
      simulation.attempt(machine, 40);
      simulation.clock().advance_ms(20'000);
      text += std::to_string(machine.renewals) + (machine.disk.pending.empty() ? " " : "p ");
    }
    return text;
  };
  EXPECT_EQ(trace(3), trace(3));
  EXPECT_NE(trace(3), trace(4));
}

}  // namespace
}  // namespace theriac::lease
