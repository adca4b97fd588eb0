// One loop's connections, from the first byte to the last.
#include "gateway/driver.hpp"

namespace theriac::gateway {

using runtime::Stream;
using runtime::Task;

namespace {

/// Counts a session of the process while it lives.
class Seat {
 public:
  explicit Seat(std::atomic<std::size_t>& taken)
      : taken_(&taken), number_(taken.fetch_add(1, std::memory_order_relaxed) + 1) {}
  Seat(const Seat&) = delete;
  Seat& operator=(const Seat&) = delete;
  ~Seat() { taken_->fetch_sub(1, std::memory_order_relaxed); }
  [[nodiscard]] std::size_t number() const { return number_; }

 private:
  std::atomic<std::size_t>* taken_;
  std::size_t number_;
};

/// Holds a pointer in a set while it lives.
template <typename T>
class Listed {
 public:
  Listed(std::unordered_set<T*>& set, T* entry) : set_(&set), entry_(entry) {
    set_->insert(entry_);
  }
  Listed(const Listed&) = delete;
  Listed& operator=(const Listed&) = delete;
  ~Listed() { set_->erase(entry_); }

 private:
  std::unordered_set<T*>* set_;
  T* entry_;
};

}  // namespace

struct Shard::Opened {
  std::unique_ptr<Stream> client;
  Opening opening;
};

Shard::Shard(runtime::Loop& loop, ShardSetup& setup, LoopMetrics& metrics, SessionFactory factory,
             VerifierLookup lookup)
    : TickListener(loop.ticks()),
      loop_(&loop),
      setup_(&setup),
      metrics_(&metrics),
      factory_(std::move(factory)),
      lookup_(std::move(lookup)) {}

Task<void> Shard::accept_all(runtime::Listener* listener) {
  while (true) {
    auto client = co_await listener->accept();
    if (!client) co_return;
    metrics_->connections.add();
    if (gate_.inside() >= setup_->sessions_max + kOpeningsMax) {
      metrics_->error(Code::kBusy);
      continue;
    }
    loop_->spawn("connection", serve(std::move(*client)));
  }
}

Task<void> Shard::serve(std::unique_ptr<Stream> client) {
  const auto pass = gate_.enter();
  if (!pass) co_return;
  const Listed listed(clients_, client.get());
  co_await open(std::move(client));
}

Task<void> Shard::open(std::unique_ptr<Stream> client) {
  client->set_idle_deadline(setup_->times.sign_in);
  auto opened = co_await read_opening(std::move(client));
  if (opened) co_await run_session(std::move(*opened));
}

Task<std::optional<Shard::Opened>> Shard::read_opening(std::unique_ptr<Stream> client) {
  Opening opening(setup_->rules);
  Bytes buffer(kReadBytes);
  while (true) {
    switch (opening.next()) {
      case Opening::Step::kMore: {
        const auto count = co_await client->read_some(buffer);
        if (!count) {
          // A probe that connects and goes away is no error.
          if (count.error().code != Code::kClosed) metrics_->error(count.error().code);
          co_return std::nullopt;
        }
        opening.feed(ByteView(buffer).first(*count));
        break;
      }
      case Opening::Step::kAnswerNo:
        if (!co_await client->write(view_of("N"))) co_return std::nullopt;
        break;
      case Opening::Step::kStartTls:
        if (!co_await client->write(view_of("S"))) co_return std::nullopt;
        [[fallthrough]];
      case Opening::Step::kDirectTls: {
        auto received = opening.take_rest();
        const bool direct = !received.empty();
        auto secured = co_await runtime::tls_accept(std::move(client), *setup_->tls,
                                                    std::move(received), direct);
        if (!secured) {
          metrics_->error(secured.error().code);
          co_return std::nullopt;
        }
        client = std::move(*secured);
        opening.tls_done();
        break;
      }
      case Opening::Step::kCancel:
        co_await cancel(std::move(client), opening.cancel_request());
        co_return std::nullopt;
      case Opening::Step::kStartup:
        co_return Opened{std::move(client), std::move(opening)};
      case Opening::Step::kRefuse:
        co_await dismiss(std::move(client), opening.error());
        co_return std::nullopt;
    }
  }
}

Task<void> Shard::cancel(std::unique_ptr<Stream> client, pgwire::CancelRequest request) {
  metrics_->cancels.add();
  const auto forwarded =
      co_await forward_cancel(loop_, setup_->dialer, setup_->upstream, std::move(request));
  // PostgreSQL says nothing on this connection either; closing it means done.
  if (!forwarded) metrics_->error(forwarded.error().code);
  client->close();
}

Task<void> Shard::run_session(Opened opened) {
  const Seat seat(setup_->sessions);
  if (seat.number() > setup_->sessions_max) {
    co_await dismiss(std::move(opened.client), {Code::kBusy, "sessions-max"});
    co_return;
  }
  auto server = co_await connect_upstream(loop_, setup_->dialer, setup_->upstream);
  if (!server) {
    loop_->log().error("the server cannot be reached", server.error());
    co_await dismiss(std::move(opened.client), {server.error().code, "server of this gateway"});
    co_return;
  }
  SignInSetup sign_in{.startup = opened.opening.startup(),
                      .enforce = setup_->rules.enforce,
                      .client_tls = opened.client->is_tls(),
                      .server_tls = (*server)->is_tls(),
                      .client_binding = opened.client->channel_binding(),
                      .server_binding = (*server)->channel_binding(),
                      .make = factory_,
                      .lookup = lookup_,
                      .waker = {},
                      .process_secret = &setup_->process_secret,
                      .random = &loop_->random(),
                      .metrics = metrics_};
  const auto relay = std::make_shared<Relay>(*loop_, std::move(opened.client), std::move(*server),
                                             setup_->times, *metrics_);
  sign_in.waker = relay->waker();
  const Listed listed(relays_, relay.get());
  if (stop_at_ms_ != 0) relay->begin_stop();
  co_await relay->run(std::make_unique<SignIn>(std::move(sign_in)), opened.opening.startup_packet(),
                      opened.opening.take_rest());
}

/// Tells the client why, and gives it time to read it.
Task<void> Shard::dismiss(std::unique_ptr<Stream> client, Error error) {
  metrics_->refusals.add();
  metrics_->error(error.code);
  auto report = pgwire::report_of(error);
  report.severity = "FATAL";
  Bytes message;
  pgwire::write_error(message, report);
  client->set_idle_deadline(kLingerDeadline);
  if (!co_await client->write(message)) co_return;
  client->shutdown_write();
  Bytes ignored(kReadBytes);
  for (std::size_t total = 0; total < kLingerBytesMax;) {
    const auto count = co_await client->read_some(ignored);
    if (!count) co_return;
    total += *count;
  }
}

void Shard::begin_stop(std::chrono::milliseconds within, std::function<void()> stopped) {
  gate_.shut();
  stop_at_ms_ = loop_->clock().monotonic_ms() + within.count();
  // Ending a session may take it out of the set.
  const std::vector<Relay*> relays(relays_.begin(), relays_.end());
  for (auto* relay : relays) relay->begin_stop();
  loop_->spawn("stop", await_closed(std::move(stopped)));
}

Task<void> Shard::await_closed(std::function<void()> stopped) {
  co_await gate_.close();
  stopped();
}

void Shard::on_tick(std::int64_t now_ms) {
  if (stop_at_ms_ == 0 || now_ms < stop_at_ms_) return;
  for (auto* relay : relays_) relay->abort();
  for (auto* client : clients_) client->close();
}

}  // namespace theriac::gateway
