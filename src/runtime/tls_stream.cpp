#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "runtime/limits.hpp"
#include "runtime/tls.hpp"

namespace theriac::runtime {
namespace {

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

/// RFC 5929, section 4: the certificate's hash, with the hash of its signature, but SHA-256 in
/// place of MD5 and SHA-1. Empty where the signature names none (Ed25519): no binding then.
Bytes end_point_of(X509* certificate) {
  if (certificate == nullptr) return {};
  int digest = NID_undef;
  if (OBJ_find_sigid_algs(X509_get_signature_nid(certificate), &digest, nullptr) != 1 ||
      digest == NID_undef) {
    ERR_clear_error();
    return {};
  }
  const EVP_MD* hash =
      digest == NID_md5 || digest == NID_sha1 ? EVP_sha256() : EVP_get_digestbynid(digest);
  Bytes binding(EVP_MAX_MD_SIZE);
  unsigned int size = 0;
  if (hash == nullptr || X509_digest(certificate, hash, binding.data(), &size) != 1) return {};
  binding.resize(size);
  return binding;
}

class TlsStream final : public Stream {
 public:
  TlsStream(std::unique_ptr<Stream> inner, const TlsContext& context)
      : inner_(std::move(inner)),
        ssl_(SSL_new(context.get())),
        in_(BIO_new(BIO_s_mem())),
        out_(BIO_new(BIO_s_mem())),
        received_(kTlsReadBytes) {
    THERIAC_ASSERT(ssl_ != nullptr && in_ != nullptr && out_ != nullptr);
    SSL_set_bio(ssl_.get(), in_, out_);  // takes both
  }

  SSL* ssl() { return ssl_.get(); }
  void feed(ByteView bytes) {
    if (!bytes.empty()) BIO_write(in_, bytes.data(), static_cast<int>(bytes.size()));
  }

  Task<Status> handshake() {
    while (true) {
      ERR_clear_error();
      const int result = SSL_do_handshake(ssl_.get());
      const int why = SSL_get_error(ssl_.get(), result);
      if (const auto flushed = co_await flush(); !flushed) co_return fail(flushed.error());
      if (result == 1) break;
      if (why != SSL_ERROR_WANT_READ) {
        const bool trust = SSL_get_verify_mode(ssl_.get()) != SSL_VERIFY_NONE &&
                           SSL_get_verify_result(ssl_.get()) != X509_V_OK;
        ERR_clear_error();
        co_return fail(trust ? Code::kBadCertificate : Code::kProtocol, "TLS handshake");
      }
      if (const auto more = co_await receive(); !more) co_return fail(more.error());
    }
    if (SSL_is_server(ssl_.get()) == 1) {
      binding_ = end_point_of(SSL_get_certificate(ssl_.get()));
    } else {
      const std::unique_ptr<X509, decltype(&X509_free)> peer(SSL_get1_peer_certificate(ssl_.get()),
                                                             &X509_free);
      binding_ = end_point_of(peer.get());
    }
    co_return Status{};
  }

  Task<Result<std::size_t>> read_some(MutableBytes into) override {
    while (true) {
      ERR_clear_error();
      std::size_t count = 0;
      const int result = SSL_read_ex(ssl_.get(), into.data(), into.size(), &count);
      const int why = SSL_get_error(ssl_.get(), result);
      // A key update is answered from here, unless a writer is at work and will take it along.
      if (BIO_ctrl_pending(out_) != 0 && !writing_) {
        if (const auto flushed = flush_now(); !flushed) co_return fail(flushed.error());
      }
      if (result == 1) co_return count;
      if (why == SSL_ERROR_ZERO_RETURN) co_return fail(Code::kClosed, "read");
      if (why != SSL_ERROR_WANT_READ) {
        ERR_clear_error();
        co_return fail(Code::kProtocol, "TLS record");
      }
      if (const auto more = co_await receive(); !more) co_return fail(more.error());
    }
  }

  Task<Status> write(ByteView from) override {
    while (true) {
      const auto taken = try_write(from);
      if (!taken) co_return fail(taken.error());
      from = from.subspan(*taken);
      if (from.empty()) co_return Status{};
      if (const auto flushed = co_await flush(); !flushed) co_return fail(flushed.error());
    }
  }

  Result<std::size_t> try_write(ByteView from) override {
    std::size_t done = 0;
    THERIAC_ASSIGN(bool clear, flush_now());
    if (!clear) return done;
    // These bytes were sealed into a record by an earlier call that could not send all of it.
    done = std::min(std::exchange(sealed_, 0), from.size());
    while (done < from.size()) {
      const auto piece = from.subspan(done, std::min(from.size() - done, kTlsRecordBytes));
      ERR_clear_error();
      std::size_t count = 0;
      if (SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &count) != 1 ||
          count != piece.size()) {
        ERR_clear_error();
        return fail(Code::kClosed, "write");
      }
      THERIAC_ASSIGN(clear, flush_now());
      if (!clear) {
        sealed_ = piece.size();
        break;
      }
      done += piece.size();
    }
    return done;
  }

