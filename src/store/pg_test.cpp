// Against a private PostgreSQL (private_server.hpp).
#include "store/pg.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/private_postgres.hpp"

namespace theriac::store {
namespace {

class PgTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!PrivatePostgres::get().runs()) GTEST_SKIP();
    auto opened = PgConnection::open(PrivatePostgres::get().conninfo());
    ASSERT_TRUE(opened) << opened.error().message();
    connection_.emplace(std::move(*opened));
  }
  std::optional<PgConnection> connection_;
};

TEST_F(PgTest, ValuesInTextAndBinary) {
  const Bytes raw{0, 1, 255, '\'', '\\'};
  auto result = connection_->query(
      "SELECT $1::bytea, $2::text, $3::int8, $4::text",
      {PgParam::bytes(raw), PgParam::text("张伟 'x' \\"), PgParam::text("42"), PgParam::null()},
      PgFormat::kBinary);
  ASSERT_TRUE(result) << result.error().message();
  ASSERT_EQ(result->rows(), 1U);
  ASSERT_EQ(result->columns(), 4U);
  EXPECT_EQ(Bytes(result->bytes(0, 0)->begin(), result->bytes(0, 0)->end()), raw);
  EXPECT_EQ(result->value(0, 1), "张伟 'x' \\");
  EXPECT_EQ(load_be<std::uint64_t>(result->bytes(0, 2)->data()), 42U);
  EXPECT_FALSE(result->value(0, 3).has_value());
  EXPECT_EQ(result->column_oid(0), 17U);
}

TEST_F(PgTest, EmptyIsNotNull) {
  auto result = connection_->query("SELECT $1::bytea IS NULL, $2::text IS NULL, $3::text IS NULL",
                                   {PgParam::bytes({}), PgParam::text(""), PgParam::null()});
  ASSERT_TRUE(result);
  EXPECT_EQ(result->value(0, 0), "f");
  EXPECT_EQ(result->value(0, 1), "f");
  EXPECT_EQ(result->value(0, 2), "t");
}

TEST_F(PgTest, ErrorsNameTheStateAndNothingElse) {
  ASSERT_TRUE(connection_->exec("CREATE TEMP TABLE t(a text UNIQUE)"));
  ASSERT_TRUE(connection_->query("INSERT INTO t VALUES($1)", {PgParam::text("secret")}));
  const auto twice = connection_->query("INSERT INTO t VALUES($1)", {PgParam::text("secret")});
  ASSERT_FALSE(twice);
  EXPECT_EQ(twice.error(), (Error{Code::kUpstream, "SQLSTATE 23505"}));
  EXPECT_EQ(connection_->last_sqlstate(), "23505");
  EXPECT_FALSE(connection_->query("SELECT FROM WHERE"));
  EXPECT_EQ(connection_->last_sqlstate(), "42601");
  EXPECT_TRUE(connection_->query("SELECT 1"));
  EXPECT_EQ(connection_->last_sqlstate(), "");
}

TEST_F(PgTest, ZeroBytesAreRefused) {
  using std::string_view_literals::operator""sv;
  EXPECT_EQ(connection_->query("SELECT 1\0 + 1"sv).error().code, Code::kMalformed);
  EXPECT_EQ(connection_->query("SELECT $1", {PgParam::text("a\0b"sv)}).error().code,
            Code::kMalformed);
}

TEST_F(PgTest, TransactionsRollBackUnlessCommitted) {
  ASSERT_TRUE(connection_->exec("CREATE TEMP TABLE t(a int)"));
  {
    auto transaction = PgTransaction::begin(*connection_);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(connection_->exec("INSERT INTO t VALUES(1)"));
    EXPECT_TRUE(connection_->in_transaction());
  }
  EXPECT_FALSE(connection_->in_transaction());
  EXPECT_EQ(connection_->query("SELECT count(*) FROM t")->value(0, 0), "0");
  auto transaction = PgTransaction::begin(*connection_, "ISOLATION LEVEL REPEATABLE READ");
  ASSERT_TRUE(connection_->exec("INSERT INTO t VALUES(1)"));
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(connection_->query("SELECT count(*) FROM t")->value(0, 0), "1");
}

