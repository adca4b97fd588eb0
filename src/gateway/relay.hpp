// Drives one session: reads both streams, gives the bytes to the Session, writes what it answers.
// A side that does not take its bytes stops the reading that produces them (back pressure), and
// what is written to one side leaves in the order in which it was decided.
//
// Threading: one loop, except the Waker. Owned by shared_ptr: both pumps and the waker share it.
#pragma once

#include <memory>

#include "gateway/gateway_limits.hpp"
#include "gateway/gateway_metrics.hpp"
#include "gateway/session.hpp"
#include "pgwire/messages.hpp"
#include "runtime/loop.hpp"
#include "runtime/signal.hpp"

namespace theriac::gateway {

struct RelayTimes {
  std::chrono::milliseconds idle{0};  ///< signed in and nothing under way; zero: none
  std::chrono::milliseconds write = kWriteDeadline;
  std::chrono::milliseconds sign_in = kSignInDeadline;
};

/// What is to be written to one stream, in order.
class Outbox {
 public:
  explicit Outbox(runtime::Stream& stream) : stream_(&stream) {}
  /// Writes what goes at once and keeps the rest.
  void push(ByteView bytes);
  [[nodiscard]] bool is_clear() const { return !busy_ && waiting_.empty(); }
  /// Returns when everything pushed so far is written, or the stream failed.
  runtime::Task<void> drain(std::chrono::milliseconds within);
  [[nodiscard]] const Status& status() const { return status_; }

 private:
  runtime::Stream* stream_;
  Bytes waiting_, writing_;
  bool busy_ = false;
  Status status_;
  runtime::Signal cleared_;
};

class Relay final : public std::enable_shared_from_this<Relay>, private runtime::TickListener {
 public:
  Relay(runtime::Loop& loop, std::unique_ptr<runtime::Stream> client,
        std::unique_ptr<runtime::Stream> server, RelayTimes times, LoopMetrics& metrics);

  /// Thread-safe; see Session.
  [[nodiscard]] Waker waker();
  /// Runs the session to its end. `from_client`: read before and not yet looked at.
  runtime::Task<void> run(std::unique_ptr<Session> session, Bytes to_server, Bytes from_client);
  /// The gateway stops: an idle session ends with SQLSTATE 57P01, others when they become idle.
  void begin_stop();
  /// Ends it now.
  void abort();

 private:
  enum class Phase : std::uint8_t { kRunning, kConcluding, kLingering, kEnded };
  runtime::Task<void> pump_client();
  runtime::Task<void> read_client();
  runtime::Task<void> pump_server(std::shared_ptr<Relay> self);
  runtime::Task<void> read_server();
  runtime::Task<void> conclude(std::shared_ptr<Relay> self);
  runtime::Task<void> settle();
  runtime::Task<void> linger();
  runtime::Task<void> drain_all(std::shared_ptr<Relay> self);
  bool take(Io& io);
  void take_detached(Io& io);
  void on_client_end(const Error& error);
  void on_server_end(const Error& error);
  void stop_if_idle();
  void end_with(const pgwire::ErrorReport& report);
  void check_times(std::int64_t now_ms);
  void on_tick(std::int64_t now_ms) override;
  void resumed();
  void fault();

  runtime::Loop* loop_;
  std::unique_ptr<runtime::Stream> client_, server_;
  Outbox client_out_, server_out_;
  RelayTimes times_;
  LoopMetrics* metrics_;
  std::unique_ptr<Session> session_;
  Phase phase_ = Phase::kRunning;
  bool signed_in_ = false;
  bool stopping_ = false;
  bool active_ = true;         ///< the client sent something since the last tick
  std::int64_t since_ms_ = 0;  ///< begin of the sign-in, then of idleness
  int failed_ticks_ = 0;       ///< since the server stopped taking bytes
  bool server_pump_ended_ = false;
  runtime::Signal changed_;  ///< holds_client() may be over, a pump ended, or the phase moved
  Bytes client_buffer_, server_buffer_;
  Io client_io_, server_io_;
};

}  // namespace theriac::gateway
