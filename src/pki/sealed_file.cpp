#include "pki/sealed_file.hpp"

#include <openssl/cms.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include <memory>

namespace theriac::pki {
namespace {

constexpr int kRsaBitsMin = 2048;

template <auto free_it>
struct Free {
  template <typename T>
  void operator()(T* one) const {
    free_it(one);
  }
};
using Bio = std::unique_ptr<BIO, Free<BIO_free_all>>;
using Cms = std::unique_ptr<CMS_ContentInfo, Free<CMS_ContentInfo_free>>;
using Store = std::unique_ptr<X509_STORE, Free<X509_STORE_free>>;
using StoreContext = std::unique_ptr<X509_STORE_CTX, Free<X509_STORE_CTX_free>>;

tl::unexpected<Error> failed(Code code, const char* where) {
  ERR_clear_error();
  return fail(code, where);
}

Status check_key(EVP_PKEY* key) {
  if (key == nullptr) return failed(Code::kBadCertificate, "key");
  switch (EVP_PKEY_get_base_id(key)) {
    case EVP_PKEY_EC:
      return {};
    case EVP_PKEY_RSA:
      if (EVP_PKEY_get_bits(key) < kRsaBitsMin) return failed(Code::kBadCertificate, "RSA key");
      return {};
    default:
      return failed(Code::kUnsupported, "the certificate's key can only sign");
  }
}

/// The digests that OpenSSL takes without being told are SHA-1.
bool choose_parameters(CMS_RecipientInfo* recipient, EVP_PKEY* key) {
  EVP_PKEY_CTX* context = CMS_RecipientInfo_get0_pkey_ctx(recipient);
  if (context == nullptr) return false;
  if (EVP_PKEY_get_base_id(key) == EVP_PKEY_EC) {
    return EVP_PKEY_CTX_set_ecdh_kdf_md(context, EVP_sha256()) > 0;
  }
  return EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) > 0 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, EVP_sha256()) > 0 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, EVP_sha256()) > 0;
}

}  // namespace

Result<Certificate> certificate_of_der(ByteView der) {
  const auto* at = der.data();
  const std::unique_ptr<X509, Free<X509_free>> read(
      d2i_X509(nullptr, &at, static_cast<long>(der.size())));
  if (!read || at != der.data() + der.size()) return failed(Code::kBadCertificate, "certificate");
  return Certificate::share(read.get());
}

Status check_issued(const Certificate& certificate, const Certificate& authority,
                    std::int64_t now_ms) {
  const Store store(X509_STORE_new());
  const StoreContext context(X509_STORE_CTX_new());
  if (!store || !context || X509_STORE_add_cert(store.get(), authority.handle()) != 1 ||
      X509_STORE_CTX_init(context.get(), store.get(), certificate.handle(), nullptr) != 1) {
    return failed(Code::kInternal, "certificate store");
  }
  X509_STORE_CTX_set_time(context.get(), 0, static_cast<time_t>(now_ms / 1000));
  X509_STORE_CTX_set_purpose(context.get(), X509_PURPOSE_SSL_CLIENT);
  if (X509_verify_cert(context.get()) != 1) return failed(Code::kBadCertificate, "certificate");
  return {};
}

Result<Bytes> seal_file(ByteView plain, const Certificate& recipient) {
  EVP_PKEY* key = X509_get0_pubkey(recipient.handle());
  THERIAC_TRY(check_key(key));
  const Cms cms(CMS_AuthEnvelopedData_create_ex(EVP_aes_256_gcm(), nullptr, nullptr));
  const Bio in(BIO_new_mem_buf(plain.data(), static_cast<int>(plain.size())));
  const Bio out(BIO_new(BIO_s_mem()));
  if (!cms || !in || !out) return failed(Code::kInternal, "cms");
  auto* added = CMS_add1_recipient_cert(cms.get(), recipient.handle(), CMS_KEY_PARAM);
  if (added == nullptr || !choose_parameters(added, key) || CMS_set_detached(cms.get(), 0) != 1 ||
      CMS_final(cms.get(), in.get(), nullptr, CMS_BINARY) != 1 ||
      i2d_CMS_bio(out.get(), cms.get()) != 1) {
    return failed(Code::kInternal, "cms");
  }
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return bytes_of(std::string_view(data, static_cast<std::size_t>(size)));
}

Result<Bytes> open_file(ByteView sealed, const Certificate& recipient, const PrivateKey& key) {
  const auto* at = sealed.data();
  const Cms cms(d2i_CMS_ContentInfo(nullptr, &at, static_cast<long>(sealed.size())));
  if (!cms || at != sealed.data() + sealed.size() ||
      OBJ_obj2nid(CMS_get0_type(cms.get())) != NID_id_smime_ct_authEnvelopedData) {
    return failed(Code::kMalformed, "sealed file");
  }
  const Bio out(BIO_new(BIO_s_secmem()));
  if (!out) return failed(Code::kInternal, "cms");
  if (CMS_decrypt(cms.get(), key.handle(), recipient.handle(), nullptr, out.get(), 0) != 1) {
    return failed(Code::kNotAuthentic, "sealed file");
  }
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return bytes_of(std::string_view(data, static_cast<std::size_t>(size)));
}

}  // namespace theriac::pki
