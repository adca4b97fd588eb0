// EPCIS 2.0 section 12: documents in, events out. Captured is within the request: its job is done
// when it is answered.
#include <charconv>

#include "api/limits.hpp"
#include "api/parts.hpp"
#include "codec/time.hpp"
#include "epcis/capture_job.hpp"
#include "epcis/event_hash.hpp"
#include "epcis/read.hpp"
#include "epcis/write.hpp"
#include "gs1/epc.hpp"
#include "trace/capture.hpp"
#include "trace/limits.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using epcis::ProblemDetails;
using trace::EventFormat;

struct Refused {
  int status;
  std::string_view exception;
};
constexpr Refused kBadDocument{400, "ValidationException"};
constexpr Refused kBadQuery{400, "QueryParameterException"};
constexpr Refused kTooMany{413, "CaptureLimitExceededException"};
constexpr Refused kBadType{415, "UnsupportedMediaTypeException"};
constexpr Refused kNotAcceptable{406, "NotAcceptableException"};
constexpr Refused kTooLargeResult{413, "QueryTooLargeException"};

ProblemDetails details_of(const Refused& why, std::string detail) {
  ProblemDetails problem;
  problem.type = "epcisException:" + std::string(why.exception);
  problem.title = why.exception;
  problem.status = why.status;
  problem.detail = std::move(detail);
  return problem;
}

Answer refuse(const Refused& why, std::string detail) {
  const auto text = epcis::write_json(details_of(why, std::move(detail)));
  return {.status = why.status,
          .body = nullptr,
          .file = http::Response::with(why.status, "application/problem+json", text)};
}

std::string_view type_of(std::string_view field) {
  field = field.substr(0, field.find(';'));
  return epcis::trimmed(field);
}
bool is_json(std::string_view type) {
  return type == "application/json" || type == "application/ld+json";
}
bool is_xml(std::string_view type) { return type == "application/xml" || type == "text/xml"; }

/// The first type of Accept that there is; none: 406.
std::optional<EventFormat> wanted_format(const http::Request& request) {
  auto accept = request.field("Accept").value_or("");
  if (epcis::trimmed(accept).empty()) return EventFormat::kJson;
  while (!accept.empty()) {
    const auto end = std::min(accept.find(','), accept.size());
    const auto type = type_of(accept.substr(0, end));
    accept.remove_prefix(std::min(end + 1, accept.size()));
    if (is_json(type) || type == "*/*" || type == "application/*") return EventFormat::kJson;
    if (is_xml(type)) return EventFormat::kXml;
  }
  return std::nullopt;
}

Answer say_text(EventFormat format, const std::string& text) {
  const auto* type = format == EventFormat::kXml ? "application/xml" : "application/json";
  return {.status = 200, .body = nullptr, .file = http::Response::with(200, type, text)};
}

// ---- in

/// What was sent, or why it is not read.
struct Given {
  EventFormat format{};
  epcis::Reading reading;
  std::vector<ProblemDetails> errors;  ///< of events that are refused
  std::optional<Answer> refused;
};

std::vector<ProblemDetails> errors_of(const epcis::Reading& reading, Language language) {
  std::vector<ProblemDetails> all;
  for (const auto& one : reading.events) {
    if (one.event) continue;
    for (const auto& problem : one.problems) {
      if (epcis::kind_of(problem.code) == epcis::Kind::kNotice) continue;
      if (all.size() == kCaptureErrorsMax) return all;
      auto details =
          details_of(kBadDocument, "event " + std::to_string(one.index) + " " + problem.path +
                                       ": " + std::string(epcis::words_of(problem.code, language)));
      details.title = epcis::name_of(problem.code);
      all.push_back(std::move(details));
    }
  }
  return all;
}

/// Valid ones and those that are refused.
std::size_t events_in(const epcis::Reading& reading) {
  const auto refused = std::ranges::count_if(
      reading.events, [](const epcis::EventReading& one) { return !one.event.has_value(); });
  return reading.document.events.size() + static_cast<std::size_t>(refused);
}

