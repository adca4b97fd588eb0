// The client against a real key service in this process: real files, TLS on loopback, leases of a
// fraction of a second. Waits are for events, never for time.
#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <condition_variable>
#include <map>
#include <mutex>
#include <thread>

#include "base/files.hpp"
#include "keys/server.hpp"
#include "keys/state_directory.hpp"
#include "keys/test_support.hpp"
#include "lease/channel.hpp"
#include "lease/lease.hpp"
#include "lease/reply.hpp"
#include "pki/credentials.hpp"
#include "seal/sealed.hpp"

namespace theriac::lease {
namespace {

constexpr crypto::Argon2Cost kCheap{64, 1, 1};
constexpr std::int64_t kLeaseMs = 800;
/// What does not come in this time never comes.
constexpr std::chrono::seconds kPatience{60};

SecretBytes passphrase() { return SecretBytes(view_of("correct horse battery")); }

/// Counts what a client tells.
class Events {
 public:
  Notify notify() {
    return [this](std::string_view event, const Error*) {
      const std::scoped_lock lock(mutex_);
      ++counts_[std::string(event)];
      changed_.notify_all();
    };
  }
  /// Returns when `event` was told `more` times more than when this was called.
  void await(const std::string& event, int more = 1) {
    std::unique_lock lock(mutex_);
    const int wanted = counts_[event] + more;
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return counts_[event] >= wanted; }))
        << event;
  }
  /// Returns when it was told `times` times since the beginning.
  void await_total(const std::string& event, int times) {
    std::unique_lock lock(mutex_);
    EXPECT_TRUE(changed_.wait_for(lock, kPatience, [&] { return counts_[event] >= times; }))
        << event;
  }
  int count(const std::string& event) {
    const std::scoped_lock lock(mutex_);
    return counts_[event];
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, int> counts_;
};

/// A key service with its state directory, started and stopped at will on one port.
class Service {
 public:
  explicit Service(keys::Environment environment, std::uint16_t port = 0)
      : environment_(environment), port_(port) {
    THERIAC_ASSERT(
        keys::initialise(state_, passphrase(), "demo", kCheap, environment_).has_value());
  }
  ~Service() { stop(); }

  void start() {
    auto unlocked = keys::unlock(state_, passphrase());
    THERIAC_ASSERT(unlocked.has_value());
    service_.emplace(keys::KeyService::Options{kLeaseMs}, std::move(unlocked->database),
                     std::move(unlocked->root), std::move(unlocked->authority), audit,
                     environment_.clock, environment_.random, environment_.log);
    auto server = keys::Server::listen({.port = port_, .tick_ms = 20}, *service_,
                                       environment_.clock, environment_.log);
    THERIAC_ASSERT(server.has_value());
    server_ = std::move(*server);
    port_ = server_->port();
    thread_ = std::thread([this] { server_->run(); });
  }
  void stop() {
    if (!thread_.joinable()) return;
    server_->stop();
    thread_.join();
    server_.reset();
    service_.reset();
  }
  [[nodiscard]] std::uint16_t port() const { return port_; }

  pki::CredentialPaths enrol(const std::string& name, pki::Role role,
                             std::int64_t life_ms = pki::kDayMs) {
    auto unlocked = keys::unlock(state_, passphrase());
    const auto out = folder_.file(name);
    auto made =
        keys::enrol(state_, *unlocked, {name, role, "", life_ms, out, "test"}, environment_);
    THERIAC_ASSERT(made.has_value());
    return pki::CredentialPaths::in(out);
  }
  [[nodiscard]] std::string file(const std::string& name) const { return folder_.file(name); }

  keys::RecordingAudit audit;

 private:
  keys::Folder folder_;
  std::string state_ = folder_.file("state");
  keys::Environment environment_;
  std::uint16_t port_;
  std::optional<keys::KeyService> service_;
  std::unique_ptr<keys::Server> server_;
  std::thread thread_;
};

