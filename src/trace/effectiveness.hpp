// How a recall goes: where its items and devices are, and which partners know.
//
// Threading: as the session of the Work.
#pragma once

#include "trace/devices.hpp"
#include "trace/recall.hpp"

namespace theriac::trace {

/// What has become of a recalled item. Each is in exactly one.
enum class Recalled : std::uint8_t {
  kInStock,    ///< at a place, and nothing yet done about it
  kShipped,    ///< on its way
  kDispensed,  ///< with patients: to be told
  kReturned,
  kSetAside,  ///< sampled or decommissioned
  kDestroyed,
  kNotFound,  ///< stolen or lost
};
inline constexpr std::size_t kRecalledStates = 7;
std::string_view name_of(Recalled what);
Recalled recalled_as(State state, bool in_transit);

struct Effectiveness {
  struct Line {
    State state{};
    PlaceKey place = kNowhere;  ///< of the outermost container
    std::int64_t partner = 0;   ///< whose place it is; 0: ours
    bool in_transit = false;
    std::int64_t count = 0;
  };
  struct Devices {
    DeviceState state{};
    PlaceKey place = kNowhere;
    std::int64_t count = 0;
  };
  std::vector<Line> lines;
  std::vector<Devices> devices;
  /// Who has, had or is to get some of it, told or not, and who was told.
  std::vector<RecallNotice> partners;
  std::array<std::int64_t, kRecalledStates> counts{};
  std::int64_t items = 0;
  std::int64_t recovered = 0;    ///< back at a place of ours, returned, set aside or destroyed
  std::int64_t outstanding = 0;  ///< neither recovered nor dispensed
  [[nodiscard]] std::int64_t operator[](Recalled what) const {
    return counts[static_cast<std::size_t>(what)];
  }
};
Result<Effectiveness> effectiveness(Work& work, std::int64_t recall);

}  // namespace theriac::trace
