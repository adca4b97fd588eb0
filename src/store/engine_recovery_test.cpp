// What is left when something goes wrong: a killed process, a failing disk, a lost connection, an
// upgrade, a foreign or newer schema.
#include <fcntl.h>
#include <sqlite3.h>
#include <sys/wait.h>
#include <array>
#include <csignal>
#include <fstream>
#include <thread>

#include "store/engine_fixture.hpp"
#include "store/fault_vfs.hpp"
#include "store/limits.hpp"
#include "store/pg_link.hpp"
#include "store/sqlite_engine.hpp"

namespace theriac::store {
namespace {

using testing::ElementsAre;
using Names = std::vector<std::string_view>;

// Two accounts whose sum never changes, and a note of each movement.
constexpr std::string_view kSchema =
    "CREATE TABLE account(k INT PRIMARY KEY, amount INT NOT NULL);"
    "CREATE TABLE note(n INT PRIMARY KEY, text TEXT NOT NULL);"
    "INSERT INTO account VALUES(1, 0), (2, 0);";

Status move(Session& session, std::int64_t n) {
  return session.transact([n](Session& in) -> Status {
    THERIAC_TRY(in.run_all("UPDATE account SET amount = amount - 1 WHERE k = 1"));
    const std::string text(3000, 'n');
    const std::array<Param, 2> note{n, std::string_view(text)};
    THERIAC_TRY(in.insert("note", Names{"n", "text"}, note, ""));
    THERIAC_TRY(in.run_all("UPDATE account SET amount = amount + 1 WHERE k = 2"));
    return {};
  });
}

class RecoveryTest : public EngineTest {
 protected:
  void reopen() {
    sessions_.clear();
    engine_.reset();
    open(kSchema);
  }
  /// Nothing half done; the movements there are.
  std::int64_t checked_movements() {
    auto& s = *sessions_.front();
    EXPECT_EQ(integer(s, "SELECT sum(amount) FROM account"), 0);
    const auto moved = integer(s, "SELECT amount FROM account WHERE k = 2");
    EXPECT_EQ(integer(s, "SELECT count(*) FROM note"), moved);
    return moved;
  }
  Result<std::unique_ptr<Engine>> try_open(SchemaSteps steps) const {
    return open_engine(options_, steps);
  }
};
INSTANTIATE_TEST_SUITE_P(Engines, RecoveryTest, kBothEngines, name_of_engine);

/// Runs `work` in a child process, which must not use what the parent has opened.
pid_t in_child(const std::function<void()>& work) {
  const pid_t child = ::fork();
  if (child == 0) {
    work();
    ::_exit(0);
  }
  return child;
}

TEST_P(RecoveryTest, KilledInTheMiddleOfTransactions) {
  std::int64_t acknowledged = 0;
  for (int round = 0; round < 5; ++round) {
    sessions_.clear();
    engine_.reset();
    std::array<int, 2> ends{};
    ASSERT_EQ(::pipe(ends.data()), 0);
    const pid_t child = in_child([&] {
      auto engine = try_open(std::array{kSchema});
      auto session = (*engine)->connect();
      for (std::int64_t n = acknowledged + 1;; ++n) {
        // A movement may have been done without having been told.
        const auto done = move(**session, n);
        if (!done && done.error().code == Code::kConflict) continue;
        if (!done || ::write(ends[1], &n, sizeof n) != sizeof n) ::_exit(1);
      }
    });
    ::close(ends[1]);
    for (int i = 0; i < 10 + 3 * round; ++i) {
      ASSERT_EQ(::read(ends[0], &acknowledged, sizeof acknowledged),
                static_cast<ssize_t>(sizeof acknowledged));
    }
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status));
    for (std::int64_t n = 0; ::read(ends[0], &n, sizeof n) == static_cast<ssize_t>(sizeof n);) {
      acknowledged = n;
    }
    ::close(ends[0]);
    open(kSchema);
    EXPECT_GE(checked_movements(), acknowledged) << "an acknowledged transaction was lost";
  }
}

