// What all connections of one server share, and what its owner may set.
//
// Ownership: ServiceOptions' pointers belong to the program and outlive the server.
// Threading: a Service is read from every loop; what changes in it is thread-safe by itself.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/idempotency.hpp"
#include "http/limits.hpp"
#include "http/metrics.hpp"
#include "http/problem.hpp"
#include "http/rate.hpp"
#include "http/router.hpp"
#include "runtime/blocking_pool.hpp"

namespace theriac::http {

/// One line of an access log. No path, query or body: they can hold serial numbers and names.
struct AccessRecord {
  std::string_view request_id;
  std::string_view peer;
  std::string_view certificate;  ///< fingerprint; "": none
  std::string_view method;       ///< of the route; "": no route
  std::string_view pattern;      ///< of the route; "": no route
  int status = 0;
  std::uint64_t bytes_in = 0;   ///< of the body
  std::uint64_t bytes_out = 0;  ///< of the body
  std::int64_t took_us = 0;
};

struct ServiceOptions {
  Limits limits;
  /// Hosts that are served, without port; others get 421. Empty: any (then a page of somebody
  /// else's may reach a server on this machine by its own name: DNS rebinding).
  std::vector<std::string> hosts;
  /// Where Runs::kInPool runs; nullptr: such routes cannot be added.
  runtime::BlockingPool* pool = nullptr;
  IdempotencyStore* idempotency = nullptr;
  const ProblemTexts* texts = nullptr;
  /// Called on the loop after each reply; must be quick.
  std::function<void(const AccessRecord&)> access_log;
  /// In every reply whose handler did not set the field itself. Strict-Transport-Security is added
  /// over TLS (RFC 6797).
  std::vector<Field> default_fields = {{"X-Content-Type-Options", "nosniff"},
                                       {"Cache-Control", "no-store"}};
};

class Service {
 public:
  /// Code::kUsage for routes that need what the options do not have, and for times of zero.
  static Result<std::unique_ptr<Service>> make(Router router, ServiceOptions options);
  [[nodiscard]] const Router& router() const { return router_; }
  [[nodiscard]] const ServiceOptions& options() const { return options_; }
  [[nodiscard]] const Limits& limits() const { return options_.limits; }
  Metrics& metrics() { return metrics_; }
  RateLimiter& rate() { return rate_; }
  ConnectionCensus& census() { return census_; }

 private:
  Service(Router router, ServiceOptions options);
  Router router_;
  ServiceOptions options_;
  Metrics metrics_;
  RateLimiter rate_;
  ConnectionCensus census_;
};

}  // namespace theriac::http
