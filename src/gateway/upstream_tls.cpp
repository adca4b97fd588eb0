#include "gateway/upstream_tls.hpp"

#include <array>

#include "gateway/gateway_limits.hpp"

namespace theriac::gateway {

using runtime::Stream;
using runtime::Task;

Task<Result<std::unique_ptr<Stream>>> connect_upstream(runtime::Loop* loop, runtime::Dialer* dialer,
                                                       Upstream upstream) {
  auto connected = co_await dialer->connect(loop, upstream.endpoint, kConnectDeadline);
  if (!connected) co_return fail(connected.error());
  if (!upstream.tls || upstream.endpoint.is_unix()) co_return std::move(*connected);
  auto stream = std::move(*connected);
  stream->set_idle_deadline(kConnectDeadline);
  Bytes request;
  pgwire::write_ssl_request(request);
  if (const auto sent = co_await stream->write(request); !sent) co_return fail(sent.error());
  // Exactly one byte is read: whatever stood behind it unencrypted stays in the socket, where the
  // handshake finds it and fails (CVE-2021-23222).
  std::array<std::uint8_t, 1> answer{};
  const auto count = co_await stream->read_some(answer);
  if (!count) co_return fail(count.error());
  if (answer[0] != 'S') co_return fail(Code::kUpstream, "the server does not offer TLS");
  auto secured =
      co_await runtime::tls_connect(std::move(stream), *upstream.tls, upstream.endpoint.host);
  if (!secured) co_return fail(secured.error());
  (*secured)->set_idle_deadline(std::chrono::milliseconds::zero());
  co_return std::move(*secured);
}

Task<Status> forward_cancel(runtime::Loop* loop, runtime::Dialer* dialer, Upstream upstream,
                            pgwire::CancelRequest request) {
  auto stream = co_await connect_upstream(loop, dialer, std::move(upstream));
  if (!stream) co_return fail(stream.error());
  (*stream)->set_idle_deadline(kConnectDeadline);
  Bytes packet;
  pgwire::write_cancel(packet, request);
  if (const auto sent = co_await (*stream)->write(packet); !sent) co_return fail(sent.error());
  std::array<std::uint8_t, 64> ignored{};
  while (co_await (*stream)->read_some(ignored)) {
  }
  co_return Status{};
}

}  // namespace theriac::gateway
