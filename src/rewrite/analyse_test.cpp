// What golden cases cannot say: the catalogue's look-ups, limits, scanning, the second look.
#include <google/protobuf/arena.h>
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <functional>
#include <thread>

#include "rewrite/limits.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/scan.hpp"
#include "rewrite/test_catalogue.hpp"
#include "rewrite/tree.hpp"
#include "rewrite/verify.hpp"

namespace theriac::rewrite {
namespace {

const Catalogue& catalogue() {
  static const auto made = testing::test_catalogue();
  return made;
}

Action action_of(std::string_view sql, const Context& context = {}) {
  const auto plan = analyse(sql, catalogue(), context);
  EXPECT_TRUE(plan.has_value()) << sql;
  return plan && plan->statements.size() == 1 ? plan->statements[0].action : Action::kRefuse;
}

TEST(Catalogue, FindsAlongTheSearchPath) {
  EXPECT_EQ(catalogue().find("", "customers", {"public"})->oid, 1001U);
  EXPECT_EQ(catalogue().find("", "customers", {"other", "public"})->oid, 1006U);
  EXPECT_EQ(catalogue().find("", "customers", {"nowhere"}), nullptr);
  EXPECT_EQ(catalogue().find("other", "customers", {})->oid, 1006U);
  EXPECT_EQ(catalogue().find("", "pg_class", {"public"})->oid, 1259U);
  EXPECT_EQ(catalogue().find(1005)->name, "devices");
  EXPECT_EQ(catalogue().find(4), nullptr);
  EXPECT_TRUE(catalogue().has_protected());
}

TEST(Catalogue, SystemSchemaComesFirstUnlessNamed) {
  std::vector<Relation> two;
  two.push_back(testing::RelationMaker(1, "pg_catalog", "t").make());
  two.push_back(testing::RelationMaker(2, "public", "t").make());
  const Catalogue made(1, std::move(two));
  EXPECT_EQ(made.find("", "t", {"public"})->oid, 1U);
  EXPECT_EQ(made.find("", "t", {"public", "pg_catalog"})->oid, 2U);
}

TEST(Catalogue, MayConcernSeesEveryWayToWriteAName) {
  for (const auto* sql : {"select * from customers",
                          "SELECT * FROM CUSTOMERS",
                          "x\"customers\"y",
                          "'customers'",
                          "customers",
                          "(customers)",
                          "a.customers.b",
                          "1customers",
                          "$a$customers$a$",
                          "x$customers",
                          "theriac",
                          "THERIAC_ROW",
                          "my_theriac_x",
                          "U&\"\\0063ustomers\"",
                          "u&\"x\"",
                          "select 1 from \"Odd Name\"",
                          "select 1 from \"odd name\"",
                          "v_customers",
                          "samples",
                          "/* customers */",
                          "--customers"}) {
    EXPECT_TRUE(catalogue().may_concern(sql)) << sql;
  }
  for (const auto* sql : {"select 1", "customer", "customersx", "xcustomers", "orders", "devices",
                          "", "U&'x'", "custom ers", "odd_name"}) {
    EXPECT_FALSE(catalogue().may_concern(sql)) << sql;
  }
}

TEST(Catalogue, OnlyTextsThatNameOverlaidObjectsAreLookedInto) {
  for (const auto* sql : {"select 1 from pg_class", "PG_ATTRIBUTE", "x.\"pg_class\"",
                          "has_table_privilege('t', 'select')", "information_schema.columns",
                          "restrict_nonsystem_relation_kind", "U&\"\\0070g_class\""}) {
    EXPECT_TRUE(catalogue().may_read_overlaid(sql, false)) << sql;
  }
  for (const auto* sql : {"select columns from tables", "pg_classes", "pg_type", "xpg_class",
                          "insert into orders values (1)", ""}) {
    EXPECT_FALSE(catalogue().may_read_overlaid(sql, false)) << sql;
  }
  // Where the search path leads to information_schema, its names count.
  EXPECT_TRUE(catalogue().may_read_overlaid("select 1 from columns", true));
  EXPECT_FALSE(catalogue().may_read_overlaid("select 1 from orders", true));
  EXPECT_FALSE(Catalogue(1, {}).may_read_overlaid("select 1 from pg_class", true));
}

TEST(Overlay, NamesResolveAlongTheSearchPath) {
  const auto sent = [](const std::string& sql, std::vector<std::string> path) {
    const auto plan = analyse(sql, catalogue(), Context{std::move(path)});
    return plan ? plan->statements.at(0).sql : std::string("?");
  };
  EXPECT_EQ(sent("SELECT 1 FROM tables", {"public"}), "");
  EXPECT_EQ(sent("SELECT 1 FROM tables", {"public", "information_schema"}),
            "SELECT 1 FROM theriac_catalog.tables tables");
  // A table of the client's in front of them, and pg_catalog named late.
  std::vector<Relation> own;
  own.push_back(testing::RelationMaker(1, "public", "pg_class").plain("x").make());
  own.push_back(testing::RelationMaker(2, "public", "t").secret(1, "a", "c", "d").helpers().make());
  const Catalogue made(1, std::move(own), {}, false, Overlay{{"pg_class"}, {}, {}});
  const auto action = [&](std::vector<std::string> path) {
    return analyse("SELECT x FROM pg_class", made, Context{std::move(path)})->statements[0].action;
  };
  EXPECT_EQ(action({"public"}), Action::kRewrite);
  EXPECT_EQ(action({"public", "pg_catalog"}), Action::kForward);
  EXPECT_EQ(action({"pg_catalog", "public"}), Action::kRewrite);
}

TEST(Overlay, CatalogueStatementsNeedNoRights) {
  const auto plan = analyse("SELECT relname FROM pg_class WHERE oid = $1", catalogue(), Context{});
  ASSERT_TRUE(plan);
  const auto& statement = plan->statements.at(0);
  EXPECT_TRUE(statement.only_catalogues);
  EXPECT_TRUE(statement.classes_read.empty() && statement.outputs.empty());
  ASSERT_EQ(statement.slots.size(), 1U);
  EXPECT_EQ(statement.slots[0].fill, Slot::Fill::kPass);
}

TEST(Catalogue, NamesAtTheLengthLimitAreFoundInLongerWords) {
  const std::string name(63, 'n');
  std::vector<Relation> one;
  one.push_back(
      testing::RelationMaker(1, "public", name).secret(1, "a", "c", "d").helpers().make());
  one.push_back(
      testing::RelationMaker(2, "public", "quo\"ted").secret(2, "a", "c", "d").helpers().make());
  const Catalogue made(1, std::move(one));
  EXPECT_TRUE(made.may_concern("SELECT 1 FROM " + name));
  EXPECT_TRUE(made.may_concern("SELECT 1 FROM " + name + "_and_more"));
  EXPECT_FALSE(made.may_concern("SELECT 1 FROM " + name.substr(1)));
  EXPECT_TRUE(made.may_concern("SELECT 1 FROM \"quo\"\"ted\""));
  // The parser cuts it as the server does.
  const auto plan = analyse("SELECT a FROM " + name + "_and_more", made, Context{});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->statements[0].action, Action::kRewrite);
}

TEST(Analyse, SearchPathDecidesWhatANameMeans) {
  const std::string sql = "SELECT name FROM customers";
  EXPECT_EQ(action_of(sql), Action::kRewrite);
  EXPECT_EQ(action_of(sql, {{"other", "public"}}), Action::kForward);
  EXPECT_EQ(action_of("SELECT subject FROM samples", {{"lab"}}), Action::kRewrite);
  EXPECT_EQ(action_of(sql, {{"nowhere"}}), Action::kRefuse);
  EXPECT_EQ(action_of("INSERT INTO customers (name) VALUES ('x')", {{}}), Action::kRefuse);
}

TEST(Analyse, ForwardedTextIsTheSameBytes) {
  for (const std::string sql :
       {"SELECT 1", " \t SELECT  id FROM customers ; ", "sElEcT/**/1 --x"}) {
    const auto plan = analyse(sql, catalogue(), Context{});
    ASSERT_TRUE(plan);
    ASSERT_EQ(plan->statements.size(), 1U);
    EXPECT_EQ(plan->statements[0].action, Action::kForward);
    EXPECT_EQ(plan->statements[0].text, sql);
  }
  const auto plan = analyse("SELECT 1;SELECT 'ä;b' ; DELETE FROM orders", catalogue(), Context{});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->statements.size(), 3U);
  EXPECT_EQ(plan->statements[0].text, "SELECT 1");
  EXPECT_EQ(plan->statements[1].text, "SELECT 'ä;b' ");
  EXPECT_EQ(plan->statements[2].text, " DELETE FROM orders");
  EXPECT_TRUE(plan->all_forward());
  EXPECT_EQ(plan->epoch, 7U);
}

