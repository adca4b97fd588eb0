// What the gateway is told of a database.
#include <chrono>
#include <cstdio>

#include "fixture.hpp"
#include "protect/catalogue_loader.hpp"

namespace theriac::protect {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

const char* const kPolicy = R"(version: 1
tenant: test
classes: {person: {buckets: [32]}, batch: {bind_rows: true, buckets: [32]}}
columns:
  - {table: shop.people, column: name, class: person, searchable: true, domain: names}
  - {table: shop.people, column: born, class: person}
  - {table: public.lots, column: recipe, class: batch}
roles: {erp_app: {person: clear, batch: clear}}
)";

class Loader : public ProtectTest {
 protected:
  void SetUp() override {
    ProtectTest::SetUp();
    sql(R"(
CREATE SCHEMA shop;
CREATE TABLE shop.people (id integer PRIMARY KEY, gone text, name varchar(40) NOT NULL DEFAULT 'n/a',
                          born date, code char(3) NOT NULL, seat integer, UNIQUE (code, id),
                          UNIQUE (name), UNIQUE (seat));
ALTER TABLE shop.people DROP COLUMN gone;
CREATE UNIQUE INDEX ON shop.people (code) WHERE seat > 100;
CREATE TABLE lots (lot integer PRIMARY KEY, recipe text);
CREATE TABLE other (id integer, price numeric(14,2));
CREATE VIEW plain_view AS SELECT id, price FROM other;
CREATE TABLE parts (k integer) PARTITION BY LIST (k);
INSERT INTO shop.people SELECT n, 'name ' || n, '2000-01-01', 'abc', n FROM generate_series(1, 50) n;
INSERT INTO lots VALUES (1, 'x');
)");
  }
  Result<std::shared_ptr<const rewrite::Catalogue>> load(const std::string& yaml = kPolicy) {
    auto database = connect("theriac_gateway");
    return load_catalogue(database, policy::parse_policy(yaml, "p").value(), 7);
  }
  std::uint64_t fingerprint() {
    auto database = connect("theriac_gateway");
    return schema_fingerprint(database).value();
  }
  static std::string without(std::string text, const std::string& part,
                             const std::string& by = "") {
    text.replace(text.find(part), part.size(), by);
    return text;
  }
};

TEST_F(Loader, TellsEverythingOfTheDatabase) {
  ASSERT_TRUE(protect(kPolicy));
  const auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().message();
  const auto& catalogue = **loaded;
  EXPECT_EQ(catalogue.epoch(), 7U);
  EXPECT_TRUE(catalogue.has_protected());

  const auto* people = catalogue.find("shop", "people", {});
  ASSERT_NE(people, nullptr);
  EXPECT_EQ(people->kind, 'r');
  EXPECT_FALSE(people->bound);
  const auto* name = people->find("name");
  ASSERT_TRUE(name != nullptr && name->protection.has_value());
  EXPECT_EQ(name->attribute, 3);
  EXPECT_EQ(name->type.oid, pgwire::kOidVarchar);
  EXPECT_EQ(name->type.modifier, 44);
  const auto& protection = *name->protection;
  EXPECT_EQ(protection.class_name, "person");
  EXPECT_EQ(protection.domain, "names");
  EXPECT_TRUE(protection.searchable);
  EXPECT_TRUE(protection.not_null);
  EXPECT_EQ(protection.default_stored, "n/a");
  EXPECT_FALSE(protection.field.is_zero());
  EXPECT_EQ(people->find_attribute(protection.sealed_attribute)->name, protection.sealed_name());
  EXPECT_EQ(people->find_attribute(protection.index_attribute)->name, protection.index_name());
  EXPECT_TRUE(people->find(protection.sealed_name())->helper);
  EXPECT_TRUE(people->find(protection.index_name())->helper);
  const auto& born = *people->find("born")->protection;
  EXPECT_FALSE(born.searchable);
  EXPECT_EQ(born.index_attribute, 0);
  EXPECT_FALSE(born.not_null);
  EXPECT_FALSE(born.default_stored.has_value());
  EXPECT_NE(born.field, protection.field);
  EXPECT_FALSE(people->find("code")->protection.has_value());
  EXPECT_FALSE(people->find("code")->helper);
  EXPECT_EQ(people->find("gone"), nullptr);
  // Not: by nullable seat, by the partial index, by the blind index.
  EXPECT_THAT(people->keys, testing::UnorderedElementsAre(ElementsAre(1), ElementsAre(5, 1)));

  const auto* lots = catalogue.find("", "lots", {"public"});
  ASSERT_NE(lots, nullptr);
  EXPECT_TRUE(lots->bound);
  EXPECT_TRUE(lots->find("theriac_row")->helper);
  EXPECT_THAT(lots->keys, ElementsAre(ElementsAre(1)));
  EXPECT_EQ(catalogue.find("public", "other", {})->find("price")->type.modifier,
            (14 << 16) + 2 + 4);
  EXPECT_EQ(catalogue.find("public", "parts", {})->kind, 'p');
  EXPECT_EQ(catalogue.find("public", "plain_view", {})->kind, 'v');
  EXPECT_NE(catalogue.find("", "pg_class", {"public"}), nullptr);
  EXPECT_EQ(catalogue.find("theriac", "columns", {}), nullptr);
}