TEST_P(RecoveryTest, ManyProcessesOpenAtOnce) {
  std::vector<pid_t> children;
  for (int i = 0; i < 6; ++i) {
    children.push_back(in_child([&] {
      auto engine = try_open(std::array{kSchema});
      if (!engine) ::_exit(10 + static_cast<int>(engine.error().code));
      auto session = (*engine)->connect();
      if (!session) ::_exit(100 + static_cast<int>(session.error().code));
      for (int n = 0; n < 5;) {
        const auto done = move(**session, ::getpid() * 10 + n);
        if (!done && done.error().code != Code::kBusy) ::_exit(2);
        if (done) ++n;
      }
    }));
  }
  for (const pid_t child : children) {
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_TRUE(WIFEXITED(status));
    EXPECT_EQ(WEXITSTATUS(status), 0);
  }
  open(kSchema);
  EXPECT_EQ(checked_movements(), 30);
}

constexpr std::string_view kSecond =
    "ALTER TABLE account ADD COLUMN owner TEXT NOT NULL DEFAULT 'nobody';"
    "CREATE TABLE later(id BYTES PRIMARY KEY);";

TEST_P(RecoveryTest, AnUpgradeKeepsWhatWasThere) {
  ASSERT_TRUE(move(open(kSchema), 1));
  auto& old_session = *sessions_.front();
  auto upgraded = try_open(std::array{kSchema, kSecond});
  ASSERT_TRUE(upgraded) << upgraded.error().message();
  auto s = (*upgraded)->connect();
  EXPECT_THAT(texts((*s)->query_all("SELECT amount, owner FROM account ORDER BY k"), "it"),
              ElementsAre("-1|nobody", "1|nobody"));
  EXPECT_EQ(integer(**s, "SELECT count(*) FROM later"), 0);
  EXPECT_EQ(code_of(engine_->connect()), Code::kUnsupported) << "upgraded under the older program";
  EXPECT_EQ(code_of(try_open(std::array{kSchema})), Code::kUnsupported);
  EXPECT_EQ(integer(old_session, "SELECT count(*) FROM note"), 1);
  s->reset();
  upgraded->reset();
  if (of_postgresql()) return;
  options_.where += ".v1.backup";
  auto backup = try_open(std::array{kSchema});
  ASSERT_TRUE(backup);
  EXPECT_EQ(integer(**(*backup)->connect(), "SELECT count(*) FROM note"), 1);
}

TEST_P(RecoveryTest, AFailedUpgradeLeavesTheOldSchema) {
  ASSERT_TRUE(move(open(kSchema), 1));
  constexpr std::string_view kBroken =
      "CREATE TABLE later(id BYTES PRIMARY KEY); INSERT INTO missing VALUES(1);";
  EXPECT_FALSE(try_open(std::array{kSchema, kBroken}));
  EXPECT_EQ(code_of(try_open(std::array{kSchema, std::string_view("CREATE TABLE \"T\"(a INT)")})),
            Code::kInternal);
  reopen();
  EXPECT_EQ(checked_movements(), 1);
  auto again = try_open(std::array{kSchema, kSecond});
  EXPECT_TRUE(again) << "nothing of the failed step is left";
}

TEST_P(RecoveryTest, WhatIsAnothersIsRefused) {
  if (of_postgresql()) {
    auto link = PgConnection::open(options_.where);
    ASSERT_TRUE(link->exec("CREATE SCHEMA " + options_.schema_name + "; CREATE TABLE " +
                           options_.schema_name + ".theirs(a int)"));
  } else {
    std::ofstream(path()) << std::string(8192, 'x');
  }
  EXPECT_EQ(code_of(try_open(std::array{kSchema})), Code::kNotAuthentic);
}

