#include "trace/tracker.hpp"

#include <algorithm>
#include <set>

#include "trace/limits.hpp"
#include "trace/lines.hpp"
#include "trace/visits.hpp"

namespace theriac::trace {
namespace {

using Refusable = tl::expected<void, LifeRefusal>;

tl::unexpected<LifeRefusal> refuse(LifeRefusal why) { return tl::unexpected(why); }

bool goes_to_patients(const ActRequest& request) {
  return request.act == Act::kDispense || request.act == Act::kRestock ||
         (request.act == Act::kShip && request.to_market);
}

/// One call of act().
class Acting {
 public:
  Acting(ActsOfOneWork& acts, const ActRequest& request)
      : acts_(acts), work_(acts.work), request_(request), identifier_(acts.identifier) {}

  Result<ActOutcome> run() {
    THERIAC_TRY(check_request());
    if (request_.who.line && request_.when_ms < work_.now_ms - kLineReportMs) {
      return refuse_all(LifeRefusal::kTooLongAgo);
    }
    if (request_.act == Act::kPack || request_.act == Act::kUnpack) {
      THERIAC_ASSIGN(const auto found, find_container());
      if (!found) return refuse_all(found.error());
    }
    THERIAC_TRY(identify_all());
    std::vector<ItemKey> keys;
    for (const auto& [at, one] : named_) keys.push_back(one.key);
    THERIAC_ASSIGN(rows_, read_items(work_, keys));
    THERIAC_ASSIGN(filled_, filled_containers(work_, keys));
    for (const auto& [at, one] : named_) {
      THERIAC_ASSIGN(const auto done, act_on(one));
      if (done) {
        outcome_.done.push_back(one);
      } else {
        outcome_.refused.push_back({at, done.error()});
      }
    }
    std::ranges::sort(outcome_.refused, {}, &RefusedItem::at);
    if (!outcome_.refused.empty() && !request_.proceed) {
      outcome_.done.clear();
      return std::move(outcome_);
    }
    touch_container();
    THERIAC_TRY(insert_items(work_, inserts_));
    THERIAC_TRY(count_used());
    THERIAC_TRY(update_items(work_, updates_));
    THERIAC_TRY(add_visits(work_, visits_));
    outcome_.changed = !inserts_.empty() || !updates_.empty();
    return std::move(outcome_);
  }

 private:
  Status check_request() {
    if (request_.items.size() > kItemsOfOneCallMax) return fail(Code::kTooLarge, "items");
    if (request_.items.empty() && request_.act != Act::kUnpack)
      return fail(Code::kOutOfRange, "items");
    if (request_.place != kNowhere) {
      THERIAC_ASSIGN(const auto here, place(work_, request_.place));
      if (request_.who.partner != 0 && here.partner != request_.who.partner) {
        return fail(Code::kDenied, "the place is not this partner's");
      }
      if (request_.who.line) THERIAC_TRY(check_place(*request_.who.line, request_.place));
      at_partners_ = here.partner != 0;
    }
    if (request_.to != kNowhere) THERIAC_TRY(place(work_, request_.to));
    if (request_.lot != 0) THERIAC_TRY(identifier_.lot(request_.lot));
    at_ = {.act = request_.act,
           .place = request_.place,
           .to = request_.to,
           .when_ms = request_.when_ms,
           .now_ms = work_.now_ms,
           .to_market = request_.to_market};
    return {};
  }

  ActOutcome refuse_all(LifeRefusal why) {
    for (std::size_t i = 0; i < std::max<std::size_t>(request_.items.size(), 1); ++i) {
      outcome_.refused.push_back({i, why});
    }
    return std::move(outcome_);
  }

  Status identify_all() {
    if (request_.items.empty()) return name_contents();
    std::set<ItemKey> seen;
    for (std::size_t i = 0; i < request_.items.size(); ++i) {
      THERIAC_ASSIGN(auto one, identifier_.identify(request_.items[i]));
      if (!one) {
        outcome_.refused.push_back({i, one.error()});
      } else if (!seen.insert(one->key).second) {
        outcome_.refused.push_back({i, LifeRefusal::kTwice});
      } else {
        named_.emplace_back(i, std::move(*one));
      }
    }
    return {};
  }

  /// Unpack without a list: everything in the container.
  Status name_contents() {
    THERIAC_ASSIGN(const auto all, contents_of(work_, container_->key, std::nullopt,
                                               static_cast<std::int64_t>(kItemsOfOneCallMax) + 1));
    if (all.size() > kItemsOfOneCallMax) return fail(Code::kTooLarge, "items");
    for (const auto& row : all) {
      THERIAC_ASSIGN(auto one, identifier_.of_row(row.key, row.product, row.sealed));
      named_.emplace_back(named_.size(), std::move(one));
    }
    return {};
  }

