// Transactions, snapshots and many sessions at once, on both engines.
#include <array>
#include <barrier>
#include <stdexcept>
#include <thread>

#include "store/engine_fixture.hpp"
#include "store/sqlite_engine.hpp"
#include "store/writer_queue.hpp"

namespace theriac::store {
namespace {

using testing::ElementsAre;

constexpr std::string_view kSchema =
    "CREATE TABLE t(k INT PRIMARY KEY, n INT NOT NULL); INSERT INTO t VALUES(1, 0), (2, 0);";

class TransactionTest : public EngineTest {
 protected:
  Session& open_all() { return open(kSchema); }
};
INSTANTIATE_TEST_SUITE_P(Engines, TransactionTest, kBothEngines, name_of_engine);

Status set(Session& s, std::int64_t k, std::int64_t n) {
  THERIAC_TRY(s.run_all("UPDATE t SET n = $2 WHERE k = $1", k, n));
  return {};
}

Result<std::int64_t> get(Session& s, std::int64_t k) {
  THERIAC_ASSIGN(auto rows, s.query_all("SELECT n FROM t WHERE k = $1", k));
  THERIAC_ASSIGN(const bool found, rows->next());
  return found ? rows->integer(0) : -1;
}

TEST_P(TransactionTest, CommitsOrLeavesNothing) {
  auto& s = open_all();
  EXPECT_TRUE(s.transact([](Session& in) { return set(in, 1, 10); }));
  EXPECT_EQ(code_of(s.transact([](Session& in) -> Status {
              THERIAC_TRY(set(in, 1, 20));
              return fail(Code::kDenied, "by the work");
            })),
            Code::kDenied);
  EXPECT_THROW((void)s.transact([](Session& in) -> Status {
    EXPECT_TRUE(set(in, 1, 30));
    throw std::runtime_error("a bug");
  }),
               std::runtime_error);
  EXPECT_EQ(get(s, 1), 10);
  EXPECT_TRUE(s.transact([](Session& in) { return set(in, 2, 11); })) << "the session still works";
  EXPECT_EQ(get(s, 2), 11);
}

TEST_P(TransactionTest, AfterAFailedCallNothingIsCommitted) {
  auto& s = open_all();
  const auto done = s.transact([](Session& in) -> Status {
    EXPECT_TRUE(set(in, 1, 10));
    EXPECT_EQ(code_of(in.run_all("INSERT INTO t VALUES(1, 1)")), Code::kConflict);
    EXPECT_EQ(code_of(set(in, 1, 11)), Code::kConflict) << "too late";
    EXPECT_EQ(code_of(get(in, 1)), Code::kConflict);
    return {};
  });
  EXPECT_EQ(code_of(done), Code::kConflict);
  EXPECT_EQ(get(s, 1), 0);
  const auto refused_here = s.transact([](Session& in) -> Status {
    EXPECT_TRUE(set(in, 1, 10));
    EXPECT_EQ(code_of(in.run_all("UPDATE t SET n = length($1)", "\xff")), Code::kBadEncoding);
    return {};
  });
  EXPECT_EQ(code_of(refused_here), Code::kConflict);
  EXPECT_EQ(get(s, 1), 0);
}

TEST_P(TransactionTest, NoneInsideAnother) {
  auto& s = open_all();
  EXPECT_EQ(code_of(s.transact([](Session& in) {
              return in.transact([](Session& again) { return set(again, 1, 1); });
            })),
            Code::kInternal);
  EXPECT_EQ(get(s, 1), 0);
  auto rows = s.query_all("SELECT k FROM t");
  EXPECT_EQ(code_of(s.transact([](Session&) -> Status { return {}; })), Code::kInternal);
}

TEST_P(TransactionTest, BusyWorkIsRepeatedFiveTimes) {
  auto& s = open_all();
  int runs = 0;
  EXPECT_EQ(code_of(s.transact([&](Session& in) -> Status {
              THERIAC_TRY(set(in, 1, ++runs));
              return fail(Code::kBusy, "by the work");
            })),
            Code::kBusy);
  EXPECT_EQ(runs, 6);
  EXPECT_EQ(get(s, 1), 0);
  EXPECT_TRUE(s.transact([&](Session& in) -> Status {
    THERIAC_TRY(set(in, 1, ++runs));
    if (runs < 9) return fail(Code::kBusy, "by the work");
    return {};
  }));
  EXPECT_EQ(get(s, 1), 9);
}

TEST_P(TransactionTest, NobodySeesWhatIsNotCommitted) {
  auto& s = open_all();
  auto& other = connect();
  EXPECT_TRUE(s.transact([&](Session& in) -> Status {
    THERIAC_TRY(set(in, 1, 5));
    EXPECT_EQ(get(in, 1), 5);
    EXPECT_EQ(get(other, 1), 0) << "and does not wait";
    return {};
  }));
  EXPECT_EQ(get(other, 1), 5);
}

TEST_P(TransactionTest, ASnapshotIsOneStateAndReadsOnly) {
  auto& s = open_all();
  auto& other = connect();
  EXPECT_TRUE(s.snapshot([&](Session& in) -> Status {
    EXPECT_EQ(get(in, 1), 0);
    EXPECT_TRUE(set(other, 1, 1)) << "a writer does not wait for readers";
    EXPECT_TRUE(other.transact([](Session& writing) { return set(writing, 2, 1); }));
    EXPECT_EQ(get(in, 1), 0);
    EXPECT_EQ(get(in, 2), 0);
    return {};
  }));
  EXPECT_EQ(get(s, 2), 1);
  EXPECT_EQ(code_of(s.snapshot([](Session& in) { return set(in, 1, 7); })), Code::kInternal);
  EXPECT_EQ(code_of(s.snapshot([](Session& in) -> Status {
              const std::array<Param, 2> row{3, 3};
              THERIAC_TRY(in.insert("t", std::vector<std::string_view>{"k", "n"}, row, ""));
              return {};
            })),
            Code::kInternal);
  EXPECT_EQ(get(s, 1), 1);
  EXPECT_TRUE(set(s, 1, 8)) << "outside of it, it writes again";
}

TEST_P(TransactionTest, NoIncrementIsLost) {
  open_all();
  constexpr int kThreads = 8, kTimes = 25;
  std::atomic<int> acknowledged = 0, busy = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < kThreads; ++t) {
    auto& session = connect();
    threads.emplace_back([&] {
      for (int i = 0; i < kTimes;) {
        const auto done = session.transact([](Session& in) -> Status {
          THERIAC_ASSIGN(const auto n, get(in, 1));
          return set(in, 1, n + 1);
        });
        if (done) {
          ++acknowledged;
          ++i;
        } else if (done.error().code == Code::kBusy) {
          ++busy;
        } else {
          ADD_FAILURE() << done.error().message();
          return;
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(get(*sessions_.front(), 1), acknowledged.load());
  EXPECT_EQ(acknowledged, kThreads * kTimes);
  RecordProperty("busy", busy.load());
}

// Two doctors may each leave when the other stays: a rule that no single row holds. It is kept by
// writing what was read.
TEST_P(TransactionTest, ARuleOverRowsThatAreWrittenHolds) {
  auto& s = open_all();
  auto& other = connect();
  const auto leave = [](Session& session, std::int64_t who) {
    return session.transact([who](Session& in) -> Status {
      THERIAC_TRY(in.run_all("UPDATE t SET n = n"));
      THERIAC_ASSIGN(auto rows, in.query_all("SELECT sum(n) FROM t"));
      THERIAC_TRY(rows->next());
      const auto present = rows->integer(0);
      rows.reset();
      return present < 2 ? Status{} : set(in, who, 0);
    });
  };
  for (int round = 0; round < 50; ++round) {
    ASSERT_TRUE(set(s, 1, 1) && set(s, 2, 1));
    std::barrier together(2);
    std::thread thread([&] {
      together.arrive_and_wait();
      EXPECT_TRUE(leave(other, 2));
    });
    together.arrive_and_wait();
    EXPECT_TRUE(leave(s, 1));
    thread.join();
    ASSERT_EQ(integer(s, "SELECT sum(n) FROM t"), 1) << round;
  }
}

TEST_P(TransactionTest, BatchesThatMeetCrosswiseBothHappen) {
  open_all();
  ASSERT_TRUE(sessions_[0]->run_all("DELETE FROM t"));
  std::vector<Param> up, down, rows;
  for (int i = 0; i < 300; ++i) {
    rows.insert(rows.end(), {i, 0});
    up.insert(up.end(), {i, 1});
    down.insert(down.end(), {299 - i, 2});
  }
  const std::vector<std::string_view> columns{"k", "n"}, changed{"n"};
  ASSERT_TRUE(sessions_[0]->insert("t", columns, rows, ""));
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    auto& session = connect();
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const auto done = session.transact([&](Session& in) -> Status {
          THERIAC_ASSIGN(const auto n, in.update("t", "k", changed, t % 2 == 0 ? up : down));
          return n == 300 ? Status{} : fail(Code::kMismatch, "rows");
        });
        EXPECT_TRUE(done || done.error().code == Code::kBusy) << done.error().message();
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto sum = integer(*sessions_[0], "SELECT sum(n) FROM t");
  EXPECT_TRUE(sum == 300 || sum == 600) << "one batch as a whole was the last, not a mixture";
}

TEST_P(TransactionTest, NoMoreSessionsThanAllowed) {
  options_.sessions_max = 2;
  open_all();
  connect();
  EXPECT_EQ(code_of(engine_->connect()), Code::kBusy);
  sessions_.pop_back();
  connect();
}

TEST(EngineOptionsTest, WhatCannotBeIsUsage) {
  EXPECT_EQ(code_of(open_engine({.where = "sqlite:"}, {})), Code::kUsage);
  EXPECT_EQ(code_of(open_engine({.where = "sqlite::memory:"}, {})), Code::kUsage);
  EXPECT_EQ(code_of(open_engine({.where = "x", .schema_name = "a; b"}, {})), Code::kUsage);
  EXPECT_EQ(code_of(open_engine({.where = "x", .partitions = 0}, {})), Code::kUsage);
  EXPECT_EQ(code_of(open_engine({.where = "x", .partitions = 257}, {})), Code::kUsage);
  EXPECT_EQ(code_of(open_engine({.where = "x", .sessions_max = 0}, {})), Code::kUsage);
  EXPECT_EQ(code_of(open_engine({.where = "x", .sessions_max = 1025}, {})), Code::kUsage);
  EXPECT_EQ(
      code_of(open_engine(
          {.where = "host=/nonexistent password=hunter2", .partitions = 256, .sessions_max = 1024},
          {})),
      Code::kUpstream);
}

// Two engines on one file are as strange to each other as two processes.
TEST(SqliteEngineTest, AWriterOfAnotherProcessIsWaitedForAndThenBusy) {
  std::string folder = "/tmp/theriac-engine-XXXXXX";
  ASSERT_NE(::mkdtemp(folder.data()), nullptr);
  const DatabaseOptions file{.path = folder + "/db", .busy_ms = 1};
  const std::array<std::string_view, 1> steps{kSchema};
  {
    auto one = open_sqlite_engine(file, {}, steps);
    auto two = open_sqlite_engine(file, {}, steps);
    ASSERT_TRUE(one && two);
    auto first = (*one)->connect(), second = (*two)->connect();
    EXPECT_TRUE((*first)->transact([&](Session& in) -> Status {
      THERIAC_TRY(set(in, 1, 1));
      EXPECT_EQ(code_of((*second)->transact([](Session& s) { return set(s, 1, 2); })), Code::kBusy);
      EXPECT_EQ(code_of(set(**second, 1, 2)), Code::kBusy);
      EXPECT_EQ(get(**second, 1), 0);
      auto third = (*one)->connect();
      EXPECT_EQ(code_of(set(**third, 1, 2)), Code::kBusy) << "in the same process too";
      return {};
    }));
    EXPECT_EQ(get(**second, 1), 1);
    EXPECT_TRUE(set(**second, 1, 2));
  }
  std::filesystem::remove_all(folder);
}

TEST(WriterQueueTest, IsGivenInTheOrderOfAsking) {
  using std::chrono::milliseconds;
  WriterQueue queue;
  ASSERT_TRUE(queue.enter(milliseconds(0)));
  EXPECT_FALSE(queue.enter(milliseconds(1))) << "who waited too long is out of the queue";
  std::vector<int> order;
  std::vector<std::thread> threads;
  std::atomic<int> asked = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      ++asked;
      ASSERT_TRUE(queue.enter(std::chrono::minutes(1)));
      order.push_back(i);
      queue.leave();
    });
    while (asked <= i || queue.waiting() <= static_cast<std::size_t>(i)) std::this_thread::yield();
  }
  queue.leave();
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
  EXPECT_TRUE(queue.enter(milliseconds(0)));
}

}  // namespace
}  // namespace theriac::store