TEST_F(PgTest, CommitOfAFailedTransactionIsAConflict) {
  auto transaction = PgTransaction::begin(*connection_);
  ASSERT_TRUE(transaction);
  EXPECT_FALSE(connection_->exec("SELECT 1/0"));
  const auto committed = transaction->commit();
  ASSERT_FALSE(committed);
  EXPECT_EQ(committed.error().code, Code::kConflict);
}

TEST_F(PgTest, FailureStaysReadableAfterTheRollback) {
  {
    auto transaction = PgTransaction::begin(*connection_);
    ASSERT_TRUE(transaction);
    EXPECT_FALSE(connection_->exec("SELECT 1/0"));
  }
  EXPECT_EQ(connection_->last_sqlstate(), "22012");
}

TEST_F(PgTest, PreparedStatements) {
  const std::array<std::uint32_t, 1> oids{23};
  ASSERT_TRUE(connection_->prepare("p", "SELECT $1 + 1", oids));
  const std::array params{PgParam::text("41")};
  auto result = connection_->execute("p", params);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->value(0, 0), "42");
  EXPECT_EQ(connection_->execute("q", params).error().where, "SQLSTATE 26000");
}

TEST_F(PgTest, AffectedRows) {
  ASSERT_TRUE(connection_->exec("CREATE TEMP TABLE t(a int)"));
  auto inserted = connection_->exec("INSERT INTO t SELECT generate_series(1, 30)");
  EXPECT_EQ(inserted->affected(), 30U);
  EXPECT_EQ(inserted->command_tag(), "INSERT 0 30");
  EXPECT_EQ(connection_->exec("DELETE FROM t WHERE a <= 7")->affected(), 7U);
}

TEST_F(PgTest, CopyIsRefusedAndClosesTheConnection) {
  EXPECT_EQ(connection_->exec("COPY (SELECT 1) TO STDOUT").error().code, Code::kUnsupported);
  EXPECT_FALSE(connection_->alive());
  EXPECT_EQ(connection_->exec("SELECT 1").error().code, Code::kClosed);
}

TEST_F(PgTest, CancelledIsTimeout) {
  ASSERT_TRUE(connection_->exec("SET statement_timeout = 50"));
  EXPECT_EQ(connection_->exec("SELECT pg_sleep(60)").error().code, Code::kTimeout);
}

TEST_F(PgTest, LostConnectionIsSaid) {
  auto other = PgConnection::open(PrivatePostgres::get().conninfo());
  const auto pid = connection_->query("SELECT pg_backend_pid()");
  ASSERT_TRUE(
      other->query("SELECT pg_terminate_backend($1)", {PgParam::text(*pid->value(0, 0), 23)}));
  const auto after = connection_->query("SELECT 1");
  ASSERT_FALSE(after);
  EXPECT_EQ(after.error().code, Code::kUpstream);
  EXPECT_FALSE(connection_->alive());
}

TEST_F(PgTest, RefusedConnectionNamesNoPassword) {
  const auto refused = PgConnection::open("host=/nonexistent password=hunter2 user=x");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error(), (Error{Code::kUpstream, "SQLSTATE 08006"}));
}

TEST_F(PgTest, QuotedTextsMeanThemselves) {
  for (const std::string text : {"plain", "it's", "back\\slash", "\"quoted\"", "a\nb", "张"}) {
    auto result =
        connection_->query("SELECT " + pg_quote_literal(text) + " AS " + pg_quote_identifier(text));
    ASSERT_TRUE(result) << text;
    EXPECT_EQ(result->value(0, 0), text);
    EXPECT_EQ(result->column_name(0), text);
  }
}

}  // namespace
}  // namespace theriac::store
