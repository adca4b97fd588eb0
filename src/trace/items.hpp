// Rows of items, many at a time.
//
// Threading: as the session of the Work.
#pragma once

#include <map>
#include <optional>
#include <set>
#include <span>
#include <vector>

#include "trace/identify.hpp"
#include "trace/life.hpp"

namespace theriac::trace {

struct ItemRow {
  ItemKey key{};
  std::int64_t product = 0, lot = 0, allocation = 0;
  State state = State::kAllocated;
  bool recalled = false, in_transit = false;
  std::optional<ItemKey> parent;
  PlaceKey place = kNowhere;
  std::int64_t changed_ms = 0, acted_ms = 0;
  std::optional<Act> last_act;
  State state_before = State::kAllocated;
  PlaceKey last_place = kNowhere;
  std::int64_t made_ms = 0;  ///< when it was commissioned; 0: not yet
  Bytes sealed;              ///< the serial
};

using ItemRows = std::map<ItemKey, ItemRow>;

/// Those of the keys that have rows.
Result<ItemRows> read_items(Work& work, std::span<const ItemKey> keys);
Result<std::optional<ItemRow>> read_item(Work& work, const ItemKey& key);
/// Code::kConflict if one is there already.
Status insert_items(Work& work, std::span<const ItemRow> rows);
/// All but key, product, allocation and serial.
Status update_items(Work& work, std::span<const ItemRow> rows);
/// Seals the identity's serial.
Result<ItemRow> new_item(Work& work, const Identity& identity);

/// What is in a container, one level down; rows with keys after `after` (none: from the first).
Result<std::vector<ItemRow>> contents_of(Work& work, const ItemKey& container,
                                         const std::optional<ItemKey>& after, std::int64_t limit);
Result<std::int64_t> count_of(Work& work, const ItemKey& container);
/// Those of the keys that are containers with something in them.
Result<std::set<ItemKey>> filled_containers(Work& work, std::span<const ItemKey> keys);

/// What is inside a container at any depth, by lot (0: containers).
struct Inside {
  std::int64_t lot = 0, count = 0;
  bool any_recalled = false;
  int depth = 0;  ///< of the deepest, from 1
};
Result<std::vector<Inside>> inside(Work& work, const ItemKey& container);
/// Their rows, at most `limit`.
Result<std::vector<ItemRow>> all_inside(Work& work, const ItemKey& container, std::int64_t limit);
/// The containers an item is in, from the nearest to the outermost; Code::kInternal beyond
/// kNestingMax.
Result<std::vector<ItemRow>> containers_of(Work& work, const ItemRow& item);

}  // namespace theriac::trace
