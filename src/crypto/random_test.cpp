#include "crypto/random.hpp"

#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "crypto/testing.hpp"

namespace theriac::crypto {
namespace {

Bytes draw(std::size_t size) {
  SystemRandom random;
  Bytes out(size);
  random.fill(out);
  return out;
}

TEST(SystemRandom, FillsEveryLengthCompletely) {
  // Around the pool's limits. A byte that is never written stays 0 in all 64 rounds; the chance
  // that a written one does is 2^-512.
  for (const std::size_t size : {0U, 1U, 12U, 255U, 256U, 257U, 4080U, 4096U, 10'000U}) {
    Bytes seen(size);
    for (int round = 0; round < 64; ++round) {
      const Bytes drawn = draw(size);
      for (std::size_t i = 0; i < size; ++i) seen[i] |= drawn[i];
    }
    EXPECT_EQ(std::ranges::count(seen, 0), 0) << size;
  }
}

TEST(SystemRandom, NeverRepeatsAcrossRefills) {
  std::set<Bytes> seen;
  for (int i = 0; i < 20'000; ++i) EXPECT_TRUE(seen.insert(draw(16)).second);
}

TEST(SystemRandom, ThreadsDoNotShareBytes) {
  constexpr int kThreads = 8;
  std::vector<std::vector<Bytes>> drawn(kThreads);
  std::vector<std::thread> threads;
  for (auto& mine : drawn) {
    threads.emplace_back([&mine] {
      for (int i = 0; i < 1000; ++i) mine.push_back(draw(16));
    });
  }
  for (auto& thread : threads) thread.join();
  std::set<Bytes> seen;
  for (const auto& mine : drawn) {
    for (const auto& bytes : mine) EXPECT_TRUE(seen.insert(bytes).second);
  }
}

/// Draws in a child made by `fork_now` and in its parent, both from a pool filled before.
template <typename Fork>
void expect_fork_shares_nothing(const Fork& fork_now) {
  constexpr std::size_t kSize = 64;
  draw(1);  // the pool is filled and mostly unused
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe(ends.data()), 0);
  const auto child = static_cast<pid_t>(fork_now());
  ASSERT_GE(child, 0);
  if (child == 0) {
    std::array<std::uint8_t, kSize> mine{};
    SystemRandom random;
    random.fill(mine);
    const bool written = ::write(ends[1], mine.data(), mine.size()) == ssize_t{kSize};
    ::_exit(written ? 0 : 1);
  }
  const Bytes ours = draw(kSize);
  Bytes theirs(kSize);
  ASSERT_EQ(::read(ends[0], theirs.data(), theirs.size()), ssize_t{kSize});
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(ends[0]);
  ::close(ends[1]);
  EXPECT_NE(ours, theirs);
  EXPECT_NE(theirs, Bytes(kSize)) << "the child used the wiped page";
}

TEST(SystemRandom, AForkedChildSharesNoBytes) {
  expect_fork_shares_nothing([] { return ::fork(); });
}

#ifdef SYS_fork
TEST(SystemRandom, NorDoesAChildMadeBehindTheLibrarysBack) {
  // No pthread_atfork handler runs here, so this is the kernel's wipe alone.
  expect_fork_shares_nothing([] { return ::syscall(SYS_fork); });
}
#endif

TEST(NewKey256, IsFreshAndWhole) {
  const Key256 first = new_key256();
  const Key256 second = new_key256();
  EXPECT_FALSE(first == second);
  EXPECT_FALSE(first == Key256());
}

}  // namespace
}  // namespace theriac::crypto
