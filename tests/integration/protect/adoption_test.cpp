// The functions that follow an application's own DDL, called as the gateway calls them.
#include "protect/adoption.hpp"

#include "crypto/hash.hpp"
#include "fixture.hpp"
#include "protect/catalogue_loader.hpp"
#include "protect/registry.hpp"
#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using testing::HasSubstr;

const char* const kPolicy = R"(version: 1
tenant: test
classes: {person: {buckets: [32]}, batch: {bind_rows: true, buckets: [32]}}
columns:
  - {table: public.people, column: name, class: person, searchable: true, domain: names}
  - {table: public.people, column: born, class: person}
  - {table: public.people, column: age, class: person, searchable: true}
  - {table: public.lots, column: recipe, class: batch}
roles: {erp_app: {person: clear, batch: clear}}
)";

class Adoption : public ProtectTest {
 protected:
  void SetUp() override {
    ProtectTest::SetUp();
    auto database = connect();
    ASSERT_TRUE(
        install_registry(database, ring_for({{"person", seal::Suite::kXaes256Gcm}}).tenant));
    sql("GRANT CREATE, USAGE ON SCHEMA public TO erp_owner");
    owner_.emplace(connect("erp_owner"));
  }
  std::string digest(PgConnection& session, std::string_view function, std::string_view arguments) {
    const auto where = session.query("SELECT pg_backend_pid(), pg_current_xact_id()").value();
    auto key = connect().query("SELECT key FROM theriac.gateway_key").value();
    const auto raw = from_hex(key.value(0, 0)->substr(2)).value();
    crypto::HmacKey mac(crypto::HashKind::kSha256, Key256(std::span<const std::uint8_t, 32>(raw)));
    const auto made = mac.mac(
        view_of(settle_message(*where.value(0, 0), *where.value(0, 1), function, arguments)));
    return "\\x" + to_hex(made);
  }
  /// SQLSTATE, or "ok".
  std::string settle(SettleArguments arguments = {}, bool forged = false) {
    const auto policy = policy::parse_policy(kPolicy, "p").value();
    for (const auto& column : policy.columns) arguments.awaited.push_back(&column);
    if (arguments.role.empty()) arguments.role = "erp_owner";
    if (arguments.relations.empty()) {
      for (const auto& entry : registered_columns(*owner_as_super()).value()) {
        arguments.relations.push_back(entry.relation);
        for (auto& act : arguments.acts) {
          if (act.relation == 0 && act.number == entry.number) act.relation = entry.relation;
        }
      }
    }
    const auto text = settle_json(arguments, policy).dump();
    const auto mac = digest(*owner_, "settle", forged ? text + " " : text);
    const auto done = owner_->query("SELECT theriac.settle($1, $2)",
                                    {store::PgParam::text(text), store::PgParam::text(mac)});
    return done ? "ok" : owner_->last_sqlstate();
  }
  std::unique_ptr<PgConnection> owner_as_super() {
    return std::make_unique<PgConnection>(connect());
  }
  /// The statement of the application and what the gateway does after it, in one transaction.
  std::string follow(const std::string& ddl, const SettleArguments& arguments = {}) {
    if (!owner_->exec("BEGIN")) return "begin";
    if (!owner_->exec(ddl)) {
      const auto state = owner_->last_sqlstate();
      EXPECT_TRUE(owner_->exec("ROLLBACK"));
      return state;
    }
    const auto state = settle(arguments);
    EXPECT_TRUE(owner_->exec(state == "ok" ? "COMMIT" : "ROLLBACK"));
    return state;
  }
  std::shared_ptr<const rewrite::Catalogue> load() {
    auto database = connect();
    auto loaded = load_catalogue(database, policy::parse_policy(kPolicy, "p").value(), 3);
    EXPECT_TRUE(loaded) << loaded.error().message();
    return loaded ? *loaded : nullptr;
  }
  int number(const std::string& column) {
    return std::stoi(
        value("SELECT number FROM theriac.columns WHERE column_name = '" + column + "'"));
  }

  std::optional<PgConnection> owner_;
};

