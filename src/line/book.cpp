#include "line/book.hpp"

#include <array>

namespace theriac::line {
namespace {

constexpr std::array<std::string_view, 1> kSchema{R"sql(
CREATE TABLE facts(
  name   TEXT PRIMARY KEY,
  number INTEGER NOT NULL DEFAULT 0,
  bytes  BLOB NOT NULL DEFAULT x''
) STRICT, WITHOUT ROWID;
CREATE TABLE lots(
  id         INTEGER PRIMARY KEY,
  gtin       TEXT NOT NULL,
  number     TEXT NOT NULL,
  server_lot INTEGER NOT NULL DEFAULT 0,
  wanted     INTEGER NOT NULL DEFAULT 0,
  needed     INTEGER NOT NULL DEFAULT 0,
  refusal    TEXT NOT NULL DEFAULT '',
  UNIQUE(gtin, number)
) STRICT;
CREATE TABLE stock(
  allocation INTEGER PRIMARY KEY,
  lot        INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  drawn      INTEGER NOT NULL,
  issued_ms  INTEGER NOT NULL,
  expires_ms INTEGER NOT NULL,
  reported   BLOB NOT NULL,
  sealed     BLOB NOT NULL
) STRICT;
CREATE INDEX stock_by_lot ON stock(lot);
-- Files that were taken, by a keyed digest of name and content.
CREATE TABLE answers(
  mark    BLOB PRIMARY KEY,
  file    TEXT NOT NULL,
  state   INTEGER NOT NULL,
  made_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE pieces(
  mark       BLOB NOT NULL,
  allocation INTEGER NOT NULL,
  first      INTEGER NOT NULL,
  count      INTEGER NOT NULL,
  PRIMARY KEY(mark, allocation, first)
) STRICT, WITHOUT ROWID;
CREATE TABLE waiting(
  seq     INTEGER PRIMARY KEY AUTOINCREMENT,
  key     TEXT NOT NULL,
  file    TEXT NOT NULL,
  made_ms INTEGER NOT NULL,
  sealed  BLOB NOT NULL
) STRICT;
-- Draws that were decided and whose numbers have not come yet.
CREATE TABLE draws(
  key   TEXT PRIMARY KEY,
  lot   INTEGER NOT NULL,
  count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
)sql"};

Bytes copy_of(ByteView bytes) { return {bytes.begin(), bytes.end()}; }

LotRow lot_at(const store::Statement& row) {
  return {row.integer(0), std::string(row.text(1)), std::string(row.text(2)), row.integer(3),
          row.integer(4), row.integer(5),           std::string(row.text(6))};
}
constexpr std::string_view kLotByName =
    "SELECT id, gtin, number, server_lot, wanted, needed, refusal FROM lots "
    "WHERE gtin = ? AND number = ?";
constexpr std::string_view kLotById =
    "SELECT id, gtin, number, server_lot, wanted, needed, refusal FROM lots WHERE id = ?";
constexpr std::string_view kLots =
    "SELECT id, gtin, number, server_lot, wanted, needed, refusal FROM lots ORDER BY id";

AnswerRow answer_at(const store::Statement& row) {
  return {copy_of(row.bytes(0)), std::string(row.text(1)),
          static_cast<AnswerState>(row.integer(2))};
}

}  // namespace

Result<Book> Book::open(const std::string& path, bool create) {
  THERIAC_ASSIGN(auto database, store::Database::open({.path = path, .create = create}, kSchema));
  return Book(std::move(database));
}

Result<std::int64_t> Book::number(std::string_view name) {
  THERIAC_ASSIGN(auto found, database_.prepare("SELECT number FROM facts WHERE name = ?"));
  THERIAC_ASSIGN(const bool is_there, found.bind_all(name).step());
  return is_there ? found.integer(0) : 0;
}
Status Book::set_number(std::string_view name, std::int64_t value) {
  return database_.run(
      "INSERT INTO facts(name, number) VALUES(?, ?) "
      "ON CONFLICT(name) DO UPDATE SET number = excluded.number",
      name, value);
}
Result<Bytes> Book::bytes(std::string_view name) {
  THERIAC_ASSIGN(auto found, database_.prepare("SELECT bytes FROM facts WHERE name = ?"));
  THERIAC_ASSIGN(const bool is_there, found.bind_all(name).step());
  return is_there ? copy_of(found.bytes(0)) : Bytes();
}
Status Book::set_bytes(std::string_view name, ByteView value) {
  return database_.run(
      "INSERT INTO facts(name, bytes) VALUES(?, ?) "
      "ON CONFLICT(name) DO UPDATE SET bytes = excluded.bytes",
      name, value);
}

Result<LotRow> Book::lot(std::string_view gtin, std::string_view number) {
  THERIAC_TRY(database_.run("INSERT INTO lots(gtin, number) VALUES(?, ?) ON CONFLICT DO NOTHING",
                            gtin, number));
  THERIAC_ASSIGN(auto found, database_.prepare(kLotByName));
  THERIAC_ASSIGN(const bool is_there, found.bind_all(gtin, number).step());
  if (!is_there) return fail(Code::kNotFound, "lots");
  return lot_at(found);
}
Result<LotRow> Book::lot(std::int64_t id) {
  THERIAC_ASSIGN(auto found, database_.prepare(kLotById));
  THERIAC_ASSIGN(const bool is_there, found.bind_all(id).step());
  if (!is_there) return fail(Code::kNotFound, "lots");
  return lot_at(found);
}
Result<std::vector<LotRow>> Book::lots() {
  THERIAC_ASSIGN(auto found, database_.prepare(kLots));
  std::vector<LotRow> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, found.step());
    if (!is_there) return all;
    all.push_back(lot_at(found));
  }
}
Status Book::want(std::int64_t lot, std::int64_t wanted, std::int64_t needed) {
  return database_.run("UPDATE lots SET wanted = ?, needed = ? WHERE id = ?", wanted, needed, lot);
}
Status Book::set_server_lot(std::int64_t lot, std::int64_t server_lot) {
  return database_.run("UPDATE lots SET server_lot = ? WHERE id = ?", server_lot, lot);
}
Status Book::set_refusal(std::int64_t lot, std::string_view refusal) {
  return database_.run("UPDATE lots SET refusal = ? WHERE id = ?", refusal, lot);
}

Status Book::add_stock(const StockRow& row, ByteView sealed) {
  const Bytes none(static_cast<std::size_t>((row.count + 7) / 8));
  return database_.run(
      "INSERT INTO stock(allocation, lot, count, drawn, issued_ms, expires_ms, reported, sealed) "
      "VALUES(?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
      row.allocation, row.lot, row.count, row.drawn, row.issued_ms, row.expires_ms, ByteView(none),
      sealed);
}
Result<std::vector<StockRow>> Book::stock_of(std::int64_t lot) {
  THERIAC_ASSIGN(auto found,
                 database_.prepare("SELECT allocation, lot, count, drawn, issued_ms, expires_ms "
                                   "FROM stock WHERE lot = ? ORDER BY allocation"));
  found.bind_all(lot);
  std::vector<StockRow> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, found.step());
    if (!is_there) return all;
    all.push_back({found.integer(0), found.integer(1), found.integer(2), found.integer(3),
                   found.integer(4), found.integer(5)});
  }
}
Result<Bytes> Book::sealed_stock(std::int64_t allocation) {
  THERIAC_ASSIGN(auto found, database_.prepare("SELECT sealed FROM stock WHERE allocation = ?"));
  THERIAC_ASSIGN(const bool is_there, found.bind_all(allocation).step());
  if (!is_there) return fail(Code::kNotFound, "stock");
  return copy_of(found.bytes(0));
}
Status Book::set_drawn(std::int64_t allocation, std::int64_t drawn) {
  return database_.run("UPDATE stock SET drawn = ? WHERE allocation = ?", drawn, allocation);
}
Result<Bytes> Book::reported(std::int64_t allocation) {
  THERIAC_ASSIGN(auto found, database_.prepare("SELECT reported FROM stock WHERE allocation = ?"));
  THERIAC_ASSIGN(const bool is_there, found.bind_all(allocation).step());
  if (!is_there) return fail(Code::kNotFound, "stock");
  return copy_of(found.bytes(0));
}
Status Book::set_reported(std::int64_t allocation, ByteView bits) {
  return database_.run("UPDATE stock SET reported = ? WHERE allocation = ?", bits, allocation);
}

