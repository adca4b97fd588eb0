#include "runtime/socket.hpp"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "runtime/limits.hpp"

namespace theriac::runtime {
namespace {

namespace asio = boost::asio;
using Socket = asio::generic::stream_protocol::socket;
using asio::ip::tcp;

constexpr auto kNoThrow = asio::as_tuple(asio::use_awaitable);

Code code_of(const boost::system::error_code& error) {
  if (error == asio::error::eof || error == asio::error::operation_aborted ||
      error == asio::error::bad_descriptor || error == asio::error::connection_reset ||
      error == asio::error::broken_pipe || error == asio::error::not_connected) {
    return Code::kClosed;
  }
  return Code::kIo;
}

void tune(int descriptor) {
  const auto set = [descriptor](int level, int name, int value) {
    // A socket that refuses an option still works.
    static_cast<void>(::setsockopt(descriptor, level, name, &value, sizeof value));
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, kKeepAliveIdle_s);
  set(IPPROTO_TCP, TCP_KEEPINTVL, kKeepAliveInterval_s);
  set(IPPROTO_TCP, TCP_KEEPCNT, kKeepAliveProbes);
}

class SocketStream final : public Stream, private TickListener {
 public:
  SocketStream(Loop& loop, Socket socket, std::string peer)
      : TickListener(loop.ticks()),
        loop_(&loop),
        socket_(std::move(socket)),
        peer_(std::move(peer)) {
    boost::system::error_code ignored;
    socket_.native_non_blocking(true, ignored);
  }

  Task<Result<std::size_t>> read_some(MutableBytes into) override {
    if (expired_) co_return fail(Code::kTimeout, "read");
    const auto [error, count] =
        co_await socket_.async_read_some(asio::buffer(into.data(), into.size()), kNoThrow);
    if (error) co_return fail(expired_ ? Code::kTimeout : code_of(error), "read");
    co_return count;
  }

  Task<Status> write(ByteView from) override {
    while (true) {
      if (expired_) co_return fail(Code::kTimeout, "write");
      const auto written = try_write(from);
      if (!written) co_return fail(written.error());
      from = from.subspan(*written);
      if (from.empty()) co_return Status{};
      const auto [error] = co_await socket_.async_wait(Socket::wait_write, kNoThrow);
      if (error) co_return fail(expired_ ? Code::kTimeout : code_of(error), "write");
    }
  }

  Result<std::size_t> try_write(ByteView from) override {
    std::size_t done = 0;
    while (done < from.size()) {
      const auto count = ::send(socket_.native_handle(), from.data() + done, from.size() - done,
                                MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count >= 0) {
        done += static_cast<std::size_t>(count);
        continue;
      }
      if (errno == EAGAIN || errno == EWOULDBLOCK) break;
      if (errno == EINTR) continue;
      return fail(code_of({errno, boost::system::system_category()}), "write");
    }
    return done;
  }

  void shutdown_write() override {
    boost::system::error_code ignored;
    socket_.shutdown(Socket::shutdown_send, ignored);
  }
  void close() override {
    boost::system::error_code ignored;
    socket_.close(ignored);
  }
  void set_idle_deadline(std::chrono::milliseconds after) override {
    expired_ = false;
    deadline_ms_ = after.count() == 0 ? 0 : loop_->clock().monotonic_ms() + after.count();
  }
  [[nodiscard]] Bytes channel_binding() const override { return {}; }
  [[nodiscard]] bool is_tls() const override { return false; }
  [[nodiscard]] std::string peer() const override { return peer_; }

 private:
  void on_tick(std::int64_t now_ms) override {
    if (deadline_ms_ == 0 || now_ms < deadline_ms_) return;
    deadline_ms_ = 0;
    expired_ = true;
    boost::system::error_code ignored;
    socket_.cancel(ignored);
  }

  Loop* loop_;
  Socket socket_;
  std::string peer_;
  std::int64_t deadline_ms_ = 0;
  bool expired_ = false;
};

std::string text_of_peer(const tcp::endpoint& endpoint) {
  return Endpoint{endpoint.address().to_string(), endpoint.port(), {}}.text();
}

/// Cancels an attempt to connect whose time is over.
template <typename Cancellable>
class Deadline final : private TickListener {
 public:
  Deadline(Loop& loop, Cancellable& target, std::chrono::milliseconds within)
      : TickListener(loop.ticks()),
        target_(&target),
        at_ms_(loop.clock().monotonic_ms() + within.count()) {}
  [[nodiscard]] bool passed() const { return passed_; }

 private:
  void on_tick(std::int64_t now_ms) override {
    if (passed_ || now_ms < at_ms_) return;
    passed_ = true;
    if constexpr (requires(boost::system::error_code e) { target_->cancel(e); }) {
      boost::system::error_code ignored;
      target_->cancel(ignored);
    } else {
      target_->cancel();
    }
  }
  Cancellable* target_;
  std::int64_t at_ms_;
  bool passed_ = false;
};

/// Waits for the next tick, where a full queue of the kernel asks for patience.
class Breath final : private TickListener {
 public:
  explicit Breath(Loop& loop) : TickListener(loop.ticks()) {}
  Task<void> taken() { return ticked_.wait(); }

