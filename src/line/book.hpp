// What the program beside a line remembers: its stock as it came, how far it was drawn, what was
// answered, and what waits for the server. One SQLite file; every serial in it is sealed to the
// line's certificate.
//
// A request for numbers goes through three states, so that a kill at any moment neither loses an
// answer nor gives one twice: kDrawn (numbers are its own; no answer is to be seen yet), kWritten
// (the answer lies beside its place, and only its rename is left), kDone.
//
// Errors: those of store/sqlite.hpp; Code::kNotFound for a row that is not there.
// Threading: one thread at a time; another thread opens its own.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "store/sqlite.hpp"

namespace theriac::line {

struct LotRow {
  std::int64_t id = 0;
  std::string gtin, number;
  std::int64_t server_lot = 0;  ///< its row at the server; 0: not known yet
  std::int64_t wanted = 0;      ///< numbers to keep; 0: the lot is closed
  std::int64_t needed = 0;      ///< numbers that a request waits for
  std::string refusal;          ///< why the server gives none: an error's name, or empty
};

struct StockRow {
  std::int64_t allocation = 0, lot = 0;
  std::int64_t count = 0, drawn = 0;
  std::int64_t issued_ms = 0, expires_ms = 0;
};

/// Numbers [first, first + count) of an allocation, in the order of its file.
struct Piece {
  std::int64_t allocation = 0, first = 0, count = 0;
  friend bool operator==(const Piece&, const Piece&) = default;
};

/// kReported: taken away or all reported, so that nothing is left to do.
enum class AnswerState : std::int64_t { kDrawn = 1, kWritten = 2, kDone = 3, kReported = 4 };
struct AnswerRow {
  Bytes mark;
  std::string file;
  AnswerState state{};
};

/// A call that the server has not confirmed yet.
struct WaitingRow {
  std::int64_t seq = 0;
  std::string key;   ///< its Idempotency-Key
  std::string file;  ///< whose it was
  std::int64_t made_ms = 0;
  Bytes sealed;
};
struct Waiting {
  std::int64_t count = 0, oldest_ms = 0;
};

struct DrawRow {
  std::string key;
  std::int64_t lot = 0, count = 0;
};

class Book {
 public:
  /// Without `create` a missing file is Code::kNotFound.
  static Result<Book> open(const std::string& path, bool create = true);

  /// All of `work` or nothing.
  template <typename F>
  Status together(F work) {
    THERIAC_ASSIGN(auto transaction, store::Transaction::begin(database_));
    THERIAC_TRY(work());
    return transaction.commit();
  }

  /// Single numbers and words by name; 0 and empty when there is none.
  Result<std::int64_t> number(std::string_view name);
  Status set_number(std::string_view name, std::int64_t value);
  Result<Bytes> bytes(std::string_view name);
  Status set_bytes(std::string_view name, ByteView value);

  /// Made when it is new.
  Result<LotRow> lot(std::string_view gtin, std::string_view number);
  Result<LotRow> lot(std::int64_t id);
  Result<std::vector<LotRow>> lots();
  Status want(std::int64_t lot, std::int64_t wanted, std::int64_t needed);
  Status set_server_lot(std::int64_t lot, std::int64_t server_lot);
  Status set_refusal(std::int64_t lot, std::string_view refusal);

  Status add_stock(const StockRow& row, ByteView sealed);
  Result<std::vector<StockRow>> stock_of(std::int64_t lot);
  Result<Bytes> sealed_stock(std::int64_t allocation);
  Status set_drawn(std::int64_t allocation, std::int64_t drawn);
  /// Bit i: number i was reported or given back.
  Result<Bytes> reported(std::int64_t allocation);
  Status set_reported(std::int64_t allocation, ByteView bits);

  Result<std::optional<AnswerRow>> answer(ByteView mark);
  Status add_answer(const AnswerRow& row, std::int64_t now_ms);
  Status set_answer(ByteView mark, AnswerState state);
  /// Earlier answers under this name were taken away: another one comes to lie there.
  Status settle_answers(std::string_view file);
  /// Of numbers, done and not yet all reported.
  Result<std::vector<AnswerRow>> answers_out();
  Status add_piece(ByteView mark, const Piece& piece);
  Result<std::vector<Piece>> pieces_of(ByteView mark);

  Status add_waiting(const WaitingRow& row);
  Result<std::optional<WaitingRow>> first_waiting();
  Status remove_waiting(std::int64_t seq);
  Result<Waiting> waiting();

  Status add_draw(const DrawRow& row);
  Result<std::optional<DrawRow>> first_draw();
  Status remove_draw(std::string_view key);

  /// What was done long ago.
  Status forget(std::int64_t before_ms);

 private:
  explicit Book(store::Database database) : database_(std::move(database)) {}
  store::Database database_;
};

}  // namespace theriac::line
