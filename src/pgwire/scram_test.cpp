#include "pgwire/scram.hpp"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "codec/base64.hpp"
#include "crypto/hash.hpp"
#include "crypto/testing.hpp"

namespace theriac::pgwire {
namespace {

using testing_support::SeededRandom;
using namespace std::string_literals;

Key256 key_of(const crypto::Digest& digest) {
  return Key256(std::span<const std::uint8_t, 32>(digest));
}
std::string base64_of(const Key256& key) { return codec::to_base64(TestSecretAccess::bytes(key)); }

/// RFC 5802 Hi(): PBKDF2 with one block.
Key256 salted_password(std::string_view password, ByteView salt, std::uint32_t iterations) {
  crypto::HmacKey mac(crypto::HashKind::kSha256, SecretBytes(view_of(password)));
  Bytes first(salt.begin(), salt.end());
  append_be(first, std::uint32_t{1});
  auto block = mac.mac(first);
  auto sum = block;
  for (std::uint32_t i = 1; i < iterations; ++i) {
    block = mac.mac(block);
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] ^= block[j];
  }
  return key_of(sum);
}

struct Account {
  ScramKeys keys;
  std::string rolpassword;
};
Account account(std::string_view password, ByteView salt, std::uint32_t iterations) {
  crypto::HmacKey salted(crypto::HashKind::kSha256, salted_password(password, salt, iterations));
  auto client = key_of(salted.mac(view_of("Client Key")));
  auto server = key_of(salted.mac(view_of("Server Key")));
  const auto stored = crypto::sha256(TestSecretAccess::bytes(client));
  auto text = fmt::format("SCRAM-SHA-256${}:{}${}:{}", iterations, codec::to_base64(salt),
                          codec::to_base64(stored), base64_of(server));
  return {{std::move(client), std::move(server)}, std::move(text)};
}
Account pencil() {
  return account("pencil", *codec::from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
}
ScramVerifier verifier() { return *parse_verifier(pencil().rolpassword); }

/// Gives the bytes whose base64 is the nonce an example prints.
class NonceRandom final : public Random {
 public:
  explicit NonceRandom(std::string_view base64) : bytes_(*codec::from_base64(base64)) {}
  void fill(MutableBytes out) override { std::copy_n(bytes_.begin(), out.size(), out.begin()); }

 private:
  Bytes bytes_;
};

// --- RFC 7677, section 3 -------------------------------------------------------------------------

constexpr std::string_view kClientFirst = "n,,n=user,r=rOprNGfwEbeRWgbNEkqO";
constexpr std::string_view kServerFirst =
    "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
constexpr std::string_view kClientFinal =
    "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,"
    "p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
constexpr std::string_view kServerFinal = "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";

/// RFC 5802, section 3, written out a second time.
std::string proof_of(const ScramKeys& keys, std::string_view message) {
  const auto client = TestSecretAccess::bytes(keys.client_key);
  const auto stored = key_of(crypto::sha256(client));
  auto proof = crypto::HmacKey(crypto::HashKind::kSha256, stored).mac(view_of(message));
  for (std::size_t i = 0; i < proof.size(); ++i) proof[i] ^= client[i];
  return codec::to_base64(proof);
}
std::string signature_of(const ScramKeys& keys, std::string_view message) {
  crypto::HmacKey mac(crypto::HashKind::kSha256, keys.server_key.clone());
  return codec::to_base64(mac.mac(view_of(message)));
}

TEST(Rfc7677, TheTestsOwnFormulasGiveTheExample) {
  const auto message = std::string(kClientFirst.substr(3)) + "," + std::string(kServerFirst) + "," +
                       std::string(kClientFinal.substr(0, kClientFinal.find(",p=")));
  EXPECT_EQ("p=" + proof_of(pencil().keys, message),
            kClientFinal.substr(kClientFinal.find(",p=") + 1));
  EXPECT_EQ("v=" + signature_of(pencil().keys, message), kServerFinal);
}

TEST(Rfc7677, ClientAnswersTheExamplesServer) {
  // As libpq, the client gives no name, and its nonce is longer than the example's.
  NonceRandom random("rOprNGfwEbeRWgbNEkqOAAAA");
  ScramClient client(pencil().keys, {}, random);
  EXPECT_EQ(client.first(), "n,,n=,r=rOprNGfwEbeRWgbNEkqOAAAA");
  const std::string server_first =
      "r=rOprNGfwEbeRWgbNEkqOAAAA%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096";
  const std::string without_proof =
      "c=biws,r=rOprNGfwEbeRWgbNEkqOAAAA%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0";
  const auto message = "n=,r=rOprNGfwEbeRWgbNEkqOAAAA," + server_first + "," + without_proof;
  EXPECT_EQ(client.final(server_first), without_proof + ",p=" + proof_of(pencil().keys, message));
  EXPECT_TRUE(client.verify("v=" + signature_of(pencil().keys, message)));
}

TEST(Rfc7677, ServerTakesTheExamplesClient) {
  NonceRandom random("hvYDpWUa2RaTCAfuxFIljhNl");
  ScramServer server(*parse_verifier(pencil().rolpassword), {}, false, random);
  const auto server_first = server.first("SCRAM-SHA-256", kClientFirst);
  EXPECT_EQ(server_first,
            "r=rOprNGfwEbeRWgbNEkqOhvYDpWUa2RaTCAfuxFIljhNl,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096");
  const std::string without_proof = "c=biws,r=rOprNGfwEbeRWgbNEkqOhvYDpWUa2RaTCAfuxFIljhNl";
  const auto message =
      std::string(kClientFirst.substr(3)) + "," + *server_first + "," + without_proof;
  EXPECT_EQ(server.final(without_proof + ",p=" + proof_of(pencil().keys, message)),
            "v=" + signature_of(pencil().keys, message));
}

// --- both halves together ------------------------------------------------------------------------

struct Exchange {
  ScramServer server;
  ScramClient client;
  Exchange(ScramVerifier stored, ScramKeys keys, Bytes server_binding, Bytes client_binding,
           Random& random, bool doomed = false)
      : server(std::move(stored), std::move(server_binding), doomed, random),
        client(std::move(keys), std::move(client_binding), random) {}

  Status run() {
    THERIAC_ASSIGN(const auto server_first, server.first(client.mechanism(), client.first()));
    THERIAC_ASSIGN(const auto client_final, client.final(server_first));
    THERIAC_ASSIGN(const auto server_final, server.final(client_final));
    return client.verify(server_final);
  }
};

TEST(Scram, OnePasswordSignsInOnBothLegs) {
  SeededRandom random(1);
  for (const auto& binding : {Bytes{}, bytes_of("certificate hash")}) {
    Exchange first(verifier(), pencil().keys, binding, binding, random);
    ASSERT_TRUE(first.run());
    auto recovered = first.server.keys();
    ASSERT_TRUE(recovered);
    EXPECT_EQ(recovered->client_key, pencil().keys.client_key);
    EXPECT_EQ(recovered->server_key, pencil().keys.server_key);
    // The second leg ends at another server with the same verifier and another certificate.
    const auto other = bytes_of("another certificate");
    Exchange second(verifier(), std::move(*recovered), other, other, random);
    EXPECT_TRUE(second.run());
  }
}

TEST(Scram, WrongKeysAreRefusedAndNothingIsRecovered) {
  SeededRandom random(2);
  auto other = account("pencil2", *codec::from_base64("W22ZaJ0SNY7soEsUEjb6gQ=="), 4096);
  Exchange wrong(verifier(), std::move(other.keys), {}, {}, random);
  const auto done = wrong.run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kNotAuthenticated);
  EXPECT_FALSE(wrong.server.keys());
}

TEST(Scram, DoomedIsRefusedEvenWithTheRightKeys) {
  SeededRandom random(3);
  Exchange doomed(verifier(), pencil().keys, {}, {}, random, true);
  const auto done = doomed.run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kNotAuthenticated);
  EXPECT_FALSE(doomed.server.keys());
}

