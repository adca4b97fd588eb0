#include "trace/pools.hpp"

#include <algorithm>
#include <unordered_set>

#include "trace/items.hpp"
#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using codec::Json;
using store::Param;

enum PoolState : std::int64_t { kOpen = 1, kClosed = 0 };

Json json_of(const NumberRule& rule) {
  return {{"length", rule.length},
          {"alphabet", rule.alphabet},
          {"prefix", rule.prefix},
          {"market", rule.market}};
}

Result<Pool> pool_at(Work& work, const store::Rows& rows) {
  Pool one;
  one.id = rows.integer(0);
  THERIAC_ASSIGN(one.uid, FieldId::from(rows.bytes(1)));
  one.product = rows.integer(2);
  one.open = rows.integer(3) == kOpen;
  one.drawn = rows.integer(4) != 0;
  THERIAC_ASSIGN(one.number_key, KeyId::from(rows.bytes(5)));
  one.issued = rows.integer(7);
  if (!one.drawn) return one;
  THERIAC_ASSIGN(const auto json, open_json(work.vault, Record::kPool,
                                            row_of(Record::kPool, one.id), rows.bytes(8)));
  json.at("length").get_to(one.rule.length);
  json.at("alphabet").get_to(one.rule.alphabet);
  json.at("prefix").get_to(one.rule.prefix);
  json.at("market").get_to(one.rule.market);
  one.rule.capacity = static_cast<std::uint64_t>(rows.integer(6));
  return one;
}

constexpr std::string_view kPoolById =
    "SELECT id, uid, product, state, drawn, number_key, capacity, next, sealed FROM pools "
    "WHERE id = $1";
constexpr std::string_view kPoolsOfProduct =
    "SELECT id, uid, product, state, drawn, number_key, capacity, next, sealed FROM pools "
    "WHERE product = $1 ORDER BY id";

Allocation allocation_at(const store::Rows& rows) {
  return {rows.integer(0), rows.integer(1), rows.integer(2), rows.integer(3), rows.integer(4),
          rows.integer(5), rows.integer(6), rows.integer(7), rows.integer(8)};
}

Result<std::vector<Allocation>> allocations(Result<std::unique_ptr<store::Rows>> found) {
  if (!found) return fail(std::move(found.error()));
  std::vector<Allocation> all;
  for (;;) {
    THERIAC_ASSIGN(const bool is_there, (*found)->next());
    if (!is_there) return all;
    all.push_back(allocation_at(**found));
  }
}

/// A text may be of both forms.
bool meet(const NumberRule& a, const NumberRule& b) {
  return a.length == b.length && (a.prefix.starts_with(b.prefix) || b.prefix.starts_with(a.prefix));
}

Status insert_pool(Work& work, const Pool& one, const Who& who) {
  const auto row = row_of(Record::kPool, one.id);
  THERIAC_ASSIGN(const auto sealed, seal_json(work.vault, Record::kPool, row, json_of(one.rule)));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO pools(id, uid, product, state, drawn, number_key, capacity, next, sealed) "
      "VALUES($1, $2, $3, $4, $5, $6, $7, 0, $8)",
      one.id, one.uid.view(), one.product, std::int64_t{kOpen}, std::int64_t{one.drawn ? 1 : 0},
      one.number_key.view(), static_cast<std::int64_t>(one.rule.capacity), ByteView(sealed)));
  return note_change(work, Record::kPool, one.id, who, nullptr);
}

/// A pool's identity, from which its order is derived: of what cannot come twice.
Result<FieldId> new_uid(Work& work, std::int64_t pool) {
  THERIAC_ASSIGN(const auto token,
                 work.vault.index(Domain::kProduct, "pool:" + std::to_string(pool)));
  return FieldId{token};
}

