// Inserts, look-ups and updates in batches of 1,000 through both engines, beside bare loops over
// the C libraries on the same table: 16-byte random key, 100-byte value, two integers, one
// secondary index. Each round begins with an empty table and inserts 100,000 rows, durably on
// SQLite; the private PostgreSQL runs without fsync.
#include <benchmark/benchmark.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>
#include <filesystem>
#include <random>

#include "base/private_postgres.hpp"
#include "store/engine.hpp"
#include "store/pg.hpp"

// BENCHMARK() of Debian's Google Benchmark uses __COUNTER__.
#pragma clang diagnostic ignored "-Wc2y-extensions"

namespace theriac::store {
namespace {

constexpr std::size_t kRows = 100'000, kBatch = 1000;
constexpr std::string_view kSchema =
    "CREATE TABLE item(id BYTES PRIMARY KEY, value BYTES NOT NULL, a INT NOT NULL, b INT NOT NULL);"
    "CREATE INDEX item_a ON item(a);";
const std::vector<std::string_view> kColumns{"id", "value", "a", "b"};

struct Data {
  std::vector<std::array<std::uint8_t, 16>> ids{kRows};
  Bytes value = Bytes(100, 7);
  std::vector<Param> rows, keys, changes;
  Data() {
    std::mt19937_64 random(1);
    for (auto& id : ids) {
      for (auto& byte : id) byte = static_cast<std::uint8_t>(random());
    }
    for (std::size_t i = 0; i < kRows; ++i) {
      const auto n = static_cast<std::int64_t>(i);
      rows.insert(rows.end(), {ByteView(ids[i]), ByteView(value), n / 100, n});
      const ByteView drawn = ids[random() % kRows];
      keys.emplace_back(drawn);
    }
    std::ranges::sort(keys, {}, [](const Param& p) { return text_of(std::get<ByteView>(p)); });
    const auto same = std::ranges::unique(
        keys, {}, [](const Param& p) { return text_of(std::get<ByteView>(p)); });
    keys.erase(same.begin(), same.end());
    std::ranges::shuffle(keys, random);
    keys.resize(50'000);
    for (const auto& key : keys) changes.insert(changes.end(), {key, 1, 2});
  }
  static const Data& get() {
    static const Data data;
    return data;
  }
};

class Folder {
 public:
  Folder() { THERIAC_ASSERT(::mkdtemp(name_.data()) != nullptr); }
  ~Folder() { std::filesystem::remove_all(name_); }
  [[nodiscard]] std::string file() const { return name_ + "/db"; }

 private:
  std::string name_ = "/tmp/theriac-bench-XXXXXX";
};

/// An engine with an empty table.
struct Opened {
  Folder folder;
  std::unique_ptr<Engine> engine;
  std::unique_ptr<Session> session;
  explicit Opened(bool sqlite) {
    static int schemas = 0;
    EngineOptions options{.where = sqlite ? "sqlite:" + folder.file()
                                          : PrivatePostgres::get().conninfo()};
    options.schema_name = fmt::format("bench_{}", ++schemas);
    engine = open_engine(options, std::array{kSchema}).value();
    session = engine->connect().value();
  }
  void fill() {
    const auto& data = Data::get();
    for (std::size_t at = 0; at < data.rows.size(); at += 4 * kBatch) {
      session->insert("item", kColumns, std::span(data.rows).subspan(at, 4 * kBatch), "").value();
    }
  }
};

void count(benchmark::State& state, std::size_t rows) {
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(rows));
}

void BM_Insert(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto opened = std::make_unique<Opened>(state.range(0) == 0);
    state.ResumeTiming();
    opened->fill();
    state.PauseTiming();
    opened.reset();
    state.ResumeTiming();
  }
  count(state, kRows);
}
BENCHMARK(BM_Insert)
    ->ArgName("postgresql")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_LookUp(benchmark::State& state) {
  Opened opened(state.range(0) == 0);
  opened.fill();
  const std::span<const Param> keys(Data::get().keys);
  const std::vector<std::string_view> columns{"value", "a"};
  for (auto _ : state) {
    for (std::size_t at = 0; at < keys.size(); at += kBatch) {
      auto rows = opened.session->look_up("item", "id", columns, keys.subspan(at, kBatch)).value();
      std::size_t found = 0;
      for (; *rows->next(); ++found) benchmark::DoNotOptimize(rows->bytes(1).data());
      if (found != kBatch) state.SkipWithError("not found");
    }
  }
  count(state, keys.size());
}
BENCHMARK(BM_LookUp)
    ->ArgName("postgresql")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

void BM_Update(benchmark::State& state) {
  Opened opened(state.range(0) == 0);
  opened.fill();
  const std::span<const Param> changes(Data::get().changes);
  const std::vector<std::string_view> columns{"a", "b"};
  for (auto _ : state) {
    for (std::size_t at = 0; at < changes.size(); at += 3 * kBatch) {
      const auto rows = changes.subspan(at, 3 * kBatch);
      if (opened.session->update("item", "id", columns, rows).value_or(0) != kBatch) {
        state.SkipWithError("not updated");
      }
    }
  }
  count(state, changes.size() / 3);
}
BENCHMARK(BM_Update)
    ->ArgName("postgresql")
    ->Arg(0)
    ->Arg(1)
    ->Unit(benchmark::kMillisecond)
    ->UseRealTime();

// --- bare C --------------------------------------------------------------------------------------

void run(sqlite3* db, const char* sql) {
  THERIAC_ASSERT(sqlite3_exec(db, sql, nullptr, nullptr, nullptr) == SQLITE_OK);
}

struct Bare {
  Folder folder;
  sqlite3* db = nullptr;
  Bare() {
    THERIAC_ASSERT(sqlite3_open(folder.file().c_str(), &db) == SQLITE_OK);
    run(db,
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-32768;"
        "PRAGMA secure_delete=ON; CREATE TABLE item(id BLOB PRIMARY KEY, value BLOB NOT NULL, "
        "a INTEGER NOT NULL, b INTEGER NOT NULL) STRICT; CREATE INDEX item_a ON item(a)");
  }
  ~Bare() { sqlite3_close(db); }
  sqlite3_stmt* prepare(const char* sql) {
    sqlite3_stmt* statement = nullptr;
    THERIAC_ASSERT(sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK);
    return statement;
  }
  void fill() {
    const auto& data = Data::get();
    sqlite3_stmt* insert = prepare("INSERT INTO item VALUES(?, ?, ?, ?)");
    for (std::size_t i = 0; i < kRows; ++i) {
      if (i % kBatch == 0) run(db, "BEGIN IMMEDIATE");
      sqlite3_bind_blob(insert, 1, data.ids[i].data(), 16, SQLITE_STATIC);
      sqlite3_bind_blob(insert, 2, data.value.data(), 100, SQLITE_STATIC);
      sqlite3_bind_int64(insert, 3, static_cast<std::int64_t>(i / 100));
      sqlite3_bind_int64(insert, 4, static_cast<std::int64_t>(i));
      THERIAC_ASSERT(sqlite3_step(insert) == SQLITE_DONE);
      sqlite3_reset(insert);
      if (i % kBatch == kBatch - 1) run(db, "COMMIT");
    }
    sqlite3_finalize(insert);
  }
};

void BM_BareSqliteInsert(benchmark::State& state) {
  for (auto _ : state) {
    state.PauseTiming();
    auto bare = std::make_unique<Bare>();
    state.ResumeTiming();
    bare->fill();
    state.PauseTiming();
    bare.reset();
    state.ResumeTiming();
  }
  count(state, kRows);
}
BENCHMARK(BM_BareSqliteInsert)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_BareSqliteLookUp(benchmark::State& state) {
  Bare bare;
  bare.fill();
  const auto& keys = Data::get().keys;
  sqlite3_stmt* select = bare.prepare("SELECT id, value, a FROM item WHERE id = ?");
  for (auto _ : state) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i % kBatch == 0) run(bare.db, "BEGIN");
      const auto key = std::get<ByteView>(keys[i]);
      sqlite3_bind_blob(select, 1, key.data(), 16, SQLITE_STATIC);
      THERIAC_ASSERT(sqlite3_step(select) == SQLITE_ROW);
      benchmark::DoNotOptimize(sqlite3_column_blob(select, 1));
      sqlite3_reset(select);
      if (i % kBatch == kBatch - 1) run(bare.db, "COMMIT");
    }
  }
  sqlite3_finalize(select);
  count(state, keys.size());
}
BENCHMARK(BM_BareSqliteLookUp)->Unit(benchmark::kMillisecond)->UseRealTime();

