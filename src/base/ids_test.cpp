#include "base/ids.hpp"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <type_traits>
#include <unordered_set>

#include "base/random.hpp"

namespace theriac {
namespace {

// One identifier is not another, though both are sixteen bytes.
static_assert(!std::is_convertible_v<TenantId, FieldId>);
static_assert(!std::is_constructible_v<FieldId, TenantId>);
static_assert(!std::is_assignable_v<RowId&, DomainId>);
template <typename A, typename B>
concept Comparable = requires(const A& a, const B& b) { a == b; };
static_assert(Comparable<TenantId, TenantId>);
static_assert(!Comparable<TenantId, FieldId>);

class Counting final : public Random {
 public:
  void fill(MutableBytes out) override {
    for (auto& byte : out) byte = next_++;
  }

 private:
  std::uint8_t next_ = 0;
};

class Constant final : public Random {
 public:
  explicit Constant(std::uint8_t byte) : byte_(byte) {}
  void fill(MutableBytes out) override { std::fill(out.begin(), out.end(), byte_); }

 private:
  std::uint8_t byte_;
};

TEST(Ids, UuidText) {
  Counting random;
  const auto id = random.id<TenantId>();
  EXPECT_EQ(to_uuid_text(id.view()), "00010203-0405-0607-0809-0a0b0c0d0e0f");
  EXPECT_EQ(id_from_uuid<TenantId>("00010203-0405-0607-0809-0A0B0C0D0E0F").value(), id);
}

TEST(Ids, UuidRoundTrip) {
  EXPECT_TRUE(rc::check("parse_uuid inverts to_uuid_text", [](std::array<std::uint8_t, 16> raw) {
    RC_ASSERT(parse_uuid(to_uuid_text(raw)).value() == raw);
  }));
}

TEST(Ids, UuidRefusesOtherForms) {
  const std::string good = "00010203-0405-0607-0809-0a0b0c0d0e0f";
  for (const std::string& bad :
       {std::string(), good.substr(1), good + "0", "{" + good.substr(2) + "}",
        std::string("000102030405060708090a0b0c0d0e0f"),
        std::string("00010203-0405-0607-08090-a0b0c0d0e0f"),
        std::string("0001020g-0405-0607-0809-0a0b0c0d0e0f")}) {
    const auto read = parse_uuid(bad);
    ASSERT_FALSE(read.has_value()) << bad;
    EXPECT_EQ(read.error().code, Code::kMalformed);
  }
}

TEST(Ids, RandomUuidIsVersion4) {  // RFC 9562, section 5.4
  for (const auto byte : {std::uint8_t{0x00}, std::uint8_t{0xff}}) {
    Constant random(byte);
    const auto text = to_uuid_text(random.uuid<RowId>().view());
    EXPECT_EQ(text[14], '4');
    EXPECT_EQ(text[19], byte == 0 ? '8' : 'b');
  }
}

TEST(Ids, FromBytesChecksLength) {
  EXPECT_TRUE(KeyId::from(Bytes(8)).has_value());
  EXPECT_EQ(KeyId::from(Bytes(7)).error().code, Code::kMalformed);
  EXPECT_EQ(KeyId::from(Bytes(9)).error().code, Code::kMalformed);
  EXPECT_TRUE(KeyId::from(Bytes(8))->is_zero());
  EXPECT_FALSE(KeyId::from(Bytes(8, 1))->is_zero());
}

TEST(Ids, Hashable) {
  Counting random;
  std::unordered_set<KeyId> ids;
  for (int i = 0; i < 32; ++i) ids.insert(random.id<KeyId>());
  EXPECT_EQ(ids.size(), 32U);
}

}  // namespace
}  // namespace theriac
