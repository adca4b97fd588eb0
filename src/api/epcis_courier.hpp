// Sends what subscriptions ask for: EPCIS 2.0 section 12.7.4, webhooks.
//
// A delivery is on the audit log before it is sent, and sent again, later each time, until it is
// answered with 2xx: what comes twice has the same event IDs. GS1-Signature is the HMAC-SHA-256 of
// the body under the subscription's signatureToken, in lower-case hexadecimal. A subscription whose
// owner's certificate is no longer that partner's is sent nothing.
//
// Errors: of the store and the vault; a delivery that fails is counted, not an error.
// Ownership: what Parts points to outlives it. Threading: one thread.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "api/epcis_address.hpp"
#include "audit/log.hpp"
#include "base/clock.hpp"
#include "base/log.hpp"
#include "http/client.hpp"
#include "trace/events_standing.hpp"

namespace theriac::api {

/// Sends one request to a destination: the status of the reply.
using Send = std::function<Result<int>(const Destination& to, http::ClientRequest request)>;

struct SendOptions {
  std::string authority_file;              ///< PEM; who vouches for destinations
  std::vector<runtime::Endpoint> allowed;  ///< destinations on private addresses
};
/// Over TLS, to the addresses that resolve_destination() allows, in kDeliveryTime as a whole.
/// `clock`, `random` and `log` outlive it.
Send https_sender(SendOptions options, const Clock& clock, Random& random, Log& log);

class Courier {
 public:
  struct Parts {
    const lease::KeySource* keys;
    audit::AuditLog* trail;
    const Clock* clock;
    Random* random;
    Log* log;
  };
  Courier(Parts parts, std::unique_ptr<store::Session> session, Send send);
  /// Until it is asked to stop.
  void run(const std::stop_token& stop);
  /// Everything that is due now, once: how many deliveries were begun.
  Result<int> deliver_due(const std::stop_token& stop = {});

 private:
  struct Parcel;
  Result<bool> claim(trace::Subscription& subscription);
  Result<Parcel> pack(const trace::Subscription& subscription);
  Result<int> deliver(trace::Subscription subscription);
  Status post(const trace::Subscription& subscription, const Parcel& parcel);
  void note_failure(trace::Subscription& subscription, const Error& why);
  Status work(bool writes, const std::function<Status(trace::Work&)>& what);

  Parts parts_;
  std::unique_ptr<store::Session> session_;
  trace::Vault vault_;
  Send send_;
};

}  // namespace theriac::api