TEST_P(RecoveryTest, ABackupIsACopyOfItsOwn) {
  auto& s = open(kSchema);
  ASSERT_TRUE(move(s, 1));
  if (of_postgresql()) {
    EXPECT_EQ(code_of(engine_->backup_to("/tmp/x")), Code::kUnsupported);
    return;
  }
  EXPECT_TRUE(s.transact([&](Session& in) -> Status {
    THERIAC_TRY(in.run_all("INSERT INTO note VALUES(9, 'not committed')"));
    return engine_->backup_to(path() + ".copy");
  }));
  ASSERT_TRUE(move(s, 2));
  options_.where += ".copy";
  reopen();
  EXPECT_EQ(checked_movements(), 1);
}

// --- SQLite --------------------------------------------------------------------------------------

class SqliteRecoveryTest : public RecoveryTest {};
INSTANTIATE_TEST_SUITE_P(Engine, SqliteRecoveryTest, testing::Values("sqlite"), name_of_engine);

// Fails the Nth call of the file system for N = 1, 2, … until everything succeeds.
TEST_P(SqliteRecoveryTest, FaultLoop) {
  for (const bool for_good : {true, false}) {
    for (const int code : {SQLITE_IOERR_WRITE, SQLITE_FULL}) {
      open(kSchema);
      sessions_.clear();
      engine_.reset();
      bool all_good = false;
      int nth = 0;
      std::int64_t done = 0;
      while (!all_good) {
        ASSERT_LT(++nth, 500);
        {
          FaultVfs vfs;
          vfs.fail_at(nth, code, for_good);
          const DatabaseOptions file{.path = path(), .busy_ms = 1, .vfs = FaultVfs::kName};
          auto engine = open_sqlite_engine(file, options_, std::array{kSchema});
          auto session = engine ? (*engine)->connect() : fail(engine.error());
          const auto moved = session ? move(**session, nth) : fail(session.error());
          // A disk that is well again serves the same session.
          const auto again = session && !for_good ? move(**session, 1000 + nth) : moved;
          done += (moved ? 1 : 0) + (!for_good && again ? 1 : 0);
          all_good = !vfs.failed();
          for (const auto& result : {moved, again}) {
            if (result) continue;
            EXPECT_FALSE(all_good);
            EXPECT_THAT(result.error().code,
                        testing::AnyOf(Code::kIo, Code::kDiskFull, Code::kBusy));
          }
        }
        reopen();
        const auto found = checked_movements();
        EXPECT_GE(found, done) << "an acknowledged transaction was lost at call " << nth;
        done = found;  // one that failed may have happened
        sessions_.clear();
        engine_.reset();
      }
      EXPECT_GT(nth, 5) << "the loop must meet several calls";
      std::filesystem::remove(path());
    }
  }
}

// The same with so much written that the log is written into the file: a checkpoint that fails
// loses nothing, and the session goes on.
TEST_P(SqliteRecoveryTest, FaultsDuringCheckpoints) {
  const std::string text(3000, 'n');
  constexpr std::int64_t kBatch = 500, kBatches = 10;
  int failures = 0, calls = 0;
  for (const int part : {0, 1, 3, 4}) {  // fifths of all calls: in a batch, in checkpoints
    const int nth = part * calls / 5;    // at first none fails, and they are counted
    std::int64_t acknowledged = 0;
    {
      open(kSchema);
      FaultVfs vfs;
      const DatabaseOptions file{.path = path(), .busy_ms = 1, .vfs = FaultVfs::kName};
      auto engine = open_sqlite_engine(file, options_, std::array{kSchema});
      auto session = (*engine)->connect();
      vfs.fail_at(nth, SQLITE_IOERR_WRITE, false);
      for (std::int64_t batch = 0; batch < kBatches; ++batch) {
        std::vector<Param> notes;
        for (std::int64_t i = 0; i < kBatch; ++i) {
          notes.insert(notes.end(), {batch * kBatch + i, std::string_view(text)});
        }
        const auto done = (*session)->insert("note", Names{"n", "text"}, notes, "");
        acknowledged += done.value_or(0);
        failures += done ? 0 : 1;
      }
      EXPECT_GE(acknowledged, (kBatches - 1) * kBatch) << "one failure fails one batch";
      if (part == 0) calls = vfs.calls();
      EXPECT_EQ(vfs.failed(), part > 0);
    }
    reopen();
    EXPECT_EQ(integer(*sessions_.front(), "SELECT count(*) FROM note"), acknowledged) << part;
    sessions_.clear();
    engine_.reset();
    std::filesystem::remove(path());
  }
  EXPECT_EQ(failures, 1) << "a checkpoint that fails fails no batch";
}