TEST_F(Loader, ViewsThatReadProtectedColumnsAreKnown) {
  ASSERT_TRUE(protect(kPolicy));
  sql("CREATE VIEW direct AS SELECT id, name FROM shop.people; "
      "CREATE VIEW through AS SELECT id FROM direct; "
      "CREATE VIEW whole AS SELECT p FROM shop.people p; "
      "CREATE VIEW helper AS SELECT theriac_sealed_1 FROM shop.people; "
      "CREATE MATERIALIZED VIEW kept AS SELECT lot, recipe FROM lots; "
      "CREATE VIEW harmless AS SELECT id, code FROM shop.people");
  const auto loaded = load();
  ASSERT_TRUE(loaded) << loaded.error().message();
  for (const std::string name : {"direct", "through", "whole", "helper", "kept"}) {
    EXPECT_TRUE((*loaded)->find("public", name, {})->reads_protected) << name;
  }
  for (const std::string name : {"harmless", "plain_view"}) {
    EXPECT_FALSE((*loaded)->find("public", name, {})->reads_protected) << name;
  }
}

TEST_F(Loader, RegistryAndPolicyMustAgree) {
  ASSERT_TRUE(protect(kPolicy));
  const std::string text = kPolicy;
  const std::string lots = "  - {table: public.lots, column: recipe, class: batch}\n";
  const std::vector<std::pair<std::string, std::string>> wrong{
      {without(text, lots), "public.lots.recipe is protected"},
      {without(text, lots, lots + "  - {table: public.lots, column: lot, class: batch}\n"),
       "public.lots.lot is not protected"},
      {without(text, "column: born, class: person", "column: born, class: batch"),
       "shop.people.born: class"},
      {without(text, "column: born, class: person",
               "column: born, class: person, searchable: true"),
       "shop.people.born: searchable"},
      {without(text, "domain: names", "domain: people"), "shop.people.name: domain"},
      {without(text, "person: {", "person: {suite: sm4, "), "shop.people.name: suite"},
      {without(text, "person: {", "person: {bind_rows: true, "), "shop.people.name: bind_rows"},
  };
  for (const auto& [yaml, where] : wrong) {
    const auto refused = load(yaml);
    ASSERT_FALSE(refused) << yaml;
    EXPECT_EQ(refused.error().code, Code::kPolicyInvalid);
    EXPECT_THAT(refused.error().where, HasSubstr(where));
  }
}

TEST_F(Loader, HalfWayAndDamagedTablesAreRefused) {
  int asked = 0;
  ASSERT_FALSE(protect(kPolicy, [&] { return ++asked > 6; }));
  const auto half = load();
  ASSERT_FALSE(half);
  EXPECT_EQ(half.error().code, Code::kNotProtected);
  EXPECT_THAT(half.error().where, HasSubstr("shop.people"));
  ASSERT_TRUE(protect(kPolicy));
  ASSERT_TRUE(load());
  for (const auto& [damage, repair] : std::vector<std::pair<std::string, std::string>>{
           {"ALTER TABLE lots DROP CONSTRAINT theriac_plain_3",
            "ALTER TABLE lots ADD CONSTRAINT theriac_plain_3 CHECK (recipe IS NULL)"},
           {"ALTER TABLE lots RENAME theriac_sealed_3 TO x",
            "ALTER TABLE lots RENAME x TO theriac_sealed_3"},
           {"ALTER TABLE lots RENAME theriac_row TO x", "ALTER TABLE lots RENAME x TO theriac_row"},
           {"ALTER TABLE lots ALTER recipe TYPE varchar(9)",
            "ALTER TABLE lots ALTER recipe TYPE text"},
       }) {
    sql(damage);
    const auto refused = load();
    ASSERT_FALSE(refused) << damage;
    EXPECT_EQ(refused.error().code, Code::kNotProtected) << damage;
    EXPECT_THAT(refused.error().where, HasSubstr("public.lots")) << damage;
    sql(repair);
    ASSERT_TRUE(load()) << repair;
  }
}

