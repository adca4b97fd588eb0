#include "rewrite/known_statements.hpp"

#include <gtest/gtest.h>

namespace theriac::rewrite {
namespace {

TEST(KnownStatements, DifferInLiteralsOnly) {
  const auto known = KnownStatements::parse(
      "-- a program's statements\n\nSELECT name FROM customers WHERE id = 1;\n"
      "SELECT 'a'\\n  FROM customers\nSELECT E'\\\\n' FROM customers\n");
  ASSERT_TRUE(known);
  EXPECT_EQ(known->size(), 3U);
  EXPECT_TRUE(known->knows("SELECT name FROM customers WHERE id = 77"));
  EXPECT_TRUE(known->knows("  SELECT name FROM customers WHERE id = 77 ;"));
  EXPECT_TRUE(known->knows("SELECT 'b'\n  FROM customers"));
  EXPECT_TRUE(known->knows("SELECT E'\\n' FROM customers"));
  EXPECT_FALSE(known->knows("SELECT name FROM customers WHERE id = '77'"));
  EXPECT_FALSE(known->knows("SELECT name FROM customers WHERE id = 9999999999"));
  EXPECT_FALSE(known->knows("SELECT name FROM customers WHERE id = 1 OR 1 = 1"));
  EXPECT_FALSE(known->knows("SELECT name FROM customers WHERE id = 1; SELECT 2"));
  EXPECT_FALSE(known->knows("SELECT E'\\t' FROM customers"));
  EXPECT_FALSE(known->knows(""));
}

TEST(KnownStatements, LinesReadBack) {
  const std::string sql = "SELECT '\\x41'::bytea,\n  name\nFROM customers";
  const auto known = KnownStatements::parse(KnownStatements::line_of(sql) + "\n");
  ASSERT_TRUE(known);
  EXPECT_TRUE(known->knows(sql));
  EXPECT_EQ(KnownStatements::parse("SELECT '\\x'").error().where, "line 1: backslash");
}

}  // namespace
}  // namespace theriac::rewrite
