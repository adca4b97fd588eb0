// Acts on many items at once: each is checked, and all are done, or (without `proceed`) none.
//
// Threading: as the session of the Work.
#pragma once

#include <string>
#include <vector>

#include "trace/items.hpp"
#include "trace/life.hpp"
#include "trace/pools.hpp"

namespace theriac::trace {

struct ActRequest {
  Act act = Act::kCommission;
  PlaceKey place = kNowhere, to = kNowhere;
  std::int64_t when_ms = 0;
  bool to_market = true;           ///< ship: false to bring back or to destroy
  bool proceed = false;            ///< what is refused is left out, the rest is done
  std::vector<std::string> items;  ///< identifiers in any form; unpack: empty is all
  std::string container;           ///< pack, unpack
  std::int64_t lot = 0;            ///< encode, commission
  Who who;
};

struct RefusedItem {
  std::size_t at = 0;  ///< place in `items`, from 0
  LifeRefusal why{};
  friend bool operator==(const RefusedItem&, const RefusedItem&) = default;
};

struct ActOutcome {
  bool changed = false;  ///< something was written
  std::vector<RefusedItem> refused;
  std::vector<Identity> done;         ///< in the order of the request
  std::optional<Identity> container;  ///< pack, unpack
};

/// What the acts of one transaction have read that none of them changes.
struct ActsOfOneWork {
  explicit ActsOfOneWork(Work& of) : work(of), identifier(of) {}
  Work& work;
  Identifier identifier;
  std::map<std::int64_t, Origins> origins;  ///< by product
  std::map<std::int64_t, Allocation> allocations;
};

/// Inside a transaction. Code::kTooLarge beyond kItemsOfOneCallMax, kOutOfRange for none, kNotFound
/// for a place or lot that does not exist, kDenied for a place that is not the partner's who asks.
Result<ActOutcome> act(Work& work, const ActRequest& request);
/// One of several acts.
Result<ActOutcome> act(ActsOfOneWork& acts, const ActRequest& request);

/// What verification and queries see: the item, with the place of its outermost container.
struct Whereabouts {
  ItemRow item;
  std::vector<ItemRow> containers;  ///< from the nearest to the outermost
  ItemView view;
};
Result<Whereabouts> whereabouts(Work& work, Identifier& identifier, const ItemRow& item);

}  // namespace theriac::trace
