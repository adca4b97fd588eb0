// What engine.hpp promises, on both engines.
#include <array>
#include <random>
#include <thread>

#include "store/engine_fixture.hpp"
#include "store/limits.hpp"

namespace theriac::store {
namespace {

using std::string_view_literals::operator""sv;
using testing::ElementsAre;
using testing::UnorderedElementsAre;
using Names = std::vector<std::string_view>;

constexpr std::int64_t kLowest = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kHighest = std::numeric_limits<std::int64_t>::max();

constexpr std::string_view kSchema = R"(
  -- one of each; CREATE TABLE in a comment; is nothing
  CREATE TABLE t(k INT PRIMARY KEY, n INT, s TEXT, b BYTES);
  CREATE TABLE item(id BYTES NOT NULL, name TEXT NOT NULL DEFAULT 'INT; ''BYTES', n INT NOT NULL,
                    note BYTES, PRIMARY KEY(id)) CLUSTERED PARTITIONED(id);
  CREATE INDEX item_n ON item(n);
  CREATE TABLE part(parent INT NOT NULL REFERENCES t(k), place INT NOT NULL CHECK (place > 0),
                    PRIMARY KEY(parent, place)) PARTITIONED(parent);
)";

class ConformanceTest : public EngineTest {
 protected:
  Session& open_all() { return open(kSchema); }
};
INSTANTIATE_TEST_SUITE_P(Engines, ConformanceTest, kBothEngines, name_of_engine);

TEST_P(ConformanceTest, ValuesComeBackAsTheyWent) {
  auto& s = open_all();
  const Bytes all_bytes = [] {
    Bytes bytes(256);
    for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i);
    return bytes;
  }();
  const std::string_view sql = "INSERT INTO t(k, n, s, b) VALUES($1, $2, $3, $4)";
  EXPECT_EQ(s.run_all(sql, 1, kLowest, "张伟 'x' \\ \U0001F48A", ByteView(all_bytes)), 1);
  EXPECT_EQ(s.run_all(sql, 2, kHighest, "", ByteView()), 1);
  EXPECT_EQ(s.run_all(sql, 3, Param{}, Param{}, Param{}), 1);
  EXPECT_THAT(
      texts(s.query_all("SELECT k, n, s, b FROM t ORDER BY k"), "iitb"),
      ElementsAre("1|-9223372036854775808|张伟 'x' \\ \U0001F48A|x'" + to_hex(all_bytes) + "'",
                  "2|9223372036854775807||x''", "3|NULL|NULL|NULL"));
  auto rows = s.query_all("SELECT n, s, b FROM t WHERE k = $1", 3);
  ASSERT_TRUE(*(*rows)->next());
  EXPECT_EQ((*rows)->integer(0), 0);
  EXPECT_EQ((*rows)->text(1), "");
  EXPECT_TRUE((*rows)->bytes(2).empty());
  EXPECT_FALSE(*(*rows)->next());
  EXPECT_FALSE(*(*rows)->next()) << "the end stays the end";
}

TEST_P(ConformanceTest, EmptyIsNotNull) {
  auto& s = open_all();
  EXPECT_THAT(texts(s.query_all("SELECT CASE WHEN $1 = '' THEN 1 ELSE 0 END, $2 IS NULL, "
                                "7 = $3 OR $3 IS NULL, length($4)",
                                "", ByteView(), Param{}, ByteView()),
                    "iiii"),
              ElementsAre("1|0|1|0"));
}

TEST_P(ConformanceTest, ParametersMayStandInAnyOrderAndTwice) {
  auto& s = open_all();
  EXPECT_EQ(s.run_all("INSERT INTO t(k, n, s) VALUES($2, $1 + $2, $3)", 10, 5, "x"), 1);
  EXPECT_THAT(texts(s.query_all("SELECT k, n FROM t WHERE k = $2 AND n = $1", 15, 5), "ii"),
              ElementsAre("5|15"));
}