  // --- containers ---

  /// The one to pack into or to unpack from.
  Result<Refusable> find_container() {
    if (request_.container.empty()) return refuse(LifeRefusal::kNoContainer);
    THERIAC_ASSIGN(auto named, identifier_.identify(request_.container));
    if (!named) return refuse(named.error());
    outcome_.container = *named;
    THERIAC_ASSIGN(auto row, read_item(work_, named->key));
    if (!row && (!named->is_logistic_unit() || request_.act == Act::kUnpack)) {
      return refuse(LifeRefusal::kUnknownItem);
    }
    if (!row) {
      // A logistic unit begins with what is packed into it.
      THERIAC_ASSIGN(row, new_item(work_, *named));
      const auto made = decide({}, {.act = Act::kCommission,
                                    .place = at_.place,
                                    .when_ms = at_.when_ms,
                                    .now_ms = at_.now_ms});
      if (!made) return refuse(made.error());
      apply(*row, *made, Act::kCommission);
      inserts_.push_back(*row);
    }
    THERIAC_ASSIGN(container_chain_, containers_of(work_, *row));
    container_ = std::move(*row);
    if (request_.act == Act::kUnpack) {
      auto chain = container_chain_;
      chain.insert(chain.begin(), *container_);
      THERIAC_ASSIGN(inherited_, Inherited::of(work_, chain));
      return Refusable{};
    }
    const auto& one = *container_;
    const bool fit = one.state == State::kCommissioned && one.place == request_.place &&
                     !one.in_transit && one.changed_ms <= request_.when_ms;
    if (!fit) return refuse(LifeRefusal::kContainerUnfit);
    THERIAC_TRY(read_contents());
    return Refusable{};
  }

  /// Its row is written whenever its contents change: of two transactions that fill or move one
  /// container, one then waits or is run again, and no rule over its contents is broken.
  void touch_container() {
    if (!container_ || outcome_.done.empty()) return;
    const auto is_it = [&](const ItemRow& row) { return row.key == container_->key; };
    if (std::ranges::any_of(inserts_, is_it) || std::ranges::any_of(updates_, is_it)) return;
    // Of one that is itself packed it tells when that was (visits.hpp).
    if (!container_->parent) {
      container_->changed_ms = std::max(container_->changed_ms, request_.when_ms);
    }
    updates_.push_back(*container_);
  }

  /// What is in the container before more is packed into it.
  Status read_contents() {
    THERIAC_ASSIGN(contained_, count_of(work_, container_->key));
    if (contained_ == 0) return {};
    THERIAC_ASSIGN(const auto within, inside(work_, container_->key));
    for (const auto& one : within) {
      if (one.lot != 0) contained_lots_.insert(one.lot);
    }
    return {};
  }

  /// Nothing for what is no container: one look told which are.
  Result<std::vector<Inside>> look_into(const ItemRow& row) {
    if (!filled_.contains(row.key)) return std::vector<Inside>();
    return inside(work_, row.key);
  }

  Result<Refusable> may_be_packed(const ItemRow& row) {
    if (row.key == container_->key ||
        std::ranges::any_of(container_chain_,
                            [&](const ItemRow& one) { return one.key == row.key; })) {
      return refuse(LifeRefusal::kCycle);
    }
    if (container_->parent) return refuse(LifeRefusal::kContainerUnfit);
    THERIAC_ASSIGN(const auto within, look_into(row));
    int height = 0;
    auto lots = contained_lots_;
    if (row.lot != 0) lots.insert(row.lot);
    for (const auto& one : within) {
      height = std::max(height, one.depth);
      if (one.lot != 0) lots.insert(one.lot);
    }
    if (height + 1 > kNestingMax) return refuse(LifeRefusal::kTooDeep);
    if (container_->product != 0) {
      THERIAC_ASSIGN(const auto* outer, identifier_.product(container_->product));
      if (outer->inner != row.product) return refuse(LifeRefusal::kNotPackable);
      if (contained_ >= outer->inner_count) return refuse(LifeRefusal::kContainerFull);
      if (!outer->mixed_lots && lots.size() > 1) return refuse(LifeRefusal::kMixedLots);
    }
    contained_lots_ = std::move(lots);
    ++contained_;
    return Refusable{};
  }

  // --- one item ---

  Result<Refusable> act_on(const Identity& one) {
    const auto found = rows_.find(one.key);
    if (found == rows_.end()) return act_on_new(one);
    auto& row = found->second;
    if (row.state == State::kAllocated || row.state == State::kEncoded) {
      THERIAC_ASSIGN(const auto fits, fits_allocation(row.allocation));
      if (!fits) return fits;
    }
    return act_on_row(row);
  }

