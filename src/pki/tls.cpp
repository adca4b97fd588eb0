#include "pki/tls.hpp"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>

namespace theriac::pki {
namespace {

Result<Context> common_context(const SSL_METHOD* method, const Certificate& own,
                               const PrivateKey& key, const Certificate& authority) {
  Context context(SSL_CTX_new(method));
  THERIAC_ASSERT(context != nullptr);
  SSL_CTX* raw = context.get();
  SSL_CTX_set_session_cache_mode(raw, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(raw, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
  SSL_CTX_clear_options(raw, SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_mode(raw, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                            SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  X509_STORE* store = SSL_CTX_get_cert_store(raw);
  const bool made =
      SSL_CTX_set_min_proto_version(raw, TLS1_3_VERSION) == 1 &&
      SSL_CTX_set_num_tickets(raw, 0) == 1 &&
      SSL_CTX_set_ciphersuites(raw, "TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256") == 1 &&
      SSL_CTX_set1_groups_list(raw, "X25519:P-256") == 1 &&
      X509_STORE_add_cert(store, authority.handle()) == 1;
  if (!made || SSL_CTX_use_certificate(raw, own.handle()) != 1 ||
      SSL_CTX_use_PrivateKey(raw, key.handle()) != 1 || SSL_CTX_check_private_key(raw) != 1) {
    ERR_clear_error();
    return fail(Code::kBadCertificate, "certificate and key do not belong together");
  }
  SSL_CTX_set_verify(raw, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_verify_depth(raw, 1);
  return context;
}

std::string name_of_verify_result(long result) {
  switch (result) {
    case X509_V_OK:
      return {};
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return "expired";
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return "not yet valid";
    case X509_V_ERR_INVALID_PURPOSE:
      return "wrong purpose";
    default:
      return "foreign";
  }
}

// TLS alert descriptions of RFC 8446, section 6.2, that speak of our certificate.
std::string name_of_alert(int reason) {
  switch (reason) {
    case SSL_R_SSLV3_ALERT_CERTIFICATE_EXPIRED:
      return "our certificate has expired";
    case SSL_R_TLSV1_ALERT_UNKNOWN_CA:
      return "our certificate is foreign to the key service";
    case SSL_R_SSLV3_ALERT_BAD_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_REVOKED:
    case SSL_R_SSLV3_ALERT_CERTIFICATE_UNKNOWN:
    case SSL_R_TLSV1_ALERT_ACCESS_DENIED:
      return "our certificate was refused";
    case SSL_R_TLSV13_ALERT_CERTIFICATE_REQUIRED:
      return "no certificate was presented";
    default:
      return {};
  }
}

}  // namespace

void FreeContext::operator()(ssl_ctx_st* context) const { SSL_CTX_free(context); }

Result<Context> server_context(const Certificate& own, const PrivateKey& key,
                               const Certificate& authority) {
  THERIAC_ASSIGN(auto context, common_context(TLS_server_method(), own, key, authority));
  SSL_CTX_set_max_early_data(context.get(), 0);
  // Tells clients which CA is meant.
  if (SSL_CTX_add_client_CA(context.get(), authority.handle()) != 1) {
    return fail(Code::kBadCertificate, "authority");
  }
  return context;
}

Result<Context> client_context(const Certificate& own, const PrivateKey& key,
                               const Certificate& authority) {
  return common_context(TLS_client_method(), own, key, authority);
}

Result<Identity> peer_identity(const ssl_st* connection, std::int64_t now_ms) {
  X509* raw = SSL_get0_peer_certificate(connection);
  if (raw == nullptr) return fail(Code::kBadCertificate, "missing");
  if (const auto reason = name_of_verify_result(SSL_get_verify_result(connection));
      !reason.empty()) {
    return fail(Code::kBadCertificate, reason);
  }
  THERIAC_ASSIGN(auto identity, Certificate::share(raw).identity());
  if (now_ms >= identity.not_after_ms) return fail(Code::kBadCertificate, "expired");
  if (now_ms < identity.not_before_ms) return fail(Code::kBadCertificate, "not yet valid");
  return identity;
}

std::string verify_failure(const ssl_st* connection) {
  if (SSL_get0_peer_certificate(connection) == nullptr &&
      SSL_get_verify_result(connection) == X509_V_OK) {
    return {};
  }
  return name_of_verify_result(SSL_get_verify_result(connection));
}

Error last_tls_error(const ssl_st* connection) {
  std::string reason;
  bool missing = false;
  for (unsigned long error = ERR_get_error(); error != 0; error = ERR_get_error()) {
    if (ERR_GET_LIB(error) != ERR_LIB_SSL) continue;
    if (reason.empty()) reason = name_of_alert(ERR_GET_REASON(error));
    missing = missing || ERR_GET_REASON(error) == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE;
  }
  if (!reason.empty()) return {Code::kBadCertificate, reason};
  if (missing) return {Code::kBadCertificate, "missing"};
  if (connection != nullptr) {
    if (auto failure = verify_failure(connection); !failure.empty()) {
      return {Code::kBadCertificate, "the peer's certificate: " + failure};
    }
  }
  return {Code::kProtocol, "TLS"};
}

}  // namespace theriac::pki
