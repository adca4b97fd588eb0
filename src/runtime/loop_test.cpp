#include <gtest/gtest.h>

#include <thread>

#include "base/clock.hpp"
#include "runtime/blocking_pool.hpp"
#include "runtime/endpoint.hpp"
#include "runtime/event_loops.hpp"
#include "runtime/gate.hpp"
#include "runtime/sim.hpp"

namespace theriac::runtime {
namespace {

class Counter final : public TickListener {
 public:
  explicit Counter(Ticks& ticks) : TickListener(ticks) {}
  void on_tick(std::int64_t) override {
    ++seen;
    if (then) then();
  }
  int seen = 0;
  std::function<void()> then;
};

TEST(Ticks, ListenersMayGoWhileATickRuns) {
  // Any of three may destroy any of three, itself included; nobody is called after its end.
  for (int killer = 0; killer < 3; ++killer) {
    for (int victim = 0; victim < 3; ++victim) {
      Ticks ticks;
      std::array<std::unique_ptr<Counter>, 3> all;
      for (auto& one : all) one = std::make_unique<Counter>(ticks);
      all[static_cast<std::size_t>(killer)]->then = [&] {
        // Moved out first: the function that runs belongs to the victim, perhaps.
        const auto then = std::move(all[static_cast<std::size_t>(killer)]->then);
        all[static_cast<std::size_t>(victim)].reset();
      };
      ticks.tick(1);
      ticks.tick(2);
      for (int i = 0; i < 3; ++i) {
        if (i != victim) EXPECT_EQ(all[static_cast<std::size_t>(i)]->seen, 2);
      }
    }
  }
}

TEST(Ticks, MayEndBeforeItsListeners) {
  auto ticks = std::make_unique<Ticks>();
  const Counter counter(*ticks);
  ticks.reset();
}

TEST(Endpoint, AcceptsAddressesAndSockets) {
  const auto check = [](std::string_view text, const Endpoint& wanted) {
    const auto got = parse_endpoint(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(*got, wanted) << text;
  };
  check("127.0.0.1:5432", {"127.0.0.1", 5432, {}});
  check("db.example:1", {"db.example", 1, {}});
  check("[::1]:65535", {"::1", 65535, {}});
  check("h:0", {"h", 0, {}});
  check("/run/pg", {"", 5432, "/run/pg/.s.PGSQL.5432"});
  check("/run/pg/", {"", 5432, "/run/pg/.s.PGSQL.5432"});
  check("/run/pg:6000", {"", 6000, "/run/pg/.s.PGSQL.6000"});
  check("/run/pg/.s.PGSQL.7", {"", 7, "/run/pg/.s.PGSQL.7"});
  EXPECT_EQ(parse_endpoint("[::1]:5432")->text(), "[::1]:5432");
  EXPECT_EQ(parse_endpoint("/r:1")->text(), "/r/.s.PGSQL.1");
}

TEST(Endpoint, RefusesTheRest) {
  for (const char* text : {"", ":", "host", ":5432", "h:", "h:65536", "h:-1", "h:5x", "h: 1",
                           "::1:5", "[::1:5", "[::1]", "/run/pg:x", "/run:70000"}) {
    const auto got = parse_endpoint(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, Code::kUsage) << text;
  }
  EXPECT_TRUE(parse_endpoint("/" + std::string(107 - 14 - 1, 'd')));
  EXPECT_FALSE(parse_endpoint("/" + std::string(107 - 14, 'd')));
}

Task<void> stay_until(Gate* gate, Signal* go, int* left) {
  const auto pass = gate->enter();
  co_await go->wait();
  ++*left;
}
Task<void> close_gate(Gate* gate, bool* closed) {
  co_await gate->close();
  *closed = true;
}

TEST(Gate, ClosesWhenAllHaveLeftAndLetsNobodyIn) {
  SimWorld world(1);
  Gate gate;
  Signal go;
  int left = 0;
  bool closed = false;
  world.loop().spawn("a", stay_until(&gate, &go, &left));
  world.loop().spawn("b", stay_until(&gate, &go, &left));
  world.loop().spawn("close", close_gate(&gate, &closed));
  EXPECT_FALSE(world.run_until([&] { return closed; }, 100));
  EXPECT_EQ(gate.inside(), 2U);
  EXPECT_FALSE(gate.enter());
  go.notify_all();
  EXPECT_TRUE(world.run_until([&] { return closed; }, 100));
  EXPECT_EQ(left, 2);
}

TEST(Gate, ClosesAtOnceWhenEmpty) {
  SimWorld world(1);
  Gate gate;
  bool closed = false;
  world.loop().spawn("close", close_gate(&gate, &closed));
  EXPECT_TRUE(world.run_until([&] { return closed; }, 1));
}

Task<void> throw_something() {
  throw std::runtime_error("a fault");
  co_return;
}

TEST(Loop, AnExceptionOfATaskIsCountedAndTheLoopGoesOn) {
  SimWorld world(1);
  world.loop().spawn("bad", throw_something());
  bool ran = false;
  world.loop().post([&] { ran = true; });
  EXPECT_TRUE(world.run_until([&] { return ran; }, 1));
  EXPECT_EQ(world.loop().faults(), 1U);
}

class RealLoops : public ::testing::Test {
 protected:
  SystemClock clock_;
  SimRandom random_{7};
  NullLog log_;
  std::thread::id loop_thread_;
};

TEST_F(RealLoops, PostedWorkRunsOnEachLoopsOwnThread) {
  EventLoops loops(3, clock_, random_, log_);
  std::array<std::thread::id, 3> first, second;
  std::atomic<int> left = 3;
  for (std::size_t i = 0; i < 3; ++i) {
    loops.at(i).post([&, i] {
      first[i] = std::this_thread::get_id();
      // From another loop's thread, which must wake this one.
      loops.at((i + 1) % 3).post([&, i] {
        second[(i + 1) % 3] = std::this_thread::get_id();
        if (--left == 0) loops.stop();
      });
    });
  }
  loops.run();
  EXPECT_EQ(first, second);
  EXPECT_EQ(first[0], std::this_thread::get_id());
  EXPECT_NE(first[1], first[2]);
}

TEST_F(RealLoops, TickComesByItself) {
  EventLoops loops(1, clock_, random_, log_);
  Counter counter(loops.at(0).ticks());
  counter.then = [&] { loops.stop(); };
  loops.run();
  EXPECT_EQ(counter.seen, 1);
}

TEST_F(RealLoops, PoolRefusesBeyondItsQueueAndAnswersOnTheLoop) {
  EventLoops loops(1, clock_, random_, log_);
  BlockingPool pool(1, 2);
  std::mutex gate;
  gate.lock();
  std::atomic<bool> busy = false;
  ASSERT_TRUE(pool.submit([&] {
    busy = true;
    const std::lock_guard wait(gate);
  }));
  while (!busy) std::this_thread::yield();
  std::vector<int> answers;
  const auto ask = [&](int n) {
    return pool.run(
        loops.at(0), [n] { return n * n; },
        [&](int answer) {
          EXPECT_EQ(std::this_thread::get_id(), loop_thread_);
          answers.push_back(answer);
          if (answers.size() == 2) loops.stop();
        });
  };
  loop_thread_ = std::this_thread::get_id();
  EXPECT_TRUE(ask(3));
  EXPECT_TRUE(ask(4));
  const auto refused = ask(5);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kBusy);
  gate.unlock();
  loops.run();
  EXPECT_EQ(answers, (std::vector<int>{9, 16}));
}

Task<void> ask_pool(Loop* loop, BlockingPool* pool, EventLoops* loops, int* got) {
  const auto answer = co_await pool->ask<int>(loop, [] { return 42; });
  if (answer) *got = *answer;
  loops->stop();
}

TEST_F(RealLoops, PoolAnswersCoroutines) {
  EventLoops loops(1, clock_, random_, log_);
  BlockingPool pool(1, 2);
  int got = 0;
  loops.at(0).spawn("ask", ask_pool(&loops.at(0), &pool, &loops, &got));
  loops.run();
  EXPECT_EQ(got, 42);
}

}  // namespace
}  // namespace theriac::runtime
