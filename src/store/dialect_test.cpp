#include "store/dialect.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace theriac::store {
namespace {

std::string sqlite(std::string_view sql) {
  return in_dialect(Dialect::kSqlite, sql, 2).value_or("refused");
}
std::string postgresql(std::string_view sql) {
  return in_dialect(Dialect::kPostgresql, sql, 2).value_or("refused");
}

TEST(DialectTest, TypesInTheirOwnWords) {
  const std::string_view sql = "CREATE TABLE t(a INT PRIMARY KEY, text TEXT, b BYTES NOT NULL);";
  EXPECT_EQ(sqlite(sql),
            "CREATE TABLE t(a INTEGER PRIMARY KEY, text TEXT, b BLOB NOT NULL) STRICT;");
  EXPECT_EQ(postgresql(sql),
            "CREATE TABLE t(a bigint PRIMARY KEY, text text COLLATE \"C\", b bytea NOT NULL);");
  EXPECT_EQ(sqlite("ALTER TABLE t ADD COLUMN c BYTES"), "ALTER TABLE t ADD COLUMN c BLOB");
  EXPECT_EQ(postgresql("ALTER TABLE t ADD COLUMN c INT NOT NULL DEFAULT 0"),
            "ALTER TABLE t ADD COLUMN c bigint NOT NULL DEFAULT 0");
}

TEST(DialectTest, WhatStandsBehindATable) {
  const std::string_view both = "CREATE TABLE t(a BYTES, PRIMARY KEY(a)) CLUSTERED PARTITIONED(a)";
  EXPECT_EQ(sqlite(both), "CREATE TABLE t(a BLOB, PRIMARY KEY(a)) WITHOUT ROWID, STRICT");
  EXPECT_EQ(postgresql(both),
            "CREATE TABLE t(a bytea, PRIMARY KEY(a)) PARTITION BY HASH (a);\n"
            "CREATE TABLE t_p0 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 0);\n"
            "CREATE TABLE t_p1 PARTITION OF t FOR VALUES WITH (MODULUS 2, REMAINDER 1)");
  EXPECT_EQ(sqlite("CREATE TABLE t(a INT) PARTITIONED ( a ) -- why"),
            "CREATE TABLE t(a INTEGER) STRICT");
  EXPECT_EQ(postgresql("CREATE TABLE t(a INT)\n CLUSTERED ;"), "CREATE TABLE t(a bigint);");
}

TEST(DialectTest, TextsCommentsAndOtherStatementsStay) {
  const std::string_view sql =
      "-- CREATE TABLE INT; it's\n"
      "CREATE INDEX i ON t(a, b);\nINSERT INTO t VALUES('INT; ''TEXT', 1) ;\n\n;";
  EXPECT_EQ(sqlite(sql), sql);
  EXPECT_EQ(postgresql(sql), sql);
  EXPECT_EQ(sqlite("CREATE TABLE t(a TEXT DEFAULT 'INT); x', INTERVAL INT)"),
            "CREATE TABLE t(a TEXT DEFAULT 'INT); x', INTERVAL INTEGER) STRICT");
  EXPECT_EQ(sqlite(""), "");
}

TEST(DialectTest, WhatTheEnginesReadDifferentlyIsRefused) {
  for (const std::string_view sql :
       {"CREATE TABLE \"T\"(a INT)", "INSERT INTO t VALUES($1)", "SELECT '", "/* x */ SELECT 1",
        "CREATE TABLE t(a INT) WITHOUT ROWID", "CREATE TABLE t(a INT) STRICT", "CREATE TABLE t",
        "CREATE TABLE t(a INT", "CREATE TABLE Upper(a INT)", "CREATE TABLE t(a INT) PARTITIONED(A)",
        "CREATE TABLE t(a INT) PARTITIONED(a) CLUSTERED", "CREATE TABLE t(a INT) PARTITIONED(a, b)",
        "CREATE TABLE (a INT)", "CREATE TABLE t)a INT(", "CREATE TABLE t AS SELECT 1"}) {
    for (const auto dialect : {Dialect::kSqlite, Dialect::kPostgresql}) {
      const auto read = in_dialect(dialect, sql, 2);
      ASSERT_FALSE(read) << sql;
      EXPECT_EQ(read.error().code, Code::kInternal);
    }
  }
}

TEST(DialectTest, Names) {
  EXPECT_TRUE(is_name("a"));
  EXPECT_TRUE(is_name("_item_2"));
  EXPECT_TRUE(is_name(std::string(48, 'a')));
  for (const std::string& name : {std::string(), std::string(49, 'a'), std::string("1a"),
                                  std::string("A"), std::string("a b"), std::string("a\"")}) {
    EXPECT_FALSE(is_name(name)) << name;
  }
}

TEST(DialectTest, Parameters) {
  EXPECT_EQ(parameters_in("SELECT 1"), 0U);
  EXPECT_EQ(parameters_in("SELECT $2, $10, $1, '$99', 'it''s $99'"), 10U);
  EXPECT_EQ(parameters_in("SELECT $"), 0U);
}

}  // namespace
}  // namespace theriac::store