class ClientTest : public testing::Test {
 protected:
  ClientTest() {
    service_.start();
    gateway_ = service_.enrol("gateway-1", pki::Role::kGateway);
    admin_ = service_.enrol("admin-1", pki::Role::kAdmin);
  }

  ClientOptions options(const pki::CredentialPaths& paths, const std::string& state_file = {}) {
    ClientOptions options;
    options.port = service_.port();
    options.certificate_file = paths.certificate;
    options.key_file = paths.key;
    options.ca_file = paths.authority;
    options.state_file = state_file;
    options.tenant = "demo";
    options.classes = {{"contact", 900}, {"strict", 0}};
    return options;
  }
  Result<std::unique_ptr<LeaseClient>> start(ClientOptions options, Events& events) {
    return LeaseClient::start(std::move(options), clock_, random_, log_, events.notify());
  }
  Result<Channel> channel(const pki::CredentialPaths& paths) {
    const auto credentials = pki::load_credentials(paths);
    THERIAC_ASSERT(credentials.has_value());
    return Channel::connect("127.0.0.1", service_.port(), *credentials, clock_);
  }
  Result<Answer> ask(const pki::CredentialPaths& paths, codec::Json request) {
    THERIAC_ASSIGN(auto open, channel(paths));
    return open.exchange(request);
  }
  Result<Answer> administer(const std::string& operation,
                            const codec::Json& fields = codec::Json::object()) {
    auto request = make_request(operation);
    request.update(fields);
    return ask(admin_, request);
  }
  std::string fresh_lease_request() {
    return lease_request({"demo", {"contact"}, {}}, std::string(32, 'a'), nonce(), "");
  }
  std::string nonce() {
    Bytes raw(16);
    random_.fill(raw);
    return to_hex(raw);
  }
  Code code_of(const LeaseClient& client, std::string_view name = "contact", bool reading = false) {
    const auto ring = client.ring(name, reading);
    return ring ? Code::kUsage : ring.error().code;
  }
  static constexpr Code kAllowed = Code::kUsage;  // LeaseClient never says it

  SystemClock clock_;
  crypto::SystemRandom random_;
  NullLog log_;
  Service service_{keys::Environment{clock_, random_, log_}};
  pki::CredentialPaths gateway_;
  pki::CredentialPaths admin_;
  Events events_;
};

TEST_F(ClientTest, LeasesKeysThatSealAndOpen) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client) << client.error().message();
  const auto ring = (*client)->ring("contact", false);
  ASSERT_TRUE(ring);
  const auto* key = (*ring)->active("contact", seal::Purpose::kData);
  ASSERT_NE(key, nullptr);
  auto sealer = seal::Sealer::make(*key, random_);
  ASSERT_TRUE(sealer);
  const seal::Binding binding{(*ring)->tenant, seal::Kind::kColumn, {}, {}};
  const auto sealed = sealer->seal(binding, {}, view_of("张伟"));
  seal::Opener opener;
  ASSERT_TRUE(opener.add(*key));
  EXPECT_TRUE(opener.open(binding, *sealed));
  EXPECT_EQ((*client)->generation(), 1U);
  EXPECT_EQ(code_of(**client, "other"), Code::kUnknownKey);
}

TEST_F(ClientTest, RenewsByItself) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client);
  events_.await("lease.renewed", 5);
  EXPECT_EQ(code_of(**client), kAllowed);
  EXPECT_EQ((*client)->generation(), 1U) << "same keys";
  EXPECT_GE(service_.audit.count("lease.renew"), 5U);
  EXPECT_EQ(service_.audit.count("lease.issue"), 1U);
}

TEST_F(ClientTest, RevocationArrivesWithTheNextRenewalAndGoesAgain) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client);
  ASSERT_TRUE(administer("revoke", {{"class", "contact"}, {"reason", "test"}}));
  events_.await("lease.renewed", 2);  // the first may have been under way
  EXPECT_EQ(code_of(**client, "contact", true), Code::kRevoked);
  EXPECT_EQ(code_of(**client, "strict", true), kAllowed);
  EXPECT_EQ((*client)->generation(), 2U);
  ASSERT_TRUE(administer("restore", {{"class", "contact"}}));
  events_.await("lease.renewed", 2);
  EXPECT_EQ(code_of(**client), kAllowed);
}