Status insert_allocation(Work& work, const Allocation& one) {
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO allocations(id, pool, first, count, lot, place, partner, when_ms, returned) "
      "VALUES($1, $2, $3, $4, $5, $6, $7, $8, 0)",
      one.id, one.pool, one.first, one.count, one.lot, one.place, one.partner, one.when_ms));
  return {};
}

/// `count` numbers of the pool from its next on, for a lot and a place that fit.
Result<Allocation> take(Work& work, const Pool& from, std::int64_t count, std::int64_t lot_id,
                        std::int64_t place_id) {
  THERIAC_ASSIGN(const auto of, lot(work, lot_id));
  if (of.product != from.product) return fail(Code::kConflict, "the lot is of another product");
  if (of.state == LotState::kBlocked || of.recall != 0) return fail(Code::kConflict, "the lot");
  THERIAC_ASSIGN(const auto at, place(work, place_id));
  Allocation made{.pool = from.id,
                  .first = from.issued,
                  .count = count,
                  .lot = lot_id,
                  .place = place_id,
                  .partner = at.partner,
                  .when_ms = work.now_ms};
  THERIAC_ASSIGN(made.id, next_ids(work, "allocations"));
  THERIAC_TRY(
      work.session.run_all("UPDATE pools SET next = next + $2 WHERE id = $1", from.id, count));
  THERIAC_TRY(insert_allocation(work, made));
  return made;
}

}  // namespace

Result<std::int64_t> make_pool(Work& work, std::int64_t product_id, const NumberRule& rule,
                               const Who& who) {
  THERIAC_ASSIGN(const auto of, product(work, product_id));
  if (!of.active) return fail(Code::kConflict, "the product is not active");
  auto checked = rule;
  if (checked.market.empty()) checked.market = of.market;
  THERIAC_TRY(check(checked));
  THERIAC_ASSIGN(const auto others, pools_of(work, product_id));
  for (const auto& other : others) {
    if (other.drawn && meet(other.rule, checked)) {
      return fail(Code::kConflict, "another pool of the product has numbers of this form");
    }
  }
  Pool made{.product = product_id, .rule = checked};
  THERIAC_ASSIGN(made.id, next_ids(work, "pools"));
  THERIAC_ASSIGN(made.uid, new_uid(work, made.id));
  THERIAC_ASSIGN(made.number_key, work.vault.number_key());
  THERIAC_TRY(work.vault.numbers(checked, made.number_key, made.uid));
  THERIAC_TRY(insert_pool(work, made, who));
  return made.id;
}

Status close_pool(Work& work, std::int64_t id, const Who& who) {
  THERIAC_ASSIGN(const auto before, pool(work, id));
  if (!before.open) return {};
  THERIAC_TRY(
      work.session.run_all("UPDATE pools SET state = $2 WHERE id = $1", id, std::int64_t{kClosed}));
  return note_change(work, Record::kPool, id, who, {{"open", true}});
}

Result<Pool> pool(Work& work, std::int64_t id) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(kPoolById, id));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "pools");
  return pool_at(work, *rows);
}

Result<std::vector<Pool>> pools_of(Work& work, std::int64_t product_id) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(kPoolsOfProduct, product_id));
  std::vector<Pool> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, pool_at(work, *rows));
    all.push_back(std::move(one));
  }
}

Result<Allocation> allocate(Work& work, std::int64_t pool_id, std::int64_t count,
                            std::int64_t lot_id, std::int64_t place_id, const Who& who) {
  static_cast<void>(who);
  if (count < 1) return fail(Code::kOutOfRange, "count");
  if (count > static_cast<std::int64_t>(kItemsOfOneCallMax)) return fail(Code::kTooLarge, "count");
  THERIAC_ASSIGN(const auto from, pool(work, pool_id));
  if (!from.open || !from.drawn) return fail(Code::kConflict, "the pool is closed");
  if (static_cast<std::uint64_t>(from.issued + count) > from.rule.capacity) {
    return fail(Code::kKeyExhausted, "the pool's numbers");
  }
  return take(work, from, count, lot_id, place_id);
}

