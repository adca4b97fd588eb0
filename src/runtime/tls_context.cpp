#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/stat.h>

#include <algorithm>

#include "runtime/tls.hpp"

namespace theriac::runtime {
namespace {

constexpr std::string_view kAlpn = "\x0apostgresql";

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in,
                unsigned int in_size, void*) {
  // Offered names stand one after the other, each with its length in front.
  for (unsigned int at = 0; at < in_size;) {
    const unsigned int size = 1U + in[at];
    if (size > in_size - at) break;
    if (size == kAlpn.size() &&
        std::equal(kAlpn.begin(), kAlpn.end(), text_of({in + at, size}).begin())) {
      *out = in + at + 1;
      *out_size = in[at];
      return SSL_TLSEXT_ERR_OK;
    }
    at += size;
  }
  return SSL_TLSEXT_ERR_NOACK;
}

Result<std::shared_ptr<SSL_CTX>> bare(const SSL_METHOD* method) {
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(method), SSL_CTX_free);
  if (context == nullptr || SSL_CTX_set_min_proto_version(context.get(), TLS1_3_VERSION) != 1) {
    return fail(Code::kInternal, "TLS context");
  }
  SSL_CTX_set_options(context.get(), SSL_OP_NO_TICKET | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context.get(), 0);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);
  return context;
}

}  // namespace

Result<TlsContext> TlsContext::server(const std::string& certificate_file,
                                      const std::string& key_file) {
  TlsContext made;
  THERIAC_ASSIGN(made.context_, bare(TLS_server_method()));
  struct stat about{};
  if (::stat(key_file.c_str(), &about) != 0) return fail(Code::kIo, key_file);
  if ((about.st_mode & (S_IROTH | S_IWOTH)) != 0) {
    return fail(Code::kBadCertificate, key_file + " can be read by everybody");
  }
  if (SSL_CTX_use_certificate_chain_file(made.context_.get(), certificate_file.c_str()) != 1) {
    return fail(Code::kBadCertificate, certificate_file);
  }
  if (SSL_CTX_use_PrivateKey_file(made.context_.get(), key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(made.context_.get()) != 1) {
    return fail(Code::kBadCertificate, key_file);
  }
  SSL_CTX_set_alpn_select_cb(made.context_.get(), select_alpn, nullptr);
  ERR_clear_error();
  return made;
}

Result<TlsContext> TlsContext::client(TlsVerify verify, const std::string& authority_file) {
  TlsContext made;
  made.verify_ = verify;
  THERIAC_ASSIGN(made.context_, bare(TLS_client_method()));
  if (verify == TlsVerify::kRequire) return made;
  if (SSL_CTX_load_verify_file(made.context_.get(), authority_file.c_str()) != 1) {
    ERR_clear_error();
    return fail(Code::kBadCertificate, authority_file);
  }
  SSL_CTX_set_verify(made.context_.get(), SSL_VERIFY_PEER, nullptr);
  return made;
}

}  // namespace theriac::runtime
