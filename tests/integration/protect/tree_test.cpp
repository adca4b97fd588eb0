// Partitioned tables and tables that others inherit from, there and back.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>

#include "fixture.hpp"
#include "protect/catalogue_loader.hpp"
#include "protect/registry.hpp"

namespace theriac::protect {
namespace {

using testing::HasSubstr;

// Visits: two levels, a default partition, a partition whose columns stand in another order and
// which has a default, NOT NULL, indexes and rights of its own. Assets: children that inherit.
const char* const kSchema = R"(
SET ROLE erp_owner;
CREATE TABLE visits (id integer, day date NOT NULL, patient text NOT NULL DEFAULT 'nobody',
  phone varchar(20), finding text DEFAULT 'none', fee integer, PRIMARY KEY (id, day),
  UNIQUE (phone, day)) PARTITION BY RANGE (day);
CREATE INDEX visits_by_patient ON visits (patient text_pattern_ops, fee DESC);
CREATE INDEX visits_by_finding ON visits (finding);
CREATE TABLE visits_2025 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')
  PARTITION BY RANGE (day);
CREATE TABLE visits_2025_low PARTITION OF visits_2025 FOR VALUES FROM ('2025-01-01') TO ('2025-08-01');
CREATE TABLE visits_2025_rest PARTITION OF visits_2025 DEFAULT;
CREATE TABLE visits_2026 (fee integer, gone text, finding text NOT NULL DEFAULT 'new', phone varchar(20),
  patient text NOT NULL, day date NOT NULL, id integer NOT NULL);
ALTER TABLE visits_2026 DROP COLUMN gone;
ALTER TABLE visits ATTACH PARTITION visits_2026 FOR VALUES FROM ('2026-01-01') TO ('2027-01-01');
CREATE TABLE visits_other PARTITION OF visits DEFAULT;
ALTER TABLE visits_other ALTER phone SET DEFAULT '000', ALTER finding DROP DEFAULT;
CREATE INDEX own_phone ON visits_2026 (phone);
COMMENT ON INDEX own_phone IS 'of this year';
CREATE STATISTICS visits_2026_stats ON patient, phone FROM visits_2026;
COMMENT ON CONSTRAINT visits_phone_day_key ON visits IS 'one a day';
GRANT SELECT, INSERT, UPDATE, DELETE ON visits TO erp_app;
GRANT SELECT (id, patient), UPDATE (phone) ON visits_2026 TO reader;
CREATE TABLE assets (id integer PRIMARY KEY, serial text UNIQUE, place text DEFAULT 'store');
CREATE INDEX assets_by_place ON assets (place);
CREATE TABLE pumps (flow integer, PRIMARY KEY (id)) INHERITS (assets);
CREATE TABLE big_pumps (weight integer, serial text NOT NULL DEFAULT 's') INHERITS (pumps);
CREATE UNIQUE INDEX big_serials ON big_pumps (serial);
GRANT SELECT, UPDATE ON assets, pumps TO erp_app;
CREATE VIEW v_low AS SELECT id, day, patient FROM visits_2025_low;
CREATE VIEW v_all AS SELECT v.id, v.patient, l.patient AS low FROM visits v JOIN v_low l USING (id, day);
GRANT SELECT ON v_all TO erp_app;
CREATE TABLE plain_base (id integer);
CREATE TABLE plain_child (recipe text) INHERITS (plain_base);
RESET ROLE;
INSERT INTO visits SELECT n, CASE n % 4 WHEN 0 THEN '2024-05-05'::date WHEN 1 THEN '2026-03-01' ELSE '2025-06-06' END
  + n, 'Patient CANARY-' || n, CASE WHEN n % 5 > 0 THEN '138' || n END,
  CASE WHEN n % 4 > 0 OR n > 200 THEN 'finding ' || n END, n FROM generate_series(1, 900) n;
INSERT INTO assets SELECT n, 'serial-' || n, 'place ' || n FROM generate_series(1, 50) n;
INSERT INTO pumps SELECT n, 'serial-' || n, NULL, n FROM generate_series(1, 60) n;
INSERT INTO big_pumps SELECT n, 'big-' || n, 'p', n, n FROM generate_series(1, 70) n;
INSERT INTO plain_child SELECT n, 'recipe ' || n FROM generate_series(1, 30) n;
)";

const char* const kPolicy = R"(version: 1
tenant: test
classes: {person: {buckets: [32]}, batch: {bind_rows: true, buckets: [32]}}
columns:
  - {table: public.visits, column: patient, class: person, searchable: true, search: [lower]}
  - {table: public.visits, column: phone, class: person, searchable: true}
  - {table: public.visits, column: finding, class: batch}
  - {table: public.assets, column: serial, class: person, searchable: true, accept_leakage: true}
  - {table: public.assets, column: place, class: person, searchable: true, accept_leakage: true}
  - {table: public.plain_child, column: recipe, class: batch}
roles: {erp_app: {person: clear, batch: clear}}
)";