Result<Allocation> allocation(Work& work, std::int64_t id) {
  THERIAC_ASSIGN(const auto found,
                 allocations(work.session.query_all(
                     "SELECT id, pool, first, count, lot, place, partner, when_ms, returned "
                     "FROM allocations WHERE id = $1",
                     id)));
  if (found.empty()) return fail(Code::kNotFound, "allocations");
  return found.front();
}

Result<std::vector<Allocation>> allocations_of(Work& work, std::int64_t lot_id) {
  return allocations(work.session.query_all(
      "SELECT id, pool, first, count, lot, place, partner, when_ms, returned "
      "FROM allocations WHERE lot = $1 ORDER BY id",
      lot_id));
}

Result<std::vector<std::string>> numbers_of(Work& work, const Allocation& one) {
  THERIAC_ASSIGN(const auto from, pool(work, one.pool));
  if (!from.drawn) return fail(Code::kUnsupported, "numbers of a list");
  THERIAC_ASSIGN(auto numbers, work.vault.numbers(from.rule, from.number_key, from.uid));
  std::vector<std::string> drawn;
  THERIAC_TRY(numbers.draw(static_cast<std::uint64_t>(one.first),
                           static_cast<std::size_t>(one.count), drawn));
  // Counting order would tell in which order packs were made.
  std::ranges::sort(drawn);
  return drawn;
}

Status Origins::load() {
  if (std::exchange(loaded_, true)) return {};
  THERIAC_ASSIGN(const auto pools, pools_of(*work_, product_));
  for (const auto& one : pools) {
    if (!one.drawn) continue;
    THERIAC_ASSIGN(auto numbers, work_->vault.numbers(one.rule, one.number_key, one.uid));
    pools_.push_back({one.id, std::move(numbers), {}});
  }
  return {};
}

Result<std::optional<Allocation>> Origins::allocation_of(OfPool& pool, std::int64_t number) {
  auto& known = pool.allocations;
  const auto holds = [&](const Allocation& one) { return number < one.first + one.count; };
  const auto behind = known.upper_bound(number);
  if (behind != known.begin() && holds(std::prev(behind)->second)) return std::prev(behind)->second;
  THERIAC_ASSIGN(const auto found,
                 allocations(work_->session.query_all(
                     "SELECT id, pool, first, count, lot, place, partner, when_ms, returned "
                     "FROM allocations WHERE pool = $1 AND first <= $2 ORDER BY first DESC LIMIT 1",
                     pool.id, number)));
  if (found.empty() || !holds(found.front())) return std::nullopt;
  known.emplace(found.front().first, found.front());
  return found.front();
}

Result<std::optional<Origin>> Origins::find(std::string_view serial) {
  THERIAC_TRY(load());
  for (auto& pool : pools_) {
    const auto counter = pool.numbers.counter_of(serial);
    if (!counter) continue;
    const auto number = static_cast<std::int64_t>(*counter);
    THERIAC_ASSIGN(const auto of, allocation_of(pool, number));
    if (!of) return std::nullopt;
    bool returned = false;
    if (of->returned > 0) {
      THERIAC_ASSIGN(auto rows, work_->session.query_all(
                                    "SELECT 1 FROM returned WHERE pool = $1 AND number = $2",
                                    pool.id, number));
      THERIAC_ASSIGN(returned, rows->next());
    }
    return Origin{*of, returned};
  }
  return std::nullopt;
}