TEST_F(ClientTest, RotationArrivesWithoutAPause) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client);
  const auto before = (*client)->ring("contact", false);
  ASSERT_TRUE(administer("rotate", {{"class", "contact"}}));
  events_.await("lease.renewed", 3);
  const auto after = (*client)->ring("contact", false);
  ASSERT_TRUE(after);
  EXPECT_EQ((*after)->active("contact", seal::Purpose::kData)->version, 2U);
  const auto old_id = (*before)->active("contact", seal::Purpose::kData)->id;
  EXPECT_TRUE(std::any_of((*after)->keys.begin(), (*after)->keys.end(),
                          [&](const seal::LeasedKey& key) { return key.id == old_id; }))
      << "what was sealed before still opens";
}

TEST_F(ClientTest, SilenceMeansGraceForReadingOnly) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client);
  service_.stop();
  events_.await_total("lease.grace", 1);
  EXPECT_EQ(code_of(**client, "contact", true), kAllowed);
  EXPECT_EQ(code_of(**client, "contact", false), Code::kLeaseExpired);
  EXPECT_EQ(code_of(**client, "strict", true), Code::kLeaseExpired);
  service_.start();
  events_.await("lease.renewed");
  EXPECT_EQ(code_of(**client), kAllowed);
  EXPECT_EQ(service_.audit.count("lease.fence"), 0U);
}

TEST_F(ClientTest, AnImpostorIsSilence) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client);
  service_.stop();
  // Another company's key service on the very port.
  Service impostor(keys::Environment{clock_, random_, log_}, service_.port());
  impostor.start();
  events_.await_total("lease.grace", 1);
  EXPECT_EQ(code_of(**client, "contact", true), kAllowed);
  EXPECT_EQ(events_.count("lease.refused"), 0);
}

TEST_F(ClientTest, NoGraceWithoutIt) {
  auto wanted = options(gateway_);
  wanted.classes = {{"strict", 0}};
  const auto client = start(std::move(wanted), events_);
  ASSERT_TRUE(client);
  service_.stop();
  events_.await_total("lease.lost", 1);
  EXPECT_EQ(code_of(**client, "strict", true), Code::kLeaseExpired);
  EXPECT_EQ((*client)->generation(), 2U);
  EXPECT_EQ(events_.count("lease.grace"), 0);
}

TEST_F(ClientTest, ARestartedProgramGoesOnWithItsLease) {
  const auto state = service_.file("lease.json");
  {
    const auto client = start(options(gateway_, state), events_);
    ASSERT_TRUE(client);
    service_.stop();  // so that the lease is not given back: as after kill -9
  }
  EXPECT_TRUE(std::filesystem::exists(state));
  service_.start();
  const auto again = start(options(gateway_, state), events_);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(service_.audit.count("lease.issue"), 1U) << "the same lease";
  EXPECT_EQ(service_.audit.count("lease.fence"), 0U);
}

TEST_F(ClientTest, ACleanStopGivesTheLeaseBack) {
  const auto state = service_.file("lease.json");
  for (int round = 0; round < 3; ++round) {
    const auto client = start(options(gateway_, state), events_);
    ASSERT_TRUE(client) << round;
  }
  EXPECT_FALSE(std::filesystem::exists(state));
  EXPECT_EQ(service_.audit.count("lease.release"), 3U);
}

TEST_F(ClientTest, OtherClassesAfterARestart) {
  const auto state = service_.file("lease.json");
  {
    const auto client = start(options(gateway_, state), events_);
    ASSERT_TRUE(client);
    service_.stop();
    events_.await_total("lease.unreachable", 1);  // a request is pending, written down
  }
  service_.start();
  auto wanted = options(gateway_, state);
  wanted.classes.emplace_back("formula", 0);
  const auto again = start(std::move(wanted), events_);
  ASSERT_TRUE(again) << again.error().message();
  EXPECT_EQ(code_of(**again, "formula"), kAllowed);
}

