// Numbers that come in lists: those that others made, and those that come back unused.
#include <algorithm>
#include <unordered_set>

#include "trace/items.hpp"
#include "trace/limits.hpp"
#include "trace/pool_rows.hpp"

namespace theriac::trace {

using store::Param;

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
    // Of a list, or taken out of use and back: were the row left, something could yet bear it.
    if (used.contains(keys[i])) {
      THERIAC_TRY(work.session.run_all("DELETE FROM items WHERE key = $1", ByteView(keys[i])));
    }
    if (!numbers) continue;
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

}  // namespace theriac::trace