TEST_P(SqliteRecoveryTest, AFullDiskIsSaidAndLosesNothing) {
  auto& s = open(kSchema);
  ASSERT_TRUE(move(s, 1));
  ASSERT_TRUE(
      s.query_all("PRAGMA max_page_count=30").and_then([](auto rows) { return rows->next(); }));
  Status done;
  for (std::int64_t n = 2; done && n < 1000; ++n) done = move(s, n);
  EXPECT_EQ(code_of(done), Code::kDiskFull);
  const auto moved = checked_movements();
  EXPECT_GT(moved, 1);
  ASSERT_TRUE(s.run_all("DELETE FROM note WHERE n = 1"));
  EXPECT_TRUE(s.run_all("INSERT INTO note VALUES(1, $1)", std::string(3000, 'n')));
}

TEST_P(SqliteRecoveryTest, TheLogDoesNotGrowWithoutEnd) {
  open(kSchema);
  const std::string text(3000, 'n');
  std::vector<std::thread> threads;
  for (int t = 0; t < 3; ++t) {
    auto& session = connect();
    threads.emplace_back([&, t] {
      std::vector<Param> notes;
      for (int batch = 0; batch < 12; ++batch) {
        notes.clear();
        for (int i = 0; i < 500; ++i) {
          notes.insert(notes.end(), {t + 3 * (batch * 500 + i), std::string_view(text)});
        }
        EXPECT_TRUE(session.insert("note", Names{"n", "text"}, notes, ""));
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto log_bytes = std::filesystem::file_size(path() + "-wal");
  EXPECT_GT(std::filesystem::file_size(path()), 40U << 20U);
  EXPECT_LT(log_bytes, 3U * kCheckpointPages * 4120U);
}

// --- PostgreSQL ----------------------------------------------------------------------------------

class PgRecoveryTest : public RecoveryTest {
 protected:
  static std::int64_t backend(Session& s) { return integer(s, "SELECT pg_backend_pid()"); }
  static void terminate(Session& by, std::int64_t pid) {
    ASSERT_THAT(texts(by.query_all("SELECT pg_terminate_backend(CAST($1 AS int))", pid), "i"),
                ElementsAre("1"));
    // The server has let go of it when it is listed no more.
    while (integer(by, "SELECT count(*) FROM pg_stat_activity WHERE pid = " +
                           std::to_string(pid)) != 0) {
    }
  }
};
INSTANTIATE_TEST_SUITE_P(Engine, PgRecoveryTest, testing::Values("postgresql"), name_of_engine);

TEST_P(PgRecoveryTest, AnIdleConnectionThatWasLostIsMadeAgain) {
  auto& s = open(kSchema);
  auto& other = connect();
  for (int i = 1; i <= 2; ++i) {
    ASSERT_TRUE(move(s, i));
    terminate(other, backend(s));
    EXPECT_TRUE(move(s, 100 + i));
    terminate(other, backend(s));
    EXPECT_EQ(integer(s, "SELECT count(*) FROM note"), 2 * i);
  }
  terminate(other, backend(s));
  EXPECT_THAT(texts(s.look_up("note", "n", Names{}, std::array<Param, 1>{1}), "i"),
              ElementsAre("1"));
}

TEST_P(PgRecoveryTest, AConnectionLostInATransactionIsAnError) {
  auto& s = open(kSchema);
  auto& other = connect();
  int runs = 0;
  const auto done = s.transact([&](Session& in) -> Status {
    ++runs;
    THERIAC_TRY(in.run_all("INSERT INTO note VALUES(1, 'x')"));
    terminate(other, backend(in));
    THERIAC_TRY(in.run_all("INSERT INTO note VALUES(2, 'x')"));
    return {};
  });
  EXPECT_EQ(code_of(done), Code::kUpstream);
  EXPECT_EQ(runs, 1);
  EXPECT_EQ(integer(s, "SELECT count(*) FROM note"), 0) << "and the session goes on";
  EXPECT_EQ(code_of(s.transact([&](Session& in) -> Status {
              THERIAC_TRY(in.run_all("INSERT INTO note VALUES(1, 'x')"));
              terminate(other, backend(in));
              return {};
            })),
            Code::kUpstream)
      << "lost before the commit";
  EXPECT_TRUE(move(s, 3));
}

TEST_P(PgRecoveryTest, CommitsAreDurableWhateverTheDatabaseSays) {
  auto& s = open(kSchema);
  const std::string_view shown = "SELECT current_setting('synchronous_commit')";
  EXPECT_THAT(texts(s.query_all(shown), "t"), ElementsAre("on"));
  for (const auto& [set, kept] :
       {std::pair{"off", "on"}, {"local", "on"}, {"remote_apply", "remote_apply"}}) {
    ASSERT_TRUE(PgConnection::open(options_.where)
                    ->exec(std::string("ALTER DATABASE english SET synchronous_commit = ") + set));
    EXPECT_THAT(texts(connect().query_all(shown), "t"), ElementsAre(kept)) << set;
  }
  ASSERT_TRUE(
      PgConnection::open(options_.where)->exec("ALTER DATABASE english RESET synchronous_commit"));
}

TEST(PgLinkTest, StatesOfTheServerInOurWords) {
  const auto code = [](const std::string& state, Code before = Code::kUpstream) {
    return said_by_server({before, "SQLSTATE " + state}, state).code;
  };
  for (const auto* state : {"40001", "40P01", "55P03", "53300"})
    EXPECT_EQ(code(state), Code::kBusy);
  for (const auto* state : {"23505", "23503", "23514", "25P02"}) {
    EXPECT_EQ(code(state), Code::kConflict);
  }
  for (const auto* state : {"42601", "42P01", "22012", "21000", "25001", "26000", "0A000"}) {
    EXPECT_EQ(code(state), Code::kInternal);
  }
  for (const auto* state : {"08006", "57P01", "42501", "25006", "XX000"}) {
    EXPECT_EQ(code(state), Code::kUpstream);
  }
  EXPECT_EQ(code("22021"), Code::kBadEncoding);
  EXPECT_EQ(code("22003"), Code::kOutOfRange);
  EXPECT_EQ(code("54000"), Code::kTooLarge);
  EXPECT_EQ(code("53100", Code::kDiskFull), Code::kDiskFull);
  EXPECT_EQ(code("57014", Code::kTimeout), Code::kTimeout);
  EXPECT_EQ(said_by_server({Code::kMalformed, "zero byte in SQL"}, "40001").code, Code::kMalformed)
      << "the state is of an earlier call";
}

TEST_P(PgRecoveryTest, NobodysTemporaryTableStandsBeforeOurs) {
  auto& s = open(kSchema);
  ASSERT_TRUE(move(s, 1));
  ASSERT_TRUE(s.run_all("CREATE TEMP TABLE note(n bigint, text text)"));
  EXPECT_EQ(integer(s, "SELECT count(*) FROM note"), 1);
}

TEST_P(PgRecoveryTest, PartitionedTablesArePartitioned) {
  auto& s = open("CREATE TABLE item(id BYTES PRIMARY KEY, n INT) PARTITIONED(id);");
  EXPECT_EQ(integer(s, "SELECT count(*) FROM pg_inherits WHERE inhparent = 'item'::regclass"), 4);
}

TEST_P(PgRecoveryTest, ADatabaseThatIsNotUtf8IsRefused) {
  auto link = PgConnection::open(PrivatePostgres::get().conninfo());
  ASSERT_TRUE(link->exec("CREATE DATABASE latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"));
  options_.where = pg_conninfo_for(options_.where, "latin").value();
  EXPECT_EQ(code_of(try_open(std::array{kSchema})), Code::kUnsupported);
}

}  // namespace
}  // namespace theriac::store
