// What the answers of EPCIS have in common: formats and versions that a caller asks for, problems,
// events as documents, tokens of further pages. Internal to the handlers of EPCIS.
//
// Threading: as the call.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "api/parts.hpp"
#include "epcis/capture_job.hpp"
#include "epcis/write.hpp"
#include "trace/events.hpp"

namespace theriac::api {

/// EPCIS's exceptions as problem details: section 12.3.
struct Refused {
  int status;
  std::string_view exception;
};
inline constexpr Refused kBadDocument{400, "ValidationException"};
inline constexpr Refused kBadQuery{400, "QueryParameterException"};
inline constexpr Refused kBadSubscription{400, "SubscriptionControlsException"};
inline constexpr Refused kNotAcceptable{406, "NotAcceptableException"};
inline constexpr Refused kTaken{409, "ResourceAlreadyExistsException"};
inline constexpr Refused kTooManyEvents{413, "CaptureLimitExceededException"};
inline constexpr Refused kTooLargeResult{413, "QueryTooLargeException"};
inline constexpr Refused kTooComplex{413, "QueryTooComplexException"};
inline constexpr Refused kBadType{415, "UnsupportedMediaTypeException"};
inline constexpr Refused kNotServed{501, "ImplementationException"};

epcis::ProblemDetails details_of(const Refused& why, std::string detail);
/// As JSON, or as XML for a caller that takes nothing else.
http::Response problem_response(const http::Request& request, const epcis::ProblemDetails& problem);
Answer refuse(const Call& call, const Refused& why, std::string detail);

/// Without parameters and white space: "application/json".
std::string_view media_type(std::string_view field);
inline bool is_json(std::string_view type) {
  return type == "application/json" || type == "application/ld+json";
}
inline bool is_xml(std::string_view type) {
  return type == "application/xml" || type == "text/xml";
}
/// The first type of Accept that there is; none: 406.
std::optional<trace::EventFormat> wanted_format(const http::Request& request);

Answer say_text(trace::EventFormat format, const std::string& text);
/// 406 if the caller takes no JSON.
Answer say_json(const Call& call, const codec::Json& body);
Answer created(int status, std::string location);

/// GS1-EPC-Format and GS1-CBV-XML-Format; nothing for a word that is none of the standard's.
/// `work` outlives the options.
std::optional<epcis::WriteOptions> write_options(trace::Work& work, std::string_view epcs,
                                                 std::string_view words);
/// An EPCISQueryDocument. Of prefixes that say different things the first stays.
epcis::Document results_of(std::string query_name, std::int64_t now_ms,
                           std::span<trace::StoredEvent> events);
Result<Answer> say_events(Call& call, std::string query_name, std::span<trace::StoredEvent> events);

/// "ext=https://example.com/,…": prefixes of names in the query.
std::vector<epcis::Namespace> extensions_of(const http::Request& request);

/// perPage, or the standard's 30; nothing: it is no number from 1 on.
std::optional<std::int64_t> per_page(const http::Request& request);

}  // namespace theriac::api
