#include "trace/work_list.hpp"

#include <algorithm>
#include <array>
#include <limits>

#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using codec::Json;

constexpr std::array<std::string_view, kWorkKinds> kNames{
    "refused-act",  "unknown-place", "event-id-taken", "line-refused",
    "not-balanced", "alarm",         "guessing"};

Json json_of(const WorkItem& one) {
  auto notes = Json::array();
  for (const auto& note : one.notes) {
    notes.push_back({{"when", note.when_ms},
                     {"person", note.person},
                     {"what", note.what},
                     {"reason", note.reason}});
  }
  return {{"details", one.details},
          {"times", one.times},
          {"last", one.last_ms},
          {"assigned", one.assigned},
          {"notes", std::move(notes)}};
}

void read(const Json& json, WorkItem& one) {
  one.details = json.at("details");
  json.at("times").get_to(one.times);
  json.at("last").get_to(one.last_ms);
  json.at("assigned").get_to(one.assigned);
  for (const auto& note : json.at("notes")) {
    one.notes.push_back({note.at("when").get<std::int64_t>(), note.at("person").get<std::string>(),
                         note.at("what").get<std::string>(), note.at("reason").get<std::string>()});
  }
}

Result<WorkItem> item_at(Work& work, const store::Rows& rows) {
  WorkItem one;
  one.id = rows.integer(0);
  one.kind = static_cast<WorkKind>(rows.integer(1));
  one.open = rows.integer(2) != 0;
  one.seq = rows.integer(3);
  one.raised_ms = rows.integer(4);
  one.closed_ms = rows.integer(5);
  THERIAC_ASSIGN(const auto json, open_json(work.vault, Record::kWork,
                                            row_of(Record::kWork, one.id), rows.bytes(6)));
  read(json, one);
  return one;
}

Status write(Work& work, const WorkItem& one) {
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, Record::kWork, row_of(Record::kWork, one.id), json_of(one)));
  THERIAC_TRY(work.session.run_all(
      "UPDATE work SET state = $2, closed_ms = $3, sealed = $4 WHERE id = $1", one.id,
      std::int64_t{one.open ? 1 : 0}, one.closed_ms, ByteView(sealed)));
  return {};
}

/// An item that somebody does something to.
Result<WorkItem> open_item(Work& work, std::int64_t id, std::string_view what, const Who& who) {
  THERIAC_ASSIGN(auto one, work_item(work, id));
  if (!one.open) return fail(Code::kConflict, "work");
  if (one.notes.size() >= kWorkNotesMax) return fail(Code::kTooLarge, "notes");
  one.notes.push_back({work.now_ms, who.person, std::string(what), who.reason});
  return one;
}

Result<std::optional<std::int64_t>> find_open(Work& work, const seal::IndexToken& key) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT id FROM work WHERE key = $1 AND state = 1 LIMIT 1",
                                        ByteView(key)));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return std::nullopt;
  return rows->integer(0);
}

}  // namespace

std::string_view name_of(WorkKind kind) { return kNames.at(static_cast<std::size_t>(kind) - 1); }

std::optional<WorkKind> work_kind_named(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<WorkKind>(at - kNames.begin() + 1);
}

Result<std::int64_t> raise(Work& work, const Exception& what) {
  THERIAC_ASSIGN(const auto key, work.vault.index(Domain::kWork, std::string(name_of(what.kind)) +
                                                                     "\n" + what.same));
  THERIAC_ASSIGN(const auto there, find_open(work, key));
  if (there) {
    THERIAC_ASSIGN(auto one, work_item(work, *there));
    ++one.times;
    one.last_ms = work.now_ms;
    one.details = what.details;
    THERIAC_TRY(write(work, one));
    return one.id;
  }
  WorkItem one{.kind = what.kind,
               .seq = what.seq,
               .raised_ms = work.now_ms,
               .last_ms = work.now_ms,
               .assigned = {},
               .details = what.details,
               .notes = {}};
  THERIAC_ASSIGN(one.id, next_ids(work, "work"));
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, Record::kWork, row_of(Record::kWork, one.id), json_of(one)));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO work(id, key, kind, state, seq, raised_ms, closed_ms, sealed) "
      "VALUES($1, $2, $3, 1, $4, $5, 0, $6)",
      one.id, ByteView(key), static_cast<std::int64_t>(what.kind), what.seq, work.now_ms,
      ByteView(sealed)));
  return one.id;
}

Result<WorkItem> work_item(Work& work, std::int64_t id) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT id, kind, state, seq, raised_ms, closed_ms, sealed "
                                        "FROM work WHERE id = $1",
                                        id));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "work");
  return item_at(work, *rows);
}

Result<std::vector<WorkItem>> work_list(Work& work, const WorkFilter& filter, std::int64_t after,
                                        std::int64_t limit) {
  // 0 and 2: whatever the kind or state.
  const auto kind = filter.kind ? static_cast<std::int64_t>(*filter.kind) : 0;
  const std::int64_t state = filter.open ? (*filter.open ? 1 : 0) : 2;
  const auto until = filter.raised_until_ms.value_or(std::numeric_limits<std::int64_t>::max());
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all(
                     "SELECT id, kind, state, seq, raised_ms, closed_ms, sealed FROM work "
                     "WHERE id > $1 AND ($2 = 0 OR kind = $2) AND ($3 = 2 OR state = $3) "
                     "AND raised_ms <= $4 ORDER BY id LIMIT $5",
                     after, kind, state, until, std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
  std::vector<WorkItem> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, item_at(work, *rows));
    all.push_back(std::move(one));
  }
}

Status assign_work(Work& work, std::int64_t id, std::string_view to, const Who& who) {
  if (to.size() > kNameBytesMax) return fail(Code::kTooLarge, "to");
  THERIAC_ASSIGN(auto one, open_item(work, id, "assigned", who));
  one.assigned = to;
  return write(work, one);
}

Status close_work(Work& work, std::int64_t id, const Who& who) {
  THERIAC_ASSIGN(auto one, open_item(work, id, "resolved", who));
  one.open = false;
  one.closed_ms = work.now_ms;
  return write(work, one);
}

Status note_retry(Work& work, std::int64_t id, bool done, const std::optional<Json>& details,
                  const Who& who) {
  THERIAC_ASSIGN(auto one, open_item(work, id, "tried again", who));
  if (details) one.details = *details;
  if (done) {
    one.open = false;
    one.closed_ms = work.now_ms;
  }
  return write(work, one);
}

}  // namespace theriac::trace