TEST_P(ConformanceTest, NullFirstAndAValueLater) {
  auto& s = open_all();
  const std::string_view sql = "INSERT INTO t(k, n, s, b) VALUES($1, $2, $3, $4)";
  const Bytes b{1};
  EXPECT_EQ(s.run_all(sql, 1, Param{}, Param{}, Param{}), 1);
  EXPECT_EQ(s.run_all(sql, 2, 2, "two", ByteView(b)), 1);
  EXPECT_EQ(s.run_all(sql, 3, Param{}, "three", Param{}), 1);
  EXPECT_THAT(texts(s.query_all("SELECT k, n, s, b FROM t ORDER BY k"), "iitb"),
              ElementsAre("1|NULL|NULL|NULL", "2|2|two|x'01'", "3|NULL|three|NULL"));
  EXPECT_THAT(texts(s.query_all("SELECT $1", Param{}), "t"), ElementsAre("NULL"));
  EXPECT_THAT(texts(s.query_all("SELECT $1", "text"), "t"), ElementsAre("text"));
  EXPECT_THAT(texts(s.query_all("SELECT $1", 7), "i"), ElementsAre("7"));
}

TEST_P(ConformanceTest, TextIsOrderedAndComparedByItsBytes) {
  auto& s = open_all();
  std::int64_t k = 0;
  for (const char* text :
       {"b", "B", "a", "é", "z", "Z", "_", "张", "\U0001F48A", "\uFFFD", "ab", "A"}) {
    ASSERT_TRUE(s.run_all("INSERT INTO t(k, s) VALUES($1, $2)", ++k, text));
  }
  EXPECT_THAT(
      texts(s.query_all("SELECT s FROM t ORDER BY s"), "t"),
      ElementsAre("A", "B", "Z", "_", "a", "ab", "b", "z", "é", "张", "\uFFFD", "\U0001F48A"));
  EXPECT_THAT(texts(s.query_all("SELECT count(*) FROM t WHERE s < $1", "a"), "i"),
              ElementsAre("4"));
  EXPECT_THAT(texts(s.query_all("SELECT max(s), min(s) FROM t"), "tt"),
              ElementsAre("\U0001F48A|A"));
}

TEST_P(ConformanceTest, BytesAreOrderedWithoutSign) {
  auto& s = open_all();
  const std::array<Bytes, 4> values{Bytes{0x80}, Bytes{0x7f, 0xff}, Bytes{}, Bytes{0x7f}};
  for (const auto& value : values) {
    ASSERT_TRUE(s.run_all("INSERT INTO item(id, n) VALUES($1, 0)", ByteView(value)));
  }
  EXPECT_THAT(texts(s.query_all("SELECT id, name FROM item ORDER BY id"), "bt"),
              ElementsAre("x''|INT; 'BYTES", "x'7f'|INT; 'BYTES", "x'7fff'|INT; 'BYTES",
                          "x'80'|INT; 'BYTES"));
}

TEST_P(ConformanceTest, TextsThatOneEngineCannotHoldAreRefused) {
  auto& s = open_all();
  const std::string_view sql = "INSERT INTO t(k, s) VALUES(1, $1)";
  EXPECT_EQ(code_of(s.run_all(sql, "a\0b"sv)), Code::kMalformed);
  EXPECT_EQ(code_of(s.run_all(sql, "\xff")), Code::kBadEncoding);
  EXPECT_EQ(code_of(s.run_all(sql, "\xed\xa0\x80")), Code::kBadEncoding) << "a surrogate";
  const Names columns{"k", "s"};
  const std::array<Param, 2> values{1, "\xc0\x80"sv};
  EXPECT_EQ(code_of(s.insert("t", columns, values, "")), Code::kBadEncoding);
  EXPECT_EQ(integer(s, "SELECT count(*) FROM t"), 0);
}

TEST_P(ConformanceTest, WhatTheProgramDidWrongIsInternal) {
  auto& s = open_all();
  EXPECT_EQ(code_of(s.run_all("SELEC 1")), Code::kInternal);
  EXPECT_EQ(code_of(s.query_all("SELECT x FROM missing")), Code::kInternal);
  EXPECT_EQ(code_of(s.run_all("INSERT INTO t(k, b) VALUES(1, $1)", "text")), Code::kInternal);
  EXPECT_EQ(code_of(s.run_all("INSERT INTO t(k) VALUES($1)", 1, 2)), Code::kInternal);
  EXPECT_EQ(code_of(s.run_all("INSERT INTO t(k, n) VALUES($1, $2)", 1)), Code::kInternal);
  const std::array<Param, 3> three{1, 2, 3};
  EXPECT_EQ(code_of(s.insert("t", Names{"k", "n"}, three, "")), Code::kInternal);
  EXPECT_EQ(code_of(s.insert("t; x", Names{"k"}, three, "")), Code::kInternal);
  EXPECT_EQ(code_of(s.insert("t", Names{"k\""}, three, "")), Code::kInternal);
  EXPECT_EQ(code_of(s.insert("t", Names{}, three, "")), Code::kInternal);
  EXPECT_EQ(code_of(s.update("t", "k", Names{}, three)), Code::kInternal);
  EXPECT_EQ(code_of(s.look_up("t", "K", Names{"n"}, three)), Code::kInternal);
  auto open = s.query_all("SELECT 1");
  ASSERT_TRUE(open);
  EXPECT_EQ(code_of(s.run_all("DELETE FROM t")), Code::kInternal) << "rows are open";
  open->reset();
  EXPECT_EQ(integer(s, "SELECT count(*) FROM t"), 0);
}

