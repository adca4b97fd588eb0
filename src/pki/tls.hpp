// TLS 1.3 contexts for both ends of the internal channel, and the identity of the peer.
//
// Both ends present a certificate of the internal CA. The client does not compare host names: it
// wants the role `keyd`, which only the CA can give, so that the service may move hosts. No
// tickets, no resumption, no early data: every connection proves its certificate anew.
//
// Threading: a context may be used by many connections; replace it, do not change it.
#pragma once

#include <memory>

#include "pki/certificate.hpp"

struct ssl_ctx_st;
struct ssl_st;

namespace theriac::pki {

struct FreeContext {
  void operator()(ssl_ctx_st* context) const;
};
using Context = std::unique_ptr<ssl_ctx_st, FreeContext>;

/// Wants a client certificate. `authority` is the only root.
Result<Context> server_context(const Certificate& own, const PrivateKey& key,
                               const Certificate& authority);
Result<Context> client_context(const Certificate& own, const PrivateKey& key,
                               const Certificate& authority);

/// After the handshake: chain verified, inside its times at `now_ms` (the connection may be older
/// than the certificate's end), and with an identity. Code::kBadCertificate otherwise.
Result<Identity> peer_identity(const ssl_st* connection, std::int64_t now_ms);

/// Why a handshake failed, as far as this side knows: "expired", "foreign", "not yet valid",
/// "wrong purpose", "missing" for the peer's certificate, else empty.
std::string verify_failure(const ssl_st* connection);

/// The error of the last OpenSSL call on this thread, emptying its queue: an alert about
/// certificates from the peer is Code::kBadCertificate ("expired", "foreign", ...), a refused
/// certificate of the peer too, anything else Code::kProtocol.
Error last_tls_error(const ssl_st* connection);

}  // namespace theriac::pki
