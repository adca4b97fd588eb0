#include "http/client.hpp"

#include <algorithm>
#include <array>
#include <future>

namespace theriac::http {
namespace {

/// Of a body that is not streamed because its status is not 2xx.
constexpr std::size_t kProblemBytesMax = 1U << 20U;

/// 100 and its like before the reply (RFC 9110, section 15.2).
constexpr int kInterimMax = 8;

/// RFC 9110, section 9.2.2.
bool may_repeat(const ClientRequest& request) {
  constexpr std::array<std::string_view, 5> kIdempotent{"GET", "HEAD", "PUT", "DELETE", "OPTIONS"};
  const auto is_key = [](const Field& one) { return same_token(one.name, "Idempotency-Key"); };
  return std::ranges::find(kIdempotent, request.method) != kIdempotent.end() ||
         std::ranges::any_of(request.fields, is_key);
}

/// Code::kTooLarge past `most`.
Status add_to(Bytes& body, ByteView data, std::size_t most) {
  if (data.size() > most - std::min(most, body.size())) return fail(Code::kTooLarge, "reply");
  append(body, data);
  return {};
}

}  // namespace

std::optional<std::string_view> ClientReply::field(std::string_view name) const {
  for (const auto& one : fields) {
    if (same_token(one.name, name)) return one.value;
  }
  return std::nullopt;
}

Result<std::unique_ptr<Client>> Client::make(runtime::Loop& loop, runtime::Dialer& dialer,
                                             ClientOptions options) {
  std::unique_ptr<Client> made(new Client(loop, dialer, std::move(options)));
  if (made->options_.tls) {
    made->options_.tls->offer_http11 = true;
    THERIAC_ASSIGN(made->tls_, runtime::TlsContext::client(*made->options_.tls));
  }
  return made;
}

runtime::Task<Status> Client::connect() {
  auto stream = co_await dialer_->connect(loop_, options_.server, options_.connect);
  if (!stream) co_return fail(stream.error());
  if (tls_) {
    (*stream)->set_idle_deadline(options_.connect);
    stream = co_await runtime::tls_connect(std::move(*stream), *tls_, options_.server.host);
    if (!stream) co_return fail(stream.error());
  }
  stream_ = std::move(*stream);
  filled_ = used_ = 0;
  co_return Status{};
}

runtime::Task<Result<ClientReply>> Client::ask(ClientRequest request) {
  const bool kept = stream_ != nullptr;
  if (!kept) {
    if (const auto there = co_await connect(); !there) co_return fail(there.error());
  }
  auto reply = co_await exchange(&request);
  if (!reply && kept && !heard_ && reply.error().code == Code::kClosed && may_repeat(request)) {
    if (const auto there = co_await connect(); !there) co_return fail(there.error());
    reply = co_await exchange(&request);
  }
  if (!reply || !head_.keep_alive) close();
  co_return reply;
}

Result<Bytes> Client::write_head(const ClientRequest& request) const {
  Bytes out;
  THERIAC_ASSIGN(auto head, HeadWriter::request(out, request.method, request.target));
  THERIAC_TRY(head.field("Host", options_.server.text()));
  for (const auto& field : request.fields) {
    if (!head.field(field.name, field.value)) return fail(Code::kUsage, "field to send");
  }
  if (!request.body.empty() || request.method == "POST" || request.method == "PUT" ||
      request.method == "PATCH") {
    head.content_length(request.body.size());
  }
  head.end();
  return out;
}

runtime::Task<Result<ClientReply>> Client::exchange(const ClientRequest* request) {
  heard_ = false;
  auto out = write_head(*request);
  if (!out) co_return fail(out.error());
  append(*out, request->body);
  stream_->set_idle_deadline(options_.idle);
  // A server may refuse a body before it has read it: then its reply says more than our error.
  const auto written = co_await stream_->write(*out);
  const auto read = co_await read_head(request->method == "HEAD");
  if (!read) co_return fail(!written && !heard_ ? written.error() : read.error());
  ClientReply reply;
  reply.status = head_.status;
  for (const auto& field : head_.fields) {
    reply.fields.push_back({std::string(field.name), std::string(field.value)});
  }
  const auto body = co_await read_body(request, &reply);
  if (!body) co_return fail(body.error());
  if (!written) head_.keep_alive = false;
  co_return reply;
}

/// What came behind what is used; reads when that is nothing.
runtime::Task<Result<std::size_t>> Client::receive() {
  if (filled_ == buffer_.size()) buffer_.resize(std::max(kReadBytes, 2 * buffer_.size()));
  stream_->set_idle_deadline(options_.idle);
  const auto count = co_await stream_->read_some(MutableBytes(buffer_).subspan(filled_));
  if (count) {
    filled_ += *count;
    heard_ = true;
  }
  co_return count;
}

runtime::Task<Status> Client::read_head(bool to_head) {
  for (int interim = 0; interim < kInterimMax; ++interim) {
    // What the last reply left over would belong to none.
    std::copy(buffer_.begin() + static_cast<std::ptrdiff_t>(used_),
              buffer_.begin() + static_cast<std::ptrdiff_t>(filled_), buffer_.begin());
    filled_ -= std::exchange(used_, 0);
    HeadScanner scanner;
    while (used_ == 0) {
      const auto size = scanner.scan(text_of(ByteView(buffer_).first(filled_)));
      if (!size) co_return fail(Code::kProtocol, size.error().reason);
      used_ = *size;
      if (used_ > 0) break;
      if (const auto more = co_await receive(); !more) co_return fail(more.error());
    }
    const auto text = text_of(ByteView(buffer_).first(used_));
    const auto parsed = parse_response_head(text, to_head, head_);
    if (!parsed) co_return fail(Code::kProtocol, parsed.error().reason);
    if (head_.status >= 200) co_return Status{};
  }
  co_return fail(Code::kProtocol, "interim replies");
}

runtime::Task<Status> Client::read_body(const ClientRequest* request, ClientReply* reply) {
  const auto framing = head_.framing;
  const bool stream = request->download && head_.status / 100 == 2;
  const auto most = request->download ? kProblemBytesMax : options_.reply_bytes_max;
  auto left = head_.content_length;
  ChunkedDecoder chunked;
  const auto done = [&] {
    return framing == Framing::kNone || (framing == Framing::kLength && left == 0) ||
           (framing == Framing::kChunked && chunked.done());
  };
  if (framing == Framing::kLength && !stream && left > most) {
    co_return fail(Code::kTooLarge, "reply");
  }
  head_.fields.clear();  // their views end here: the buffer is used again
  while (!done()) {
    if (used_ == filled_) {
      used_ = filled_ = 0;
      const auto more = co_await receive();
      if (!more && framing == Framing::kUntilClose && more.error().code == Code::kClosed) break;
      if (!more) co_return fail(more.error());
    }
    auto data = ByteView(buffer_).subspan(used_, filled_ - used_);
    if (framing == Framing::kChunked) {
      const auto step = chunked.feed(data);
      if (!step) co_return fail(Code::kProtocol, step.error().reason);
      used_ += step->consumed;
      data = step->data;
    } else {
      if (framing == Framing::kLength) data = data.first(std::min<std::size_t>(data.size(), left));
      used_ += data.size();
      left -= framing == Framing::kLength ? data.size() : 0;
    }
    if (data.empty()) continue;
    const auto taken = stream ? request->download(data) : add_to(reply->body, data, most);
    if (!taken) co_return fail(taken.error());
  }
  // Bytes that no request asked for: the next reply could not be trusted.
  if (used_ < filled_) head_.keep_alive = false;
  co_return Status{};
}

BlockingClient::BlockingClient(const Clock& clock, Random& random, Log& log)
    : loops_(1, clock, random, log) {}

Result<std::unique_ptr<BlockingClient>> BlockingClient::make(ClientOptions options,
                                                             const Clock& clock, Random& random,
                                                             Log& log) {
  std::unique_ptr<BlockingClient> made(new BlockingClient(clock, random, log));
  THERIAC_ASSIGN(made->client_,
                 Client::make(made->loops_.at(0), made->dialer_, std::move(options)));
  made->thread_ = std::thread([loops = &made->loops_] { loops->run(); });
  return made;
}

BlockingClient::~BlockingClient() {
  if (!thread_.joinable()) return;
  loops_.stop();
  thread_.join();
}

namespace {

runtime::Task<void> ask_and_tell(Client* client, ClientRequest request,
                                 std::shared_ptr<std::promise<Result<ClientReply>>> answer) {
  answer->set_value(co_await client->ask(std::move(request)));
}

}  // namespace

Result<ClientReply> BlockingClient::ask(ClientRequest request) {
  auto answer = std::make_shared<std::promise<Result<ClientReply>>>();  // shared with the loop
  auto future = answer->get_future();
  auto& loop = loops_.at(0);
  loop.post([this, &loop, answer, request = std::move(request)]() mutable {
    loop.spawn("http client", ask_and_tell(client_.get(), std::move(request), std::move(answer)));
  });
  return future.get();
}

}  // namespace theriac::http
