#include "store/pg_engine.hpp"

#include <fmt/format.h>
#include <atomic>
#include <utility>

#include "store/dialect.hpp"
#include "store/limits.hpp"
#include "store/pg_binary.hpp"
#include "store/pg_link.hpp"
#include "store/session_base.hpp"

namespace theriac::store {
namespace {

struct Shared {
  EngineOptions options;
  std::int64_t schema_version = 0;
  std::atomic<int> sessions = 0;
};

/// To the schema that the engine was opened with.
Result<PgConnection> connect(const Shared& shared) {
  THERIAC_ASSIGN(auto link, open_link(shared.options));
  THERIAC_ASSIGN(const auto version, schema_version(link));
  if (version == shared.schema_version) return link;
  return fail(Code::kUnsupported, fmt::format("schema version {}; this program opened {}", version,
                                              shared.schema_version));
}

bool is_integer(PgType type) {
  return type == PgType::kBool || type == PgType::kInt2 || type == PgType::kInt4 ||
         type == PgType::kInt8 || type == PgType::kNumeric;
}

class PgRows final : public Rows {
 public:
  PgRows(SessionBase& session, PgResult result) : reading_(session), result_(std::move(result)) {
    for (std::size_t i = 0; i < result_.columns(); ++i)
      types_.push_back(PgType{result_.column_oid(i)});
  }

  Result<bool> next() override {
    if (next_ == result_.rows()) return false;
    row_ = next_++;
    for (std::size_t i = 0; i < types_.size(); ++i) {  // a sum can be more than an integer holds
      const auto bytes = types_[i] == PgType::kNumeric ? result_.bytes(row_, i) : std::nullopt;
      if (!bytes) continue;
      if (auto whole = integer_from(types_[i], *bytes); !whole) {
        return fail(reading_.failed(std::move(whole.error())));
      }
    }
    return true;
  }
  [[nodiscard]] std::int64_t integer(int column) const override {
    const auto at = static_cast<std::size_t>(column);
    const auto bytes = result_.bytes(row_, at);
    return bytes ? integer_from(types_[at], *bytes).value_or(0) : 0;
  }
  [[nodiscard]] std::string_view text(int column) const override { return text_of(bytes(column)); }
  [[nodiscard]] ByteView bytes(int column) const override {
    return result_.bytes(row_, static_cast<std::size_t>(column)).value_or(ByteView());
  }
  [[nodiscard]] bool is_null(int column) const override {
    return !result_.bytes(row_, static_cast<std::size_t>(column));
  }

 private:
  SessionBase::Reading reading_;
  PgResult result_;
  std::vector<PgType> types_;
  std::size_t row_ = 0, next_ = 0;
};

class PgSession final : public SessionBase {
 public:
  PgSession(Shared& shared, PgConnection link) : shared_(shared), link_(std::move(link)) {}
  ~PgSession() override { --shared_.sessions; }

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
  /// A prepared statement, and the types of its parameters that were told to the server; those of
  /// which only NULLs have been seen are left to it.
  struct Prepared {
    std::string name;
    std::vector<std::uint32_t> oids;
  };
  /// One array for each column of a batch.
  struct Arrays {
    std::vector<PgType> types;
    std::vector<Bytes> values;
    [[nodiscard]] std::string unnest() const;
  };

  Error said(Error error) const;
  /// The link, made anew if it was lost outside of a transaction.
  Status linked();
  Result<std::string> prepare(std::string_view sql, std::span<const PgParam> params);
  Result<PgResult> execute(std::string_view sql, std::span<const PgParam> params);
  Result<PgResult> call(std::string_view sql, std::span<const Param> params);
  Result<PgResult> call(std::string_view sql, const Arrays& arrays);
  Result<std::vector<PgType>> types_of(std::string_view table,
                                       std::span<const std::string_view> columns);
  Result<Arrays> arrays_of(std::string_view table, std::span<const std::string_view> columns,
                           std::span<const Param> values);

