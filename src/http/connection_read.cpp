// Requests as a connection reads them: heads, what is asked of whom, bodies.
#include <algorithm>

#include "http/connection.hpp"

namespace theriac::http {
namespace {

constexpr std::size_t kFirstBufferBytes = 4096;

/// RFC 9110, section 9, and RFC 5789. Others are not recognised: 501 instead of 405.
bool is_known_method(std::string_view method) {
  constexpr std::array<std::string_view, 7> kKnown{"GET",   "HEAD",   "POST",   "PUT",
                                                   "PATCH", "DELETE", "OPTIONS"};
  return std::ranges::find(kKnown, method) != kKnown.end();
}

std::string_view without_port(std::string_view authority) {
  if (authority.starts_with('[')) return authority.substr(0, authority.find(']') + 1);
  return authority.substr(0, authority.find(':'));
}

}  // namespace

/// Before the next read of a head: its deadline and room. False when there is none to come.
bool Connection::wants_more(bool begun) {
  if (filled_ == 0) {
    if (draining_) return false;
    stream_->set_idle_deadline(limits().idle);
  } else if (!begun) {
    began_ = Steady::now();
    stream_->set_idle_deadline(limits().head);  // for all of it: a byte now and then buys no time
  }
  if (filled_ == buffer_.size()) buffer_.resize(std::max(kFirstBufferBytes, 2 * buffer_.size()));
  return true;
}

/// Ends a connection that waits for a request: nothing is under way in either direction.
void Connection::say_goodbye() {
  stream_->set_idle_deadline(kLinger);
  stream_->shutdown_write();
  stream_->close();
}

runtime::Task<bool> Connection::read_head() {
  scanner_.reset();
  bool begun = false;
  while (true) {
    const auto size = scanner_.scan(text_of(ByteView(buffer_).first(filled_)));
    if (!size) {
      co_await refuse(size.error());
      co_return false;
    }
    if (*size > 0) {
      head_size_ = *size;
      if (!begun) began_ = Steady::now();
      co_return true;
    }
    if (!wants_more(begun)) co_return false;
    begun = filled_ > 0;
    waiting_ = !begun;
    const auto count = co_await stream_->read_some(MutableBytes(buffer_).subspan(filled_));
    waiting_ = false;
    if (!count) {
      failed_ = filled_ == 0 || count.error().code != Code::kTimeout;
      if (failed_) say_goodbye();
      if (!failed_) co_await refuse({408, "the request came too slowly"});
      co_return false;
    }
    filled_ += *count;
  }
}

std::optional<Refusal> Connection::parse_head() {
  request_ = {};
  request_.id = id_ + std::to_string(++requests_);
  route_ = nullptr;
  route_index_ = Metrics::kNoRoute;
  bytes_out_ = 0;
  const auto head = text_of(ByteView(buffer_).first(head_size_));
  if (const auto parsed = parse_request_head(head, head_); !parsed) return parsed.error();
  request_.method = head_.method;
  request_.target = head_.target;
  request_.fields = &head_.fields;
  request_.host = head_.authority;
  request_.peer = address_;
  request_.certificate = certificate_ ? &*certificate_ : nullptr;
  request_.deadline_ms = loop_->clock().monotonic_ms() + limits().handling.count();
  request_.loop = loop_;
  if (!head_.keep_alive || requests_ >= limits().requests_per_connection_max) closing_ = true;
  return std::nullopt;
}

bool Connection::serves_host() const {
  const auto& hosts = service_->options().hosts;
  if (hosts.empty()) return true;
  const auto host = without_port(head_.authority);
  return std::ranges::any_of(hosts, [host](const auto& one) { return same_token(one, host); });
}

std::optional<Response> Connection::take_tokens(double cost) {
  if (limits().requests_per_second <= 0) return std::nullopt;
  const auto wait = service_->rate().take(client_key_, cost, loop_->clock().monotonic_ms());
  if (!wait) return std::nullopt;
  service_->metrics().refused(Refused::kRateLimit);
  auto response = problem(429);
  response.fields.push_back({"Retry-After", std::to_string((wait->count() + 999) / 1000)});
  return response;
}

/// The reply of a request whose route has nothing to say, because it may not be asked so.
std::optional<Response> Connection::admit_method(Match& match) {
  if (match.route != nullptr) return std::nullopt;
  if (match.allow.empty()) return problem(Error{Code::kNotFound, {}});
  const bool asks = head_.method == "OPTIONS";
  if (!asks && !is_known_method(head_.method)) return problem(501, "method");
  auto response = asks ? Response::empty() : problem(405);
  response.fields.push_back({"Allow", std::move(match.allow)});
  return response;
}

/// The reply of a request that does not come to a handler.
std::optional<Response> Connection::admit() {
  body_.emplace(head_, ByteView(buffer_).subspan(head_size_, filled_ - head_size_), 0, limits(),
                loop_->clock(), *stream_);
  if (!serves_host()) return problem(421);
  if (head_.form == TargetForm::kAsterisk) {
    if (auto refused = take_tokens(1)) return refused;
    return Response::empty();
  }
  auto target = parse_target(head_.target);
  if (!target) return problem(target.error());
  auto match = service_->router().find(head_.method, target->segments);
  if (auto refused = take_tokens(match.route == nullptr ? 1 : match.route->cost)) return refused;
  if (auto refused = admit_method(match)) return refused;
  route_ = match.route;
  route_index_ = match.index;
  request_.path = std::move(match.path);
  request_.query = std::move(target->query);
  if (route_->needs_certificate && !certificate_) {
    return problem(Error{Code::kBadCertificate, "client certificate"});
  }
  if (head_.framing != Framing::kNone) {
    body_.emplace(head_, ByteView(buffer_).subspan(head_size_, filled_ - head_size_),
                  route_->body_bytes_max, limits(), loop_->clock(), *stream_);
  }
  return std::nullopt;
}

runtime::Task<std::optional<Response>> Connection::read_body(std::size_t bytes_max) {
  auto& body = request_.body;
  std::size_t filled = 0;
  while (!body_->done()) {
    // Memory follows what has come, not what was announced.
    if (filled == body.size())
      body.resize(std::min(std::max(kReadBytes, 2 * filled), bytes_max + 1));
    const auto count = co_await body_->read(MutableBytes(body).subspan(filled));
    if (!count) co_return body_refused(count.error());
    filled += *count;
  }
  body.resize(filled);
  co_return std::nullopt;
}

Response Connection::body_refused(const Error& error) {
  closing_ = true;
  if (error.code == Code::kTooLarge) return problem(413);
  if (body_->refusal()) {
    service_->metrics().refused(Refused::kMalformed);
    return problem(body_->refusal()->status, body_->refusal()->reason);
  }
  if (error.code == Code::kTimeout) {
    service_->metrics().refused(Refused::kSlow);
    return problem(408, "the body came too slowly");
  }
  failed_ = true;  // nobody is there to read a reply
  return Response::empty();
}

/// What follows in the buffers begins the next request.
void Connection::end_request() {
  if (closing_ || failed_ || !body_) return;
  const auto rest = body_->rest();
  if (buffer_.size() < rest.size()) {
    buffer_.assign(rest.begin(), rest.end());
  } else if (!rest.empty()) {
    std::memmove(buffer_.data(), rest.data(), rest.size());
  }
  filled_ = rest.size();
  body_.reset();
}

}  // namespace theriac::http
