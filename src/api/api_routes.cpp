// What stands between the router and a request's work: routes, deadlines, problem details.
#include <map>
#include <set>

#include "api/api.hpp"
#include "api/limits.hpp"

namespace theriac::api {

Status Api::add_routes(http::Router& router) {
  for (const auto& operation : operations()) {
    const auto body_max =
        operation.takes_lists() || operation.takes_documents() ? kListBodyBytesMax : kBodyBytesMax;
    http::Route route{.method = std::string(operation.method),
                      .pattern = std::string(operation.path),
                      .body_bytes_max = operation.body.empty() ? 0 : body_max,
                      .needs_certificate = true,
                      .encoded_slashes = operation.is_epcis()};
    const bool reads = operation.kind == Kind::kRead || operation.kind == Kind::kCheck;
    if (reads && parts_.readers != nullptr) {
      route.async = [this, &operation](http::Request* request) {
        return handle_apart(&operation, request);
      };
    } else {
      route.runs = http::Runs::kInPool;
      route.handler = [this, &operation](http::Request& request) {
        return handle(operation, request);
      };
    }
    THERIAC_TRY(router.add(std::move(route)));
  }
  return add_discovery(router);
}

/// OPTIONS of EPCIS's paths: section 12.4.
Status Api::add_discovery(http::Router& router) {
  std::map<std::string_view, std::set<std::string_view>> paths;
  for (const auto& operation : operations()) {
    if (!operation.is_epcis()) continue;
    auto& methods = paths[operation.path];
    methods.insert({operation.method, "OPTIONS"});
    if (operation.method == "GET") methods.insert("HEAD");
  }
  for (const auto& [path, methods] : paths) {
    std::string allow;
    for (const auto method : methods) {
      allow += (allow.empty() ? "" : ", ") + std::string(method);
    }
    THERIAC_TRY(router.add({.method = "OPTIONS",
                            .pattern = std::string(path),
                            .handler =
                                [allow](http::Request&) {
                                  auto response = http::Response::empty();
                                  response.fields.push_back({"Allow", allow});
                                  add_discovery_fields(response);
                                  return response;
                                },
                            .needs_certificate = true,
                            .encoded_slashes = true}));
  }
  return {};
}

http::Response Api::problem(const http::Request& request, const Error& error) const {
  return http::problem_of(error, {.accept_language = request.field("Accept-Language").value_or(""),
                                  .instance = request.id,
                                  .texts = &problem_texts()});
}

http::Response Api::handle(const Operation& operation, http::Request& request) {
  auto answered = answer(operation, request);
  if (operation.is_epcis()) {
    auto response = answered ? std::move(*answered) : epcis_problem(request, answered.error());
    add_epcis_fields(response);
    return response;
  }
  return answered ? std::move(*answered) : problem(request, answered.error());
}

runtime::Task<http::Response> Api::handle_apart(const Operation* operation,
                                                http::Request* request) {
  auto done = co_await parts_.readers->ask<http::Response>(
      request->loop, [this, operation, request] { return handle_in_time(*operation, *request); });
  co_return done ? std::move(*done) : problem(*request, done.error());
}

/// On a thread of the pool, where nobody else catches.
http::Response Api::handle_in_time(const Operation& operation, http::Request& request) {
  if (parts_.clock->monotonic_ms() > request.deadline_ms) {
    return problem(request, {Code::kTimeout, "waiting for a thread"});
  }
  try {
    return handle(operation, request);
  } catch (const std::exception&) {  // a bug; its text may hold input
    parts_.log->write(Level::kError, "a handler ended with an exception",
                      {{"route", operation.path}, {"request", request.id}});
    return problem(request, {Code::kInternal, {}});
  }
}

}  // namespace theriac::api
