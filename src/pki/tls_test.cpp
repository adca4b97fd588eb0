// Handshakes in memory: two ends, two pairs of buffers, no sockets.
#include "pki/tls.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

#include "base/clock.hpp"
#include "crypto/random.hpp"

namespace theriac::pki {
namespace {

struct Party {
  PrivateKey key;
  Certificate certificate;
};

struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};

class TlsTest : public testing::Test {
 protected:
  crypto::SystemRandom random_;
  // OpenSSL verifies against the real clock, so these tests live in the present.
  std::int64_t now_ = SystemClock().wall_ms();
  Authority ours_ = Authority::create("ours", now_, random_);
  Authority theirs_ = Authority::create("theirs", now_, random_);

  Party party(const Authority& authority, Role role, std::int64_t made_ms) {
    auto key = PrivateKey::generate();
    auto made = authority.issue({"name", role, "demo", kDayMs}, key, made_ms, random_);
    THERIAC_ASSERT(made.has_value());
    return {std::move(key), std::move(*made)};
  }
  Party server() { return party(ours_, Role::kKeyd, now_); }

  struct Outcome {
    bool server_done = false;
    bool client_done = false;
    std::string server_says;                  ///< verify_failure on the server
    Error client_error{Code::kInternal, ""};  ///< what the client's first read said
    Result<Identity> seen_by_server = fail(Code::kInternal);
    Result<Identity> seen_by_client = fail(Code::kInternal);
  };

  Outcome meet(const Party& server, const Party* client, const Authority& client_trusts) {
    auto server_side = server_context(server.certificate, server.key, ours_.certificate());
    THERIAC_ASSERT(server_side.has_value());
    Context client_side(nullptr);
    if (client != nullptr) {
      auto made = client_context(client->certificate, client->key, client_trusts.certificate());
      THERIAC_ASSERT(made.has_value());
      client_side = std::move(*made);
    } else {
      client_side.reset(SSL_CTX_new(TLS_client_method()));
      SSL_CTX_set_verify(client_side.get(), SSL_VERIFY_NONE, nullptr);
    }
    const std::unique_ptr<SSL, FreeSsl> s(SSL_new(server_side->get()));
    const std::unique_ptr<SSL, FreeSsl> c(SSL_new(client_side.get()));
    BIO* a = nullptr;
    BIO* b = nullptr;
    THERIAC_ASSERT(BIO_new_bio_pair(&a, 0, &b, 0) == 1);
    SSL_set_bio(s.get(), a, a);
    SSL_set_bio(c.get(), b, b);
    SSL_set_accept_state(s.get());
    SSL_set_connect_state(c.get());
    Outcome outcome;
    for (int round = 0; round < 10; ++round) {
      ERR_clear_error();
      outcome.client_done = SSL_do_handshake(c.get()) == 1;
      ERR_clear_error();
      outcome.server_done = SSL_do_handshake(s.get()) == 1;
    }
    outcome.server_says = verify_failure(s.get());
    ERR_clear_error();
    char byte = 0;
    if (SSL_read(c.get(), &byte, 1) <= 0) outcome.client_error = last_tls_error(c.get());
    if (outcome.server_done) outcome.seen_by_server = peer_identity(s.get(), now_);
    if (outcome.client_done) outcome.seen_by_client = peer_identity(c.get(), now_);
    version_ = SSL_get_version(c.get());
    if (outcome.server_done) late_ = peer_identity(s.get(), now_ + 2 * kDayMs);
    return outcome;
  }
  std::string version_;
  Result<Identity> late_ = fail(Code::kInternal);
};

TEST_F(TlsTest, BothKnowEachOther) {
  const auto client = party(ours_, Role::kGateway, now_);
  const auto outcome = meet(server(), &client, ours_);
  ASSERT_TRUE(outcome.seen_by_server);
  ASSERT_TRUE(outcome.seen_by_client);
  EXPECT_EQ(*outcome.seen_by_server, *client.certificate.identity());
  EXPECT_EQ(outcome.seen_by_client->role, Role::kKeyd);
  EXPECT_EQ(version_, "TLSv1.3");
  EXPECT_EQ(outcome.server_says, "");
}

TEST_F(TlsTest, AConnectionDoesNotOutliveItsCertificate) {
  const auto client = party(ours_, Role::kGateway, now_);
  ASSERT_TRUE(meet(server(), &client, ours_).seen_by_server);
  EXPECT_EQ(late_.error(), (Error{Code::kBadCertificate, "expired"}));
}

TEST_F(TlsTest, ExpiredClientIsRefusedAndToldWhy) {
  const auto client = party(ours_, Role::kGateway, now_ - 2 * kDayMs);
  const auto outcome = meet(server(), &client, ours_);
  EXPECT_FALSE(outcome.server_done);
  EXPECT_EQ(outcome.server_says, "expired");
  EXPECT_EQ(outcome.client_error, (Error{Code::kBadCertificate, "our certificate has expired"}));
}

TEST_F(TlsTest, ClientFromTomorrowIsRefused) {
  const auto client = party(ours_, Role::kGateway, now_ + kDayMs);
  const auto outcome = meet(server(), &client, ours_);
  EXPECT_FALSE(outcome.server_done);
  EXPECT_EQ(outcome.server_says, "not yet valid");
  EXPECT_EQ(outcome.client_error.code, Code::kBadCertificate);
}

TEST_F(TlsTest, ForeignClientIsRefused) {
  const auto client = party(theirs_, Role::kGateway, now_);
  const auto outcome = meet(server(), &client, ours_);
  EXPECT_FALSE(outcome.server_done);
  EXPECT_EQ(outcome.server_says, "foreign");
  EXPECT_EQ(outcome.client_error.code, Code::kBadCertificate);
}

TEST_F(TlsTest, ServersCertificateIsNoClientsCertificate) {
  const auto client = party(ours_, Role::kKeyd, now_);
  const auto outcome = meet(server(), &client, ours_);
  EXPECT_FALSE(outcome.server_done);
  EXPECT_EQ(outcome.server_says, "wrong purpose");
}

TEST_F(TlsTest, ClientWithoutCertificateIsRefused) {
  const auto outcome = meet(server(), nullptr, ours_);
  EXPECT_FALSE(outcome.server_done);
  EXPECT_EQ(outcome.client_error, (Error{Code::kBadCertificate, "no certificate was presented"}));
}

TEST_F(TlsTest, ForeignServerIsRefusedByTheClient) {
  const auto client = party(theirs_, Role::kGateway, now_);
  const auto outcome = meet(server(), &client, theirs_);
  EXPECT_FALSE(outcome.client_done);
}

TEST_F(TlsTest, ClientsCertificateIsNoServersCertificate) {
  const auto client = party(ours_, Role::kGateway, now_);
  const auto impostor = party(ours_, Role::kGateway, now_);
  EXPECT_FALSE(meet(impostor, &client, ours_).client_done);
}

TEST_F(TlsTest, KeyAndCertificateMustFit) {
  const auto one = server();
  const auto two = server();
  EXPECT_EQ(server_context(one.certificate, two.key, ours_.certificate()).error().code,
            Code::kBadCertificate);
}

}  // namespace
}  // namespace theriac::pki
