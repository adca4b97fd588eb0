// One database, two engines: SQLite in a file, for a site; PostgreSQL, for scale. The same SQL runs
// on both and means the same on both (engine_conformance_test.cpp).
//
// The SQL: parameters are $1, $2, …, each used at least once; one that may be NULL shows its type
// where it stands first ("n = $1 OR $1 IS NULL"). Names are in small letters (dialect.hpp). Schema
// steps hold CREATE TABLE, CREATE INDEX, ALTER TABLE and statements without parameters that both
// engines know; comments begin with --. In CREATE TABLE and ALTER TABLE a column is of type INT (64
// bits), TEXT or BYTES, in capitals. Behind a table's closing parenthesis may stand, in this order:
// - CLUSTERED: the rows lie in the order of their primary key where the engine can (WITHOUT ROWID
// on
//   SQLite). For narrow rows whose key is not a single INT; wide rows under a random key are two to
//   three times slower to insert with it.
// - PARTITIONED(column): divided by the hash of the column where the engine can (PostgreSQL). The
//   primary key and every UNIQUE of the table must then hold the column.
// Beside that only what both know: INSERT with ON CONFLICT, UPDATE with FROM, DELETE, RETURNING,
// SELECT with joins, WITH, LIMIT.
//
// Alike on both: text is compared and ordered by its bytes, is UTF-8 (else Code::kBadEncoding) and
// holds no zero byte (kMalformed). A comparison reads as 0 or 1, sum() of INT as an integer.
// Not alike, and therefore not to be used: LIKE, lower(), the place of NULLs in ORDER BY without
// NULLS FIRST or LAST, NULL for an INT PRIMARY KEY, x'..' literals, arithmetic by zero or beyond 64
// bits, INSERT of several rows of which one DO UPDATEs another.
//
// Errors: a broken constraint is Code::kConflict, a lock that stays taken or a serialisation
// failure kBusy (nothing was changed: repeat), kDiskFull; what the engine does not understand, or a
// value of another type than its column's, kInternal; a limit of limits.hpp kTooLarge; else kIo or
// kNotAuthentic from SQLite, kUpstream from PostgreSQL ("SQLSTATE 08006": the connection was lost;
// outside of a transaction the next call makes another one). No error holds a value. After kIo,
// kDiskFull or kUpstream from a commit it is unknown whether it happened.
//
// Threading: an Engine may be shared; a Session belongs to one thread at a time. An Engine outlives
// its sessions, a Session its rows. On SQLite writers of one Engine wait for each other in the
// order of their coming, readers for nobody.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/bytes.hpp"
#include "store/sqlite.hpp"

namespace theriac::store {

/// A parameter; borrows its bytes until the call returns.
using Param = std::variant<std::monostate, std::int64_t, std::string_view, ByteView>;

/// Rows of one query, from first to last. Views are valid until the next next().
class Rows {
 public:
  virtual ~Rows() = default;
  /// True: a row is there.
  virtual Result<bool> next() = 0;
  /// Columns count from 0 and are asked for by their own type; a NULL reads as 0 or empty.
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual std::string_view text(int column) const = 0;
  [[nodiscard]] virtual ByteView bytes(int column) const = 0;
  [[nodiscard]] virtual bool is_null(int column) const = 0;
};

class Session {
 public:
  virtual ~Session() = default;
  /// `sql`, one statement, is prepared once for each session and kept by its text: literals, not
  /// texts made anew for each call. The rows must be dropped before the next call. A SELECT is read
  /// as next() is called on SQLite and is in memory as a whole on PostgreSQL: LIMIT what can be
  /// long.
  virtual Result<std::unique_ptr<Rows>> query(std::string_view sql,
                                              std::span<const Param> params) = 0;
  /// Rows inserted, changed or deleted.
  virtual Result<std::int64_t> run(std::string_view sql, std::span<const Param> params) = 0;
  /// INSERT of many rows into `columns` of `table`, the fast way of the engine; `values` row by
  /// row. `tail` stands behind the VALUES ("ON CONFLICT DO NOTHING") or is empty. Rows inserted. As
  /// one statement: all or none.
  virtual Result<std::int64_t> insert(std::string_view table,
                                      std::span<const std::string_view> columns,
                                      std::span<const Param> values, std::string_view tail) = 0;
  /// The values of `columns` for each key in `keys` (a column of any type; no key twice) of
  /// `table`, in any order: how thousands of rows are read by key. The first columns of the rows
  /// are `key` and `columns`.
  virtual Result<std::unique_ptr<Rows>> look_up(std::string_view table, std::string_view key,
                                                std::span<const std::string_view> columns,
                                                std::span<const Param> keys) = 0;
  /// UPDATE of many rows by their key (no key twice): `values` holds, row by row, the key and then
  /// the new values of `columns`. Rows changed. All or none.
  virtual Result<std::int64_t> update(std::string_view table, std::string_view key,
                                      std::span<const std::string_view> columns,
                                      std::span<const Param> values) = 0;

  /// Runs `work` in a transaction that sees one state of the database and commits durably, or not
  /// at all when `work` fails. Of two transactions that change the same row, one waits or is kBusy;
  /// on kBusy it is run again, up to five times. A rule over rows that are only read ("one of two
  /// must stay") holds on PostgreSQL only if the transaction also writes them (SET n = n) or a
  /// constraint says it. When a call in it has failed, nothing but its end can follow: later calls
  /// and the commit are kConflict.
  Status transact(const std::function<Status(Session&)>& work);
  /// Runs `work`, which only reads (kInternal otherwise), on one committed state of the database.
  /// It waits for no writer, and none for it.
  Status snapshot(const std::function<Status(Session&)>& work);

  template <typename... Values>
  Result<std::unique_ptr<Rows>> query_all(std::string_view sql, const Values&... values) {
    const std::array<Param, sizeof...(Values)> params{Param(values)...};
    return query(sql, params);
  }
  template <typename... Values>
  Result<std::int64_t> run_all(std::string_view sql, const Values&... values) {
    const std::array<Param, sizeof...(Values)> params{Param(values)...};
    return run(sql, params);
  }

 protected:
  enum class Access { kRead, kWrite };
  virtual Status begin(Access access) = 0;
  virtual Status commit() = 0;
  /// Nothing when no transaction is open.
  virtual void roll_back() = 0;

 private:
  Status attempt(Access access, const std::function<Status(Session&)>& work);
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual Result<std::unique_ptr<Session>> connect() = 0;
  /// "sqlite" or "postgresql", for logs and documents.
  [[nodiscard]] virtual std::string_view name() const = 0;
  /// A consistent copy of everything, sealed values as they are, durable when this returns;
  /// kUnsupported on PostgreSQL, which has its own ways.
  virtual Status backup_to(const std::string& path) = 0;
};

struct EngineOptions {
  /// "sqlite:/path/file" or a libpq conninfo or URI ("postgresql://…"), which also says what TLS is
  /// asked for. A server with fsync=off keeps nothing that this header promises.
  std::string where;
  std::string schema_name = "theriac_trace";  ///< PostgreSQL: the schema that holds the tables
  int partitions = 16;                        ///< of a PARTITIONED table; only when it is made
  int sessions_max = 16;                      ///< kBusy beyond
};

/// Opens or makes it and brings the schema to its last step (forward only, backed up first on
/// SQLite; under an advisory lock on PostgreSQL). A newer schema is Code::kUnsupported, what
/// belongs to another program kNotAuthentic, options that cannot be kUsage.
Result<std::unique_ptr<Engine>> open_engine(const EngineOptions& options, SchemaSteps schema);

}  // namespace theriac::store
