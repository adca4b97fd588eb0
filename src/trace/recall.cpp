#include "trace/recall.hpp"

#include <algorithm>
#include <set>

#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using codec::Json;
using store::Param;

Result<Recall> recall_at(Work& work, const store::Rows& rows) {
  Recall one;
  one.id = rows.integer(0);
  one.open = rows.integer(1) != 0;
  one.opened_ms = rows.integer(2);
  one.closed_ms = rows.integer(3);
  THERIAC_ASSIGN(const auto json, open_json(work.vault, Record::kRecall,
                                            row_of(Record::kRecall, one.id), rows.bytes(4)));
  json.at("level").get_to(one.level);
  json.at("reason").get_to(one.reason);
  json.at("lots").get_to(one.lots);
  json.at("items").get_to(one.items);
  one.search = json.value("search", Json());
  return one;
}

/// The items of a list with their rows; refused: what nobody here has made.
struct Listed {
  std::vector<ItemRow> rows;
  std::vector<RefusedItem> refused;
};

Result<Listed> list(Work& work, std::span<const std::string> items) {
  Listed listed;
  Identifier identifier(work);
  std::vector<ItemKey> keys;
  std::vector<std::size_t> at;
  std::set<ItemKey> seen;
  for (std::size_t i = 0; i < items.size(); ++i) {
    THERIAC_ASSIGN(const auto one, identifier.identify(items[i]));
    if (!one) {
      listed.refused.push_back({i, one.error()});
    } else if (!seen.insert(one->key).second) {
      listed.refused.push_back({i, LifeRefusal::kTwice});
    } else {
      keys.push_back(one->key);
      at.push_back(i);
    }
  }
  THERIAC_ASSIGN(auto rows, read_items(work, keys));
  for (std::size_t k = 0; k < keys.size(); ++k) {
    const auto found = rows.find(keys[k]);
    if (found == rows.end()) {
      listed.refused.push_back({at[k], LifeRefusal::kUnknownItem});
    } else {
      listed.rows.push_back(std::move(found->second));
    }
  }
  std::ranges::sort(listed.refused, {}, &RefusedItem::at);
  return listed;
}

Status recall_items(Work& work, std::int64_t id, std::vector<ItemRow>& rows) {
  if (rows.empty()) return {};
  std::vector<Param> values;
  for (auto& row : rows) {
    row.recalled = true;
    values.insert(values.end(), {id, ByteView(row.key)});
  }
  THERIAC_TRY(update_items(work, rows));
  constexpr std::array<std::string_view, 2> kColumns{"recall", "item"};
  THERIAC_TRY(work.session.insert("recall_items", kColumns, values, ""));
  return {};
}

/// The row of a recall that begins now.
Status insert_recall(Work& work, std::int64_t id, const Json& json) {
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, Record::kRecall, row_of(Record::kRecall, id), json));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO recalls(id, state, opened_ms, closed_ms, sealed) VALUES($1, 1, $2, 0, $3)", id,
      work.now_ms, ByteView(sealed)));
  return {};
}

Status check(std::string_view level, const Who& who) {
  if (level != "I" && level != "II" && level != "III") return fail(Code::kMalformed, "level");
  if (who.reason.empty()) return fail(Code::kMalformed, "reason");
  return {};
}

/// A notice's row is known by both.
RowId row_of_notice(std::int64_t recall, std::int64_t partner) {
  auto row = row_of(Record::kNotice, recall);
  for (std::size_t i = 0; i < 7; ++i) {
    row.bytes[1 + i] = static_cast<std::uint8_t>(static_cast<std::uint64_t>(partner) >> (8 * i));
  }
  return row;
}

RecallNotice notice_of(std::int64_t partner) {
  return {.partner = partner, .how = {}, .answer = {}};
}

Status write_notice(Work& work, std::int64_t recall, const RecallNotice& one, const Who& who) {
  const Json json{{"how", one.how}, {"answer", one.answer}, {"person", who.person}};
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, Record::kNotice, row_of_notice(recall, one.partner), json));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO recall_notices(recall, partner, told_ms, answered_ms, missing, sealed) "
      "VALUES($1, $2, $3, $4, $5, $6) ON CONFLICT(recall, partner) DO UPDATE SET told_ms = $3, "
      "answered_ms = $4, missing = $5, sealed = $6",
      recall, one.partner, one.told_ms, one.answered_ms, one.missing, ByteView(sealed)));
  return {};
}

}  // namespace

Result<OpenedRecall> open_recall(Work& work, std::string_view level,
                                 std::span<const std::int64_t> lots,
                                 std::span<const std::string> items, const Who& who) {
  THERIAC_TRY(check(level, who));
  if (lots.empty() && items.empty()) return fail(Code::kOutOfRange, "nothing to recall");
  if (lots.size() > kItemsOfOneCallMax || items.size() > kItemsOfOneCallMax) {
    return fail(Code::kTooLarge, "items");
  }
  THERIAC_ASSIGN(auto listed, list(work, items));
  OpenedRecall opened;
  opened.refused = std::move(listed.refused);
  if (!opened.refused.empty()) return opened;
  THERIAC_ASSIGN(opened.id, next_ids(work, "recalls"));
  const std::set<std::int64_t> each(lots.begin(), lots.end());
  const Json json{{"level", level},
                  {"reason", who.reason},
                  {"person", who.person},
                  {"lots", each},
                  {"items", listed.rows.size()}};
  THERIAC_TRY(insert_recall(work, opened.id, json));
  for (const auto lot : each) THERIAC_TRY(set_recall(work, lot, opened.id, who));
  THERIAC_TRY(recall_items(work, opened.id, listed.rows));
  return opened;
}

