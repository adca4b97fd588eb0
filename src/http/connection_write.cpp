// Replies as a connection writes them.
#include <algorithm>
#include <array>
#include <exception>

#include "http/connection.hpp"

namespace theriac::http {
namespace {

/// A year, as browsers' preload lists ask for at least (RFC 6797, section 6.1.1).
constexpr std::string_view kStrictTransport = "max-age=31536000";
/// What the server alone says about a message.
constexpr std::array<std::string_view, 5> kOurs{"Content-Length", "Transfer-Encoding", "Connection",
                                                "Date", "X-Request-Id"};

bool has_field(const Response& response, std::string_view name) {
  return std::ranges::any_of(response.fields,
                             [name](const Field& one) { return same_token(one.name, name); });
}

/// RFC 9110, section 6.4.1.
bool may_have_body(int status) { return status >= 200 && status != 204 && status != 304; }

/// The body if it is there as a whole.
std::optional<ByteView> whole_body(const Response& response) {
  if (const auto* bytes = std::get_if<Bytes>(&response.body)) return ByteView(*bytes);
  if (const auto* shared = std::get_if<std::shared_ptr<const Bytes>>(&response.body)) {
    return *shared == nullptr ? ByteView() : ByteView(**shared);
  }
  return std::nullopt;
}

}  // namespace

void Connection::write_default_fields(HeadWriter& head, const Response& response) {
  // These were checked when they were given, and are written by nobody else.
  static_cast<void>(head.field("Date", date_->text(loop_->clock())));
  static_cast<void>(head.field("X-Request-Id", request_.id));
  for (const auto& field : service_->options().default_fields) {
    if (!has_field(response, field.name)) static_cast<void>(head.field(field.name, field.value));
  }
  if (stream_->is_tls()) {
    static_cast<void>(head.field("Strict-Transport-Security", kStrictTransport));
  }
  if (closing_) {
    static_cast<void>(head.field("Connection", "close"));
  } else if (head_.minor_version == 0) {
    static_cast<void>(head.field("Connection", "keep-alive"));
  }
}

/// Appends the head to out_. Code::kInternal when the handler's reply cannot be sent as it is.
Status Connection::write_head(const Response& response) {
  if (response.status < 200 || response.status > 599) return fail(Code::kInternal, "status");
  auto head = HeadWriter::response(out_, response.status);
  for (const auto& field : response.fields) {
    const auto is_it = [&](std::string_view name) { return same_token(name, field.name); };
    if (std::ranges::any_of(kOurs, is_it)) return fail(Code::kInternal, "field to send");
    THERIAC_TRY(head.field(field.name, field.value));
  }
  write_default_fields(head, response);
  if (may_have_body(response.status)) {
    if (const auto body = whole_body(response)) {
      head.content_length(body->size());
    } else if (head_.minor_version == 1) {
      static_cast<void>(head.field("Transfer-Encoding", "chunked"));
    }
  }
  head.end();
  return {};
}

bool Connection::send_at_once(Response& response) {
  const bool endless = std::holds_alternative<Producer>(response.body);
  // Without a length or chunks the end of the connection is the end of the body; and what is left
  // of a request's body cannot be told from the next request.
  if (draining_ || (endless && head_.minor_version == 0) || (body_ && !body_->done())) {
    closing_ = true;
  }
  out_.clear();
  sent_ = 0;
  if (!write_head(response)) {
    loop_->log().write(Level::kError, "a handler's reply cannot be sent",
                       {{"request", request_.id}});
    response = problem(Error{Code::kInternal, {}});
    out_.clear();
    static_cast<void>(write_head(response));
  }
  if (head_.method == "HEAD" || !may_have_body(response.status)) response.body = Bytes();
  const auto body = whole_body(response);
  if (!body) return false;
  bytes_out_ = body->size();
  const bool joined = body->size() <= kJoinBytesMax;
  if (joined) append(out_, *body);
  stream_->set_idle_deadline(limits().transfer);
  const auto taken = stream_->try_write(out_);
  if (!taken) {
    write_failed(taken.error());
    return true;
  }
  sent_ = *taken;
  return joined && sent_ == out_.size();
}

runtime::Task<Status> Connection::write_all(ByteView data) {
  // In pieces, so that the deadline follows the peer's pace.
  Pace pace(limits(), loop_->clock());
  while (!data.empty()) {
    const auto piece = data.first(std::min(data.size(), kJoinBytesMax));
    pace.add(piece.size());
    stream_->set_idle_deadline(pace.left());
    const auto written = co_await stream_->write(piece);
    if (!written) co_return fail(written.error());
    data = data.subspan(piece.size());
  }
  co_return Status{};
}

/// The rest of a reply that send_at_once() began.
runtime::Task<void> Connection::send(Response response) {
  auto written = co_await write_all(ByteView(out_).subspan(sent_));
  if (written) {
    const auto body = whole_body(response);
    if (!body) {
      written = co_await produce(&std::get<Producer>(response.body));
    } else if (body->size() > kJoinBytesMax) {
      written = co_await write_all(*body);
    }
  }
  if (!written) write_failed(written.error());
  if (out_.capacity() > 2 * kJoinBytesMax) out_ = {};
}

runtime::Task<Status> Connection::produce(const Producer* producer) {
  chunked_out_ = head_.minor_version == 1;
  auto done = Status(fail(Code::kInternal, "stream"));
  try {
    done = co_await (*producer)(this);
  } catch (const std::exception&) {  // a bug; its text may hold input
    loop_->log().write(Level::kError, "a stream ended with an exception",
                       {{"request", request_.id}});
  }
  if (done && chunked_out_) {
    out_.clear();
    append_last_chunk(out_);
    done = co_await write_all(out_);
  }
  co_return done;
}

runtime::Task<Status> Connection::write(ByteView data) {
  if (data.empty()) co_return Status{};
  bytes_out_ += data.size();
  if (!chunked_out_) co_return co_await write_all(data);
  out_.clear();
  append_chunk(out_, data);
  co_return co_await write_all(out_);
}

void Connection::write_failed(const Error& error) {
  failed_ = true;
  if (error.code == Code::kTimeout) service_->metrics().refused(Refused::kSlow);
}

/// RFC 9112, section 9.6: closing with bytes unread would reset the connection, and the reply with
/// it.
runtime::Task<void> Connection::linger() {
  stream_->shutdown_write();
  stream_->set_idle_deadline(kLinger);
  Bytes thrown_away(kReadBytes);
  for (std::size_t total = 0; total < kLingerBytesMax;) {
    const auto count = co_await stream_->read_some(thrown_away);
    if (!count) break;
    total += *count;
  }
}

}  // namespace theriac::http