TEST_F(Adoption, ANewTableIsProtectedAtOnce) {
  sql("ALTER DEFAULT PRIVILEGES FOR ROLE erp_owner GRANT SELECT, UPDATE ON TABLES TO erp_app");
  ASSERT_EQ(follow("CREATE TABLE people (id serial PRIMARY KEY, name varchar(40) NOT NULL DEFAULT "
                   "'n/a', born date, note text, UNIQUE (name))"),
            "ok");
  const auto catalogue = load();
  const auto* people = catalogue->find("public", "people", {});
  const auto& name = *people->find("name")->protection;
  EXPECT_TRUE(name.not_null);
  EXPECT_EQ(name.default_stored, "n/a");
  EXPECT_EQ(name.domain, "names");
  EXPECT_TRUE(people->find("born")->protection);
  EXPECT_FALSE(people->find("note")->protection);
  ASSERT_EQ(catalogue->awaited().size(), 2U);  // age, recipe
  EXPECT_TRUE(catalogue->adopts());
  // Loud for everybody who passes the gateway by, the owner included.
  EXPECT_EQ(state_of("erp_owner", "SELECT name FROM people"), "42501");
  EXPECT_EQ(state_of("erp_owner", "INSERT INTO people (name) VALUES ('x')"), "42501");
  EXPECT_EQ(state_of("erp_app", "SELECT note, ctid, theriac_sealed_" +
                                    std::to_string(number("name")) + " FROM people"),
            "ok");
  EXPECT_EQ(state_of("erp_app", "UPDATE people SET name = 'x'"), "ok");  // no row
  EXPECT_THAT(value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = "
                    "'people_name_key'"),
              HasSubstr("UNIQUE (theriac_index_" + std::to_string(number("name")) + ")"));
}

TEST_F(Adoption, ColumnByColumnAsTrytonDoes) {
  ASSERT_EQ(follow("CREATE TABLE people (id serial PRIMARY KEY)"), "ok");
  EXPECT_EQ(value("SELECT count(*) FROM theriac.columns"), "0");
  ASSERT_EQ(follow("ALTER TABLE people ADD COLUMN name varchar"), "ok");
  ASSERT_EQ(follow("ALTER TABLE people ADD COLUMN note varchar"), "ok");
  EXPECT_EQ(state_of("erp_owner", "SELECT note FROM people"), "ok");
  ASSERT_EQ(follow("ALTER TABLE people ADD COLUMN born date"), "ok");
  ASSERT_EQ(follow("CREATE INDEX people_name_index ON people (name, id DESC)"), "ok");
  EXPECT_THAT(value("SELECT pg_get_indexdef('people_name_index'::regclass)"),
              HasSubstr("(theriac_index_" + std::to_string(number("name")) + ", id DESC)"));
  ASSERT_EQ(follow("CREATE INDEX people_born_index ON people (born)"), "ok");
  EXPECT_THAT(value("SELECT pg_get_indexdef('people_born_index'::regclass)"),
              HasSubstr("WHERE false"));
  ASSERT_EQ(follow("ALTER INDEX people_name_index RENAME TO by_name"), "ok");
  EXPECT_EQ(value("SELECT original->'indexes'->0->>'definition' FROM theriac.tables"),
            "CREATE INDEX by_name ON public.people USING btree (name, id DESC)");
  ASSERT_EQ(follow("DROP INDEX by_name"), "ok");
  EXPECT_EQ(value("SELECT jsonb_array_length(original->'indexes') FROM theriac.tables"), "1");
  SettleArguments not_null;
  not_null.acts.push_back({.kind = SettleAct::Kind::kSetNotNull, .number = number("name")});
  ASSERT_EQ(follow("SELECT 1", not_null), "ok");
  EXPECT_TRUE(load()->find("public", "people", {})->find("name")->protection->not_null);
  not_null.role = "erp_app";
  EXPECT_EQ(follow("SELECT 1", not_null), "42501");
}