  Result<Refusable> act_on_row(ItemRow& row) {
    if (request_.act == Act::kUnpack && row.parent != container_->key) {
      return refuse(row.parent ? LifeRefusal::kOtherContainer : LifeRefusal::kNotPacked);
    }
    THERIAC_ASSIGN(auto seen, whereabouts(work_, identifier_, row));
    if (goes_to_patients(request_)) THERIAC_TRY(look_inside(row, seen.view));
    const auto made = decide(seen.view, at_);
    if (!made) return refuse(made.error());
    if (request_.act == Act::kPack) {
      THERIAC_ASSIGN(const auto may, may_be_packed(row));
      if (!may) return may;
    }
    THERIAC_ASSIGN(const auto contents, act_on_contents(row));
    if (!contents) return contents;
    if (request_.act == Act::kUnpack) inherited_.add_to(visits_, row.key, row.changed_ms);
    if (request_.act == Act::kReceive && at_partners_) {
      visits_.push_back({row.key, request_.place, request_.when_ms});
    }
    apply(row, *made, request_.act);
    updates_.push_back(row);
    return Refusable{};
  }

  /// A number that nothing bears yet, or a logistic unit nobody knows.
  Result<Refusable> act_on_new(const Identity& one) {
    const bool is_first = request_.act == Act::kEncode || request_.act == Act::kCommission;
    std::int64_t allocation = 0;
    if (one.is_logistic_unit()) {
      if (!is_first) return refuse(LifeRefusal::kUnknownItem);
    } else {
      auto at = acts_.origins.find(one.product);
      if (at == acts_.origins.end()) {
        at = acts_.origins.emplace(one.product, Origins(work_, one.product)).first;
      }
      THERIAC_ASSIGN(const auto origin, at->second.find(one.serial));
      if (!origin) return refuse(LifeRefusal::kNeverIssued);
      if (origin->returned) return refuse(LifeRefusal::kNumberReturned);
      allocation = origin->allocation.id;
      THERIAC_ASSIGN(const auto fits, fits_allocation(origin->allocation));
      if (!fits) return fits;
    }
    const auto made = decide({}, at_);
    if (!made) return refuse(made.error());
    THERIAC_ASSIGN(auto row, new_item(work_, one));
    row.allocation = allocation;
    if (!one.is_logistic_unit()) row.lot = lot_of_allocation_;
    apply(row, *made, request_.act);
    inserts_.push_back(std::move(row));
    return Refusable{};
  }

  Result<Refusable> fits_allocation(std::int64_t id) {
    auto at = acts_.allocations.find(id);
    if (at == acts_.allocations.end()) {
      THERIAC_ASSIGN(const auto found, allocation(work_, id));
      at = acts_.allocations.emplace(id, found).first;
    }
    return fits_allocation(at->second);
  }

  /// A line uses its own numbers, or at its place nobody's, and its own in good time.
  Result<Refusable> fits_allocation(const Allocation& issued) {
    const auto fits = fits_lot(issued);
    if (!fits || !request_.who.line) return fits;
    auto at = lines_.find(issued.id);
    if (at == lines_.end()) {
      THERIAC_ASSIGN(const auto found, line_of(work_, issued.id));
      at = lines_.emplace(issued.id, found).first;
    }
    if (!at->second) return Refusable{};
    if (*at->second != request_.who.line->name) return refuse(LifeRefusal::kIssuedToOtherLine);
    if (const auto no = wrong_time_of_use(issued, request_.when_ms)) return refuse(*no);
    return Refusable{};
  }

  Status count_used() {
    std::map<std::int64_t, std::int64_t> used;
    for (const auto& row : inserts_) {
      if (row.allocation != 0) ++used[row.allocation];
    }
    for (const auto& [allocation, count] : used) THERIAC_TRY(note_used(work_, allocation, count));
    return {};
  }

  /// A number is used for the lot and at the place that it was issued for.
  Refusable fits_lot(const Allocation& issued) {
    lot_of_allocation_ = issued.lot;
    if (issued.place != request_.place) return refuse(LifeRefusal::kIssuedElsewhere);
    const bool is_first = request_.act == Act::kEncode || request_.act == Act::kCommission;
    if (!is_first) return {};
    if (request_.lot == 0) return refuse(LifeRefusal::kNoLot);
    if (request_.lot != issued.lot) return refuse(LifeRefusal::kIssuedForOtherLot);
    const auto found = identifier_.lot(issued.lot);
    if (!found || (*found)->state == LotState::kBlocked) return refuse(LifeRefusal::kLotBlocked);
    if ((*found)->recall != 0) return refuse(LifeRefusal::kIsRecalled);
    return {};
  }