namespace {

/// What a list holds beside what is refused of it.
struct Sorted {
  Listed listed;
  std::vector<ItemRow> rows;
};

/// Of numbers of the right form and known to nobody yet: their rows.
Result<Sorted> sort_list(Work& work, const Product& of, std::span<const std::string> serials) {
  THERIAC_ASSIGN(const auto pools, pools_of(work, of.id));
  std::vector<Numbers> own;
  for (const auto& one : pools) {
    if (!one.drawn) continue;
    THERIAC_ASSIGN(auto numbers, work.vault.numbers(one.rule, one.number_key, one.uid));
    own.push_back(std::move(numbers));
  }
  Sorted sorted;
  std::vector<std::pair<std::size_t, Identity>> good;
  std::vector<ItemKey> keys;
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < serials.size(); ++i) {
    const auto& serial = serials[i];
    const auto is_ours = [&](Numbers& one) { return one.counter_of(serial).has_value(); };
    if (!gs1::check({{"21", serial}}, {.required = false})) {
      sorted.listed.refused.push_back({i, Code::kMalformed});
    } else if (!seen.insert(serial).second) {
      sorted.listed.refused.push_back({i, Code::kAlreadyExists});
    } else if (std::ranges::any_of(own, is_ours)) {
      sorted.listed.refused.push_back({i, Code::kConflict});
    } else {
      Identity one{{}, of.id, of.gtin, serial};
      THERIAC_ASSIGN(one.key, work.vault.index(Domain::kItem, one.link()));
      keys.push_back(one.key);
      good.emplace_back(i, std::move(one));
    }
  }
  THERIAC_ASSIGN(const auto known, read_items(work, keys));
  for (const auto& [at, one] : good) {
    if (known.contains(one.key)) {
      sorted.listed.refused.push_back({at, Code::kAlreadyExists});
      continue;
    }
    THERIAC_ASSIGN(auto row, new_item(work, one));
    sorted.rows.push_back(std::move(row));
  }
  std::ranges::sort(sorted.listed.refused, {}, &ListedRefusal::at);
  return sorted;
}

}  // namespace

Result<Listed> bring_list(Work& work, std::int64_t product_id, std::span<const std::string> serials,
                          std::int64_t lot_id, std::int64_t place_id, bool proceed,
                          const Who& who) {
  if (serials.empty()) return fail(Code::kOutOfRange, "count");
  if (serials.size() > kItemsOfOneCallMax) return fail(Code::kTooLarge, "count");
  THERIAC_ASSIGN(const auto of, product(work, product_id));
  THERIAC_ASSIGN(auto sorted, sort_list(work, of, serials));
  auto& listed = sorted.listed;
  if (sorted.rows.empty() || (!listed.refused.empty() && !proceed)) return listed;
  listed.taken = static_cast<std::int64_t>(sorted.rows.size());
  Pool made{.product = product_id, .drawn = false};
  THERIAC_ASSIGN(made.id, next_ids(work, "pools"));
  THERIAC_ASSIGN(made.uid, new_uid(work, made.id));
  THERIAC_TRY(insert_pool(work, made, who));
  THERIAC_ASSIGN(const auto taken, take(work, made, listed.taken, lot_id, place_id));
  listed.pool = made.id;
  listed.allocation = taken.id;
  for (auto& row : sorted.rows) {
    row.lot = lot_id;
    row.allocation = taken.id;
    row.changed_ms = work.now_ms;
  }
  THERIAC_TRY(insert_items(work, sorted.rows));
  return listed;
}

namespace {

/// A number of this allocation that nobody used or returned; else why not.
Result<std::optional<ListedRefusal>> cannot_return(Origins& origins, const Allocation& of,
                                                   const ItemRows& used, const ItemKey& key,
                                                   std::string_view serial, std::size_t at) {
  if (const auto row = used.find(key); row != used.end()) {
    if (row->second.allocation != of.id) return ListedRefusal{at, Code::kNotFound};
    if (row->second.state != State::kAllocated) return ListedRefusal{at, Code::kConflict};
    return std::nullopt;
  }
  THERIAC_ASSIGN(const auto origin, origins.find(serial));
  if (!origin || origin->allocation.id != of.id) return ListedRefusal{at, Code::kNotFound};
  if (origin->returned) return ListedRefusal{at, Code::kConflict};
  return std::nullopt;
}

}  // namespace

