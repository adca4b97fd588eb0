// The server leg: connecting to PostgreSQL, with TLS where it is asked for.
#pragma once

#include <memory>
#include <optional>

#include "pgwire/messages.hpp"
#include "runtime/socket.hpp"
#include "runtime/tls.hpp"

namespace theriac::gateway {

struct Upstream {
  runtime::Endpoint endpoint;
  std::optional<runtime::TlsContext> tls;  ///< none: plain (a Unix socket is always plain)
};

/// Code::kUpstream, kTimeout, kBadCertificate, kProtocol. `dialer` and `loop` outlive the stream.
runtime::Task<Result<std::unique_ptr<runtime::Stream>>> connect_upstream(runtime::Loop* loop,
                                                                         runtime::Dialer* dialer,
                                                                         Upstream upstream);

/// Sends a cancel request over a connection of its own and waits until the server has closed it,
/// which it does after the signal was sent.
runtime::Task<Status> forward_cancel(runtime::Loop* loop, runtime::Dialer* dialer,
                                     Upstream upstream, pgwire::CancelRequest request);

}  // namespace theriac::gateway
