#include "trace/devices.hpp"

#include <algorithm>

#include "gs1/scan.hpp"
#include "trace/limits.hpp"
#include "trace/pools.hpp"

namespace theriac::trace {
namespace {

using codec::Json;

constexpr std::array<std::string_view, kDeviceStates> kStateNames{"taken-out", "placed", "in-use"};
constexpr std::array<std::string_view, kDeviceActs> kActNames{
    "place", "install", "move", "service", "calibrate", "software", "take-out"};

template <typename T>
using Refusable = tl::expected<T, LifeRefusal>;

tl::unexpected<LifeRefusal> refuse(LifeRefusal why) { return tl::unexpected(why); }

/// What a text says a device is, and the key of its row.
struct Named {
  Device device;
  ItemKey key{};
  bool has_serial = false;
};

Result<Refusable<Named>> name_by_lot(Work& work, const gs1::ElementString& elements,
                                     std::string_view unit) {
  const auto *gtin = elements.find("01"), *lot = elements.find("10");
  if (gtin == nullptr || lot == nullptr) return refuse(LifeRefusal::kNotAnIdentifier);
  if (unit.empty()) return refuse(LifeRefusal::kNoUnit);
  THERIAC_ASSIGN(const auto product, find_product(work, *gtin));
  if (!product) return refuse(LifeRefusal::kUnknownProduct);
  THERIAC_ASSIGN(const auto known, find_lot(work, product->id, *lot));
  if (!known) return refuse(LifeRefusal::kNoLot);
  Named named;
  named.device.gtin = *gtin;
  named.device.lot_number = *lot;
  named.device.unit = unit;
  named.device.product = product->id;
  named.device.lot = known->id;
  THERIAC_ASSIGN(named.key,
                 work.vault.index(Domain::kItem, named.device.link() + "\n" + named.device.unit));
  return named;
}

Result<Refusable<Named>> name(Work& work, Identifier& identifier, std::string_view text,
                              std::string_view unit) {
  THERIAC_ASSIGN(const auto item, identifier.identify(text));
  if (item && !item->is_logistic_unit()) {
    Named named{.device = {}, .key = item->key, .has_serial = true};
    named.device.gtin = item->gtin;
    named.device.serial = item->serial;
    named.device.product = item->product;
    return named;
  }
  if (item) return refuse(LifeRefusal::kNotAnIdentifier);
  if (item.error() != LifeRefusal::kNotAnIdentifier) return refuse(item.error());
  if (const auto epc = gs1::parse_epc(text)) {
    return name_by_lot(work, epc->elements, unit);
  }
  const auto scan = gs1::read_scan(text, {.required = false});
  const auto* elements = scan ? std::get_if<gs1::ElementString>(&scan->code) : nullptr;
  if (elements == nullptr) return refuse(LifeRefusal::kNotAnIdentifier);
  return name_by_lot(work, *elements, unit);
}

Result<Device> device_at(Work& work, const store::Rows& rows) {
  Device one;
  one.id = rows.integer(0);
  one.product = rows.integer(1);
  one.lot = rows.integer(2);
  one.state = static_cast<DeviceState>(rows.integer(3));
  one.place = rows.integer(4);
  one.due_ms = rows.integer(5);
  one.changed_ms = rows.integer(6);
  THERIAC_ASSIGN(const auto json, open_json(work.vault, Record::kDevice,
                                            row_of(Record::kDevice, one.id), rows.bytes(7)));
  json.at("gtin").get_to(one.gtin);
  json.at("serial").get_to(one.serial);
  json.at("lotNumber").get_to(one.lot_number);
  json.at("unit").get_to(one.unit);
  json.at("software").get_to(one.software);
  return one;
}

Result<std::optional<Device>> by_key(Work& work, const ItemKey& key) {
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT id, product, lot, state, place, due_ms, "
                                                   "changed_ms, sealed FROM devices WHERE key = $1",
                                                   ByteView(key)));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return std::nullopt;
  THERIAC_ASSIGN(auto one, device_at(work, *rows));
  return one;
}