TEST_F(ClientTest, TwoHoldersOfOneTokenAreBothFencedUntilCleared) {
  const auto state = service_.file("lease.json");
  const auto copied = service_.file("copied.json");
  Events copy_events;
  const auto original = start(options(gateway_, state), events_);
  ASSERT_TRUE(original);
  std::filesystem::copy_file(state, copied);
  auto copy = start(options(gateway_, copied), copy_events);
  // Whoever came second is refused; the other is at its next renewal.
  events_.await_total("lease.replayed", 1);
  EXPECT_EQ(code_of(**original, "contact", true), Code::kLeaseReplayed);
  if (copy) {
    copy_events.await_total("lease.replayed", 1);
    EXPECT_EQ(code_of(**copy, "contact", true), Code::kLeaseReplayed);
  } else {
    EXPECT_EQ(copy.error().code, Code::kLeaseReplayed);
  }
  EXPECT_EQ(service_.audit.count("lease.fence"), 1U);
  EXPECT_EQ(ask(gateway_, *codec::parse_json(fresh_lease_request())).error().code,
            Code::kLeaseReplayed);
  const auto status = administer("status");
  ASSERT_TRUE(status);
  EXPECT_EQ(status->body["fences"][0]["name"], "gateway-1");
  if (copy) copy->reset();
  ASSERT_TRUE(administer("clear_fence", {{"name", "gateway-1"}, {"reason", "copy removed"}}));
  events_.await("lease.renewed");
  EXPECT_EQ(code_of(**original), kAllowed);
}

TEST_F(ClientTest, OneLivingHolderAName) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client);
  EXPECT_EQ(ask(gateway_, *codec::parse_json(fresh_lease_request())).error().code, Code::kConflict);
}