TEST_P(ConformanceTest, BrokenConstraintsAreConflicts) {
  auto& s = open_all();
  ASSERT_TRUE(s.run_all("INSERT INTO t(k, s) VALUES(1, $1)", "secret"));
  const auto twice = s.run_all("INSERT INTO t(k, s) VALUES(1, $1)", "secret");
  EXPECT_EQ(code_of(twice), Code::kConflict);
  EXPECT_THAT(twice.error().where, testing::Not(testing::HasSubstr("secret")));
  EXPECT_EQ(code_of(s.run_all("INSERT INTO part VALUES(1, 0)")), Code::kConflict) << "CHECK";
  EXPECT_EQ(code_of(s.run_all("INSERT INTO part VALUES(2, 1)")), Code::kConflict) << "foreign key";
  EXPECT_EQ(code_of(s.run_all("INSERT INTO item(id, n) VALUES($1, 1)", Param{})), Code::kConflict)
      << "NOT NULL";
  ASSERT_TRUE(s.run_all("INSERT INTO part VALUES(1, 1)"));
  EXPECT_EQ(code_of(s.run_all("DELETE FROM t")), Code::kConflict) << "is referred to";
}

TEST_P(ConformanceTest, OnConflict) {
  auto& s = open_all();
  EXPECT_EQ(s.run_all("INSERT INTO t(k, n) VALUES(1, 10), (2, 20)"), 2);
  const std::string_view nothing = "INSERT INTO t(k, n) VALUES($1, $2) ON CONFLICT DO NOTHING";
  EXPECT_EQ(s.run_all(nothing, 1, 0), 0);
  EXPECT_EQ(s.run_all(nothing, 3, 30), 1);
  const std::string_view add =
      "INSERT INTO t(k, n) VALUES($1, $2) ON CONFLICT(k) DO UPDATE SET n = t.n + excluded.n "
      "WHERE excluded.n > 0 RETURNING k, n";
  EXPECT_THAT(texts(s.query_all(add, 1, 5), "ii"), ElementsAre("1|15"));
  EXPECT_THAT(texts(s.query_all(add, 4, 40), "ii"), ElementsAre("4|40"));
  EXPECT_THAT(texts(s.query_all(add, 1, 0), "ii"), ElementsAre());
  EXPECT_THAT(texts(s.query_all("SELECT n FROM t ORDER BY k"), "i"),
              ElementsAre("15", "20", "30", "40"));
}

TEST_P(ConformanceTest, UpdateFromDeleteReturningAndWith) {
  auto& s = open_all();
  ASSERT_TRUE(s.run_all("INSERT INTO t(k, n) VALUES(1, 1), (2, 2), (3, 3)"));
  ASSERT_TRUE(s.run_all("INSERT INTO part VALUES(1, 5), (1, 7), (3, 9)"));
  EXPECT_EQ(s.run_all("UPDATE t SET n = t.n + p.total FROM (SELECT parent, sum(place) AS total "
                      "FROM part GROUP BY parent) AS p WHERE p.parent = t.k"),
            2);
  EXPECT_THAT(texts(s.query_all("SELECT k, n FROM t ORDER BY k"), "ii"),
              ElementsAre("1|13", "2|2", "3|12"));
  EXPECT_THAT(texts(s.query_all("WITH big AS (SELECT parent FROM part WHERE place > $1) "
                                "SELECT t.k, t.n FROM t JOIN big ON big.parent = t.k "
                                "ORDER BY t.k DESC LIMIT $2",
                                6, 1),
                    "ii"),
              ElementsAre("3|12"));
  EXPECT_THAT(texts(s.query_all("DELETE FROM part WHERE parent = $1 RETURNING place", 1), "i"),
              UnorderedElementsAre("5", "7"));
  EXPECT_EQ(s.run_all("DELETE FROM part"), 1);
  EXPECT_EQ(s.run_all("DELETE FROM part"), 0);
}

