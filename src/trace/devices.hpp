// Devices in the field: who has which, what was done to it, and with which software.
//
// A device is known by its UDI: product and serial number, or (for what has none) product, lot and
// the user's own name of the unit. It is placed with a user, installed or implanted, moved,
// serviced, calibrated, given new software, taken out. Each is a record that stays, with the state
// before it; none is changed or deleted. Sources: ISO 13485:2016, 7.5.4 and 7.5.9.2 (records of
// servicing; traceability of implantable devices), 21 CFR 821.25.
//
// A record is sealed whole: the person and the free fields may say who a patient is. In clear are
// states, places, times and which product and lot.
//
// An item that was destroyed, stolen, decommissioned, sampled or never made is not placed; a
// recalled or expired one is neither placed nor installed, and is taken out all the same.
//
// Errors: Code::kMalformed with the member's name, kTooLarge beyond limits.hpp, kNotFound for a
// place or device, kDenied for a place that is not the partner's who records.
// Threading: as the session of the Work.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "trace/tracker.hpp"

namespace theriac::trace {

enum class DeviceState : std::uint8_t { kTakenOut = 0, kPlaced = 1, kInUse = 2 };
enum class DeviceAct : std::uint8_t {
  kPlace,
  kInstall,
  kMove,
  kService,
  kCalibrate,
  kSoftware,
  kTakeOut
};
inline constexpr std::size_t kDeviceStates = 3, kDeviceActs = 7;
/// "in-use", "take-out".
std::string_view name_of(DeviceState state);
std::string_view name_of(DeviceAct act);
std::optional<DeviceState> device_state_named(std::string_view name);
std::optional<DeviceAct> device_act_named(std::string_view name);

struct Device {
  std::int64_t id = 0;
  std::string gtin, serial, lot_number, unit;  ///< serial, or lot number and unit
  std::int64_t product = 0, lot = 0;           ///< lot: 0 where nobody here knows it
  DeviceState state = DeviceState::kTakenOut;
  PlaceKey place = kNowhere;
  std::string software;     ///< version, as it was last said
  std::int64_t due_ms = 0;  ///< next service or calibration; 0: not said
  std::int64_t changed_ms = 0;
  /// The canonical Digital Link, without the unit.
  [[nodiscard]] std::string link() const;
};

struct DeviceReport {
  DeviceAct act{};
  std::string device;  ///< in any form
  std::string unit;    ///< of one without serial number
  PlaceKey place = kNowhere;
  std::int64_t when_ms = 0;
  std::string person;    ///< who did it, as the caller says
  std::string software;  ///< kSoftware: the new version; else what was found, or empty
  std::optional<std::int64_t> due_ms;
  std::map<std::string, std::string> fields;
  Who who;  ///< with the reason
};

/// The state an act leaves a device in, or why it cannot be. Pure; nullopt: nobody knows the device
/// yet.
tl::expected<DeviceState, LifeRefusal> decide(std::optional<DeviceState> state, DeviceAct act);

/// Inside a transaction. The device as it is now.
Result<tl::expected<Device, LifeRefusal>> record_device(Work& work, const DeviceReport& report);

Result<Device> device(Work& work, std::int64_t id);
/// Of any form; nullopt: nobody placed it.
Result<tl::expected<std::optional<Device>, LifeRefusal>> find_device(Work& work,
                                                                     std::string_view text,
                                                                     std::string_view unit);
struct DeviceFilter {
  std::int64_t product = 0, lot = 0, partner = 0;  ///< 0: any
  PlaceKey place = kNowhere;
  std::optional<DeviceState> state = std::nullopt;
  std::optional<std::int64_t> due_until_ms =
      std::nullopt;  ///< due then or before, and not taken out
};
/// In the order of their numbers, after `after`.
Result<std::vector<Device>> devices(Work& work, const DeviceFilter& filter, std::int64_t after,
                                    std::int64_t limit);

struct DeviceRecord {
  std::int64_t id = 0;
  DeviceAct act{};
  std::int64_t when_ms = 0, recorded_ms = 0;
  std::int64_t partner = 0;  ///< who recorded it; 0: our own people
  PlaceKey place = kNowhere;
  std::string person, reason, by;  ///< by: the certificate's name
  std::string software;
  std::map<std::string, std::string> fields;
  codec::Json before;  ///< state, place, software, due; null: it is the first
};
/// Oldest first, after `after`.
Result<std::vector<DeviceRecord>> records_of(Work& work, std::int64_t device, std::int64_t after,
                                             std::int64_t limit);

}  // namespace theriac::trace
