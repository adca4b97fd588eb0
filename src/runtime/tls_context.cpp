#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/tls.hpp"

namespace theriac::runtime {
namespace {

// With the length in front, as RFC 7301, section 3.1, sends them.
constexpr std::string_view kPostgresql = "\x0apostgresql";
constexpr std::string_view kHttp11 = "\x08http/1.1";
constexpr std::string_view kHttp10 = "\x08http/1.0";

/// True, and the choice in `out`, if `name` is among what the client offers.
bool select(std::string_view name, ByteView offered, const unsigned char** out,
            unsigned char* out_size) {
  for (std::size_t at = 0; at < offered.size();) {
    const std::size_t size = 1U + offered[at];
    if (size > offered.size() - at) break;
    if (text_of(offered.subspan(at, size)) == name) {
      *out = offered.data() + at + 1;
      *out_size = offered[at];
      return true;
    }
    at += size;
  }
  return false;
}

int select_postgresql(SSL*, const unsigned char** out, unsigned char* out_size,
                      const unsigned char* in, unsigned int in_size, void*) {
  return select(kPostgresql, {in, in_size}, out, out_size) ? SSL_TLSEXT_ERR_OK
                                                           : SSL_TLSEXT_ERR_NOACK;
}

int select_http(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  const ByteView offered(in, in_size);
  return select(kHttp11, offered, out, out_size) || select(kHttp10, offered, out, out_size)
             ? SSL_TLSEXT_ERR_OK
             : SSL_TLSEXT_ERR_ALERT_FATAL;
}

Result<std::shared_ptr<SSL_CTX>> bare(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1) {
    return fail(Code::kInternal, "TLS context");
  }
  SSL_CTX_set_options(context.get(),
                      SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

Status use_certificate(SSL_CTX* context, const std::string& certificate_file,
                       const std::string& key_file) {
  struct stat about{};
  if (::stat(key_file.c_str(), &about) != 0) return fail(Code::kIo, key_file);
  if ((about.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return fail(Code::kBadCertificate, key_file + " can be read by everybody");
  }
  if (SSL_CTX_use_certificate_chain_file(context, certificate_file.c_str()) != 1) {
    return fail(Code::kBadCertificate, certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(context, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context) != 1) {
    return fail(Code::kBadCertificate, key_file);
  }
  return {};
}

Status trust(SSL_CTX* context, const std::string& authority_file) {
  if (SSL_CTX_load_verify_file(context, authority_file.c_str()) != 1) {
    return fail(Code::kBadCertificate, authority_file);
  }
  return {};
}

Status ask_clients(SSL_CTX* context, const TlsServerOptions& options) {
  if (options.client_authority_file.empty()) {
    if (options.client_required) return fail(Code::kUsage, "authority of client certificates");
    return {};
  }
  THERIAC_TRY(trust(context, options.client_authority_file));
  // The names tell a client which of its certificates to show.
  auto* names = SSL_load_client_CA_file(options.client_authority_file.c_str());
  if (names == nullptr) return fail(Code::kBadCertificate, options.client_authority_file);
  SSL_CTX_set_client_CA_list(context, names);
  const int required = options.client_required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER | required, nullptr);
  return {};
}

/// What OpenSSL noted about a failure is not ours to tell.
template <typename T>
T forget_errors(T result) {
  ERR_clear_error();
  return result;
}

}  // namespace

Result<TlsContext> TlsContext::server(const std::string& certificate_file,
                                      const std::string& key_file) {
  return server({.certificate_file = certificate_file, .key_file = key_file});
}

Result<TlsContext> TlsContext::client(TlsVerify verify, const std::string& authority_file) {
  return client({.verify = verify, .authority_file = authority_file});
}

Result<TlsContext> TlsContext::server(const TlsServerOptions& options) {
  TlsContext made;
  THERIAC_ASSIGN(made.context_, bare(TLS_server_method()));
  auto* context = made.context_.get();
  THERIAC_TRY(forget_errors(use_certificate(context, options.certificate_file, options.key_file)));
  THERIAC_TRY(forget_errors(ask_clients(context, options)));
  if (options.allow_tls12) {
    // Only what TLS 1.3 would accept too: ephemeral keys and authenticated encryption.
    if (SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
      return forget_errors(fail(Code::kInternal, "TLS context"));
    }
  }
  const bool http = options.protocol == TlsProtocol::kHttp11;
  SSL_CTX_set_alpn_select_cb(context, http ? select_http : select_postgresql, nullptr);
  return made;
}

Result<TlsContext> TlsContext::client(const TlsClientOptions& options) {
  TlsContext made;
  made.verify_ = options.verify;
  THERIAC_ASSIGN(made.context_, bare(TLS_client_method()));
  auto* context = made.context_.get();
  if (!options.certificate_file.empty()) {
    THERIAC_TRY(
        forget_errors(use_certificate(context, options.certificate_file, options.key_file)));
  }
  if (options.offer_http11) {
    const auto name = view_of(kHttp11);
    // Zero is success here.
    if (SSL_CTX_set_alpn_protos(context, name.data(), static_cast<unsigned>(name.size())) != 0) {
      return forget_errors(fail(Code::kInternal, "TLS context"));
    }
  }
  if (options.verify == TlsVerify::kRequire) return made;
  THERIAC_TRY(forget_errors(trust(context, options.authority_file)));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return made;
}

}  // namespace theriac::runtime
