// Views over protected columns: made again while their tables are sealed, and given back exactly.
#include "fixture.hpp"
#include "protect/catalogue_loader.hpp"

namespace theriac::protect {
namespace {

const char* const kPolicy = R"yaml(version: 1
tenant: test
classes: {person: {buckets: [32]}, batch: {bind_rows: true, buckets: [32]}}
columns:
  - {table: public.people, column: name, class: person, searchable: true, domain: names,
     accept_leakage: true, search: [{name: initial, expression: "left(value, 1)"
}]
}
  - {table: public.people, column: phone, class: person}
  - {table: public.lots, column: code, class: batch, searchable: true, domain: codes}
  - {table: public.lots, column: maker, class: person, searchable: true, domain: names,
     accept_leakage: true}
roles: {erp_app: {person: clear, batch: clear}}
)yaml";

/// Once table lots is opened.
const char* const kPeople = R"yaml(version: 1
tenant: test
classes: {person: {buckets: [32]}}
columns:
  - {table: public.people, column: name, class: person, searchable: true, domain: names,
     accept_leakage: true, search: [{name: initial, expression: "left(value, 1)"}]}
  - {table: public.people, column: phone, class: person}
roles: {erp_app: {person: clear}}
)yaml";

class Views : public ProtectTest {
 protected:
  void SetUp() override {
    ProtectTest::SetUp();
    sql(R"(
SET ROLE erp_owner;
CREATE TABLE people (id integer PRIMARY KEY, name varchar(40) NOT NULL, phone text COLLATE "C", ward text);
CREATE TABLE lots (lot integer PRIMARY KEY, code varchar(20), maker text, person integer);
INSERT INTO people SELECT n, 'name ' || n % 10, '138' || n, 'w' || n % 3 FROM generate_series(1, 60) n;
INSERT INTO lots SELECT n, 'code ' || n, 'name ' || n % 5, n FROM generate_series(1, 30) n;
GRANT SELECT, INSERT, UPDATE, DELETE ON people, lots TO erp_app;
CREATE VIEW plain AS SELECT id, ward FROM people;
CREATE VIEW directory (number, "Full Name", tel, ward) WITH (security_barrier) AS
  SELECT id, name, phone, ward FROM people WHERE id > 6;
COMMENT ON VIEW directory IS 'who';
COMMENT ON COLUMN directory."Full Name" IS 'as on the card';
ALTER VIEW directory ALTER COLUMN ward SET DEFAULT 'w9';
GRANT SELECT ON directory TO erp_app WITH GRANT OPTION;
GRANT SELECT (number, "Full Name"), DELETE ON directory TO reader;
CREATE VIEW pairs AS SELECT l.lot, l.code, p.name, p.phone, l.maker FROM lots l
  LEFT JOIN people p ON p.id = l.person AND p.id > 15;
CREATE VIEW names AS SELECT name FROM people UNION SELECT maker FROM lots;
CREATE VIEW counted AS SELECT "Full Name" AS name, count(*) AS n FROM directory GROUP BY 1;
CREATE VIEW total AS SELECT count(DISTINCT name) AS n FROM people;
CREATE VIEW chain AS SELECT c.n, b.code FROM counted c JOIN pairs b ON b.name = c.name;
CREATE VIEW only_numbers AS SELECT number FROM directory;
GRANT SELECT ON only_numbers, pairs, names, counted, total, chain TO erp_app;
RESET ROLE;
)");
  }
  std::string counts() {
    return value(
        "SELECT (SELECT count(*) FROM directory) || ' ' || (SELECT count(*) FROM pairs) || ' ' || "
        "(SELECT count(*) FROM names) || ' ' || (SELECT count(*) FROM counted) || ' ' || "
        "(SELECT n FROM total) || ' ' || (SELECT string_agg(code, ',' ORDER BY code) FROM chain "
        "WHERE code IS NOT NULL)");
  }
};

TEST_F(Views, AreMadeAgainAndComeBackAsTheyWere) {
  const auto schema = dump();
  const auto before = counts();
  const auto sealed = protect(kPolicy);
  ASSERT_TRUE(sealed) << sealed.error().message();
  EXPECT_THAT(value("SELECT string_agg(attname, ' ' ORDER BY attnum) FROM pg_attribute WHERE "
                    "attrelid = 'directory'::regclass AND attnum > 4"),
              "theriac_sealed_v2 theriac_index_v2 theriac_index_v2_initial theriac_sealed_v3");
  // The same rows; what they show of protected columns is NULL.
  EXPECT_EQ(value("SELECT count(*) FROM directory"), "54");
  EXPECT_EQ(value("SELECT count(theriac_sealed_v2) FROM directory"), "54");
  EXPECT_EQ(value("SELECT count(\"Full Name\") FROM directory"), "0");
  EXPECT_EQ(value("SELECT count(*) FROM names"), "10");
  EXPECT_EQ(value("SELECT n FROM total"), "10");
  EXPECT_EQ(value("SELECT count(*) FROM counted"), "10");
  EXPECT_EQ(value("SELECT count(theriac_sealed_v3) FROM pairs"), "15");
  // Of a bound table the row identity stands in front.
  EXPECT_EQ(
      value("SELECT bool_and(length(theriac_sealed_v2) > 16 AND EXISTS (SELECT FROM lots l "
            "WHERE uuid_send(l.theriac_row) = substr(b.theriac_sealed_v2, 1, 16))) FROM pairs b"),
      "t");
  EXPECT_EQ(value("SELECT obj_description('directory'::regclass)"), "who");
  for (const std::string role : {"erp_owner", "erp_app"}) {
    EXPECT_EQ(state_of(role, "SELECT \"Full Name\" FROM directory"), "42501") << role;
    EXPECT_EQ(state_of(role, "SELECT * FROM pairs"), "42501") << role;
    EXPECT_EQ(state_of(role, "SELECT number, theriac_sealed_v2 FROM directory"), "ok") << role;
    EXPECT_EQ(state_of(role, "SELECT n FROM total"), "ok") << role;
    EXPECT_EQ(state_of(role, "SELECT n, theriac_sealed_v2 FROM chain"), "ok") << role;
  }
  EXPECT_EQ(state_of("reader", "SELECT theriac_sealed_v2 FROM directory"), "ok");
  EXPECT_EQ(state_of("reader", "SELECT theriac_sealed_v3 FROM directory"), "42501");
  ASSERT_TRUE(protect(kPolicy));

  const auto opened = unprotect();
  ASSERT_TRUE(opened) << opened.error().message();
  EXPECT_EQ(counts(), before);
  EXPECT_EQ(dump(), schema);
}

