// Devices in the field.
#include "api/parts.hpp"
#include "codec/time.hpp"
#include "trace/devices.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using trace::Device;
using trace::DeviceRecord;

Json show(const Device& one) {
  Json json{{"id", one.id},
            {"device", one.link()},
            {"product", one.product},
            {"lot", one.lot},
            {"state", trace::name_of(one.state)},
            {"place", one.place},
            {"software", one.software},
            {"changed", codec::rfc3339_utc(one.changed_ms)}};
  if (!one.unit.empty()) json["unit"] = one.unit;
  if (one.due_ms != 0) json["due"] = codec::rfc3339_utc(one.due_ms);
  return json;
}

/// A partner reads what was said of a device by others without the persons: they are its former
/// user's.
Json show(const DeviceRecord& one, bool with_persons) {
  Json json{{"id", one.id},
            {"act", trace::name_of(one.act)},
            {"when", codec::rfc3339_utc(one.when_ms)},
            {"recorded", codec::rfc3339_utc(one.recorded_ms)},
            {"place", one.place},
            {"partner", one.partner},
            {"software", one.software},
            {"before", one.before}};
  if (!with_persons) return json;
  json["person"] = one.person;
  json["reason"] = one.reason;
  json["by"] = one.by;
  json["fields"] = one.fields;
  return json;
}

/// A partner sees what is at its places; of the rest it does not learn that it is there.
Status check_view(const Call& call, const Device& one) {
  if (call.who.partner == 0) return {};
  THERIAC_ASSIGN(const auto at, trace::place(*call.work, one.place));
  if (at.partner != call.who.partner) return fail(Code::kNotFound, "devices");
  return {};
}

Result<std::int64_t> number_in(const Call& call, const char* name) {
  const auto text = call.request.query.find(name);
  if (!text) return 0;
  const auto number = number_of(*text);
  if (!number || *number < 1) return fail(Code::kMalformed, name);
  return *number;
}

Result<trace::DeviceFilter> filter_of(const Call& call) {
  trace::DeviceFilter filter;
  THERIAC_ASSIGN(filter.product, number_in(call, "product"));
  THERIAC_ASSIGN(filter.lot, number_in(call, "lot"));
  THERIAC_ASSIGN(filter.place, number_in(call, "place"));
  filter.partner = call.who.partner;
  if (const auto state = call.request.query.find("state")) {
    filter.state = trace::device_state_named(*state);
    if (!filter.state) return fail(Code::kMalformed, "state");
  }
  if (const auto due = call.request.query.find("due_until")) {
    const auto ms = codec::parse_rfc3339(*due);
    if (!ms || *ms <= 0) return fail(Code::kMalformed, "due_until");
    filter.due_until_ms = *ms;
  }
  return filter;
}

Result<trace::DeviceReport> read_report(Call& call) {
  Body body(call.body);
  trace::DeviceReport report;
  THERIAC_ASSIGN(const auto name, body.text("act"));
  const auto act = trace::device_act_named(name);
  if (!act) return fail(Code::kMalformed, "act");
  report.act = *act;
  THERIAC_ASSIGN(report.device, body.text("device"));
  THERIAC_ASSIGN(report.unit, body.text_or("unit", ""));
  THERIAC_ASSIGN(report.place, body.integer("place"));
  THERIAC_ASSIGN(report.when_ms, body.time_or("when", call.now_ms));
  THERIAC_ASSIGN(report.person, body.text("person"));
  THERIAC_ASSIGN(report.software, body.text_or("software", ""));
  THERIAC_ASSIGN(report.due_ms, body.time_or_none("due"));
  THERIAC_ASSIGN(report.fields, body.texts_by_name("fields"));
  THERIAC_ASSIGN(const auto reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  if (reason.size() > kReasonBytesMax) return fail(Code::kTooLarge, "reason");
  report.who = call.who;
  // Of a record it is sealed with it and not on the audit log: it may say who a patient is.
  report.who.reason = reason;
  return report;
}

}  // namespace

Result<Answer> record_device(Call& call) {
  THERIAC_ASSIGN(const auto report, read_report(call));
  THERIAC_ASSIGN(const auto done, trace::record_device(*call.work, report));
  call.event.object = "devices";
  call.event.details = {{"act", trace::name_of(report.act)}, {"place", report.place}};
  if (!done) return refuse_all(call, show_refused({{0, done.error()}}, call.language));
  call.event.object = "devices " + std::to_string(done->id);
  return say(show(*done));
}

Result<Answer> find_device(Call& call) {
  Body body(call.body);
  THERIAC_ASSIGN(const auto text, body.text("device"));
  THERIAC_ASSIGN(const auto unit, body.text_or("unit", ""));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto found, trace::find_device(*call.work, text, unit));
  if (!found && found.error() == trace::LifeRefusal::kNotAnIdentifier) {
    return fail(Code::kMalformed, "device");
  }
  if (!found && found.error() == trace::LifeRefusal::kNoUnit) return fail(Code::kMalformed, "unit");
  if (!found || !*found) return fail(Code::kNotFound, "devices");
  THERIAC_TRY(check_view(call, **found));
  return say(show(**found));
}

Result<Answer> list_devices(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  THERIAC_ASSIGN(const auto filter, filter_of(call));
  THERIAC_ASSIGN(const auto rows, trace::devices(*call.work, filter, page.after, page.limit));
  return say_page(rows, page.limit, [](const Device& one) { return show(one); });
}

Result<Answer> get_device(Call& call) {
  THERIAC_ASSIGN(const auto one, trace::device(*call.work, call.id()));
  THERIAC_TRY(check_view(call, one));
  return say(show(one));
}

Result<Answer> device_records(Call& call) {
  THERIAC_ASSIGN(const auto page, page_of(call));
  THERIAC_ASSIGN(const auto one, trace::device(*call.work, call.id()));
  THERIAC_TRY(check_view(call, one));
  THERIAC_ASSIGN(const auto rows, trace::records_of(*call.work, one.id, page.after, page.limit));
  call.event.object = "devices " + std::to_string(one.id);
  call.event.details = {{"records", rows.size()}};
  return say_page(rows, page.limit, [&](const DeviceRecord& record) {
    return show(record, call.who.partner == 0 || record.partner == call.who.partner);
  });
}

}  // namespace theriac::api