Result<std::vector<ListedRefusal>> return_unused(Work& work, std::int64_t allocation_id,
                                                 std::span<const std::string> serials,
                                                 const Who& who) {
  if (serials.size() > kItemsOfOneCallMax) return fail(Code::kTooLarge, "count");
  THERIAC_ASSIGN(const auto of, allocation(work, allocation_id));
  THERIAC_ASSIGN(const auto from, pool(work, of.pool));
  THERIAC_ASSIGN(const auto made, product(work, from.product));
  std::vector<ItemKey> keys;
  for (const auto& serial : serials) {
    THERIAC_ASSIGN(
        const auto key,
        work.vault.index(Domain::kItem, Identity{{}, made.id, made.gtin, serial}.link()));
    keys.push_back(key);
  }
  THERIAC_ASSIGN(const auto used, read_items(work, keys));
  Origins origins(work, made.id);
  std::vector<ListedRefusal> refused;
  std::unordered_set<std::string_view> seen;
  for (std::size_t i = 0; i < serials.size(); ++i) {
    if (!seen.insert(serials[i]).second) {
      refused.push_back({i, Code::kAlreadyExists});
      continue;
    }
    THERIAC_ASSIGN(const auto no, cannot_return(origins, of, used, keys[i], serials[i], i));
    if (no) refused.push_back(*no);
  }
  if (!refused.empty()) return refused;

  std::vector<Param> values;
  std::optional<Numbers> numbers;
  if (from.drawn) {
    THERIAC_ASSIGN(auto order, work.vault.numbers(from.rule, from.number_key, from.uid));
    numbers.emplace(std::move(order));
  }
  for (std::size_t i = 0; i < serials.size(); ++i) {
    if (!numbers) {
      THERIAC_TRY(work.session.run_all("DELETE FROM items WHERE key = $1", ByteView(keys[i])));
      continue;
    }
    const auto counter = numbers->counter_of(serials[i]);
    if (!counter) return fail(Code::kInternal, "returned");
    values.insert(values.end(), {of.pool, static_cast<std::int64_t>(*counter)});
  }
  constexpr std::array<std::string_view, 2> kColumns{"pool", "number"};
  if (!values.empty()) THERIAC_TRY(work.session.insert("returned", kColumns, values, ""));
  THERIAC_TRY(work.session.run_all("UPDATE allocations SET returned = returned + $2 WHERE id = $1",
                                   of.id, static_cast<std::int64_t>(serials.size())));
  THERIAC_TRY(note_change(work, Record::kPool, of.pool, who,
                          {{"allocation", of.id}, {"returned", serials.size()}}));
  return refused;
}

Result<Reconciliation> reconcile(Work& work, std::int64_t lot_id) {
  Reconciliation sum;
  THERIAC_ASSIGN(const auto all, allocations_of(work, lot_id));
  for (const auto& one : all) {
    sum.issued += one.count;
    sum.returned += one.returned;
  }
  THERIAC_ASSIGN(auto rows, work.session.query_all(
                                "SELECT state, state_before, count(*) FROM items "
                                "WHERE lot = $1 AND allocation > 0 GROUP BY state, state_before",
                                lot_id));
  std::int64_t used = 0;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) break;
    const auto state = static_cast<State>(rows->integer(0));
    const auto before = static_cast<State>(rows->integer(1));
    const auto count = rows->integer(2);
    // Printed or listed, and not used yet.
    if (state == State::kAllocated || state == State::kEncoded) continue;
    used += count;
    const bool never_commissioned = before == State::kAllocated || before == State::kEncoded;
    if (state == State::kSampled) {
      sum.sampled += count;
    } else if (state != State::kCommissioned && never_commissioned) {
      sum.rejected += count;
    } else if (state == State::kDestroyed) {
      sum.destroyed += count;
    } else {
      sum.commissioned += count;
    }
  }
  sum.unused = sum.issued - sum.returned - used;
  return sum;
}

}  // namespace theriac::trace
