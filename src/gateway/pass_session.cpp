#include "gateway/pass_session.hpp"

namespace theriac::gateway {

std::size_t PassSession::pass_from_client(ByteView bytes) {
  transaction_ = 0;
  std::uint64_t messages = 0;
  const auto passed = client_.follow(bytes, [&](char) { ++messages; }, [](std::uint8_t) {});
  metrics_->messages_from_client.add(messages);
  return passed;
}

std::size_t PassSession::pass_from_server(ByteView bytes) {
  std::uint64_t messages = 0;
  const auto passed = server_.follow(
      bytes,
      [&](char) {
        ++messages;
        transaction_ = 0;
      },
      [&](std::uint8_t status) { transaction_ = static_cast<char>(status); });
  metrics_->messages_from_server.add(messages);
  return passed;
}

void PassSession::from_client(ByteView, Io& io) {
  metrics_->error(Code::kProtocol);
  metrics_->refusals.add();
  // Only between two messages of the server does the client read this as a message.
  if (server_.at_boundary()) {
    auto report = pgwire::report_of({Code::kProtocol, "length of a message from the client"});
    report.severity = "FATAL";
    pgwire::write_error(io.to_client, report);
  }
  io.finished = true;
}

void PassSession::from_server(ByteView, Io& io) {
  metrics_->error(Code::kProtocol);
  auto report = pgwire::report_of({Code::kProtocol, "length of a message from the server"});
  report.severity = "FATAL";
  pgwire::write_error(io.to_client, report);
  io.finished = true;
}

void PassSession::client_closed(Io&) {}

void PassSession::server_closed(Io& io) { io.finished = true; }

void PassSession::tick(Io&) {}

bool PassSession::is_idle() const {
  return transaction_ == 'I' && server_.at_boundary() && client_.at_boundary();
}

}  // namespace theriac::gateway
