#include "base/secret.hpp"

#include <gtest/gtest.h>

#include <new>
#include <ostream>
#include <string>
#include <type_traits>

namespace theriac {

class TestSecretAccess {
 public:
  static SecretAccess get() { return {}; }
};

namespace {

// What must not compile, said so that the compiler checks it each time.
static_assert(!std::is_copy_constructible_v<Key256> && !std::is_copy_assignable_v<Key256>);
static_assert(!std::is_copy_constructible_v<SecretBytes> &&
              !std::is_copy_assignable_v<SecretBytes>);
static_assert(std::is_nothrow_move_constructible_v<Key256>);
static_assert(std::is_nothrow_move_assignable_v<SecretBytes>);
static_assert(!fmt::is_formattable<Key256>::value && !fmt::is_formattable<SecretBytes>::value);
static_assert(!std::is_default_constructible_v<SecretAccess>);
template <typename T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };
template <typename T>
concept HasData = requires(const T& value) { value.data(); };
template <typename T>
concept RevealsFreely = requires(const T& value) { value.reveal(); };
template <typename T>
concept Ordered = requires(const T& a, const T& b) { a < b; };
static_assert(!Printable<Key256> && !Printable<SecretBytes>);
static_assert(!HasData<Key256> && !HasData<SecretBytes>);
static_assert(!RevealsFreely<Key256> && !RevealsFreely<SecretBytes>);
static_assert(!Ordered<Key256> && !Ordered<SecretBytes>);
static_assert(!std::is_convertible_v<Key256, ByteView>);
static_assert(!std::is_convertible_v<SecretBytes, ByteView>);
static_assert(!std::is_convertible_v<Bytes, SecretBytes>);  // making one is said aloud

std::array<std::uint8_t, 32> pattern() {
  std::array<std::uint8_t, 32> bytes{};
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i + 1);
  return bytes;
}
Bytes clear() {
  const auto bytes = pattern();
  return {bytes.begin(), bytes.end()};
}
Key256 key() { return Key256(pattern()); }
Bytes revealed(const Key256& k) {
  const auto view = k.reveal(TestSecretAccess::get());
  return {view.begin(), view.end()};
}

TEST(Secret, MovedFromIsWiped) {
  auto first = key();
  const auto second = std::move(first);
  EXPECT_EQ(revealed(second), clear());
  EXPECT_EQ(revealed(first), Bytes(32, 0));  // NOLINT(bugprone-use-after-move): that is the test
  auto third = key();
  first = std::move(third);
  EXPECT_EQ(revealed(third), Bytes(32, 0));  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(revealed(first), revealed(second));
}

TEST(Secret, MoveToItselfKeepsIt) {
  auto one = key();
  auto& alias = one;
  one = std::move(alias);
  EXPECT_EQ(revealed(one), clear());
  SecretBytes bytes(view_of("passphrase"));
  auto& other = bytes;
  bytes = std::move(other);
  EXPECT_EQ(text_of(bytes.reveal(TestSecretAccess::get())), "passphrase");
}

TEST(Secret, DestroyedIsWiped) {
  // The storage outlives the secret, so that it may be looked at afterwards.
  alignas(Key256) std::array<std::uint8_t, sizeof(Key256)> storage{};
  auto* secret = new (storage.data()) Key256(pattern());
  EXPECT_NE(storage, decltype(storage){});
  secret->~Secret();
  EXPECT_EQ(storage, decltype(storage){});
}

TEST(Secret, Comparison) {
  EXPECT_TRUE(key() == key());
  EXPECT_TRUE(key() == key().clone());
  for (std::size_t at = 0; at < 32; ++at) {
    auto changed = pattern();
    changed[at] ^= 0x80U;
    EXPECT_FALSE(key() == Key256(changed)) << at;
  }
  EXPECT_FALSE(SecretBytes(view_of("abc")) == SecretBytes(view_of("abcd")));
  EXPECT_TRUE(SecretBytes(view_of("abc")) == SecretBytes(view_of("abc")));
  EXPECT_TRUE(SecretBytes() == SecretBytes(Bytes{}));
}

TEST(Secret, BytesMoved) {
  SecretBytes first(view_of("passphrase"));
  SecretBytes second(std::move(first));
  EXPECT_TRUE(first.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(second.size(), 10U);
  SecretBytes sized(std::size_t{4});
  sized.reveal_mutable(TestSecretAccess::get())[0] = 7;
  EXPECT_EQ(sized.reveal(TestSecretAccess::get())[0], 7);
}

TEST(Secret, WipeOfNothingIsFine) {
  wipe({});
  Bytes bytes(3, 9);
  wipe(bytes);
  EXPECT_EQ(bytes, Bytes(3, 0));
}

}  // namespace
}  // namespace theriac