TEST_P(ConformanceTest, SumsAndComparisonsAreIntegers) {
  auto& s = open_all();
  ASSERT_TRUE(s.run_all("INSERT INTO t(k, n) VALUES($1, $2), (0, -1)", 1, kLowest + 1));
  EXPECT_THAT(
      texts(s.query_all("SELECT sum(n), count(*), max(n) = -1, 7 / 2, sum(n + 1) FROM t"), "iiiii"),
      ElementsAre("-9223372036854775808|2|1|3|-9223372036854775806"));
  EXPECT_THAT(texts(s.query_all("SELECT sum(n) FROM t WHERE k > 5"), "i"), ElementsAre("NULL"));
  ASSERT_TRUE(s.run_all("INSERT INTO t(k, n) VALUES(2, -10)"));
  auto over = s.query_all("SELECT sum(n) FROM t");
  EXPECT_FALSE(over && (*over)->next()) << "beyond 64 bits";
}

TEST_P(ConformanceTest, NullsHaveTheirPlaceWhenItIsSaid) {
  auto& s = open_all();
  ASSERT_TRUE(s.run_all("INSERT INTO t(k, n) VALUES(1, 1), (2, $1), (3, 0)", Param{}));
  EXPECT_THAT(texts(s.query_all("SELECT n FROM t ORDER BY n NULLS FIRST"), "i"),
              ElementsAre("NULL", "0", "1"));
  EXPECT_THAT(texts(s.query_all("SELECT n FROM t ORDER BY n DESC NULLS LAST"), "i"),
              ElementsAre("1", "0", "NULL"));
}

// --- many rows at once ---------------------------------------------------------------------------

TEST_P(ConformanceTest, BatchesKeepEveryKindOfValue) {
  auto& s = open_all();
  const Bytes zero{0};
  const std::array<Param, 12> values{1,  kLowest,    "张", ByteView(zero), 2,       Param{},
                                     "", ByteView(), 3,    kHighest,       Param{}, Param{}};
  EXPECT_EQ(s.insert("t", Names{"k", "n", "s", "b"}, values, ""), 3);
  EXPECT_THAT(
      texts(s.look_up("t", "k", Names{"n", "s", "b"}, std::array<Param, 4>{3, 1, 9, 2}), "iitb"),
      UnorderedElementsAre("1|-9223372036854775808|张|x'00'", "2|NULL||x''",
                           "3|9223372036854775807|NULL|NULL"));
  const std::array<Param, 6> changes{1, Param{}, 3, "drei", 77, "nobody"};
  EXPECT_EQ(s.update("t", "k", Names{"s"}, changes), 2);
  EXPECT_THAT(texts(s.query_all("SELECT s FROM t ORDER BY k"), "t"),
              ElementsAre("NULL", "", "drei"));
  const std::array<Param, 4> nulls{8, Param{}, 9, Param{}};
  EXPECT_EQ(s.insert("t", Names{"k", "b"}, nulls, ""), 2) << "a column of NULLs only";
  EXPECT_EQ(s.update("t", "k", Names{"n"}, nulls), 2);
  EXPECT_THAT(texts(s.look_up("t", "s", Names{"k"}, std::array<Param, 1>{"drei"}), "ti"),
              ElementsAre("drei|3"));
  EXPECT_THAT(texts(s.look_up("t", "k", Names{}, std::array<Param, 1>{8}), "i"), ElementsAre("8"));
}

TEST_P(ConformanceTest, BatchesOfNothing) {
  auto& s = open_all();
  EXPECT_EQ(s.insert("t", Names{"k"}, {}, ""), 0);
  EXPECT_EQ(s.update("t", "k", Names{"n"}, {}), 0);
  EXPECT_THAT(texts(s.look_up("t", "k", Names{"n"}, {}), "ii"), ElementsAre());
}

TEST_P(ConformanceTest, BatchWithATail) {
  auto& s = open_all();
  ASSERT_TRUE(s.run_all("INSERT INTO t(k, n) VALUES(2, 20)"));
  const std::array<Param, 6> values{1, 1, 2, 2, 3, 3};
  const Names columns{"k", "n"};
  EXPECT_EQ(s.insert("t", columns, values, "ON CONFLICT DO NOTHING"), 2);
  EXPECT_EQ(s.insert("t", columns, values, "ON CONFLICT(k) DO UPDATE SET n = t.n + excluded.n"), 3);
  EXPECT_THAT(texts(s.query_all("SELECT n FROM t ORDER BY k"), "i"), ElementsAre("2", "22", "6"));
}

