#include "pgwire/text_expression.hpp"

#include <gtest/gtest.h>

namespace theriac::pgwire {
namespace {

std::string applied(std::string_view expression, std::string_view value) {
  const auto map = *CaseMap::find("C.UTF-8");
  return TextExpression::parse(expression)->apply(value, map.get());
}

TEST(TextExpression, ReadsNestedFunctionsAndWritesOneForm) {
  EXPECT_EQ(TextExpression::parse(" RIGHT( lower (value),4 ) ")->text(), "right(lower(value), 4)");
  EXPECT_EQ(TextExpression::parse("left(value, -2)")->text(), "left(value, -2)");
  for (const auto* bad :
       {"", "value", "lower(value", "lower(value))", "lower(name)", "left(value)", "left(value, x)",
        "trim(value)", "lower(value, 1)", "left(value, 1.5)", "left(value, 99999999999)"}) {
    EXPECT_FALSE(TextExpression::parse(bad)) << bad;
  }
}

TEST(TextExpression, CountsCharactersAsPostgres) {
  // As SELECT left('äbcd', n), right('äbcd', n) answer.
  EXPECT_EQ(applied("left(value, 2)", "äbcd"), "äb");
  EXPECT_EQ(applied("left(value, -1)", "äbcd"), "äbc");
  EXPECT_EQ(applied("left(value, -9)", "äbcd"), "");
  EXPECT_EQ(applied("left(value, 9)", "äbcd"), "äbcd");
  EXPECT_EQ(applied("right(value, 2)", "äbcd"), "cd");
  EXPECT_EQ(applied("right(value, -1)", "äbcd"), "bcd");
  EXPECT_EQ(applied("right(value, 0)", "äbcd"), "");
  EXPECT_EQ(applied("right(value, -2147483648)", "äbcd"), "");
  EXPECT_EQ(applied("upper(right(lower(value), 2))", "ABCÄ"), "CÄ");
}

}  // namespace
}  // namespace theriac::pgwire
