// Our own SQL to PostgreSQL: a thin, value-silent class over libpq.
//
// Errors are Code::kUpstream with the SQLSTATE and nothing else in `where` ("SQLSTATE 42P01"; a
// lost or refused connection is "SQLSTATE 08006", since libpq gives none): the server's message
// text can quote values, so it is dropped here, and notices are dropped with it. Disk full on the
// server (class 53100) is Code::kDiskFull, a cancelled statement (57014) Code::kTimeout,
// serialisation and deadlock failures (40001, 40P01) Code::kConflict.
//
// Threading: a connection and its results belong to one thread at a time. Calls block.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/bytes.hpp"

struct pg_conn;
struct pg_result;

namespace theriac::store {

/// Wire format of values: text, or PostgreSQL's binary form (bytea is then the bytes themselves).
enum class PgFormat : int { kText = 0, kBinary = 1 };

/// One parameter ($1, $2, ...). Borrows its bytes: they must live until the call returns. A text
/// parameter may hold no zero byte (Code::kMalformed). `oid` 0 lets the server infer the type.
struct PgParam {
  std::optional<ByteView> value;
  PgFormat format = PgFormat::kText;
  std::uint32_t oid = 0;

  static PgParam text(std::string_view value, std::uint32_t oid = 0) {
    return {view_of(value), PgFormat::kText, oid};
  }
  static PgParam binary(ByteView value, std::uint32_t oid = 0) {
    return {value, PgFormat::kBinary, oid};
  }
  /// A bytea parameter.
  static PgParam bytes(ByteView value) { return {value, PgFormat::kBinary, 17}; }
  static PgParam null(std::uint32_t oid = 0) { return {std::nullopt, PgFormat::kText, oid}; }
};

/// The rows of one statement; owns libpq's result. Move-only.
class PgResult {
 public:
  [[nodiscard]] std::size_t rows() const;
  [[nodiscard]] std::size_t columns() const;
  /// nullopt is SQL NULL. Valid as long as the result lives. Asserts that row and column exist.
  [[nodiscard]] std::optional<std::string_view> value(std::size_t row, std::size_t column) const;
  /// The same as bytes, for results asked for in binary.
  [[nodiscard]] std::optional<ByteView> bytes(std::size_t row, std::size_t column) const;
  [[nodiscard]] std::string_view column_name(std::size_t column) const;
  [[nodiscard]] std::uint32_t column_oid(std::size_t column) const;
  /// Rows changed by INSERT, UPDATE, DELETE, or read by SELECT; 0 for other commands.
  [[nodiscard]] std::uint64_t affected() const;
  /// "INSERT 0 5"
  [[nodiscard]] std::string_view command_tag() const;

 private:
  friend class PgConnection;
  struct Clear {
    void operator()(pg_result* result) const;
  };
  explicit PgResult(pg_result* result) : result_(result) {}
  std::unique_ptr<pg_result, Clear> result_;
};

class PgConnection {
 public:
  /// libpq's conninfo or URI. `where` of a failure names no part of it (it can hold a password).
  static Result<PgConnection> open(const std::string& conninfo);
  PgConnection(PgConnection&&) noexcept = default;
  PgConnection& operator=(PgConnection&&) noexcept = default;

  /// One statement, extended protocol.
  Result<PgResult> query(std::string_view sql, std::span<const PgParam> params = {},
                         PgFormat result_format = PgFormat::kText);
  Result<PgResult> query(std::string_view sql, std::initializer_list<PgParam> params,
                         PgFormat result_format = PgFormat::kText) {
    return query(sql, std::span<const PgParam>(params.begin(), params.size()), result_format);
  }
  /// Any number of statements without parameters, simple protocol; the last one's result. COPY is
  /// refused with Code::kUnsupported and leaves the connection closed.
  Result<PgResult> exec(std::string_view sql);
  /// Names a statement; `oids` may be empty.
  Status prepare(const std::string& name, std::string_view sql,
                 std::span<const std::uint32_t> oids = {});
  Result<PgResult> execute(const std::string& name, std::span<const PgParam> params,
                           PgFormat result_format = PgFormat::kText);

  /// SQLSTATE of the last failure, five characters; empty when the last call succeeded.
  [[nodiscard]] const std::string& last_sqlstate() const { return last_sqlstate_; }
  /// The link works as far as the client knows.
  [[nodiscard]] bool alive() const;
  /// Looks whether the server has closed the link meanwhile; for one that was idle.
  [[nodiscard]] bool still_there();
  [[nodiscard]] bool in_transaction() const;
  /// 150007 is 15.7.
  [[nodiscard]] int server_version() const;
  /// Reported setting ("server_encoding", "TimeZone", ...); empty when unknown.
  [[nodiscard]] std::string parameter_status(const std::string& name) const;
  /// Asks the server to cancel the running statement. The one call allowed from another thread.
  void cancel() const;

 private:
  struct Finish {
    void operator()(pg_conn* connection) const;
  };
  explicit PgConnection(pg_conn* connection) : connection_(connection) {}
  Result<PgResult> take(pg_result* raw);
  std::unique_ptr<bool> dismissed_ = std::make_unique<bool>(false);  // libpq holds its address
  std::unique_ptr<pg_conn, Finish> connection_;
  friend class PgTransaction;
  std::string last_sqlstate_;
};

/// BEGIN at construction by begin(), ROLLBACK at destruction unless committed.
class PgTransaction {
 public:
  /// `mode` follows BEGIN, e.g. "ISOLATION LEVEL REPEATABLE READ".
  static Result<PgTransaction> begin(PgConnection& connection, std::string_view mode = {});
  PgTransaction(PgTransaction&& other) noexcept
      : connection_(std::exchange(other.connection_, nullptr)) {}
  PgTransaction& operator=(PgTransaction&&) = delete;
  ~PgTransaction();
  /// Code::kConflict when the server answered ROLLBACK because the transaction had failed.
  Status commit();

 private:
  explicit PgTransaction(PgConnection& connection) : connection_(&connection) {}
  PgConnection* connection_;
};

/// `conninfo` (either form) with another database. Code::kUsage if libpq cannot read it.
Result<std::string> pg_conninfo_for(const std::string& conninfo, std::string_view database);

/// "a""b" for a"b: an identifier safe in SQL text.
std::string pg_quote_identifier(std::string_view name);
/// 'a''b' (with E'' where a backslash is inside): a literal safe in SQL text, whatever
/// standard_conforming_strings says.
std::string pg_quote_literal(std::string_view text);

}  // namespace theriac::store