Result<Given> read_given(const Call& call) {
  Given given;
  const auto type = type_of(call.request.field("Content-Type").value_or(""));
  if (!is_json(type) && !is_xml(type)) {
    given.refused = refuse(kBadType, "application/json, application/ld+json, application/xml");
    return given;
  }
  given.format = is_xml(type) ? EventFormat::kXml : EventFormat::kJson;
  // GS1 conformance requirement TCR-53, step 29.
  const epcis::ReadOptions options{epcis::problem_codes({epcis::ProblemCode::kSensorFieldTwice})};
  const auto text = text_of(call.request.body);
  if (is_xml(type)) {
    THERIAC_ASSIGN(given.reading, epcis::read_xml(text, options));
  } else {
    THERIAC_ASSIGN(given.reading, epcis::read_json(text, options));
  }
  if (given.reading.refused) {
    std::string why;
    for (const auto& one : given.reading.problems) {
      why += std::string(epcis::name_of(one.code)) + " " + one.path + "; ";
    }
    given.refused = refuse(kBadDocument, std::move(why));
  } else if (events_in(given.reading) > kCaptureEventsMax) {
    given.refused = refuse(kTooMany, "events");
  }
  given.errors = errors_of(given.reading, call.language);
  return given;
}

Answer created(int status, std::string location) {
  Answer answer{.status = status, .body = nullptr, .file = http::Response::empty(status)};
  answer.file->fields.push_back({"Location", std::move(location)});
  return answer;
}

Result<std::int64_t> keep_job(const Call& call, epcis::CaptureJob& job) {
  auto& work = *call.work;
  THERIAC_ASSIGN(const auto id, trace::next_ids(work, "captures"));
  job.id = std::to_string(id);
  job.created_at = epcis::Time{codec::rfc3339_utc(call.now_ms), call.now_ms};
  job.finished_at = job.created_at;
  THERIAC_ASSIGN(const auto json, codec::parse_json(epcis::write_json(job), kListBodyBytesMax));
  THERIAC_ASSIGN(const auto sealed,
                 trace::seal_json(work.vault, trace::Record::kReply,
                                  trace::row_of(trace::Record::kReply, id), json));
  THERIAC_TRY(work.session.run_all(
      "INSERT INTO captures(id, partner, made_ms, sealed) VALUES($1, $2, $3, $4)", id,
      call.who.partner, call.now_ms, ByteView(sealed)));
  return id;
}

/// Counts: of what is in the events nothing.
void note(Call& call, const Given& given, const std::vector<trace::CapturedEvent>& captured) {
  std::int64_t stored = 0, repeated = 0, acts = 0, work = 0;
  for (const auto& one : captured) {
    stored += one.kept.what == trace::Kept::kStored ? 1 : 0;
    repeated += one.kept.what == trace::Kept::kRepeated ? 1 : 0;
    acts += one.act && one.work == 0 ? 1 : 0;
    work += one.work != 0 ? 1 : 0;
  }
  call.event.details = {{"events", given.reading.document.events.size()},
                        {"stored", stored},
                        {"repeated", repeated},
                        {"acts", acts},
                        {"work", work},
                        {"errors", given.errors.size()}};
  if (call.who.partner != 0) call.event.details["partner"] = call.who.partner;
}

// ---- out

/// Digits of the company prefix of our own products and places.
int prefix_of(trace::Work& work, std::string_view link) {
  const auto epc = gs1::parse_epc(link);
  if (!epc) return 0;
  if (const auto* gtin = epc->elements.find("01")) {
    const auto found = trace::find_product(work, *gtin);
    return found && *found ? (*found)->prefix_length : 0;
  }
  if (const auto* gln = epc->elements.find("414")) {
    const auto* extension = epc->elements.find("254");
    const auto found = trace::find_place(work, *gln, extension == nullptr ? "" : *extension);
    return found && *found ? (*found)->prefix_length : 0;
  }
  return 0;
}

std::optional<epcis::WriteOptions> write_options(Call& call) {
  epcis::WriteOptions options{.checked = true};
  const auto epcs = call.request.field("GS1-EPC-Format").value_or("No_Preference");
  const auto words = call.request.field("GS1-CBV-XML-Format").value_or("No_Preference");
  const auto as_is = [](std::string_view text) {
    return text == "No_Preference" || text == "Never_Translates";
  };
  if (epcs == "Always_GS1_Digital_Link") {
    options.epcs = epcis::EpcFormat::kDigitalLink;
  } else if (epcs == "Always_EPC_URN") {
    options.epcs = epcis::EpcFormat::kUrn;
    options.prefix_length = [&call](std::string_view link) { return prefix_of(*call.work, link); };
  } else if (!as_is(epcs)) {
    return std::nullopt;
  }
  if (words == "Always_Web_URI") {
    options.words = epcis::CbvFormat::kWebUri;
  } else if (words == "Always_URN") {
    options.words = epcis::CbvFormat::kUrn;
  } else if (!as_is(words)) {
    return std::nullopt;
  }
  return options;
}

