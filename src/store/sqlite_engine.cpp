#include "store/sqlite_engine.hpp"

#include <fmt/format.h>
#include <sqlite3.h>
#include <atomic>

#include "store/buffered_rows.hpp"
#include "store/dialect.hpp"
#include "store/limits.hpp"
#include "store/writer_queue.hpp"

namespace theriac::store {
namespace {

/// What the sessions of one engine share.
struct Shared {
  DatabaseOptions file;
  std::int64_t schema_version = 0;
  int sessions_max = 0;
  std::atomic<int> sessions = 0;
  WriterQueue writers;
  std::mutex checkpointing;
  std::atomic<int> checkpoint_at = kCheckpointPages;
};

/// A statement and where its $1, $2, … are bound.
struct Prepared {
  Statement statement;
  std::vector<int> places;
};

void bind(Prepared& prepared, std::span<const Param> params, bool borrow) {
  Statement& statement = prepared.statement;
  for (std::size_t i = 0; i < params.size(); ++i) {
    const int place = prepared.places[i];
    if (const auto* integer = std::get_if<std::int64_t>(&params[i])) {
      statement.bind(place, *integer);
    } else if (const auto* text = std::get_if<std::string_view>(&params[i])) {
      borrow ? statement.bind_view(place, *text) : statement.bind(place, *text);
    } else if (const auto* bytes = std::get_if<ByteView>(&params[i])) {
      borrow ? statement.bind_view(place, *bytes) : statement.bind(place, *bytes);
    } else {
      statement.bind_null(place);
    }
  }
}

struct ResetAtEnd {
  Statement& statement;
  ~ResetAtEnd() { statement.reset(); }
};

class SqliteSession final : public SessionBase {
 public:
  SqliteSession(Shared& shared, Database database)
      : shared_(shared), database_(std::move(database)) {}
  ~SqliteSession() override {
    statements_.clear();
    --shared_.sessions;
  }

  /// What SQLite says, in the interface's words.
  [[nodiscard]] Error said(Error error) const {
    const int code = database_.last_code();
    const bool ours = code == SQLITE_ERROR || code == SQLITE_CONSTRAINT_DATATYPE ||
                      code == SQLITE_MISMATCH || code == SQLITE_RANGE;
    if (ours && error.code != Code::kNotAuthentic) error.code = Code::kInternal;
    return error;
  }

 protected:
  Result<std::unique_ptr<Rows>> do_query(std::string_view sql,
                                         std::span<const Param> params) override;
  Result<std::int64_t> do_run(std::string_view sql, std::span<const Param> params) override;
  Result<std::int64_t> do_insert(std::string_view table, std::span<const std::string_view> columns,
                                 std::span<const Param> values, std::string_view tail) override;
  Result<std::unique_ptr<Rows>> do_look_up(std::string_view table, std::string_view key,
                                           std::span<const std::string_view> columns,
                                           std::span<const Param> keys) override;
  Result<std::int64_t> do_update(std::string_view table, std::string_view key,
                                 std::span<const std::string_view> columns,
                                 std::span<const Param> values) override;
  Status do_begin(Access access) override;
  Status do_commit() override;
  void do_roll_back() override;

 private:
  Result<Prepared*> prepare(std::string_view sql, std::size_t parameters);
  /// The rest of `prepared`'s steps, its rows into `rows` if there is one. Rows changed.
  Result<std::int64_t> finish(Prepared& prepared, BufferedRows* rows);
  /// `work` as a writer, alone: in the open transaction or in one of its own.
  Result<std::int64_t> write(const std::function<Result<std::int64_t>()>& work);
  /// One statement for each row of `width` values.
  Result<std::int64_t> for_each_row(std::string_view sql, std::size_t width,
                                    std::span<const Param> values);
  /// A statement without parameters and rows: BEGIN and its like, many times a second.
  Status control(std::string_view sql);
  Status begin_writing();
  void end_writing();
  void checkpoint_if_due();

  Shared& shared_;
  Database database_;
  std::unordered_map<std::string, Prepared> statements_;
  std::string key_;  // of statements_, kept for its memory
};

/// A SELECT under way.
class SqliteRows final : public Rows {
 public:
  SqliteRows(SqliteSession& session, Statement& statement)
      : reading_(session), session_(session), statement_(statement) {}
  SqliteRows(const SqliteRows&) = delete;
  SqliteRows& operator=(const SqliteRows&) = delete;
  ~SqliteRows() override { statement_.reset(); }

  Result<bool> next() override {
    if (done_) return false;
    auto more = statement_.step();
    done_ = !more || !*more;
    if (!more) return fail(reading_.failed(session_.said(std::move(more.error()))));
    return more;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    return statement_.integer(column);
  }
  [[nodiscard]] std::string_view text(int column) const override { return statement_.text(column); }
  [[nodiscard]] ByteView bytes(int column) const override { return statement_.bytes(column); }
  [[nodiscard]] bool is_null(int column) const override { return statement_.is_null(column); }

