// What stands in the way of protection is named, with a remedy, before anything is changed.
#include "fixture.hpp"

namespace theriac::protect {
namespace {

using testing::HasSubstr;

class Refusal : public ProtectTest {
 protected:
  void SetUp() override {
    ProtectTest::SetUp();
    sql("SET ROLE erp_owner; CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL, "
        "phone varchar(20), born date, ward text); "
        "INSERT INTO people SELECT n, 'name ' || n, '138' || n, '1990-01-01', 'w' "
        "FROM generate_series(1, 100) n; GRANT ALL ON people TO erp_app");
  }
  static std::string policy(const std::string& columns = "phone",
                            const std::string& more = "searchable: true",
                            const std::string& roles = "erp_app: {person: clear}",
                            const std::string& table = "public.people") {
    return "version: 1\ntenant: test\nclasses: {person: {buckets: [32]}}\ncolumns:\n  - {table: " +
           table + ", column: " + columns + ", class: person" + (more.empty() ? "" : ", ") + more +
           "}\nroles: {" + roles + "}\n";
  }
  /// `setup` makes an obstacle: it is found, refused with a remedy, and nothing was changed.
  void expect_refused(const std::string& setup, const std::string& what,
                      const std::string& yaml = policy()) {
    sql(setup);
    const auto before = dump();
    const auto inspection = inspected(yaml);
    bool found = false;
    for (const auto& finding : inspection.findings) {
      if (finding.severity != Severity::kRefused) continue;
      EXPECT_FALSE(finding.remedy.empty()) << finding.what;
      found = found || finding.what.find(what) != std::string::npos;
    }
    EXPECT_TRUE(found) << what << "\n" << inspection.to_json().dump(1);
    const auto refused = protect(yaml);
    ASSERT_FALSE(refused) << what;
    EXPECT_EQ(refused.error().code, Code::kPolicyInvalid) << refused.error().message();
    EXPECT_EQ(dump(), before);
  }
  /// `setup` is no obstacle.
  void expect_accepted(const std::string& setup, const std::string& yaml = policy()) {
    sql(setup);
    const auto inspection = inspected(yaml);
    EXPECT_FALSE(inspection.refused()) << setup << "\n" << inspection.to_json().dump(1);
  }
};

TEST_F(Refusal, ThingsThatAreNotThere) {
  expect_refused("SELECT", "no such column", policy("fax"));
  expect_refused("SELECT", "no such table", policy("phone", "", "erp_app: {}", "public.persons"));
  expect_refused("CREATE VIEW v AS SELECT id AS x FROM people", "ordinary table",
                 policy("x", "", "erp_app: {}", "public.v"));
}

TEST_F(Refusal, Types) {
  expect_refused("ALTER TABLE people ADD place point", "type point", policy("place", ""));
  expect_refused("ALTER TABLE people ADD page xml[]", "type xml[]", policy("page", ""));
  expect_refused("ALTER TABLE people ADD answers json", "has no equality", policy("answers"));
  expect_refused("ALTER TABLE people ADD lists json[]", "has no equality", policy("lists"));
  expect_refused("CREATE DOMAIN tel AS text CHECK (value <> ''); ALTER TABLE people ADD fax tel",
                 "its domain has a CHECK", policy("fax", ""));
  expect_refused(
      "CREATE DOMAIN must AS text NOT NULL; ALTER TABLE people ADD other must DEFAULT 'x'",
      "its domain is NOT NULL", policy("other", ""));
  expect_refused("CREATE DOMAIN given AS text DEFAULT 'x'; ALTER TABLE people ADD more given",
                 "its domain has a default", policy("more", ""));
  expect_refused("CREATE DOMAIN part AS text; ALTER TABLE people ADD parts part[]",
                 "array of a domain", policy("parts", ""));
  expect_refused(
      "CREATE COLLATION loose (provider = icu, locale = 'und-u-ks-level2', "
      "deterministic = false); ALTER TABLE people ADD mail text COLLATE loose",
      "collation is not deterministic", policy("mail", ""));
}

TEST_F(Refusal, SearchesAndMasks) {
  expect_refused("SELECT", "has no characters", policy("born", "search: [lower]"));
  expect_refused("ALTER TABLE people ADD mail text COLLATE \"C\"", "need the default collation",
                 policy("mail", "search: [lower]"));
  expect_accepted("SELECT", policy("mail", "search: [{name: a, expression: 'left(value, 2)'}]"));
  // Ten different endings on a hundred rows.
  expect_refused("INSERT INTO people SELECT n, 'x', '139' || n FROM generate_series(101, 9999) n",
                 "its values repeat",
                 policy("phone", "search: [{name: last, expression: 'right(value, 1)'}]"));
  expect_refused("CREATE TYPE mood AS ENUM ('sad'); ALTER TABLE people ADD feeling mood",
                 "no label of an enum",
                 policy("feeling", "", "erp_app: {person: {mask: constant}}"));
  expect_accepted("SELECT", policy("feeling", "", "erp_app: {person: {mask: 'null'}}"));
}

TEST_F(Refusal, ViewsAndRules) {
  expect_accepted("CREATE VIEW v AS SELECT id, phone FROM people WHERE id > 5");
  expect_refused("CREATE MATERIALIZED VIEW m AS SELECT phone FROM v", "materialised view public.m");
  sql("DROP MATERIALIZED VIEW m");
  expect_refused("CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING", "a rule of its own");
  sql("DROP VIEW v");
  expect_refused(
      "CREATE VIEW v AS SELECT id, phone FROM people WHERE phone IN (SELECT phone FROM people "
      "WHERE id > 3) "
      "WITH CHECK OPTION",
      "WITH CHECK OPTION");
  sql("DROP VIEW v");
  expect_refused("CREATE VIEW v AS SELECT id FROM people WHERE phone = '1'", "a literal");
  sql("DROP VIEW v");
  expect_refused("CREATE VIEW v AS SELECT id, phone FROM people ORDER BY phone", "ORDER BY");
  sql("DROP VIEW v");
  expect_refused(
      "CREATE VIEW v AS SELECT id, phone FROM people; CREATE FUNCTION f() RETURNS SETOF v "
      "LANGUAGE sql AS 'SELECT NULL::int, NULL::varchar'",
      "depends on it");
  sql("DROP FUNCTION f(); DROP VIEW v");
  expect_refused("CREATE VIEW v AS SELECT p FROM people p", "view public.v");
  sql("DROP VIEW v");
  expect_refused("CREATE MATERIALIZED VIEW m AS SELECT phone FROM people", "materialised view");
  sql("DROP MATERIALIZED VIEW m");
  expect_refused("CREATE RULE r AS ON DELETE TO people DO INSTEAD NOTHING", "rule r");
  sql("DROP RULE r ON people");
  expect_accepted("CREATE VIEW v AS SELECT id, ward FROM people");
}

TEST_F(Refusal, PoliciesAndConstraints) {
  expect_refused("CREATE POLICY mine ON people USING (phone = current_user)", "policy mine");
  sql("DROP POLICY mine ON people");
  expect_refused(
      "CREATE POLICY mine ON people USING (EXISTS (SELECT FROM people p "
      "WHERE p.phone = 'x'))",
      "policy mine");
  sql("DROP POLICY mine ON people");
  expect_refused("ALTER TABLE people ADD CONSTRAINT digits CHECK (phone ~ '^[0-9]*$')",
                 "CHECK constraint digits");
  sql("ALTER TABLE people DROP CONSTRAINT digits");
  expect_refused(
      "ALTER TABLE people ADD CONSTRAINT one UNIQUE (phone); CREATE TABLE calls (phone "
      "varchar(20) CONSTRAINT known REFERENCES people (phone) ON UPDATE CASCADE)",
      "foreign key known");
  sql("DROP TABLE calls; ALTER TABLE people DROP CONSTRAINT one");
  expect_refused(
      "ALTER TABLE people ADD upper_phone text GENERATED ALWAYS AS (upper(phone)) STORED",
      "generated column upper_phone");
  sql("ALTER TABLE people DROP upper_phone");
  expect_refused("ALTER TABLE people ALTER phone SET DEFAULT current_user", "default is not");
  expect_accepted(
      "ALTER TABLE people ALTER phone SET DEFAULT 'it''s'; CREATE POLICY mine ON people "
      "USING (ward = current_user); ALTER TABLE people ADD CHECK (ward <> '')");
}

TEST_F(Refusal, Keys) {
  expect_refused("SELECT", "primary key", policy("id"));
  expect_refused("CREATE UNIQUE INDEX one ON people (phone)", "must be unique",
                 policy("phone", ""));
  sql("DROP INDEX one");
  expect_refused("CREATE INDEX lowered ON people (lower(phone))", "expression or predicate");
  sql("DROP INDEX lowered");
  expect_refused("CREATE INDEX partly ON people (ward) WHERE phone IS NOT NULL", "predicate");
  sql("DROP INDEX partly");
  expect_refused("CREATE INDEX wide ON people (ward) INCLUDE (phone)", "INCLUDE");
  sql("DROP INDEX wide");
  expect_refused("CREATE INDEX pair ON people (ward, phone)", "several columns",
                 policy("phone", ""));
  expect_accepted("SELECT");
  sql("DROP INDEX pair");
  expect_refused(
      "CREATE UNIQUE INDEX one ON people (phone); ALTER TABLE people ALTER phone SET NOT "
      "NULL, REPLICA IDENTITY USING INDEX one",
      "replica identity");
}

TEST_F(Refusal, Triggers) {
  const auto trigger = [](const std::string& name, const std::string& body,
                          const std::string& when = "BEFORE INSERT OR UPDATE") {
    return "CREATE OR REPLACE FUNCTION " + name +
           "() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN " + body +
           " RETURN NEW; END $$; CREATE OR REPLACE TRIGGER " + name + " " + when +
           " ON people FOR EACH ROW EXECUTE FUNCTION " + name + "()";
  };
  expect_accepted(trigger("touch", "NEW.ward := upper(NEW.ward);"));
  expect_accepted(trigger("touch_of", "NEW.ward := 'x';", "BEFORE UPDATE OF phone"));
  sql("DROP TRIGGER touch ON people; DROP TRIGGER touch_of ON people");
  const std::vector<std::string> readers{
      "NEW.ward := NEW.phone;",
      "INSERT INTO log SELECT NEW.*;",
      "PERFORM row_to_json(NEW);",
      "IF NEW IS DISTINCT FROM OLD THEN NEW.ward := 'x'; END IF;",
      "EXECUTE 'SELECT ($1).' || TG_ARGV[0] USING NEW;",
  };
  for (const auto& body : readers) {
    expect_refused(trigger("watch", body), "trigger watch may read it");
    const auto accepted = inspected(policy("phone", "searchable: true, accept_triggers: [watch]"));
    EXPECT_FALSE(accepted.refused()) << body;
  }
  sql("DROP TRIGGER watch ON people");
  expect_refused(trigger("guarded", "", "BEFORE UPDATE") +
                     "; CREATE OR REPLACE TRIGGER guarded "
                     "BEFORE UPDATE ON people FOR EACH ROW WHEN (NEW.phone <> OLD.phone) "
                     "EXECUTE FUNCTION guarded()",
                 "trigger guarded may read it");
  sql("DROP TRIGGER guarded ON people");
  expect_refused(trigger("always", "") + "; ALTER TABLE people ENABLE ALWAYS TRIGGER always",
                 "fires always");
}

TEST_F(Refusal, RelationsThatAreNotSimple) {
  const auto of_parts = policy("phone", "", "erp_app: {}", "public.parts");
  expect_refused("CREATE TABLE parts (phone text, id int) PARTITION BY HASH (phone)",
                 "the partition key of parts", of_parts);
  sql("DROP TABLE parts; CREATE TABLE parts (phone text, id int) PARTITION BY LIST (id)");
  expect_refused("CREATE TABLE part PARTITION OF parts FOR VALUES IN (1) PARTITION BY LIST (phone)",
                 "the partition key of part", of_parts);
  sql("DROP TABLE part");
  expect_accepted("CREATE TABLE part PARTITION OF parts FOR VALUES IN (1)", of_parts);
  expect_refused("SELECT", "partitioned or inherited table",
                 policy("phone", "", "erp_app: {}", "public.part"));
  expect_refused("ALTER TABLE part ALTER phone SET DEFAULT current_user",
                 "default is not a constant", of_parts);
  expect_refused("ALTER TABLE part ALTER phone DROP DEFAULT, ADD CHECK (phone <> '')",
                 "CHECK constraint", of_parts);
  sql("DROP TABLE parts");
  expect_accepted("CREATE TABLE child () INHERITS (people)");
  expect_refused("CREATE TABLE other (x int); CREATE TABLE of_two (y int) INHERITS (people, other)",
                 "inherits from several tables");
  sql("DROP TABLE of_two");
  expect_refused(
      "CREATE TEMP TABLE x (); CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN "
      "DATA WRAPPER w; CREATE FOREIGN TABLE far () INHERITS (people) SERVER s",
      "ordinary table");
  sql("DROP FOREIGN TABLE far; DROP TABLE child");
  expect_refused("CREATE TABLE keeps (whole people[])", "row type");
  sql("DROP TABLE keeps");
  expect_refused("CREATE PUBLICATION pub FOR TABLE people (id, phone)", "publication pub");
  sql("DROP PUBLICATION pub");
  expect_refused(
      "CREATE FUNCTION f() RETURNS text LANGUAGE sql BEGIN ATOMIC SELECT phone FROM "
      "people LIMIT 1; END",
      "function public.f() reads it");
}

TEST_F(Refusal, TooManyColumns) {
  std::string columns = "id integer", yaml =
                                          "version: 1\ntenant: test\nclasses: {person: "
                                          "{buckets: [32]}}\nroles: {}\ncolumns:\n";
  for (int i = 1; i <= 200; ++i) {
    const auto name = "c" + std::to_string(i);
    columns += ", " + name + " text";
    yaml += "  - {table: public.wide, column: " + name + ", class: person}\n";
  }
  sql("CREATE TABLE wide (" + columns + ", one_more text)");
  expect_accepted("SELECT", yaml);
  expect_refused("SELECT", "more than 200",
                 yaml + "  - {table: public.wide, column: one_more, class: person}\n");
  ASSERT_TRUE(protect(yaml));
  ASSERT_TRUE(unprotect());
}

TEST_F(Refusal, Roles) {
  expect_refused("CREATE ROLE boss SUPERUSER", "superuser",
                 policy("phone", "", "boss: {person: clear}"));
  sql("DROP ROLE boss");
  expect_refused("CREATE ROLE hoover; GRANT pg_read_all_data TO hoover", "all data",
                 policy("phone", "", "hoover: {person: clear}"));
  sql("DROP ROLE hoover");
  expect_refused("CREATE ROLE warehouse; GRANT erp_app TO warehouse", "member of erp_app",
                 policy("phone", "", "erp_app: {person: clear}, warehouse: {person: denied}"));
  sql("DROP ROLE warehouse");
}

TEST_F(Refusal, LowEntropyUnlessAccepted) {
  expect_refused("SELECT", "gives them away", policy("ward"));
  expect_accepted("SELECT", policy("ward", "searchable: true, accept_leakage: true"));
  expect_accepted("SELECT", policy("ward", ""));
  const auto inspection = inspected(policy("ward", "searchable: true, accept_leakage: true"));
  ASSERT_EQ(inspection.leakages.size(), 1U);
  EXPECT_EQ(inspection.leakages[0].rows, 100);
  EXPECT_EQ(inspection.leakages[0].distinct, 1);
  EXPECT_EQ(inspection.leakages[0].top_share, 1.0);
  EXPECT_EQ(inspection.leakages[0].entropy_bits, 0.0);
  sql("UPDATE people SET ward = id % 4");
  const auto spread = inspected(policy("ward", "searchable: true, accept_leakage: true"));
  EXPECT_DOUBLE_EQ(spread.leakages.at(0).entropy_bits, 2.0);
  EXPECT_DOUBLE_EQ(spread.leakages.at(0).top_share, 0.25);
  EXPECT_FALSE(inspected(policy("phone")).leakages.at(0).low);
  // Measured on the blind index once it is sealed.
  const auto yaml = policy("ward", "searchable: true, accept_leakage: true");
  ASSERT_TRUE(protect(yaml));
  const auto sealed = inspected(yaml);
  EXPECT_FALSE(sealed.refused()) << sealed.to_json().dump(1);
  EXPECT_DOUBLE_EQ(sealed.leakages.at(0).entropy_bits, 2.0);
  ASSERT_TRUE(unprotect());
}

TEST_F(Refusal, OnlyASuperuserProtects) {
  const auto parsed = policy::parse_policy(policy(), "p").value();
  auto database = connect("erp_owner");
  const lease::FixedKeys keys(ring_for({{"person", seal::Suite::kXaes256Gcm}}));
  const Services services{database, keys, random_, audit_, "tester"};
  EXPECT_EQ(protect_tables(services, parsed, {}).error().code, Code::kDenied);
}

TEST_F(Refusal, AColumnStaysAsItWasRegistered) {
  ASSERT_TRUE(protect(policy()));
  const auto refused = protect(policy("phone", ""));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kConflict);
  EXPECT_THAT(refused.error().where, HasSubstr("public.people.phone"));
  ASSERT_TRUE(unprotect());
}

TEST_F(Refusal, ATableNamedWrongly) {
  const auto parsed = policy::parse_policy(policy(), "p").value();
  const lease::FixedKeys keys(ring_for({{"person", seal::Suite::kXaes256Gcm}}));
  {
    auto database = connect();
    const Services services{database, keys, random_, audit_, "tester"};
    EXPECT_EQ(protect_tables(services, parsed, {{"public.poeple"}}).error().code, Code::kNotFound);
  }
  ASSERT_TRUE(protect(policy()));
  auto database = connect();
  const Services services{database, keys, random_, audit_, "tester"};
  EXPECT_EQ(unprotect_tables(services, {"public.poeple"}).error().code, Code::kNotFound);
}

TEST_F(Refusal, AnotherTenantsKeys) {
  ASSERT_TRUE(protect(policy()));
  auto ring = ring_for({{"person", seal::Suite::kXaes256Gcm}});
  ring.tenant.bytes.fill(0x22);
  const lease::FixedKeys keys(std::move(ring));
  {
    auto database = connect();
    const Services services{database, keys, random_, audit_, "tester"};
    EXPECT_EQ(unprotect_tables(services, {}).error().code, Code::kConflict);
  }
  ASSERT_TRUE(unprotect());
}

}  // namespace
}  // namespace theriac::protect