/// One document of events that came in many; of prefixes that say different things the first stays.
void add(epcis::Document& all, trace::StoredEvent& one) {
  for (auto& context : one.document.contexts) {
    if (std::ranges::find(all.contexts, context) == all.contexts.end()) {
      all.contexts.push_back(std::move(context));
    }
  }
  for (auto& declared : one.document.namespaces) {
    if (std::ranges::find(all.namespaces, declared.prefix, &epcis::Namespace::prefix) ==
        all.namespaces.end()) {
      all.namespaces.push_back(std::move(declared));
    }
  }
  auto& event = one.document.events.front();
  if (!event.record_time) {
    event.record_time = epcis::Time{codec::rfc3339_utc(one.record_ms), one.record_ms};
  }
  all.events.push_back(std::move(event));
}

Result<Answer> say_events(Call& call, std::vector<trace::StoredEvent>& events) {
  const auto format = wanted_format(call.request);
  if (!format) return refuse(kNotAcceptable, "application/json, application/xml");
  const auto options = write_options(call);
  if (!options) return refuse(kNotAcceptable, "GS1-EPC-Format, GS1-CBV-XML-Format");
  epcis::Document document;
  document.kind = epcis::DocumentKind::kQueryResult;
  document.query_name = "SimpleEventQuery";
  document.creation_date = epcis::Time{codec::rfc3339_utc(call.now_ms), call.now_ms};
  for (auto& one : events) add(document, one);
  auto text = *format == EventFormat::kXml ? epcis::write_xml(document, *options)
                                           : epcis::write_json(document, *options);
  if (!text && text.error().code == Code::kUnsupported) {
    return refuse(kNotAcceptable, "an event says what this format cannot");
  }
  if (!text) return fail(std::move(text.error()));
  return say_text(*format, *text);
}

