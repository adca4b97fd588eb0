// What in the database uses a column: one of each kind, with its verdict.
#include "fixture.hpp"

namespace theriac::protect {
namespace {

using Verdict = Use::Verdict;

const char* const kPolicy = R"yaml(version: 1
tenant: test
classes: {person: {buckets: [32]}}
columns:
  - {table: public.people, column: phone, class: person, searchable: true, accept_triggers: [known]}
  - {table: public.people, column: note, class: person}
roles: {erp_app: {person: clear}}
)yaml";

class Inventory : public ProtectTest {
 protected:
  void SetUp() override {
    ProtectTest::SetUp();
    sql("SET ROLE erp_owner; CREATE TABLE people (id integer PRIMARY KEY, phone varchar(20) NOT "
        "NULL "
        "DEFAULT '0', note text, ward text, visits integer); RESET ROLE");
  }
  /// `setup` makes a use of people.phone that is listed so.
  void expect_use(const std::string& setup, const std::string& kind, const std::string& name,
                  Verdict verdict, const std::string& column = "public.people.phone") {
    sql(setup);
    const auto found = inspected(kPolicy);
    const auto at = std::find_if(found.uses.begin(), found.uses.end(), [&](const Use& use) {
      return use.column == column && use.kind == kind && use.name == name;
    });
    ASSERT_NE(at, found.uses.end()) << kind << " " << name << "\n" << found.to_json().dump(1);
    EXPECT_EQ(verdict_name(at->verdict), verdict_name(verdict)) << kind << " " << name;
    if (verdict == Verdict::kRefused || verdict == Verdict::kLookAtIt) {
      EXPECT_FALSE(at->remedy.empty()) << kind << " " << name;
    }
  }
  void expect_none(const std::string& kind) {
    for (const auto& use : inspected(kPolicy).uses) EXPECT_NE(use.kind, kind) << use.name;
  }
};

TEST_F(Inventory, Views) {
  expect_none("view");
  expect_use("CREATE VIEW directory AS SELECT id, phone FROM people", "view", "public.directory",
             Verdict::kRemade);
  expect_use("CREATE VIEW short AS SELECT id FROM directory", "view", "public.short",
             Verdict::kKept);
  expect_use("CREATE VIEW sorted AS SELECT phone FROM people ORDER BY phone", "view",
             "public.sorted", Verdict::kRefused);
  expect_use("CREATE MATERIALIZED VIEW copies AS SELECT phone FROM people", "materialised view",
             "public.copies", Verdict::kRefused);
}

TEST_F(Inventory, Code) {
  expect_none("function");
  expect_use(
      "CREATE FUNCTION atomic() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT count(phone) "
      "FROM public.people; END",
      "function", "public.atomic()", Verdict::kRefused);
  expect_use(
      "CREATE FUNCTION named() RETURNS bigint LANGUAGE sql AS 'SELECT count(phone) FROM people'",
      "function", "public.named()", Verdict::kLookAtIt);
  expect_use(
      "CREATE FUNCTION body() RETURNS void LANGUAGE plpgsql AS "
      "'BEGIN UPDATE people SET phone = NULL; END'",
      "function", "public.body()", Verdict::kLookAtIt);
  sql("CREATE FUNCTION reads() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.phone = NULL THEN "
      "RETURN NULL; END IF; RETURN NEW; END';"
      "CREATE FUNCTION other() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'");
  expect_use("CREATE TRIGGER looks BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION reads()",
             "trigger", "looks", Verdict::kRefused);
  expect_use("CREATE TRIGGER known BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION reads()",
             "trigger", "known", Verdict::kKept);
  expect_use("CREATE TRIGGER blind BEFORE INSERT ON people FOR EACH ROW EXECUTE FUNCTION other()",
             "trigger", "blind", Verdict::kLookAtIt);
  expect_use("CREATE RULE away AS ON DELETE TO people DO INSTEAD NOTHING", "rule", "away",
             Verdict::kRefused);
  expect_use(
      "CREATE FUNCTION on_ddl() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';"
      "CREATE EVENT TRIGGER watch ON ddl_command_end EXECUTE FUNCTION on_ddl()",
      "event trigger", "watch", Verdict::kLookAtIt, "database");
}

TEST_F(Inventory, Constraints) {
  expect_use("SELECT", "not null constraint", "phone", Verdict::kRemade);
  expect_use("SELECT", "default", "phone", Verdict::kRemade);
  expect_use("ALTER TABLE people ADD CONSTRAINT filled CHECK (phone <> '')", "check constraint",
             "filled", Verdict::kRefused);
  expect_use("ALTER TABLE people ADD CONSTRAINT once UNIQUE (phone)", "unique constraint", "once",
             Verdict::kRemade);
  expect_use("ALTER TABLE people ADD CONSTRAINT apart EXCLUDE USING btree (phone WITH =)",
             "exclusion constraint", "apart", Verdict::kRefused);
  expect_use(
      "CREATE TABLE calls (phone varchar(20) CONSTRAINT calls_phone REFERENCES people (phone))",
      "foreign key", "calls_phone", Verdict::kRefused);
  expect_use("ALTER TABLE people ALTER note SET DEFAULT now()::text", "default", "note",
             Verdict::kRefused, "public.people.note");
  expect_use("ALTER TABLE people ADD shown text GENERATED ALWAYS AS (phone || '!') STORED",
             "generated column", "shown", Verdict::kRefused);
}

TEST_F(Inventory, IndexesAndStatistics) {
  expect_use("CREATE INDEX plain ON people (phone)", "index", "plain", Verdict::kRemade);
  expect_use("CREATE UNIQUE INDEX pair ON people (phone, ward)", "unique index", "pair",
             Verdict::kRemade);
  expect_use("CREATE INDEX lowered ON people (lower(phone))", "index", "lowered",
             Verdict::kRefused);
  expect_use("CREATE STATISTICS together (dependencies) ON phone, ward FROM people",
             "statistics object", "together", Verdict::kRemade);
}

TEST_F(Inventory, PoliciesAndReplication) {
  expect_use("CREATE POLICY own ON people USING (ward = 'a')", "row-level security policy", "own",
             Verdict::kKept);
  expect_use("CREATE POLICY tested ON people USING (phone <> '')", "row-level security policy",
             "tested", Verdict::kRefused);
  expect_use("CREATE PUBLICATION sends FOR TABLE people", "publication", "sends",
             Verdict::kLookAtIt);
  expect_use(
      "CREATE SUBSCRIPTION takes CONNECTION 'host=127.0.0.1 port=1' PUBLICATION x "
      "WITH (connect = false); "
      "INSERT INTO pg_subscription_rel (srsubid, srrelid, srsubstate) SELECT oid, "
      "'people'::regclass, 'r' FROM pg_subscription WHERE subname = 'takes'",
      "subscription", "takes", Verdict::kLookAtIt);
  sql("ALTER SUBSCRIPTION takes SET (slot_name = NONE); DROP SUBSCRIPTION takes");
  expect_use("SELECT pg_create_physical_replication_slot('waits')", "replication slot", "waits",
             Verdict::kLookAtIt, "database");
  sql("SELECT pg_drop_replication_slot('waits')");
  expect_use("ALTER TABLE people REPLICA IDENTITY FULL", "replica identity", "people",
             Verdict::kLookAtIt);
}

TEST_F(Inventory, TablesAround) {
  expect_use("CREATE TABLE sub (more int) INHERITS (people)", "child table", "public.sub",
             Verdict::kRemade);
  expect_use("CREATE INDEX of_sub ON sub (phone)", "index", "of_sub", Verdict::kRemade,
             "public.sub.phone");
  expect_use("CREATE TABLE kept (one people)", "row type", "public.kept.one", Verdict::kRefused);
}

}  // namespace
}  // namespace theriac::protect
