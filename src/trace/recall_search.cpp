#include "trace/recall_search.hpp"

#include <algorithm>
#include <limits>
#include <set>

#include "codec/time.hpp"
#include "trace/limits.hpp"
#include "trace/master.hpp"

namespace theriac::trace {
namespace {

using codec::Json;

// From each item of lot $1 made from $2 to $3 up to its outermost container, with the time since
// when a visit there is also the item's (visits.hpp). $4: the place, $5: the partner; 0: any.
#define THERIAC_MATCHING                                                                    \
  "WITH RECURSIVE up(item, at, parent, since_ms, next_ms) AS ("                             \
  "SELECT key, key, parent, CAST(0 AS BIGINT), changed_ms FROM items "                      \
  "WHERE lot = $1 AND made_ms > 0 AND made_ms >= $2 AND made_ms <= $3 UNION ALL "           \
  "SELECT u.item, i.key, i.parent, u.next_ms, "                                             \
  "CASE WHEN i.changed_ms > u.next_ms THEN i.changed_ms ELSE u.next_ms END "                \
  "FROM up u JOIN items i ON i.key = u.parent), "                                           \
  "matching(item) AS (SELECT u.item FROM up u JOIN items o ON o.key = u.at "                \
  "WHERE u.parent IS NULL AND ($4 = 0 OR o.place = $4) AND ($5 = 0 OR u.item IN ("          \
  "SELECT w.item FROM up w JOIN visits v ON v.item = w.at JOIN places p ON p.id = v.place " \
  "WHERE v.when_ms >= w.since_ms AND p.partner = $5))) "

struct Bounds {
  std::int64_t from_ms, until_ms;
};
Bounds made_in(const RecallSearch& search) {
  return {search.made_from_ms.value_or(0),
          search.made_until_ms.value_or(std::numeric_limits<std::int64_t>::max())};
}

Status check_date(const std::string& date, const char* member) {
  const bool good =
      date.empty() || (date.size() == 10 && codec::parse_rfc3339(date + "T00:00:00Z"));
  if (!good) return fail(Code::kMalformed, member);
  return {};
}

Status check(Work& work, const RecallSearch& search) {
  THERIAC_TRY(product(work, search.product));
  THERIAC_TRY(check_date(search.expires_from, "expires_from"));
  THERIAC_TRY(check_date(search.expires_until, "expires_until"));
  if (search.place != kNowhere) THERIAC_TRY(place(work, search.place));
  if (search.received_by != 0) THERIAC_TRY(partner(work, search.received_by));
  if (search.lots.size() > kItemsOfOneCallMax) return fail(Code::kTooLarge, "lots");
  return {};
}

bool expires_within(const Lot& lot, const RecallSearch& search) {
  // ISO dates are in the order of their texts; a lot without expiry is in no range.
  if (!search.expires_from.empty() && (lot.expires.empty() || lot.expires < search.expires_from)) {
    return false;
  }
  return search.expires_until.empty() ||
         (!lot.expires.empty() && lot.expires <= search.expires_until);
}

Result<std::vector<Lot>> lots_to_look_at(Work& work, const RecallSearch& search) {
  std::vector<Lot> all;
  if (!search.lots.empty()) {
    for (const auto id : std::set<std::int64_t>(search.lots.begin(), search.lots.end())) {
      THERIAC_ASSIGN(auto one, lot(work, id));
      if (one.product != search.product) return fail(Code::kConflict, "a lot of another product");
      all.push_back(std::move(one));
    }
    return all;
  }
  for (;;) {
    const auto after = all.empty() ? 0 : all.back().id;
    THERIAC_ASSIGN(auto page, lots_of(work, search.product, after, kPageRowsMax));
    const bool is_last = static_cast<std::int64_t>(page.size()) < kPageRowsMax;
    std::ranges::move(page, std::back_inserter(all));
    if (is_last) return all;
  }
}

Result<std::int64_t> count_in(Work& work, const RecallSearch& search, std::int64_t lot) {
  const auto made = made_in(search);
  THERIAC_ASSIGN(auto rows, work.session.query_all(THERIAC_MATCHING "SELECT count(*) FROM matching",
                                                   lot, made.from_ms, made.until_ms, search.place,
                                                   search.received_by));
  THERIAC_ASSIGN(const bool found, rows->next());
  return found ? rows->integer(0) : 0;
}

}  // namespace

Json json_of(const RecallSearch& search) {
  Json json{{"product", search.product}};
  if (!search.lots.empty()) json["lots"] = search.lots;
  if (!search.expires_from.empty()) json["expires_from"] = search.expires_from;
  if (!search.expires_until.empty()) json["expires_until"] = search.expires_until;
  if (search.place != kNowhere) json["place"] = search.place;
  if (search.made_from_ms) json["made_from"] = codec::rfc3339_utc(*search.made_from_ms);
  if (search.made_until_ms) json["made_until"] = codec::rfc3339_utc(*search.made_until_ms);
  if (search.received_by != 0) json["received_by"] = search.received_by;
  return json;
}

Result<RecallFindings> find_for_recall(Work& work, const RecallSearch& search) {
  THERIAC_TRY(check(work, search));
  THERIAC_ASSIGN(const auto lots, lots_to_look_at(work, search));
  RecallFindings found;
  for (const auto& one : lots) {
    if (one.recall != 0 || !expires_within(one, search)) continue;
    THERIAC_ASSIGN(const auto count, count_in(work, search, one.id));
    if (count == 0 && search.is_of_items()) continue;
    found.lots.push_back({one.id, count});
    found.items += count;
  }
  return found;
}

Result<std::int64_t> mark_for_recall(Work& work, const RecallSearch& search,
                                     const RecallFindings& found, std::int64_t recall) {
  const auto made = made_in(search);
  std::int64_t marked = 0;
  for (const auto& one : found.lots) {
    THERIAC_ASSIGN(const auto added,
                   work.session.run_all("INSERT INTO recall_items(recall, item) " THERIAC_MATCHING
                                        "SELECT CAST($6 AS BIGINT), item FROM matching",
                                        one.lot, made.from_ms, made.until_ms, search.place,
                                        search.received_by, recall));
    marked += added;
  }
  THERIAC_TRY(
      work.session.run_all("UPDATE items SET flags = flags | 1 WHERE key IN "
                           "(SELECT r.item FROM recall_items r WHERE r.recall = $1)",
                           recall));
  return marked;
}

}  // namespace theriac::trace
