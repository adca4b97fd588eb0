#include "pki/sealed_file.hpp"

#include <gtest/gtest.h>
#include <openssl/cms.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "base/clock.hpp"
#include "crypto/random.hpp"

namespace theriac::pki {
namespace {

struct Holder {
  std::shared_ptr<EVP_PKEY> key;
  Certificate certificate;
};

Holder self_signed(EVP_PKEY* raw) {
  const std::shared_ptr<EVP_PKEY> key(raw, EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> made(X509_new(), X509_free);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), -60);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), 3600);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), 7);
  X509_set_pubkey(made.get(), raw);
  const bool own_digest = EVP_PKEY_get_base_id(raw) == EVP_PKEY_ED25519;
  EXPECT_GT(X509_sign(made.get(), raw, own_digest ? nullptr : EVP_sha256()), 0);
  return {key, Certificate::share(made.get())};
}

std::optional<std::string> open(const Bytes& sealed, const Holder& holder) {
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> in(
      BIO_new_mem_buf(sealed.data(), static_cast<int>(sealed.size())), BIO_free_all);
  const std::unique_ptr<BIO, decltype(&BIO_free_all)> out(BIO_new(BIO_s_mem()), BIO_free_all);
  const std::unique_ptr<CMS_ContentInfo, decltype(&CMS_ContentInfo_free)> cms(
      d2i_CMS_bio(in.get(), nullptr), CMS_ContentInfo_free);
  if (!cms || CMS_decrypt(cms.get(), holder.key.get(), holder.certificate.handle(), nullptr,
                          out.get(), 0) != 1) {
    return std::nullopt;
  }
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

TEST(SealedFile, OpensWithTheKeyOfItsCertificateOnly) {
  const std::string plain(100'000, 's');
  for (const auto& holder : {self_signed(EVP_EC_gen("P-256")), self_signed(EVP_RSA_gen(2048))}) {
    auto sealed = seal_file(view_of(plain), holder.certificate);
    ASSERT_TRUE(sealed);
    EXPECT_EQ(text_of(*sealed).find("ssssssss"), std::string::npos);
    EXPECT_EQ(open(*sealed, holder), plain);
    EXPECT_EQ(open(*sealed, self_signed(EVP_EC_gen("P-256"))), std::nullopt);
    // Authenticated: a changed byte of the content is noticed.
    (*sealed)[sealed->size() / 2] ^= 1U;
    EXPECT_EQ(open(*sealed, holder), std::nullopt);
  }
}

TEST(SealedFile, KeysThatCannotReceiveAreRefused) {
  const auto signer = self_signed(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
  EXPECT_EQ(seal_file(view_of("x"), signer.certificate).error().code, Code::kUnsupported);
  const auto weak = self_signed(EVP_RSA_gen(1024));
  EXPECT_EQ(seal_file(view_of("x"), weak.certificate).error().code, Code::kBadCertificate);
}

TEST(SealedFile, RecipientsAreOfTheAuthority) {
  const SystemClock clock;
  crypto::SystemRandom random;
  const auto now = clock.wall_ms();
  const auto authority = Authority::create("ours", now, random);
  const auto other = Authority::create("theirs", now, random);
  const auto key = PrivateKey::generate();
  const auto line = authority.issue({"line-1", Role::kTraceLine, "demo"}, key, now, random);
  ASSERT_TRUE(line);
  EXPECT_TRUE(check_issued(*line, authority.certificate(), now));
  EXPECT_FALSE(check_issued(*line, other.certificate(), now));
  EXPECT_FALSE(check_issued(*line, authority.certificate(), now + 2 * kDayMs));
  EXPECT_FALSE(certificate_of_der(view_of("no certificate")));
}

}  // namespace
}  // namespace theriac::pki
