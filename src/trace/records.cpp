#include "trace/records.hpp"

#include "trace/known.hpp"

namespace theriac::trace {

using codec::Json;

Result<std::int64_t> next_ids(Work& work, std::string_view table, std::int64_t count) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all(
                     "INSERT INTO counters(name, next) VALUES($1, $2 + 1) "
                     "ON CONFLICT(name) DO UPDATE SET next = counters.next + $2 RETURNING next",
                     table, count));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kInternal, "counters");
  return rows->integer(0) - count;
}

Result<Bytes> seal_json(Vault& vault, Record record, const RowId& row, const Json& value) {
  return vault.seal(record, row, codec::canonical_json(value));
}

Result<Json> open_json(Vault& vault, Record record, const RowId& row, ByteView sealed) {
  THERIAC_ASSIGN(const auto text, vault.open(record, row, sealed));
  return codec::parse_json(text);
}

Status note_change(Work& work, Record record, std::int64_t row, const Who& who,
                   const Json& before) {
  if (work.known != nullptr) work.known->stop();
  THERIAC_ASSIGN(const auto id, next_ids(work, "changes"));
  const Json note{{"before", before},
                  {"person", who.person},
                  {"station", who.station},
                  {"partner", who.partner},
                  {"reason", who.reason}};
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, Record::kChange, row_of(Record::kChange, id), note));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO changes(id, record, of_row, when_ms, sealed) VALUES($1, $2, $3, $4, $5)", id,
      static_cast<std::int64_t>(record), row, work.now_ms, ByteView(sealed)));
  return {};
}

Result<std::vector<ChangeNote>> changes_of(Work& work, Record record, std::int64_t row) {
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT id, when_ms, sealed FROM changes WHERE "
                                                   "record = $1 AND of_row = $2 ORDER BY id",
                                                   static_cast<std::int64_t>(record), row));
  std::vector<ChangeNote> notes;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return notes;
    THERIAC_ASSIGN(const auto note,
                   open_json(work.vault, Record::kChange, row_of(Record::kChange, rows->integer(0)),
                             rows->bytes(2)));
    notes.push_back({rows->integer(1),
                     {note.at("person").get<std::string>(), note.at("station").get<std::string>(),
                      note.at("partner").get<std::int64_t>(), note.at("reason").get<std::string>()},
                     note.at("before")});
  }
}

}  // namespace theriac::trace