TEST(Analyse, CountsClientParameters) {
  const auto plan = analyse("SELECT $3::int, name FROM customers WHERE name = $1", catalogue(), {});
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->statements[0].client_parameters, 3);
  EXPECT_EQ(plan->statements[0].slots.size(), 2U);
  EXPECT_TRUE(plan->statements[0].returns_rows);
}

TEST(Analyse, TextThatIsNotUtf8IsRefused) {
  const auto plan = analyse("SELECT name FROM customers WHERE name = '\xff'", catalogue(), {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kBadEncoding);
}

TEST(Analyse, SyntaxErrorsGiveAPosition) {
  const auto plan = analyse("SELECT name FRM customers x y", catalogue(), {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kSyntax);
  EXPECT_TRUE(plan.error().where.starts_with("position ")) << plan.error().where;
  const auto zero =
      analyse(std::string_view("SELECT name FROM customers\0 x", 29), catalogue(), {});
  ASSERT_FALSE(zero);
  EXPECT_EQ(zero.error().code, Code::kSyntax);
}

TEST(Limits, BytesOfAStatement) {
  std::string sql = "SELECT name FROM customers -- ";
  sql.append(kSqlBytesMax - sql.size(), 'x');
  EXPECT_TRUE(analyse(sql, catalogue(), {}));
  sql.push_back('x');
  const auto plan = analyse(sql, catalogue(), {});
  ASSERT_FALSE(plan);
  EXPECT_EQ(plan.error().code, Code::kTooLarge);
}

std::string repeated(std::string_view what, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += what;
  return out;
}

/// Texts that grow deep in one way each.
std::vector<std::function<std::string(std::size_t)>> deep_texts() {
  return {
      [](std::size_t n) { return "SELECT 1" + repeated("+1", n) + " FROM customers"; },
      [](std::size_t n) { return "SELECT 1" + repeated("::int", n) + " FROM customers"; },
      [](std::size_t n) { return "SELECT " + repeated("NOT ", n) + "true FROM customers"; },
      [](std::size_t n) { return "SELECT " + repeated("- ", n) + "id FROM customers"; },
      [](std::size_t n) {
        return "SELECT " + repeated("(", n) + "id" + repeated(")", n) + " FROM customers";
      },
      [](std::size_t n) {
        return "SELECT " + repeated("abs(", n) + "1" + repeated(")", n) + " FROM customers";
      },
      [](std::size_t n) {
        return "SELECT " + repeated("ARRAY[", n) + "1" + repeated("]", n) + " FROM customers";
      },
      [](std::size_t n) {
        return "SELECT " + repeated("CASE WHEN true THEN ", n) + "1" + repeated(" END", n) +
               " FROM customers";
      },
      [](std::size_t n) {
        return repeated("SELECT id FROM customers WHERE id IN (", n) + "1" + repeated(")", n);
      },
      [](std::size_t n) { return "SELECT id FROM customers" + repeated(" UNION ALL SELECT 1", n); },
      [](std::size_t n) { return "SELECT 1 FROM customers" + repeated(" CROSS JOIN devices", n); },
      [](std::size_t n) {
        return "SELECT note" + repeated(" COLLATE \"C\"", n) + " FROM customers";
      },
      [](std::size_t n) {
        return "SELECT seen" + repeated(" AT TIME ZONE 'UTC'", n) + " FROM customers";
      },
      [](std::size_t n) {
        return "SELECT 1" + repeated(" OPERATOR(pg_catalog.+) 1", n) + " FROM customers";
      },
      [](std::size_t n) {
        return "SELECT 1 FROM customers WHERE true" + repeated(" AND (true OR (true", n) +
               repeated("))", n);
      },
      [](std::size_t n) {
        std::string out = "SELECT 1 FROM customers";
        for (std::size_t i = 0; i < n; ++i) out = "SELECT 1 FROM (" + out + ") q";
        return out;
      },
  };
}

TEST(Limits, DeepTextsAreRefusedBeforeTheyAreParsed) {
  for (const auto& text : deep_texts()) {
    const auto sql = text(6'000);
    const auto plan = analyse(sql, catalogue(), {});
    ASSERT_FALSE(plan) << sql.substr(0, 60);
    EXPECT_EQ(plan.error().code, Code::kTooLarge) << sql.substr(0, 60);
  }
}

TEST(Limits, TextsOfTheGreatestDepthDoNotEndTheStack) {
  for (const auto& text : deep_texts()) {
    std::size_t low = 1;
    std::size_t high = 6'000;
    while (low + 1 < high) {
      const auto middle = (low + high) / 2;
      (nesting(text(middle)) <= kSqlNestingMax ? low : high) = middle;
    }
    // Whatever the answer: it is one, and a rewritten statement is never this deep.
    const auto plan = analyse(text(low), catalogue(), {});
    if (plan && plan->statements[0].action == Action::kRefuse) {
      EXPECT_EQ(plan->statements[0].refusal->sqlstate, "54001") << text(low).substr(0, 60);
    }
  }
}

TEST(Limits, LongButFlatTextsPass) {
  std::string in = "SELECT id FROM customers WHERE name IN ('x'";
  std::string either = "SELECT id FROM customers WHERE name = 'x'";
  std::string rows = "INSERT INTO usage (id, patient) VALUES (1, 'x')";
  std::string branches = "SELECT CASE WHEN name = 'x' THEN 1";
  for (int i = 0; i < 5'000; ++i) {
    in += ", 'x'";
    either += " OR id = 7 + 3";
    rows += ", (1, 'x')";
    branches += " WHEN id = 4 THEN 2 + 2";
  }
  EXPECT_EQ(action_of(in + ")"), Action::kRewrite);
  EXPECT_EQ(action_of(either), Action::kRewrite);
  EXPECT_EQ(action_of(rows), Action::kRewrite);
  EXPECT_EQ(action_of(branches + " END FROM customers"), Action::kRewrite);
}

TEST(Limits, SlotsOfOneStatement) {
  const auto rows = [](std::size_t count) {
    std::string sql = "INSERT INTO batches (recipe) VALUES ('x')";
    for (std::size_t i = 1; i < count; ++i) sql += ", ('x')";
    return sql;
  };
  // A sealed value and a row identity for each row.
  EXPECT_EQ(action_of(rows(kSlotsMax / 2)), Action::kRewrite);
  const auto plan = analyse(rows(kSlotsMax / 2 + 1), catalogue(), {});
  ASSERT_TRUE(plan);
  ASSERT_EQ(plan->statements[0].action, Action::kRefuse);
  EXPECT_EQ(plan->statements[0].refusal->sqlstate, "54000");
}

TEST(Scan, SimpleStatementsOnly) {
  EXPECT_EQ(simple_statement("SELECT 1"), "SELECT");
  EXPECT_EQ(simple_statement("  insert INTO t VALUES (1);  "), "INSERT");
  EXPECT_EQ(simple_statement("update t set a = 'x; y'"), "UPDATE");
  EXPECT_EQ(simple_statement("DELETE FROM t -- all; of it"), "DELETE");
  for (const auto* sql :
       {"SELECT 1; SELECT 2", "SELECT $1", "SELECT 1 INTO t", "SELECT a into t from b",
        "SELECT set_config('a', 'b', false)", "SELECT \"set_config\"('a', 'b', false)",
        "UPDATE pg_settings SET setting = 'x'", "BEGIN", "SET a = b",
        "WITH x AS (SELECT 1) SELECT 1", "", ";", "(SELECT 1)", "EXPLAIN SELECT 1",
        "COPY t FROM STDIN", "VALUES (1)", "INSERT INTO t SELECT 1 INTO u",
        "SELECT SET_CONFIG('a', 'b', false)", "/* x */ BEGIN"}) {
    EXPECT_FALSE(simple_statement(sql)) << sql;
  }
}

TEST(Scan, NestingIsNotFarBelowTheTruth) {
  for (const auto& text : deep_texts()) {
    for (const std::size_t n : {1U, 5U, 40U}) {
      const auto sql = text(n);
      google::protobuf::Arena arena;
      auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
      ASSERT_TRUE(parse(sql, *tree)) << sql;
      EXPECT_LE(depth_of(*tree), 2 * nesting(sql) + 12) << sql;
    }
  }
}

std::optional<std::string> second_look(std::string_view sql) {
  google::protobuf::Arena arena;
  auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  EXPECT_TRUE(parse(sql, *tree)) << sql;
  return plain_reference(tree->stmts(0).stmt(), catalogue(), {"public"});
}

TEST(SecondLook, FindsEveryWayToNameAPlainColumn) {
  for (const auto* sql :
       {"SELECT name FROM customers",
        "SELECT c.name FROM customers c",
        "SELECT * FROM customers",
        "SELECT c.* FROM customers c",
        "SELECT c FROM customers c",
        "SELECT public.customers.name FROM public.customers",
        "SELECT (c).name FROM customers c",
        "SELECT c.to_json FROM customers c",
        "SELECT 1 FROM customers WHERE name = 'x'",
        "SELECT 1 FROM customers ORDER BY name",
        "SELECT 1 FROM customers GROUP BY name",
        "SELECT id AS name FROM customers GROUP BY name",
        "SELECT (SELECT name) FROM customers",
        "SELECT 1 FROM orders JOIN customers USING (name)",
        "SELECT 1 FROM devices NATURAL JOIN customers",
        "SELECT x.id FROM (customers CROSS JOIN orders) x",
        "SELECT 1 FROM orders o WHERE EXISTS (SELECT name FROM customers)",
        "SELECT q.x FROM (SELECT name AS x FROM customers) q",
        "WITH w AS (SELECT name FROM customers) SELECT 1 FROM w",
        "SELECT b FROM customers AS c(a, b)",
        "SELECT lower(name) FROM customers",
        "SELECT count(*) FILTER (WHERE name = 'x') FROM customers",
        "SELECT sum(1) OVER (PARTITION BY name) FROM customers",
        "SELECT l.x FROM customers c, LATERAL (SELECT c.name AS x) l",
        "SELECT f FROM customers c, unnest(ARRAY[c.name]) f",
        "INSERT INTO customers (name) VALUES ('x')",
        "INSERT INTO customers VALUES (1)",
        "INSERT INTO usage (id) VALUES (1) RETURNING patient",
        "INSERT INTO usage (id) VALUES (1) ON CONFLICT (patient) DO NOTHING",
        "INSERT INTO usage (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET patient = 'x'",
        "INSERT INTO usage (id) VALUES (1) ON CONFLICT (id) DO UPDATE SET used = excluded.patient",
        "UPDATE customers SET name = 'x'",
        "UPDATE customers SET note = name",
        "UPDATE customers SET note = 'x' WHERE name = 'x'",
        "UPDATE orders SET contact = c.name FROM customers c",
        "DELETE FROM customers WHERE name = 'x'",
        "DELETE FROM customers RETURNING *",
        "DELETE FROM orders USING customers c WHERE c.name = 'x'",
        "SELECT name FROM customers UNION ALL SELECT 'x'",
        "SELECT 1 FROM customers LIMIT (SELECT credit FROM customers)"}) {
    EXPECT_TRUE(second_look(sql).has_value()) << sql;
  }
}

TEST(SecondLook, LetsOthersPass) {
  for (const auto* sql :
       {"SELECT id, note FROM customers", "SELECT theriac_sealed_1 AS name FROM customers",
        "SELECT customers.theriac_sealed_1 AS name FROM customers ORDER BY customers.id",
        "SELECT q.name FROM (SELECT theriac_sealed_1 AS name FROM customers) q",
        "WITH w AS (SELECT theriac_sealed_1 AS name FROM customers) SELECT w.name, name FROM w",
        "SELECT d.name FROM customers c, devices d", "SELECT name FROM devices",
        "SELECT (SELECT name FROM devices LIMIT 1) FROM customers",
        "SELECT id AS name FROM customers ORDER BY name", "SELECT name FROM other.customers",
        "UPDATE customers SET name = NULL, theriac_sealed_1 = $1 WHERE id = 1",
        "INSERT INTO customers (id, theriac_sealed_1) VALUES (1, $1)",
        "SELECT count(*) FROM customers", "SELECT ctid, c.tableoid FROM customers c",
        "SELECT o.* FROM orders o JOIN customers c ON c.id = o.customer_id",
        "WITH customers AS (SELECT 1 AS name) SELECT name, * FROM customers"}) {
    EXPECT_EQ(second_look(sql), std::nullopt) << sql;
  }
}

TEST(Analyse, IsThreadSafe) {
  std::vector<std::thread> threads;
  std::array<int, 4> good{};
  for (auto& count : good) {
    threads.emplace_back([&count] {
      for (int i = 0; i < 100; ++i) {
        const auto plan = analyse("SELECT * FROM customers WHERE name = 'x'", catalogue(), {});
        count += plan && plan->statements[0].action == Action::kRewrite ? 1 : 0;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good, (std::array<int, 4>{100, 100, 100, 100}));
}

TEST(Analyse, PiecesOfStatementsNeverLeaveAPlainColumn) {
  // Words thrown together: most do not parse; what passes must pass the second look as well.
  const std::vector<std::string> words{
      "SELECT",  "name",      "id",           "*",         ",",
      "FROM",    "customers", "usage",        "c",         "AS",
      "WHERE",   "=",         "'x'",          "(",         ")",
      "JOIN",    "ON",        "true",         "USING",     "c.name",
      "IN",      "GROUP BY",  "ORDER BY",     "UNION ALL", "1",
      "patient", "UPDATE",    "SET",          "NULL",      "LATERAL",
      "WITH",    "w",         "customers.id", "count("};
  EXPECT_TRUE(rc::check([&](const std::vector<std::uint8_t>& choice) {
    std::string sql = "SELECT name FROM customers WHERE id IN (SELECT ";
    for (const auto one : choice) sql += words[one % words.size()] + " ";
    sql += ")";
    const auto plan = analyse(sql, catalogue(), {});
    if (!plan) return;
    for (const auto& statement : plan->statements) {
      if (statement.action == Action::kRefuse) continue;
      const auto& sent = statement.sql.empty() ? statement.text : statement.sql;
      RC_ASSERT(!second_look(sent).has_value());
    }
  }));
}

}  // namespace
}  // namespace theriac::rewrite