Result<std::optional<AnswerRow>> Book::answer(ByteView mark) {
  THERIAC_ASSIGN(auto found,
                 database_.prepare("SELECT mark, file, state FROM answers WHERE mark = ?"));
  THERIAC_ASSIGN(const bool is_there, found.bind_all(mark).step());
  if (!is_there) return std::nullopt;
  return answer_at(found);
}
Status Book::add_answer(const AnswerRow& row, std::int64_t now_ms) {
  return database_.run("INSERT INTO answers(mark, file, state, made_ms) VALUES(?, ?, ?, ?)",
                       ByteView(row.mark), row.file, static_cast<std::int64_t>(row.state), now_ms);
}
Status Book::set_answer(ByteView mark, AnswerState state) {
  return database_.run("UPDATE answers SET state = ? WHERE mark = ?",
                       static_cast<std::int64_t>(state), mark);
}
Status Book::settle_answers(std::string_view file) {
  return database_.run("UPDATE answers SET state = 4 WHERE file = ? AND state = 3", file);
}
Result<std::vector<AnswerRow>> Book::answers_out() {
  THERIAC_ASSIGN(auto found,
                 database_.prepare("SELECT mark, file, state FROM answers WHERE state = 3 AND mark "
                                   "IN (SELECT mark FROM pieces) ORDER BY made_ms"));
  std::vector<AnswerRow> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, found.step());
    if (!is_there) return all;
    all.push_back(answer_at(found));
  }
}
Status Book::add_piece(ByteView mark, const Piece& piece) {
  return database_.run("INSERT INTO pieces(mark, allocation, first, count) VALUES(?, ?, ?, ?)",
                       mark, piece.allocation, piece.first, piece.count);
}
Result<std::vector<Piece>> Book::pieces_of(ByteView mark) {
  THERIAC_ASSIGN(auto found,
                 database_.prepare("SELECT allocation, first, count FROM pieces WHERE mark = ? "
                                   "ORDER BY allocation, first"));
  found.bind_all(mark);
  std::vector<Piece> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, found.step());
    if (!is_there) return all;
    all.push_back({found.integer(0), found.integer(1), found.integer(2)});
  }
}