/// What the item itself, its lot and its expiry say.
std::optional<LifeRefusal> unfit(const ItemView& item, DeviceAct act, std::int64_t when_ms) {
  switch (item.state) {
    case State::kAllocated:
    case State::kEncoded:
      return LifeRefusal::kNotYetCommissioned;
    case State::kSampled:
      return LifeRefusal::kIsSampled;
    case State::kDecommissioned:
      return LifeRefusal::kIsDecommissioned;
    case State::kDestroyed:
      return LifeRefusal::kIsDestroyed;
    case State::kStolen:
      return LifeRefusal::kIsStolen;
    case State::kCommissioned:
    case State::kDispensed:
    case State::kReturned:
      break;
  }
  if (act != DeviceAct::kPlace && act != DeviceAct::kInstall) return std::nullopt;
  if (item.recalled) return LifeRefusal::kIsRecalled;
  if (item.expires_ms && when_ms > *item.expires_ms) return LifeRefusal::kIsExpired;
  return std::nullopt;
}

/// One report.
class Recording {
 public:
  Recording(Work& work, const DeviceReport& report)
      : work_(work), report_(report), identifier_(work) {}

  Result<Refusable<Device>> run() {
    THERIAC_TRY(check());
    THERIAC_ASSIGN(auto named, name(work_, identifier_, report_.device, report_.unit));
    if (!named) return refuse(named.error());
    THERIAC_ASSIGN(const auto before, by_key(work_, named->key));
    device_ = before.value_or(named->device);
    if (before) {
      THERIAC_ASSIGN(const bool may, may_report(*before));
      if (!may) return refuse(LifeRefusal::kUnknownItem);
    }
    if (report_.when_ms > work_.now_ms + kFutureMs) return refuse(LifeRefusal::kInTheFuture);
    if (report_.when_ms < device_.changed_ms) return refuse(LifeRefusal::kBeforeLastAct);
    const auto after = decide(before ? std::optional(before->state) : std::nullopt, report_.act);
    if (!after) return refuse(after.error());
    THERIAC_ASSIGN(const auto no, look_at_item(*named));
    if (no) return refuse(*no);
    if (report_.place == kNowhere) return refuse(LifeRefusal::kNoPlace);
    const bool goes = report_.act == DeviceAct::kPlace || report_.act == DeviceAct::kMove;
    if (!goes && report_.place != device_.place) return refuse(LifeRefusal::kOtherPlace);
    THERIAC_TRY(write(*named, before, *after));
    return device_;
  }

 private:
  Status check() {
    if (report_.person.empty()) return fail(Code::kMalformed, "person");
    if (report_.person.size() > kNameBytesMax) return fail(Code::kTooLarge, "person");
    if (report_.unit.size() > kNameBytesMax) return fail(Code::kTooLarge, "unit");
    if (report_.software.size() > kNameBytesMax) return fail(Code::kTooLarge, "software");
    if (report_.act == DeviceAct::kSoftware && report_.software.empty()) {
      return fail(Code::kMalformed, "software");
    }
    const bool must_say_why = report_.act == DeviceAct::kTakeOut || report_.act == DeviceAct::kMove;
    if (must_say_why && report_.who.reason.empty()) return fail(Code::kMalformed, "reason");
    if (report_.due_ms && *report_.due_ms < 0) return fail(Code::kMalformed, "due");
    if (report_.fields.size() > kDeviceFieldsMax) return fail(Code::kTooLarge, "fields");
    for (const auto& [field, text] : report_.fields) {
      if (field.empty()) return fail(Code::kMalformed, "fields");
      if (field.size() > kNameBytesMax || text.size() > kDeviceFieldBytesMax) {
        return fail(Code::kTooLarge, "fields");
      }
    }
    if (report_.place == kNowhere) return {};
    THERIAC_ASSIGN(const auto here, place(work_, report_.place));
    if (report_.who.partner != 0 && here.partner != report_.who.partner) {
      return fail(Code::kDenied, "the place is not this partner's");
    }
    return {};
  }

  /// A partner says and learns nothing of another's device; one that was taken out is nobody's.
  Result<bool> may_report(const Device& before) {
    if (report_.who.partner == 0 || before.state == DeviceState::kTakenOut) return true;
    THERIAC_ASSIGN(const auto at, place(work_, before.place));
    return at.partner == report_.who.partner;
  }

  /// What was made and sold here; a device that is with its user already may be reported on
  /// whatever became of its item.
  Result<std::optional<LifeRefusal>> look_at_item(const Named& named) {
    const bool enters = report_.act == DeviceAct::kPlace || report_.act == DeviceAct::kInstall;
    if (!enters) return std::nullopt;
    if (!named.has_serial) {
      THERIAC_ASSIGN(const auto* lot, identifier_.lot(named.device.lot));
      ItemView view{.state = State::kCommissioned, .recalled = lot->recall != 0};
      view.expires_ms = lot->expires_ms();
      return unfit(view, report_.act, report_.when_ms);
    }
    THERIAC_ASSIGN(const auto row, read_item(work_, named.key));
    if (!row) return LifeRefusal::kUnknownItem;
    device_.lot = row->lot;
    THERIAC_ASSIGN(const auto seen, whereabouts(work_, identifier_, *row));
    // To a partner items elsewhere are as unknown as those that do not exist.
    const bool is_here = seen.view.place == report_.place || seen.view.last_place == report_.place;
    if (report_.who.partner != 0 && !is_here) return LifeRefusal::kUnknownItem;
    return unfit(seen.view, report_.act, report_.when_ms);
  }

