#include "audit/log.hpp"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <latch>
#include <set>
#include <thread>

#include "audit/limits.hpp"
#include "audit/test_support.hpp"

namespace theriac::audit {
namespace {

Code code_of(const auto& result) { return result ? Code::kInternal : result.error().code; }

TEST(AuditLog, NewLogIsEmptyAndVerifies) {
  const ScratchDir dir;
  World world;
  const std::string path = dir / "deep/er/log";
  {
    ASSERT_TRUE(world.open(path));
  }
  const auto verdict = verdict_of(path);
  EXPECT_TRUE(verdict.holds) << verdict.explanation;
  EXPECT_EQ(verdict.entries, 0U);
  EXPECT_EQ(verdict.origin, kOrigin);
  EXPECT_EQ(read_text(path + "/log.vkey"), test_vkey() + "\n");
}

TEST(AuditLog, EntriesAreChainedAndComeBackInOrder) {
  const ScratchDir dir;
  World world;
  {
    auto log = world.open(dir.path()).value();
    for (std::uint64_t i = 0; i < 600; ++i) {
      const auto index = log->append_durable(event_of(i));
      ASSERT_TRUE(index);
      EXPECT_EQ(*index, i);
      if (i == 255 || i == 256 || i == 400) EXPECT_TRUE(log->flush());
    }
    EXPECT_EQ(log->size(), 600U);
  }
  const auto entries = entries_of(dir.path(), 600);
  ASSERT_EQ(entries.size(), 600U);
  std::string boot;
  tlog::Digest previous{};
  for (std::uint64_t i = 0; i < entries.size(); ++i) {
    const auto json = codec::parse_json(entries[i]);
    ASSERT_TRUE(json);
    EXPECT_EQ(json->at("producer"), "gateway-1");
    EXPECT_EQ(json->at("producer_seq"), i);
    EXPECT_EQ(json->at("reason"), "order " + std::to_string(i));
    EXPECT_EQ(json->at("prev"), to_hex(previous));
    if (i == 0) boot = json->at("boot_id");
    EXPECT_EQ(json->at("boot_id"), boot);
    EXPECT_EQ(codec::canonical_json(*json), entries[i]);
    previous = tlog::leaf_hash(view_of(entries[i]));
  }
  const auto verdict = verdict_of(dir.path());
  EXPECT_TRUE(verdict.holds) << verdict.explanation;
  EXPECT_EQ(verdict.entries, 600U);
  EXPECT_EQ(verdict.entries_unsigned, 0U);
  // Partial tiles that have been outgrown are gone, and so is the write-ahead log.
  EXPECT_FALSE(std::filesystem::exists(dir / "tile/0/000.p"));
  EXPECT_TRUE(std::filesystem::exists(dir / "tile/0/002.p/88"));
  EXPECT_TRUE(std::filesystem::is_empty(dir / "wal"));
}

TEST(AuditLog, GoesOnWhereItStopped) {
  const ScratchDir dir;
  World world;
  std::uint64_t total = 0;
  for (const std::uint64_t more : {0U, 1U, 254U, 1U, 1U, 300U, 0U, 211U}) {
    auto log = world.open(dir.path());
    ASSERT_TRUE(log) << log.error().message();
    EXPECT_EQ((*log)->size(), total);
    for (std::uint64_t i = 0; i < more; ++i) {
      ASSERT_EQ((*log)->append_durable(event_of(i)).value(), total++);
    }
    log->reset();
    const auto verdict = verdict_of(dir.path());
    ASSERT_TRUE(verdict.holds) << verdict.explanation;
    EXPECT_EQ(verdict.entries, total);
  }
}

TEST(AuditLog, UnsignedEntriesAreCountedAndSignedOnTheNextStart) {
  const ScratchDir dir;
  World world;
  const std::string copy = dir / "copy", path = dir / "log";
  {
    auto log = world.open(path).value();
    for (std::uint64_t i = 0; i < 10; ++i) ASSERT_TRUE(log->append_durable(event_of(i)));
    ASSERT_TRUE(log->flush());
    for (std::uint64_t i = 10; i < 15; ++i) ASSERT_TRUE(log->append_durable(event_of(i)));
    std::filesystem::copy(path, copy, std::filesystem::copy_options::recursive);
  }
  auto verdict = verdict_of(copy);
  EXPECT_TRUE(verdict.holds) << verdict.explanation;
  EXPECT_EQ(verdict.entries, 10U);
  EXPECT_EQ(verdict.entries_unsigned, 5U);
  {
    EXPECT_EQ(world.open(copy).value()->size(), 15U);
  }
  verdict = verdict_of(copy);
  EXPECT_EQ(verdict.entries, 15U);
  EXPECT_TRUE(verdict.holds);
  EXPECT_EQ(entries_of(copy, 15), entries_of(path, 15));
}

TEST(AuditLog, AsynchronousEntriesReportTheirIndex) {
  const ScratchDir dir;
  World world;
  auto log = world.open(dir.path()).value();
  constexpr std::uint64_t kCount = 5000;
  std::vector<std::uint64_t> indexes(kCount, ~std::uint64_t{0});
  for (std::uint64_t i = 0; i < kCount; ++i) {
    ASSERT_TRUE(log->append(
        event_of(i), [&indexes, i](Result<std::uint64_t> index) { indexes[i] = index.value(); }));
  }
  ASSERT_TRUE(log->flush());
  for (std::uint64_t i = 0; i < kCount; ++i) EXPECT_EQ(indexes[i], i);
  EXPECT_EQ(verdict_of(dir.path()).entries, kCount);
}

TEST(AuditLog, ManyThreads) {
  const ScratchDir dir;
  World world;
  constexpr std::size_t kThreads = 16, kEach = 60;
  std::mutex mutex;
  std::map<std::uint64_t, std::string> seen;
  {
    auto log = world.open(dir.path()).value();
    std::vector<std::thread> threads;
    for (std::size_t t = 0; t < kThreads; ++t) {
      threads.emplace_back([&, t] {
        for (std::size_t i = 0; i < kEach; ++i) {
          Event event = event_of(i);
          event.reason = std::to_string(t) + "/" + std::to_string(i);
          const std::string reason = event.reason;
          if (i % 3 == 0) {
            EXPECT_TRUE(log->append(event, [&, reason](Result<std::uint64_t> index) {
              const std::scoped_lock lock(mutex);
              seen[index.value()] = reason;
            }));
          } else {
            const auto index = log->append_durable(event);
            const std::scoped_lock lock(mutex);
            seen[index.value()] = reason;
          }
          if (i % 20 == 7) EXPECT_TRUE(log->flush());
        }
      });
    }
    for (auto& thread : threads) thread.join();
  }
  ASSERT_EQ(seen.size(), kThreads * kEach);
  const auto entries = entries_of(dir.path(), kThreads * kEach);
  for (const auto& [index, reason] : seen) {
    EXPECT_EQ(codec::parse_json(entries.at(index))->at("reason"), reason);
  }
  EXPECT_TRUE(verdict_of(dir.path()).holds);
}

TEST(AuditLog, ClosingPutsEverythingIntoTiles) {
  const ScratchDir dir;
  World world;
  Options options = World::options(dir.path());
  options.checkpoint_ms = 0;  // a round is always at work while more entries come
  std::uint64_t total = 0;
  for (int round = 0; round < 8; ++round) {
    auto log = open_log(options, test_key(), world.clock, world.random, world.log).value();
    for (std::uint64_t i = 0; i < 700; ++i, ++total) ASSERT_TRUE(log->append(event_of(i)));
    log.reset();
    const auto verdict = verdict_of(dir.path());
    EXPECT_TRUE(verdict.holds);
    EXPECT_EQ(verdict.entries, total);
    EXPECT_TRUE(std::filesystem::is_empty(dir / "wal"));
  }
}

TEST(AuditLog, CheckpointFollowsByItself) {
  const ScratchDir dir;
  World world;
  Options options = World::options(dir.path());
  options.checkpoint_ms = 1;
  auto log = open_log(options, test_key(), world.clock, world.random, world.log).value();
  ASSERT_TRUE(log->append_durable(event_of(0)));
  // No flush: the checkpoint comes on its own. Waiting is bounded by the test runner only.
  while (verdict_of(dir.path()).entries != 1) std::this_thread::yield();
  EXPECT_TRUE(verdict_of(dir.path()).holds);
}

TEST(AuditLog, VerifiesWhileBeingWritten) {
  const ScratchDir dir;
  World world;
  Options options = World::options(dir.path());
  options.checkpoint_ms = 1;
  auto log = open_log(options, test_key(), world.clock, world.random, world.log).value();
  std::atomic<bool> stop = false;
  std::thread writer([&] {
    for (std::uint64_t i = 0; !stop; ++i) EXPECT_TRUE(log->append_durable(event_of(i)));
  });
  for (int i = 0; i < 40; ++i) {
    const auto verdict = verdict_of(dir.path());
    EXPECT_TRUE(verdict.holds) << verdict.explanation;
  }
  stop = true;
  writer.join();
}

TEST(AuditLog, ClockSetBackLeavesAnEntry) {
  const ScratchDir dir;
  World world;
  {
    auto log = world.open(dir.path()).value();
    EXPECT_EQ(log->append_durable(event_of(0)).value(), 0U);
    world.clock.wall_ -= 90'000;
    EXPECT_EQ(log->append_durable(event_of(1)).value(), 2U);
    EXPECT_EQ(log->append_durable(event_of(2)).value(), 3U);
  }
  world.clock.wall_ -= 1000;  // while the program is down
  {
    EXPECT_EQ(world.open(dir.path()).value()->append_durable(event_of(3)).value(), 5U);
  }
  const auto entries = entries_of(dir.path(), 6);
  for (const auto& [index, by_ms] : {std::pair{1U, 90'000}, std::pair{4U, 1000}}) {
    const auto json = codec::parse_json(entries.at(index)).value();
    EXPECT_EQ(json.at("action"), "time.moved_back");
    EXPECT_EQ(json.at("actor"), "system");
    EXPECT_EQ(json.at("details").at("by_ms"), by_ms);
  }
  EXPECT_TRUE(verdict_of(dir.path()).holds);
}

TEST(AuditLog, LargestEntryAndOnePast) {
  const ScratchDir dir;
  World world;
  auto log = world.open(dir.path()).value();
  Event event;
  event.action = "x";
  const std::size_t rest =
      entry_bytes_max(draft_entry(event, std::string(36, '0')), json_text("gateway-1"));
  constexpr std::size_t kReasonMember = 12;  // ,"reason":""
  event.reason = std::string(kEntryBytesMax - rest - kReasonMember, 'r');
  EXPECT_TRUE(log->append_durable(event));
  event.reason += 'r';
  EXPECT_EQ(code_of(log->append_durable(event)), Code::kTooLarge);
  EXPECT_EQ(code_of(log->append(event)), Code::kTooLarge);
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(verdict_of(dir.path()).entries, 1U);
}

TEST(AuditLog, CountsGrowUntilTheEntryIsWritten) {
  const ScratchDir dir;
  World world;
  std::uint64_t counted = 0;
  std::uint64_t entries = 0;
  {
    auto log = world.open(dir.path()).value();
    std::shared_ptr<Tally> tally;
    for (; entries < 3; ++counted) {
      if (tally && tally->add({1, 10})) continue;
      tally = std::make_shared<Tally>(std::vector<Tally::Count>{{"acts", 1}, {"rows", 10}});
      Event event = event_of(counted);
      event.tally = tally;
      ASSERT_TRUE(log->append(std::move(event)));
      ++entries;
    }
    ASSERT_TRUE(log->flush());
    EXPECT_FALSE(tally->add({1, 10}));
  }
  std::uint64_t acts = 0;
  for (const auto& entry : entries_of(dir.path(), entries)) {
    const auto details = codec::parse_json(entry)->at("details");
    acts += details.at("acts").get<std::uint64_t>();
    EXPECT_EQ(details.at("rows"), 10 * details.at("acts").get<std::uint64_t>());
  }
  EXPECT_EQ(acts, counted);
}

TEST(AuditLog, SecondOpenerIsRefused) {
  const ScratchDir dir;
  World world;
  auto log = world.open(dir.path()).value();
  EXPECT_EQ(code_of(world.open(dir.path())), Code::kBusy);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) ::_exit(code_of(world.open(dir.path())) == Code::kBusy ? 42 : 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 42);
  log.reset();
  EXPECT_TRUE(world.open(dir.path()));
}

TEST(AuditLog, FullQueueIsBusyAndNothingWasQueued) {
  const ScratchDir dir;
  World world;
  Options options = World::options(dir.path());
  options.queue_entries_max = 4;
  auto log = open_log(options, test_key(), world.clock, world.random, world.log).value();
  // The writer thread stands in the first entry's callback, so the queue behind it fills up.
  std::latch entered(1), go(1);
  ASSERT_TRUE(log->append(event_of(0), [&](Result<std::uint64_t>) {
    entered.count_down();
    go.wait();
  }));
  entered.wait();
  for (std::uint64_t i = 1; i <= 4; ++i) ASSERT_TRUE(log->append(event_of(i)));
  EXPECT_EQ(code_of(log->append(event_of(5))), Code::kBusy);
  EXPECT_EQ(code_of(log->append_durable(event_of(6))), Code::kBusy);
  go.count_down();
  ASSERT_TRUE(log->flush());
  EXPECT_EQ(log->size(), 5U);
  EXPECT_EQ(log->append_durable(event_of(7)).value(), 5U);
}

TEST(AuditLog, OptionsAreChecked) {
  const ScratchDir dir;
  World world;
  const auto opens = [&](const std::function<void(Options&)>& change) {
    Options options = World::options(dir.path());
    change(options);
    return code_of(open_log(options, test_key(), world.clock, world.random, world.log));
  };
  EXPECT_EQ(opens([](Options& o) { o.origin = "two words"; }), Code::kUsage);
  EXPECT_EQ(opens([](Options& o) { o.origin = ""; }), Code::kUsage);
  EXPECT_EQ(opens([](Options& o) { o.producer = ""; }), Code::kUsage);
  EXPECT_EQ(opens([](Options& o) { o.producer = std::string(kProducerBytesMax + 1, 'p'); }),
            Code::kUsage);
  EXPECT_EQ(opens([](Options& o) { o.directory = ""; }), Code::kUsage);
  EXPECT_EQ(opens([](Options& o) { o.directory = "/proc/no/such"; }), Code::kNotFound);
}

TEST(AuditLog, AnotherProducerContinuesTheLogUnderItsOwnChain) {
  const ScratchDir dir;
  World world;
  Options second = World::options(dir.path());
  second.producer = "gateway-\"2\"";
  {
    ASSERT_TRUE(world.open(dir.path()).value()->append_durable(event_of(0)));
  }
  for (int i = 0; i < 2; ++i) {
    auto log = open_log(second, test_key(), world.clock, world.random, world.log);
    ASSERT_TRUE(log);
    ASSERT_TRUE((*log)->append_durable(event_of(1)));
  }
  {
    ASSERT_TRUE(world.open(dir.path()).value()->append_durable(event_of(2)));
  }
  const auto verdict = verdict_of(dir.path());
  EXPECT_TRUE(verdict.holds) << verdict.explanation;
  EXPECT_EQ(codec::parse_json(entries_of(dir.path(), 4).at(3))->at("producer_seq"), 1);
}

TEST(AuditLog, LongLogsAreOpenedByTheirEdge) {
  const ScratchDir dir;
  World world;
  Options options = World::options(dir.path());
  options.verify_whole_max = 0;
  std::uint64_t total = 0;
  for (const std::uint64_t more : {256U, 1U, 255U, 100U, 300U}) {
    auto log = open_log(options, test_key(), world.clock, world.random, world.log);
    ASSERT_TRUE(log) << log.error().message();
    for (std::uint64_t i = 0; i < more; ++i) {
      ASSERT_EQ((*log)->append_durable(event_of(i)).value(), total++);
    }
  }
  // A producer whose last entry lies far back is found too.
  options.producer = "other";
  {
    auto log = open_log(options, test_key(), world.clock, world.random, world.log).value();
    for (int i = 0; i < 600; ++i) ASSERT_TRUE(log->append_durable(event_of(1)));
  }
  options.producer = "gateway-1";
  {
    auto log = open_log(options, test_key(), world.clock, world.random, world.log).value();
    ASSERT_TRUE(log->append_durable(event_of(2)));
  }
  const auto verdict = verdict_of(dir.path());
  EXPECT_TRUE(verdict.holds) << verdict.explanation;
  EXPECT_EQ(verdict.entries, total + 601);
  // What the edge does not cover is not looked at, what it covers is.
  const std::string path = dir / "tile/entries/000";
  std::string text = read_text(path);
  text[40] ^= 1;
  write_text(path, text);
  EXPECT_TRUE(open_log(options, test_key(), world.clock, world.random, world.log));
  options.verify_whole_max = 1'000'000;
  EXPECT_EQ(code_of(open_log(options, test_key(), world.clock, world.random, world.log)),
            Code::kLogTampered);
}

TEST(AuditLog, WrongKeyIsRefused) {
  const ScratchDir dir;
  World world;
  {
    ASSERT_TRUE(world.open(dir.path()).value()->append_durable(event_of(0)));
  }
  EXPECT_EQ(code_of(open_log(World::options(dir.path()), test_key(8), world.clock, world.random,
                             world.log)),
            Code::kLogTampered);
  EXPECT_TRUE(verdict_of(dir.path()).holds);
}

}  // namespace
}  // namespace theriac::audit