TEST_F(ClientTest, CertificateIsRenewedAtHalfItsLife) {
  const auto short_lived = service_.enrol("gateway-2", pki::Role::kGateway, 3'000);
  const auto before = pki::load_credentials(short_lived)->certificate;
  const auto client = start(options(short_lived), events_);
  ASSERT_TRUE(client);
  events_.await_total("certificate.renewed", 1);
  const auto after = pki::load_credentials(short_lived);
  ASSERT_TRUE(after);
  EXPECT_NE(after->certificate.fingerprint(), before.fingerprint());
  EXPECT_FALSE(before.matches(after->key)) << "a new key, too";
  // Past the end of the first one.
  events_.await_total("certificate.renewed", 3);
  EXPECT_EQ(code_of(**client), kAllowed);
  EXPECT_EQ(events_.count("lease.refused"), 0);
}

TEST_F(ClientTest, LeaseEndsWithTheCertificate) {
  const auto short_lived = service_.enrol("tool", pki::Role::kProtector, 20'000);
  auto open = channel(short_lived);
  ASSERT_TRUE(open);
  const auto answer = open->exchange(std::string_view(fresh_lease_request()));
  ASSERT_TRUE(answer);
  EXPECT_LE(answer->body["ttl_ms"].get<std::int64_t>(), 20'000);
}

TEST_F(ClientTest, ExpiredForeignRevokedAndWrongRolesAreRefused) {
  const auto expired = service_.enrol("old", pki::Role::kGateway, 1);
  EXPECT_EQ(start(options(expired), events_).error().code, Code::kBadCertificate);

  Service other(keys::Environment{clock_, random_, log_});
  auto foreign = other.enrol("gateway-1", pki::Role::kGateway);
  EXPECT_EQ(channel(foreign).error().code, Code::kBadCertificate)
      << "their client does not take our service for theirs";
  // With our authority's certificate in hand it gets as far as our refusal.
  foreign.authority = gateway_.authority;
  EXPECT_EQ(start(options(foreign), events_).error().code, Code::kBadCertificate);

  EXPECT_EQ(start(options(admin_), events_).error().code, Code::kDenied);

  ASSERT_TRUE(administer("revoke_certificate", {{"subject", "gateway-1"}}));
  const auto revoked = start(options(gateway_), events_);
  EXPECT_EQ(revoked.error(), (Error{Code::kBadCertificate, "revoked"}));
  EXPECT_GE(service_.audit.count("certificate.refused"), 1U);
  EXPECT_GE(service_.audit.count("connection.refused"), 2U) << "expired and foreign";
}

TEST_F(ClientTest, RevokedCertificateEndsTheLeaseAtOnce) {
  const auto client = start(options(gateway_), events_);
  ASSERT_TRUE(client);
  ASSERT_TRUE(administer("revoke_certificate", {{"subject", "gateway-1"}}));
  events_.await("lease.refused");
  EXPECT_EQ(code_of(**client, "contact", true), Code::kBadCertificate);
}

TEST_F(ClientTest, MissingCredentialsAreNamed) {
  auto wanted = options(gateway_);
  wanted.key_file = service_.file("none.pem");
  EXPECT_EQ(start(wanted, events_).error().code, Code::kBadCertificate);
  wanted.certificate_file = service_.file("none.pem");
  EXPECT_EQ(start(wanted, events_).error(), (Error{Code::kNotFound, wanted.certificate_file}));
  wanted.classes.clear();
  EXPECT_EQ(start(wanted, events_).error().code, Code::kUsage);
}

TEST_F(ClientTest, DamagedStateFileIsRefused) {
  const auto state = service_.file("lease.json");
  for (const char* text : {"", "{", "[]", R"({"token":1,"pending":""})", R"({"token":""})"}) {
    ASSERT_TRUE(replace_file(state, view_of(text)));
    EXPECT_EQ(start(options(gateway_, state), events_).error().code, Code::kMalformed) << text;
  }
  ASSERT_TRUE(replace_file(state, view_of(R"({"format":1,"pending":"","token":"forged"})")));
  EXPECT_EQ(start(options(gateway_, state), events_).error().code, Code::kDenied);
  EXPECT_EQ(service_.audit.count("lease.fence"), 0U);
}

TEST_F(ClientTest, SeveralRequestsOnOneConnection) {
  auto open = channel(admin_);
  ASSERT_TRUE(open);
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(open->exchange(make_request("status")));
  EXPECT_EQ(open->exchange(make_request("nonsense")).error().code, Code::kProtocol);
  EXPECT_TRUE(open->exchange(make_request("hello"))) << "an error does not end the connection";
}

TEST_F(ClientTest, NonCanonicalAndOversizedFramesAreRefused) {
  auto open = channel(admin_);
  EXPECT_EQ(open->exchange(std::string_view(R"({"v":1,"op":"hello"})")).error().code,
            Code::kProtocol);
  EXPECT_TRUE(open->exchange(std::string_view(R"({"op":"hello","v":1})")));
  EXPECT_EQ(open->exchange(std::string_view(std::string((1U << 20U) + 1, ' '))).error().code,
            Code::kTooLarge);
}

// Strangers: no TLS at all, half a handshake, many of them. The service goes on.
TEST_F(ClientTest, StrangersDoNotDisturb) {
  std::vector<int> sockets;
  for (int i = 0; i < 40; ++i) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(service_.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);  // NOLINT
    const std::string text = i % 2 == 0 ? std::string("GET / HTTP/1.1\r\n\r\n")
                                        : std::string("\x16\x03\x01\x02\x00\x01", 6);
    ASSERT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(text.size()));
    sockets.push_back(fd);
  }
  EXPECT_TRUE(administer("status"));
  for (const int fd : sockets) ::close(fd);
  EXPECT_TRUE(administer("status"));
  EXPECT_EQ(service_.audit.count("connection.refused"), 0U) << "noise is no security event";
}

}  // namespace
}  // namespace theriac::lease