void BM_BareSqliteUpdate(benchmark::State& state) {
  Bare bare;
  bare.fill();
  const auto& keys = Data::get().keys;
  sqlite3_stmt* update = bare.prepare("UPDATE item SET a = ?, b = ? WHERE id = ?");
  for (auto _ : state) {
    for (std::size_t i = 0; i < keys.size(); ++i) {
      if (i % kBatch == 0) run(bare.db, "BEGIN IMMEDIATE");
      const auto key = std::get<ByteView>(keys[i]);
      sqlite3_bind_int64(update, 1, 1);
      sqlite3_bind_int64(update, 2, 2);
      sqlite3_bind_blob(update, 3, key.data(), 16, SQLITE_STATIC);
      THERIAC_ASSERT(sqlite3_step(update) == SQLITE_DONE);
      sqlite3_reset(update);
      if (i % kBatch == kBatch - 1) run(bare.db, "COMMIT");
    }
  }
  sqlite3_finalize(update);
  count(state, keys.size());
}
BENCHMARK(BM_BareSqliteUpdate)->Unit(benchmark::kMillisecond)->UseRealTime();

/// One prepared INSERT for each row, over libpq, in transactions of 1,000: the loop people write.
void BM_BarePostgresInsert(benchmark::State& state) {
  auto link = PgConnection::open(PrivatePostgres::get().conninfo()).value();
  const auto& data = Data::get();
  for (auto _ : state) {
    state.PauseTiming();
    THERIAC_ASSERT(link.exec("DROP TABLE IF EXISTS bare; DEALLOCATE ALL; CREATE TABLE bare(id "
                             "bytea PRIMARY KEY, "
                             "value bytea NOT NULL, a bigint NOT NULL, b bigint NOT NULL); "
                             "CREATE INDEX bare_a ON bare(a)")
                       .has_value());
    THERIAC_ASSERT(link.prepare("i", "INSERT INTO bare VALUES($1, $2, $3, $4)").has_value());
    state.ResumeTiming();
    for (std::size_t i = 0; i < kRows; ++i) {
      if (i % kBatch == 0) THERIAC_ASSERT(link.exec("BEGIN").has_value());
      std::array<std::uint8_t, 8> a{}, b{};
      store_be<std::uint64_t>(a.data(), i / 100);
      store_be<std::uint64_t>(b.data(), i);
      const std::array params{PgParam::bytes(data.ids[i]), PgParam::bytes(data.value),
                              PgParam::binary(a), PgParam::binary(b)};
      THERIAC_ASSERT(link.execute("i", params).has_value());
      if (i % kBatch == kBatch - 1) THERIAC_ASSERT(link.exec("COMMIT").has_value());
    }
  }
  count(state, kRows);
}
BENCHMARK(BM_BarePostgresInsert)->Unit(benchmark::kMillisecond)->UseRealTime();

}  // namespace
}  // namespace theriac::store
