// One function for each operation. What is common to them (who calls, the transaction, replies that
// are kept, the audit log) is desk.hpp's.
//
// Errors: those of trace/; Code::kMalformed with a member's name for a body that is not what it
// should be.
// Threading: a call belongs to one thread of the pool.
#pragma once

#include "api/operations.hpp"
#include "audit/entry.hpp"
#include "base/language.hpp"
#include "base/random.hpp"
#include "codec/json.hpp"
#include "http/message.hpp"
#include "pki/certificate.hpp"
#include "trace/records.hpp"
#include "trace/verification.hpp"
#include "trace/work_list.hpp"

namespace theriac::api {

/// Who calls: a certificate that is good now.
struct Caller {
  pki::Identity identity;
  Bytes certificate;  ///< DER
};

/// One request, for its handler.
struct Call {
  const Operation& operation;
  const Caller& caller;
  const codec::Json& body;  ///< null: there is none
  http::Request& request;
  Language language;
  std::int64_t now_ms;
  /// For kPure: none.
  trace::Work* work = nullptr;
  trace::Who who;  ///< with the partner that the certificate speaks for
  const pki::Certificate* authority = nullptr;  ///< of the callers' certificates
  Random* random = nullptr;
  audit::Event& event;  ///< object and details are the handler's to fill
  /// Of kCheck, for the handler to fill: it counts as a guess, and may be an alarm.
  std::optional<trace::Verified> verified = std::nullopt;
  trace::Sightings* sightings = nullptr;  ///< for kCheck
  /// What a person has to look at; kept also when nothing else is done.
  std::optional<trace::Exception> exception = std::nullopt;
  /// Of a capture that was undone since an event ID is another event's: only its job is to be kept.
  bool taken = false;

  /// Of the path; 0 when it is no number, which no row has.
  [[nodiscard]] std::int64_t id() const;
};

struct Answer {
  int status = 200;
  codec::Json body;
  /// In place of `body`.
  std::optional<http::Response> file;
};

/// An error as EPCIS 2.0 has it: a type "epcisException:…" by the status.
http::Response epcis_problem(const http::Request& request, const Error& error);
/// 406 for a caller whose GS1-EPCIS-Min and its like leave nothing that is spoken here.
std::optional<http::Response> refused_version(const http::Request& request);
/// Versions, which every answer of EPCIS tells; and what OPTIONS tells beside: section 12.4.
void add_epcis_fields(http::Response& response);
void add_capture_limits(http::Response& response);
void add_discovery_fields(http::Response& response);

#define THERIAC_OPERATION(name, method, path, kind, roles, body, reply, summary) \
  Result<Answer> name(Call& call);
#include "api/operations.inc"
#undef THERIAC_OPERATION

}  // namespace theriac::api