Result<std::int64_t> open_recall(Work& work, std::string_view level, const RecallSearch& search,
                                 std::int64_t expected, const Who& who) {
  THERIAC_TRY(check(level, who));
  THERIAC_ASSIGN(const auto found, find_for_recall(work, search));
  if (found.lots.empty()) return fail(Code::kOutOfRange, "nothing to recall");
  if (found.items != expected) return fail(Code::kConflict, "another number of items");
  THERIAC_ASSIGN(const auto id, next_ids(work, "recalls"));
  std::vector<std::int64_t> lots;
  std::int64_t items = 0;
  if (search.is_of_items()) {
    THERIAC_ASSIGN(items, mark_for_recall(work, search, found, id));
  } else {
    for (const auto& one : found.lots) {
      THERIAC_TRY(set_recall(work, one.lot, id, who));
      lots.push_back(one.lot);
    }
  }
  THERIAC_TRY(insert_recall(work, id,
                            {{"level", level},
                             {"reason", who.reason},
                             {"person", who.person},
                             {"lots", lots},
                             {"items", items},
                             {"search", json_of(search)}}));
  return id;
}

Status close_recall(Work& work, std::int64_t id, const Who& who) {
  THERIAC_ASSIGN(const auto before, recall(work, id));
  if (!before.open) return fail(Code::kConflict, "recalls");
  THERIAC_TRY(work.session.run_all("UPDATE recalls SET state = 0, closed_ms = $2 WHERE id = $1", id,
                                   work.now_ms));
  return note_change(work, Record::kRecall, id, who, {{"open", true}});
}

Result<Recall> recall(Work& work, std::int64_t id) {
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT id, state, opened_ms, closed_ms, sealed "
                                                   "FROM recalls WHERE id = $1",
                                                   id));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "recalls");
  return recall_at(work, *rows);
}

Result<std::vector<Recall>> recalls(Work& work, std::int64_t after, std::int64_t limit,
                                    std::int64_t partner) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all(
                     "SELECT id, state, opened_ms, closed_ms, sealed FROM recalls WHERE id > $1 "
                     "AND ($2 = 0 OR id IN (SELECT n.recall FROM recall_notices n WHERE "
                     "n.partner = $2)) ORDER BY id LIMIT $3",
                     after, partner, std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
  std::vector<Recall> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, recall_at(work, *rows));
    all.push_back(std::move(one));
  }
}

Result<std::vector<RecallNotice>> notices_of(Work& work, std::int64_t recall_id) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT partner, told_ms, answered_ms, missing, sealed "
                                        "FROM recall_notices WHERE recall = $1 ORDER BY partner",
                                        recall_id));
  std::vector<RecallNotice> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    auto one = notice_of(rows->integer(0));
    one.told_ms = rows->integer(1);
    one.answered_ms = rows->integer(2);
    one.missing = rows->integer(3);
    THERIAC_ASSIGN(const auto json,
                   open_json(work.vault, Record::kNotice, row_of_notice(recall_id, one.partner),
                             rows->bytes(4)));
    json.at("how").get_to(one.how);
    json.at("answer").get_to(one.answer);
    all.push_back(std::move(one));
  }
}

Result<bool> was_told(Work& work, std::int64_t recall_id, std::int64_t partner) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(
                                "SELECT 1 FROM recall_notices WHERE recall = $1 AND partner = $2",
                                recall_id, partner));
  return rows->next();
}

Status note_told(Work& work, std::int64_t recall_id, std::int64_t partner_id, std::string_view how,
                 const Who& who) {
  if (how.empty()) return fail(Code::kMalformed, "how");
  if (how.size() > kNameBytesMax) return fail(Code::kTooLarge, "how");
  THERIAC_TRY(recall(work, recall_id));
  THERIAC_TRY(partner(work, partner_id));
  auto one = notice_of(partner_id);
  one.told_ms = work.now_ms;
  one.how = how;
  return write_notice(work, recall_id, one, who);
}

Status note_answer(Work& work, std::int64_t recall_id, std::int64_t partner, std::int64_t missing,
                   std::string_view answer, const Who& who) {
  if (missing < 0) return fail(Code::kMalformed, "missing");
  if (answer.size() > kNameBytesMax) return fail(Code::kTooLarge, "answer");
  THERIAC_ASSIGN(const auto all, notices_of(work, recall_id));
  const auto at = std::ranges::find(all, partner, &RecallNotice::partner);
  if (at == all.end()) return fail(Code::kNotFound, "recalls");
  auto one = *at;
  one.answered_ms = work.now_ms;
  one.missing = missing;
  one.answer = answer;
  return write_notice(work, recall_id, one, who);
}

}  // namespace theriac::trace
