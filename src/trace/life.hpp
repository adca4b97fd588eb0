// The life of an item: which act may follow which, and why another may not. Pure: the item as it
// is, the act, the clock in; the item as it will be, or a refusal, out.
//
// Two things are kept apart. The *state* is what an item is (commissioned, dispensed, destroyed…).
// Its *whereabouts* (packed in a container, at a place, on its way) change while it is the same. An
// item that is packed is where its outermost container is; only `unpack` and what concerns the
// whole container touch it.
//
// Sources: CBV 2.0 sections 7.1 and 7.2 for the acts; Regulation (EU) 2016/161, Articles 11, 13, 16
// and 22, for what may be undone and what may not be decommissioned.
//
// Threading: values and free functions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

#include "base/language.hpp"

namespace theriac::trace {

enum class State : std::uint8_t {
  kAllocated = 0,  ///< the number was issued; nothing bears it yet
  kEncoded = 1,    ///< printed, not yet checked
  kCommissioned = 2,
  kSampled = 3,
  kDispensed = 4,  ///< or used on a patient
  kReturned = 5,   ///< waits for a decision
  kDecommissioned = 6,
  kDestroyed = 7,
  kStolen = 8,
};
inline constexpr std::size_t kStates = 9;

enum class Act : std::uint8_t {
  kEncode,
  kCommission,
  kSample,
  kPack,
  kUnpack,
  kShip,
  kReceive,
  kDispense,
  kReturn,
  kRestock,
  kDecommission,
  kDestroy,
  kReportStolen,
  kUndo
};
inline constexpr std::size_t kActs = 14;

/// Lower case, with hyphens: "report-stolen".
std::string_view name_of(State state);
std::string_view name_of(Act act);
std::optional<Act> act_named(std::string_view name);

using PlaceKey = std::int64_t;
inline constexpr PlaceKey kNowhere = 0;

/// An item as it is before an act.
struct ItemView {
  State state = State::kAllocated;
  bool packed = false;        ///< in a container
  bool in_transit = false;    ///< of its outermost container, as is the place
  PlaceKey place = kNowhere;  ///< in transit: where to
  bool recalled = false;      ///< itself or its lot
  bool released = false;  ///< its lot is released for the market; containers: all lots in it are
  std::optional<std::int64_t> expires_ms;  ///< the end of its last day
  std::int64_t changed_ms = 0;             ///< when it was last acted on
  /// The last act that changed the state, and when: what undo would undo.
  std::optional<Act> last_act;
  std::int64_t acted_ms = 0;
  State state_before = State::kAllocated;
  PlaceKey last_place = kNowhere;
};

struct ActAt {
  Act act;
  PlaceKey place = kNowhere;  ///< where it is done; of `ship` too
  PlaceKey to = kNowhere;     ///< ship: where to
  std::int64_t when_ms = 0;
  std::int64_t now_ms = 0;
  bool to_market = true;  ///< ship: false to bring back or to destroy
};

enum class LifeRefusal : std::uint8_t {
#define THERIAC_LIFE_REFUSAL(name, english, chinese) k##name,
#include "trace/life_refusals.inc"
#undef THERIAC_LIFE_REFUSAL
};
std::string_view name_of(LifeRefusal refusal);
std::string_view explain(LifeRefusal refusal, Language language);

/// What an act makes of an item; the container it is in is the caller's affair.
struct Change {
  State state;
  bool packed;
  bool in_transit;
  PlaceKey place;
  friend bool operator==(const Change&, const Change&) = default;
};

tl::expected<Change, LifeRefusal> decide(const ItemView& item, const ActAt& at);

}  // namespace theriac::trace
