// TLS 1.3 over any Stream, for the PostgreSQL legs of the gateway and for HTTP (the internal
// channel to the key service has its own, pki/tls.hpp). Records pass through memory, so that it
// also runs in simulation. No tickets, no resumption, no early data, no renegotiation.
//
// Errors: Code::kBadCertificate (the peer's does not verify, ours cannot be read), kProtocol (not
// TLS, or a broken record), kClosed, kTimeout.
// Threading: a context may be shared by all loops; a stream belongs to its loop.
#pragma once

#include <memory>
#include <string>

#include "runtime/transport.hpp"

struct ssl_ctx_st;

namespace theriac::runtime {

/// What a client demands of the server's certificate; the words of libpq's sslmode.
enum class TlsVerify : std::uint8_t { kRequire, kVerifyCa, kVerifyFull };

/// The application protocol (ALPN, RFC 7301). A server of kHttp11, which takes http/1.0 too, ends
/// the handshake with a client that offers only others, so that no other protocol's is led here.
enum class TlsProtocol : std::uint8_t { kPostgresql, kHttp11 };

struct TlsServerOptions {
  std::string certificate_file;  ///< PEM, the chain after the certificate
  std::string key_file;          ///< PEM; not to be read by others than owner and group
  TlsProtocol protocol = TlsProtocol::kPostgresql;
  /// PEM; clients are asked for a certificate by one of these. Empty: they are not asked.
  std::string client_authority_file;
  /// Without one the handshake ends.
  bool client_required = false;
  bool allow_tls12 = false;
};

struct TlsClientOptions {
  TlsVerify verify = TlsVerify::kVerifyFull;
  std::string authority_file;    ///< PEM; wanted except for kRequire
  std::string certificate_file;  ///< PEM; empty: none is shown to the server
  std::string key_file;
  bool offer_http11 = false;
};

class TlsContext {
 public:
  static Result<TlsContext> server(const TlsServerOptions& options);
  static Result<TlsContext> client(const TlsClientOptions& options);
  /// PEM files. The key must not be readable by others than owner and group.
  static Result<TlsContext> server(const std::string& certificate_file,
                                   const std::string& key_file);
  /// `authority_file` is wanted except for kRequire, which encrypts without knowing to whom.
  static Result<TlsContext> client(TlsVerify verify, const std::string& authority_file);
  [[nodiscard]] ssl_ctx_st* get() const { return context_.get(); }
  [[nodiscard]] TlsVerify verify() const { return verify_; }

 private:
  std::shared_ptr<ssl_ctx_st> context_;
  TlsVerify verify_ = TlsVerify::kRequire;
};

/// Server side of the handshake. `received`: bytes of the client that were read already (direct
/// TLS). Direct TLS demands the protocol name "postgresql" (ALPN), as PostgreSQL 17 does.
Task<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<Stream> inner, TlsContext context,
                                                 Bytes received, bool direct);
/// Client side. `host`: the name or address that kVerifyFull compares with the certificate.
Task<Result<std::unique_ptr<Stream>>> tls_connect(std::unique_ptr<Stream> inner, TlsContext context,
                                                  std::string host);

}  // namespace theriac::runtime
