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

// From each item up to its outermost container.
#define THERIAC_OUTERMOST(ITEMS)                                                            \
  "WITH RECURSIVE up(item, at, parent) AS (SELECT key, key, parent FROM items WHERE " ITEMS \
  " UNION ALL SELECT u.item, i.key, i.parent FROM up u JOIN items i ON i.key = u.parent) "  \
  "SELECT own.state, outer_one.place, outer_one.flags & 2, count(*) FROM up u "             \
  "JOIN items outer_one ON outer_one.key = u.at JOIN items own ON own.key = u.item "        \
  "WHERE u.parent IS NULL GROUP BY own.state, outer_one.place, outer_one.flags & 2"

constexpr std::string_view kOfLots =
    THERIAC_OUTERMOST("lot IN (SELECT id FROM lots WHERE recall = $1)");
constexpr std::string_view kOfList = THERIAC_OUTERMOST(
    "key IN (SELECT item FROM recall_items WHERE recall = $1) AND "
    "lot NOT IN (SELECT id FROM lots WHERE recall = $1)");
#undef THERIAC_OUTERMOST

Status add_lines(Work& work, std::string_view sql, std::int64_t id, Effectiveness& sum) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(sql, id));
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return {};
    sum.lines.push_back({static_cast<State>(rows->integer(0)), rows->integer(1), 0,
                         rows->integer(2) != 0, rows->integer(3)});
  }
}

}  // namespace

Result<OpenedRecall> open_recall(Work& work, std::string_view level,
                                 std::span<const std::int64_t> lots,
                                 std::span<const std::string> items, const Who& who) {
  if (level != "I" && level != "II" && level != "III") return fail(Code::kMalformed, "level");
  if (who.reason.empty()) return fail(Code::kMalformed, "reason");
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
  THERIAC_ASSIGN(const auto sealed,
                 seal_json(work.vault, Record::kRecall, row_of(Record::kRecall, opened.id), json));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO recalls(id, state, opened_ms, closed_ms, sealed) VALUES($1, 1, $2, 0, $3)",
      opened.id, work.now_ms, ByteView(sealed)));
  for (const auto lot : each) THERIAC_TRY(set_recall(work, lot, opened.id, who));
  THERIAC_TRY(recall_items(work, opened.id, listed.rows));
  return opened;
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

Result<std::vector<Recall>> recalls(Work& work, std::int64_t after, std::int64_t limit) {
  THERIAC_ASSIGN(auto rows,
                 work.session.query_all("SELECT id, state, opened_ms, closed_ms, sealed FROM "
                                        "recalls WHERE id > $1 ORDER BY id LIMIT $2",
                                        after, std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
  std::vector<Recall> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, recall_at(work, *rows));
    all.push_back(std::move(one));
  }
}

Result<Effectiveness> effectiveness(Work& work, std::int64_t id) {
  THERIAC_TRY(recall(work, id));
  Effectiveness sum;
  THERIAC_TRY(add_lines(work, kOfLots, id, sum));
  THERIAC_TRY(add_lines(work, kOfList, id, sum));
  std::map<PlaceKey, std::int64_t> partners{{kNowhere, 0}};
  for (auto& line : sum.lines) {
    if (!partners.contains(line.place)) {
      THERIAC_ASSIGN(const auto at, place(work, line.place));
      partners.emplace(line.place, at.partner);
    }
    line.partner = partners.at(line.place);
    sum.items += line.count;
    const bool is_back = (line.partner == 0 && !line.in_transit && line.state != State::kStolen) ||
                         line.state == State::kReturned || line.state == State::kDestroyed ||
                         line.state == State::kSampled;
    if (line.state == State::kDispensed) {
      sum.dispensed += line.count;
    } else if (is_back) {
      sum.recovered += line.count;
    } else {
      sum.outstanding += line.count;
    }
  }
  return sum;
}

}  // namespace theriac::trace
