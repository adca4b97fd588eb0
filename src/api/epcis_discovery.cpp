// What EPCIS 2.0 section 12.4 wants of every question and every answer: versions, limits, formats.
#include <charconv>

#include "api/epcis_reply.hpp"
#include "api/limits.hpp"

namespace theriac::api {
namespace {

/// The releases of EPCIS and CBV that are spoken here. XML of EPCIS 1.x is read, never written.
constexpr std::string_view kVersion = "2.0.0";
using Version = std::array<int, 3>;
constexpr Version kSpoken{2, 0, 0};

/// "2", "2.0" or "2.0.0".
std::optional<Version> version_of(std::string_view text) {
  Version version{};
  for (auto& part : version) {
    const auto end = std::min(text.find('.'), text.size());
    const auto* last = text.data() + end;
    const auto [stop, error] = std::from_chars(text.data(), last, part);
    if (error != std::errc{} || stop != last || part < 0) return std::nullopt;
    if (end == text.size()) return version;
    text.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace

http::Response epcis_problem(const http::Request& request, const Error& error) {
  const auto& info = info_of(error.code);
  std::string_view exception = "ImplementationException";
  if (info.http == 400) exception = "ValidationException";
  if (info.http == 401 || info.http == 403) exception = "SecurityException";
  if (info.http == 404) exception = "NoSuchResourceException";
  if (info.http == 409) exception = "ResourceAlreadyExistsException";
  if (info.http == 413) exception = "CaptureLimitExceededException";
  auto details = details_of({info.http, exception}, std::string(info.remedy));
  details.title = info.what;
  if (info.http < 500 && !error.where.empty()) details.detail = error.where + ": " + details.detail;
  return problem_response(request, details);
}

std::optional<http::Response> refused_version(const http::Request& request) {
  struct Demand {
    std::string_view field;
    bool at_least, at_most;  ///< of ours
  };
  constexpr std::array<Demand, 6> kDemands{{{"GS1-EPCIS-Min", true, false},
                                            {"GS1-EPCIS-Max", false, true},
                                            {"GS1-CBV-Min", true, false},
                                            {"GS1-CBV-Max", false, true},
                                            {"GS1-EPCIS-Version", false, false},
                                            {"GS1-CBV-Version", false, false}}};
  for (const auto& demand : kDemands) {
    const auto text = request.field(demand.field);
    if (!text) continue;
    const auto version = version_of(*text);
    // What a document says of itself may be older: XML of EPCIS 1.x is read.
    const bool good =
        version && (demand.at_least  ? *version <= kSpoken
                    : demand.at_most ? *version >= kSpoken
                                     : (*version)[0] >= 1 && (*version)[0] <= kSpoken[0]);
    if (!good)
      return problem_response(request, details_of(kNotAcceptable, std::string(demand.field)));
  }
  return std::nullopt;
}

void add_epcis_fields(http::Response& response) {
  for (const auto* name : {"GS1-EPCIS-Version", "GS1-EPCIS-Min", "GS1-EPCIS-Max", "GS1-CBV-Version",
                           "GS1-CBV-Min", "GS1-CBV-Max"}) {
    response.fields.push_back({name, std::string(kVersion)});
  }
}

void add_capture_limits(http::Response& response) {
  response.fields.push_back({"GS1-EPCIS-Capture-Limit", std::to_string(kCaptureEventsMax)});
  response.fields.push_back(
      {"GS1-EPCIS-Capture-File-Size-Limit", std::to_string(kListBodyBytesMax)});
}

void add_discovery_fields(http::Response& response) {
  add_epcis_fields(response);
  response.fields.push_back({"GS1-EPC-Format", "No_Preference"});
  response.fields.push_back({"GS1-CBV-XML-Format", "No_Preference"});
  response.fields.push_back({"GS1-Vendor-Version", "theriac-1"});
  add_capture_limits(response);
  // Both: the word that only a server may say.
  response.fields.push_back({"GS1-Capture-Error-Behaviour", "all"});
}

}  // namespace theriac::api
