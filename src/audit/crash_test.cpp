// The log on disks that fail, fill up or lose power at every single step.
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <future>
#include <thread>

#include "audit/test_disk.hpp"
#include "audit/test_support.hpp"

namespace theriac::audit {
namespace {

constexpr const char* kLog = "/var/log";
constexpr std::uint64_t kBefore = 250;  // so that the work fills a tile

std::map<std::uint64_t, std::string> reasons_on(Disk& disk, const std::string& directory) {
  Bytes raw;
  EXPECT_TRUE(disk.read(checkpoint_file(directory), raw));
  const auto note = tlog::parse_note(text_of(raw));
  const std::uint64_t size = note ? tlog::parse_checkpoint(note->text).value().size : 0;
  std::map<std::uint64_t, std::string> out;
  for (std::uint64_t index = 0; index * tlog::kTileWidth < size; ++index) {
    Bytes bundle;
    const unsigned width = tlog::tile_width(0, index, size);
    EXPECT_TRUE(read_bundle(disk, directory, index, width, bundle));
    const auto entries = tlog::parse_bundle(bundle, width);
    EXPECT_TRUE(entries);
    if (!entries) return out;
    for (unsigned i = 0; i < width; ++i) {
      const auto json = codec::parse_json(text_of((*entries)[i])).value();
      out[index * tlog::kTileWidth + i] = json.value("reason", "");
    }
  }
  return out;
}

/// What was acknowledged, by index.
using Acknowledged = std::map<std::uint64_t, std::string>;

const TestDisk& log_of_250() {
  static const auto kDisk = [] {
    auto disk = std::make_unique<TestDisk>();
    World world;
    auto log = world.open_on(*disk, kLog).value();
    for (std::uint64_t i = 0; i < kBefore; ++i) EXPECT_TRUE(log->append(event_of(i)));
    log.reset();
    return disk;
  }();
  return *kDisk;
}

/// Opens, appends 14 entries with checkpoints in between, closes. `kept` gets each checkpoint that
/// an outsider could have seen on the way.
void work(World& world, Disk& disk, Acknowledged& acknowledged, std::vector<std::string>& kept) {
  const auto remember = [&] {
    Bytes raw;
    if (!disk.read(checkpoint_file(kLog), raw)) return;
    if (kept.empty() || kept.back() != text_of(raw)) kept.emplace_back(text_of(raw));
  };
  auto log = world.open_on(disk, kLog);
  if (!log) return;
  for (int i = 0; i < 14; ++i) {
    Event event = event_of(1000);
    event.reason = "work " + std::to_string(i);
    const auto index = (*log)->append_durable(event);
    if (index) {
      const bool fresh = acknowledged.emplace(*index, event.reason).second;
      EXPECT_TRUE(fresh) << "index " << *index << " was given twice";
    }
    if (i % 5 == 3) static_cast<void>((*log)->flush());
    remember();
  }
  log->reset();
  remember();
}

/// Everything that was promised is there, and the log goes on.
void expect_whole(World& world, Disk& disk, const Acknowledged& acknowledged,
                  const std::vector<std::string>& kept, const std::string& story) {
  SCOPED_TRACE(story);
  const auto before = verify_on(disk, kLog, test_vkey(), std::nullopt);
  ASSERT_TRUE(before) << before.error().message();
  EXPECT_TRUE(before->holds) << before->explanation;
  for (const auto& note : std::span(kept).last(std::min<std::size_t>(kept.size(), 2))) {
    const auto verdict = verify_on(disk, kLog, test_vkey(), Remembered{note});
    EXPECT_TRUE(verdict && verdict->holds) << (verdict ? verdict->explanation : "unreadable");
  }
  {
    auto log = world.open_on(disk, kLog);
    ASSERT_TRUE(log) << log.error().message();
    EXPECT_TRUE((*log)->append_durable(event_of(77)));
  }
  const auto reasons = reasons_on(disk, kLog);
  for (const auto& [index, reason] : acknowledged) {
    ASSERT_TRUE(reasons.contains(index)) << index << " was lost";
    EXPECT_EQ(reasons.at(index), reason) << index;
  }
  const auto after = verify_on(disk, kLog, test_vkey(), std::nullopt);
  EXPECT_TRUE(after && after->holds) << (after ? after->explanation : "unreadable");
}

TEST(Crash, PowerLossAtEveryStep) {
  std::uint64_t runs = 0;
  for (std::uint64_t nth = 1;; ++nth) {
    const auto disk = log_of_250().copy();
    World world;
    Acknowledged acknowledged;
    std::vector<std::string> kept;
    disk->lose_power_at(nth);
    work(world, *disk, acknowledged, kept);
    if (!disk->faulted()) break;
    for (std::uint32_t seed = 0; seed < 2; ++seed) {
      const auto found = disk->after_power_loss(seed * 7919 + static_cast<std::uint32_t>(nth));
      expect_whole(world, *found, acknowledged, kept,
                   fmt::format("power loss at step {}, seed {}", nth, seed));
      if (HasFailure()) return;
      ++runs;
    }
  }
  EXPECT_GT(runs, 200U);
}

TEST(Crash, PowerLossWhileTheLogIsMade) {
  for (std::uint64_t nth = 1;; ++nth) {
    TestDisk disk;
    World world;
    Acknowledged acknowledged;
    disk.lose_power_at(nth);
    {
      auto log = world.open_on(disk, kLog);
      if (log) {
        if (const auto index = (*log)->append_durable(event_of(1))) {
          acknowledged[*index] = event_of(1).reason;
        }
      }
    }
    if (!disk.faulted()) break;
    for (std::uint32_t seed = 0; seed < 6; ++seed) {
      const auto found = disk.after_power_loss(seed);
      {
        auto log = world.open_on(*found, kLog);
        ASSERT_TRUE(log) << log.error().message() << " after step " << nth;
      }
      expect_whole(world, *found, acknowledged, {}, fmt::format("made until step {}", nth));
    }
  }
}

TEST(Crash, PowerLossDuringRecovery) {
  // A log with unsigned entries and a torn batch, whose recovery is cut short at each step.
  TestDisk made;
  World world;
  Acknowledged acknowledged;
  {
    auto log = world.open_on(made, kLog).value();
    for (std::uint64_t i = 0; i < 5; ++i) {
      acknowledged[log->append_durable(event_of(i)).value()] = event_of(i).reason;
    }
    ASSERT_TRUE(log->flush());
    for (std::uint64_t i = 5; i < 9; ++i) {
      acknowledged[log->append_durable(event_of(i)).value()] = event_of(i).reason;
    }
    made.lose_power_at(made.steps() + 2);  // written, not synced
    EXPECT_FALSE(log->append_durable(event_of(9)));
  }
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    for (std::uint64_t nth = 1;; ++nth) {
      const auto crashed = made.after_power_loss(seed);
      crashed->lose_power_at(nth);
      {
        const auto log = world.open_on(*crashed, kLog);
      }
      if (!crashed->faulted()) break;
      const auto found = crashed->after_power_loss(seed + static_cast<std::uint32_t>(nth));
      expect_whole(world, *found, acknowledged, {},
                   fmt::format("recovery cut at step {}, seed {}", nth, seed));
      if (HasFailure()) return;
    }
  }
}

TEST(Crash, EveryStepFailsOnce) {
  std::uint64_t runs = 0;
  for (const Code code : {Code::kDiskFull, Code::kIo}) {
    for (std::uint64_t nth = 1;; ++nth, ++runs) {
      const auto disk = log_of_250().copy();
      World world;
      Acknowledged acknowledged;
      std::vector<std::string> kept;
      disk->fail_at(nth, code);
      work(world, *disk, acknowledged, kept);
      if (!disk->faulted()) break;
      // One failed step costs one entry at most (the one that is told so).
      if (!acknowledged.empty()) EXPECT_GE(acknowledged.size(), 13U) << nth;
      expect_whole(world, *disk, acknowledged, kept, fmt::format("step {} failed", nth));
      if (HasFailure()) return;
    }
  }
  EXPECT_GT(runs, 200U);
}

TEST(Crash, StepsFailForAWhileThenPowerIsLost) {
  for (std::uint32_t seed = 0; seed < 120; ++seed) {
    std::mt19937 dice(seed);
    const auto disk = log_of_250().copy();
    World world;
    Acknowledged acknowledged;
    std::vector<std::string> kept;
    disk->fail_at(1 + dice() % 150, dice() % 2 == 0 ? Code::kDiskFull : Code::kIo, 1 + dice() % 30);
    work(world, *disk, acknowledged, kept);
    disk->lose_power_at(disk->steps() + 1 + dice() % 60);
    work(world, *disk, acknowledged, kept);
    const auto found = disk->after_power_loss(seed);
    expect_whole(world, *found, acknowledged, kept, fmt::format("seed {}", seed));
    if (HasFailure()) return;
  }
}

TEST(DiskFull, AppendSaysSoAndTheLogGoesOn) {
  TestDisk disk;
  World world;
  Acknowledged acknowledged;
  {
    auto log = world.open_on(disk, kLog).value();
    for (int round = 0; round < 3; ++round) {
      acknowledged[log->append_durable(event_of(1)).value()] = event_of(1).reason;
      disk.fail_at(1, Code::kDiskFull, ~std::uint64_t{0} - 1);
      for (int i = 0; i < 5; ++i) {
        EXPECT_EQ(log->append_durable(event_of(2)).error().code, Code::kDiskFull);
      }
      EXPECT_EQ(log->flush().error().code, Code::kDiskFull);
      const std::uint64_t size = log->size();
      std::promise<Code> seen;  // told by the log's thread, in its own time
      ASSERT_TRUE(log->append(
          event_of(3), [&](Result<std::uint64_t> index) { seen.set_value(index.error().code); }));
      static_cast<void>(log->flush());
      EXPECT_EQ(seen.get_future().get(), Code::kDiskFull);
      EXPECT_EQ(log->size(), size);
      disk.works_again();
    }
    acknowledged[log->append_durable(event_of(4)).value()] = event_of(4).reason;
    EXPECT_TRUE(log->flush());
    EXPECT_EQ(log->size(), 4U);
  }
  expect_whole(world, disk, acknowledged, {}, "disk full");
}

TEST(DiskFull, OnARealSmallDisk) {
  if (::geteuid() != 0) GTEST_SKIP() << "skipped: only root can mount a small tmpfs";
  const ScratchDir dir;
  if (::mount("tmpfs", dir.path().c_str(), "tmpfs", 0, "size=512k") != 0) {
    GTEST_SKIP() << "skipped: no right to mount";
  }
  World world;
  Acknowledged acknowledged;
  {
    auto log = world.open(dir / "log").value();
    std::uint64_t failed = 0;
    for (std::uint64_t i = 0; failed < 20; ++i) {
      ASSERT_LT(i, 5000U);
      Event event = event_of(i);
      event.details["padding"] = std::string(200, 'x');
      const auto index = log->append_durable(event);
      if (index) {
        acknowledged[*index] = event.reason;
      } else {
        EXPECT_EQ(index.error().code, Code::kDiskFull);
        ++failed;
      }
    }
    EXPECT_EQ(log->flush().error().code, Code::kDiskFull);
    EXPECT_GT(acknowledged.size(), 100U);
    ASSERT_EQ(::mount("tmpfs", dir.path().c_str(), "tmpfs", MS_REMOUNT, "size=8m"), 0);
    acknowledged[log->append_durable(event_of(1)).value()] = event_of(1).reason;
    EXPECT_TRUE(log->flush());
  }
  const auto verdict = verdict_of(dir / "log");
  EXPECT_TRUE(verdict.holds) << verdict.explanation;
  EXPECT_EQ(reasons_on(posix_disk(), dir / "log"), acknowledged);
  EXPECT_EQ(::umount(dir.path().c_str()), 0);
}

/// Appends from several threads, as fast as it can, and tells each acknowledgement on the pipe.
[[noreturn]] void child_work(const std::string& directory, int pipe, unsigned round) {
  World world;
  world.clock.wall_ += round * 1000;
  Options options = World::options(directory);
  options.checkpoint_ms = 3;
  auto log = open_log(options, test_key(), world.clock, world.random, world.log);
  if (!log) ::_exit(1);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (unsigned i = 0;; ++i) {
        Event event = event_of(i);
        event.reason = fmt::format("{}/{}/{}", round, t, i);
        const auto index = (*log)->append_durable(event);
        if (!index) ::_exit(1);
        const std::string line = fmt::format("{} {}\n", *index, event.reason);
        if (::write(pipe, line.data(), line.size()) < 0) ::_exit(1);
      }
    });
  }
  for (auto& thread : threads) thread.join();
  ::_exit(1);
}