 private:
  void on_tick(std::int64_t) override { ticked_.notify_all(); }
  Signal ticked_;
};

Task<Result<std::unique_ptr<Stream>>> connect_unix(Loop* loop, Endpoint to,
                                                   std::chrono::milliseconds within) {
  while (true) {
    asio::local::stream_protocol::socket socket(loop->context());
    const Deadline deadline(*loop, socket, within);
    const auto [error] = co_await socket.async_connect(
        asio::local::stream_protocol::endpoint(to.unix_path), kNoThrow);
    if (!error) {
      co_return std::make_unique<SocketStream>(*loop, Socket(std::move(socket)), to.text());
    }
    // unix(7): a full backlog is EAGAIN, not a wait.
    if (error != asio::error::try_again || within <= std::chrono::milliseconds::zero()) {
      co_return fail(deadline.passed() ? Code::kTimeout : Code::kUpstream, to.text());
    }
    Breath breath(*loop);
    co_await breath.taken();
    within -= kTick;
  }
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> SocketDialer::connect(Loop* loop, Endpoint to,
                                                            std::chrono::milliseconds within) {
  if (to.is_unix()) co_return co_await connect_unix(loop, std::move(to), within);
  std::vector<tcp::endpoint> targets;
  boost::system::error_code not_numeric;
  if (const auto address = asio::ip::make_address(to.host, not_numeric); !not_numeric) {
    targets.emplace_back(address, to.port);
  } else {
    tcp::resolver resolver(loop->context());
    const Deadline deadline(*loop, resolver, within);
    const auto [error, found] =
        co_await resolver.async_resolve(to.host, std::to_string(to.port), kNoThrow);
    if (error) co_return fail(deadline.passed() ? Code::kTimeout : Code::kUpstream, to.text());
    for (const auto& entry : found) targets.push_back(entry.endpoint());
  }
  Code code = Code::kUpstream;
  for (const auto& target : targets) {
    tcp::socket socket(loop->context());
    const Deadline deadline(*loop, socket, within);
    const auto [error] = co_await socket.async_connect(target, kNoThrow);
    if (!error) {
      tune(socket.native_handle());
      co_return std::make_unique<SocketStream>(*loop, Socket(std::move(socket)),
                                               text_of_peer(target));
    }
    code = deadline.passed() ? Code::kTimeout : Code::kUpstream;
  }
  co_return fail(code, to.text());
}

Listener::Listener(Loop& loop, tcp::acceptor acceptor)
    : loop_(&loop), acceptor_(std::move(acceptor)), port_(acceptor_.local_endpoint().port()) {}

Result<std::unique_ptr<Listener>> Listener::bind(Loop& loop, const Endpoint& at) {
  if (at.is_unix()) return fail(Code::kUsage, "listen: a TCP address is wanted");
  boost::system::error_code error;
  tcp::resolver resolver(loop.context());
  const auto found = resolver.resolve(at.host, std::to_string(at.port), error);
  if (error || found.empty()) return fail(Code::kUsage, at.text());
  const auto endpoint = found.begin()->endpoint();
  tcp::acceptor acceptor(loop.context());
  acceptor.open(endpoint.protocol(), error);
  const int on = 1;
  if (!error) acceptor.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error &&
      ::setsockopt(acceptor.native_handle(), SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) {
    error = {errno, boost::system::system_category()};
  }
  if (!error) acceptor.bind(endpoint, error);
  if (!error) acceptor.listen(kListenBacklog, error);
  if (error) return fail(Code::kIo, "listen on " + at.text() + ": " + error.message());
  return std::unique_ptr<Listener>(new Listener(loop, std::move(acceptor)));
}

Task<Result<std::unique_ptr<Stream>>> Listener::accept() {
  while (true) {
    if (!acceptor_.is_open()) co_return fail(Code::kClosed, "listen");
    auto [error, socket] = co_await acceptor_.async_accept(kNoThrow);
    if (!error) {
      boost::system::error_code gone;
      const auto peer = socket.remote_endpoint(gone);
      if (gone) continue;
      tune(socket.native_handle());
      co_return std::make_unique<SocketStream>(*loop_, Socket(std::move(socket)),
                                               text_of_peer(peer));
    }
    if (!acceptor_.is_open()) co_return fail(Code::kClosed, "listen");
    if (error == asio::error::no_descriptors || error == asio::error::no_buffer_space ||
        error == boost::system::errc::too_many_files_open_in_system) {
      Breath breath(*loop_);
      co_await breath.taken();
    }
  }
}

void Listener::close() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
}

}  // namespace theriac::runtime
