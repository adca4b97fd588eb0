// Server and client on real sockets: TLS, client certificates, several loops, the pool, a stop.
#include <gtest/gtest.h>

#include <filesystem>
#include <latch>
#include <semaphore>
#include <thread>

#include "crypto/random.hpp"
#include "http/client.hpp"
#include "http/server.hpp"
#include "runtime/test_certificates.hpp"

namespace theriac::http {
namespace {

using namespace std::chrono_literals;

runtime::Task<Response> count_body(Request* request) {
  std::size_t total = 0;
  Bytes piece(10'000);
  while (true) {
    const auto count = co_await request->reader->read(piece);
    if (!count) co_return problem_of(count.error());
    if (*count == 0) break;
    total += *count;
  }
  co_return Response::with(200, "text/plain", std::to_string(total));
}

runtime::Task<Status> megabytes(BodyWriter* out) {
  const Bytes piece(100'000, 'm');
  for (int i = 0; i < 50; ++i) {
    const auto written = co_await out->write(piece);
    if (!written) co_return fail(written.error());
  }
  co_return Status{};
}

class Servers : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    certificates_ = new runtime::TestCertificates;
    certificates_->make("server", "DNS:localhost,IP:127.0.0.1");
    certificates_->make("client", "DNS:client");
    certificates_->make("stranger", "DNS:client");
  }
  static void TearDownTestSuite() { delete certificates_; }

  Router router() {
    Router made;
    const auto add = [&made](Route route) { EXPECT_TRUE(made.add(std::move(route))); };
    add({.method = "GET", .pattern = "/", .handler = [](Request&) {
           return Response::with(200, "text/plain", "hello");
         }});
    add({.method = "POST",
         .pattern = "/pool",
         .handler =
             [this](Request& r) {
               std::string text(text_of(r.body));
               text += std::this_thread::get_id() == loop_thread_ ? " on the loop" : " in the pool";
               return Response::with(200, "text/plain", text);
             },
         .runs = Runs::kInPool,
         .body_bytes_max = 100,
         .idempotent = true});
    add({.method = "GET",
         .pattern = "/wait",
         .handler =
             [this](Request&) {
               entered_.release();
               let_go_.wait();
               return Response::with(200, "text/plain", "waited");
             },
         .runs = Runs::kInPool});
    add({.method = "GET", .pattern = "/who", .handler = [](Request& r) {
           return Response::with(200, "text/plain",
                                 r.certificate == nullptr ? "nobody" : r.certificate->fingerprint);
         }});
    add({.method = "GET",
         .pattern = "/members",
         .handler = [](Request&) { return Response::empty(); },
         .needs_certificate = true});
    add({.method = "PUT",
         .pattern = "/count",
         .async = count_body,
         .body_bytes_max = 50U << 20U,
         .streams_body = true});
    add({.method = "GET", .pattern = "/megabytes", .handler = [](Request&) {
           return Response{200, {}, Producer(megabytes)};
         }});
    return made;
  }

  void start(bool ask_clients = false, std::size_t loops = 2, std::size_t pool_threads = 2) {
    pool_ = std::make_unique<runtime::BlockingPool>(pool_threads, 2);
    service_ = std::move(*Service::make(
        router(),
        {.hosts = {"localhost", "127.0.0.1"}, .pool = pool_.get(), .idempotency = &kept_}));
    loops_ = std::make_unique<runtime::EventLoops>(loops, clock_, random_, log_);
    ListenOptions options{.at = {.host = "127.0.0.1"}};
    options.tls =
        runtime::TlsServerOptions{.certificate_file = certificates_->certificate_of("server"),
                                  .key_file = certificates_->key_of("server")};
    if (ask_clients) options.tls->client_authority_file = certificates_->certificate_of("client");
    auto made = Server::start(*loops_, *service_, std::move(options));
    ASSERT_TRUE(made) << made.error().message();
    server_ = std::move(*made);
    thread_ = std::thread([this] {
      loop_thread_ = std::this_thread::get_id();
      loops_->run();
    });
  }
  void stop(std::chrono::milliseconds within = 2s) {
    if (!thread_.joinable()) return;
    server_->stop(within, [this] { loops_->stop(); });
    thread_.join();
  }
  void TearDown() override { stop(); }

  ClientOptions client_options(const std::string& shown = {}) {
    ClientOptions options;
    options.server = {.host = "localhost", .port = server_->port()};
    options.tls =
        runtime::TlsClientOptions{.authority_file = certificates_->certificate_of("server")};
    if (!shown.empty()) {
      options.tls->certificate_file = certificates_->certificate_of(shown);
      options.tls->key_file = certificates_->key_of(shown);
    }
    return options;
  }
  std::unique_ptr<BlockingClient> client(const ClientOptions& options) {
    return std::move(*BlockingClient::make(options, clock_, random_, log_));
  }
  std::unique_ptr<BlockingClient> client() { return client(client_options()); }

  static runtime::TestCertificates* certificates_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  NullLog log_;
  MemoryIdempotencyStore kept_;
  std::counting_semaphore<> entered_{0};
  std::latch let_go_{1};
  std::atomic<std::thread::id> loop_thread_;
  std::unique_ptr<runtime::BlockingPool> pool_;
  std::unique_ptr<Service> service_;
  std::unique_ptr<Server> server_;
  std::unique_ptr<runtime::EventLoops> loops_;
  std::thread thread_;
};
runtime::TestCertificates* Servers::certificates_ = nullptr;

std::string text(const Result<ClientReply>& reply) {
  return reply ? std::string(text_of(reply->body)) : reply.error().message();
}

TEST_F(Servers, AnswersOverTls) {
  start();
  const auto one = client();
  for (int i = 0; i < 20; ++i) {
    const auto reply = one->ask({});
    ASSERT_EQ(text(reply), "hello");
    EXPECT_EQ(reply->field("strict-transport-security"), "max-age=31536000");
  }
  EXPECT_EQ(service_->metrics().connections(), 1U) << "kept";
  EXPECT_EQ(one->ask({.target = "/nowhere"})->status, 404);
  EXPECT_EQ(one->ask({.method = "HEAD"})->field("Content-Length"), "5");
  EXPECT_EQ(one->ask({.target = "/a b"}).error().code, Code::kUsage);
}

TEST_F(Servers, BodiesBothWays) {
  start();
  const auto one = client();
  EXPECT_EQ(text(one->ask({.method = "PUT", .target = "/count", .body = Bytes(20U << 20U, 'x')})),
            "20971520");
  std::size_t got = 0;
  const auto reply = one->ask({.target = "/megabytes", .download = [&](ByteView data) -> Status {
                                 got += data.size();
                                 return {};
                               }});
  ASSERT_TRUE(reply);
  EXPECT_EQ(got, 5'000'000U);
  EXPECT_TRUE(reply->body.empty());
  EXPECT_EQ(one->ask({.target = "/megabytes"})->body.size(), 5'000'000U);
  // A download that the caller ends; the next request has a connection of its own.
  EXPECT_EQ(one->ask({.target = "/megabytes",
                      .download = [](ByteView) -> Status { return fail(Code::kDiskFull); }})
                .error()
                .code,
            Code::kDiskFull);
  EXPECT_EQ(text(one->ask({})), "hello");
  // Refused while we send: the reply is seen.
  EXPECT_EQ(one->ask({.method = "PUT", .target = "/nowhere", .body = Bytes(500'000, 'x')})->status,
            404);
  auto options = client_options();
  options.reply_bytes_max = 1000;
  EXPECT_EQ(client(options)->ask({.target = "/megabytes"}).error().code, Code::kTooLarge);
}

TEST_F(Servers, BlockingWorkGoesToThePool) {
  start(false, 1);
  const auto one = client();
  EXPECT_EQ(text(one->ask({.method = "POST", .target = "/pool", .body = bytes_of("ran")})),
            "ran in the pool");
  const ClientRequest keyed{.method = "POST",
                            .target = "/pool",
                            .fields = {{"Idempotency-Key", "k-1"}},
                            .body = bytes_of("ran")};
  EXPECT_EQ(text(one->ask(keyed)), "ran in the pool");
  EXPECT_EQ(one->ask(keyed)->field("Idempotency-Replayed"), "true");
}

TEST_F(Servers, AFullPoolIsSaidSo) {
  start(false, 1, 1);
  std::vector<std::unique_ptr<BlockingClient>> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(client());
  std::counting_semaphore<> turned_away(0);
  {
    std::vector<std::jthread> threads;
    for (auto& one : clients) {
      threads.emplace_back([&] {
        const auto reply = one->ask({.target = "/wait"});
        if (reply && reply->status == 503 && reply->field("Retry-After")) turned_away.release();
      });
      if (threads.size() == 1) entered_.acquire();
    }
    // One runs, two wait; one is turned away at once.
    turned_away.acquire();
    EXPECT_EQ(text(client()->ask({})), "hello") << "the loop is free meanwhile";
    let_go_.count_down();
  }
  EXPECT_FALSE(turned_away.try_acquire()) << "the others were answered";
}

TEST_F(Servers, ClientCertificatesAreAskedForAndTold) {
  start(true);
  EXPECT_EQ(text(client()->ask({.target = "/who"})), "nobody");
  EXPECT_EQ(client()->ask({.target = "/members"})->status, 403);
  const auto member = client(client_options("client"));
  EXPECT_EQ(text(member->ask({.target = "/who"})).size(), 64U);
  EXPECT_EQ(member->ask({.target = "/members"})->status, 204);
  EXPECT_FALSE(client(client_options("stranger"))->ask({.target = "/who"}));
  EXPECT_GE(service_->metrics().refusals(Refused::kHandshake), 1U);
}

TEST_F(Servers, TheClientTrustsOnlyWhomItShould) {
  start();
  auto options = client_options();
  options.tls->authority_file = certificates_->certificate_of("stranger");
  EXPECT_EQ(client(options)->ask({}).error().code, Code::kBadCertificate);
  options = client_options();
  options.tls->authority_file = "/nowhere";
  EXPECT_EQ(BlockingClient::make(options, clock_, random_, log_).error().code,
            Code::kBadCertificate);
  options = client_options();
  options.server.port = 1;
  EXPECT_EQ(client(options)->ask({}).error().code, Code::kUpstream);
}

TEST_F(Servers, CertificatesAreReplacedWhileItRuns) {
  certificates_->make("changing", "DNS:localhost");
  start();
  namespace fs = std::filesystem;
  const auto replace = [&](const std::string& with) {
    for (const auto& [from, to] :
         {std::pair{certificates_->certificate_of(with), certificates_->certificate_of("server")},
          std::pair{certificates_->key_of(with), certificates_->key_of("server")}}) {
      fs::copy_file(from, to, fs::copy_options::overwrite_existing);
    }
  };
  certificates_->make("original", "DNS:localhost");
  replace("original");
  ASSERT_TRUE(server_->replace_tls());
  const auto old = client();  // trusts "original"
  EXPECT_EQ(text(old->ask({})), "hello");
  auto options = client_options();
  replace("changing");
  ASSERT_TRUE(server_->replace_tls());
  options.tls->authority_file = certificates_->certificate_of("changing");
  EXPECT_EQ(text(client(options)->ask({})), "hello");
  EXPECT_EQ(text(old->ask({})), "hello") << "a connection keeps what it began with";
  // What cannot be read changes nothing.
  fs::remove(certificates_->key_of("server"));
  EXPECT_FALSE(server_->replace_tls());
  EXPECT_EQ(text(client(options)->ask({})), "hello");
  certificates_->make("server", "DNS:localhost,IP:127.0.0.1");
}

TEST_F(Servers, StopsWhenTheLastReplyIsSent) {
  start();
  const auto busy = client();
  const auto idle = client();
  EXPECT_EQ(text(idle->ask({})), "hello");
  std::string last;
  std::jthread asking([&] { last = text(busy->ask({.target = "/wait"})); });
  entered_.acquire();
  std::latch stopped(1);
  server_->stop(20s, [&] { stopped.count_down(); });
  // The idle one ends, and as soon as every loop has heard of it nobody new comes in.
  while (idle->ask({})) std::this_thread::yield();
  while (service_->metrics().connections() > 1) std::this_thread::yield();
  EXPECT_FALSE(stopped.try_wait());
  let_go_.count_down();
  stopped.wait();
  asking.join();
  EXPECT_EQ(last, "waited");
  EXPECT_EQ(service_->metrics().connections(), 0U);
  loops_->stop();
  thread_.join();
}

TEST_F(Servers, ManyClientsOnSeveralLoops) {
  start();
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        const auto one = client();
        for (int k = 0; k < 50; ++k) {
          if (text(one->ask({})) == "hello") ++good;
          if (one->ask({.method = "POST", .target = "/pool", .body = bytes_of("x")})->status /
                  100 ==
              2)
            ++good;
        }
      });
    }
  }
  EXPECT_GE(good, 400);
  stop();  // a reply may be there before it is counted
  EXPECT_EQ(service_->metrics().replies(2), static_cast<std::uint64_t>(good));
}

TEST_F(Servers, RefusesToStartOnWhatDoesNotFit) {
  runtime::EventLoops loops(1, clock_, random_, log_);
  Router pooled;
  ASSERT_TRUE(pooled.add({.method = "GET",
                          .pattern = "/",
                          .handler = [](Request&) { return Response::empty(); },
                          .runs = Runs::kInPool}));
  EXPECT_EQ(Service::make(std::move(pooled), {}).error().code, Code::kUsage);
  EXPECT_EQ(Service::make({}, {.limits = {.idle = 0ms}}).error().code, Code::kUsage);
  EXPECT_EQ(Service::make({}, {.limits = {.bytes_per_second_min = 0}}).error().code, Code::kUsage);
  EXPECT_EQ(Service::make({}, {.default_fields = {{"A", "b\r\nC: d"}}}).error().code, Code::kUsage);
  auto service = std::move(*Service::make({}, {}));
  ListenOptions options{.at = {.host = "127.0.0.1"}};
  options.tls = runtime::TlsServerOptions{.certificate_file = "/nowhere", .key_file = "/nowhere"};
  EXPECT_EQ(Server::start(loops, *service, options).error().code, Code::kIo);
  options.tls.reset();
  options.at.host = "192.0.2.1";
  EXPECT_EQ(Server::start(loops, *service, options).error().code, Code::kIo);
}

}  // namespace
}  // namespace theriac::http
