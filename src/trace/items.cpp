#include "trace/items.hpp"

#include <algorithm>

#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using store::Param;

constexpr std::int64_t kRecalled = 1, kInTransit = 2;
/// How an act is kept: 0 is none.
std::int64_t stored(const std::optional<Act>& act) {
  return act ? static_cast<std::int64_t>(*act) + 1 : 0;
}
std::optional<Act> act_of(std::int64_t stored) {
  if (stored < 1 || stored > static_cast<std::int64_t>(kActs)) return std::nullopt;
  return static_cast<Act>(stored - 1);
}

// The key comes first in every list: look_up() puts it there.
#define THERIAC_ITEM_COLUMNS                                                                     \
  "product", "lot", "allocation", "state", "flags", "parent", "place", "changed_ms", "acted_ms", \
      "last_act", "state_before", "last_place", "made_ms", "sealed"
constexpr std::array<std::string_view, 14> kRead{THERIAC_ITEM_COLUMNS};
constexpr std::array<std::string_view, 15> kInsert{"key", THERIAC_ITEM_COLUMNS};
#undef THERIAC_ITEM_COLUMNS
constexpr std::array<std::string_view, 11> kUpdate{
    "lot",      "state",    "flags",        "parent",     "place",  "changed_ms",
    "acted_ms", "last_act", "state_before", "last_place", "made_ms"};

ItemKey key_of(ByteView bytes) {
  ItemKey key{};
  if (bytes.size() == key.size()) std::ranges::copy(bytes, key.begin());
  return key;
}

ItemRow row_at(const store::Rows& rows) {
  ItemRow one;
  one.key = key_of(rows.bytes(0));
  one.product = rows.integer(1);
  one.lot = rows.integer(2);
  one.allocation = rows.integer(3);
  one.state = static_cast<State>(rows.integer(4));
  one.recalled = (rows.integer(5) & kRecalled) != 0;
  one.in_transit = (rows.integer(5) & kInTransit) != 0;
  if (!rows.is_null(6)) one.parent = key_of(rows.bytes(6));
  one.place = rows.integer(7);
  one.changed_ms = rows.integer(8);
  one.acted_ms = rows.integer(9);
  one.last_act = act_of(rows.integer(10));
  one.state_before = static_cast<State>(rows.integer(11));
  one.last_place = rows.integer(12);
  one.made_ms = rows.integer(13);
  const auto sealed = rows.bytes(14);
  one.sealed.assign(sealed.begin(), sealed.end());
  return one;
}

std::int64_t flags_of(const ItemRow& one) {
  return (one.recalled ? kRecalled : 0) | (one.in_transit ? kInTransit : 0);
}

Param parent_of(const ItemRow& one) {
  return one.parent ? Param(ByteView(*one.parent)) : Param(std::monostate{});
}

Result<std::vector<ItemRow>> all_rows(Result<std::unique_ptr<store::Rows>> found) {
  if (!found) return fail(std::move(found.error()));
  std::vector<ItemRow> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, (*found)->next());
    if (!is_there) return all;
    all.push_back(row_at(**found));
  }
}

}  // namespace

Result<ItemRows> read_items(Work& work, std::span<const ItemKey> keys) {
  ItemRows read;
  if (keys.empty()) return read;
  std::vector<Param> asked;
  asked.reserve(keys.size());
  for (const auto& key : keys) asked.emplace_back(ByteView(key));
  THERIAC_ASSIGN(auto found, all_rows(work.session.look_up("items", "key", kRead, asked)));
  for (auto& one : found) {
    const auto key = one.key;
    read.emplace(key, std::move(one));
  }
  return read;
}

Result<std::optional<ItemRow>> read_item(Work& work, const ItemKey& key) {
  THERIAC_ASSIGN(
      auto rows,
      work.session.query_all("SELECT key, product, lot, allocation, state, flags, parent, place, "
                             "changed_ms, acted_ms, last_act, state_before, last_place, made_ms, "
                             "sealed "
                             "FROM items WHERE key = $1",
                             ByteView(key)));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return std::nullopt;
  return row_at(*rows);
}

Status insert_items(Work& work, std::span<const ItemRow> rows) {
  if (rows.empty()) return {};
  std::vector<Param> values;
  values.reserve(rows.size() * kInsert.size());
  for (const auto& one : rows) {
    values.insert(values.end(), {ByteView(one.key), one.product, one.lot, one.allocation,
                                 static_cast<std::int64_t>(one.state), flags_of(one),
                                 parent_of(one), one.place, one.changed_ms, one.acted_ms,
                                 stored(one.last_act), static_cast<std::int64_t>(one.state_before),
                                 one.last_place, one.made_ms, ByteView(one.sealed)});
  }
  THERIAC_TRY(work.session.insert("items", kInsert, values, ""));
  return {};
}

