// The state of a capture (EPCIS 2.0 section 12.6.2; XML: EPCISCaptureJobType) and the problem
// details of RFC 7807 that it and error answers carry.
//
// Threading: values and free functions.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.hpp"
#include "epcis/event.hpp"

namespace theriac::epcis {

/// RFC 7807. What it says is for who sent the documents; nothing here adds to it.
struct ProblemDetails {
  std::string type;  ///< URI
  std::string title;
  std::optional<int> status;
  std::string detail;
  std::string instance;  ///< URI
  friend bool operator==(const ProblemDetails&, const ProblemDetails&) = default;
};

struct CaptureJob {
  std::string id;
  std::optional<Time> created_at;
  std::optional<Time> finished_at;
  bool running = false;
  bool success = true;
  enum class ErrorBehaviour : std::uint8_t { kRollback, kProceed } error_behaviour{};
  std::vector<ProblemDetails> errors;
  std::string error_file;  ///< URI, in place of the errors
  friend bool operator==(const CaptureJob&, const CaptureJob&) = default;
};

/// Code::kUnsupported for characters that XML does not have.
Result<std::string> write_xml(const CaptureJob& job);
std::string write_json(const CaptureJob& job);
/// Code::kMalformed; extensions are passed over.
Result<CaptureJob> read_capture_job_xml(std::string_view text);

/// The answer to a request that failed: EPCISException in XML, application/problem+json.
Result<std::string> write_xml(const ProblemDetails& problem);
std::string write_json(const ProblemDetails& problem);

}  // namespace theriac::epcis
