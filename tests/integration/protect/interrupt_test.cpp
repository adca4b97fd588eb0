// Killed at every step, and gone on with; values that were meddled with; keys that went away.
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdio>

#include "fixture.hpp"

namespace theriac::protect {
namespace {

using testing::HasSubstr;

const char* const kSchema = R"(
SET ROLE erp_owner;
CREATE TABLE people (id integer PRIMARY KEY, name text NOT NULL DEFAULT 'x', phone varchar(20) UNIQUE,
                     note text);
CREATE INDEX people_by_name ON people (name);
GRANT SELECT, INSERT, UPDATE, DELETE ON people TO erp_app;
CREATE TABLE lots (lot integer PRIMARY KEY, recipe text, note text);
GRANT SELECT ON lots TO erp_app;
RESET ROLE;
INSERT INTO people SELECT n, '姓名' || n, CASE WHEN n % 3 > 0 THEN '138' || n END, repeat('n', 50)
  FROM generate_series(1, 2500) n;
INSERT INTO lots SELECT n, CASE WHEN n % 2 = 0 THEN 'r' || n END, 'n' FROM generate_series(1, 1500) n;
)";

const char* const kPolicy = R"(version: 1
tenant: test
classes: {person: {buckets: [32]}, batch: {bind_rows: true, buckets: [32]}}
columns:
  - {table: public.people, column: name, class: person, searchable: true}
  - {table: public.people, column: phone, class: person, searchable: true}
  - {table: public.lots, column: recipe, class: batch}
roles: {erp_app: {person: clear, batch: clear}}
)";

class Interrupt : public ProtectTest {
 protected:
  void SetUp() override {
    ProtectTest::SetUp();
    sql(kSchema);
    schema_ = dump();
    contents_ = contents();
  }
  std::string contents() {
    return value(
        "SELECT md5(string_agg(p::text, E'\\n' ORDER BY id)) || (SELECT "
        "md5(string_agg(l::text, E'\\n' ORDER BY lot)) FROM lots l) FROM people p");
  }
  /// Runs `work` in a process of its own that kills itself with -9 at the n-th question whether to
  /// go on. True if it came to its end before that.
  bool killed_at(int n, const std::function<Result<Report>(const std::function<bool()>&)>& work) {
    const pid_t child = fork();
    if (child == 0) {
      int asked = 0;
      const auto done = work([&] {
        if (++asked == n) std::raise(SIGKILL);
        return false;
      });
      _exit(done ? 0 : 1);
    }
    int status = 0;
    EXPECT_EQ(waitpid(child, &status, 0), child);
    if (WIFSIGNALED(status)) return false;
    EXPECT_EQ(WEXITSTATUS(status), 0) << "killed at " << n;
    return true;
  }
  /// No value is ever lost: each row has its plain value, or a sealed one, or was NULL.
  std::string lost() {
    std::string number;
    if (value("SELECT to_regclass('theriac.columns') IS NULL") == "f") {
      number =
          value("SELECT coalesce(min(number), 0) FROM theriac.columns WHERE column_name = 'name'");
    }
    if (number.empty() || number == "0") {
      return value("SELECT count(*) FROM people WHERE name IS NULL");
    }
    return value("SELECT count(*) FROM people WHERE name IS NULL AND theriac_sealed_" + number +
                 " IS NULL");
  }
  std::string schema_, contents_;
};

TEST_F(Interrupt, KilledAtEveryStepOfOneLongWay) {
  // Each run dies one step later than the one before, and each goes on from what it finds.
  const auto sealing = [&](const auto& interrupted) { return protect(kPolicy, interrupted); };
  int kills = 0;
  for (int n = 1; !killed_at(n, sealing); ++n, ++kills) ASSERT_EQ(lost(), "0");
  EXPECT_GT(kills, 5);
  EXPECT_EQ(value("SELECT count(*) FROM theriac.columns WHERE state = 'sealed'"), "3");
  EXPECT_EQ(state_of("erp_app", "SELECT name FROM people"), "42501");
  const auto opening = [&](const auto& interrupted) { return unprotect(interrupted); };
  for (int n = 1; !killed_at(n, opening); ++n, ++kills) ASSERT_EQ(lost(), "0");
  std::printf("killed %d times\n", kills);
  EXPECT_EQ(contents(), contents_);
  EXPECT_EQ(dump(), schema_);
}

