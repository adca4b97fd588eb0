// SQLite behind three small classes: WAL, synchronous=FULL, foreign keys, a busy limit, an
// integrity check at opening (of large files without their indexes: limits.hpp), forward-only
// schema versions with a backup before an upgrade.
//
// Errors: disk full is Code::kDiskFull; a file that is no database, fails its integrity check or
// belongs to another program is kNotAuthentic; a lock that stays taken is kBusy; a broken
// constraint kConflict; everything else kIo. `where` holds SQLite's numeric code or a fixed text,
// never a value.
//
// Threading: a Database and its Statements belong to one thread at a time; several processes may
// have the same file open.
#pragma once

#include <concepts>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace theriac::store {

/// The SQL that takes the schema from version N-1 to N is element N-1. Never changed once released.
using SchemaSteps = std::span<const std::string_view>;

struct DatabaseOptions {
  std::string path;    ///< ":memory:" keeps nothing
  bool create = true;  ///< else a missing file is Code::kNotFound
  int busy_ms = 5000;
  /// Marks whose file it is (PRAGMA application_id).
  std::int32_t application_id = 0x54484552;  // "THER"
  /// Name of a registered VFS; empty: the default. For fault tests.
  std::string vfs;
  /// False: the write-ahead log is written into the file by checkpoint() alone, not now and then by
  /// a commit.
  bool auto_checkpoint = true;
};

class Statement {
 public:
  /// Parameters count from 1, in the order of the SQL's ?. Bytes and text are copied.
  Statement& bind(int index, std::int64_t value);
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, ByteView bytes);
  Statement& bind_null(int index);
  /// Borrowed until the index is bound again or reset().
  Statement& bind_view(int index, std::string_view text);
  Statement& bind_view(int index, ByteView bytes);
  template <typename... Values>
  Statement& bind_all(const Values&... values) {
    int index = 0;
    (bind(++index, values), ...);
    return *this;
  }
  Statement& bind(int index, const std::string& text) {
    return bind(index, std::string_view(text));
  }
  Statement& bind(int index, const char* text) { return bind(index, std::string_view(text)); }
  template <std::integral T>
  Statement& bind(int index, T value) {
    return bind(index, static_cast<std::int64_t>(value));
  }

  /// True: a row is there to be read. A failure of an earlier bind comes out here.
  Result<bool> step();
  /// Steps to the end; for statements whose rows nobody wants.
  Status run();
  /// Ready to be bound and stepped again; nothing is bound.
  void reset();
  /// The same, but what is bound stays until it is bound again.
  void rewind();

  /// Columns count from 0; views are valid until the next step or reset.
  [[nodiscard]] std::int64_t integer(int column) const;
  [[nodiscard]] std::string_view text(int column) const;
  [[nodiscard]] ByteView bytes(int column) const;
  [[nodiscard]] bool is_null(int column) const;
  [[nodiscard]] bool is_integer(int column) const;
  [[nodiscard]] int columns() const;

  /// Parameters, however often each stands in the SQL.
  [[nodiscard]] int parameters() const;
  /// Where a parameter of that name ("$1") is bound; 0 when there is none.
  [[nodiscard]] int index_of(const std::string& name) const;
  /// It changes nothing in the database.
  [[nodiscard]] bool reads_only() const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  explicit Statement(sqlite3_stmt* statement) : statement_(statement) {}
  void note(int code);
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bind_error_ = 0;
};

class Database {
 public:
  /// Opens or makes the file (mode 0600) and brings the schema to its last step. A file whose
  /// schema is newer than `schema` is Code::kUnsupported. Before an upgrade of an existing schema
  /// the whole file is copied to "<path>.v<N>.backup", durable.
  static Result<Database> open(const DatabaseOptions& options, SchemaSteps schema);
  /// A further connection to a file that this program has opened: neither checked as a whole nor
  /// upgraded. A schema of another version meanwhile is Code::kUnsupported.
  static Result<Database> open_again(const DatabaseOptions& options, std::int64_t version);
  Database(Database&&) noexcept = default;
  Database& operator=(Database&&) noexcept = default;

  /// Any number of statements without parameters.
  Status exec(std::string_view sql);
  Result<Statement> prepare(std::string_view sql);
  /// Prepares, binds and runs to the end.
  template <typename... Values>
  Status run(std::string_view sql, const Values&... values) {
    THERIAC_ASSIGN(auto statement, prepare(sql));
    return statement.bind_all(values...).run();
  }
  /// Rows changed by the last INSERT, UPDATE or DELETE.
  [[nodiscard]] std::int64_t changes() const;
  [[nodiscard]] std::int64_t schema_version() const { return schema_version_; }
  /// SQLite's extended code of the last failure.
  [[nodiscard]] int last_code() const;
  /// A consistent copy, durable when this returns.
  Status backup_to(const std::string& path);

  /// Pages in the write-ahead log after the last commit here (auto_checkpoint off).
  [[nodiscard]] int log_pages() const { return *log_pages_; }
  /// Writes the log into the file as far as readers allow, waiting for nobody. True: all of it, and
  /// the next writer begins the log anew.
  Result<bool> checkpoint();

 private:
  struct Close {
    void operator()(sqlite3* handle) const;
  };
  explicit Database(sqlite3* handle) : handle_(handle) {}
  static Result<Database> connect(const DatabaseOptions& options);
  Status check_identity(std::int32_t application_id);
  Status check_integrity();
  Status upgrade(const std::string& path, SchemaSteps schema);
  Result<std::int64_t> read_integer(std::string_view sql);
  std::unique_ptr<int> log_pages_ = std::make_unique<int>(0);  // SQLite holds its address
  std::unique_ptr<sqlite3, Close> handle_;
  std::int64_t schema_version_ = 0;
};

/// BEGIN IMMEDIATE at begin(), ROLLBACK at destruction unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database);
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction();
  /// Durable when this returns. On failure everything was rolled back.
  Status commit();

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace theriac::store
