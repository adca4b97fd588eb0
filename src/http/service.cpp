#include "http/service.hpp"

#include <algorithm>

namespace theriac::http {
namespace {

std::vector<std::string> names_of(const Router& router) {
  std::vector<std::string> names;
  for (const auto& route : router.routes()) names.push_back(route->method + " " + route->pattern);
  return names;
}

/// Zero would be no deadline, or a division by it.
bool is_usable(const Limits& limits) {
  const auto waits = {limits.handshake, limits.idle, limits.head, limits.transfer, limits.handling};
  return std::ranges::all_of(waits, [](auto one) { return one.count() > 0; }) &&
         limits.bytes_per_second_min > 0;
}

}  // namespace

Service::Service(Router router, ServiceOptions options)
    : router_(std::move(router)),
      options_(std::move(options)),
      metrics_(names_of(router_)),
      rate_(options_.limits.requests_per_second, options_.limits.burst, kRateKeysMax),
      census_(options_.limits.connections_max, options_.limits.connections_per_address_max) {}

Result<std::unique_ptr<Service>> Service::make(Router router, ServiceOptions options) {
  if (!is_usable(options.limits)) return fail(Code::kUsage, "limits");
  for (const auto& route : router.routes()) {
    if ((route->runs == Runs::kInPool && options.pool == nullptr) ||
        (route->idempotent && options.idempotency == nullptr)) {
      return fail(Code::kUsage, "route " + route->method + " " + route->pattern);
    }
  }
  for (const auto& field : options.default_fields) {
    if (!is_token(field.name) || !is_field_value(field.value)) {
      return fail(Code::kUsage, "default field");
    }
  }
  return std::unique_ptr<Service>(new Service(std::move(router), std::move(options)));
}

}  // namespace theriac::http
