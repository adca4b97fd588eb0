#include "api/epcis_reply.hpp"

#include <charconv>

#include "api/limits.hpp"
#include "codec/time.hpp"
#include "epcis/value_reader.hpp"
#include "gs1/epc.hpp"
#include "trace/limits.hpp"
#include "trace/master.hpp"

namespace theriac::api {
namespace {

using trace::EventFormat;

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
  event.record_time = epcis::Time{codec::rfc3339_utc(one.record_ms), one.record_ms};
  all.events.push_back(std::move(event));
}

}  // namespace

epcis::ProblemDetails details_of(const Refused& why, std::string detail) {
  epcis::ProblemDetails problem;
  problem.type = "epcisException:" + std::string(why.exception);
  problem.title = why.exception;
  problem.status = why.status;
  problem.detail = std::move(detail);
  return problem;
}

http::Response problem_response(const http::Request& request,
                                const epcis::ProblemDetails& problem) {
  const int status = problem.status.value_or(500);
  if (wanted_format(request) == EventFormat::kXml) {
    if (const auto xml = epcis::write_xml(problem)) {
      return http::Response::with(status, "application/problem+xml", *xml);
    }
  }
  return http::Response::with(status, "application/problem+json", epcis::write_json(problem));
}

Answer refuse(const Call& call, const Refused& why, std::string detail) {
  Answer answer{.status = why.status,
                .body = nullptr,
                .file = problem_response(call.request, details_of(why, std::move(detail)))};
  if (why.exception == kTooManyEvents.exception) add_capture_limits(*answer.file);
  return answer;
}

std::string_view media_type(std::string_view field) {
  return epcis::trimmed(field.substr(0, field.find(';')));
}

std::optional<EventFormat> wanted_format(const http::Request& request) {
  auto accept = request.field("Accept").value_or("");
  if (epcis::trimmed(accept).empty()) return EventFormat::kJson;
  while (!accept.empty()) {
    const auto end = std::min(accept.find(','), accept.size());
    const auto type = media_type(accept.substr(0, end));
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

Answer say_json(const Call& call, const codec::Json& body) {
  const auto accept = call.request.field("Accept").value_or("");
  const bool takes = wanted_format(call.request) == EventFormat::kJson ||
                     accept.find("json") != std::string_view::npos ||
                     accept.find("*/*") != std::string_view::npos;
  if (!takes) return refuse(call, kNotAcceptable, "application/json");
  return say_text(EventFormat::kJson, codec::canonical_json(body));
}

Answer created(int status, std::string location) {
  Answer answer{.status = status, .body = nullptr, .file = http::Response::empty(status)};
  answer.file->fields.push_back({"Location", std::move(location)});
  return answer;
}

std::optional<epcis::WriteOptions> write_options(trace::Work& work, std::string_view epcs,
                                                 std::string_view words) {
  epcis::WriteOptions options{.checked = true};
  const auto as_is = [](std::string_view text) {
    return text.empty() || text == "No_Preference" || text == "Never_Translates";
  };
  if (epcs == "Always_GS1_Digital_Link") {
    options.epcs = epcis::EpcFormat::kDigitalLink;
  } else if (epcs == "Always_EPC_URN") {
    options.epcs = epcis::EpcFormat::kUrn;
    options.prefix_length = [&work](std::string_view link) { return prefix_of(work, link); };
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

epcis::Document results_of(std::string query_name, std::int64_t now_ms,
                           std::span<trace::StoredEvent> events) {
  epcis::Document document;
  document.kind = epcis::DocumentKind::kQueryResult;
  document.query_name = std::move(query_name);
  document.creation_date = epcis::Time{codec::rfc3339_utc(now_ms), now_ms};
  for (auto& one : events) add(document, one);
  return document;
}

Result<Answer> say_events(Call& call, std::string query_name,
                          std::span<trace::StoredEvent> events) {
  const auto format = wanted_format(call.request);
  if (!format) return refuse(call, kNotAcceptable, "application/json, application/xml");
  const auto options = write_options(*call.work, call.request.field("GS1-EPC-Format").value_or(""),
                                     call.request.field("GS1-CBV-XML-Format").value_or(""));
  if (!options) return refuse(call, kNotAcceptable, "GS1-EPC-Format, GS1-CBV-XML-Format");
  const auto document = results_of(std::move(query_name), call.now_ms, events);
  auto text = *format == EventFormat::kXml ? epcis::write_xml(document, *options)
                                           : epcis::write_json(document, *options);
  if (!text && text.error().code == Code::kUnsupported) {
    return refuse(call, kNotAcceptable, "an event says what this format cannot");
  }
  if (!text) return fail(std::move(text.error()));
  return say_text(*format, *text);
}

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

std::optional<std::int64_t> per_page(const http::Request& request) {
  const auto text = request.query.find("perPage");
  if (!text) return static_cast<std::int64_t>(kEventsOfOnePage);
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), count);
  if (error != std::errc{} || end != text->data() + text->size() || count < 1) return std::nullopt;
  return std::min(count, trace::kPageRowsMax);
}

}  // namespace theriac::api