TEST_F(Loader, RenamesChangeNothingButNames) {
  ASSERT_TRUE(protect(kPolicy));
  const auto before = load().value()->find("shop", "people", {})->find("name")->protection->field;
  sql("ALTER TABLE shop.people RENAME name TO full_name; ALTER TABLE shop.people RENAME TO "
      "persons");
  auto yaml = without(kPolicy, "people, column: name", "persons, column: full_name");
  yaml = without(yaml, "people, column: born", "persons, column: born");
  const auto after = load(yaml);
  ASSERT_TRUE(after) << after.error().message();
  EXPECT_EQ((*after)->find("shop", "persons", {})->find("full_name")->protection->field, before);
  // The policy that it was protected by goes on to mean it; what may come under the old names is
  // awaited.
  const auto old = load();
  ASSERT_TRUE(old) << old.error().message();
  EXPECT_TRUE((*old)->find("shop", "persons", {})->find("full_name")->protection);
  EXPECT_EQ((*old)->awaited().size(), 2U);
  EXPECT_TRUE((*old)->awaits_table("people"));
  EXPECT_TRUE((*old)->may_concern("INSERT INTO shop.People VALUES (1)"));
}

TEST_F(Loader, FingerprintFollowsEveryChange) {
  {
    auto database = connect();
    EXPECT_EQ(schema_fingerprint(database).value(), 0U);
  }
  ASSERT_TRUE(protect(kPolicy));
  auto last = fingerprint();
  EXPECT_EQ(fingerprint(), last);
  for (const std::string change :
       {"ALTER TABLE shop.people ADD extra integer", "ALTER TABLE shop.people RENAME extra TO more",
        "ALTER TABLE shop.people DROP more", "ALTER TABLE other RENAME TO another",
        "ALTER TABLE another ALTER price SET NOT NULL", "CREATE TABLE fresh (id integer)",
        "CREATE VIEW v AS SELECT name FROM shop.people", "DROP VIEW v",
        "CREATE UNIQUE INDEX u ON fresh (id)", "DROP TABLE fresh",
        "ALTER TABLE lots DROP CONSTRAINT theriac_plain_3",
        "CREATE OR REPLACE VIEW plain_view AS SELECT id, price FROM another WHERE id > 1",
        "UPDATE theriac.columns SET state = state WHERE number = 1"}) {
    sql(change);
    const auto now = fingerprint();
    EXPECT_NE(now, last) << change;
    last = now;
  }
  // A column and the registry's row of its table, changed by one transaction after another:
  // whatever the column's number, the two never cancel each other.
  for (int column = 1; column <= 9; ++column) {
    sql("ALTER TABLE shop.people ADD IF NOT EXISTS c" + std::to_string(column) + " integer");
  }
  for (int change = 0; change < 27; ++change) {
    sql("BEGIN; UPDATE theriac.tables SET relation = relation;"
        "UPDATE pg_attribute SET attstattarget = attstattarget WHERE attnum = " +
        std::to_string(change / 3 + 1) + " AND attrelid = 'shop.people'::regclass; COMMIT");
    const auto now = fingerprint();
    EXPECT_NE(now, last) << change;
    last = now;
  }
  for (const std::string nothing :
       {"UPDATE another SET price = 1", "TRUNCATE another", "VACUUM FULL another", "ANALYZE",
        "CREATE TEMP TABLE t (id integer)", "CREATE INDEX ON another (price)"}) {
    sql(nothing);
    EXPECT_EQ(fingerprint(), last) << nothing;
  }
  ASSERT_FALSE(load());
}