  void shutdown_write() override {
    ERR_clear_error();
    SSL_shutdown(ssl_.get());
    ERR_clear_error();
    // If the close notice cannot go now the end of the stream says the same.
    static_cast<void>(flush_now());
    inner_->shutdown_write();
  }
  void close() override { inner_->close(); }
  void set_idle_deadline(std::chrono::milliseconds after) override {
    inner_->set_idle_deadline(after);
  }
  [[nodiscard]] Bytes channel_binding() const override { return binding_; }
  [[nodiscard]] Bytes peer_certificate() const override {
    const X509* peer = SSL_get0_peer_certificate(ssl_.get());
    const int size = peer == nullptr ? 0 : i2d_X509(peer, nullptr);
    if (size <= 0) return {};
    Bytes der(static_cast<std::size_t>(size));
    auto* at = der.data();
    i2d_X509(peer, &at);
    return der;
  }
  [[nodiscard]] bool is_tls() const override { return true; }
  [[nodiscard]] std::string peer() const override { return inner_->peer(); }

 private:
  Task<Status> receive() {
    const auto count = co_await inner_->read_some(received_);
    if (!count) co_return fail(count.error());
    feed(ByteView(received_).first(*count));
    co_return Status{};
  }

  void collect() {
    const auto waiting = BIO_ctrl_pending(out_);
    if (waiting == 0) return;
    const auto had = cipher_.size();
    cipher_.resize(had + waiting);
    BIO_read(out_, cipher_.data() + had, static_cast<int>(waiting));
  }

  /// True when nothing sealed is left to send.
  Result<bool> flush_now() {
    if (writing_) return false;
    collect();
    if (cipher_.empty()) return true;
    THERIAC_ASSIGN(const auto count, inner_->try_write(ByteView(cipher_).subspan(sent_)));
    sent_ += count;
    if (sent_ < cipher_.size()) return false;
    cipher_.clear();
    sent_ = 0;
    return true;
  }

  Task<Status> flush() {
    while (true) {
      const auto clear = flush_now();
      if (!clear) co_return fail(clear.error());
      if (*clear) co_return Status{};
      writing_ = true;
      const auto written = co_await inner_->write(ByteView(cipher_).subspan(sent_));
      writing_ = false;
      cipher_.clear();
      sent_ = 0;
      if (!written) co_return fail(written.error());
    }
  }

  std::unique_ptr<Stream> inner_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* in_;   // owned by ssl_
  BIO* out_;  // owned by ssl_
  Bytes received_;
  Bytes cipher_;            // sealed, not yet taken by the inner stream
  std::size_t sent_ = 0;    // of cipher_
  std::size_t sealed_ = 0;  // plaintext in cipher_ that try_write has not reported as taken
  bool writing_ = false;
  Bytes binding_;
};

bool is_address(const std::string& host) {
  ASN1_OCTET_STRING* address = a2i_IPADDRESS(host.c_str());
  ERR_clear_error();
  if (address == nullptr) return false;
  ASN1_OCTET_STRING_free(address);
  return true;
}

}  // namespace

Task<Result<std::unique_ptr<Stream>>> tls_accept(std::unique_ptr<Stream> inner, TlsContext context,
                                                 Bytes received, bool direct) {
  auto stream = std::make_unique<TlsStream>(std::move(inner), context);
  SSL_set_accept_state(stream->ssl());
  stream->feed(received);
  if (const auto done = co_await stream->handshake(); !done) co_return fail(done.error());
  const unsigned char* protocol = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(stream->ssl(), &protocol, &size);
  if (direct && size == 0) co_return fail(Code::kProtocol, "direct TLS without ALPN postgresql");
  co_return std::unique_ptr<Stream>(std::move(stream));
}

Task<Result<std::unique_ptr<Stream>>> tls_connect(std::unique_ptr<Stream> inner, TlsContext context,
                                                  std::string host) {
  auto stream = std::make_unique<TlsStream>(std::move(inner), context);
  SSL_set_connect_state(stream->ssl());
  const bool address = is_address(host);
  if (!address) SSL_set_tlsext_host_name(stream->ssl(), host.c_str());
  if (context.verify() == TlsVerify::kVerifyFull) {
    X509_VERIFY_PARAM* wanted = SSL_get0_param(stream->ssl());
    const int set = address ? X509_VERIFY_PARAM_set1_ip_asc(wanted, host.c_str())
                            : X509_VERIFY_PARAM_set1_host(wanted, host.c_str(), host.size());
    if (set != 1) co_return fail(Code::kUsage, "host name to verify");
  }
  if (const auto done = co_await stream->handshake(); !done) co_return fail(done.error());
  co_return std::unique_ptr<Stream>(std::move(stream));
}

}  // namespace theriac::runtime