 private:
  SessionBase::Reading reading_;
  SqliteSession& session_;
  Statement& statement_;
  bool done_ = false;
};

Result<Prepared*> SqliteSession::prepare(std::string_view sql, std::size_t parameters) {
  key_ = sql;
  auto found = statements_.find(key_);
  if (found == statements_.end()) {
    auto statement = database_.prepare(sql);
    if (!statement) return fail(said(std::move(statement.error())));
    Prepared made{std::move(*statement), {}};
    for (int i = 1; i <= made.statement.parameters(); ++i) {
      made.places.push_back(made.statement.index_of(fmt::format("${}", i)));
      if (made.places.back() == 0) return fail(Code::kInternal, "names of SQL parameters");
    }
    if (statements_.size() >= kStatementsMax) statements_.clear();
    found = statements_.emplace(key_, std::move(made)).first;
  }
  Prepared& prepared = found->second;
  if (prepared.places.size() != parameters) return fail(Code::kInternal, "SQL parameters");
  if (state() == State::kSnapshot && !prepared.statement.reads_only()) {
    return fail(Code::kInternal, "write in a snapshot");
  }
  return &prepared;
}

Result<std::int64_t> SqliteSession::finish(Prepared& prepared, BufferedRows* rows) {
  while (true) {
    auto more = prepared.statement.step();
    if (!more) return fail(said(std::move(more.error())));
    if (!*more) break;
    if (rows != nullptr) rows->add(prepared.statement);
  }
  return prepared.statement.reads_only() ? 0 : database_.changes();
}

Result<std::int64_t> SqliteSession::write(const std::function<Result<std::int64_t>()>& work) {
  if (state() != State::kIdle) return work();
  THERIAC_TRY(begin_writing());
  auto done = work();
  if (!done) {
    (void)database_.exec("ROLLBACK");
    end_writing();
    return done;
  }
  THERIAC_TRY(do_commit());
  return done;
}

Result<std::unique_ptr<Rows>> SqliteSession::do_query(std::string_view sql,
                                                      std::span<const Param> params) {
  THERIAC_ASSIGN(auto* prepared, prepare(sql, params.size()));
  if (prepared->statement.reads_only()) {
    bind(*prepared, params, false);
    return std::make_unique<SqliteRows>(*this, prepared->statement);
  }
  // RETURNING: all rows now, so that a failing commit is this call's failure.
  auto rows = std::make_unique<BufferedRows>(*this, prepared->statement.columns());
  bind(*prepared, params, true);
  const ResetAtEnd reset{prepared->statement};
  THERIAC_TRY(write([&] {
    auto changed = finish(*prepared, rows.get());
    prepared->statement.rewind();
    return changed;
  }));
  return rows;
}

Result<std::int64_t> SqliteSession::do_run(std::string_view sql, std::span<const Param> params) {
  return for_each_row(sql, params.size(), params);
}

Result<std::int64_t> SqliteSession::for_each_row(std::string_view sql, std::size_t width,
                                                 std::span<const Param> values) {
  THERIAC_ASSIGN(auto* prepared, prepare(sql, width));
  const ResetAtEnd reset{prepared->statement};
  return write([&]() -> Result<std::int64_t> {
    std::int64_t changed = 0;
    do {
      bind(*prepared, values.first(width), true);
      values = values.subspan(width);
      auto done = finish(*prepared, nullptr);
      prepared->statement.rewind();
      if (!done) return done;
      changed += *done;
    } while (!values.empty());
    return changed;
  });
}

Result<std::int64_t> SqliteSession::do_insert(std::string_view table,
                                              std::span<const std::string_view> columns,
                                              std::span<const Param> values,
                                              std::string_view tail) {
  auto sql = fmt::format("INSERT INTO {}({}) VALUES($1", table, joined(columns));
  for (std::size_t i = 2; i <= columns.size(); ++i)
    fmt::format_to(std::back_inserter(sql), ",${}", i);
  sql.append(") ").append(tail);
  return for_each_row(sql, columns.size(), values);
}

Result<std::int64_t> SqliteSession::do_update(std::string_view table, std::string_view key,
                                              std::span<const std::string_view> columns,
                                              std::span<const Param> values) {
  auto sql = fmt::format("UPDATE {} SET ", table);
  for (std::size_t i = 0; i < columns.size(); ++i) {
    fmt::format_to(std::back_inserter(sql), "{}{} = ${}", i == 0 ? "" : ", ", columns[i], i + 2);
  }
  fmt::format_to(std::back_inserter(sql), " WHERE {} = $1", key);
  return for_each_row(sql, columns.size() + 1, values);
}

Result<std::unique_ptr<Rows>> SqliteSession::do_look_up(std::string_view table,
                                                        std::string_view key,
                                                        std::span<const std::string_view> columns,
                                                        std::span<const Param> keys) {
  const auto sql = fmt::format("SELECT {}{}{} FROM {} WHERE {} = $1", key,
                               columns.empty() ? "" : ", ", joined(columns), table, key);
  THERIAC_ASSIGN(auto* prepared, prepare(sql, 1));
  auto rows = std::make_unique<BufferedRows>(*this, prepared->statement.columns());
  const ResetAtEnd reset{prepared->statement};
  const bool alone =
      state() == State::kIdle;  // all keys are looked up in one state of the database
  if (alone) THERIAC_TRY(database_.exec("BEGIN"));
  Status status;
  for (const auto& wanted : keys) {
    bind(*prepared, std::span(&wanted, 1), true);
    auto read = finish(*prepared, rows.get());
    prepared->statement.rewind();
    if (read) continue;
    status = fail(std::move(read.error()));
    break;
  }
  if (alone) (void)database_.exec("COMMIT");
  THERIAC_TRY(status);
  return rows;
}

Status SqliteSession::control(std::string_view sql) {
  THERIAC_ASSIGN(auto* prepared, prepare(sql, 0));
  const ResetAtEnd reset{prepared->statement};
  THERIAC_TRY(finish(*prepared, nullptr));
  return {};
}

Status SqliteSession::begin_writing() {
  if (!shared_.writers.enter(std::chrono::milliseconds(shared_.file.busy_ms))) {
    return fail(Code::kBusy, "other writers");
  }
  auto begun = control("BEGIN IMMEDIATE");  // waits for other processes
  if (!begun) shared_.writers.leave();
  return begun;
}

void SqliteSession::end_writing() {
  shared_.writers.leave();
  checkpoint_if_due();
}

Status SqliteSession::do_begin(Access access) {
  return access == Access::kWrite ? begin_writing() : control("BEGIN");
}

Status SqliteSession::do_commit() {
  const bool wrote = state() != State::kSnapshot;
  auto done = control("COMMIT");
  if (!done) (void)database_.exec("ROLLBACK");
  if (wrote) end_writing();
  return done;
}

void SqliteSession::do_roll_back() {
  (void)database_.exec("ROLLBACK");
  if (state() == State::kTransaction) end_writing();
}

// Twice: first beside other writers, which takes long; then alone, for the little that they added,
// so that the log begins anew instead of growing as long as somebody writes. A reader of an old
// state can keep the rest from being written: then it is tried again when as much has been added.
void SqliteSession::checkpoint_if_due() {
  if (database_.log_pages() < shared_.checkpoint_at) return;
  const std::unique_lock alone(shared_.checkpointing, std::try_to_lock);
  if (!alone) return;
  (void)database_.checkpoint();  // what fails here fails again at a commit, or is tried again
  bool all = false;
  if (shared_.writers.enter(std::chrono::milliseconds(shared_.file.busy_ms))) {
    all = database_.checkpoint().value_or(false);
    shared_.writers.leave();
  }
  shared_.checkpoint_at = all ? kCheckpointPages : database_.log_pages() + kCheckpointPages;
}

class SqliteEngine final : public Engine {
 public:
  SqliteEngine(Database first, const DatabaseOptions& file, int sessions_max)
      : first_(std::move(first)) {
    shared_.file = file;
    shared_.schema_version = first_.schema_version();
    shared_.sessions_max = sessions_max;
  }
  SqliteEngine(const SqliteEngine&) = delete;
  SqliteEngine& operator=(const SqliteEngine&) = delete;
  ~SqliteEngine() override { THERIAC_ASSERT(shared_.sessions == 0); }