TEST_F(Adoption, WhatCannotBeKeptIsTakenBack) {
  for (const std::string wrong :
       {"CREATE TABLE people (name varchar PRIMARY KEY)",
        "CREATE TABLE people (id int, name varchar CHECK (name <> ''))",
        "CREATE TABLE people (id int, name varchar, twice text GENERATED ALWAYS AS (name || '') "
        "STORED)",
        "CREATE TABLE people (id int, name varchar, born date UNIQUE)",
        "CREATE TABLE people (id int, name xml)", "CREATE TABLE people (id int, name json)",
        "CREATE TABLE people (id int, name varchar DEFAULT current_user)",
        "CREATE TABLE people (id int, name varchar); CREATE INDEX ON people (lower(name))",
        "CREATE TABLE people (id int, name varchar); CREATE INDEX ON people (id) WHERE name = ''",
        "CREATE TABLE people (id int, name varchar); CREATE VIEW v AS SELECT name FROM people",
        "CREATE TABLE people (id int, name varchar); INSERT INTO people VALUES (1, 'x')",
        "CREATE TABLE people (id int, name varchar) PARTITION BY LIST (name)",
        "CREATE TABLE people AS SELECT 'x'::text AS name"}) {
    EXPECT_EQ(follow(wrong), "0A000") << wrong;
    EXPECT_EQ(value("SELECT to_regclass('people') IS NULL"), "t") << wrong;
  }
  EXPECT_EQ(value("SELECT count(*) FROM theriac.tables"), "0");
}

TEST_F(Adoption, LaterStatementsOnProtectedColumns) {
  ASSERT_EQ(follow("CREATE TABLE people (id serial PRIMARY KEY, name varchar(10), age int)"), "ok");
  const auto sealed = "theriac_sealed_" + std::to_string(number("name"));
  sql("ALTER TABLE people DROP CONSTRAINT theriac_form_" + std::to_string(number("name")) +
      "; UPDATE people SET " + sealed + " = '\\x00'; INSERT INTO people (id, " + sealed +
      ") VALUES (1, '\\x00')");
  EXPECT_EQ(follow("ALTER TABLE people ALTER name TYPE varchar(20)"), "ok");
  EXPECT_EQ(follow("ALTER TABLE people ALTER name TYPE varchar(5)"), "0A000");
  EXPECT_EQ(follow("ALTER TABLE people ALTER name TYPE text"), "ok");
  EXPECT_EQ(follow("ALTER TABLE people ALTER age TYPE bigint"), "ok");
  EXPECT_EQ(follow("ALTER TABLE people ALTER name SET DEFAULT 'x'"), "ok");
  EXPECT_EQ(load()->find("public", "people", {})->find("name")->protection->default_stored, "x");
  SettleArguments acts;
  acts.acts.push_back({.kind = SettleAct::Kind::kDropDefault, .number = number("name")});
  EXPECT_EQ(follow("ALTER TABLE people ALTER name DROP DEFAULT", acts), "ok");
  EXPECT_FALSE(load()->find("public", "people", {})->find("name")->protection->default_stored);
  EXPECT_EQ(follow("ALTER TABLE people ADD COLUMN born date DEFAULT '2000-01-01'"), "0A000");
  EXPECT_EQ(follow("ALTER TABLE people ADD COLUMN born date"), "ok");
  EXPECT_EQ(follow("ALTER TABLE people RENAME name TO who; ALTER TABLE people RENAME TO persons"),
            "ok");
  EXPECT_TRUE(load()->find("public", "persons", {})->find("who")->protection);
  // A new table under the old name is protected too.
  EXPECT_EQ(follow("CREATE TABLE people (name text)"), "ok");
  EXPECT_TRUE(load()->find("public", "people", {})->find("name")->protection);
  SettleArguments dropped;
  const auto last = std::stoi(value("SELECT min(number) FROM theriac.columns"));
  dropped.acts.push_back({.kind = SettleAct::Kind::kDropColumn, .number = last, .column = "who"});
  EXPECT_EQ(follow("ALTER TABLE persons DROP COLUMN who", dropped), "ok");
  EXPECT_EQ(value("SELECT count(*) FROM pg_attribute WHERE attname = '" + sealed +
                  "' AND NOT attisdropped"),
            "0");
  EXPECT_EQ(follow("DROP TABLE persons"), "ok");
  EXPECT_EQ(value("SELECT count(*) FROM theriac.columns"), "1");
}

