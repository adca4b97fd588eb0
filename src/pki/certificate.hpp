// Private keys, certificates and the internal certification authority: ECDSA P-256 with SHA-256
// (RFC 5480), X.509 v3 (RFC 5280), over OpenSSL.
//
// Errors: Code::kBadCertificate for anything that does not parse or does not belong together.
// Ownership: values own their OpenSSL objects; copies of a Certificate share one (read-only).
// Threading: one object, one thread at a time; different objects are independent.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "base/secret.hpp"
#include "pki/identity.hpp"

struct evp_pkey_st;
struct x509_st;

namespace theriac::pki {

inline constexpr std::int64_t kDayMs = 24LL * 3600 * 1000;
/// A leaf's start is back-dated this far, for clocks that differ.
inline constexpr std::int64_t kBackdateMs = 60'000;
inline constexpr std::int64_t kAuthorityLifeMs = 3652 * kDayMs;
inline constexpr std::int64_t kLeafLifeMsMax = 397 * kDayMs;
inline constexpr std::size_t kPemBytesMax = 16 * 1024;

/// A P-256 private key. Move-only; OpenSSL wipes it.
class PrivateKey {
 public:
  static PrivateKey generate();
  /// Unencrypted PKCS#8 or SEC1 PEM; other curves and kinds are refused.
  static Result<PrivateKey> from_pem(ByteView pem);
  /// PKCS#8 PEM.
  [[nodiscard]] SecretBytes to_pem() const;
  [[nodiscard]] evp_pkey_st* handle() const { return key_.get(); }

 private:
  struct Free {
    void operator()(evp_pkey_st* key) const;
  };
  explicit PrivateKey(evp_pkey_st* key) : key_(key) {}
  std::unique_ptr<evp_pkey_st, Free> key_;
};

class Certificate {
 public:
  /// The first certificate of the text.
  static Result<Certificate> from_pem(std::string_view pem);
  /// Takes a reference of its own.
  static Certificate share(x509_st* certificate);
  [[nodiscard]] std::string to_pem() const;
  /// Name, exactly one role and one tenant, times. Says nothing about who signed it.
  [[nodiscard]] Result<Identity> identity() const;
  [[nodiscard]] std::string fingerprint() const;
  [[nodiscard]] bool matches(const PrivateKey& key) const;
  [[nodiscard]] x509_st* handle() const { return certificate_.get(); }

 private:
  friend class Authority;
  struct Free {
    void operator()(x509_st* certificate) const;
  };
  explicit Certificate(x509_st* certificate) : certificate_(certificate, Free{}) {}
  std::shared_ptr<x509_st> certificate_;  // read-only after it was made, hence shareable
};

/// A PKCS#10 request (RFC 2986) that only proves possession of the key: name and role come from the
/// identity the asker already has.
std::string make_signing_request(const PrivateKey& key);

struct IssueRequest {
  std::string name;
  Role role = Role::kAuditor;
  std::string tenant;
  std::int64_t life_ms = kDayMs;
};

class Authority {
 public:
  static Authority create(std::string_view common_name, std::int64_t now_ms, Random& random);
  static Result<Authority> load(std::string_view certificate_pem, ByteView key_pem);

  /// Code::kUsage for a bad name or a life of zero or beyond the limit; never beyond the
  /// authority's own end.
  Result<Certificate> issue(const IssueRequest& request, const PrivateKey& subject,
                            std::int64_t now_ms, Random& random) const;
  /// Code::kBadCertificate when the request's own signature does not hold or its key is not P-256.
  Result<Certificate> issue_for(const IssueRequest& request, std::string_view signing_request_pem,
                                std::int64_t now_ms, Random& random) const;

  [[nodiscard]] const Certificate& certificate() const { return certificate_; }
  [[nodiscard]] SecretBytes key_pem() const { return key_.to_pem(); }

 private:
  Authority(Certificate certificate, PrivateKey key)
      : certificate_(std::move(certificate)), key_(std::move(key)) {}
  Result<Certificate> sign(const IssueRequest& request, evp_pkey_st* subject, std::int64_t now_ms,
                           Random& random) const;
  Certificate certificate_;
  PrivateKey key_;
};

}  // namespace theriac::pki
