#include "trace/pools.hpp"

#include <algorithm>
#include <limits>
#include <utility>

#include "trace/limits.hpp"
#include "trace/pool_rows.hpp"

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
    "WHERE product = $1 AND id > $2 ORDER BY id LIMIT $3";
/// Of a list that is needed as a whole.
constexpr std::int64_t kAll = std::numeric_limits<std::int64_t>::max();

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

Status insert_allocation(Work& work, const Allocation& one) {
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO allocations(id, pool, first, count, lot, place, partner, when_ms, returned) "
      "VALUES($1, $2, $3, $4, $5, $6, $7, $8, 0)",
      one.id, one.pool, one.first, one.count, one.lot, one.place, one.partner, one.when_ms));
  return {};
}

}  // namespace

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

Result<FieldId> new_uid(Work& work, std::int64_t pool) {
  THERIAC_ASSIGN(const auto token,
                 work.vault.index(Domain::kProduct, "pool:" + std::to_string(pool)));
  return FieldId{token};
}

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

namespace {

Result<std::vector<Pool>> some_pools(Work& work, std::int64_t product_id, std::int64_t after,
                                     std::int64_t limit) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(kPoolsOfProduct, product_id, after, limit));
  std::vector<Pool> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, pool_at(work, *rows));
    all.push_back(std::move(one));
  }
}

Result<std::vector<Allocation>> some_allocations(Work& work, std::int64_t lot_id,
                                                 std::int64_t after, std::int64_t limit) {
  return allocations(work.session.query_all(
      "SELECT id, pool, first, count, lot, place, partner, when_ms, returned "
      "FROM allocations WHERE lot = $1 AND id > $2 ORDER BY id LIMIT $3",
      lot_id, after, limit));
}

}  // namespace

Result<std::vector<Pool>> pools_of(Work& work, std::int64_t product_id) {
  return some_pools(work, product_id, 0, kAll);
}
Result<std::vector<Pool>> pools_of(Work& work, std::int64_t product_id, std::int64_t after,
                                   std::int64_t limit) {
  return some_pools(work, product_id, after, std::clamp<std::int64_t>(limit, 1, kPageRowsMax));
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
  return some_allocations(work, lot_id, 0, kAll);
}
Result<std::vector<Allocation>> allocations_of(Work& work, std::int64_t lot_id, std::int64_t after,
                                               std::int64_t limit) {
  return some_allocations(work, lot_id, after, std::clamp<std::int64_t>(limit, 1, kPageRowsMax));
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

}  // namespace theriac::trace
