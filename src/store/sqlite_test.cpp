#include "store/sqlite.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <filesystem>
#include <fstream>

#include "store/fault_vfs.hpp"

namespace theriac::store {
namespace {

constexpr std::array<std::string_view, 1> kOne{
    "CREATE TABLE t(k INTEGER PRIMARY KEY, v BLOB NOT NULL) STRICT;"};
constexpr std::array<std::string_view, 2> kTwo{
    kOne[0], "ALTER TABLE t ADD COLUMN w TEXT NOT NULL DEFAULT 'x';"};
constexpr std::array<std::string_view, 2> kBroken{kOne[0], "ALTER TABLE missing ADD COLUMN w;"};

class Folder {
 public:
  Folder() {
    std::string name = "/tmp/theriac-store-XXXXXX";
    THERIAC_ASSERT(::mkdtemp(name.data()) != nullptr);
    path_ = name;
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  [[nodiscard]] std::string file(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

Code code_of(const auto& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Code::kInternal : result.error().code;
}

std::int64_t count(Database& database, std::string_view sql) {
  auto row = database.prepare(sql);
  EXPECT_TRUE(row && *row->step());
  return row->integer(0);
}

class SqliteTest : public testing::Test {
 protected:
  Folder folder_;
  std::string path_ = folder_.file("db");

  Database open(SchemaSteps schema = kOne) {
    auto database = Database::open({.path = path_}, schema);
    EXPECT_TRUE(database.has_value()) << database.error().message();
    return std::move(*database);
  }
};

TEST_F(SqliteTest, ValuesComeBackAsTheyWent) {
  auto database = open();
  const Bytes blob{0, 1, 255, 0};
  ASSERT_TRUE(database.run("INSERT INTO t VALUES(?, ?)", 7, ByteView(blob)));
  ASSERT_TRUE(database.run("INSERT INTO t VALUES(?, ?)", std::int64_t{1} << 62, ByteView()));
  auto row = database.prepare("SELECT k, v, NULL, 'text' FROM t ORDER BY k");
  ASSERT_TRUE(row && *row->step());
  EXPECT_EQ(row->integer(0), 7);
  EXPECT_EQ(Bytes(row->bytes(1).begin(), row->bytes(1).end()), blob);
  EXPECT_TRUE(row->is_null(2));
  EXPECT_EQ(row->text(3), "text");
  ASSERT_TRUE(*row->step());
  EXPECT_EQ(row->integer(0), std::int64_t{1} << 62);
  EXPECT_TRUE(row->bytes(1).empty());
  EXPECT_FALSE(row->is_null(1)) << "an empty value is not NULL";
  EXPECT_FALSE(*row->step());
}

TEST_F(SqliteTest, SettingsAreThoseWeRelyOn) {
  auto database = open();
  EXPECT_EQ(count(database, "PRAGMA synchronous"), 2);  // FULL
  EXPECT_EQ(count(database, "PRAGMA foreign_keys"), 1);
  auto mode = database.prepare("PRAGMA journal_mode");
  ASSERT_TRUE(*mode->step());
  EXPECT_EQ(mode->text(0), "wal");
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(SqliteTest, UncommittedIsGoneCommittedStays) {
  {
    auto database = open();
    {
      auto transaction = Transaction::begin(database);
      ASSERT_TRUE(transaction);
      ASSERT_TRUE(database.run("INSERT INTO t VALUES(1, x'00')"));
    }
    EXPECT_EQ(count(database, "SELECT count(*) FROM t"), 0);
    auto transaction = Transaction::begin(database);
    ASSERT_TRUE(database.run("INSERT INTO t VALUES(2, x'00')"));
    ASSERT_TRUE(transaction->commit());
  }
  auto again = open();
  EXPECT_EQ(count(again, "SELECT k FROM t"), 2);
}

TEST_F(SqliteTest, ErrorsAreTyped) {
  auto database = open();
  ASSERT_TRUE(database.run("INSERT INTO t VALUES(1, x'0a')"));
  const auto twice = database.run("INSERT INTO t VALUES(1, x'0b')");
  EXPECT_EQ(code_of(twice), Code::kConflict);
  const auto wrong_type = database.run("INSERT INTO t VALUES(2, ?)", "secret-value");
  EXPECT_EQ(code_of(wrong_type), Code::kConflict);
  EXPECT_THAT(wrong_type.error().where, testing::Not(testing::HasSubstr("secret")));
  EXPECT_EQ(code_of(database.exec("SELEC")), Code::kIo);
  EXPECT_EQ(code_of(database.run("INSERT INTO t VALUES(3, ?)", ByteView(), 1)), Code::kIo)
      << "more values than parameters";
}

TEST_F(SqliteTest, FullDiskIsSaidAndLosesNothing) {
  auto database = open();
  ASSERT_TRUE(database.run("INSERT INTO t VALUES(1, x'0a')"));
  ASSERT_TRUE(database.exec("PRAGMA max_page_count=8"));
  const Bytes big(200'000);
  EXPECT_EQ(code_of(database.run("INSERT INTO t VALUES(2, ?)", ByteView(big))), Code::kDiskFull);
  EXPECT_EQ(count(database, "SELECT count(*) FROM t"), 1);
}

TEST_F(SqliteTest, SecondWriterWaitsThenIsBusy) {
  auto first = open();
  auto second = Database::open({.path = path_, .busy_ms = 1}, kOne);
  ASSERT_TRUE(second);
  auto held = Transaction::begin(first);
  ASSERT_TRUE(held);
  EXPECT_EQ(code_of(Transaction::begin(*second)), Code::kBusy);
  ASSERT_TRUE(held->commit());
  EXPECT_TRUE(Transaction::begin(*second));
}

TEST_F(SqliteTest, MissingFileIsNotFoundWhenItMustExist) {
  EXPECT_EQ(code_of(Database::open({.path = path_, .create = false}, kOne)), Code::kNotFound);
  EXPECT_FALSE(std::filesystem::exists(path_));
}

TEST_F(SqliteTest, ALinkIsNotFollowed) {
  open();
  ASSERT_EQ(::symlink(path_.c_str(), (path_ + ".link").c_str()), 0);
  EXPECT_EQ(code_of(Database::open({.path = path_ + ".link"}, kOne)), Code::kIo);
}

/// Whether a process of its own is kept from taking the whole file for itself.
bool locked_for_others(const std::string& path) {
  const pid_t child = ::fork();
  if (child == 0) {
    const int fd = ::open(path.c_str(), O_RDWR);
    struct flock lock{};
    lock.l_type = F_WRLCK;
    ::_exit(::fcntl(fd, F_SETLK, &lock) == 0 ? 0 : 1);
  }
  int status = 0;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  return WEXITSTATUS(status) == 1;
}

// Else another process takes itself for the last one and removes the log that this one writes to.
TEST_F(SqliteTest, FurtherConnectionsLeaveTheLocksOfTheFirst) {
  auto first = open();
  ASSERT_TRUE(locked_for_others(path_));
  for (int i = 0; i < 2; ++i) {
    auto second = Database::open({.path = path_}, kOne);
    ASSERT_TRUE(second);
    EXPECT_TRUE(locked_for_others(path_));
  }
  ASSERT_TRUE(Database::open_again({.path = path_}, 1));
  EXPECT_TRUE(locked_for_others(path_));
  EXPECT_EQ(code_of(Database::open_again({.path = path_}, 2)), Code::kUnsupported);
}

TEST_F(SqliteTest, UpgradeKeepsDataAndMakesABackupFirst) {
  {
    auto database = open(kOne);
    EXPECT_EQ(database.schema_version(), 1);
    ASSERT_TRUE(database.run("INSERT INTO t VALUES(1, x'aa')"));
  }
  {
    auto database = open(kTwo);
    EXPECT_EQ(database.schema_version(), 2);
    EXPECT_EQ(count(database, "SELECT count(*) FROM t WHERE w = 'x'"), 1);
  }
  EXPECT_EQ(code_of(Database::open({.path = path_}, kOne)), Code::kUnsupported)
      << "an older program must not touch a newer schema";
  path_ += ".v1.backup";
  auto backup = open(kOne);
  EXPECT_EQ(count(backup, "SELECT count(*) FROM t WHERE v = x'aa'"), 1);
  struct stat found{};
  ASSERT_EQ(::stat(path_.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 0777U, 0600U);
}

TEST_F(SqliteTest, FailedUpgradeLeavesTheOldSchema) {
  {
    auto database = open(kOne);
    ASSERT_TRUE(database.run("INSERT INTO t VALUES(1, x'aa')"));
  }
  EXPECT_FALSE(Database::open({.path = path_}, kBroken));
  auto database = open(kOne);
  EXPECT_EQ(database.schema_version(), 1);
  EXPECT_EQ(count(database, "SELECT count(*) FROM t"), 1);
}

TEST_F(SqliteTest, AnotherProgramsFileIsRefused) {
  sqlite3* raw = nullptr;
  ASSERT_EQ(sqlite3_open(path_.c_str(), &raw), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(raw, "CREATE TABLE theirs(a)", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(raw);
  EXPECT_EQ(code_of(Database::open({.path = path_}, kOne)), Code::kNotAuthentic);
}

TEST_F(SqliteTest, NotADatabaseIsRefused) {
  std::ofstream(path_) << std::string(8192, 'x');
  EXPECT_EQ(code_of(Database::open({.path = path_}, kOne)), Code::kNotAuthentic);
}

// Every page that holds the table's rows, damaged in turn, is either found at opening or holds
// nothing that is read wrongly.
TEST_F(SqliteTest, DamageIsFoundAtOpening) {
  {
    auto database = open();
    for (int k = 0; k < 400; ++k) {
      ASSERT_TRUE(database.run("INSERT INTO t VALUES(?, zeroblob(40))", k));
    }
    ASSERT_TRUE(database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
  }
  const auto whole = std::filesystem::file_size(path_);
  int found = 0;
  for (std::uintmax_t at = 4096; at + 16 <= whole; at += 4096) {
    std::filesystem::copy_file(path_, path_ + ".damaged",
                               std::filesystem::copy_options::overwrite_existing);
    {
      std::fstream file(path_ + ".damaged", std::ios::in | std::ios::out | std::ios::binary);
      file.seekp(static_cast<std::streamoff>(at));
      file << std::string(16, '\xff');
    }
    auto database = Database::open({.path = path_ + ".damaged"}, kOne);
    if (!database) {
      EXPECT_EQ(database.error().code, Code::kNotAuthentic);
      ++found;
    }
  }
  EXPECT_EQ(found, static_cast<int>(whole / 4096 - 1));
}

/// Moves 10 from row 1 to row 2: any state in between shows in the sum.
Status transfer(Database& database) {
  THERIAC_ASSIGN(auto transaction, Transaction::begin(database));
  THERIAC_TRY(database.run("UPDATE account SET amount = amount - 10 WHERE k = 1"));
  THERIAC_TRY(database.run("INSERT INTO note VALUES(?)", std::string(20'000, 'n')));
  THERIAC_TRY(database.run("UPDATE account SET amount = amount + 10 WHERE k = 2"));
  return transaction.commit();
}

constexpr std::array<std::string_view, 1> kAccounts{
    "CREATE TABLE account(k INTEGER PRIMARY KEY, amount INTEGER NOT NULL) STRICT;"
    "CREATE TABLE note(text TEXT NOT NULL) STRICT;"
    "INSERT INTO account VALUES(1, 100), (2, 0);"};

// Fails the Nth call of the file system for N = 1, 2, ... until everything succeeds.
TEST_F(SqliteTest, FaultLoop) {
  for (const bool for_good : {true, false}) {
    for (const int code : {SQLITE_IOERR_WRITE, SQLITE_FULL}) {
      int succeeded_at = 0;
      for (int nth = 1; succeeded_at == 0; ++nth) {
        ASSERT_LT(nth, 500);
        path_ = folder_.file("loop-" + std::to_string(code) + std::to_string(for_good) + "-" +
                             std::to_string(nth));
        bool done = false;
        {
          FaultVfs vfs;
          ASSERT_TRUE(open(kAccounts).exec("PRAGMA wal_checkpoint(TRUNCATE)"));
          vfs.fail_at(nth, code, for_good);
          auto database = Database::open({.path = path_, .vfs = FaultVfs::kName}, kAccounts);
          const auto result = database ? transfer(*database) : fail(database.error());
          done = result.has_value();
          if (!vfs.failed()) {
            ASSERT_TRUE(done);
            succeeded_at = nth;
          } else if (!done) {
            EXPECT_THAT(result.error().code,
                        testing::AnyOf(Code::kIo, Code::kDiskFull, Code::kBusy));
          }
        }
        auto after = open(kAccounts);
        const auto moved = count(after, "SELECT amount FROM account WHERE k = 2");
        EXPECT_EQ(count(after, "SELECT sum(amount) FROM account"), 100) << nth;
        EXPECT_EQ(count(after, "SELECT count(*) FROM note"), moved / 10) << nth;
        if (done) {
          EXPECT_EQ(moved, 10) << "an acknowledged commit was lost at call " << nth;
        }
      }
      EXPECT_GT(succeeded_at, 5) << "the loop must meet several calls";
    }
  }
}

}  // namespace
}  // namespace theriac::store
