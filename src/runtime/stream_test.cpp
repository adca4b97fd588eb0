// Sockets, TLS and simulated links behind the one Stream interface.
#include <gtest/gtest.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <set>

#include "base/clock.hpp"
#include "runtime/event_loops.hpp"
#include "runtime/limits.hpp"
#include "runtime/sim.hpp"
#include "runtime/socket.hpp"
#include "runtime/socket_stream.hpp"
#include "runtime/test_certificates.hpp"
#include "runtime/tls.hpp"

namespace theriac::runtime {
namespace {

constexpr std::size_t kLarge = 20U << 20U;

Bytes pattern(std::size_t size) {
  SimRandom random(99);
  Bytes made(size);
  random.fill(made);
  return made;
}

/// What one side saw, filled by the coroutines below.
struct Seen {
  Bytes bytes;
  std::optional<Error> end;
  bool done = false;
};

Task<void> read_all(Stream* stream, std::shared_ptr<Seen> seen) {
  Bytes buffer(10'000);
  while (true) {
    const auto count = co_await stream->read_some(buffer);
    if (!count) {
      seen->end = count.error();
      break;
    }
    append(seen->bytes, ByteView(buffer).first(*count));
  }
  seen->done = true;
}

Task<void> write_all(Stream* stream, Bytes bytes, bool tried_first, std::shared_ptr<Seen> seen) {
  // As the driver does it: what goes at once, then the rest from the same place on.
  std::size_t taken = 0;
  if (tried_first) {
    const auto now = stream->try_write(bytes);
    if (now) taken = *now;
  }
  const auto written = co_await stream->write(ByteView(bytes).subspan(taken));
  if (!written) seen->end = written.error();
  stream->shutdown_write();
  seen->done = true;
}

class Sockets : public ::testing::Test {
 protected:
  Loop& loop() { return loops_.at(0); }
  std::pair<std::unique_ptr<Stream>, std::unique_ptr<Stream>> pair() {
    std::array<int, 2> ends{};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends.data()), 0);
    return {std::move(*SocketStream::make(loop(), ends[0], "a")),
            std::move(*SocketStream::make(loop(), ends[1], "b"))};
  }
  /// Runs until `done`.
  void run(const std::function<bool()>& done) {
    std::function<void()> look = [&] {
      if (done()) {
        loops_.stop();
      } else {
        loop().post(look);
      }
    };
    loop().post(look);
    loops_.run();
  }
  SystemClock clock_;
  SimRandom random_{7};
  NullLog log_;
  EventLoops loops_{1, clock_, random_, log_};
};

TEST_F(Sockets, LargeTransferWithBackPressure) {
  auto [a, b] = pair();
  const auto sent = pattern(kLarge);
  const auto writer = std::make_shared<Seen>();
  const auto reader = std::make_shared<Seen>();
  loop().spawn("write", write_all(a.get(), sent, true, writer));
  loop().spawn("read", read_all(b.get(), reader));
  run([&] { return writer->done && reader->done; });
  EXPECT_FALSE(writer->end);
  EXPECT_TRUE(reader->bytes == sent);
  EXPECT_EQ(reader->end->code, Code::kClosed);
}

TEST_F(Sockets, EndThatCameWithTheLastBytesIsSeen) {
  // Bytes and end are there before the first look: one edge tells both.
  auto [a, b] = pair();
  ASSERT_EQ(*a->try_write(view_of("last words")), 10U);
  a->close();
  const auto reader = std::make_shared<Seen>();
  loop().spawn("read", read_all(b.get(), reader));
  run([&] { return reader->done; });
  EXPECT_EQ(text_of(reader->bytes), "last words");
  EXPECT_EQ(reader->end->code, Code::kClosed);
}

TEST_F(Sockets, EndsThatComeTogetherAreAllSeen) {
  // More streams end at once than one wait tells of, while more handlers are queued than run
  // between two.
  constexpr std::size_t kStreams = 700;
  std::vector<std::unique_ptr<Stream>> near, far;
  std::vector<std::shared_ptr<Seen>> readers;
  for (std::size_t i = 0; i < kStreams; ++i) {
    auto [a, b] = pair();
    b->set_idle_deadline(std::chrono::seconds(20));
    readers.push_back(std::make_shared<Seen>());
    loop().spawn("read", read_all(b.get(), readers.back()));
    near.push_back(std::move(a));
    far.push_back(std::move(b));
  }
  std::size_t others = 0;
  loop().post([&] {
    for (std::size_t i = 0; i < 8 * kHandlersPerWait; ++i) loop().post([&] { ++others; });
    for (auto& one : near) one->close();
  });
  run([&] { return std::ranges::all_of(readers, [](const auto& one) { return one->done; }); });
  EXPECT_EQ(others, 8 * kHandlersPerWait);
  for (const auto& one : readers) EXPECT_EQ(one->end->code, Code::kClosed);
}

TEST_F(Sockets, CloseEndsAPendingRead) {
  auto [a, b] = pair();
  const auto reader = std::make_shared<Seen>();
  loop().spawn("read", read_all(b.get(), reader));
  loop().post([&] { b->close(); });
  run([&] { return reader->done; });
  EXPECT_EQ(reader->end->code, Code::kClosed);
  EXPECT_EQ(b->try_write(view_of("x")).error().code, Code::kClosed);
}

TEST_F(Sockets, DeadlineEndsAPendingRead) {
  auto [a, b] = pair();
  b->set_idle_deadline(std::chrono::milliseconds(1));
  const auto reader = std::make_shared<Seen>();
  loop().spawn("read", read_all(b.get(), reader));
  run([&] { return reader->done; });
  EXPECT_EQ(reader->end->code, Code::kTimeout);
}

TEST_F(Sockets, WriteToAPeerThatIsGone) {
  auto [a, b] = pair();
  b->close();
  EXPECT_EQ(a->try_write(view_of("x")).error().code, Code::kClosed);
}

Task<void> accept_into(Listener* listener, std::unique_ptr<Stream>* into) {
  auto accepted = co_await listener->accept();
  if (accepted) *into = std::move(*accepted);
}
Task<void> connect_into(SocketDialer* dialer, Loop* loop, Endpoint to,
                        std::optional<Result<std::unique_ptr<Stream>>>* into) {
  *into = co_await dialer->connect(loop, std::move(to), std::chrono::seconds(5));
}

TEST_F(Sockets, ListensAndConnectsOverTcp) {
  SocketDialer dialer;
  auto listener = *Listener::bind(loop(), {"127.0.0.1", 0, {}});
  std::unique_ptr<Stream> far;
  std::optional<Result<std::unique_ptr<Stream>>> near;
  loop().spawn("accept", accept_into(listener.get(), &far));
  // By name, so that the resolver is used too.
  loop().spawn("connect",
               connect_into(&dialer, &loop(), {"localhost", listener->port(), {}}, &near));
  const auto reader = std::make_shared<Seen>();
  bool begun = false;
  run([&] {
    if (far && near && !begun) {
      begun = true;
      EXPECT_TRUE(*near);
      EXPECT_EQ((**near)->peer(), "127.0.0.1:" + std::to_string(listener->port()));
      EXPECT_EQ(*(**near)->try_write(view_of("hello")), 5U);
      (**near)->shutdown_write();
      loop().spawn("read", read_all(far.get(), reader));
    }
    return reader->done;
  });
  EXPECT_EQ(text_of(reader->bytes), "hello");
}

TEST_F(Sockets, ConnectToNobodyFails) {
  SocketDialer dialer;
  std::uint16_t port = 0;
  {
    port = (*Listener::bind(loop(), {"127.0.0.1", 0, {}}))->port();
  }
  std::optional<Result<std::unique_ptr<Stream>>> tcp, local, unknown;
  loop().spawn("tcp", connect_into(&dialer, &loop(), {"127.0.0.1", port, {}}, &tcp));
  loop().spawn("unix", connect_into(&dialer, &loop(), {"", 1, "/nowhere/.s.PGSQL.1"}, &local));
  loop().spawn("name", connect_into(&dialer, &loop(), {"host.invalid", 1, {}}, &unknown));
  run([&] { return tcp && local && unknown; });
  for (const auto* result : {&tcp, &local, &unknown}) {
    ASSERT_FALSE(**result);
    EXPECT_EQ((**result).error().code, Code::kUpstream);
  }
}

TEST_F(Sockets, AcceptEndsWhenTheListenerCloses) {
  auto listener = *Listener::bind(loop(), {"127.0.0.1", 0, {}});
  std::unique_ptr<Stream> never;
  bool ended = false;
  const auto wait = [](Listener* l, std::unique_ptr<Stream>* n, bool* e) -> Task<void> {
    co_await accept_into(l, n);
    *e = true;
  };
  loop().spawn("accept", wait(listener.get(), &never, &ended));
  loop().post([&] { listener->close(); });
  run([&] { return ended; });
  EXPECT_EQ(never, nullptr);
}

TEST_F(Sockets, SignalsOfTheProcessArrive) {
  int got = 0;
  const auto signals = ProcessSignals::make(loop(), {SIGUSR2}, [&](int number) { got = number; });
  ASSERT_TRUE(signals);
  ::kill(::getpid(), SIGUSR2);
  run([&] { return got != 0; });
  EXPECT_EQ(got, SIGUSR2);
}

// --- TLS, over simulated links: every split, tiny windows --------------------------------------

struct Handshakes {
  std::optional<Result<std::unique_ptr<Stream>>> server, client;
};
Task<void> accept_tls(std::unique_ptr<Stream> stream, TlsContext context,
                      std::shared_ptr<Handshakes> done) {
  auto result = co_await tls_accept(std::move(stream), std::move(context), {}, false);
  done->server = std::move(result);
}
Task<void> connect_tls(std::unique_ptr<Stream> stream, TlsContext context, std::string host,
                       std::shared_ptr<Handshakes> done) {
  auto result = co_await tls_connect(std::move(stream), std::move(context), std::move(host));
  done->client = std::move(result);
}

class Tls : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    certificates_ = new TestCertificates;
    certificates_->make("good", "DNS:db.example,IP:127.0.0.1");
    certificates_->make("other", "DNS:db.example");
  }
  static void TearDownTestSuite() { delete certificates_; }
  static TlsContext server_context() {
    return *TlsContext::server(certificates_->certificate_of("good"),
                               certificates_->key_of("good"));
  }
  static TlsContext client_context(TlsVerify verify, const std::string& authority) {
    return *TlsContext::client(verify, certificates_->certificate_of(authority));
  }
  static std::shared_ptr<Handshakes> shake(SimWorld& world, const TlsContext& client,
                                           const std::string& host,
                                           const TlsContext& server = server_context()) {
    auto [near, far] = world.link();
    auto done = std::make_shared<Handshakes>();
    world.loop().spawn("server", accept_tls(std::move(far), server, done));
    world.loop().spawn("client", connect_tls(std::move(near), client, host, done));
    EXPECT_TRUE(world.run_until([&] { return done->server && done->client; }, 60'000));
    return done;
  }
  static TestCertificates* certificates_;
};
TestCertificates* Tls::certificates_ = nullptr;

TEST_F(Tls, BothEndsKnowTheSameBinding) {
  SimWorld world(1);
  const auto done = shake(world, client_context(TlsVerify::kVerifyFull, "good"), "db.example");
  ASSERT_TRUE(*done->server);
  ASSERT_TRUE(*done->client);
  EXPECT_TRUE((**done->client)->is_tls());
  EXPECT_EQ((**done->client)->channel_binding().size(), 32U);
  EXPECT_EQ((**done->client)->channel_binding(), (**done->server)->channel_binding());
}

TEST_F(Tls, VerificationFollowsTheMode) {
  struct Case {
    TlsVerify verify;
    const char *authority, *host;
    bool works;
  };
  const Case cases[] = {
      {TlsVerify::kRequire, "other", "elsewhere", true},
      {TlsVerify::kVerifyCa, "good", "elsewhere", true},
      {TlsVerify::kVerifyCa, "other", "db.example", false},
      {TlsVerify::kVerifyFull, "good", "db.example", true},
      {TlsVerify::kVerifyFull, "good", "127.0.0.1", true},
      {TlsVerify::kVerifyFull, "good", "elsewhere", false},
      {TlsVerify::kVerifyFull, "good", "127.0.0.2", false},
      {TlsVerify::kVerifyFull, "other", "db.example", false},
  };
  for (const auto& c : cases) {
    SimWorld world(2);
    const auto done = shake(world, client_context(c.verify, c.authority), c.host);
    EXPECT_EQ(done->client->has_value(), c.works) << c.authority << " " << c.host;
    if (!c.works) {
      EXPECT_EQ(done->client->error().code, Code::kBadCertificate);
      EXPECT_FALSE(*done->server) << "the server is told by an alert";
    }
  }
}

TEST_F(Tls, ClientCertificatesAreVerifiedBeforeTheStreamExists) {
  const auto& c = *certificates_;
  struct Case {
    const char* shown;  // "": none
    bool required, works;
  };
  for (const auto& one :
       {Case{"good", true, true}, Case{"other", true, false}, Case{"", true, false},
        Case{"", false, true}, Case{"other", false, false}, Case{"good", false, true}}) {
    SCOPED_TRACE(std::string(one.shown) + (one.required ? " required" : " asked"));
    const auto server = TlsContext::server({.certificate_file = c.certificate_of("good"),
                                            .key_file = c.key_of("good"),
                                            .protocol = TlsProtocol::kHttp11,
                                            .client_authority_file = c.certificate_of("good"),
                                            .client_required = one.required});
    TlsClientOptions options{.authority_file = c.certificate_of("good"), .offer_http11 = true};
    if (*one.shown != '\0') {
      options.certificate_file = c.certificate_of(one.shown);
      options.key_file = c.key_of(one.shown);
    }
    const auto client = TlsContext::client(options);
    ASSERT_TRUE(server && client);
    SimWorld world(4);
    const auto done = shake(world, *client, "db.example", *server);
    ASSERT_EQ(done->server->has_value(), one.works);
    if (!one.works) continue;
    EXPECT_EQ((**done->server)->peer_certificate().empty(), *one.shown == '\0');
    EXPECT_EQ((**done->client)->peer_certificate().empty(), false);
  }
  EXPECT_EQ(TlsContext::server({.certificate_file = c.certificate_of("good"),
                                .key_file = c.key_of("good"),
                                .client_required = true})
                .error()
                .code,
            Code::kUsage);
}

TEST_F(Tls, ProtocolNamesKeepStrangersApart) {
  // RFC 7301, section 3.2: no name in common ends the handshake.
  const auto& c = *certificates_;
  for (const bool http : {true, false}) {
    const auto server =
        TlsContext::server({.certificate_file = c.certificate_of("good"),
                            .key_file = c.key_of("good"),
                            .protocol = http ? TlsProtocol::kHttp11 : TlsProtocol::kPostgresql});
    auto client = client_context(TlsVerify::kRequire, "good");
    constexpr std::string_view kHttp2 = "\x02h2";
    SSL_CTX_set_alpn_protos(client.get(), view_of(kHttp2).data(), 3);
    SimWorld world(5);
    const auto done = shake(world, client, "db.example", *server);
    EXPECT_EQ(done->server->has_value(), !http);
  }
}

TEST_F(Tls, CarriesEverythingAtEverySplit) {
  for (std::uint64_t seed = 1; seed <= 8; ++seed) {
    const std::size_t piece = seed <= 4 ? 1 : 3000;
    SimWorld world(seed, {.delay_max_ms = 3,
                          .chunk_bytes_max = piece,
                          .read_bytes_max = piece,
                          .window_bytes = seed % 2 == 0 ? 700U : 60'000U});
    const auto done = shake(world, client_context(TlsVerify::kRequire, "good"), "db.example");
    ASSERT_TRUE(*done->server && *done->client);
    const auto sent = pattern(seed <= 4 ? 3'000 : 100'000);
    std::array<std::shared_ptr<Seen>, 4> seen;
    for (auto& one : seen) one = std::make_shared<Seen>();
    Stream *server = (*done->server)->get(), *client = (*done->client)->get();
    world.loop().spawn("w1", write_all(server, sent, true, seen[0]));
    world.loop().spawn("w2", write_all(client, sent, false, seen[1]));
    world.loop().spawn("r1", read_all(server, seen[2]));
    world.loop().spawn("r2", read_all(client, seen[3]));
    ASSERT_TRUE(world.run_until(
        [&] { return std::ranges::all_of(seen, [](const auto& one) { return one->done; }); },
        3'600'000));
    EXPECT_TRUE(seen[2]->bytes == sent);
    EXPECT_TRUE(seen[3]->bytes == sent);
    EXPECT_EQ(seen[2]->end->code, Code::kClosed);
  }
}

TEST_F(Tls, RefusesWhatIsNotTls) {
  SimWorld world(3);
  auto [near, far] = world.link();
  const auto done = std::make_shared<Handshakes>();
  world.loop().spawn("server", accept_tls(std::move(far), server_context(), done));
  ASSERT_TRUE(near->try_write(view_of("GET / HTTP/1.1\r\n\r\n")));
  EXPECT_TRUE(world.run_until([&] { return done->server.has_value(); }, 1000));
  ASSERT_FALSE(*done->server);
  EXPECT_EQ(done->server->error().code, Code::kProtocol);
}

TEST_F(Tls, RefusesFilesThatDoNotBelong) {
  const auto& c = *certificates_;
  EXPECT_EQ(TlsContext::server(c.certificate_of("good"), c.key_of("other")).error().code,
            Code::kBadCertificate);
  EXPECT_EQ(TlsContext::server(c.folder() + "/none", c.key_of("good")).error().code,
            Code::kBadCertificate);
  EXPECT_EQ(TlsContext::server(c.certificate_of("good"), c.folder() + "/none").error().code,
            Code::kIo);
  EXPECT_EQ(TlsContext::client(TlsVerify::kVerifyCa, c.folder() + "/none").error().code,
            Code::kBadCertificate);
  certificates_->make("open", "DNS:x");
  ::chmod(c.key_of("open").c_str(), 0604);
  const auto open = TlsContext::server(c.certificate_of("open"), c.key_of("open"));
  ASSERT_FALSE(open);
  EXPECT_EQ(open.error().code, Code::kBadCertificate);
}

// --- the simulated world itself ------------------------------------------------------------------

struct Course {
  std::uint64_t hash;
  Bytes received;
  std::optional<Code> end;
  friend bool operator==(const Course&, const Course&) = default;
};

Course run_course(std::uint64_t seed, SimFaults faults, const Bytes& sent) {
  SimWorld world(seed, faults);
  auto [a, b] = world.link();
  const auto writer = std::make_shared<Seen>();
  const auto reader = std::make_shared<Seen>();
  b->set_idle_deadline(std::chrono::seconds(30));
  a->set_idle_deadline(std::chrono::seconds(30));
  world.loop().spawn("write", write_all(a.get(), sent, true, writer));
  world.loop().spawn("read", read_all(b.get(), reader));
  EXPECT_TRUE(world.run_until([&] { return writer->done && reader->done; }, 120'000));
  return {world.trace_hash(), reader->bytes,
          reader->end ? std::optional(reader->end->code) : std::nullopt};
}

TEST(Sim, SameSeedSameCourse) {
  const auto sent = pattern(50'000);
  const SimFaults faults{.delay_max_ms = 9, .chunk_bytes_max = 700, .read_bytes_max = 300};
  std::set<std::uint64_t> hashes;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto once = run_course(seed, faults, sent);
    EXPECT_EQ(once, run_course(seed, faults, sent));
    EXPECT_TRUE(once.received == sent);
    EXPECT_EQ(once.end, Code::kClosed);
    hashes.insert(once.hash);
  }
  EXPECT_EQ(hashes.size(), 10U);
}

TEST(Sim, ResetCutsAndHalfOpenStarves) {
  const auto sent = pattern(50'000);
  int cut = 0, starved = 0;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const auto reset =
        run_course(seed, {.chunk_bytes_max = 700, .reset_per_million = 20'000}, sent);
    if (reset.received.size() < sent.size()) {
      ++cut;
      EXPECT_EQ(reset.end, Code::kClosed);
      EXPECT_TRUE(std::equal(reset.received.begin(), reset.received.end(), sent.begin()));
    }
    const auto half =
        run_course(seed, {.chunk_bytes_max = 700, .half_open_per_million = 20'000}, sent);
    if (half.received.size() < sent.size()) {
      ++starved;
      EXPECT_EQ(half.end, Code::kTimeout);
    }
  }
  EXPECT_GT(cut, 5);
  EXPECT_GT(starved, 5);
}

TEST(Sim, ConnectsToListeners) {
  SimWorld world(1);
  std::unique_ptr<Stream> far;
  world.listen("db:5432", [&](std::unique_ptr<Stream> stream) { far = std::move(stream); });
  std::optional<Result<std::unique_ptr<Stream>>> near, nobody;
  const auto dial = [](SimWorld* w, Endpoint to,
                       std::optional<Result<std::unique_ptr<Stream>>>* into) -> Task<void> {
    *into = co_await w->dialer().connect(&w->loop(), std::move(to), std::chrono::seconds(1));
  };
  world.loop().spawn("a", dial(&world, {"db", 5432, {}}, &near));
  world.loop().spawn("b", dial(&world, {"db", 5433, {}}, &nobody));
  EXPECT_TRUE(world.run_until([&] { return near && nobody && far; }, 100));
  EXPECT_TRUE(*near);
  EXPECT_EQ(nobody->error().code, Code::kUpstream);
}

}  // namespace
}  // namespace theriac::runtime