class Tree : public ProtectTest {
 protected:
  void SetUp() override {
    ProtectTest::SetUp();
    sql(kSchema);
    schema_ = dump();
    contents_ = contents();
  }
  std::string contents() {
    return value(
        "SELECT md5(string_agg(r, E'\\n' ORDER BY r)) FROM ("
        "SELECT tableoid::regclass || ' ' || v::text FROM visits v UNION ALL "
        "SELECT tableoid::regclass || ' ' || a::text FROM assets a UNION ALL "
        "SELECT p::text FROM pumps p UNION ALL SELECT b::text FROM big_pumps b UNION ALL "
        "SELECT p::text FROM plain_child p) AS rows(r)");
  }
  std::shared_ptr<const rewrite::Catalogue> load() {
    auto database = connect();
    auto loaded = load_catalogue(database, policy::parse_policy(kPolicy, "p").value(), 3);
    EXPECT_TRUE(loaded) << loaded.error().message();
    return loaded ? *loaded : nullptr;
  }
  std::string schema_, contents_;
};

TEST_F(Tree, ThereAndBack) {
  const auto inspection = inspected(kPolicy);
  ASSERT_FALSE(inspection.refused()) << inspection.to_json().dump(1);
  const auto done = protect(kPolicy);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(value("SELECT count(*) FROM visits WHERE patient IS NOT NULL OR phone IS NOT NULL OR "
                  "finding IS NOT NULL"),
            "0");
  EXPECT_EQ(value("SELECT count(*) FROM assets WHERE serial IS NOT NULL"), "0");
  const auto catalogue = load();
  ASSERT_TRUE(catalogue);
  const auto* root = catalogue->find("public", "visits", {});
  ASSERT_NE(root, nullptr);
  EXPECT_TRUE(root->has_members);
  EXPECT_TRUE(root->bound);
  for (const std::string name :
       {"visits_2025", "visits_2025_low", "visits_2025_rest", "visits_2026", "visits_other"}) {
    const auto* part = catalogue->find("public", name, {});
    ASSERT_NE(part, nullptr) << name;
    EXPECT_TRUE(part->bound) << name;
    for (const std::string column : {"patient", "phone", "finding"}) {
      const auto& mine = part->find(column)->protection;
      ASSERT_TRUE(mine) << name << column;
      // A value sealed through the parent opens through the partition.
      EXPECT_EQ(mine->field, root->find(column)->protection->field);
      EXPECT_EQ(mine->number, root->find(column)->protection->number);
      EXPECT_EQ(mine->domain, root->find(column)->protection->domain);
    }
  }
  const auto stored = [&](const std::string& table, const std::string& column) {
    return catalogue->find("public", table, {})->find(column)->protection->default_stored;
  };
  EXPECT_EQ(stored("visits_2026", "finding"), "new");
  EXPECT_EQ(stored("visits_other", "finding"), std::nullopt);
  EXPECT_EQ(stored("visits_other", "phone"), "000");
  EXPECT_TRUE(catalogue->find("public", "visits_2026", {})->find("finding")->protection->not_null);
  EXPECT_FALSE(root->find("finding")->protection->not_null);
  for (const std::string role : {"erp_app", "erp_owner", "reader"}) {
    EXPECT_EQ(state_of(role, "SELECT patient FROM visits_2026"), "42501") << role;
    EXPECT_EQ(state_of(role, "SELECT phone FROM visits"), "42501") << role;
  }
  EXPECT_EQ(state_of("erp_app", "SELECT id, tableoid FROM visits"), "ok");
  EXPECT_EQ(state_of("erp_app", "SELECT id FROM visits_2025_low"), "42501");
  // Beside the gateway a value stays out, whatever way it takes.
  EXPECT_EQ(
      state_of("postgres", "INSERT INTO visits (id, day, patient) VALUES (1, '2026-01-01', 'x')"),
      "23502");
  EXPECT_EQ(state_of("postgres",
                     "INSERT INTO visits_2026 (id, day, patient) VALUES (1, '2026-01-01', "
                     "'x')"),
            "23502");
  // A second time there is nothing to do.
  const auto again = protect(kPolicy);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_TRUE(again->tables.empty());
  const auto back = unprotect();
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(contents(), contents_);
  EXPECT_EQ(dump(), schema_);
}