TEST_F(Adoption, RightsFollow) {
  ASSERT_EQ(follow("CREATE TABLE people (id int, name text, age int, note text)"), "ok");
  const auto sealed = "theriac_sealed_" + std::to_string(number("name"));
  EXPECT_EQ(state_of("erp_app", "SELECT id FROM people"), "42501");
  ASSERT_EQ(follow("GRANT SELECT, INSERT ON people TO erp_app"), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT id, note, " + sealed + " FROM people"), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT name FROM people"), "42501");
  ASSERT_EQ(follow("ALTER TABLE people ADD COLUMN more text"), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT more FROM people"), "ok");
  ASSERT_EQ(follow("ALTER TABLE people ADD COLUMN born date"), "ok");
  EXPECT_EQ(state_of("erp_app",
                     "SELECT theriac_sealed_" + std::to_string(number("born")) + " FROM people"),
            "ok");
  ASSERT_EQ(follow("REVOKE SELECT ON people FROM erp_app"), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT id FROM people"), "42501");
  EXPECT_EQ(state_of("erp_app", "SELECT " + sealed + " FROM people"), "42501");
  ASSERT_EQ(follow("ALTER TABLE people ADD COLUMN last text"), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT last FROM people"), "42501");
  EXPECT_EQ(state_of("erp_app", "INSERT INTO people (last) VALUES ('x')"), "ok");
  ASSERT_EQ(follow("GRANT SELECT (name) ON people TO erp_app"), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT " + sealed + " FROM people"), "ok");
  SettleArguments revoke;
  revoke.acts.push_back({.kind = SettleAct::Kind::kRevoke,
                         .number = number("name"),
                         .column = "name",
                         .privileges = {"SELECT"},
                         .roles = {"erp_app"}});
  ASSERT_EQ(follow("REVOKE SELECT (name) ON people FROM erp_app", revoke), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT " + sealed + " FROM people"), "42501");
}

TEST_F(Adoption, OnlyTheGatewayMayCall) {
  EXPECT_EQ(state_of("erp_owner", "SELECT theriac.settle('{}', '\\x00')"), "42501");
  EXPECT_EQ(state_of("erp_owner", "SELECT theriac.settle('{}', NULL)"), "42501");
  EXPECT_EQ(state_of("erp_owner", "SELECT theriac.registered('\\x00')"), "42501");
  EXPECT_EQ(state_of("erp_owner", "SELECT key FROM theriac.gateway_key"), "42501");
  EXPECT_EQ(state_of("erp_owner", "SELECT theriac.hmac('')"), "42501");
  EXPECT_EQ(state_of("erp_owner", "SELECT theriac.settle_rights(1)"), "42501");
  ASSERT_TRUE(owner_->exec("BEGIN"));
  EXPECT_EQ(settle(), "ok");
  EXPECT_EQ(settle({}, true), "42501");
  ASSERT_TRUE(owner_->exec("ROLLBACK"));
  // A captured call is of one transaction of one backend.
  ASSERT_TRUE(owner_->exec("BEGIN"));
  const auto mac = digest(*owner_, "registered", "");
  ASSERT_TRUE(owner_->query("SELECT theriac.registered('" + mac + "')"));
  ASSERT_TRUE(owner_->exec("COMMIT"));
  EXPECT_FALSE(owner_->query("SELECT theriac.registered('" + mac + "')"));
  auto other = connect("erp_owner");
  EXPECT_FALSE(other.query("SELECT theriac.registered('" + mac + "')"));
}

TEST_F(Adoption, UnprotectTakesAnAdoptedTableBack) {
  ASSERT_EQ(follow("CREATE TABLE lots (id int PRIMARY KEY, recipe text NOT NULL)"), "ok");
  ASSERT_EQ(follow("CREATE TABLE people (id int PRIMARY KEY, name varchar(9) UNIQUE, age int NOT "
                   "NULL DEFAULT 3)"),
            "ok");
  EXPECT_TRUE(load()->find("public", "lots", {})->bound);
  const auto done = unprotect();
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(value("SELECT string_agg(attname || ' ' || attnotnull::text, ',' ORDER BY attnum) FROM "
                  "pg_attribute WHERE attrelid = 'people'::regclass AND attnum > 0 AND NOT "
                  "attisdropped"),
            "id true,name false,age true");
  EXPECT_EQ(value("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conname = "
                  "'people_name_key'"),
            "UNIQUE (name)");
  EXPECT_EQ(state_of("erp_owner", "INSERT INTO people (id, name) VALUES (1, 'x')"), "ok");
}

}  // namespace
}  // namespace theriac::protect
