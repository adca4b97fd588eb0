// One connection of a server, from its first byte to its last: requests one after the other, in
// order; what is pipelined waits in buffers that are bounded. Runs on any Stream, so also in
// simulation.
//
// Ownership: lives in the frame of the coroutine that runs it (Shard). Threading: its loop.
#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include "http/body_in.hpp"
#include "http/service.hpp"

namespace theriac::http {

/// The Date field's value (RFC 9110, section 6.6.1), made once a second for a loop.
class DateField {
 public:
  const std::string& text(const Clock& clock);

 private:
  std::int64_t second_ = -1;
  std::string text_;
};

class Connection final : private BodyWriter {
 public:
  Connection(Service& service, DateField& date, runtime::Loop& loop,
             std::unique_ptr<runtime::Stream> stream, std::string address);
  /// Until the connection is over.
  runtime::Task<void> run();
  /// Ends after the reply that is under way, at once if there is none.
  void drain();
  /// Ends now.
  void cut() { stream_->close(); }

 private:
  using Steady = std::chrono::steady_clock;

  // Reading (connection_read.cpp).
  runtime::Task<bool> read_head();
  std::optional<Refusal> parse_head();
  std::optional<Response> admit();
  std::optional<Response> admit_method(Match& match);
  std::optional<Response> take_tokens(double cost);
  bool serves_host() const;
  runtime::Task<std::optional<Response>> read_body(std::size_t bytes_max);
  Response body_refused(const Error& error);
  [[nodiscard]] bool wants_more(bool begun);
  void say_goodbye();
  void end_request();

  // Handling (connection.cpp).
  runtime::Task<void> answer();
  runtime::Task<Response> work();
  runtime::Task<Response> work_async();
  Response run_handler();
  runtime::Task<void> refuse(Refusal why);
  void finished(int status);

  // Writing (connection_write.cpp).
  runtime::Task<void> send(Response response);
  /// True when all of the reply is on its way.
  bool send_at_once(Response& response);
  Status write_head(const Response& response);
  void write_default_fields(HeadWriter& head, const Response& response);
  runtime::Task<Status> produce(const Producer* producer);
  runtime::Task<Status> write_all(ByteView data);
  runtime::Task<Status> write(ByteView data) override;
  runtime::Task<void> linger();
  void write_failed(const Error& error);

  [[nodiscard]] bool stopping() const override { return draining_; }
  runtime::Loop& loop() override { return *loop_; }
  [[nodiscard]] const Limits& limits() const { return service_->limits(); }
  [[nodiscard]] Response problem(int status, std::string_view detail = {}) const;
  [[nodiscard]] Response problem(const Error& error) const;

  Service* service_;
  DateField* date_;
  runtime::Loop* loop_;
  std::unique_ptr<runtime::Stream> stream_;
  std::string address_;
  std::optional<ClientCertificate> certificate_;
  std::string client_key_;  // whose tokens are taken
  std::string id_;          // of the connection, random; requests are counted behind it
  std::uint64_t requests_ = 0;

  Bytes buffer_;            // head, then what came with it
  std::size_t filled_ = 0;  // of buffer_
  std::size_t head_size_ = 0;
  HeadScanner scanner_;
  RequestHead head_;  // views into buffer_

  // Of the request that is being answered.
  Request request_;
  const Route* route_ = nullptr;
  std::size_t route_index_ = Metrics::kNoRoute;
  std::optional<BodyIn> body_;
  Steady::time_point began_;
  std::uint64_t bytes_out_ = 0;
  Bytes out_;
  std::size_t sent_ = 0;  // of out_
  bool chunked_out_ = false;

  bool waiting_ = false;  // for the first byte of a request
  bool draining_ = false;
  bool closing_ = false;  // after the reply under way
  bool failed_ = false;   // no further reply can be sent
};

}  // namespace theriac::http
