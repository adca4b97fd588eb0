#include "crypto/password.hpp"

#include <argon2.h>

#include "crypto/testing.hpp"

namespace theriac::crypto {
namespace {

/// libargon2's whole interface, of which ours uses a part.
Bytes argon2id(Bytes password, Bytes salt, Bytes secret, Bytes associated, const Argon2Cost& cost) {
  Bytes out(32);
  argon2_context context{};
  context.out = out.data();
  context.outlen = static_cast<std::uint32_t>(out.size());
  context.pwd = password.data();
  context.pwdlen = static_cast<std::uint32_t>(password.size());
  context.salt = salt.data();
  context.saltlen = static_cast<std::uint32_t>(salt.size());
  context.secret = secret.data();
  context.secretlen = static_cast<std::uint32_t>(secret.size());
  context.ad = associated.data();
  context.adlen = static_cast<std::uint32_t>(associated.size());
  context.t_cost = cost.passes;
  context.m_cost = cost.memory_kib;
  context.lanes = cost.lanes;
  context.threads = cost.lanes;
  context.version = ARGON2_VERSION_13;
  context.flags = ARGON2_DEFAULT_FLAGS;
  EXPECT_EQ(argon2_ctx(&context, Argon2_id), ARGON2_OK);
  return out;
}

constexpr Argon2Cost kSmall{.memory_kib = 32, .passes = 3, .lanes = 4};

TEST(Argon2id, TheLibraryGivesTheRfc9106Vector) {
  // RFC 9106 section 5.3. It has a secret and associated data, which our function does not take, so
  // the vector vouches for the library and the next test for our use of it.
  EXPECT_EQ(to_hex(argon2id(Bytes(32, 1), Bytes(16, 2), Bytes(8, 3), Bytes(12, 4), kSmall)),
            "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659");
}

TEST(Argon2id, OursIsTheLibrarysWithoutSecretAndAssociatedData) {
  const auto key = derive_argon2id(SecretBytes(view_of("correct horse")), Bytes(16, 2), kSmall);
  ASSERT_TRUE(key);
  EXPECT_EQ(TestSecretAccess::bytes(*key),
            argon2id(bytes_of("correct horse"), Bytes(16, 2), {}, {}, kSmall));
}

TEST(Argon2id, EachInputMatters) {
  const auto derive = [](std::string_view words, std::uint8_t salt, Argon2Cost cost) {
    return TestSecretAccess::bytes(
        *derive_argon2id(SecretBytes(view_of(words)), Bytes(16, salt), cost));
  };
  const Bytes base = derive("words", 1, kSmall);
  EXPECT_EQ(derive("words", 1, kSmall), base);
  EXPECT_NE(derive("Words", 1, kSmall), base);
  EXPECT_NE(derive("", 1, kSmall), base);
  EXPECT_NE(derive("words", 2, kSmall), base);
  EXPECT_NE(derive("words", 1, {.memory_kib = 64, .passes = 3, .lanes = 4}), base);
  EXPECT_NE(derive("words", 1, {.memory_kib = 32, .passes = 4, .lanes = 4}), base);
  EXPECT_NE(derive("words", 1, {.memory_kib = 32, .passes = 3, .lanes = 2}), base);
}

TEST(Argon2id, CostsReadFromAFileAreLimited) {
  const auto code = [](Argon2Cost cost, std::size_t salt_bytes = 16) {
    const auto key = derive_argon2id(SecretBytes(view_of("words")), Bytes(salt_bytes, 1), cost);
    return key ? std::optional<Code>() : key.error().code;
  };
  EXPECT_EQ(code({.memory_kib = 8, .passes = 1, .lanes = 1}), std::nullopt);
  EXPECT_EQ(code({.memory_kib = 7, .passes = 1, .lanes = 1}), Code::kOutOfRange);
  EXPECT_EQ(code({.memory_kib = 31, .passes = 1, .lanes = 4}), Code::kOutOfRange);
  EXPECT_EQ(code({.memory_kib = kArgon2MemoryKibMax + 1, .passes = 1, .lanes = 1}),
            Code::kOutOfRange);
  EXPECT_EQ(code({.memory_kib = 8, .passes = 0, .lanes = 1}), Code::kOutOfRange);
  EXPECT_EQ(code({.memory_kib = 8, .passes = kArgon2PassesMax, .lanes = 1}), std::nullopt);
  EXPECT_EQ(code({.memory_kib = 8, .passes = kArgon2PassesMax + 1, .lanes = 1}), Code::kOutOfRange);
  EXPECT_EQ(code({.memory_kib = 8, .passes = 1, .lanes = 0}), Code::kOutOfRange);
  EXPECT_EQ(code({.memory_kib = 8 * kArgon2LanesMax, .passes = 1, .lanes = kArgon2LanesMax}),
            std::nullopt);
  EXPECT_EQ(
      code({.memory_kib = 8 * (kArgon2LanesMax + 1), .passes = 1, .lanes = kArgon2LanesMax + 1}),
      Code::kOutOfRange);
  EXPECT_EQ(code(kSmall, 15), Code::kMalformed);
  EXPECT_EQ(code(kSmall, 17), Code::kMalformed);
}

}  // namespace
}  // namespace theriac::crypto