TEST_F(Loader, TypesMadeInTheDatabaseAreResolved) {
  sql("CREATE EXTENSION citext; CREATE TYPE mood AS ENUM ('sad'); CREATE DOMAIN short AS "
      "varchar(5);"
      "CREATE TABLE typed (id integer PRIMARY KEY, feeling mood, mail citext, word short, "
      "feelings mood[])");
  const std::string yaml =
      "version: 1\ntenant: test\nclasses: {person: {}}\ncolumns:\n"
      "  - {table: public.typed, column: feeling, class: person}\n"
      "  - {table: public.typed, column: mail, class: person, searchable: true, search: [lower]}\n"
      "  - {table: public.typed, column: word, class: person}\n"
      "  - {table: public.typed, column: feelings, class: person}\n"
      "roles: {}\n";
  ASSERT_TRUE(protect(yaml));
  const auto before = fingerprint();
  auto loaded = load(yaml);
  ASSERT_TRUE(loaded) << loaded.error().message();
  const auto* typed = (*loaded)->find("public", "typed", {});
  const auto stored = [&](const char* column, const char* text) {
    return pgwire::to_stored(typed->find(column)->type, 0, 0, view_of(text), {}).has_value();
  };
  EXPECT_TRUE(stored("feeling", "sad"));
  EXPECT_FALSE(stored("feeling", "glad"));
  EXPECT_TRUE(stored("feelings", "{sad,NULL}"));
  EXPECT_FALSE(stored("word", "longer"));
  EXPECT_EQ(typed->find("word")->type.oid, pgwire::kOidVarchar);
  EXPECT_EQ(typed->find("word")->type.modifier, 9);
  const auto& mail = *typed->find("mail")->protection;
  ASSERT_EQ(mail.expressions.size(), 1U);
  EXPECT_EQ(mail.index_name(1), "theriac_index_2_lower");
  EXPECT_NE(mail.case_map, nullptr);
  // A label that comes later is a change, and is known after the next load.
  sql("ALTER TYPE mood ADD VALUE 'glad'");
  EXPECT_NE(fingerprint(), before);
  loaded = load(yaml);
  ASSERT_TRUE(loaded);
  typed = (*loaded)->find("public", "typed", {});
  EXPECT_TRUE(stored("feeling", "glad"));
  EXPECT_EQ(load(without(yaml, ", search: [lower]")).error().code, Code::kPolicyInvalid);
  // A domain that the database could not check any more.
  const auto unchecked = fingerprint();
  sql("ALTER DOMAIN short ADD CHECK (value <> 'x')");
  EXPECT_NE(fingerprint(), unchecked);
  EXPECT_EQ(load(yaml).error().code, Code::kNotProtected);
}

TEST_F(Loader, ARegistryOfFormatOneIsTakenOver) {
  ASSERT_TRUE(protect(kPolicy));
  sql("ALTER TABLE theriac.columns DROP COLUMN searches; UPDATE theriac.installation SET format = "
      "1");
  EXPECT_TRUE(load());
  ASSERT_TRUE(protect(kPolicy));
  EXPECT_EQ(value("SELECT format FROM theriac.installation"), "2");
  EXPECT_TRUE(load());
}

TEST_F(Loader, ASchemaOfTenThousandColumnsLoadsFast) {
  sql("DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE format('CREATE TABLE t%s (a int PRIMARY KEY, b "
      "text, c text, d text, e text, f text, g text, h text, i text, j text)', i); END LOOP; END "
      "$$");
  ASSERT_TRUE(protect(kPolicy));
  const auto started = std::chrono::steady_clock::now();
  const auto loaded = load();
  const auto between = std::chrono::steady_clock::now();
  ASSERT_TRUE(loaded);
  EXPECT_GT((*loaded)->relations().size(), 1000U);
  EXPECT_NE(fingerprint(), 0U);
  const auto ended = std::chrono::steady_clock::now();
  using Ms = std::chrono::duration<double, std::milli>;
  std::printf("1,000 tables of 10 columns: loaded in %.0f ms, fingerprint in %.0f ms\n",
              Ms(between - started).count(), Ms(ended - between).count());
}

}  // namespace
}  // namespace theriac::protect