  Status write(const Named& named, const std::optional<Device>& before, DeviceState after) {
    if (!before) {
      THERIAC_ASSIGN(device_.id, next_ids(work_, "devices"));
    }
    device_.state = after;
    device_.place = report_.place;
    if (!report_.software.empty()) device_.software = report_.software;
    if (report_.due_ms) device_.due_ms = *report_.due_ms;
    device_.changed_ms = report_.when_ms;
    THERIAC_ASSIGN(const auto sealed,
                   seal_json(work_.vault, Record::kDevice, row_of(Record::kDevice, device_.id),
                             {{"gtin", device_.gtin},
                              {"serial", device_.serial},
                              {"lotNumber", device_.lot_number},
                              {"unit", device_.unit},
                              {"software", device_.software}}));
    if (before) {
      THERIAC_TRY(work_.session.run_all(
          "UPDATE devices SET lot = $2, state = $3, place = $4, due_ms = $5, changed_ms = $6, "
          "sealed = $7 WHERE id = $1",
          device_.id, device_.lot, static_cast<std::int64_t>(device_.state), device_.place,
          device_.due_ms, device_.changed_ms, ByteView(sealed)));
    } else {
      THERIAC_TRY(work_.session.run_all(
          "INSERT INTO devices(id, key, product, lot, state, place, due_ms, changed_ms, sealed) "
          "VALUES($1, $2, $3, $4, $5, $6, $7, $8, $9)",
          device_.id, ByteView(named.key), device_.product, device_.lot,
          static_cast<std::int64_t>(device_.state), device_.place, device_.due_ms,
          device_.changed_ms, ByteView(sealed)));
    }
    return write_record(before);
  }

  Status write_record(const std::optional<Device>& before) {
    THERIAC_ASSIGN(const auto id, next_ids(work_, "device_records"));
    Json was;
    if (before) {
      was = {{"state", name_of(before->state)},
             {"place", before->place},
             {"software", before->software},
             {"due", before->due_ms}};
    }
    const Json record{{"place", report_.place},       {"person", report_.person},
                      {"reason", report_.who.reason}, {"by", report_.who.person},
                      {"software", report_.software}, {"fields", report_.fields},
                      {"before", std::move(was)}};
    THERIAC_ASSIGN(const auto sealed, seal_json(work_.vault, Record::kDeviceRecord,
                                                row_of(Record::kDeviceRecord, id), record));
    THERIAC_TRY(work_.session.run_all(
        "INSERT INTO device_records(id, device, act, when_ms, made_ms, partner, sealed) "
        "VALUES($1, $2, $3, $4, $5, $6, $7)",
        id, device_.id, static_cast<std::int64_t>(report_.act), report_.when_ms, work_.now_ms,
        report_.who.partner, ByteView(sealed)));
    return {};
  }

  Work& work_;
  const DeviceReport& report_;
  Identifier identifier_;
  Device device_;
};

template <typename T>
std::optional<T> named_in(std::span<const std::string_view> names, std::string_view name) {
  const auto at = std::ranges::find(names, name);
  if (at == names.end()) return std::nullopt;
  return static_cast<T>(at - names.begin());
}

}  // namespace

std::string_view name_of(DeviceState state) { return kStateNames[static_cast<std::size_t>(state)]; }
std::string_view name_of(DeviceAct act) { return kActNames[static_cast<std::size_t>(act)]; }
std::optional<DeviceState> device_state_named(std::string_view name) {
  return named_in<DeviceState>(kStateNames, name);
}
std::optional<DeviceAct> device_act_named(std::string_view name) {
  return named_in<DeviceAct>(kActNames, name);
}

std::string Device::link() const {
  gs1::Epc epc;
  epc.key = serial.empty() ? gs1::Key::kLgtin : gs1::Key::kSgtin;
  epc.elements = serial.empty() ? gs1::ElementString({{"01", gtin}, {"10", lot_number}})
                                : gs1::ElementString({{"01", gtin}, {"21", serial}});
  return gs1::epc_link(epc);
}

