#include "gateway/relay.hpp"

#include <exception>

#include "runtime/limits.hpp"

namespace theriac::gateway {

using runtime::Task;

void Outbox::push(ByteView bytes) {
  if (bytes.empty() || !status_) return;
  if (is_clear()) {
    const auto taken = stream_->try_write(bytes);
    if (!taken) {
      status_ = fail(taken.error());
      return;
    }
    bytes = bytes.subspan(*taken);
  }
  if (!bytes.empty()) append(waiting_, bytes);
}

Task<void> Outbox::drain(std::chrono::milliseconds within) {
  while (busy_) co_await cleared_.wait();
  if (waiting_.empty()) co_return;
  busy_ = true;
  while (!waiting_.empty() && status_) {
    writing_.swap(waiting_);
    stream_->set_idle_deadline(within);
    status_ = co_await stream_->write(writing_);
    writing_.clear();
  }
  if (status_) stream_->set_idle_deadline(std::chrono::milliseconds::zero());
  waiting_.clear();
  busy_ = false;
  cleared_.notify_all();
}

Relay::Relay(runtime::Loop& loop, std::unique_ptr<runtime::Stream> client,
             std::unique_ptr<runtime::Stream> server, RelayTimes times, LoopMetrics& metrics)
    : TickListener(loop.ticks()),
      loop_(&loop),
      client_(std::move(client)),
      server_(std::move(server)),
      client_out_(*client_),
      server_out_(*server_),
      times_(times),
      metrics_(&metrics),
      client_buffer_(kReadBytes),
      server_buffer_(kReadBytes) {}

Waker Relay::waker() {
  return [loop = loop_, weak = weak_from_this()] {
    loop->post([weak] {
      if (const auto self = weak.lock()) self->resumed();
    });
  };
}

Task<void> Relay::run(std::unique_ptr<Session> session, Bytes to_server, Bytes from_client) {
  session_ = std::move(session);
  since_ms_ = loop_->clock().monotonic_ms();
  client_->set_idle_deadline(std::chrono::milliseconds::zero());
  server_->set_idle_deadline(std::chrono::milliseconds::zero());
  metrics_->sessions_open.add();
  metrics_->sessions_total.add();
  server_out_.push(to_server);
  if (!from_client.empty()) {
    session_->from_client(from_client, client_io_);
    take(client_io_);
  }
  loop_->spawn("session, from the server", pump_server(shared_from_this()));
  co_await pump_client();
  while (!server_pump_ended_ || phase_ == Phase::kConcluding) co_await changed_.wait();
  phase_ = Phase::kEnded;
  client_->close();
  server_->close();
  metrics_->sessions_open.subtract();
}

Task<void> Relay::pump_client() {
  try {
    co_await read_client();
  } catch (const std::exception&) {
    fault();
  }
}

Task<void> Relay::read_client() {
  while (phase_ == Phase::kRunning) {
    if (session_->holds_client()) {
      co_await changed_.wait();
      continue;
    }
    const auto count = co_await client_->read_some(client_buffer_);
    if (phase_ != Phase::kRunning) break;
    if (!count) {
      on_client_end(count.error());
      co_return;
    }
    active_ = true;
    metrics_->bytes_from_client.add(*count);
    const auto bytes = ByteView(client_buffer_).first(*count);
    const auto passed = session_->pass_from_client(bytes);
    if (passed != 0) server_out_.push(bytes.first(passed));
    if (passed != *count) session_->from_client(bytes.subspan(passed), client_io_);
    if (!take(client_io_)) co_await settle();
  }
  if (phase_ != Phase::kEnded) co_await linger();
}

Task<void> Relay::pump_server(std::shared_ptr<Relay> self) {
  try {
    co_await read_server();
  } catch (const std::exception&) {
    fault();
  }
  server_pump_ended_ = true;
  changed_.notify_all();
}

Task<void> Relay::read_server() {
  while (phase_ == Phase::kRunning) {
    const auto count = co_await server_->read_some(server_buffer_);
    if (phase_ != Phase::kRunning) break;
    if (!count) {
      on_server_end(count.error());
      break;
    }
    metrics_->bytes_from_server.add(*count);
    const auto bytes = ByteView(server_buffer_).first(*count);
    const auto passed = session_->pass_from_server(bytes);
    if (passed != 0) client_out_.push(bytes.first(passed));
    if (passed != *count) session_->from_server(bytes.subspan(passed), server_io_);
    if (!take(server_io_)) co_await settle();
    if (changed_.awaited() && !session_->holds_client()) changed_.notify_all();
    if (stopping_) stop_if_idle();
  }
}

/// Sends off what the session answered; true when all of it went at once and the session goes on.
bool Relay::take(Io& io) {
  if (!io.to_client.empty()) {
    client_out_.push(io.to_client);
    io.to_client.clear();
  }
  if (!io.to_server.empty()) {
    server_out_.push(io.to_server);
    io.to_server.clear();
  }
  if (io.handover) [[unlikely]] {
    io.handover = false;
    session_ = session_->successor();
    signed_in_ = true;
    changed_.notify_all();
  }
  if (io.finished && phase_ == Phase::kRunning) [[unlikely]] {
    phase_ = Phase::kConcluding;
    loop_->spawn("session, concluding", conclude(shared_from_this()));
  }
  return phase_ == Phase::kRunning && client_out_.is_clear() && server_out_.is_clear() &&
         client_out_.status() && server_out_.status();
}

/// Waits until both sides took what they were sent.
Task<void> Relay::settle() {
  if (!server_out_.is_clear()) co_await server_out_.drain(times_.write);
  if (!client_out_.is_clear()) co_await client_out_.drain(times_.write);
  if (phase_ == Phase::kRunning && !client_out_.status()) {
    on_client_end(client_out_.status().error());
  }
  // A server that takes no more may have said why: it is read on, see check_times().
}

Task<void> Relay::conclude(std::shared_ptr<Relay> self) {
  if (!server_out_.is_clear()) co_await server_out_.drain(kConcludeDeadline);
  // A write of the other pump may be under way with a longer deadline.
  client_->set_idle_deadline(kConcludeDeadline);
  if (!client_out_.is_clear()) co_await client_out_.drain(kConcludeDeadline);
  if (phase_ != Phase::kConcluding) co_return;
  // A close with bytes unread would reset the connection, and the client would lose the last
  // message; so it is asked to close first.
  client_->shutdown_write();
  client_->set_idle_deadline(kLingerDeadline);
  server_->close();
  phase_ = Phase::kLingering;
  changed_.notify_all();
}

/// Reads on until the client has closed, and throws it away.
Task<void> Relay::linger() {
  while (phase_ == Phase::kConcluding) co_await changed_.wait();
  std::size_t thrown_away = 0;
  while (phase_ == Phase::kLingering && thrown_away < kLingerBytesMax) {
    const auto count = co_await client_->read_some(client_buffer_);
    if (!count) break;
    thrown_away += *count;
  }
}

void Relay::on_client_end(const Error& error) {
  if (error.code != Code::kClosed) metrics_->error(error.code);
  Io io;
  session_->client_closed(io);
  take(io);
  if (phase_ != Phase::kRunning) return;
  if (!client_out_.status() || error.code != Code::kClosed) return abort();
  // As if the client spoke to the server itself: it hears the end of the stream and ends.
  server_->shutdown_write();
  server_->set_idle_deadline(kHalfClosedDeadline);
}

void Relay::on_server_end(const Error& error) {
  if (error.code != Code::kClosed) metrics_->error(error.code);
  Io io;
  session_->server_closed(io);
  io.finished = true;
  take(io);
}

void Relay::take_detached(Io& io) {
  if (phase_ != Phase::kRunning || take(io) || phase_ != Phase::kRunning) return;
  loop_->spawn("session, writing", drain_all(shared_from_this()));
}

Task<void> Relay::drain_all(std::shared_ptr<Relay> self) { co_await settle(); }

void Relay::fault() {
  metrics_->error(Code::kInternal);
  loop_->log().write(Level::kError, "a session ended by a fault of the program");
  abort();
}

void Relay::on_tick(std::int64_t now_ms) {
  if (session_ == nullptr || phase_ != Phase::kRunning) return;
  try {
    Io io;
    session_->tick(io);
    take_detached(io);
    if (phase_ == Phase::kRunning) check_times(now_ms);
  } catch (const std::exception&) {
    fault();
  }
}

void Relay::check_times(std::int64_t now_ms) {
  if (!server_out_.status() && ++failed_ticks_ > kLingerDeadline / runtime::kTick) return abort();
  if (!signed_in_) {
    if (now_ms - since_ms_ < times_.sign_in.count()) return;
    metrics_->error(Code::kTimeout);
    auto report = pgwire::report_of({Code::kTimeout, "sign-in"});
    report.severity = "FATAL";
    return end_with(report);
  }
  if (times_.idle.count() == 0) return;
  if (active_ || !session_->is_idle()) {
    active_ = false;
    since_ms_ = now_ms;
  } else if (now_ms - since_ms_ >= times_.idle.count()) {
    end_with({.severity = "FATAL",
              .sqlstate = "57P05",
              .message = "terminating connection due to the gateway's idle-timeout",
              .hint = "connect again"});
  }
}

void Relay::resumed() {
  if (session_ == nullptr || phase_ != Phase::kRunning) return;
  try {
    Io io;
    session_->resume(io);
    take_detached(io);
    if (!session_->holds_client()) changed_.notify_all();
    if (stopping_) stop_if_idle();
  } catch (const std::exception&) {
    fault();
  }
}

void Relay::begin_stop() {
  stopping_ = true;
  stop_if_idle();
}

void Relay::stop_if_idle() {
  if (session_ == nullptr || phase_ != Phase::kRunning || !session_->is_idle()) return;
  end_with({.severity = "FATAL",
            .sqlstate = "57P01",
            .message = "terminating connection due to administrator command: the gateway stops",
            .hint = "connect again"});
}

void Relay::end_with(const pgwire::ErrorReport& report) {
  Io io;
  pgwire::write_error(io.to_client, report);
  io.finished = true;
  take(io);
}

void Relay::abort() {
  if (phase_ == Phase::kEnded) return;
  phase_ = Phase::kEnded;
  client_->close();
  server_->close();
  changed_.notify_all();
}

}  // namespace theriac::gateway