  Result<std::unique_ptr<Session>> connect() override {
    if (++shared_.sessions > shared_.sessions_max) {
      --shared_.sessions;
      return fail(Code::kBusy, "store sessions");
    }
    auto database = make();
    if (!database) {
      --shared_.sessions;
      return fail(std::move(database.error()));
    }
    return std::make_unique<SqliteSession>(shared_, std::move(*database));
  }
  [[nodiscard]] std::string_view name() const override { return "sqlite"; }
  Status backup_to(const std::string& path) override {
    THERIAC_ASSIGN(auto database, make());
    return database.backup_to(path);
  }

 private:
  Result<Database> make() {
    THERIAC_ASSIGN(auto database, Database::open_again(shared_.file, shared_.schema_version));
    THERIAC_TRY(database.exec(
        fmt::format("PRAGMA cache_size=-{}; PRAGMA mmap_size=0; PRAGMA temp_store=MEMORY; "
                    "PRAGMA journal_size_limit={}",
                    kPageCacheKib, 4 * kCheckpointPages * 4096)));
    return database;
  }

  // Open as long as the engine: else the last session to end would write back and remove the log.
  Database first_;
  Shared shared_;
};

}  // namespace

Result<std::unique_ptr<Engine>> open_sqlite_engine(const DatabaseOptions& file,
                                                   const EngineOptions& options,
                                                   SchemaSteps schema) {
  std::vector<std::string> steps;
  for (const auto step : schema) {
    THERIAC_ASSIGN(auto text, in_dialect(Dialect::kSqlite, step, options.partitions));
    steps.push_back(std::move(text));
  }
  const std::vector<std::string_view> views(steps.begin(), steps.end());
  DatabaseOptions ours = file;
  ours.auto_checkpoint = false;
  THERIAC_ASSIGN(auto database, Database::open(ours, views));
  return std::make_unique<SqliteEngine>(std::move(database), ours, options.sessions_max);
}

}  // namespace theriac::store