TEST_F(Views, AreKnownToTheGateway) {
  ASSERT_TRUE(protect(kPolicy));
  auto database = connect("theriac_gateway");
  const auto loaded = load_catalogue(database, policy::parse_policy(kPolicy, "p").value(), 1);
  ASSERT_TRUE(loaded) << loaded.error().message();
  const auto& directory = *(*loaded)->find("public", "directory", {});
  EXPECT_TRUE(directory.recreated);
  EXPECT_FALSE(directory.reads_protected);
  const auto& name = directory.find("Full Name")->protection;
  ASSERT_TRUE(name.has_value());
  EXPECT_EQ(name->sealed_name(), "theriac_sealed_v2");
  EXPECT_EQ(name->domain, "names");
  EXPECT_EQ(name->field, (*loaded)->find("public", "people", {})->find("name")->protection->field);
  EXPECT_EQ(name->expressions.size(), 1U);
  EXPECT_TRUE(directory.find("theriac_sealed_v2")->helper);
  EXPECT_FALSE(directory.find("number")->protection.has_value());
  const auto& pairs = *(*loaded)->find("public", "pairs", {});
  EXPECT_TRUE(pairs.find("code")->protection->origins.front().with_row);
  EXPECT_FALSE(pairs.find("name")->protection->origins.front().with_row);
  EXPECT_EQ((*loaded)->find("public", "names", {})->find("name")->protection->origins.size(), 2U);
  // Who reads chain compares names, because counted and pairs do.
  EXPECT_EQ((*loaded)->find("public", "chain", {})->compared.size(), 1U);
  EXPECT_EQ((*loaded)->find("public", "names", {})->compared.size(), 2U);
  EXPECT_TRUE((*loaded)->find("public", "pairs", {})->compared.empty());
  const auto& total = *(*loaded)->find("public", "total", {});
  EXPECT_TRUE(total.recreated && !total.is_protected() && !total.reads_protected);
  EXPECT_FALSE((*loaded)->find("public", "plain", {})->recreated);
  EXPECT_FALSE((*loaded)->find("public", "only_numbers", {})->reads_protected);
  // One whose helpers are gone is refused, not guessed at.
  sql("DROP VIEW directory CASCADE; "
      "CREATE VIEW directory AS SELECT id, name FROM people");
  const auto again = load_catalogue(database, policy::parse_policy(kPolicy, "p").value(), 2);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_TRUE((*again)->find("public", "directory", {})->reads_protected);
}

TEST_F(Views, SurviveWhenOneOfTwoTablesIsOpened) {
  const auto schema = dump();
  ASSERT_TRUE(protect(kPolicy));
  {
    auto database = connect();
    lease::FixedKeys keys(
        ring_for({{"person", seal::Suite::kXaes256Gcm}, {"batch", seal::Suite::kXaes256Gcm}}));
    const Services services{
        database, keys, random_, audit_, "tester", progress_, [] { return false; }};
    const auto lots = unprotect_tables(services, {"public.lots"});
    ASSERT_TRUE(lots) << lots.error().message();
  }
  EXPECT_EQ(
      value("SELECT count(code) || ' ' || count(name) || ' ' || count(theriac_sealed_v3) FROM "
            "pairs"),
      "30 0 15");
  EXPECT_EQ(
      value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'pairs'::regclass AND attname = "
            "'theriac_sealed_v2'"),
      "0");
  {
    // Over plain columns of a view: known for what it is though what it stood beside is opened.
    auto database = connect("theriac_gateway");
    const auto loaded = load_catalogue(database, policy::parse_policy(kPeople, "p").value(), 1);
    ASSERT_TRUE(loaded) << loaded.error().message();
    EXPECT_TRUE((*loaded)->find("public", "only_numbers", {})->recreated);
    EXPECT_EQ((*loaded)->find("public", "counted", {})->compared.size(), 1U);
  }
  // It compares both tables' names: nobody sees anything of it until both are opened.
  EXPECT_EQ(state_of("erp_app", "SELECT * FROM names"), "42501");
  ASSERT_TRUE(unprotect());
  EXPECT_EQ(dump(), schema);
}

TEST_F(Views, MadePastTheGatewayAreFoundByTheNextRun) {
  ASSERT_TRUE(protect(kPolicy));
  sql("CREATE VIEW late AS SELECT phone, name FROM people");
  EXPECT_EQ(state_of("postgres", "SELECT theriac_sealed_v1 FROM late"), "42703");
  ASSERT_TRUE(protect(kPolicy));
  EXPECT_EQ(value("SELECT count(theriac_sealed_v1) FROM late"), "60");
}

}  // namespace
}  // namespace theriac::protect
