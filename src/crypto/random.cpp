#include "crypto/random.hpp"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>

#include <atomic>

#include "crypto/secret_access.hpp"

namespace theriac::crypto {

namespace {

/// getrandom(2) blocks until the kernel's generator is seeded, then cannot fail but by a signal.
void from_kernel(MutableBytes out) {
  std::size_t done = 0;
  while (done < out.size()) {
    const ssize_t got = ::getrandom(out.data() + done, out.size() - done, 0);
    if (got < 0 && errno == EINTR) continue;
    THERIAC_ASSERT(got > 0);
    done += static_cast<std::size_t>(got);
  }
}

/// Counts the forks between the first process and this one.
std::atomic<std::uint64_t>& fork_count() {
  static std::atomic<std::uint64_t> count = 1;
  return count;
}

void watch_forks() {
  static const int watched = ::pthread_atfork(nullptr, nullptr, [] { fork_count().fetch_add(1); });
  THERIAC_ASSERT(watched == 0);
}

constexpr std::size_t kPoolBytes = 4096;
/// Longer requests go to the kernel: they would only empty the pool.
constexpr std::size_t kPooledRequestBytesMax = 256;

/// One page of random bytes. The number of unused bytes lives in the page itself: the kernel zeroes
/// the page in a child (MADV_WIPEONFORK), which reads as "none left". The fork count is a second,
/// independent check.
class Pool {
 public:
  Pool() {
    watch_forks();
    void* at =
        ::mmap(nullptr, sizeof(Page), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    THERIAC_ASSERT(at != MAP_FAILED);
    // A kernel without it gives no pool: slower, never shared.
    if (::madvise(at, sizeof(Page), MADV_WIPEONFORK) != 0) {
      ::munmap(at, sizeof(Page));
      return;
    }
    ::madvise(at, sizeof(Page), MADV_DONTDUMP);  // NOLINT: best effort
    page_ = static_cast<Page*>(at);
  }
  ~Pool() {
    if (page_ == nullptr) return;
    wipe(page_->bytes);
    ::munmap(page_, sizeof(Page));
  }
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  void fill(MutableBytes out) {
    if (page_ == nullptr || out.size() > kPooledRequestBytesMax) return from_kernel(out);
    const std::uint64_t forks = fork_count().load(std::memory_order_relaxed);
    if (page_->unused < out.size() || page_->forks != forks) {
      from_kernel(page_->bytes);
      page_->unused = page_->bytes.size();
      page_->forks = forks;
    }
    const MutableBytes taken =
        MutableBytes(page_->bytes).subspan(page_->bytes.size() - page_->unused, out.size());
    std::memcpy(out.data(), taken.data(), out.size());
    wipe(taken);
    page_->unused -= out.size();
  }

 private:
  struct Page {
    std::uint64_t unused;
    std::uint64_t forks;
    std::array<std::uint8_t, kPoolBytes - 2 * sizeof(std::uint64_t)> bytes;
  };
  static_assert(sizeof(Page) == kPoolBytes);
  Page* page_ = nullptr;
};

}  // namespace

void SystemRandom::fill(MutableBytes out) {
  if (out.empty()) return;
  thread_local Pool pool;
  pool.fill(out);
}

Key256 new_key256() {
  Key256 made;
  from_kernel(CryptoSecretAccess::mutable_bytes(made));
  return made;
}

}  // namespace theriac::crypto