TEST_F(Interrupt, KilledOnceAtEachStep) {
  const auto sealing = [&](const auto& interrupted) { return protect(kPolicy, interrupted); };
  const auto opening = [&](const auto& interrupted) { return unprotect(interrupted); };
  bool ended = false;
  for (int n = 1; !ended; n += 2) {
    ended = killed_at(n, sealing);
    ASSERT_EQ(lost(), "0") << n;
    // Odd turns go on, even ones turn back from wherever the kill left the table.
    if (n % 4 == 1) {
      const auto on = protect(kPolicy);
      ASSERT_TRUE(on) << n << ": " << on.error().message();
      killed_at(n, opening);
    }
    const auto back = unprotect();
    ASSERT_TRUE(back) << n << ": " << back.error().message();
    ASSERT_EQ(contents(), contents_) << n;
    ASSERT_EQ(dump(), schema_) << n;
  }
}

TEST_F(Interrupt, NobodyReadsOrWritesHalfWay) {
  int asked = 0;
  const auto stopped = protect(kPolicy, [&] { return ++asked > 6; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, Code::kInterrupted);
  EXPECT_EQ(value("SELECT count(*) FROM theriac.columns WHERE state = 'sealing'"), "2");
  for (const std::string role : {"erp_app", "erp_owner"}) {
    EXPECT_EQ(state_of(role, "SELECT id FROM people"), "42501");
    EXPECT_EQ(state_of(role, "INSERT INTO people (id) VALUES (0)"), "42501");
    EXPECT_EQ(state_of(role, "UPDATE people SET note = ''"), "42501");
  }
  ASSERT_TRUE(protect(kPolicy));
  ASSERT_TRUE(unprotect());
  EXPECT_EQ(dump(), schema_);
}

TEST_F(Interrupt, AValueThatWasMeddledWithStopsBeforeAnythingIsErased) {
  bool filled = false;
  progress_ = [&](std::string_view stage, std::int64_t done, std::int64_t all) {
    filled = stage == "sealing public.people" && done == all;
  };
  const auto stopped = protect(kPolicy, [&] { return filled; });
  ASSERT_FALSE(stopped);
  ASSERT_EQ(stopped.error().code, Code::kInterrupted);
  // Another row's sealed value; the class does not bind rows, so it opens, to the wrong value.
  sql("UPDATE people SET theriac_sealed_1 = (SELECT theriac_sealed_1 FROM people WHERE id = 2), "
      "theriac_index_1 = (SELECT theriac_index_1 FROM people WHERE id = 2) WHERE id = 1");
  filled = false;
  progress_ = [](std::string_view, std::int64_t, std::int64_t) {};
  const auto refused = protect(kPolicy);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kMismatch);
  EXPECT_THAT(refused.error().where, HasSubstr("public.people.name"));
  EXPECT_EQ(value("SELECT count(*) FROM people WHERE name IS NULL"), "0");
  ASSERT_TRUE(unprotect());
  EXPECT_EQ(contents(), contents_);
  EXPECT_EQ(dump(), schema_);
}

TEST_F(Interrupt, AValueMovedToAnotherRowOfABoundTableDoesNotOpen) {
  ASSERT_TRUE(protect(kPolicy));
  sql("UPDATE lots SET theriac_sealed_3 = (SELECT theriac_sealed_3 FROM lots WHERE lot = 4) "
      "WHERE lot = 2");
  const auto refused = unprotect();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kNotAuthentic);
  EXPECT_THAT(refused.error().where, HasSubstr("public.lots.recipe"));
}

TEST_F(Interrupt, ARevokedClassStopsTheWork) {
  revoked_ = {"batch"};
  const auto refused = protect(kPolicy);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kRevoked);
  revoked_.clear();
  ASSERT_TRUE(protect(kPolicy));
  revoked_ = {"person"};
  EXPECT_EQ(unprotect().error().code, Code::kRevoked);
  revoked_.clear();
  ASSERT_TRUE(unprotect());
  EXPECT_EQ(contents(), contents_);
  EXPECT_EQ(dump(), schema_);
}

TEST_F(Interrupt, AColumnAddedToThePolicyLater) {
  const std::string full = kPolicy;
  auto part = full;
  const std::string second =
      "  - {table: public.people, column: phone, class: person, searchable: true}\n";
  part.erase(part.find(second), second.size());
  ASSERT_TRUE(protect(part));
  EXPECT_EQ(state_of("erp_app", "SELECT phone FROM people"), "ok");
  ASSERT_TRUE(protect(full));
  EXPECT_EQ(state_of("erp_app", "SELECT phone FROM people"), "42501");
  EXPECT_EQ(state_of("erp_app",
                     "SELECT ctid, xmin, id, note, theriac_sealed_1, theriac_sealed_3 "
                     "FROM people"),
            "ok");
  ASSERT_TRUE(unprotect());
  EXPECT_EQ(contents(), contents_);
  EXPECT_EQ(dump(), schema_);
}

}  // namespace
}  // namespace theriac::protect