  /// A container is as its contents are.
  Status look_inside(const ItemRow& row, ItemView& view) {
    THERIAC_ASSIGN(const auto within, look_into(row));
    if (within.empty()) {
      // An empty logistic unit is nobody's lot.
      if (row.product == 0) view.released = true;
      return {};
    }
    if (row.product == 0) view.released = true;
    for (const auto& one : within) {
      view.recalled = view.recalled || one.any_recalled;
      if (one.lot == 0) continue;
      THERIAC_ASSIGN(const auto* of, identifier_.lot(one.lot));
      view.recalled = view.recalled || of->recall != 0;
      view.released = view.released && of->state == LotState::kReleased;
      const auto expires = of->expires_ms();
      if (expires) view.expires_ms = std::min(view.expires_ms.value_or(*expires), *expires);
    }
    return {};
  }

  /// What happens to a container as a whole happens to what is in it.
  Result<Refusable> act_on_contents(const ItemRow& container) {
    const bool changes_state = request_.act != Act::kPack && request_.act != Act::kUnpack &&
                               request_.act != Act::kShip && request_.act != Act::kReceive;
    if (!changes_state || !filled_.contains(container.key)) return Refusable{};
    const auto most = static_cast<std::int64_t>(kItemsOfOneCallMax);
    THERIAC_ASSIGN(auto rows, all_inside(work_, container.key, most + 1));
    if (request_.act != Act::kDestroy && request_.act != Act::kReportStolen) {
      return refuse(LifeRefusal::kNotEmpty);
    }
    if (static_cast<std::int64_t>(rows.size()) > most) return fail(Code::kTooLarge, "items");
    std::vector<ItemRow> changed;
    for (auto& row : rows) {
      THERIAC_ASSIGN(auto seen, whereabouts(work_, identifier_, row));
      seen.view.packed = false;
      const auto made = decide(seen.view, at_);
      if (!made) return refuse(made.error());
      const auto parent = row.parent;
      apply(row, *made, request_.act);
      row.parent = parent;
      changed.push_back(std::move(row));
    }
    std::ranges::move(changed, std::back_inserter(updates_));
    return Refusable{};
  }

  void apply(ItemRow& row, const Change& change, Act by) {
    if (change.state != row.state) {
      row.state_before = row.state;
      row.last_act = by;
      row.acted_ms = request_.when_ms;
      row.last_place = request_.place;
    }
    if (by == Act::kCommission) row.made_ms = request_.when_ms;
    row.state = change.state;
    row.in_transit = change.in_transit;
    row.place = change.place;
    row.changed_ms = request_.when_ms;
    if (!change.packed) {
      row.parent.reset();
    } else if (by == Act::kPack) {
      row.parent = container_->key;
    }
  }

  ActsOfOneWork& acts_;
  Work& work_;
  const ActRequest& request_;
  Identifier& identifier_;
  ActAt at_{};
  ActOutcome outcome_;
  std::vector<std::pair<std::size_t, Identity>> named_;
  ItemRows rows_;
  std::set<ItemKey> filled_;
  std::vector<ItemRow> inserts_, updates_;
  std::map<std::int64_t, std::optional<seal::IndexToken>> lines_;  ///< of allocations
  std::int64_t lot_of_allocation_ = 0;
  std::optional<ItemRow> container_;
  std::vector<ItemRow> container_chain_;
  std::int64_t contained_ = 0;
  std::set<std::int64_t> contained_lots_;
  bool at_partners_ = false;
  Inherited inherited_;
  std::vector<Visit> visits_;
};

}  // namespace

Result<ActOutcome> act(ActsOfOneWork& acts, const ActRequest& request) {
  return Acting(acts, request).run();
}

Result<ActOutcome> act(Work& work, const ActRequest& request) {
  ActsOfOneWork alone(work);
  return act(alone, request);
}

Result<Whereabouts> whereabouts(Work& work, Identifier& identifier, const ItemRow& item) {
  Whereabouts seen;
  seen.item = item;
  THERIAC_ASSIGN(seen.containers, containers_of(work, item));
  const auto& outermost = seen.containers.empty() ? item : seen.containers.back();
  auto& view = seen.view;
  view.state = item.state;
  view.packed = item.parent.has_value();
  view.in_transit = outermost.in_transit;
  view.place = outermost.place;
  view.recalled = item.recalled;
  view.changed_ms = item.changed_ms;
  view.last_act = item.last_act;
  view.acted_ms = item.acted_ms;
  view.state_before = item.state_before;
  view.last_place = item.last_place;
  if (item.lot != 0) {
    THERIAC_ASSIGN(const auto* of, identifier.lot(item.lot));
    view.recalled = view.recalled || of->recall != 0;
    view.released = of->state == LotState::kReleased;
    view.expires_ms = of->expires_ms();
  }
  return seen;
}

}  // namespace theriac::trace
