#include "http/connection.hpp"

#include <exception>

#include "crypto/hash.hpp"

namespace theriac::http {

const std::string& DateField::text(const Clock& clock) {
  const auto now_ms = clock.wall_ms();
  if (now_ms / 1000 != second_) {
    second_ = now_ms / 1000;
    text_ = http_date(now_ms);
  }
  return text_;
}

Connection::Connection(Service& service, DateField& date, runtime::Loop& loop,
                       std::unique_ptr<runtime::Stream> stream, std::string address)
    : service_(&service),
      date_(&date),
      loop_(&loop),
      stream_(std::move(stream)),
      address_(std::move(address)),
      client_key_(limit_key(address_)) {
  if (auto der = stream_->peer_certificate(); !der.empty()) {
    auto fingerprint = to_hex(crypto::sha256(der));
    client_key_ = fingerprint;
    certificate_ = ClientCertificate{std::move(der), std::move(fingerprint)};
  }
  std::array<std::uint8_t, 8> random{};
  loop.random().fill(random);
  id_ = to_hex(random) + "-";
}

runtime::Task<void> Connection::run() {
  while (!closing_ && !failed_ && co_await read_head()) co_await answer();
  if (!failed_) co_await linger();
}

void Connection::drain() {
  draining_ = true;
  if (waiting_) say_goodbye();
}

Response Connection::problem(int status, std::string_view detail) const {
  return problem_of_status(status, detail, {.instance = request_.id});
}

Response Connection::problem(const Error& error) const {
  return problem_of(error, {find_field(head_.fields, "Accept-Language").value_or(""), request_.id,
                            service_->options().texts});
}

runtime::Task<void> Connection::answer() {
  if (const auto why = parse_head()) co_return co_await refuse(*why);
  auto response = admit();
  if (!response) {
    const bool quick = route_->handler && route_->runs == Runs::kOnLoop && body_->done();
    response = quick ? run_handler() : co_await work();
  }
  if (failed_) co_return;
  const int status = response->status;
  if (!send_at_once(*response)) co_await send(std::move(*response));
  finished(status);
  end_request();
}

/// What could not be read is answered without a look at it, and ends the connection.
runtime::Task<void> Connection::refuse(Refusal why) {
  service_->metrics().refused(why.status == 408 ? Refused::kSlow : Refused::kMalformed);
  head_ = {};
  body_.reset();
  route_ = nullptr;
  route_index_ = Metrics::kNoRoute;
  closing_ = true;
  auto response = problem(why.status, why.reason);
  if (!send_at_once(response)) co_await send(std::move(response));
  finished(why.status);
}

void Connection::finished(int status) {
  const auto took = std::chrono::duration_cast<std::chrono::microseconds>(Steady::now() - began_);
  service_->metrics().count(route_index_, status, took.count());
  const auto& log = service_->options().access_log;
  if (!log) return;
  log({.request_id = request_.id,
       .peer = address_,
       .certificate = certificate_ ? std::string_view(certificate_->fingerprint) : "",
       .method = route_ == nullptr ? "" : std::string_view(route_->method),
       .pattern = route_ == nullptr ? "" : std::string_view(route_->pattern),
       .status = status,
       .bytes_in = body_ ? body_->received() : 0,
       .bytes_out = bytes_out_,
       .took_us = took.count()});
}

/// What has to wait for something: a body, the pool, a coroutine.
runtime::Task<Response> Connection::work() {
  if (body_->too_large()) co_return problem(413);
  if (route_->streams_body) {
    request_.reader = &*body_;
  } else if (!body_->done()) {
    auto refused = co_await read_body(route_->body_bytes_max);
    if (refused) co_return std::move(*refused);
  }
  if (route_->async) co_return co_await work_async();
  if (route_->runs == Runs::kOnLoop) co_return run_handler();
  auto done = co_await service_->options().pool->ask<Response>(loop_, [this] {
    // It may have waited longer than anybody does.
    const bool late = loop_->clock().monotonic_ms() > request_.deadline_ms;
    return late ? problem(Error{Code::kTimeout, "waiting for a thread"}) : run_handler();
  });
  co_return done ? std::move(*done) : problem(done.error());
}

/// On the loop, or on a thread of the pool while this connection waits for it.
Response Connection::run_handler() {
  try {
    if (!route_->idempotent) return route_->handler(request_);
    return answer_once(*service_->options().idempotency, request_, route_->pattern,
                       loop_->clock().wall_ms(), route_->handler);
  } catch (const std::exception&) {  // a bug; its text may hold input
    loop_->log().write(Level::kError, "a handler ended with an exception",
                       {{"route", route_->pattern}, {"request", request_.id}});
    return problem(Error{Code::kInternal, {}});
  }
}

runtime::Task<Response> Connection::work_async() {
  try {
    co_return co_await route_->async(&request_);
  } catch (const std::exception&) {
    loop_->log().write(Level::kError, "a handler ended with an exception",
                       {{"route", route_->pattern}, {"request", request_.id}});
  }
  co_return problem(Error{Code::kInternal, {}});
}

}  // namespace theriac::http
