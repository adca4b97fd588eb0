#include "pki/certificate.hpp"

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <array>
#include <vector>

#include "crypto/hash.hpp"

namespace theriac::pki {
namespace {

constexpr std::string_view kRoleUri = "urn:theriac:role:";
constexpr std::string_view kTenantUri = "urn:theriac:tenant:";
constexpr std::size_t kSerialBytes = 16;

struct FreeBio {
  void operator()(BIO* bio) const { BIO_free_all(bio); }
};
using Bio = std::unique_ptr<BIO, FreeBio>;
struct FreeRequest {
  void operator()(X509_REQ* request) const { X509_REQ_free(request); }
};
struct FreeExtension {
  void operator()(X509_EXTENSION* extension) const { X509_EXTENSION_free(extension); }
};
struct FreeNames {
  void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
};
struct FreeKey {
  void operator()(EVP_PKEY* key) const { EVP_PKEY_free(key); }
};
struct FreeNumber {
  void operator()(BIGNUM* number) const { BN_free(number); }
};
struct FreeText {
  void operator()(char* text) const { OPENSSL_free(text); }
};

tl::unexpected<Error> bad(std::string where) {
  ERR_clear_error();
  return fail(Code::kBadCertificate, std::move(where));
}

// No passphrase is ever asked for on a terminal.
int no_passphrase(char*, int, int, void*) { return -1; }

Result<Bio> reading(ByteView text) {
  if (text.empty() || text.size() > kPemBytesMax) return bad("PEM size");
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  THERIAC_ASSERT(bio != nullptr);
  return bio;
}

Bio writing() {
  Bio bio(BIO_new(BIO_s_secmem()));  // wiped when freed
  THERIAC_ASSERT(bio != nullptr);
  return bio;
}

std::string_view written(const Bio& bio) {
  char* at = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &at);
  return {at, static_cast<std::size_t>(size)};
}

bool is_p256(EVP_PKEY* key) {
  std::array<char, 32> group{};
  std::size_t size = 0;
  return key != nullptr && EVP_PKEY_is_a(key, "EC") == 1 &&
         EVP_PKEY_get_group_name(key, group.data(), group.size(), &size) == 1 &&
         std::string_view(group.data(), size) == SN_X9_62_prime256v1;
}

bool set_times(X509* certificate, std::int64_t from_ms, std::int64_t to_ms) {
  return ASN1_TIME_set(X509_getm_notBefore(certificate), from_ms / 1000) != nullptr &&
         ASN1_TIME_set(X509_getm_notAfter(certificate), to_ms / 1000) != nullptr;
}

bool set_name(X509_NAME* name, std::string_view common_name) {
  return X509_NAME_add_entry_by_txt(
             name, "CN", MBSTRING_UTF8,
             reinterpret_cast<const unsigned char*>(common_name.data()),  // NOLINT
             static_cast<int>(common_name.size()), -1, 0) == 1;
}

bool set_serial(X509* certificate, Random& random) {
  std::array<std::uint8_t, kSerialBytes> raw{};
  random.fill(raw);
  raw[0] = static_cast<std::uint8_t>((raw[0] & 0x7fU) | 0x40U);  // positive, always 16 bytes
  const std::unique_ptr<BIGNUM, FreeNumber> number(BN_bin2bn(raw.data(), raw.size(), nullptr));
  return number && BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(certificate)) != nullptr;
}

bool add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context{};
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const std::unique_ptr<X509_EXTENSION, FreeExtension> extension(
      X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(certificate, extension.get(), -1) == 1;
}

Result<std::int64_t> to_ms(const ASN1_TIME* time) {
  int days = 0;
  int seconds = 0;
  const std::unique_ptr<ASN1_TIME, decltype(&ASN1_TIME_free)> epoch(ASN1_TIME_set(nullptr, 0),
                                                                    &ASN1_TIME_free);
  if (!epoch || time == nullptr || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) {
    return bad("validity");
  }
  return (std::int64_t{days} * 86'400 + seconds) * 1000;
}

Result<std::string> common_name(const X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (at < 0 || X509_NAME_get_index_by_NID(subject, NID_commonName, at) >= 0) return bad("CN");
  const ASN1_STRING* value = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at));
  std::string name(
      text_of({ASN1_STRING_get0_data(value), static_cast<std::size_t>(ASN1_STRING_length(value))}));
  if (!is_valid_name(name)) return bad("CN");
  return name;
}

