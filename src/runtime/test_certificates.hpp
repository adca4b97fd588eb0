// Certificates for tests, made with OpenSSL into a folder of their own.
#pragma once

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <memory>
#include <string>

namespace theriac::runtime {

class TestCertificates {
 public:
  TestCertificates() {
    std::string pattern = (std::filesystem::temp_directory_path() / "theriac-tls-XXXXXX").string();
    folder_ = ::mkdtemp(pattern.data());
  }
  TestCertificates(const TestCertificates&) = delete;
  TestCertificates& operator=(const TestCertificates&) = delete;
  ~TestCertificates() {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }

  /// Self-signed, valid for an hour; `names` as "DNS:localhost,IP:127.0.0.1". Writes NAME.crt and
  /// NAME.key.
  void make(const std::string& name, const char* names) {
    const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"),
                                                                  EVP_PKEY_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), X509_free);
    X509* c = certificate.get();
    X509_set_version(c, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(c), 1);
    X509_gmtime_adj(X509_getm_notBefore(c), -60);
    X509_gmtime_adj(X509_getm_notAfter(c), 3600);
    X509_set_pubkey(c, key.get());
    X509_NAME* subject = X509_get_subject_name(c);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8,
                               reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    X509_set_issuer_name(c, subject);
    X509V3_CTX context;
    X509V3_set_ctx(&context, c, c, nullptr, nullptr, 0);
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, NID_subject_alt_name, names);
    X509_add_ext(c, extension, -1);
    X509_EXTENSION_free(extension);
    X509_sign(c, key.get(), EVP_sha256());
    write(certificate_of(name), [&](FILE* f) { PEM_write_X509(f, c); });
    write(key_of(name), [&](FILE* f) {
      PEM_write_PrivateKey(f, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    });
    ::chmod(key_of(name).c_str(), 0600);
  }
  [[nodiscard]] std::string certificate_of(const std::string& name) const {
    return folder_ + "/" + name + ".crt";
  }
  [[nodiscard]] std::string key_of(const std::string& name) const {
    return folder_ + "/" + name + ".key";
  }
  [[nodiscard]] const std::string& folder() const { return folder_; }

 private:
  template <typename Body>
  static void write(const std::string& path, Body body) {
    const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
    body(file.get());
  }
  std::string folder_;
};

}  // namespace theriac::runtime
