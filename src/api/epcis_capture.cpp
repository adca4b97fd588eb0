// EPCIS 2.0 section 12.6: documents and events in. Captured is within the request: its job is done
// when it is answered.
#include "api/epcis_page.hpp"
#include "api/epcis_reply.hpp"
#include "api/limits.hpp"
#include "codec/time.hpp"
#include "epcis/event_hash.hpp"
#include "epcis/read.hpp"
#include "trace/capture.hpp"
#include "trace/limits.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using epcis::ProblemDetails;
using trace::EventFormat;

/// What was sent, or why it is not read.
struct Given {
  EventFormat format{};
  epcis::Reading reading;
  std::vector<ProblemDetails> errors;  ///< of events that are refused
  std::optional<Answer> refused;
};

ProblemDetails event_error(std::size_t index, const std::string& path, std::string_view name,
                           std::string_view words) {
  auto details = details_of(
      kBadDocument, "event " + std::to_string(index) + " " + path + ": " + std::string(words));
  details.title = name;
  return details;
}

std::vector<ProblemDetails> errors_of(const epcis::Reading& reading, Language language) {
  std::vector<ProblemDetails> all;
  for (const auto& one : reading.events) {
    if (one.event) continue;
    for (const auto& problem : one.problems) {
      if (epcis::kind_of(problem.code) == epcis::Kind::kNotice) continue;
      if (all.size() == kCaptureErrorsMax) return all;
      all.push_back(event_error(one.index, problem.path, epcis::name_of(problem.code),
                                epcis::words_of(problem.code, language)));
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

/// Takes out what has not happened yet: nothing is observed that is still to come.
void refuse_future(Given& given, std::int64_t now_ms, Language language) {
  const auto latest = now_ms + trace::kFutureMs;
  const auto* words = language == Language::kChinese ? "不得记录尚未发生的事件"
                                                     : "what has not happened yet is not recorded";
  std::set<std::size_t> refused;
  for (const auto& one : given.reading.events) {
    if (!one.event) refused.insert(one.index);
  }
  std::size_t index = 0;
  std::vector<epcis::Event> past;
  for (auto& event : given.reading.document.events) {
    while (refused.contains(index)) ++index;
    const bool declared =
        event.error_declaration && event.error_declaration->declaration_time.ms > latest;
    if (event.event_time.ms <= latest && !declared) {
      past.push_back(std::move(event));
    } else if (given.errors.size() < kCaptureErrorsMax) {
      given.errors.push_back(event_error(
          index, declared ? "errorDeclaration.declarationTime" : "eventTime", "FutureTime", words));
    }
    ++index;
  }
  given.reading.document.events = std::move(past);
}

Result<Given> read_given(const Call& call) {
  Given given;
  const auto type = media_type(call.request.field("Content-Type").value_or(""));
  if (!is_json(type) && !is_xml(type)) {
    given.refused =
        refuse(call, kBadType, "application/json, application/ld+json, application/xml");
    return given;
  }
  given.format = is_xml(type) ? EventFormat::kXml : EventFormat::kJson;
  // GS1 conformance requirement TCR-53, step 29; and a unit that nobody knows measures nothing.
  const epcis::ReadOptions options{epcis::problem_codes(
      {epcis::ProblemCode::kSensorFieldDiffers, epcis::ProblemCode::kUnknownUnit})};
  const auto text = text_of(call.request.body);
  auto read = is_xml(type) ? epcis::read_xml(text, options) : epcis::read_json(text, options);
  if (!read && (read.error().code == Code::kMalformed || read.error().code == Code::kOutOfRange ||
                read.error().code == Code::kTooLarge)) {
    const bool size = read.error().code == Code::kTooLarge;
    given.refused =
        refuse(call, size ? kTooManyEvents : kBadDocument,
               std::string(info_of(read.error().code).what) + ": " + read.error().where);
    return given;
  }
  THERIAC_ASSIGN(given.reading, std::move(read));
  if (given.reading.refused) {
    std::string why;
    for (const auto& one : given.reading.problems) {
      if (!why.empty()) why += "; ";
      why += std::string(epcis::name_of(one.code)) + " " + one.path + ": ";
      why += epcis::words_of(one.code, call.language);
    }
    given.refused = refuse(call, kBadDocument, std::move(why));
  } else if (events_in(given.reading) > kCaptureEventsMax) {
    given.refused = refuse(call, kTooManyEvents, "events");
  }
  given.errors = errors_of(given.reading, call.language);
  refuse_future(given, call.now_ms, call.language);
  return given;
}

Result<std::int64_t> keep_job(const Call& call, epcis::CaptureJob& job) {
  auto& work = *call.work;
  THERIAC_ASSIGN(const auto id, trace::next_ids(work, "captures"));
  job.id = std::to_string(id);
  job.created_at = epcis::Time{codec::rfc3339_utc(call.now_ms), call.now_ms};
  job.finished_at = job.created_at;
  THERIAC_ASSIGN(const auto json, codec::parse_json(epcis::write_json(job), kListBodyBytesMax));
  THERIAC_ASSIGN(const auto sealed,
                 trace::seal_json(work.vault, trace::Record::kCapture,
                                  trace::row_of(trace::Record::kCapture, id), json));
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

Result<epcis::CaptureJob> job_at(Call& call, const store::Rows& rows) {
  THERIAC_ASSIGN(
      const auto json,
      trace::open_json(call.work->vault, trace::Record::kCapture,
                       trace::row_of(trace::Record::kCapture, rows.integer(0)), rows.bytes(1)));
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
    return refuse(call, kBadDocument, "GS1-Capture-Error-Behaviour");
  }
  const bool proceed = behaviour == "proceed";
  const auto& document = given.reading.document;
  std::vector<trace::CapturedEvent> captured;
  if (call.taken) {
    given.errors.push_back(details_of(kTaken, "eventID"));
  } else if (proceed || given.errors.empty()) {
    THERIAC_ASSIGN(captured, trace::capture(*call.work, document, document.events, given.format,
                                            proceed, call.who));
  }
  for (std::size_t i = 0; i < captured.size(); ++i) {
    if (captured[i].kept.what != trace::Kept::kIdTaken) continue;
    given.errors.push_back(
        details_of(kTaken, "eventID, of those that are valid the one at " + std::to_string(i)));
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
  if (!given.errors.empty()) {
    return Answer{.status = kBadDocument.status,
                  .body = nullptr,
                  .file = problem_response(call.request, given.errors.front())};
  }
  if (document.kind != epcis::DocumentKind::kBareEvent || document.events.size() != 1) {
    return refuse(call, kBadDocument, "one event without a document around it");
  }
  THERIAC_ASSIGN(const auto captured, trace::capture(*call.work, document, document.events,
                                                     given.format, false, call.who));
  const auto& event = document.events.front();
  const auto id = event.event_id.empty() ? epcis::event_hash(event) : event.event_id;
  auto location = "/epcis/events/" + http::percent_encode(id);
  if (captured.front().kept.what == trace::Kept::kRepeated) {
    // Whoever asks again, since no answer came, learns that it is there, and where.
    auto there = refuse(call, kTaken, "the same event is here already");
    there.file->fields.push_back({"Location", std::move(location)});
    return there;
  }
  note(call, given, captured);
  call.event.object = "events " + std::to_string(captured.front().kept.seq);
  return created(201, std::move(location));
}

Result<Answer> get_capture(Call& call) {
  const auto format = wanted_format(call.request);
  if (!format) return refuse(call, kNotAcceptable, "application/json, application/xml");
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
  const auto limit = per_page(call.request);
  if (!limit) return refuse(call, kBadQuery, "perPage");
  THERIAC_ASSIGN(const auto place, page_place(call));
  if (!place) return refuse(call, kBadQuery, "nextPageToken");
  auto list = Json::array();
  std::int64_t last = 0;
  bool more = false;
  {
    THERIAC_ASSIGN(auto rows,
                   call.work->session.query_all("SELECT id, sealed FROM captures WHERE id > $1 AND "
                                                "(partner = $2 OR $2 = 0) ORDER BY id LIMIT $3",
                                                place->after, call.who.partner, *limit + 1));
    for (;;) {
      THERIAC_ASSIGN(const bool found, rows->next());
      if (!found) break;
      more = static_cast<std::int64_t>(list.size()) == *limit;
      if (more) break;
      THERIAC_ASSIGN(const auto job, job_at(call, *rows));
      last = rows->integer(0);
      list.push_back(Json::parse(epcis::write_json(job)));
    }
  }
  auto said = say_json(call, list);
  if (more && said.status == 200) THERIAC_TRY(add_next_page(call, *said.file, {.after = last}));
  return said;
}

}  // namespace theriac::api
