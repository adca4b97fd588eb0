// PostgreSQL itself says what its binary forms hold.
#include "store/pg_binary.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include "base/private_postgres.hpp"
#include "store/pg.hpp"

namespace theriac::store {
namespace {

class PgBinaryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!PrivatePostgres::get().runs()) GTEST_SKIP();
    link_.emplace(PgConnection::open(PrivatePostgres::get().conninfo()).value());
  }
  Result<std::int64_t> integer(const std::string& expression) {
    auto result = link_->query("SELECT " + expression, {}, PgFormat::kBinary);
    EXPECT_TRUE(result) << expression;
    return integer_from(PgType{result->column_oid(0)}, *result->bytes(0, 0));
  }
  std::optional<PgConnection> link_;
};

TEST_F(PgBinaryTest, IntegersOfEveryType) {
  EXPECT_EQ(integer("true"), 1);
  EXPECT_EQ(integer("false"), 0);
  EXPECT_EQ(integer("(-32768)::int2"), -32768);
  EXPECT_EQ(integer("(-2147483648)::int4"), -2147483648);
  EXPECT_EQ(integer("(-9223372036854775808)::int8"), std::numeric_limits<std::int64_t>::min());
}

TEST_F(PgBinaryTest, WholeNumericsWithin64Bits) {
  std::string number = "1";
  for (std::int64_t power = 1;; power *= 10, number += '0') {
    EXPECT_EQ(integer(number + "::numeric"), power);
    EXPECT_EQ(integer("(-" + number + ")::numeric"), -power);
    EXPECT_EQ(integer("(" + number + " - 1)::numeric"), power - 1);
    if (number.size() == 19) break;
  }
  EXPECT_EQ(integer("9223372036854775807::numeric"), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(integer("(-9223372036854775808)::numeric"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(integer("7.000::numeric"), 7);
  for (const char* beyond :
       {"9223372036854775808::numeric", "(-9223372036854775809)::numeric", "1e20::numeric",
        "0.5::numeric", "10000.0001::numeric", "1e-9::numeric", "'NaN'::numeric",
        "'Infinity'::numeric", "1e200::numeric", "1.5::float8", "'1'::text"}) {
    const auto refused = integer(beyond);
    ASSERT_FALSE(refused) << beyond;
    EXPECT_EQ(refused.error().code, Code::kOutOfRange);
  }
}

TEST_F(PgBinaryTest, ArraysAndNumericsOfAnyIntegers) {
  EXPECT_TRUE(rc::check([&](const std::vector<std::int64_t>& integers) {
    std::vector<Param> params(integers.begin(), integers.end());
    params.emplace_back();
    const auto array = binary_array(PgType::kInt8, params, 0, 1).value();
    auto result =
        link_->query("SELECT v, v::numeric FROM unnest($1::bigint[]) AS u(v)",
                     {PgParam::binary(array, array_of(PgType::kInt8))}, PgFormat::kBinary);
    RC_ASSERT(result.has_value());
    RC_ASSERT(result->rows() == params.size());
    for (std::size_t i = 0; i < integers.size(); ++i) {
      RC_ASSERT(integer_from(PgType::kInt8, *result->bytes(i, 0)) == integers[i]);
      RC_ASSERT(integer_from(PgType::kNumeric, *result->bytes(i, 1)) == integers[i]);
    }
    RC_ASSERT(!result->bytes(integers.size(), 0).has_value());
  }));
}

TEST_F(PgBinaryTest, ArraysOfAnyBytes) {
  EXPECT_TRUE(rc::check([&](const std::vector<Bytes>& values) {
    // Two columns in turn, as a batch holds them.
    std::vector<Param> params;
    for (const auto& value : values) {
      params.insert(params.end(), {1, ByteView(value)});
    }
    const auto array = binary_array(PgType::kBytea, params, 1, 2).value();
    auto result =
        link_->query("SELECT v FROM unnest($1::bytea[]) AS u(v)",
                     {PgParam::binary(array, array_of(PgType::kBytea))}, PgFormat::kBinary);
    RC_ASSERT(result.has_value());
    RC_ASSERT(result->rows() == values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      RC_ASSERT(std::ranges::equal(*result->bytes(i, 0), values[i]));
    }
  }));
}

TEST_F(PgBinaryTest, ValuesOfAnotherTypeAreRefused) {
  const std::array<Param, 2> mixed{1, "text"};
  EXPECT_EQ(binary_array(PgType::kInt8, mixed, 0, 1).error().code, Code::kInternal);
}

}  // namespace
}  // namespace theriac::store