TEST_F(Tree, APartitionMadeBesideTheGatewayIsAsProtected) {
  ASSERT_TRUE(protect(kPolicy));
  sql("SET ROLE erp_owner; CREATE TABLE visits_2020 PARTITION OF visits FOR VALUES FROM "
      "('2020-01-01') TO ('2021-01-01')");
  const auto catalogue = load();
  ASSERT_TRUE(catalogue);
  const auto* part = catalogue->find("public", "visits_2020", {});
  ASSERT_NE(part, nullptr);
  ASSERT_TRUE(part->find("patient")->protection);
  EXPECT_TRUE(part->bound);
  EXPECT_EQ(part->find("patient")->protection->default_stored, "nobody");
  EXPECT_EQ(value("SELECT count(*) FROM theriac.tables WHERE relation = 'visits_2020'::regclass"),
            "0");
  const auto done = protect(kPolicy);
  ASSERT_TRUE(done) << done.error().message();
  EXPECT_EQ(value("SELECT count(*) FROM theriac.columns WHERE relation = 'visits_2020'::regclass"),
            "3");
  EXPECT_EQ(state_of("erp_owner", "SELECT patient FROM visits_2020"), "42501");
  // Detached beside the gateway it keeps its form, and is opened with the others.
  sql("ALTER TABLE visits DETACH PARTITION visits_2020");
  EXPECT_TRUE(load()->find("public", "visits_2020", {})->find("patient")->protection);
  sql("DROP TABLE visits_other");
  const auto back = unprotect();
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(value("SELECT count(*) FROM pg_attribute WHERE attname LIKE 'theriac%' AND NOT "
                  "attisdropped"),
            "0");
  EXPECT_EQ(value("SELECT count(*) FROM visits WHERE patient IS NULL"), "0");
}

TEST_F(Tree, ADetachedPartitionOutlivesItsRoot) {
  const auto rows = value("SELECT md5(string_agg(v::text, ' ' ORDER BY id)) FROM visits_2026 v");
  ASSERT_TRUE(protect(kPolicy));
  sql("ALTER TABLE visits DETACH PARTITION visits_2026; DROP TABLE visits CASCADE");
  const auto catalogue = load();
  ASSERT_TRUE(catalogue);
  const auto* part = catalogue->find("public", "visits_2026", {});
  ASSERT_NE(part, nullptr);
  EXPECT_TRUE(part->find("patient")->protection);
  const auto back = unprotect();
  ASSERT_TRUE(back) << back.error().message();
  EXPECT_EQ(value("SELECT md5(string_agg(v::text, ' ' ORDER BY id)) FROM visits_2026 v"), rows);
  EXPECT_EQ(value("SELECT to_regclass('theriac.columns') IS NULL"), "t");
}

TEST_F(Tree, KilledAtEveryStep) {
  const auto killed_at = [&](int n, bool sealing) {
    const pid_t child = fork();
    if (child == 0) {
      int asked = 0;
      const auto interrupted = [&] {
        if (++asked == n) std::raise(SIGKILL);
        return false;
      };
      const auto done = sealing ? protect(kPolicy, interrupted) : unprotect(interrupted);
      _exit(done ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) return true;
    EXPECT_EQ(WEXITSTATUS(status), 0) << "killed at " << n;
    return false;
  };
  int kills = 0;
  for (int n = 1; killed_at(n, true); n += 3) ++kills;
  EXPECT_GT(kills, 5);
  EXPECT_EQ(value("SELECT count(DISTINCT (state, relation)) FROM theriac.columns"), "10");
  for (int n = 1; killed_at(n, false); n += 3) ++kills;
  EXPECT_EQ(contents(), contents_);
  EXPECT_EQ(dump(), schema_);
}

}  // namespace
}  // namespace theriac::protect
