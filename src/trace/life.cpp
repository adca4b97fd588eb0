#include "trace/life.hpp"

#include <algorithm>

#include "trace/limits.hpp"

namespace theriac::trace {
namespace {

using Decision = tl::expected<Change, LifeRefusal>;

constexpr std::int64_t kDayMs = 24LL * 60 * 60 * 1000;

constexpr std::array<std::string_view, kStates> kStateNames{
    "allocated", "encoded",        "commissioned", "sampled", "dispensed",
    "returned",  "decommissioned", "destroyed",    "stolen"};
constexpr std::array<std::string_view, kActs> kActNames{
    "encode",   "commission", "sample",  "pack",         "unpack",  "ship",          "receive",
    "dispense", "return",     "restock", "decommission", "destroy", "report-stolen", "undo"};

Decision refuse(LifeRefusal refusal) { return tl::unexpected(refusal); }

/// What stands in the way of an act that wants an item that can be used.
LifeRefusal of_state(State state) {
  switch (state) {
    case State::kAllocated:
    case State::kEncoded:
      return LifeRefusal::kNotYetCommissioned;
    case State::kCommissioned:
      return LifeRefusal::kAlreadyCommissioned;
    case State::kSampled:
      return LifeRefusal::kIsSampled;
    case State::kDispensed:
      return LifeRefusal::kIsDispensed;
    case State::kReturned:
      return LifeRefusal::kIsReturned;
    case State::kDecommissioned:
      return LifeRefusal::kIsDecommissioned;
    case State::kDestroyed:
      return LifeRefusal::kIsDestroyed;
    case State::kStolen:
      return LifeRefusal::kIsStolen;
  }
  return LifeRefusal::kIsDestroyed;
}

/// The states in which an act finds an item, and the one it leaves it in; nullopt: as it is.
struct Step {
  std::array<bool, kStates> from{};
  std::optional<State> to;
};

constexpr Step step(std::initializer_list<State> from, std::optional<State> to) {
  Step made;
  for (const auto state : from) made.from[static_cast<std::size_t>(state)] = true;
  made.to = to;
  return made;
}

constexpr Step step_of(Act act) {
  using enum State;
  switch (act) {
    case Act::kEncode:
      return step({kAllocated}, kEncoded);
    case Act::kCommission:
      return step({kAllocated, kEncoded}, kCommissioned);
    case Act::kSample:
      return step({kCommissioned}, kSampled);
    case Act::kPack:
      return step({kCommissioned}, std::nullopt);
    case Act::kUnpack:
      return step({kAllocated, kEncoded, kCommissioned, kSampled, kDispensed, kReturned,
                   kDecommissioned, kStolen},
                  std::nullopt);
    case Act::kShip:
    case Act::kReceive:
      return step({kCommissioned, kReturned, kDecommissioned}, std::nullopt);
    case Act::kDispense:
      return step({kCommissioned}, kDispensed);
    case Act::kReturn:
      return step({kCommissioned, kDispensed}, kReturned);
    case Act::kRestock:
      return step({kReturned}, kCommissioned);
    case Act::kDecommission:
      return step({kAllocated, kEncoded, kCommissioned, kSampled, kReturned}, kDecommissioned);
    case Act::kDestroy:
      return step(
          {kAllocated, kEncoded, kCommissioned, kSampled, kReturned, kDecommissioned, kStolen},
          kDestroyed);
    case Act::kReportStolen:
      return step({kEncoded, kCommissioned, kSampled, kReturned, kDecommissioned}, kStolen);
    case Act::kUndo:
      break;
  }
  return {};
}

/// What can be taken back: Regulation (EU) 2016/161, Article 13; a theft and a destruction cannot.
bool can_be_undone(Act act) {
  return act == Act::kSample || act == Act::kDispense || act == Act::kDecommission;
}

Decision undo(const ItemView& item, const ActAt& at) {
  if (!item.last_act || !can_be_undone(*item.last_act)) return refuse(LifeRefusal::kNothingToUndo);
  if (at.place != item.last_place) return refuse(LifeRefusal::kUndoElsewhere);
  if (at.when_ms - item.acted_ms > kUndoDays * kDayMs) return refuse(LifeRefusal::kUndoTooLate);
  if (item.recalled) return refuse(LifeRefusal::kIsRecalled);
  if (item.expires_ms && at.when_ms > *item.expires_ms) return refuse(LifeRefusal::kIsExpired);
  return Change{item.state_before, item.packed, item.in_transit, item.place};
}

/// The place an act is done at is the item's; what has no place yet gets one.
std::optional<LifeRefusal> wrong_place(const ItemView& item, const ActAt& at) {
  if (at.act == Act::kReceive) {
    if (!item.in_transit) return LifeRefusal::kNotInTransit;
    if (item.place != at.place) return LifeRefusal::kNotForThisPlace;
    return std::nullopt;
  }
  if (item.place == kNowhere) return std::nullopt;
  // Loss on the way is found on the way.
  if (at.act == Act::kReportStolen) return std::nullopt;
  if (item.in_transit) return LifeRefusal::kInTransit;
  if (item.place != at.place) {
    // What went to a customer's customer comes back from there.
    return at.act == Act::kReturn ? std::nullopt : std::optional(LifeRefusal::kOtherPlace);
  }
  return std::nullopt;
}

/// What is not for a patient may not reach one.
std::optional<LifeRefusal> not_for_patients(const ItemView& item, const ActAt& at) {
  const bool to_market =
      at.act == Act::kDispense || at.act == Act::kRestock || (at.act == Act::kShip && at.to_market);
  if (!to_market) return std::nullopt;
  if (item.recalled) return LifeRefusal::kIsRecalled;
  if (item.expires_ms && at.when_ms > *item.expires_ms) return LifeRefusal::kIsExpired;
  if (!item.released) return LifeRefusal::kNotReleased;
  if (at.act == Act::kShip && item.state != State::kCommissioned) return of_state(item.state);
  return std::nullopt;
}

std::optional<LifeRefusal> wrong_time(const ItemView& item, const ActAt& at) {
  if (at.when_ms > at.now_ms + kFutureMs) return LifeRefusal::kInTheFuture;
  if (at.when_ms < item.changed_ms) return LifeRefusal::kBeforeLastAct;
  return std::nullopt;
}

/// An act that finds the item in another state than it wants.
LifeRefusal wrong_state(const ItemView& item, Act act) {
  if (act == Act::kEncode && item.state == State::kEncoded) return LifeRefusal::kAlreadyEncoded;
  const bool goes = item.state == State::kCommissioned || item.state == State::kDispensed;
  if (act == Act::kRestock && goes) return LifeRefusal::kNotReturned;
  return of_state(item.state);
}

}  // namespace

std::string_view name_of(State state) { return kStateNames[static_cast<std::size_t>(state)]; }
std::string_view name_of(Act act) { return kActNames[static_cast<std::size_t>(act)]; }

std::optional<Act> act_named(std::string_view name) {
  const auto at = std::ranges::find(kActNames, name);
  if (at == kActNames.end()) return std::nullopt;
  return static_cast<Act>(at - kActNames.begin());
}

Decision decide(const ItemView& item, const ActAt& at) {
  if (const auto no = wrong_time(item, at)) return refuse(*no);
  if (at.place == kNowhere) return refuse(LifeRefusal::kNoPlace);
  if (at.act == Act::kUndo) return undo(item, at);
  const auto made = step_of(at.act);
  if (!made.from[static_cast<std::size_t>(item.state)]) return refuse(wrong_state(item, at.act));
  if (at.act == Act::kUnpack) {
    if (!item.packed) return refuse(LifeRefusal::kNotPacked);
  } else if (item.packed) {
    return refuse(LifeRefusal::kIsPacked);
  }
  if (const auto no = wrong_place(item, at)) return refuse(*no);
  if (const auto no = not_for_patients(item, at)) return refuse(*no);
  Change change{made.to.value_or(item.state), item.packed, item.in_transit, at.place};
  switch (at.act) {
    case Act::kPack:
      change.packed = true;
      break;
    case Act::kUnpack:
      change.packed = false;
      break;
    case Act::kShip:
      if (at.to == kNowhere || at.to == at.place) return refuse(LifeRefusal::kNoDestination);
      change.in_transit = true;
      change.place = at.to;
      break;
    case Act::kReportStolen:
      // Where it was lost, not where it was to go.
      change.in_transit = false;
      break;
    default:
      change.in_transit = false;
      break;
  }
  return change;
}

std::string_view name_of(LifeRefusal refusal) {
  switch (refusal) {
#define THERIAC_LIFE_REFUSAL(name, english, chinese) \
  case LifeRefusal::k##name:                         \
    return #name;
#include "trace/life_refusals.inc"
#undef THERIAC_LIFE_REFUSAL
  }
  return {};
}

std::string_view explain(LifeRefusal refusal, Language language) {
  const bool is_english = language == Language::kEnglish;
  switch (refusal) {
#define THERIAC_LIFE_REFUSAL(name, english, chinese) \
  case LifeRefusal::k##name:                         \
    return is_english ? english : chinese;
#include "trace/life_refusals.inc"
#undef THERIAC_LIFE_REFUSAL
  }
  return {};
}

}  // namespace theriac::trace
