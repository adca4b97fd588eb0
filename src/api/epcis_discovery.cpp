// What EPCIS 2.0 section 12 wants of every answer, and of what there is.
#include "api/limits.hpp"
#include "api/parts.hpp"
#include "epcis/capture_job.hpp"
#include "epcis/document.hpp"

namespace theriac::api {

http::Response epcis_problem(const Error& error) {
  const auto& info = info_of(error.code);
  std::string_view exception = "ImplementationException";
  if (info.http == 400) exception = "ValidationException";
  if (info.http == 401 || info.http == 403) exception = "SecurityException";
  if (info.http == 404) exception = "NoSuchResourceException";
  if (info.http == 409) exception = "ResourceAlreadyExistsException";
  if (info.http == 413) exception = "CaptureLimitExceededException";
  epcis::ProblemDetails details;
  details.type = "epcisException:" + std::string(exception);
  details.status = info.http;
  details.detail = info.remedy;
  details.title = info.what;
  if (info.http < 500 && !error.where.empty()) details.detail = error.where + ": " + details.detail;
  return http::Response::with(info.http, "application/problem+json", epcis::write_json(details));
}

void add_epcis_fields(http::Response& response) {
  for (const auto* name : {"GS1-EPCIS-Version", "GS1-EPCIS-Min", "GS1-EPCIS-Max", "GS1-CBV-Version",
                           "GS1-CBV-Min", "GS1-CBV-Max"}) {
    response.fields.push_back({name, "2.0.0"});
  }
  response.fields.push_back({"GS1-EPCIS-Capture-Limit", std::to_string(kCaptureEventsMax)});
  response.fields.push_back(
      {"GS1-EPCIS-Capture-File-Size-Limit", std::to_string(kListBodyBytesMax)});
  response.fields.push_back({"GS1-Capture-Error-Behaviour", "rollback, proceed"});
}

Result<Answer> list_resources(Call&) {
  return say({{"@context", epcis::kStandardContext},
              {"type", "Collection"},
              {"member",
               {"capture", "events", "eventTypes", "epcs", "bizSteps", "bizLocations", "readPoints",
                "dispositions"}}});
}

Result<Answer> list_event_types(Call&) {
  return say({{"@context", epcis::kStandardContext},
              {"type", "Collection"},
              {"member",
               {"ObjectEvent", "AggregationEvent", "TransactionEvent", "TransformationEvent",
                "AssociationEvent"}}});
}

}  // namespace theriac::api