Status Book::add_waiting(const WaitingRow& row) {
  return database_.run("INSERT INTO waiting(key, file, made_ms, sealed) VALUES(?, ?, ?, ?)",
                       row.key, row.file, row.made_ms, ByteView(row.sealed));
}
Result<std::optional<WaitingRow>> Book::first_waiting() {
  THERIAC_ASSIGN(auto found,
                 database_.prepare(
                     "SELECT seq, key, file, made_ms, sealed FROM waiting ORDER BY seq LIMIT 1"));
  THERIAC_ASSIGN(const bool is_there, found.step());
  if (!is_there) return std::nullopt;
  return WaitingRow{found.integer(0), std::string(found.text(1)), std::string(found.text(2)),
                    found.integer(3), copy_of(found.bytes(4))};
}
Status Book::remove_waiting(std::int64_t seq) {
  return database_.run("DELETE FROM waiting WHERE seq = ?", seq);
}
Result<Waiting> Book::waiting() {
  THERIAC_ASSIGN(auto found,
                 database_.prepare("SELECT count(*), coalesce(min(made_ms), 0) FROM waiting"));
  THERIAC_TRY(found.step());
  return Waiting{found.integer(0), found.integer(1)};
}

Status Book::add_draw(const DrawRow& row) {
  return database_.run("INSERT INTO draws(key, lot, count) VALUES(?, ?, ?)", row.key, row.lot,
                       row.count);
}
Result<std::optional<DrawRow>> Book::first_draw() {
  THERIAC_ASSIGN(auto found, database_.prepare("SELECT key, lot, count FROM draws LIMIT 1"));
  THERIAC_ASSIGN(const bool is_there, found.step());
  if (!is_there) return std::nullopt;
  return DrawRow{std::string(found.text(0)), found.integer(1), found.integer(2)};
}
Status Book::remove_draw(std::string_view key) {
  return database_.run("DELETE FROM draws WHERE key = ?", key);
}

Status Book::forget(std::int64_t before_ms) {
  return together([&]() -> Status {
    THERIAC_TRY(database_.run(
        "DELETE FROM pieces WHERE mark IN (SELECT mark FROM answers WHERE made_ms < ?)",
        before_ms));
    THERIAC_TRY(database_.run("DELETE FROM answers WHERE made_ms < ?", before_ms));
    return database_.run("DELETE FROM stock WHERE expires_ms < ? AND drawn = count", before_ms);
  });
}

}  // namespace theriac::line
