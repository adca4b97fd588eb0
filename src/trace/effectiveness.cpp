#include "trace/effectiveness.hpp"

#include <algorithm>
#include <set>

namespace theriac::trace {
namespace {

constexpr std::array<std::string_view, kRecalledStates> kNames{
    "in-stock", "shipped", "dispensed", "returned", "set-aside", "destroyed", "not-found"};

// Only what was made: a number that was never used is nowhere.
#define THERIAC_OF_LOTS "lot IN (SELECT l.id FROM lots l WHERE l.recall = $1)"
#define THERIAC_OF_LIST                                                 \
  "key IN (SELECT r.item FROM recall_items r WHERE r.recall = $1) AND " \
  "lot NOT IN (SELECT l.id FROM lots l WHERE l.recall = $1)"

// From each item up to its outermost container, as in recall_search.cpp.
#define THERIAC_UP(ITEMS)                                                          \
  "WITH RECURSIVE up(item, at, parent, since_ms, next_ms) AS ("                    \
  "SELECT key, key, parent, CAST(0 AS BIGINT), changed_ms FROM items WHERE " ITEMS \
  " UNION ALL "                                                                    \
  "SELECT u.item, i.key, i.parent, u.next_ms, "                                    \
  "CASE WHEN i.changed_ms > u.next_ms THEN i.changed_ms ELSE u.next_ms END "       \
  "FROM up u JOIN items i ON i.key = u.parent) "

#define THERIAC_WHERE_THEY_ARE                                                       \
  "SELECT own.state, outer_one.place, outer_one.flags & 2, count(*) FROM up u "      \
  "JOIN items outer_one ON outer_one.key = u.at JOIN items own ON own.key = u.item " \
  "WHERE u.parent IS NULL GROUP BY own.state, outer_one.place, outer_one.flags & 2"
#define THERIAC_WHO_HAD_THEM                                            \
  "SELECT DISTINCT p.partner FROM up u JOIN visits v ON v.item = u.at " \
  "JOIN places p ON p.id = v.place WHERE v.when_ms >= u.since_ms"

constexpr std::array<std::string_view, 2> kWhereTheyAre{
    THERIAC_UP(THERIAC_OF_LOTS) THERIAC_WHERE_THEY_ARE,
    THERIAC_UP(THERIAC_OF_LIST) THERIAC_WHERE_THEY_ARE};
constexpr std::array<std::string_view, 2> kWhoHadThem{
    THERIAC_UP(THERIAC_OF_LOTS) THERIAC_WHO_HAD_THEM,
    THERIAC_UP(THERIAC_OF_LIST) THERIAC_WHO_HAD_THEM};

constexpr std::string_view kDevices =
    "SELECT d.state, d.place, count(*) FROM devices d WHERE "
    "d.lot IN (SELECT l.id FROM lots l WHERE l.recall = $1) OR "
    "d.key IN (SELECT r.item FROM recall_items r WHERE r.recall = $1) "
    "GROUP BY d.state, d.place ORDER BY d.state, d.place";

Status add_lines(Work& work, std::string_view sql, std::int64_t id, Effectiveness& sum) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(sql, id));
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return {};
    const auto state = static_cast<State>(rows->integer(0));
    const auto at = std::ranges::find_if(sum.lines, [&](const Effectiveness::Line& line) {
      return line.state == state && line.place == rows->integer(1) &&
             line.in_transit == (rows->integer(2) != 0);
    });
    if (at != sum.lines.end()) {
      at->count += rows->integer(3);
    } else {
      sum.lines.push_back({state, rows->integer(1), 0, rows->integer(2) != 0, rows->integer(3)});
    }
  }
}

Status add_partners(Work& work, std::string_view sql, std::int64_t id,
                    std::set<std::int64_t>& partners) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(sql, id));
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return {};
    partners.insert(rows->integer(0));
  }
}

Status add_devices(Work& work, std::int64_t id, Effectiveness& sum) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(kDevices, id));
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return {};
    sum.devices.push_back(
        {static_cast<DeviceState>(rows->integer(0)), rows->integer(1), rows->integer(2)});
  }
}

/// Partners of places, each looked up once.
class PartnerOf {
 public:
  explicit PartnerOf(Work& work) : work_(work) {}
  Result<std::int64_t> operator()(PlaceKey key) {
    auto at = known_.find(key);
    if (at == known_.end()) {
      THERIAC_ASSIGN(const auto found, place(work_, key));
      at = known_.emplace(key, found.partner).first;
    }
    return at->second;
  }

 private:
  Work& work_;
  std::map<PlaceKey, std::int64_t> known_{{kNowhere, 0}};
};

bool is_recovered(const Effectiveness::Line& line, Recalled what) {
  const bool is_in_hand =
      what == Recalled::kReturned || what == Recalled::kSetAside || what == Recalled::kDestroyed;
  return is_in_hand || (what == Recalled::kInStock && line.partner == 0);
}

}  // namespace

std::string_view name_of(Recalled what) { return kNames[static_cast<std::size_t>(what)]; }

Recalled recalled_as(State state, bool in_transit) {
  switch (state) {
    case State::kDispensed:
      return Recalled::kDispensed;
    case State::kDestroyed:
      return Recalled::kDestroyed;
    case State::kStolen:
      return Recalled::kNotFound;
    case State::kAllocated:
    case State::kEncoded:
    case State::kCommissioned:
    case State::kSampled:
    case State::kReturned:
    case State::kDecommissioned:
      break;
  }
  if (in_transit) return Recalled::kShipped;
  if (state == State::kReturned) return Recalled::kReturned;
  const bool aside = state == State::kSampled || state == State::kDecommissioned;
  return aside ? Recalled::kSetAside : Recalled::kInStock;
}

Result<Effectiveness> effectiveness(Work& work, std::int64_t id) {
  THERIAC_TRY(recall(work, id));
  Effectiveness sum;
  for (const auto sql : kWhereTheyAre) THERIAC_TRY(add_lines(work, sql, id, sum));
  std::set<std::int64_t> partners;
  for (const auto sql : kWhoHadThem) THERIAC_TRY(add_partners(work, sql, id, partners));
  THERIAC_TRY(add_devices(work, id, sum));
  PartnerOf partner_of(work);
  for (auto& line : sum.lines) {
    THERIAC_ASSIGN(line.partner, partner_of(line.place));
    partners.insert(line.partner);
    const auto what = recalled_as(line.state, line.in_transit);
    sum.items += line.count;
    sum.counts[static_cast<std::size_t>(what)] += line.count;
    if (is_recovered(line, what)) {
      sum.recovered += line.count;
    } else if (what != Recalled::kDispensed) {
      sum.outstanding += line.count;
    }
  }
  for (const auto& one : sum.devices) {
    THERIAC_ASSIGN(const auto partner, partner_of(one.place));
    partners.insert(partner);
  }
  THERIAC_ASSIGN(sum.partners, notices_of(work, id));
  for (const auto& one : sum.partners) partners.erase(one.partner);
  partners.erase(0);
  for (const auto partner : partners) {
    sum.partners.push_back({.partner = partner, .how = {}, .answer = {}});
  }
  return sum;
}

}  // namespace theriac::trace