Status update_items(Work& work, std::span<const ItemRow> rows) {
  if (rows.empty()) return {};
  std::vector<Param> values;
  values.reserve(rows.size() * (kUpdate.size() + 1));
  for (const auto& one : rows) {
    values.insert(values.end(),
                  {ByteView(one.key), one.lot, static_cast<std::int64_t>(one.state), flags_of(one),
                   parent_of(one), one.place, one.changed_ms, one.acted_ms, stored(one.last_act),
                   static_cast<std::int64_t>(one.state_before), one.last_place, one.made_ms});
  }
  THERIAC_ASSIGN(const auto changed, work.session.update("items", "key", kUpdate, values));
  // Somebody else's transaction took one away: ours is to be run again.
  if (changed != static_cast<std::int64_t>(rows.size())) return fail(Code::kConflict, "items");
  return {};
}

Result<ItemRow> new_item(Work& work, const Identity& identity) {
  ItemRow row;
  row.key = identity.key;
  row.product = identity.product;
  THERIAC_ASSIGN(row.sealed, work.vault.seal(Record::kItem, row_of(identity.key), identity.serial));
  return row;
}

Result<std::vector<ItemRow>> contents_of(Work& work, const ItemKey& container,
                                         const std::optional<ItemKey>& after, std::int64_t limit) {
  const ItemKey first{};
  return all_rows(work.session.query_all(
      "SELECT key, product, lot, allocation, state, flags, parent, place, changed_ms, acted_ms, "
      "last_act, state_before, last_place, made_ms, sealed FROM items "
      "WHERE parent = $1 AND key > $2 ORDER BY key LIMIT $3",
      ByteView(container), ByteView(after ? *after : first), limit));
}

Result<std::int64_t> count_of(Work& work, const ItemKey& container) {
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT count(*) FROM items WHERE parent = $1",
                                                   ByteView(container)));
  THERIAC_ASSIGN(const bool found, rows->next());
  return found ? rows->integer(0) : 0;
}

Result<std::set<ItemKey>> filled_containers(Work& work, std::span<const ItemKey> keys) {
  std::set<ItemKey> filled;
  if (keys.empty()) return filled;
  std::vector<Param> asked;
  asked.reserve(keys.size());
  for (const auto& key : keys) asked.emplace_back(ByteView(key));
  THERIAC_ASSIGN(auto rows, work.session.look_up("items", "parent", {}, asked));
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, rows->next());
    if (!is_there) return filled;
    filled.insert(key_of(rows->bytes(0)));
  }
}

// One level more than there may be: so that a broken table is seen, not walked for ever.
#define THERIAC_INSIDE                                                                          \
  "WITH RECURSIVE within(key, depth) AS (SELECT key, 1 FROM items WHERE parent = $1 UNION ALL " \
  "SELECT i.key, w.depth + 1 FROM items i JOIN within w ON i.parent = w.key WHERE w.depth < 9) "

Result<std::vector<Inside>> inside(Work& work, const ItemKey& container) {
  THERIAC_ASSIGN(
      auto rows,
      work.session.query_all(THERIAC_INSIDE
                             "SELECT i.lot, count(*), max(i.flags & 1), max(w.depth) FROM within w "
                             "JOIN items i ON i.key = w.key GROUP BY i.lot ORDER BY i.lot",
                             ByteView(container)));
  std::vector<Inside> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, rows->next());
    if (!is_there) return all;
    all.push_back({rows->integer(0), rows->integer(1), rows->integer(2) != 0,
                   static_cast<int>(rows->integer(3))});
  }
}

Result<std::vector<ItemRow>> all_inside(Work& work, const ItemKey& container, std::int64_t limit) {
  return all_rows(work.session.query_all(
      THERIAC_INSIDE
      "SELECT i.key, i.product, i.lot, i.allocation, i.state, i.flags, i.parent, i.place, "
      "i.changed_ms, i.acted_ms, i.last_act, i.state_before, i.last_place, "
      "i.made_ms, i.sealed "
      "FROM within w JOIN items i ON i.key = w.key ORDER BY w.depth, i.key LIMIT $2",
      ByteView(container), limit));
}

#undef THERIAC_INSIDE

Result<std::vector<ItemRow>> containers_of(Work& work, const ItemRow& item) {
  std::vector<ItemRow> chain;
  for (auto parent = item.parent; parent;) {
    if (chain.size() > static_cast<std::size_t>(kNestingMax)) {
      return fail(Code::kInternal, "nesting of containers");
    }
    THERIAC_ASSIGN(auto found, read_item(work, *parent));
    if (!found) return fail(Code::kInternal, "a container without a row");
    parent = found->parent;
    chain.push_back(std::move(*found));
  }
  return chain;
}

}  // namespace theriac::trace