TEST(Scram, MockLooksLikeAnAccountAndStaysTheSame) {
  const auto secret = testing_support::key256(7);
  const auto a = mock_verifier(secret, "anna"), again = mock_verifier(secret, "anna"),
             b = mock_verifier(secret, "berta");
  EXPECT_EQ(a.salt, again.salt);
  EXPECT_EQ(a.stored_key, again.stored_key);
  EXPECT_NE(a.salt, b.salt);
  EXPECT_NE(a.salt, mock_verifier(testing_support::key256(8), "anna").salt);
  EXPECT_EQ(a.salt.size(), 16U);
  EXPECT_EQ(a.iterations, 4096U);
  EXPECT_FALSE(a.stored_key == a.server_key);
}

TEST(Scram, BindingToAnotherCertificateIsRefused) {
  SeededRandom random(4);
  Exchange relayed(verifier(), pencil().keys, bytes_of("ours"), bytes_of("the attacker's"), random);
  const auto done = relayed.run();
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Code::kNotAuthenticated);
}

TEST(Scram, BindingMustFitTheMechanism) {
  const auto first = [](Bytes binding, std::string_view mechanism, std::string_view message) {
    SeededRandom random(5);
    ScramServer server(verifier(), std::move(binding), false, random);
    const auto made = server.first(mechanism, message);
    return made ? std::string("ok") : std::string(info_of(made.error().code).name);
  };
  const auto bound = bytes_of("hash");
  EXPECT_EQ(first(bound, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=abc"), "ok");
  EXPECT_EQ(first(bound, "SCRAM-SHA-256", "n,,n=,r=abc"), "ok");
  EXPECT_EQ(first({}, "SCRAM-SHA-256", "n,,n=,r=abc"), "ok");
  EXPECT_EQ(first({}, "SCRAM-SHA-256", "y,,n=,r=abc"), "ok");
  // RFC 5802, section 6: the client can bind and was told that we cannot.
  EXPECT_EQ(first(bound, "SCRAM-SHA-256", "y,,n=,r=abc"), "NotAuthenticated");
  EXPECT_EQ(first({}, "SCRAM-SHA-256-PLUS", "p=tls-server-end-point,,n=,r=abc"), "Protocol");
  EXPECT_EQ(first(bound, "SCRAM-SHA-256-PLUS", "n,,n=,r=abc"), "Protocol");
  EXPECT_EQ(first(bound, "SCRAM-SHA-256-PLUS", "y,,n=,r=abc"), "Protocol");
  EXPECT_EQ(first(bound, "SCRAM-SHA-256-PLUS", "p=tls-unique,,n=,r=abc"), "Protocol");
  EXPECT_EQ(first(bound, "SCRAM-SHA-256", "p=tls-server-end-point,,n=,r=abc"), "Protocol");
  EXPECT_EQ(first({}, "SCRAM-SHA-1", "n,,n=,r=abc"), "Protocol");
  EXPECT_EQ(first({}, "SCRAM-SHA-256", "n,a=admin,n=,r=abc"), "Unsupported");
  EXPECT_EQ(first({}, "SCRAM-SHA-256", "n,,m=ext,n=,r=abc"), "Unsupported");
}

TEST(Scram, MalformedClientFirstIsRefused) {
  for (const auto message :
       {"", "n", "n,", "n,,", "n,,n=", "n,,n=,", "n,,n=,r", "n,,n=,r=", "n,,r=abc", "x,,n=,r=abc",
        "n,,n=,r=a b", "n,,n=,r=a\x7f", "n,,n=,r=\xc3\xa9", "n,,n=,r=abc,1=x", "n,,n=,r=abc,xx",
        "nn,,n=,r=abc", "n,x,n=,r=abc", "p,,n=,r=abc"}) {
    SeededRandom random(6);
    ScramServer server(verifier(), {}, false, random);
    const auto made = server.first("SCRAM-SHA-256", message);
    ASSERT_FALSE(made) << message;
    EXPECT_EQ(made.error().code, Code::kProtocol) << message;
    EXPECT_FALSE(server.final(kClientFinal)) << "goes on after a failure";
  }
  SeededRandom random(6);
  ScramServer server(verifier(), {}, false, random);
  EXPECT_TRUE(server.first("SCRAM-SHA-256", "n,,n=,r=abc,x=optional,"));
  ScramServer other(verifier(), {}, false, random);
  const auto huge =
      other.first("SCRAM-SHA-256", "n,,n=,r=" + std::string(kScramMessageBytesMax, 'a'));
  ASSERT_FALSE(huge);
  EXPECT_EQ(huge.error().code, Code::kTooLarge);
}

/// A server that waits for client-final, and the right answer to it.
struct Waiting {
  SeededRandom random{7};
  ScramServer server{verifier(), {}, false, random};
  ScramClient client{pencil().keys, {}, random};
  std::string right;
  Waiting() { right = *client.final(*server.first("SCRAM-SHA-256", client.first())); }
  Code refused(const std::string& message) {
    const auto made = server.final(message);
    EXPECT_FALSE(made) << message;
    EXPECT_FALSE(server.keys());
    return made ? Code::kInternal : made.error().code;
  }
};

TEST(Scram, TamperedClientFinalIsRefused) {
  const auto right = Waiting().right;
  const auto proof = right.find(",p=");
  const auto nonce = right.find("r=") + 2;
  auto other_nonce = right;
  other_nonce[nonce] = other_nonce[nonce] == 'A' ? 'B' : 'A';
  EXPECT_EQ(Waiting().refused(other_nonce), Code::kProtocol);
  EXPECT_EQ(Waiting().refused(right.substr(0, proof) + "x" + right.substr(proof)), Code::kProtocol);
  EXPECT_EQ(Waiting().refused("c=eSws" + right.substr(6)), Code::kNotAuthenticated);
  EXPECT_EQ(Waiting().refused("c=" + right.substr(6)), Code::kNotAuthenticated);
  // An added extension is signed by nobody.
  EXPECT_EQ(Waiting().refused(right.substr(0, proof) + ",x=1" + right.substr(proof)),
            Code::kNotAuthenticated);
  EXPECT_EQ(Waiting().refused(""), Code::kProtocol);
  EXPECT_EQ(Waiting().refused(right.substr(0, proof)), Code::kProtocol);
  EXPECT_EQ(Waiting().refused(right + ","), Code::kProtocol);
  EXPECT_EQ(Waiting().refused(right + "A"), Code::kProtocol);
  EXPECT_EQ(Waiting().refused(right.substr(0, proof) + ",p=AAAA"), Code::kProtocol);
  EXPECT_EQ(Waiting().refused(right.substr(0, proof) + ",p=" + std::string(44, '!')),
            Code::kProtocol);
  EXPECT_EQ(Waiting().refused(right + std::string(kScramMessageBytesMax, 'A')), Code::kTooLarge);
}

TEST(Scram, EveryBitOfTheProofCounts) {
  const auto right = Waiting().right;
  const auto at = right.find(",p=") + 3;
  const auto bytes = *codec::from_base64(right.substr(at));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto wrong = bytes;
    wrong[bit / 8] = static_cast<std::uint8_t>(wrong[bit / 8] ^ (1U << (bit % 8)));
    EXPECT_EQ(Waiting().refused(right.substr(0, at) + codec::to_base64(wrong)),
              Code::kNotAuthenticated);
  }
}

TEST(Scram, OneExchangeHasOneAttempt) {
  Waiting waiting;
  EXPECT_EQ(waiting.refused("c=biws,r=x,p=" + std::string(43, 'A') + "="), Code::kProtocol);
  EXPECT_EQ(waiting.refused(waiting.right), Code::kProtocol);
  Waiting done;
  EXPECT_TRUE(done.server.final(done.right));
  EXPECT_TRUE(done.server.keys());
  EXPECT_FALSE(done.server.final(done.right));
  EXPECT_FALSE(done.server.first("SCRAM-SHA-256", "n,,n=,r=abc"));
}

TEST(Scram, ClientRefusesWhatTheServerMayNotSay) {
  const auto refused = [](const std::string& rest, bool own_nonce = true) {
    SeededRandom random(8);
    ScramClient client(pencil().keys, {}, random);
    const auto first = client.first();
    const auto nonce = first.substr(first.find("r=") + 2);
    const auto made = client.final("r=" + (own_nonce ? nonce : "x" + nonce.substr(1)) + rest);
    return !made;
  };
  const std::string salt = ",s=W22ZaJ0SNY7soEsUEjb6gQ==";
  EXPECT_FALSE(refused("more" + salt + ",i=4096"));
  EXPECT_FALSE(refused("more" + salt + ",i=1"));
  EXPECT_FALSE(refused("more" + salt + ",i=10000000"));
  EXPECT_TRUE(refused("more" + salt + ",i=10000001"));
  EXPECT_TRUE(refused("more" + salt + ",i=0"));
  EXPECT_TRUE(refused("more" + salt + ",i=-1"));
  EXPECT_TRUE(refused("more" + salt + ",i=99999999999999999999"));
  EXPECT_TRUE(refused("more" + salt + ",i=4096x"));
  EXPECT_TRUE(refused("more" + salt));
  EXPECT_TRUE(refused("more,s=,i=4096"));
  EXPECT_TRUE(refused("more,s=***,i=4096"));
  EXPECT_TRUE(refused("more,s=" + std::string(2 * kScramSaltBytesMax + 4, 'A') + ",i=4096"));
  EXPECT_TRUE(refused(salt + ",i=4096")) << "the server added nothing to the nonce";
  EXPECT_TRUE(refused("more" + salt + ",i=4096", false));
  EXPECT_TRUE(refused("mo re" + salt + ",i=4096"));
}

TEST(Scram, ClientRefusesAServerThatDoesNotKnowTheKey) {
  Waiting waiting;
  auto signature = *waiting.server.final(waiting.right);
  EXPECT_TRUE(waiting.client.verify(signature));
  for (const auto& wrong : {"v="s, "e=other-error"s, ""s, "v="s + std::string(43, 'A') + "="s,
                            "v="s + std::string(100'000, 'A')}) {
    EXPECT_FALSE(waiting.client.verify(wrong)) << wrong.substr(0, 50);
  }
  SeededRandom random(9);
  ScramClient early(pencil().keys, {}, random);
  EXPECT_FALSE(early.verify(signature)) << "before anything was signed";
  EXPECT_FALSE(early.final("r=x,s=AAAA,i=1")) << "before a nonce was made";
}

TEST(ParseVerifier, TakesWhatPostgresqlStores) {
  const auto text = pencil().rolpassword;
  const auto parsed = parse_verifier(text);
  ASSERT_TRUE(parsed);
  EXPECT_EQ(parsed->iterations, 4096U);
  EXPECT_EQ(parsed->salt.size(), 16U);
  EXPECT_EQ(parsed->server_key, pencil().keys.server_key);
  const auto replaced = [&](std::string_view from, std::string_view to) {
    auto changed = text;
    changed.replace(changed.find(from), from.size(), to);
    return parse_verifier(changed);
  };
  EXPECT_TRUE(replaced("$4096:", "$10000000:"));
  EXPECT_FALSE(replaced("$4096:", "$10000001:"));
  EXPECT_FALSE(replaced("$4096:", "$0:"));
  EXPECT_FALSE(replaced("$4096:", "$:"));
  EXPECT_FALSE(replaced("$4096:", "$ 4096:"));
  EXPECT_FALSE(replaced("SCRAM-SHA-256", "SCRAM-SHA-1"));
  EXPECT_FALSE(replaced("W22ZaJ0SNY7soEsUEjb6gQ==", ""));
  EXPECT_FALSE(replaced("W22ZaJ0SNY7soEsUEjb6gQ==", "W22ZaJ0SNY7soEsUEjb6gQ="));
  EXPECT_FALSE(parse_verifier(text + "="));
  EXPECT_FALSE(parse_verifier("md5" + std::string(32, 'a')));
  EXPECT_FALSE(parse_verifier(""));
  for (std::size_t size = 0; size < text.size(); ++size) {
    const auto cut = parse_verifier(text.substr(0, size));
    ASSERT_FALSE(cut);
    EXPECT_EQ(cut.error().code, Code::kMalformed);
  }
}

RC_GTEST_PROP(ScramProperty, AnyAccountSignsIn, (std::uint64_t seed, const Bytes& salt_tail)) {
  SeededRandom random(seed);
  auto salt = bytes_of("s");
  append(salt, salt_tail);
  auto made = account(std::to_string(seed), salt, 3);
  auto stored = parse_verifier(made.rolpassword);
  RC_ASSERT(stored.has_value());
  Exchange exchange(std::move(*stored), std::move(made.keys), bytes_of("b"), bytes_of("b"), random);
  RC_ASSERT(exchange.run().has_value());
}

RC_GTEST_PROP(ScramProperty, RubbishNeverSignsIn,
              (const std::string& first, const std::string& last)) {
  SeededRandom random(1);
  ScramServer server(verifier(), {}, false, random);
  (void)server.first("SCRAM-SHA-256", first);
  RC_ASSERT(!server.final(last).has_value());
  RC_ASSERT(!server.keys().has_value());
}

}  // namespace
}  // namespace theriac::pgwire