/// "ext=https://example.com/,…": prefixes of names in the query.
std::vector<epcis::Namespace> extensions_of(const http::Request& request) {
  std::vector<epcis::Namespace> all;
  auto rest = request.field("GS1-Extensions").value_or("");
  while (!rest.empty()) {
    const auto end = std::min(rest.find(','), rest.size());
    const auto one = epcis::trimmed(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (const auto at = one.find('='); at != std::string_view::npos) {
      all.push_back({std::string(one.substr(0, at)), std::string(one.substr(at + 1))});
    }
  }
  return all;
}

std::string link_of(const http::Request& request, std::int64_t next) {
  std::string link = "<";
  link += request.target.substr(0, request.target.find('?'));
  link += '?';
  for (const auto& [name, value] : request.query.pairs()) {
    if (name == "nextPageToken") continue;
    link += http::percent_encode(name) + "=" + http::percent_encode(value) + "&";
  }
  return link + "nextPageToken=" + std::to_string(next) + ">; rel=\"next\"";
}

std::optional<std::int64_t> token_of(std::string_view text) {
  std::int64_t value = 0;
  if (text.empty()) return value;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

/// Events by the query of the address, and by one more condition.
Result<Answer> answer_query(Call& call, std::string_view name, std::string_view value) {
  std::vector<epcis::Parameter> parameters;
  if (!name.empty()) parameters.push_back({std::string(name), {std::string(value)}});
  for (const auto& [key, text] : call.request.query.pairs()) {
    parameters.push_back({key, epcis::split_values(text)});
  }
  const auto query = epcis::Query::parse(parameters, extensions_of(call.request));
  if (!query) return refuse(kBadQuery, query.error().parameter);
  const auto after = token_of(query->next_page_token());
  if (!after) return refuse(kBadQuery, "nextPageToken");
  constexpr auto kMost = static_cast<std::uint64_t>(trace::kPageRowsMax);
  auto limit = std::min(query->per_page().value_or(kEventsOfOnePage), kMost);
  if (query->event_count_limit()) limit = std::min(*query->event_count_limit(), kMost);
  if (query->max_event_count()) limit = std::min(*query->max_event_count(), kMost);
  if (limit == 0) return refuse(kBadQuery, "perPage");
  THERIAC_ASSIGN(auto page, trace::find_events(*call.work, *query, {}, {call.who.partner}, *after,
                                               static_cast<std::int64_t>(limit)));
  if (query->max_event_count() && page.next) return refuse(kTooLargeResult, "maxEventCount");
  THERIAC_ASSIGN(auto said, say_events(call, page.events));
  if (page.next && !query->event_count_limit() && said.file && said.status == 200) {
    said.file->fields.push_back({"Link", link_of(call.request, *page.next)});
  }
  return said;
}

Result<Answer> by_path(Call& call, std::string_view parameter) {
  return answer_query(call, parameter, call.request.path_part("value"));
}

Result<epcis::CaptureJob> job_at(Call& call, const store::Rows& rows) {
  THERIAC_ASSIGN(
      const auto json,
      trace::open_json(call.work->vault, trace::Record::kReply,
                       trace::row_of(trace::Record::kReply, rows.integer(0)), rows.bytes(1)));
  epcis::CaptureJob job;
  job.id = std::to_string(rows.integer(0));
  job.created_at = job.finished_at = epcis::time_of(json.at("createdAt").get<std::string>());
  job.success = json.at("success").get<bool>();
  if (json.value("captureErrorBehaviour", "rollback") == "proceed") {
    job.error_behaviour = epcis::CaptureJob::ErrorBehaviour::kProceed;
  }
  if (!json.contains("errors")) return job;
  for (const auto& one : json.at("errors")) {
    ProblemDetails problem;
    problem.type = one.value("type", "");
    problem.title = one.value("title", "");
    if (one.contains("status")) problem.status = one.at("status").get<int>();
    problem.detail = one.value("detail", "");
    job.errors.push_back(std::move(problem));
  }
  return job;
}

}  // namespace

Result<Answer> capture_events(Call& call) {
  THERIAC_ASSIGN(auto given, read_given(call));
  if (given.refused) return std::move(*given.refused);
  const auto behaviour = call.request.field("GS1-Capture-Error-Behaviour").value_or("rollback");
  if (behaviour != "rollback" && behaviour != "proceed") {
    return refuse(kBadDocument, "GS1-Capture-Error-Behaviour");
  }
  const bool proceed = behaviour == "proceed";
  const auto& document = given.reading.document;
  std::vector<trace::CapturedEvent> captured;
  if (call.taken) {
    given.errors.push_back(details_of({409, "ResourceAlreadyExistsException"}, "eventID"));
  } else if (proceed || given.errors.empty()) {
    THERIAC_ASSIGN(captured, trace::capture(*call.work, document, document.events, given.format,
                                            proceed, call.who));
  }
  for (std::size_t i = 0; i < captured.size(); ++i) {
    if (captured[i].kept.what != trace::Kept::kIdTaken) continue;
    given.errors.push_back(
        details_of({409, "ResourceAlreadyExistsException"},
                   "eventID, of those that are valid the one at " + std::to_string(i)));
  }
  epcis::CaptureJob job;
  job.error_behaviour = proceed ? epcis::CaptureJob::ErrorBehaviour::kProceed
                                : epcis::CaptureJob::ErrorBehaviour::kRollback;
  job.success = given.errors.empty();
  job.errors = given.errors;
  THERIAC_ASSIGN(const auto id, keep_job(call, job));
  note(call, given, captured);
  call.event.object = "captures " + std::to_string(id);
  if (!job.success) {
    call.event.outcome = "failed";
    call.event.error = info_of(call.taken ? Code::kAlreadyExists : Code::kMalformed).name;
  }
  return created(202, "/epcis/capture/" + std::to_string(id));
}

Result<Answer> add_event(Call& call) {
  THERIAC_ASSIGN(auto given, read_given(call));
  if (given.refused) return std::move(*given.refused);
  const auto& document = given.reading.document;
  if (!given.errors.empty()) return refuse(kBadDocument, given.errors.front().detail);
  if (document.kind != epcis::DocumentKind::kBareEvent || document.events.size() != 1) {
    return refuse(kBadDocument, "one event without a document around it");
  }
  THERIAC_ASSIGN(const auto captured, trace::capture(*call.work, document, document.events,
                                                     given.format, false, call.who));
  note(call, given, captured);
  call.event.object = "events " + std::to_string(captured.front().kept.seq);
  const auto& event = document.events.front();
  const auto id = event.event_id.empty() ? epcis::event_hash(event) : event.event_id;
  return created(201, "/epcis/events/" + http::percent_encode(id));
}

Result<Answer> get_capture(Call& call) {
  const auto format = wanted_format(call.request);
  if (!format) return refuse(kNotAcceptable, "application/json, application/xml");
  THERIAC_ASSIGN(auto rows,
                 call.work->session.query_all("SELECT id, sealed FROM captures WHERE id = $1 AND "
                                              "(partner = $2 OR $2 = 0)",
                                              call.id(), call.who.partner));
  THERIAC_ASSIGN(const bool found, rows->next());
  if (!found) return fail(Code::kNotFound, "capture");
  THERIAC_ASSIGN(const auto job, job_at(call, *rows));
  if (*format == EventFormat::kJson) return say_text(*format, epcis::write_json(job));
  THERIAC_ASSIGN(const auto text, epcis::write_xml(job));
  return say_text(*format, text);
}

Result<Answer> list_captures(Call& call) {
  const auto after = token_of(call.request.query.find("nextPageToken").value_or(""));
  const auto count = token_of(call.request.query.find("perPage").value_or("30"));
  if (!after || !count || *count == 0) return refuse(kBadQuery, "perPage, nextPageToken");
  const auto limit = std::min(*count, trace::kPageRowsMax);
  THERIAC_ASSIGN(auto rows,
                 call.work->session.query_all("SELECT id, sealed FROM captures WHERE id > $1 AND "
                                              "(partner = $2 OR $2 = 0) ORDER BY id LIMIT $3",
                                              *after, call.who.partner, limit + 1));
  auto list = Json::array();
  std::int64_t last = 0;
  bool more = false;
  for (;;) {
    THERIAC_ASSIGN(const bool found, rows->next());
    if (!found) break;
    more = static_cast<std::int64_t>(list.size()) == limit;
    if (more) break;
    THERIAC_ASSIGN(const auto job, job_at(call, *rows));
    last = rows->integer(0);
    list.push_back(Json::parse(epcis::write_json(job)));
  }
  auto said = say_text(EventFormat::kJson, codec::canonical_json(list));
  if (more) said.file->fields.push_back({"Link", link_of(call.request, last)});
  return said;
}

Result<Answer> find_events(Call& call) { return answer_query(call, "", ""); }

Result<Answer> get_event(Call& call) {
  const auto id = call.request.path_part("value");
  const std::vector<epcis::Parameter> parameters{{"EQ_eventID", {std::string(id)}}};
  const auto query = epcis::Query::parse(parameters);
  if (!query) return fail(Code::kNotFound, "event");
  THERIAC_ASSIGN(auto page, trace::find_events(*call.work, *query, {}, {call.who.partner}, 0, 2));
  if (page.events.empty()) {
    // One that came without an ID has its hash for one; whoever captured it was told.
    THERIAC_ASSIGN(auto found, trace::find_event(*call.work, id));
    const bool theirs = found && (call.who.partner == 0 || found->partner == call.who.partner);
    if (!theirs) return fail(Code::kNotFound, "event");
    page.events.push_back(std::move(*found));
  }
  return say_events(call, page.events);
}

Result<Answer> events_of_type(Call& call) { return by_path(call, "eventType"); }
Result<Answer> events_of_epc(Call& call) { return by_path(call, "MATCH_anyEPC"); }
Result<Answer> events_of_step(Call& call) { return by_path(call, "EQ_bizStep"); }
Result<Answer> events_of_location(Call& call) { return by_path(call, "EQ_bizLocation"); }
Result<Answer> events_of_point(Call& call) { return by_path(call, "EQ_readPoint"); }
Result<Answer> events_of_disposition(Call& call) { return by_path(call, "EQ_disposition"); }

}  // namespace theriac::api