tl::expected<DeviceState, LifeRefusal> decide(std::optional<DeviceState> state, DeviceAct act) {
  const bool is_out = !state || *state == DeviceState::kTakenOut;
  switch (act) {
    case DeviceAct::kPlace:
      if (!is_out) return refuse(LifeRefusal::kAlreadyPlaced);
      return DeviceState::kPlaced;
    case DeviceAct::kInstall:
      if (is_out) return refuse(LifeRefusal::kNotPlaced);
      if (*state == DeviceState::kInUse) return refuse(LifeRefusal::kAlreadyInstalled);
      return DeviceState::kInUse;
    case DeviceAct::kTakeOut:
      if (is_out) return refuse(LifeRefusal::kNotPlaced);
      return DeviceState::kTakenOut;
    case DeviceAct::kMove:
    case DeviceAct::kService:
    case DeviceAct::kCalibrate:
    case DeviceAct::kSoftware:
      if (is_out) return refuse(LifeRefusal::kNotPlaced);
      return *state;
  }
  return refuse(LifeRefusal::kNotPlaced);
}

Result<tl::expected<Device, LifeRefusal>> record_device(Work& work, const DeviceReport& report) {
  return Recording(work, report).run();
}

Result<Device> device(Work& work, std::int64_t id) {
  THERIAC_ASSIGN(auto rows, work.session.query_all("SELECT id, product, lot, state, place, due_ms, "
                                                   "changed_ms, sealed FROM devices WHERE id = $1",
                                                   id));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "devices");
  return device_at(work, *rows);
}

Result<tl::expected<std::optional<Device>, LifeRefusal>> find_device(Work& work,
                                                                     std::string_view text,
                                                                     std::string_view unit) {
  Identifier identifier(work);
  THERIAC_ASSIGN(const auto named, name(work, identifier, text, unit));
  if (!named) return refuse(named.error());
  THERIAC_ASSIGN(auto found, by_key(work, named->key));
  return found;
}

Result<std::vector<Device>> devices(Work& work, const DeviceFilter& filter, std::int64_t after,
                                    std::int64_t limit) {
  // -1 and 0: whatever it is.
  const auto state = filter.state ? static_cast<std::int64_t>(*filter.state) : -1;
  THERIAC_ASSIGN(
      auto rows,
      work.session.query_all(
          "SELECT id, product, lot, state, place, due_ms, changed_ms, sealed FROM devices "
          "WHERE id > $1 AND ($2 = 0 OR product = $2) AND ($3 = 0 OR lot = $3) AND "
          "($4 = 0 OR place = $4) AND ($5 = 0 OR place IN (SELECT p.id FROM places p WHERE "
          "p.partner = $5)) AND ($6 = -1 OR state = $6) AND "
          "($7 = 0 OR (due_ms > 0 AND due_ms <= $7 AND state <> 0)) ORDER BY id LIMIT $8",
          after, filter.product, filter.lot, filter.place, filter.partner, state,
          filter.due_until_ms.value_or(0), std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
  std::vector<Device> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    THERIAC_ASSIGN(auto one, device_at(work, *rows));
    all.push_back(std::move(one));
  }
}

Result<std::vector<DeviceRecord>> records_of(Work& work, std::int64_t device, std::int64_t after,
                                             std::int64_t limit) {
  THERIAC_ASSIGN(auto rows, work.session.query_all(
                                "SELECT id, act, when_ms, made_ms, partner, sealed FROM "
                                "device_records WHERE device = $1 AND id > $2 ORDER BY id LIMIT $3",
                                device, after, std::clamp<std::int64_t>(limit, 1, kPageRowsMax)));
  std::vector<DeviceRecord> all;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) return all;
    DeviceRecord one;
    one.id = rows->integer(0);
    one.act = static_cast<DeviceAct>(rows->integer(1));
    one.when_ms = rows->integer(2);
    one.recorded_ms = rows->integer(3);
    one.partner = rows->integer(4);
    THERIAC_ASSIGN(const auto json,
                   open_json(work.vault, Record::kDeviceRecord,
                             row_of(Record::kDeviceRecord, one.id), rows->bytes(5)));
    json.at("place").get_to(one.place);
    json.at("person").get_to(one.person);
    json.at("reason").get_to(one.reason);
    json.at("by").get_to(one.by);
    json.at("software").get_to(one.software);
    json.at("fields").get_to(one.fields);
    one.before = json.at("before");
    all.push_back(std::move(one));
  }
}

}  // namespace theriac::trace
