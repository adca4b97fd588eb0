#include "store/engine.hpp"

#include <algorithm>
#include <thread>

#include "crypto/random.hpp"
#include "pgwire/utf8.hpp"
#include "store/dialect.hpp"
#include "store/limits.hpp"
#include "store/pg_engine.hpp"
#include "store/session_base.hpp"
#include "store/sqlite_engine.hpp"

namespace theriac::store {
namespace {

constexpr std::string_view kSqlitePrefix = "sqlite:";

/// Those who met draw lots, up to 4, 8, 16, 32, 64 ms, so that they do not meet again.
void wait_before_repeat(int attempt) {
  std::array<std::uint8_t, 2> drawn{};
  crypto::SystemRandom().fill(drawn);
  const std::uint64_t limit_us = std::uint64_t{4000} << static_cast<unsigned>(attempt);
  const auto wait_us = load_be<std::uint16_t>(drawn.data()) * limit_us >> 16U;
  std::this_thread::sleep_for(std::chrono::microseconds(wait_us));
}

Status check_values(std::span<const Param> params) {
  for (const auto& param : params) {
    if (const auto* bytes = std::get_if<ByteView>(&param)) {
      if (bytes->size() > kValueBytesMax) return fail(Code::kTooLarge, "SQL parameter");
    }
    const auto* text = std::get_if<std::string_view>(&param);
    if (text == nullptr) continue;
    if (text->size() > kValueBytesMax) return fail(Code::kTooLarge, "SQL parameter");
    if (text->find('\0') != std::string_view::npos) return fail(Code::kMalformed, "zero byte");
    if (!pgwire::is_utf8(*text)) return fail(Code::kBadEncoding, "SQL parameter");
  }
  return {};
}

Status check_batch(std::string_view table, std::span<const std::string_view> columns,
                   std::span<const Param> values) {
  if (!is_name(table) || columns.empty() || !std::ranges::all_of(columns, is_name)) {
    return fail(Code::kInternal, "a name in a batch");
  }
  if (values.size() % columns.size() != 0) return fail(Code::kInternal, "values of a batch");
  if (values.size() / columns.size() > kBatchRowsMax) return fail(Code::kTooLarge, "rows");
  return check_values(values);
}

/// `key` and then `columns`.
std::vector<std::string_view> with_key(std::string_view key,
                                       std::span<const std::string_view> columns) {
  std::vector<std::string_view> all{key};
  all.insert(all.end(), columns.begin(), columns.end());
  return all;
}

class NoRows final : public Rows {
 public:
  Result<bool> next() override { return false; }
  [[nodiscard]] std::int64_t integer(int) const override { return 0; }
  [[nodiscard]] std::string_view text(int) const override { return {}; }
  [[nodiscard]] ByteView bytes(int) const override { return {}; }
  [[nodiscard]] bool is_null(int) const override { return true; }
};

}  // namespace

std::unique_ptr<Rows> no_rows() { return std::make_unique<NoRows>(); }

Status Session::attempt(Access access, const std::function<Status(Session&)>& work) {
  THERIAC_TRY(begin(access));
  struct RollBack {  // also when `work` throws; after a commit there is nothing to roll back
    Session& session;
    ~RollBack() { session.roll_back(); }
  } const guard{*this};
  THERIAC_TRY(work(*this));
  return commit();
}

Status Session::transact(const std::function<Status(Session&)>& work) {
  for (int repeats = 0;; ++repeats) {
    auto done = attempt(Access::kWrite, work);
    if (done || done.error().code != Code::kBusy || repeats == kRepeatsMax) return done;
    wait_before_repeat(repeats);
  }
}

Status Session::snapshot(const std::function<Status(Session&)>& work) {
  return attempt(Access::kRead, work);
}

Status SessionBase::ready() const {
  if (reading_) return fail(Code::kInternal, "rows of an earlier call are open");
  if (failed_) return fail(Code::kConflict, "transaction had failed");
  return {};
}

Error SessionBase::noted(Error error) {
  failed_ = state_ != State::kIdle;
  return error;
}

template <typename T>
Result<T> SessionBase::noted(Result<T> result) {
  if (!result) return fail(noted(std::move(result.error())));
  return result;
}

Result<std::unique_ptr<Rows>> SessionBase::query(std::string_view sql,
                                                 std::span<const Param> params) {
  THERIAC_TRY(ready());
  THERIAC_TRY(noted(check_values(params)));
  return noted(do_query(sql, params));
}

Result<std::int64_t> SessionBase::run(std::string_view sql, std::span<const Param> params) {
  THERIAC_TRY(ready());
  THERIAC_TRY(noted(check_values(params)));
  return noted(do_run(sql, params));
}

Result<std::int64_t> SessionBase::insert(std::string_view table,
                                         std::span<const std::string_view> columns,
                                         std::span<const Param> values, std::string_view tail) {
  THERIAC_TRY(ready());
  THERIAC_TRY(noted(check_batch(table, columns, values)));
  if (values.empty()) return 0;
  return noted(do_insert(table, columns, values, tail));
}

Result<std::unique_ptr<Rows>> SessionBase::look_up(std::string_view table, std::string_view key,
                                                   std::span<const std::string_view> columns,
                                                   std::span<const Param> keys) {
  THERIAC_TRY(ready());
  THERIAC_TRY(noted(check_batch(table, std::span(&key, 1), keys)));
  THERIAC_TRY(noted(check_batch(table, with_key(key, columns), {})));
  if (keys.empty()) return no_rows();
  return noted(do_look_up(table, key, columns, keys));
}

Result<std::int64_t> SessionBase::update(std::string_view table, std::string_view key,
                                         std::span<const std::string_view> columns,
                                         std::span<const Param> values) {
  THERIAC_TRY(ready());
  THERIAC_TRY(noted(check_batch(table, columns, {})));
  THERIAC_TRY(noted(check_batch(table, with_key(key, columns), values)));
  if (values.empty()) return 0;
  return noted(do_update(table, key, columns, values));
}

Status SessionBase::begin(Access access) {
  if (state_ != State::kIdle || reading_) {
    return fail(Code::kInternal, "transaction inside a transaction or among rows");
  }
  THERIAC_TRY(do_begin(access));
  state_ = access == Access::kRead ? State::kSnapshot : State::kTransaction;
  failed_ = false;
  return {};
}

Status SessionBase::commit() {
  THERIAC_TRY(ready());  // the caller rolls back
  auto done = do_commit();
  state_ = State::kIdle;
  return done;
}

void SessionBase::roll_back() {
  if (state_ == State::kIdle) return;
  do_roll_back();
  state_ = State::kIdle;
  failed_ = false;
}

Result<std::unique_ptr<Engine>> open_engine(const EngineOptions& options, SchemaSteps schema) {
  if (options.partitions < 1 || options.partitions > kPartitionsMax || options.sessions_max < 1 ||
      options.sessions_max > kSessionsMax || !is_name(options.schema_name)) {
    return fail(Code::kUsage, "store options");
  }
  const std::string_view where = options.where;
  if (!where.starts_with(kSqlitePrefix)) return open_pg_engine(options, schema);
  const std::string path(where.substr(kSqlitePrefix.size()));
  // Each session has a connection of its own, and a database in memory has only one.
  if (path.empty() || path == ":memory:") return fail(Code::kUsage, "sqlite:/path/file");
  return open_sqlite_engine({.path = path, .busy_ms = kLockWaitMs}, options, schema);
}

}  // namespace theriac::store