TEST(Crash, KilledInTheMiddleAgainAndAgain) {
  const ScratchDir dir;
  const std::string path = dir / "log";
  World world;
  {
    ASSERT_TRUE(world.open(path));
  }
  Acknowledged acknowledged;
  for (unsigned round = 0; round < 25; ++round) {
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      ::close(ends[0]);
      child_work(path, ends[1], round);
    }
    ::close(ends[1]);
    // Killed after a number of acknowledgements that differs from round to round.
    const std::size_t wanted = 1 + round * round * 3 % 400;
    std::string told;
    std::array<char, 4096> buffer;
    ssize_t got = 0;
    const auto lines = [&] { return static_cast<std::size_t>(std::ranges::count(told, '\n')); };
    while (lines() < wanted && (got = ::read(ends[0], buffer.data(), buffer.size())) > 0) {
      told.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ASSERT_EQ(::kill(child, SIGKILL), 0);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the child failed by itself";
    while ((got = ::read(ends[0], buffer.data(), buffer.size())) > 0) {
      told.append(buffer.data(), static_cast<std::size_t>(got));
    }
    ::close(ends[0]);
    std::istringstream stream(told);
    std::uint64_t index = 0;
    std::string reason;
    while (stream >> index >> reason && !stream.eof()) {
      ASSERT_TRUE(acknowledged.emplace(index, reason).second) << index << " was given twice";
    }
    const auto verdict = verdict_of(path);
    ASSERT_TRUE(verdict.holds) << verdict.explanation;
  }
  {
    ASSERT_TRUE(world.open(path));
  }
  const auto reasons = reasons_on(posix_disk(), path);
  for (const auto& [at, reason] : acknowledged) {
    ASSERT_TRUE(reasons.contains(at)) << at << " was lost";
    EXPECT_EQ(reasons.at(at), reason);
  }
  EXPECT_GT(acknowledged.size(), 1000U);
}

}  // namespace
}  // namespace theriac::audit
