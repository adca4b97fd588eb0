// One request to somebody else's server: where it may go, and how long it may take as a whole.
#include <future>
#include <thread>

#include "api/epcis_courier.hpp"
#include "api/limits.hpp"
#include "runtime/event_loops.hpp"
#include "runtime/socket.hpp"

namespace theriac::api {
namespace {

using runtime::Stream;
using runtime::Task;
using std::chrono::milliseconds;

/// No wait of it reaches past one point in time, however slowly a peer drips.
class BoundedStream final : public Stream {
 public:
  BoundedStream(std::unique_ptr<Stream> inner, const Clock& clock, std::int64_t ends_ms)
      : inner_(std::move(inner)), clock_(&clock), ends_ms_(ends_ms) {}
  Task<Result<std::size_t>> read_some(MutableBytes into) override {
    bound();
    return inner_->read_some(into);
  }
  Task<Status> write(ByteView from) override {
    bound();
    return inner_->write(from);
  }
  Result<std::size_t> try_write(ByteView from) override { return inner_->try_write(from); }
  void shutdown_write() override { inner_->shutdown_write(); }
  void close() override { inner_->close(); }
  void set_idle_deadline(milliseconds) override { bound(); }
  [[nodiscard]] Bytes channel_binding() const override { return inner_->channel_binding(); }
  [[nodiscard]] Bytes peer_certificate() const override { return inner_->peer_certificate(); }
  [[nodiscard]] bool is_tls() const override { return inner_->is_tls(); }
  [[nodiscard]] std::string peer() const override { return inner_->peer(); }

 private:
  void bound() {
    const auto left = std::max<std::int64_t>(1, ends_ms_ - clock_->monotonic_ms());
    inner_->set_idle_deadline(milliseconds(left));
  }
  std::unique_ptr<Stream> inner_;
  const Clock* clock_;
  std::int64_t ends_ms_;
};

/// Connects to the address that was looked at, whatever the name says by now. The certificate is
/// still compared with the name.
class AddressDialer final : public runtime::Dialer {
 public:
  AddressDialer(std::string address, const Clock& clock, std::int64_t ends_ms)
      : address_(std::move(address)), clock_(&clock), ends_ms_(ends_ms) {}
  Task<Result<std::unique_ptr<Stream>>> connect(runtime::Loop* loop, runtime::Endpoint to,
                                                milliseconds within) override {
    to.host = address_;
    auto made = co_await dialer_.connect(loop, std::move(to), within);
    if (!made) co_return fail(std::move(made.error()));
    co_return std::make_unique<BoundedStream>(std::move(*made), *clock_, ends_ms_);
  }

 private:
  runtime::SocketDialer dialer_;
  std::string address_;
  const Clock* clock_;
  std::int64_t ends_ms_;
};

using Answered = std::shared_ptr<std::promise<Result<http::ClientReply>>>;  // with the loop

Task<void> ask_and_tell(http::Client* client, http::ClientRequest request, Answered answer) {
  answer->set_value(co_await client->ask(std::move(request)));
}

}  // namespace

Send https_sender(SendOptions options, const Clock& clock, Random& random, Log& log) {
  return [options = std::move(options), &clock, &random, &log](
             const Destination& to, http::ClientRequest request) -> Result<int> {
    THERIAC_ASSIGN(auto address, resolve_destination(to.server, options.allowed));
    AddressDialer dialer(std::move(address), clock, clock.monotonic_ms() + kDeliveryTime.count());
    runtime::EventLoops loops(1, clock, random, log);
    http::ClientOptions client_options;
    client_options.server = to.server;
    client_options.connect = kDeliveryTime / 2;
    client_options.reply_bytes_max = kDeliveryReplyBytesMax;
    client_options.tls = runtime::TlsClientOptions{};
    client_options.tls->authority_file = options.authority_file;
    THERIAC_ASSIGN(auto client, http::Client::make(loops.at(0), dialer, std::move(client_options)));
    auto answer = std::make_shared<std::promise<Result<http::ClientReply>>>();
    auto future = answer->get_future();
    auto& loop = loops.at(0);
    loop.post([&loop, &client, answer, request = std::move(request)]() mutable {
      loop.spawn("delivery", ask_and_tell(client.get(), std::move(request), std::move(answer)));
    });
    std::thread thread([&loops] { loops.run(); });
    const auto reply = future.get();
    loops.stop();
    thread.join();
    if (!reply) return fail(reply.error());
    return reply->status;
  };
}

}  // namespace theriac::api
