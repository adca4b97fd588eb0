// The hot path of reading: no allocation once the buffer has room and the derived key is cached.
// Not with the thread sanitizer, which has an operator new of its own.
#if !__has_feature(thread_sanitizer)
#include <cstdlib>
#include <new>

#include "crypto/random.hpp"
#include "crypto/testing.hpp"
#include "seal/testing.hpp"

namespace {
thread_local std::size_t allocations = 0;
}

void* operator new(std::size_t size) {
  ++allocations;
  if (void* made = std::malloc(size)) return made;  // NOLINT
  std::abort();
}
void operator delete(void* memory) noexcept { std::free(memory); }               // NOLINT
void operator delete(void* memory, std::size_t) noexcept { std::free(memory); }  // NOLINT

namespace theriac::seal {
namespace {

using namespace testing_support;  // NOLINT: a test

TEST(Allocations, NoneToOpenIntoABufferWithRoom) {
  for (const Suite suite : kSuites) {
    crypto::SystemRandom random;
    const LeasedKey key = leased(suite, Purpose::kData, 1);
    auto sealer = Sealer::make(key, random);
    const Binding where = binding(true);
    const Bytes sealed = *sealer->seal(where, {64}, Bytes(32, 'v'));
    Opener opener;
    ASSERT_TRUE(opener.add(key));
    Bytes out;
    const std::size_t before_first = allocations;
    ASSERT_TRUE(opener.open_into(where, sealed, out));
    EXPECT_GT(allocations, before_first) << "the counter counts";
    const std::size_t before = allocations;
    const bool opened = opener.open_into(where, sealed, out).has_value();
    EXPECT_EQ(allocations, before);
    EXPECT_TRUE(opened);
  }
}

TEST(Allocations, OneToSealAndNoneToIndex) {
  for (const Suite suite : kSuites) {
    crypto::SystemRandom random;
    auto sealer = Sealer::make(leased(suite, Purpose::kData, 1), random);
    auto indexer =
        Indexer::make(leased(suite, Purpose::kIndex, 1), {}, domain_of("customer"), "identity");
    const Buckets buckets = {64};
    const Bytes value(32, 'v');
    const Binding where = binding(true);
    ASSERT_TRUE(sealer->seal(where, buckets, value));
    const std::size_t before = allocations;
    const auto sealed = sealer->seal(where, buckets, value);
    EXPECT_EQ(allocations, before + 1) << "the result itself";
    EXPECT_TRUE(sealed);
    const std::size_t before_index = allocations;
    const IndexToken token = indexer->index(value);
    EXPECT_EQ(allocations, before_index);
    EXPECT_NE(token, IndexToken{});
  }
}

}  // namespace
}  // namespace theriac::seal
#endif
