// EPCIS 2.0 section 12.7: queries under a name, and their subscriptions by webhook.
#include "api/epcis_standing.hpp"

#include "api/epcis_address.hpp"
#include "api/epcis_page.hpp"
#include "api/epcis_query.hpp"
#include "api/epcis_reply.hpp"
#include "api/limits.hpp"
#include "codec/time.hpp"
#include "trace/limits.hpp"

namespace theriac::api {
namespace {

using codec::Json;

constexpr std::int64_t kNever = std::numeric_limits<std::int64_t>::max();

Result<trace::NamedQuery> query_of(Call& call) {
  return trace::named_query(*call.work, {call.who.partner}, call.request.path_part("value"));
}

Json show(const trace::NamedQuery& query) { return {{"name", query.name}, {"query", query.query}}; }

/// Without the token: who reads it here is not who wrote it.
Json show(const trace::Subscription& one, const std::string& query_name) {
  Json shown{{"subscriptionID", one.uid},
             {"queryName", query_name},
             {"dest", one.details.at("dest")},
             {"createdAt", codec::rfc3339_utc(one.made_ms)},
             {"reportIfEmpty", one.details.at("reportIfEmpty")},
             {"initialRecordTime", one.details.at("initialRecordTime")}};
  if (one.scheduled) {
    shown["schedule"] = one.details.at("schedule");
  } else {
    shown["stream"] = true;
  }
  if (one.notified_ms != 0) shown["lastNotifiedAt"] = codec::rfc3339_utc(one.notified_ms);
  return shown;
}

bool is_name(std::string_view name) {
  return !name.empty() && name.size() <= trace::kQueryNameBytesMax &&
         std::ranges::all_of(name, [](char c) { return static_cast<unsigned char>(c) >= ' '; });
}

bool is_json_body(const Call& call) {
  return is_json(media_type(call.request.field("Content-Type").value_or("application/json")));
}

/// What a subscription cannot have: an end or an order of its own.
bool may_stand(const epcis::Query& query) {
  return !query.ordered() && !query.event_count_limit() && !query.max_event_count() &&
         !query.per_page() && query.next_page_token().empty();
}

Result<Json> read_details(Call& call) {
  Body body(call.body);
  Json details;
  THERIAC_ASSIGN(const auto dest, body.text("dest"));
  THERIAC_ASSIGN(const auto destination, parse_destination(dest));
  THERIAC_ASSIGN(const auto token, body.text_or("signatureToken", ""));
  if (token.size() > kSignatureTokenBytesMax) return fail(Code::kTooLarge, "signatureToken");
  THERIAC_ASSIGN(const bool empty, body.flag_or("reportIfEmpty", false));
  THERIAC_ASSIGN(const bool stream, body.flag_or("stream", false));
  THERIAC_ASSIGN(const auto since, body.time_or("initialRecordTime", call.now_ms));
  const bool scheduled = call.body.contains("schedule");
  if (scheduled) {
    THERIAC_ASSIGN(details["schedule"], body.member("schedule"));
    THERIAC_TRY(read_schedule(details["schedule"]));
  }
  THERIAC_TRY(body.end());
  if (scheduled == stream) return fail(Code::kMalformed, "schedule or stream, one of them");
  details["dest"] = dest;
  details["signatureToken"] = token;
  details["reportIfEmpty"] = empty;
  details["initialRecordTime"] = codec::rfc3339_utc(since);
  call.event.details["to"] = destination.server.text();
  details["owner"] = call.caller.identity.name;
  details["partner"] = call.who.partner;
  details["epcFormat"] = call.request.field("GS1-EPC-Format").value_or("");
  return details;
}

}  // namespace

std::optional<epcis::Schedule> schedule_of(const Json& details) {
  if (!details.contains("schedule")) return std::nullopt;
  auto schedule = read_schedule(details.at("schedule"));
  if (!schedule) return std::nullopt;
  return *schedule;
}

Result<epcis::Schedule> read_schedule(const Json& fields) {
  if (!fields.is_object() || fields.empty()) return fail(Code::kMalformed, "schedule");
  epcis::Schedule schedule;
  for (const auto& [name, value] : fields.items()) {
    const auto field = epcis::Schedule::field_of(name);
    if (!field || !value.is_string() || !schedule.set(*field, value.get<std::string>())) {
      return fail(Code::kMalformed, "schedule");
    }
  }
  return schedule;
}

std::int64_t next_due(const std::optional<epcis::Schedule>& schedule, std::int64_t now_ms) {
  if (!schedule) return now_ms;
  return schedule->next(now_ms).value_or(kNever);
}

Result<Answer> list_queries(Call& call) {
  const auto limit = per_page(call.request);
  if (!limit) return refuse(call, kBadQuery, "perPage");
  THERIAC_ASSIGN(const auto place, page_place(call));
  if (!place) return refuse(call, kBadQuery, "nextPageToken");
  THERIAC_ASSIGN(auto rows,
                 trace::named_queries(*call.work, {call.who.partner}, place->after, *limit + 1));
  const bool more = static_cast<std::int64_t>(rows.size()) > *limit;
  if (more) rows.pop_back();
  auto list = Json::array();
  for (const auto& one : rows) list.push_back(show(one));
  auto said = say_json(call, list);
  if (more && said.status == 200) {
    THERIAC_TRY(add_next_page(call, *said.file, {.after = rows.back().id}));
  }
  return said;
}

Result<Answer> add_query(Call& call) {
  if (!is_json_body(call)) return refuse(call, kBadType, "application/json");
  Body body(call.body);
  trace::NamedQuery query{.partner = call.who.partner};
  THERIAC_ASSIGN(query.name, body.text("name"));
  if (!is_name(query.name)) return fail(Code::kMalformed, "name");
  THERIAC_ASSIGN(query.query, body.member("query"));
  THERIAC_TRY(body.end());
  query.extensions = Json::object();
  const auto extensions = extensions_of(call.request);
  for (const auto& one : extensions) query.extensions[one.prefix] = one.uri;
  const auto parsed = epcis::Query::parse_json(codec::canonical_json(query.query), extensions);
  if (!parsed) return refuse(call, parsed.error());
  THERIAC_ASSIGN(const auto id, trace::add_query(*call.work, query));
  call.event.object = "queries " + std::to_string(id);
  return created(201, "/epcis/queries/" + http::percent_encode(query.name));
}

Result<Answer> get_query(Call& call) {
  THERIAC_ASSIGN(const auto query, query_of(call));
  return say_json(call, show(query));
}

Result<Answer> remove_query(Call& call) {
  THERIAC_ASSIGN(const auto query, query_of(call));
  THERIAC_TRY(trace::remove_query(*call.work, query.id));
  call.event.object = "queries " + std::to_string(query.id);
  return Answer{.status = 204, .body = nullptr, .file = http::Response::empty()};
}

Result<Answer> events_of_query(Call& call) {
  THERIAC_ASSIGN(const auto query, query_of(call));
  if (call.request.field("Upgrade")) return refuse(call, kNotServed, "WebSocket");
  for (const auto& [name, value] : call.request.query.pairs()) {
    if (name != "perPage" && name != "nextPageToken") return refuse(call, kBadSubscription, name);
  }
  THERIAC_ASSIGN(const auto parsed, trace::parsed(query));
  return answer_query(call, parsed, query.name);
}

Result<Answer> list_subscriptions(Call& call) {
  THERIAC_ASSIGN(const auto query, query_of(call));
  const auto limit = per_page(call.request);
  if (!limit) return refuse(call, kBadQuery, "perPage");
  THERIAC_ASSIGN(const auto place, page_place(call));
  if (!place) return refuse(call, kBadQuery, "nextPageToken");
  THERIAC_ASSIGN(auto rows, trace::subscriptions(*call.work, query.id, place->after, *limit + 1));
  const bool more = static_cast<std::int64_t>(rows.size()) > *limit;
  if (more) rows.pop_back();
  auto list = Json::array();
  for (const auto& one : rows) list.push_back(show(one, query.name));
  auto said = say_json(call, list);
  if (more && said.status == 200) {
    THERIAC_TRY(add_next_page(call, *said.file, {.after = rows.back().id}));
  }
  return said;
}

Result<Answer> add_subscription(Call& call) {
  if (!is_json_body(call)) return refuse(call, kBadType, "application/json");
  THERIAC_ASSIGN(const auto query, query_of(call));
  THERIAC_ASSIGN(const auto parsed, trace::parsed(query));
  if (!may_stand(parsed)) return refuse(call, kBadSubscription, "the query has an order or an end");
  auto details = read_details(call);
  if (!details) {
    if (info_of(details.error().code).http != 400) return fail(details.error());
    return refuse(call, kBadSubscription, details.error().where);
  }
  if (!write_options(*call.work, details->at("epcFormat").get<std::string>(), "")) {
    return refuse(call, kNotAcceptable, "GS1-EPC-Format");
  }
  trace::Subscription made;
  made.query = query.id;
  made.scheduled = details->contains("schedule");
  made.due_ms = next_due(schedule_of(*details), call.now_ms);
  made.batch = kDeliveryEvents;
  if (call.body.contains("initialRecordTime")) {
    THERIAC_ASSIGN(const auto since,
                   codec::parse_rfc3339(details->at("initialRecordTime").get<std::string>()));
    THERIAC_ASSIGN(made.after_seq, trace::last_event_before(*call.work, since));
  } else {
    THERIAC_ASSIGN(made.after_seq, trace::last_event(*call.work));
  }
  made.details = std::move(*details);
  THERIAC_ASSIGN(const auto added,
                 trace::add_subscription(*call.work, std::move(made), *call.random));
  call.event.object = "subscriptions " + std::to_string(added.id);
  call.event.details["query"] = query.id;
  auto answer = say_json(call, show(added, query.name));
  answer.status = answer.file->status = 201;
  answer.file->fields.push_back({"Location", "/epcis/queries/" + http::percent_encode(query.name) +
                                                 "/subscriptions/" + added.uid});
  return answer;
}

Result<Answer> get_subscription(Call& call) {
  THERIAC_ASSIGN(const auto query, query_of(call));
  THERIAC_ASSIGN(const auto found,
                 trace::subscription(*call.work, query.id, call.request.path_part("uid")));
  return say_json(call, show(found, query.name));
}

Result<Answer> remove_subscription(Call& call) {
  THERIAC_ASSIGN(const auto query, query_of(call));
  THERIAC_ASSIGN(const auto found,
                 trace::subscription(*call.work, query.id, call.request.path_part("uid")));
  THERIAC_TRY(trace::remove_subscription(*call.work, found.id));
  call.event.object = "subscriptions " + std::to_string(found.id);
  return Answer{.status = 204, .body = nullptr, .file = http::Response::empty()};
}

}  // namespace theriac::api
