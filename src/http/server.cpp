#include "http/server.hpp"

#include "runtime/socket.hpp"

namespace theriac::http {
namespace {

/// "127.0.0.1" of "127.0.0.1:5432", "::1" of "[::1]:5432".
std::string address_of(const std::string& peer) {
  const auto colon = peer.rfind(':');
  if (colon == std::string::npos) return peer;
  auto address = peer.substr(0, colon);
  if (address.size() >= 2 && address.front() == '[')
    address = address.substr(1, address.size() - 2);
  return address;
}

}  // namespace

/// Counted as long as the connection lives.
class Shard::Admission {
 public:
  Admission(Service& service, std::string key) : service_(&service), key_(std::move(key)) {
    service_->metrics().connection_opened();
  }
  Admission(const Admission&) = delete;
  Admission& operator=(const Admission&) = delete;
  ~Admission() {
    service_->metrics().connection_closed();
    service_->census().leave(key_);
  }

 private:
  Service* service_;
  std::string key_;
};

/// Cuts what is left when the time is over.
class Shard::Cutter final : private runtime::TickListener {
 public:
  Cutter(Shard& shard, std::chrono::milliseconds within)
      : TickListener(shard.loop_->ticks()),
        shard_(&shard),
        at_ms_(shard.loop_->clock().monotonic_ms() + within.count()) {}

 private:
  void on_tick(std::int64_t now_ms) override {
    if (now_ms < at_ms_) return;
    for (auto* connection : shard_->connections_) connection->cut();
    for (auto* stream : shard_->handshakes_) stream->close();
  }
  Shard* shard_;
  std::int64_t at_ms_;
};

void Shard::take(std::unique_ptr<runtime::Stream> stream) {
  accept(std::move(stream), std::nullopt);
}

void Shard::take_tls(std::unique_ptr<runtime::Stream> stream, runtime::TlsContext tls) {
  accept(std::move(stream), std::move(tls));
}

void Shard::accept(std::unique_ptr<runtime::Stream> stream,
                   std::optional<runtime::TlsContext> tls) {
  if (gate_.is_closed()) return;
  if (!service_->census().enter(limit_key(address_of(stream->peer())))) {
    service_->metrics().refused(Refused::kConnectionLimit);
    return;  // closes it: a handshake to say so would cost more than the attacker pays
  }
  loop_->spawn("http connection", serve(std::move(stream), std::move(tls)));
}

runtime::Task<void> Shard::serve(std::unique_ptr<runtime::Stream> stream,
                                 std::optional<runtime::TlsContext> tls) {
  auto address = address_of(stream->peer());
  const Admission admission(*service_, limit_key(address));
  const auto pass = gate_.enter();
  if (!pass) co_return;
  if (tls) {
    auto* plain = stream.get();
    plain->set_idle_deadline(service_->limits().handshake);
    handshakes_.insert(plain);
    auto sealed = co_await runtime::tls_accept(std::move(stream), std::move(*tls), {}, false);
    handshakes_.erase(plain);
    if (!sealed) {
      service_->metrics().refused(Refused::kHandshake);
      co_return;
    }
    stream = std::move(*sealed);
  }
  Connection connection(*service_, date_, *loop_, std::move(stream), std::move(address));
  connections_.insert(&connection);
  if (gate_.is_closed()) connection.drain();
  co_await connection.run();
  connections_.erase(&connection);
}

runtime::Task<void> Shard::stop(std::chrono::milliseconds within) {
  gate_.shut();
  for (auto* connection : connections_) connection->drain();
  const Cutter cutter(*this, within);
  co_await gate_.close();
}

struct Server::PerLoop {
  PerLoop(Service& service, runtime::Loop& loop) : shard(service, loop) {}
  Shard shard;
  std::unique_ptr<runtime::Listener> listener;
  runtime::Gate accepting;
};

Server::Server(ListenOptions options) : options_(std::move(options)) {}

Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::start(runtime::EventLoops& loops, Service& service,
                                              ListenOptions options) {
  std::unique_ptr<Server> made(new Server(std::move(options)));
  auto at = made->options_.at;
  if (made->options_.tls) {
    made->options_.tls->protocol = runtime::TlsProtocol::kHttp11;
    THERIAC_TRY(made->replace_tls());
  }
  for (std::size_t i = 0; i < loops.size(); ++i) {
    auto& one = *made->per_loop_.emplace_back(std::make_unique<PerLoop>(service, loops.at(i)));
    THERIAC_ASSIGN(one.listener, runtime::Listener::bind(loops.at(i), at));
    at.port = one.listener->port();
  }
  made->running_ = made->per_loop_.size();
  for (auto& one : made->per_loop_) {
    one->shard.loop().spawn("http accept", made->accept_all(one.get()));
  }
  return made;
}

std::uint16_t Server::port() const { return per_loop_.front()->listener->port(); }

std::optional<runtime::TlsContext> Server::tls() {
  const std::lock_guard lock(mutex_);
  return tls_;
}

Status Server::replace_tls() {
  if (!options_.tls) return fail(Code::kUsage, "the listener has no TLS");
  THERIAC_ASSIGN(auto fresh, runtime::TlsContext::server(*options_.tls));
  const std::lock_guard lock(mutex_);
  tls_ = std::move(fresh);
  return {};
}

runtime::Task<void> Server::accept_all(PerLoop* per_loop) {
  const auto pass = per_loop->accepting.enter();
  while (true) {
    auto stream = co_await per_loop->listener->accept();
    if (!stream) co_return;
    if (auto context = tls()) {
      per_loop->shard.take_tls(std::move(*stream), std::move(*context));
    } else {
      per_loop->shard.take(std::move(*stream));
    }
  }
}

void Server::stop(std::chrono::milliseconds within, std::function<void()> stopped) {
  stopped_ = std::move(stopped);
  for (auto& one : per_loop_) {
    auto& loop = one->shard.loop();
    loop.post(
        [this, &loop, one = one.get(), within] { loop.spawn("http stop", stop_one(one, within)); });
  }
}

runtime::Task<void> Server::stop_one(PerLoop* per_loop, std::chrono::milliseconds within) {
  per_loop->listener->close();
  co_await per_loop->accepting.close();
  co_await per_loop->shard.stop(within);
  if (running_.fetch_sub(1) == 1 && stopped_) stopped_();
}

}  // namespace theriac::http