/// The one URI SAN that starts with `prefix`, without it.
Result<std::string> only_uri(const GENERAL_NAMES* names, std::string_view prefix) {
  std::string found;
  for (int i = 0; i < sk_GENERAL_NAME_num(names); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names, i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* uri = name->d.uniformResourceIdentifier;
    const auto text =
        text_of({ASN1_STRING_get0_data(uri), static_cast<std::size_t>(ASN1_STRING_length(uri))});
    if (!text.starts_with(prefix)) continue;
    if (!found.empty()) return bad("two SANs of one kind");
    found = text.substr(prefix.size());
  }
  if (!is_valid_name(found)) return bad("SAN");
  return found;
}

}  // namespace

void PrivateKey::Free::operator()(evp_pkey_st* key) const { EVP_PKEY_free(key); }
void Certificate::Free::operator()(x509_st* certificate) const { X509_free(certificate); }

PrivateKey PrivateKey::generate() {
  PrivateKey key(EVP_EC_gen(SN_X9_62_prime256v1));
  THERIAC_ASSERT(key.key_ != nullptr);
  return key;
}

Result<PrivateKey> PrivateKey::from_pem(ByteView pem) {
  THERIAC_ASSIGN(const auto bio, reading(pem));
  PrivateKey key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
  if (!is_p256(key.handle())) return bad("private key");
  return key;
}

SecretBytes PrivateKey::to_pem() const {
  const auto bio = writing();
  THERIAC_ASSERT(
      PEM_write_bio_PrivateKey(bio.get(), key_.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1);
  return SecretBytes(view_of(written(bio)));
}

Result<Certificate> Certificate::from_pem(std::string_view pem) {
  THERIAC_ASSIGN(const auto bio, reading(view_of(pem)));
  X509* raw = PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr);
  if (raw == nullptr) return bad("certificate");
  return Certificate(raw);
}

Certificate Certificate::share(x509_st* certificate) {
  THERIAC_ASSERT(X509_up_ref(certificate) == 1);
  return Certificate(certificate);
}

std::string Certificate::to_pem() const {
  const auto bio = writing();
  THERIAC_ASSERT(PEM_write_bio_X509(bio.get(), certificate_.get()) == 1);
  return std::string(written(bio));
}