  Shared& shared_;
  PgConnection link_;
  std::unordered_map<std::string, Prepared> statements_;
  std::unordered_map<std::string, std::vector<PgType>> types_;  // of the columns of batches
  std::uint64_t counter_ = 0;
};

Error PgSession::said(Error error) const {
  const auto& sqlstate = link_.last_sqlstate();
  error = said_by_server(std::move(error), sqlstate);
  // "Read only": our snapshot, or a stand-by server.
  if (sqlstate == "25006" && state() == State::kSnapshot) error.code = Code::kInternal;
  return error;
}

Status PgSession::linked() {
  if (state() != State::kIdle || link_.still_there()) return {};
  THERIAC_ASSIGN(link_, store::connect(shared_));
  statements_.clear();
  return {};
}

Result<std::string> PgSession::prepare(std::string_view sql, std::span<const PgParam> params) {
  const std::string key(sql);
  auto found = statements_.find(key);
  if (found == statements_.end()) {
    if (parameters_in(sql) != params.size()) return fail(Code::kInternal, "SQL parameters");
    if (statements_.size() >= kStatementsMax) {
      statements_.clear();
      if (auto d = link_.exec("DEALLOCATE ALL"); !d) return fail(said(std::move(d.error())));
    }
    found = statements_.try_emplace(key).first;
    found->second.oids.resize(params.size());
  }
  Prepared& prepared = found->second;
  if (prepared.oids.size() != params.size()) return fail(Code::kInternal, "SQL parameters");
  bool known = !prepared.name.empty();
  for (std::size_t i = 0; i < params.size(); ++i) {
    if (params[i].oid == 0 || params[i].oid == prepared.oids[i]) continue;
    prepared.oids[i] = params[i].oid;
    known = false;
  }
  if (known) return prepared.name;
  const auto old = std::exchange(prepared.name, fmt::format("t{}", ++counter_));
  if (auto done = link_.prepare(prepared.name, sql, prepared.oids); !done) {
    statements_.erase(found);
    return fail(said(std::move(done.error())));
  }
  if (!old.empty()) (void)link_.exec("DEALLOCATE " + old);  // no harm if it stays
  return prepared.name;
}

Result<PgResult> PgSession::execute(std::string_view sql, std::span<const PgParam> params) {
  THERIAC_TRY(linked());
  THERIAC_ASSIGN(const auto name, prepare(sql, params));
  auto result = link_.execute(name, params, PgFormat::kBinary);
  if (!result) return fail(said(std::move(result.error())));
  return result;
}

Result<PgResult> PgSession::call(std::string_view sql, std::span<const Param> params) {
  std::vector<std::array<std::uint8_t, 8>> integers(params.size());
  std::vector<PgParam> converted;
  converted.reserve(params.size());
  for (std::size_t i = 0; i < params.size(); ++i) {
    const PgType type = type_of(params[i]);
    converted.push_back(
        type == PgType::kUnknown
            ? PgParam::null()
            : PgParam::binary(binary_of(params[i], integers[i]), std::to_underlying(type)));
  }
  return execute(sql, converted);
}

Result<PgResult> PgSession::call(std::string_view sql, const Arrays& arrays) {
  std::vector<PgParam> params;
  for (std::size_t i = 0; i < arrays.types.size(); ++i) {
    params.push_back(PgParam::binary(arrays.values[i], array_of(arrays.types[i])));
  }
  return execute(sql, params);
}

Result<std::unique_ptr<Rows>> PgSession::do_query(std::string_view sql,
                                                  std::span<const Param> params) {
  THERIAC_ASSIGN(auto result, call(sql, params));
  for (std::size_t i = 0; i < result.columns(); ++i) {
    const PgType type{result.column_oid(i)};
    if (!is_integer(type) && type != PgType::kText && type != PgType::kBytea) {
      return fail(Code::kInternal, "type of a result's column");
    }
  }
  return std::make_unique<PgRows>(*this, std::move(result));
}

Result<std::int64_t> PgSession::do_run(std::string_view sql, std::span<const Param> params) {
  THERIAC_ASSIGN(const auto result, call(sql, params));
  if (result.command_tag().starts_with("SELECT")) return 0;
  return static_cast<std::int64_t>(result.affected());
}

// By the columns' own types, so that a batch of NULLs has one too.
Result<std::vector<PgType>> PgSession::types_of(std::string_view table,
                                                std::span<const std::string_view> columns) {
  const auto sql = fmt::format("SELECT {} FROM {} LIMIT 0", joined(columns), table);
  if (const auto known = types_.find(sql); known != types_.end()) return known->second;
  auto result = link_.query(sql);
  if (!result) return fail(said(std::move(result.error())));
  std::vector<PgType> types;
  for (std::size_t i = 0; i < result->columns(); ++i) {
    types.push_back(PgType{result->column_oid(i)});
    if (array_of(types.back()) == 0) return fail(Code::kInternal, "type of a column");
  }
  return types_[sql] = std::move(types);
}

Result<PgSession::Arrays> PgSession::arrays_of(std::string_view table,
                                               std::span<const std::string_view> columns,
                                               std::span<const Param> values) {
  THERIAC_TRY(linked());
  Arrays arrays;
  THERIAC_ASSIGN(arrays.types, types_of(table, columns));
  for (std::size_t i = 0; i < columns.size(); ++i) {
    THERIAC_ASSIGN(auto array, binary_array(arrays.types[i], values, i, columns.size()));
    arrays.values.push_back(std::move(array));
  }
  return arrays;
}

/// "unnest($1::bytea[], $2::bigint[])"
std::string PgSession::Arrays::unnest() const {
  std::string sql = "unnest(";
  for (std::size_t i = 0; i < types.size(); ++i) {
    fmt::format_to(std::back_inserter(sql), "{}${}::{}", i == 0 ? "" : ", ", i + 1,
                   name_of_array(types[i]));
  }
  return sql + ")";
}

Result<std::int64_t> PgSession::do_insert(std::string_view table,
                                          std::span<const std::string_view> columns,
                                          std::span<const Param> values, std::string_view tail) {
  THERIAC_ASSIGN(const auto arrays, arrays_of(table, columns, values));
  const auto sql = fmt::format("INSERT INTO {}({}) SELECT * FROM {} {}", table, joined(columns),
                               arrays.unnest(), tail);
  THERIAC_ASSIGN(const auto result, call(sql, arrays));
  return static_cast<std::int64_t>(result.affected());
}

Result<std::unique_ptr<Rows>> PgSession::do_look_up(std::string_view table, std::string_view key,
                                                    std::span<const std::string_view> columns,
                                                    std::span<const Param> keys) {
  THERIAC_ASSIGN(const auto arrays, arrays_of(table, std::span(&key, 1), keys));
  auto sql = fmt::format("SELECT t.{}", key);
  for (const auto column : columns) sql.append(", t.").append(column);
  // Joined, not "= ANY": of a divided table only the part is searched that a key can be in.
  fmt::format_to(std::back_inserter(sql), " FROM {} AS u(k) JOIN {} AS t ON t.{} = u.k",
                 arrays.unnest(), table, key);
  THERIAC_ASSIGN(auto result, call(sql, arrays));
  return std::make_unique<PgRows>(*this, std::move(result));
}

Result<std::int64_t> PgSession::do_update(std::string_view table, std::string_view key,
                                          std::span<const std::string_view> columns,
                                          std::span<const Param> values) {
  std::vector<std::string_view> all{key};
  all.insert(all.end(), columns.begin(), columns.end());
  THERIAC_ASSIGN(const auto arrays, arrays_of(table, all, values));
  auto sql = fmt::format("UPDATE {} AS t SET ", table);
  std::string names = "k";
  for (std::size_t i = 0; i < columns.size(); ++i) {
    fmt::format_to(std::back_inserter(sql), "{}{} = u.v{}", i == 0 ? "" : ", ", columns[i], i);
    fmt::format_to(std::back_inserter(names), ", v{}", i);
  }
  // In the order of the keys, so that two batches meet in one row and not crosswise in two.
  fmt::format_to(std::back_inserter(sql),
                 " FROM (SELECT * FROM {} ORDER BY 1) AS u({}) WHERE t.{} = u.k", arrays.unnest(),
                 names, key);
  THERIAC_ASSIGN(const auto result, call(sql, arrays));
  return static_cast<std::int64_t>(result.affected());
}

// Not SERIALIZABLE: with PostgreSQL's default limits a batch that reads more than 32 pages locks
// the whole table against writers, and batches that share no row fail each other (measured: four
// writers of 1,000 rows each, 15 % given up after six attempts, a third of the throughput).
Status PgSession::do_begin(Access access) {
  THERIAC_TRY(linked());
  auto begun =
      link_.exec(access == Access::kWrite ? "BEGIN ISOLATION LEVEL REPEATABLE READ"
                                          : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
  if (!begun) return fail(said(std::move(begun.error())));
  return {};
}

Status PgSession::do_commit() {
  auto done = link_.exec("COMMIT");
  if (!done) return fail(said(std::move(done.error())));
  if (done->command_tag() != "COMMIT") return fail(Code::kConflict, "transaction had failed");
  return {};
}

void PgSession::do_roll_back() {
  if (link_.alive())
    (void)link_.exec("ROLLBACK");  // a link that cannot is lost, and so is the rest
}

class PgEngine final : public Engine {
 public:
  PgEngine(const EngineOptions& options, std::int64_t version) {
    shared_.options = options;
    shared_.schema_version = version;
  }
  PgEngine(const PgEngine&) = delete;
  PgEngine& operator=(const PgEngine&) = delete;
  ~PgEngine() override { THERIAC_ASSERT(shared_.sessions == 0); }

  Result<std::unique_ptr<Session>> connect() override {
    if (++shared_.sessions > shared_.options.sessions_max) {
      --shared_.sessions;
      return fail(Code::kBusy, "store sessions");
    }
    auto link = store::connect(shared_);
    if (!link) {
      --shared_.sessions;
      return fail(std::move(link.error()));
    }
    return std::make_unique<PgSession>(shared_, std::move(*link));
  }
  [[nodiscard]] std::string_view name() const override { return "postgresql"; }
  Status backup_to(const std::string&) override {
    return fail(Code::kUnsupported, "backup of PostgreSQL: pg_dump or pg_basebackup");
  }

 private:
  Shared shared_;
};

}  // namespace

Result<std::unique_ptr<Engine>> open_pg_engine(const EngineOptions& options, SchemaSteps schema) {
  THERIAC_ASSIGN(auto link, open_link(options));
  THERIAC_ASSIGN(const auto version, bring_up(link, options, schema));
  return std::make_unique<PgEngine>(options, version);
}

}  // namespace theriac::store
