#include "rewrite/escape_strings.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace theriac::rewrite {
namespace {

std::string made(std::string_view sql) { return with_escape_strings(sql).value_or("refused"); }

TEST(EscapeStrings, GiveEveryPlainLiteralItsLetter) {
  EXPECT_EQ(made("SELECT 'a', 'it''s', ''"), "SELECT  E'a',  E'it''s',  E''");
  EXPECT_EQ(made("SELECT'a\\'b'"), "SELECT E'a\\'b'");
  EXPECT_EQ(made("SELECT 'a\\\\', 'b'"), "SELECT  E'a\\\\',  E'b'");
  EXPECT_EQ(made("x='a\\'' AND y='b'"), "x= E'a\\'' AND y= E'b'");
  EXPECT_EQ(made("'open \\'"), " E'open \\'");
}

TEST(EscapeStrings, LeaveWhatIsNoPlainLiteral) {
  for (const char* sql :
       {"SELECT E'a\\'b', e'c'", "SELECT B'01', x'1F'", "SELECT \"it's\", \"a\"\"'\"",
        "SELECT $$it's$$", "SELECT $q$a'$$'b$q$, $1", "-- it's\nSELECT 1",
        "/* it's /* 'nested' */ */ SELECT 1", "SELECT U&\"d'\"", "SELECT 1.5"}) {
    EXPECT_EQ(made(sql), sql) << sql;
  }
}

TEST(EscapeStrings, KeepPartsOnOtherLinesTogether) {
  EXPECT_EQ(made("SELECT 'a\\''\n  'b\\''"), "SELECT  E'a\\''\n  'b\\''");
  EXPECT_EQ(made("SELECT 'a' -- it's\n 'b', 'c'"), "SELECT  E'a' -- it's\n 'b',  E'c'");
  EXPECT_EQ(made("SELECT 'a' 'b'"), "SELECT  E'a'  E'b'");
  EXPECT_EQ(made("SELECT b'0'\n'1'"), "SELECT b'0'\n'1'");
}

TEST(EscapeStrings, KnowNationalAndUnicodeLiterals) {
  EXPECT_EQ(made("SELECT N'a\\''"), "SELECT NCHAR E'a\\''");
  EXPECT_EQ(made("SELECT U&'d\\0061t'"), "refused");
  EXPECT_EQ(with_escape_strings("SELECT 'a', U&'b'").error(), 12U);
  EXPECT_EQ(made("SELECT 'U&', u & 'x'"), "SELECT  E'U&', u &  E'x'");
}

RC_GTEST_PROP(EscapeStrings, ChangeNothingTwice, (const std::vector<std::uint8_t>& choice)) {
  constexpr std::string_view kParts[] = {"'",  "''", "\\", "\"", "$$",  "$a$", "--",
                                         "\n", "/*", "*/", "E",  "n",   "x",   "u&",
                                         " ",  "a",  "1",  "$1", "U&'", "e'"};
  std::string sql;
  for (const auto one : choice) sql += kParts[one % std::size(kParts)];
  const auto once = with_escape_strings(sql);
  if (!once) return;
  RC_ASSERT(with_escape_strings(*once).value_or("refused") == *once);
}

}  // namespace
}  // namespace theriac::rewrite
