#include "store/sqlite.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cerrno>

#include "base/files.hpp"
#include "store/limits.hpp"

namespace theriac::store {
namespace {

tl::unexpected<Error> failure(int code, std::string_view what) {
  auto where = fmt::format("SQLite {} ({})", code, what);
  switch (code & 0xff) {
    case SQLITE_FULL:
      return fail(Code::kDiskFull, std::move(where));
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return fail(Code::kNotAuthentic, std::move(where));
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return fail(Code::kBusy, std::move(where));
    case SQLITE_CONSTRAINT:
      return fail(Code::kConflict, std::move(where));
    case SQLITE_TOOBIG:
      return fail(Code::kTooLarge, std::move(where));
    default:
      return fail(Code::kIo, std::move(where));
  }
}

// A write that fails for want of space is reported by some systems as a plain I/O error.
tl::unexpected<Error> failure_of(sqlite3* handle, std::string_view what) {
  const int code = sqlite3_extended_errcode(handle);
  const int system = sqlite3_system_errno(handle);
  if ((code & 0xff) == SQLITE_IOERR && (system == ENOSPC || system == EDQUOT)) {
    return fail(Code::kDiskFull, fmt::format("SQLite {} ({})", code, what));
  }
  return failure(code, what);
}

/// A private file from the first byte: SQLite would make it with the umask's rights. One that is
/// there is not even opened: the close would take away the locks that other connections of this
/// process hold on it (POSIX, fcntl), and with them the file from under their feet.
Status touch_private(const std::string& path) {
  const Descriptor made(::open(path.c_str(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  if (made.good()) return {};
  struct stat found{};
  if (errno != EEXIST || ::lstat(path.c_str(), &found) != 0) return file_error(path);
  if (S_ISLNK(found.st_mode)) return fail(Code::kIo, path);
  return {};
}

Status sync_file(const std::string& path) {
  const Descriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd.good() || ::fsync(fd.get()) != 0) return file_error(path);
  return {};
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

void Statement::note(int code) {
  if (code != SQLITE_OK && bind_error_ == SQLITE_OK) bind_error_ = code;
}

Statement& Statement::bind(int index, std::int64_t value) {
  note(sqlite3_bind_int64(statement_.get(), index, value));
  return *this;
}

Statement& Statement::bind(int index, std::string_view text) {
  note(sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(), text.size(),
                           SQLITE_TRANSIENT, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind(int index, ByteView bytes) {
  // A null pointer would bind NULL, and an empty view may hold one.
  const void* at = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  note(sqlite3_bind_blob64(statement_.get(), index, at, bytes.size(), SQLITE_TRANSIENT));
  return *this;
}

Statement& Statement::bind_null(int index) {
  note(sqlite3_bind_null(statement_.get(), index));
  return *this;
}

Statement& Statement::bind_view(int index, std::string_view text) {
  note(sqlite3_bind_text64(statement_.get(), index, text.empty() ? "" : text.data(), text.size(),
                           SQLITE_STATIC, SQLITE_UTF8));
  return *this;
}

Statement& Statement::bind_view(int index, ByteView bytes) {
  const void* at = bytes.empty() ? static_cast<const void*>("") : bytes.data();
  note(sqlite3_bind_blob64(statement_.get(), index, at, bytes.size(), SQLITE_STATIC));
  return *this;
}

Result<bool> Statement::step() {
  if (bind_error_ != SQLITE_OK) return failure(bind_error_, "bind");
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  return failure_of(sqlite3_db_handle(statement_.get()), "step");
}

Status Statement::run() {
  while (true) {
    THERIAC_ASSIGN(const bool more, step());
    if (!more) return {};
  }
}

void Statement::reset() {
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
  bind_error_ = SQLITE_OK;
}

void Statement::rewind() { sqlite3_reset(statement_.get()); }

std::int64_t Statement::integer(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::string_view Statement::text(int column) const { return text_of(bytes(column)); }

ByteView Statement::bytes(int column) const {
  const void* at = sqlite3_column_blob(statement_.get(), column);
  const int size = sqlite3_column_bytes(statement_.get(), column);
  return {static_cast<const std::uint8_t*>(at), static_cast<std::size_t>(size)};
}

bool Statement::is_null(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL;
}

bool Statement::is_integer(int column) const {
  return sqlite3_column_type(statement_.get(), column) == SQLITE_INTEGER;
}

int Statement::columns() const { return sqlite3_column_count(statement_.get()); }
int Statement::parameters() const { return sqlite3_bind_parameter_count(statement_.get()); }

int Statement::index_of(const std::string& name) const {
  return sqlite3_bind_parameter_index(statement_.get(), name.c_str());
}

bool Statement::reads_only() const { return sqlite3_stmt_readonly(statement_.get()) != 0; }

Result<Database> Database::open(const DatabaseOptions& options, SchemaSteps schema) {
  THERIAC_ASSIGN(auto database, connect(options));
  THERIAC_TRY(database.check_integrity());
  THERIAC_TRY(database.upgrade(options.path, schema));
  return database;
}

Result<Database> Database::open_again(const DatabaseOptions& options, std::int64_t version) {
  THERIAC_ASSIGN(auto database, connect(options));
  THERIAC_ASSIGN(database.schema_version_, database.read_integer("PRAGMA user_version"));
  if (database.schema_version_ != version) {
    return fail(Code::kUnsupported, fmt::format("schema version {}; this program opened {}",
                                                database.schema_version_, version));
  }
  return database;
}

Result<Database> Database::connect(const DatabaseOptions& options) {
  struct stat found{};
  if (!options.create && ::stat(options.path.c_str(), &found) != 0) {
    return fail(Code::kNotFound, options.path);
  }
  const bool in_memory = options.path == ":memory:";
  if (options.create && !in_memory) THERIAC_TRY(touch_private(options.path));

  sqlite3* raw = nullptr;
  const int opened =
      sqlite3_open_v2(options.path.c_str(), &raw,
                      SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE,
                      options.vfs.empty() ? nullptr : options.vfs.c_str());
  Database database(raw);  // also after a failure: SQLite hands out a handle to be closed
  if (opened != SQLITE_OK) return failure(opened, "open");

  sqlite3_busy_timeout(raw, options.busy_ms);
  // Values come from files that others may have written: no SQL functions in the schema, no
  // writable schema, no double-quoted strings (SQLite's security advice, section 1).
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
  sqlite3_db_config(raw, SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
  sqlite3_limit(raw, SQLITE_LIMIT_LENGTH, 64 << 20);

  THERIAC_TRY(database.check_identity(options.application_id));
  THERIAC_TRY(
      database.exec("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                    "PRAGMA secure_delete=ON; PRAGMA cell_size_check=ON;"));
  if (!options.auto_checkpoint) {
    // A hook of our own stands where SQLite's checkpoints would be called from.
    sqlite3_wal_hook(
        raw,
        [](void* log_pages, sqlite3*, const char*, int pages) {
          *static_cast<int*>(log_pages) = pages;
          return SQLITE_OK;
        },
        database.log_pages_.get());
  }
  return database;
}

Result<std::int64_t> Database::read_integer(std::string_view sql) {
  THERIAC_ASSIGN(auto statement, prepare(sql));
  THERIAC_ASSIGN(const bool row, statement.step());
  if (!row) return fail(Code::kIo, "PRAGMA without a row");
  return statement.integer(0);
}

Status Database::check_identity(std::int32_t application_id) {
  // In one transaction: another process may be making the same file at this moment.
  THERIAC_TRY(exec("BEGIN"));
  THERIAC_ASSIGN(const auto found, read_integer("PRAGMA application_id"));
  THERIAC_ASSIGN(const auto objects, read_integer("SELECT count(*) FROM sqlite_schema"));
  THERIAC_TRY(exec("COMMIT"));
  if (found == application_id) return {};
  if (found != 0 || objects != 0) return fail(Code::kNotAuthentic, "another program's database");
  return exec(fmt::format("PRAGMA application_id={}", application_id));
}

Status Database::check_integrity() {
  THERIAC_ASSIGN(const auto pages, read_integer("PRAGMA page_count"));
  // The whole check looks up every row in every index.
  THERIAC_ASSIGN(auto statement, prepare(pages <= kWholeCheckPagesMax ? "PRAGMA integrity_check(1)"
                                                                      : "PRAGMA quick_check(1)"));
  THERIAC_ASSIGN(const bool row, statement.step());
  if (!row || statement.text(0) != "ok") return fail(Code::kNotAuthentic, "integrity check");
  return {};
}

Status Database::upgrade(const std::string& path, SchemaSteps schema) {
  THERIAC_ASSIGN(schema_version_, read_integer("PRAGMA user_version"));
  const auto last = static_cast<std::int64_t>(schema.size());
  if (schema_version_ > last) {
    return fail(Code::kUnsupported,
                fmt::format("schema version {}; this program knows {}", schema_version_, last));
  }
  if (schema_version_ == last) return {};
  if (schema_version_ > 0) {
    THERIAC_TRY(backup_to(fmt::format("{}.v{}.backup", path, schema_version_)));
  }
  THERIAC_ASSIGN(auto transaction, Transaction::begin(*this));
  // Somebody else may have upgraded between the look and the lock.
  THERIAC_ASSIGN(schema_version_, read_integer("PRAGMA user_version"));
  for (auto step = schema_version_; step < last; ++step) {
    THERIAC_TRY(exec(schema[static_cast<std::size_t>(step)]));
  }
  THERIAC_TRY(exec(fmt::format("PRAGMA user_version={}", last)));
  THERIAC_TRY(transaction.commit());
  schema_version_ = last;
  return {};
}

Status Database::exec(std::string_view sql) {
  const std::string text(sql);
  if (sqlite3_exec(handle_.get(), text.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure_of(handle_.get(), "exec");
  }
  return {};
}

Result<Statement> Database::prepare(std::string_view sql) {
  sqlite3_stmt* raw = nullptr;
  const int code =
      sqlite3_prepare_v2(handle_.get(), sql.data(), static_cast<int>(sql.size()), &raw, nullptr);
  Statement statement(raw);
  if (code != SQLITE_OK) return failure_of(handle_.get(), "prepare");
  return statement;
}

int Database::last_code() const { return sqlite3_extended_errcode(handle_.get()); }

Result<bool> Database::checkpoint() {
  int pages = 0;
  int written = 0;
  const int code =
      sqlite3_wal_checkpoint_v2(handle_.get(), "main", SQLITE_CHECKPOINT_PASSIVE, &pages, &written);
  if ((code & 0xff) == SQLITE_BUSY) return false;  // somebody else is at it
  if (code != SQLITE_OK) return failure_of(handle_.get(), "checkpoint");
  return pages == written;
}

std::int64_t Database::changes() const { return sqlite3_changes64(handle_.get()); }

Status Database::backup_to(const std::string& path) {
  const std::string unfinished = path + ".unfinished";
  (void)::unlink(unfinished.c_str());
  THERIAC_TRY(touch_private(unfinished));
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(unfinished.c_str(), &raw, SQLITE_OPEN_READWRITE, nullptr);
  const std::unique_ptr<sqlite3, Close> target(raw);
  if (opened != SQLITE_OK) return failure(opened, "backup");
  sqlite3_backup* backup = sqlite3_backup_init(raw, "main", handle_.get(), "main");
  if (backup == nullptr) return failure_of(raw, "backup");
  const int copied = sqlite3_backup_step(backup, -1);
  const int finished = sqlite3_backup_finish(backup);
  if (copied != SQLITE_DONE) return failure(copied, "backup");
  if (finished != SQLITE_OK) return failure(finished, "backup");
  THERIAC_TRY(sync_file(unfinished));
  if (::rename(unfinished.c_str(), path.c_str()) != 0) return fail(Code::kIo, path);
  return sync_folder_of(path);
}

Result<Transaction> Transaction::begin(Database& database) {
  THERIAC_TRY(database.exec("BEGIN IMMEDIATE"));
  return Transaction(database);
}

Transaction::~Transaction() {
  // After some errors SQLite has rolled back by itself; a second ROLLBACK then does nothing.
  if (database_ != nullptr) (void)database_->exec("ROLLBACK");
}

Status Transaction::commit() {
  THERIAC_ASSERT(database_ != nullptr);
  THERIAC_TRY(database_->exec("COMMIT"));  // on failure the destructor rolls back
  database_ = nullptr;
  return {};
}

}  // namespace theriac::store