std::string Certificate::fingerprint() const {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate_.get(), &der);
  THERIAC_ASSERT(size > 0);
  const auto digest = crypto::sha256({der, static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return to_hex(digest);
}

bool Certificate::matches(const PrivateKey& key) const {
  const bool same = X509_check_private_key(certificate_.get(), key.handle()) == 1;
  ERR_clear_error();
  return same;
}

Result<Identity> Certificate::identity() const {
  Identity identity;
  THERIAC_ASSIGN(identity.name, common_name(certificate_.get()));
  const std::unique_ptr<GENERAL_NAMES, FreeNames> names(static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate_.get(), NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return bad("SAN");
  THERIAC_ASSIGN(const auto role, only_uri(names.get(), kRoleUri));
  THERIAC_ASSIGN(identity.role, parse_role(role));
  THERIAC_ASSIGN(identity.tenant, only_uri(names.get(), kTenantUri));
  const ASN1_INTEGER* serial = X509_get0_serialNumber(certificate_.get());
  identity.serial =
      to_hex({ASN1_STRING_get0_data(serial), static_cast<std::size_t>(ASN1_STRING_length(serial))});
  identity.fingerprint = fingerprint();
  THERIAC_ASSIGN(identity.not_before_ms, to_ms(X509_get0_notBefore(certificate_.get())));
  THERIAC_ASSIGN(identity.not_after_ms, to_ms(X509_get0_notAfter(certificate_.get())));
  return identity;
}

std::string make_signing_request(const PrivateKey& key) {
  const std::unique_ptr<X509_REQ, FreeRequest> request(X509_REQ_new());
  THERIAC_ASSERT(request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
                 set_name(X509_REQ_get_subject_name(request.get()), "renewal") &&
                 X509_REQ_set_pubkey(request.get(), key.handle()) == 1 &&
                 X509_REQ_sign(request.get(), key.handle(), EVP_sha256()) > 0);
  const auto bio = writing();
  THERIAC_ASSERT(PEM_write_bio_X509_REQ(bio.get(), request.get()) == 1);
  return std::string(written(bio));
}

Authority Authority::create(std::string_view name, std::int64_t now_ms, Random& random) {
  auto key = PrivateKey::generate();
  X509* raw = X509_new();
  THERIAC_ASSERT(raw != nullptr);
  Certificate certificate(raw);
  const bool made = X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw, random) &&
                    set_times(raw, now_ms - kBackdateMs, now_ms + kAuthorityLifeMs) &&
                    set_name(X509_get_subject_name(raw), name) &&
                    set_name(X509_get_issuer_name(raw), name) &&
                    X509_set_pubkey(raw, key.handle()) == 1 &&
                    add_extension(raw, raw, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
                    add_extension(raw, raw, NID_key_usage, "critical,keyCertSign,cRLSign") &&
                    add_extension(raw, raw, NID_subject_key_identifier, "hash") &&
                    X509_sign(raw, key.handle(), EVP_sha256()) > 0;
  THERIAC_ASSERT(made);
  return {std::move(certificate), std::move(key)};
}

Result<Authority> Authority::load(std::string_view certificate_pem, ByteView key_pem) {
  THERIAC_ASSIGN(auto certificate, Certificate::from_pem(certificate_pem));
  THERIAC_ASSIGN(auto key, PrivateKey::from_pem(key_pem));
  if (!certificate.matches(key) || X509_check_ca(certificate.handle()) != 1) {
    return bad("authority");
  }
  return Authority(std::move(certificate), std::move(key));
}

Result<Certificate> Authority::issue(const IssueRequest& request, const PrivateKey& subject,
                                     std::int64_t now_ms, Random& random) const {
  return sign(request, subject.handle(), now_ms, random);
}

Result<Certificate> Authority::issue_for(const IssueRequest& request, std::string_view pem,
                                         std::int64_t now_ms, Random& random) const {
  THERIAC_ASSIGN(const auto bio, reading(view_of(pem)));
  const std::unique_ptr<X509_REQ, FreeRequest> asked(
      PEM_read_bio_X509_REQ(bio.get(), nullptr, no_passphrase, nullptr));
  if (!asked) return bad("signing request");
  EVP_PKEY* key = X509_REQ_get0_pubkey(asked.get());
  if (!is_p256(key) || X509_REQ_verify(asked.get(), key) != 1) return bad("signing request");
  return sign(request, key, now_ms, random);
}

Result<Certificate> Authority::sign(const IssueRequest& request, evp_pkey_st* subject,
                                    std::int64_t now_ms, Random& random) const {
  if (!is_valid_name(request.name)) return fail(Code::kUsage, "certificate name");
  if (!is_valid_name(request.tenant)) return fail(Code::kUsage, "tenant name");
  if (request.life_ms <= 0 || request.life_ms > kLeafLifeMsMax) {
    return fail(Code::kUsage, "certificate life");
  }
  THERIAC_ASSIGN(const auto own_end, to_ms(X509_get0_notAfter(certificate_.handle())));
  const std::int64_t end = std::min(own_end, now_ms + request.life_ms);
  if (end <= now_ms) return bad("the authority's own certificate has expired");

  X509* raw = X509_new();
  THERIAC_ASSERT(raw != nullptr);
  Certificate made(raw);
  X509* issuer = certificate_.handle();
  const std::string names = "URI:" + std::string(kRoleUri) + std::string(role_name(request.role)) +
                            ",URI:" + std::string(kTenantUri) + request.tenant;
  // A line is sent its numbers encrypted to its certificate (RFC 5753: ECDH with a static key).
  const auto* usage = request.role == Role::kTraceLine ? "critical,digitalSignature,keyAgreement"
                                                       : "critical,digitalSignature";
  const bool signed_well =
      X509_set_version(raw, X509_VERSION_3) == 1 && set_serial(raw, random) &&
      set_times(raw, now_ms - kBackdateMs, end) &&
      set_name(X509_get_subject_name(raw), request.name) &&
      X509_set_issuer_name(raw, X509_get_subject_name(issuer)) == 1 &&
      X509_set_pubkey(raw, subject) == 1 &&
      add_extension(raw, issuer, NID_basic_constraints, "critical,CA:FALSE") &&
      add_extension(raw, issuer, NID_key_usage, usage) &&
      add_extension(raw, issuer, NID_ext_key_usage,
                    request.role == Role::kKeyd ? "serverAuth" : "clientAuth") &&
      add_extension(raw, issuer, NID_subject_key_identifier, "hash") &&
      add_extension(raw, issuer, NID_authority_key_identifier, "keyid:always") &&
      add_extension(raw, issuer, NID_subject_alt_name, names) &&
      X509_sign(raw, key_.handle(), EVP_sha256()) > 0;
  if (!signed_well) return bad("signing");
  return made;
}

}  // namespace theriac::pki
