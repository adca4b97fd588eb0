// The work list: what waits for a person.
#include "api/parts.hpp"
#include "codec/time.hpp"
#include "trace/capture.hpp"
#include "trace/tracker.hpp"
#include "trace/work_list.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using trace::WorkItem;
using trace::WorkKind;

Json show(const WorkItem& one) {
  auto notes = Json::array();
  for (const auto& note : one.notes) {
    notes.push_back({{"when", codec::rfc3339_utc(note.when_ms)},
                     {"person", note.person},
                     {"what", note.what},
                     {"reason", note.reason}});
  }
  Json json{{"id", one.id},
            {"kind", trace::name_of(one.kind)},
            {"open", one.open},
            {"raised", codec::rfc3339_utc(one.raised_ms)},
            {"times", one.times},
            {"last", codec::rfc3339_utc(one.last_ms)},
            {"assigned", one.assigned},
            {"details", one.details},
            {"notes", std::move(notes)}};
  if (!one.open) json["closed"] = codec::rfc3339_utc(one.closed_ms);
  return json;
}

Result<trace::WorkFilter> filter_of(const Call& call) {
  trace::WorkFilter filter{.kind = {}, .open = true, .raised_until_ms = {}};
  const auto& query = call.request.query;
  if (const auto kind = query.find("kind")) {
    filter.kind = trace::work_kind_named(*kind);
    if (!filter.kind) return fail(Code::kMalformed, "kind");
  }
  if (const auto state = query.find("state")) {
    if (*state != "open" && *state != "closed" && *state != "all") {
      return fail(Code::kMalformed, "state");
    }
    filter.open = *state == "all" ? std::nullopt : std::optional(*state == "open");
  }
  if (const auto until = query.find("raised_until")) {
    const auto ms = codec::parse_rfc3339(*until);
    if (!ms) return fail(Code::kMalformed, "raised_until");
    filter.raised_until_ms = *ms;
  }
  return filter;
}

/// An act of a line again, of the items that were refused.
Result<trace::ActOutcome> act_again(const Call& call, const WorkItem& one) {
  const auto& told = one.details;
  trace::ActRequest asked;
  const auto act = trace::act_named(told.at("act").get<std::string>());
  if (!act) return fail(Code::kInternal, "a work item's act");
  asked.act = *act;
  told.at("place").get_to(asked.place);
  told.at("to").get_to(asked.to);
  told.at("when_ms").get_to(asked.when_ms);
  told.at("to_market").get_to(asked.to_market);
  told.at("container").get_to(asked.container);
  told.at("lot").get_to(asked.lot);
  for (const auto& refused : told.at("refused")) {
    if (refused.contains("item")) asked.items.push_back(refused.at("item").get<std::string>());
  }
  asked.proceed = true;
  asked.who = call.who;
  return trace::act(*call.work, asked);
}

Result<Answer> say_retried(Call& call, std::int64_t id, bool done, Json refused) {
  call.event.object = "work " + std::to_string(id);
  call.event.details = {{"closed", done}, {"refused", refused.size()}};
  return say({{"id", id}, {"closed", done}, {"refused", std::move(refused)}});
}

Result<Answer> retry_event(Call& call, const WorkItem& one) {
  THERIAC_ASSIGN(const auto done, trace::retry_event(*call.work, one, call.who));
  THERIAC_TRY(trace::note_retry(*call.work, one.id, done.work == 0, std::nullopt, call.who));
  return say_retried(call, one.id, done.work == 0, show_refused(done.refused, call.language));
}

Result<Answer> retry_act(Call& call, const WorkItem& one) {
  // Those that were not kept cannot be tried again: the whole is a person's to resolve.
  const bool is_whole = one.details.at("left_out").get<std::int64_t>() == 0;
  THERIAC_ASSIGN(const auto outcome, act_again(call, one));
  auto left = one.details;
  left["refused"] = Json::array();
  for (const auto& refused : outcome.refused) {
    Json still{{"why", trace::name_of(refused.why)}};
    const auto& before = one.details.at("refused").at(refused.at);
    if (before.contains("item")) still["item"] = before.at("item");
    left["refused"].push_back(std::move(still));
  }
  const bool done = outcome.refused.empty() && is_whole;
  THERIAC_TRY(trace::note_retry(*call.work, one.id, done, left, call.who));
  return say_retried(call, one.id, done, show_refused(outcome.refused, call.language));
}

}  // namespace

Result<Answer> list_work(Call& call) {
  THERIAC_TRY(check_ours(call));
  THERIAC_ASSIGN(const auto page, page_of(call));
  THERIAC_ASSIGN(const auto filter, filter_of(call));
  THERIAC_ASSIGN(const auto rows, trace::work_list(*call.work, filter, page.after, page.limit));
  return say_page(rows, page.limit, [](const WorkItem& one) { return show(one); });
}

Result<Answer> get_work(Call& call) {
  THERIAC_TRY(check_ours(call));
  THERIAC_ASSIGN(const auto one, trace::work_item(*call.work, call.id()));
  auto json = show(one);
  if (one.seq != 0) {
    THERIAC_ASSIGN(const auto stored, trace::read_event(*call.work, one.seq));
    json["event"] = stored.event().event_id;
  }
  return say(std::move(json));
}

Result<Answer> assign_work(Call& call) {
  THERIAC_TRY(check_ours(call));
  Body body(call.body);
  THERIAC_ASSIGN(const auto to, body.text("to"));
  THERIAC_ASSIGN(call.who.reason, body.text_or("reason", ""));
  THERIAC_TRY(body.end());
  THERIAC_TRY(trace::assign_work(*call.work, call.id(), to, call.who));
  return say_row(call, "work", call.id());
}

Result<Answer> resolve_work(Call& call) {
  THERIAC_TRY(check_ours(call));
  Body body(call.body);
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_TRY(body.end());
  THERIAC_TRY(trace::close_work(*call.work, call.id(), call.who));
  return say_row(call, "work", call.id());
}

Result<Answer> retry_work(Call& call) {
  THERIAC_TRY(check_ours(call));
  Body body(call.body);
  THERIAC_ASSIGN(call.who.reason, reason_of(body));
  THERIAC_TRY(body.end());
  THERIAC_ASSIGN(const auto one, trace::work_item(*call.work, call.id()));
  if (!one.open) return fail(Code::kConflict, "work");
  switch (one.kind) {
    case WorkKind::kRefusedAct:
    case WorkKind::kUnknownPlace:
      return retry_event(call, one);
    case WorkKind::kLineRefused:
      return retry_act(call, one);
    case WorkKind::kIdTaken:
    case WorkKind::kNotBalanced:
    case WorkKind::kAlarm:
    case WorkKind::kGuessing:
      break;
  }
  return fail(Code::kUnsupported, "this cannot be tried again");
}

}  // namespace theriac::api
