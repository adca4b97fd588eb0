// The pure pieces: rights, index texts, defaults, arrays, verdicts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protect/form.hpp"
#include "protect/index_text.hpp"
#include "protect/inspect.hpp"
#include "protect/limits.hpp"
#include "protect/rights.hpp"
#include "protect/sql_text.hpp"
#include "protect/table_work.hpp"
#include "protect/target.hpp"

namespace theriac::protect {
namespace {

using testing::ElementsAre;

const std::string kTable = R"("s"."t")";

Rights rights_of(std::vector<Grant> grants) { return {"boss", std::move(grants)}; }

TEST(Rights, TableLevelSelectBecomesEveryOtherColumn) {
  const auto rights = rights_of({{"", "boss", "boss", "INSERT", false},
                                 {"", "boss", "boss", "SELECT", false},
                                 {"", "boss", "boss", "UPDATE", false},
                                 {"", "app", "boss", "SELECT", true}});
  // A table-level SELECT covers the system columns; whoever may UPDATE has rows located by ctid.
  const std::string system = R"("ctid", "xmin", "xmax", "cmin", "cmax", "tableoid")";
  EXPECT_THAT(
      grant_translated(rights, kTable, {"id", "name", "theriac_sealed_1"},
                       {{"name", {"theriac_sealed_1"}}}),
      // INSERT on tableoid marks that it stood on the table.
      ElementsAre(R"(GRANT UPDATE, INSERT ("tableoid", "id", "theriac_sealed_1"), SELECT ()" +
                      system + R"(, "id", "theriac_sealed_1") ON "s"."t" TO "boss")",
                  "GRANT SELECT (" + system +
                      R"(, "id", "theriac_sealed_1") ON "s"."t" TO "app" WITH GRANT OPTION)"));
}

TEST(IndexText, WhatStandsBehindAColumnIsFormAndOrder) {
  const auto rest = [](const std::string& element) {
    IndexText text;
    text.elements = {element};
    const auto found = text.after_column(0, "name");
    return found.form + "|" + found.order;
  };
  EXPECT_EQ(rest("name"), "|");
  EXPECT_EQ(rest("name DESC"), "| DESC");
  EXPECT_EQ(rest("name NULLS FIRST"), "| NULLS FIRST");
  EXPECT_EQ(rest(R"("name" COLLATE "C" text_pattern_ops DESC NULLS LAST)"),
            R"( COLLATE "C" text_pattern_ops| DESC NULLS LAST)");
}

TEST(Statistics, AreMadeInThePlaceOfOldOnes) {
  EXPECT_THAT(
      make_statistics({{"schema", "s"},
                       {"name", "x"},
                       {"definition", "CREATE STATISTICS s.x ON a, b FROM s.t"},
                       {"owner", "boss"},
                       {"target", 7},
                       {"comment", "it's"}}),
      ElementsAre(R"(DROP STATISTICS IF EXISTS "s"."x")", "CREATE STATISTICS s.x ON a, b FROM s.t",
                  R"(ALTER STATISTICS "s"."x" OWNER TO "boss")",
                  R"(ALTER STATISTICS "s"."x" SET STATISTICS 7)",
                  R"(COMMENT ON STATISTICS "s"."x" IS 'it''s')"));
}

TEST(Rights, ColumnRightsAreMirroredToTheHelpers) {
  const auto rights = rights_of({{"name", "a", "boss", "SELECT", false},
                                 {"name", "a", "boss", "UPDATE", false},
                                 {"name", "a", "boss", "REFERENCES", false},
                                 {"id", "", "boss", "SELECT", false}});
  EXPECT_THAT(
      grant_translated(rights, kTable, {"id", "name"},
                       {{"name", {"theriac_sealed_1", "theriac_index_1", "theriac_row"}}}),
      ElementsAre(R"(GRANT SELECT ("theriac_sealed_1", "theriac_index_1", "theriac_row", "ctid", )"
                  R"("tableoid"), )"
                  R"(UPDATE ("name", "theriac_sealed_1", "theriac_index_1"), )"
                  R"(REFERENCES ("name") ON "s"."t" TO "a")",
                  R"(GRANT SELECT ("id") ON "s"."t" TO PUBLIC)"));
}

TEST(Rights, NobodyGetsSelectOrInsertOnThePlainColumn) {
  // Every grantee, privilege and place at once.
  std::vector<Grant> all;
  for (const std::string column : {"", "id", "name"}) {
    for (const std::string role : {"", "boss", "a"}) {
      for (const std::string privilege : {"SELECT", "INSERT", "UPDATE", "REFERENCES"}) {
        all.push_back({column, role, "boss", privilege, role == "a"});
      }
    }
  }
  for (const auto& statement :
       grant_translated(rights_of(all), kTable, {"id", "name", "h"}, {{"name", {"h"}}})) {
    for (const std::string privilege : {"SELECT (", "INSERT ("}) {
      const auto at = statement.find(privilege);
      if (at == std::string::npos) continue;
      const auto list = statement.substr(at, statement.find(')', at) - at);
      EXPECT_EQ(list.find("\"name\""), std::string::npos) << statement;
    }
    EXPECT_EQ(statement.find("GRANT SELECT ON"), std::string::npos) << statement;
  }
}

TEST(Rights, ComeBackWithTheirGrantors) {
  const auto rights = rights_of({{"", "boss", "boss", "SELECT", false},
                                 {"", "a\"b", "boss", "SELECT", true},
                                 {"", "c", "a\"b", "SELECT", false},
                                 {"x", "", "boss", "UPDATE", false}});
  EXPECT_THAT(grant_again(rights, kTable),
              ElementsAre(R"(GRANT SELECT ON "s"."t" TO "boss")",
                          R"(GRANT SELECT ON "s"."t" TO "a""b" WITH GRANT OPTION)",
                          R"(SET LOCAL ROLE "a""b")", R"(GRANT SELECT ON "s"."t" TO "c")",
                          "SET LOCAL ROLE NONE", R"(GRANT UPDATE ("x") ON "s"."t" TO PUBLIC)"));
  EXPECT_THAT(revoke_all(rights, kTable),
              ElementsAre(R"(REVOKE ALL ON "s"."t" FROM "boss", PUBLIC, "a""b", "c" CASCADE)"));
  const auto again = Rights::from_json(rights.to_json()).value();
  EXPECT_EQ(again.owner, rights.owner);
  EXPECT_EQ(again.grants, rights.grants);
  EXPECT_FALSE(Rights::from_json(codec::Json{{"owner", 1}}));
}

TEST(IndexTextTest, TakesDefinitionsApart) {
  const auto index = parse_index(
      "CREATE UNIQUE INDEX \"od,d\" ON public.\"t USING (x\" USING btree (name COLLATE "
      "\"C\" text_pattern_ops DESC, \"Name\", lower((a || ','::text)), ward) INCLUDE "
      "(b) NULLS NOT DISTINCT WITH (fillfactor='80') WHERE (x > 0)");
  ASSERT_TRUE(index) << index.error().message();
  EXPECT_EQ(index->head, "CREATE UNIQUE INDEX \"od,d\"");
  EXPECT_EQ(index->method, "btree");
  EXPECT_THAT(index->elements, ElementsAre("name COLLATE \"C\" text_pattern_ops DESC", "\"Name\"",
                                           "lower((a || ','::text))", "ward"));
  EXPECT_EQ(index->tail, " INCLUDE (b) NULLS NOT DISTINCT WITH (fillfactor='80') WHERE (x > 0)");
  EXPECT_THAT(index->places_of("name"), ElementsAre(0));
  EXPECT_THAT(index->places_of("Name"), ElementsAre(1));
  EXPECT_THAT(index->places_of("lower"), ElementsAre());
  EXPECT_THAT(index->places_of("war"), ElementsAre());
  auto moved = *index;
  moved.elements[0] = "theriac_index_1";
  EXPECT_EQ(moved.sql(kTable),
            "CREATE UNIQUE INDEX \"od,d\" ON \"s\".\"t\" USING btree (theriac_index_1, \"Name\", "
            "lower((a || ','::text)), ward) INCLUDE (b) NULLS NOT DISTINCT WITH (fillfactor='80') "
            "WHERE (x > 0)");
  for (const std::string broken :
       {"", "CREATE INDEX x ON t", "CREATE INDEX x ON t USING btree",
        "CREATE INDEX x ON t USING btree (a", "x ON \" USING btree (a)"}) {
    EXPECT_FALSE(parse_index(broken)) << broken;
  }
}

TEST(Defaults, OnlyConstantsAreConstant) {
  for (const std::string constant :
       {"'a'::character varying", "'it''s'::text", "0", "-1", "'-1'::integer", "0.50",
        "(0)::numeric", "NULL::character varying", "'2026-01-01'::date", "'x'::varchar(20)",
        "''::text", "'2026-01-01 00:00:00+00'::timestamp with time zone", "true", "false",
        "'{}'::text[]", "'{}'::character varying(20)[]", R"(E'a\\b\''::text)"}) {
    EXPECT_TRUE(is_constant_default(constant)) << constant;
  }
  for (const std::string changing :
       {"now()", "('now'::text)::date", "CURRENT_USER", "nextval('s'::regclass)",
        "'a'::text || 'b'", "upper('a'::text)", "(1 + 2)", "'unclosed", "", "random()",
        "'a'::text)", "(0", "-", "NULLIF(1, 2)", R"(E'a\')", R"(E'a\'' || b)", "trueish()",
        "ARRAY[now()]"}) {
    EXPECT_FALSE(is_constant_default(changing)) << changing;
  }
}

TEST(Arrays, BinaryFormIsPostgresOwn) {
  ArrayParameter empty(17);
  EXPECT_EQ(to_hex(empty.binary()), "000000000000000000000011");
  ArrayParameter some(17);
  some.add(bytes_of("ab"));
  some.add_null();
  some.add({});
  EXPECT_EQ(to_hex(some.binary()),
            "00000001"  // dimensions
            "00000001"  // has nulls
            "00000011"  // bytea
            "00000003"
            "00000001"
            "000000026162"
            "ffffffff"
            "00000000");
  EXPECT_EQ(array_text({"a", "b\"c\\", ""}), R"({"a","b\"c\\",""})");
  EXPECT_EQ(array_text({}), "{}");
  EXPECT_EQ(bytea_of("\\x0aff").value(), (Bytes{0x0a, 0xff}));
  EXPECT_FALSE(bytea_of("0aff"));
  EXPECT_FALSE(bytea_of("\\x0"));
}

TEST(Entropy, Verdicts) {
  const auto low = [](std::int64_t rows, std::int64_t distinct, double top, double bits) {
    return is_low_entropy({"x", rows, distinct, top, bits, false, false});
  };
  EXPECT_TRUE(low(1000, 2, 0.5, 1.0));
  EXPECT_TRUE(low(1000, 500, 0.01, kEntropyBitsMin - 0.1));
  EXPECT_FALSE(low(1000, 500, 0.01, kEntropyBitsMin));
  EXPECT_FALSE(low(1000, 500, kTopShareMax, 9.0));
  EXPECT_TRUE(low(1000, 500, kTopShareMax + 0.001, 9.0));
  EXPECT_FALSE(low(100, 95, 0.01, 6.5));  // nearly unique: the bits are those of the table's size
  EXPECT_TRUE(low(100, 94, 0.01, 6.5));
  EXPECT_FALSE(low(kEntropyRowsMin - 1, 1, 1.0, 0.0));
  EXPECT_TRUE(low(kEntropyRowsMin, 1, 1.0, 0.0));
}

TEST(Form, NamesVersionSuiteFlagsAndLength) {
  RegisteredColumn column;
  column.number = 4;
  column.suite = 2;
  EXPECT_EQ(
      form_condition(column),
      "theriac_sealed_4 IS NULL OR (octet_length(theriac_sealed_4) >= 51 AND "
      "substring(theriac_sealed_4, 1, 2) = '\\x0102'::bytea AND substring(theriac_sealed_4, 3, "
      "1) IN ('\\x00'::bytea, '\\x02'::bytea))");
  column.bound = true;
  EXPECT_NE(form_condition(column).find(">= 67"), std::string::npos);
  EXPECT_NE(form_condition(column).find("'\\x01'::bytea, '\\x03'"), std::string::npos);
}

TEST(Errors, SayWhatWasBeingDone) {
  const auto busy = while_doing("locking t", Error{Code::kUpstream, "SQLSTATE 55P03"});
  EXPECT_EQ(busy.value().code, Code::kBusy);
  const auto other = while_doing("locking t", Error{Code::kUpstream, "SQLSTATE 42P01"});
  EXPECT_EQ(other.value().where, "locking t: SQLSTATE 42P01");
}

}  // namespace
}  // namespace theriac::protect