TEST_P(ConformanceTest, BatchesAreAllOrNone) {
  auto& s = open_all();
  const std::array<Param, 3> twice{1, 2, 1};
  EXPECT_EQ(code_of(s.insert("t", Names{"k"}, twice, "")), Code::kConflict);
  EXPECT_EQ(integer(s, "SELECT count(*) FROM t"), 0);
  ASSERT_TRUE(s.run_all("INSERT INTO t(k) VALUES(1), (2)"));
  ASSERT_TRUE(s.run_all("INSERT INTO part VALUES(1, 1), (2, 1)"));
  const std::array<Param, 4> one_bad{1, 5, 2, 0};
  EXPECT_EQ(code_of(s.update("part", "parent", Names{"place"}, one_bad)), Code::kConflict);
  EXPECT_EQ(integer(s, "SELECT sum(place) FROM part"), 2);
}

TEST_P(ConformanceTest, AHundredThousandRowsAndTenThousandKeys) {
  auto& s = open_all();
  constexpr std::size_t kRows = kBatchRowsMax, kKeys = 10'000;
  std::mt19937_64 random(42);
  std::vector<std::array<std::uint8_t, 16>> ids(kRows);
  for (auto& id : ids) {
    for (auto& byte : id) byte = static_cast<std::uint8_t>(random());
  }
  std::vector<Param> values;
  for (std::size_t i = 0; i < kRows; ++i) {
    values.insert(values.end(), {ByteView(ids[i]), static_cast<std::int64_t>(i)});
  }
  ASSERT_EQ(s.insert("item", Names{"id", "n"}, values, ""), kRows);
  std::vector<Param> keys, changes;
  for (std::size_t i = 0; i < kKeys; ++i) {
    keys.emplace_back(ByteView(ids[i * 7]));
    changes.insert(changes.end(), {ByteView(ids[i * 7]), -1, "changed"});
  }
  auto found = s.look_up("item", "id", Names{"n"}, keys);
  ASSERT_TRUE(found);
  std::size_t count = 0;
  while (*(*found)->next()) {
    const auto n = static_cast<std::size_t>((*found)->integer(1));
    ASSERT_TRUE(std::ranges::equal((*found)->bytes(0), ids.at(n)));
    ASSERT_EQ(n % 7, 0U);
    ++count;
  }
  EXPECT_EQ(count, kKeys);
  found->reset();
  EXPECT_EQ(s.update("item", "id", Names{"n", "name"}, changes), kKeys);
  EXPECT_EQ(integer(s, "SELECT count(*) FROM item WHERE n = -1 AND name = 'changed'"), kKeys);

  values.insert(values.end(), {ByteView(ids[0]), 0});
  EXPECT_EQ(code_of(s.insert("item", Names{"id", "n"}, values, "")), Code::kTooLarge);
  EXPECT_EQ(code_of(s.update("item", "id", Names{"n"}, values)), Code::kTooLarge);
  std::vector<Param> many(kBatchRowsMax + 1, Param(1));
  EXPECT_EQ(code_of(s.look_up("t", "k", Names{"n"}, many)), Code::kTooLarge);
  many.pop_back();
  EXPECT_TRUE(s.look_up("t", "k", Names{"n"}, many));
}

TEST_P(ConformanceTest, ValuesUpToTheLimit) {
  auto& s = open_all();
  const std::string_view sql = "INSERT INTO t(k, s, b) VALUES($1, $2, $3)";
  std::string text(kValueBytesMax, 't');
  ASSERT_TRUE(s.run_all(sql, 1, text, view_of(text)));
  EXPECT_THAT(texts(s.query_all("SELECT length(s), length(b) FROM t"), "ii"),
              ElementsAre("16777216|16777216"));
  text += 't';
  EXPECT_EQ(code_of(s.run_all(sql, 2, text, Param{})), Code::kTooLarge);
  EXPECT_EQ(code_of(s.run_all(sql, 2, Param{}, view_of(text))), Code::kTooLarge);
}

TEST_P(ConformanceTest, MoreStatementsThanAreKept) {
  auto& s = open_all();
  for (std::size_t i = 0; i < 2 * kStatementsMax + 2; ++i) {
    ASSERT_EQ(integer(s, "SELECT " + std::to_string(i)), static_cast<std::int64_t>(i));
  }
}

}  // namespace
}  // namespace theriac::store
