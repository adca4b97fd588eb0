// Peers that are slow, vanish or never end, and servers that stop: in simulation, by its clock.
#include <gtest/gtest.h>

#include "http/events.hpp"
#include "http/stage.hpp"
#include "runtime/test_certificates.hpp"

namespace theriac::http {
namespace {

using namespace std::chrono_literals;

Limits quick() {
  Limits limits;
  limits.idle = 20s;
  limits.head = 10s;
  limits.transfer = 10s;
  limits.bytes_per_second_min = 1000;
  return limits;
}

struct Feeds {
  std::vector<std::shared_ptr<EventFeed>> open;
};

/// A handler's coroutine that waits until the test lets it go.
struct Held {
  runtime::Signal let_go;
  bool free = false;
  int waiting = 0;
};

runtime::Task<Response> hold(Held* held) {
  ++held->waiting;
  while (!held->free) co_await held->let_go.wait();
  co_return Response::with(200, "text/plain", "held");
}

runtime::Task<Status> endless(BodyWriter* out) {
  const std::string piece(1000, 'x');
  while (!out->stopping()) {
    const auto written = co_await out->write(view_of(piece));
    if (!written) co_return fail(written.error());
  }
  co_return Status{};
}

Router router(Held* held = nullptr, Feeds* feeds = nullptr) {
  Router made;
  const auto add = [&made](Route route) { EXPECT_TRUE(made.add(std::move(route))); };
  add({.method = "GET", .pattern = "/", .handler = [](Request&) {
         return Response::with(200, "text/plain", "hello");
       }});
  add({.method = "POST",
       .pattern = "/echo",
       .handler = [](Request& r) { return Response::with(200, "text/plain", text_of(r.body)); },
       .body_bytes_max = 1'000'000});
  add({.method = "GET", .pattern = "/large", .handler = [](Request&) {
         return Response{200, {}, std::make_shared<const Bytes>(1'000'000, 'x')};
       }});
  add({.method = "GET", .pattern = "/endless", .handler = [](Request&) {
         return Response{200, {}, Producer(endless)};
       }});
  if (held != nullptr) {
    add({.method = "GET", .pattern = "/held", .async = [held](Request*) { return hold(held); }});
  }
  if (feeds != nullptr) {
    add({.method = "GET", .pattern = "/events", .handler = [feeds](Request&) {
           feeds->open.push_back(std::make_shared<EventFeed>(1000));
           return event_response(feeds->open.back(), {.heartbeat = 5s, .retry = 1s});
         }});
  }
  return made;
}

using namespace std::string_literals;

constexpr const char* kGet = "GET / HTTP/1.1\r\nHost: h\r\n\r\n";

/// One byte a second, as slowloris does it.
class Dribble final : private runtime::TickListener {
 public:
  Dribble(Stage& stage, Stage::Client& client, std::string bytes)
      : TickListener(stage.world().loop().ticks()), client_(&client), bytes_(std::move(bytes)) {}
  [[nodiscard]] std::size_t sent() const { return sent_; }

 private:
  void on_tick(std::int64_t) override {
    if (sent_ < bytes_.size() && !client_->talk->end &&
        client_->stream->try_write(view_of(bytes_).subspan(sent_, 1))) {
      ++sent_;
    }
  }
  Stage::Client* client_;
  std::string bytes_;
  std::size_t sent_ = 0;
};

TEST(SlowPeers, ASilentConnectionEnds) {
  Stage stage(router(), {.limits = quick()});
  auto client = stage.connect();
  const auto began = stage.world().clock().monotonic_ms();
  ASSERT_TRUE(stage.run([&] { return client.talk->end.has_value(); }));
  EXPECT_EQ(client.talk->received, "");
  const auto took = stage.world().clock().monotonic_ms() - began;
  EXPECT_GE(took, 20'000);
  EXPECT_LE(took, 22'000);
}

TEST(SlowPeers, AHeadByteByByteEndsWithTheHeadsDeadline) {
  Stage stage(router(), {.limits = quick()});
  auto client = stage.connect();
  Dribble dribble(stage, client, kGet);
  ASSERT_TRUE(stage.run([&] { return client.talk->end.has_value(); }));
  EXPECT_TRUE(client.talk->received.starts_with("HTTP/1.1 408 ")) << client.talk->received;
  EXPECT_LE(dribble.sent(), 14U);
  EXPECT_EQ(stage.service().metrics().refusals(Refused::kSlow), 1U);
}

TEST(SlowPeers, AKeptConnectionMayIdleBetweenRequests) {
  Stage stage(router(), {.limits = quick()});
  auto client = stage.connect();
  for (std::size_t i = 1; i <= 3; ++i) {
    stage.send(client, kGet);
    ASSERT_TRUE(stage.run([&] { return count_of(client.talk->received, "hello") == i; }));
    const auto until = stage.world().clock().monotonic_ms() + 15'000;
    ASSERT_TRUE(stage.run([&] { return stage.world().clock().monotonic_ms() >= until; }));
  }
  EXPECT_FALSE(client.talk->end);
}

TEST(SlowPeers, ABodyMustComeAtThePaceAsked) {
  const std::string head = "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 60\r\n\r\n";
  {
    Stage stage(router(), {.limits = quick()});
    auto client = stage.connect();
    stage.send(client, head);
    Dribble dribble(stage, client, std::string(60, 'b'));
    ASSERT_TRUE(stage.run([&] { return client.talk->end.has_value(); }, 120'000));
    EXPECT_TRUE(client.talk->received.starts_with("HTTP/1.1 408 ")) << client.talk->received;
  }
  // 60,000 bytes need far longer than `transfer`, but they come at the pace.
  Stage stage(router(), {.limits = quick()}, 1,
              {.delay_max_ms = 1000, .chunk_bytes_max = 4000, .window_bytes = 4000});
  auto client = stage.connect();
  const auto began = stage.world().clock().monotonic_ms();
  stage.send(
      client,
      "POST /echo HTTP/1.1\r\nHost: h\r\nContent-Length: 60000\r\nConnection: close\r\n\r\n" +
          std::string(60'000, 'b'));
  ASSERT_TRUE(stage.run([&] { return client.talk->end.has_value(); }, 3'600'000));
  EXPECT_TRUE(client.talk->received.starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(client.talk->received.ends_with(std::string(60'000, 'b')));
  EXPECT_GT(stage.world().clock().monotonic_ms() - began, 15'000);
}

TEST(SlowPeers, AReplyThatNobodyReadsEnds) {
  for (const auto* path : {"/large", "/endless"}) {
    Stage stage(router(), {.limits = quick()});
    auto [near, far] = stage.world().link();
    stage.shard().take(std::move(far));
    const auto talk = std::make_shared<Talk>();
    stage.world().loop().spawn(
        "write", write_request(near.get(),
                               "GET " + std::string(path) + " HTTP/1.1\r\nHost: h\r\n\r\n", talk));
    // `near` is never read.
    ASSERT_TRUE(
        stage.run([&] { return stage.service().metrics().refusals(Refused::kSlow) == 1; }, 300'000))
        << path;
    EXPECT_TRUE(stage.run([&] { return stage.shard().connections() == 0; }));
  }
}

/// Reads so many bytes a second.
class Sip final : private runtime::TickListener {
 public:
  explicit Sip(Stage& stage) : TickListener(stage.world().loop().ticks()) {}
  runtime::Task<void> read(runtime::Stream* stream, std::size_t per_tick) {
    Bytes buffer(per_tick);
    for (std::size_t got = 0;; got = 0) {
      co_await ticked_.wait();
      while (got < per_tick) {
        const auto count = co_await stream->read_some(MutableBytes(buffer).subspan(got));
        if (!count) co_return;
        got += *count;
      }
    }
  }

 private:
  void on_tick(std::int64_t) override { ticked_.notify_all(); }
  runtime::Signal ticked_;
};

TEST(SlowPeers, AReplyMustBeReadAtThePaceAsked) {
  // Every piece of it would be in time by itself.
  for (const std::size_t per_second : {900U, 1500U}) {
    Stage stage(router(), {.limits = quick()});
    auto [near, far] = stage.world().link();
    stage.shard().take(std::move(far));
    Sip sip(stage);
    stage.world().loop().spawn("read", sip.read(near.get(), per_second));
    ASSERT_TRUE(
        near->try_write(view_of("GET /large HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n")));
    auto& metrics = stage.service().metrics();
    ASSERT_TRUE(stage.run([&] { return metrics.replies(2) == 1; }, 3'600'000));
    EXPECT_EQ(metrics.refusals(Refused::kSlow), per_second < 1000 ? 1U : 0U);
  }
}

TEST(SlowPeers, HalfOpenConnectionsEnd) {
  Stage stage(router(), {.limits = quick()}, 3, {.half_open_per_million = 1'000'000});
  auto client = stage.connect();
  stage.send(client, kGet);
  EXPECT_TRUE(stage.run([&] { return stage.service().metrics().connections() == 1; }));
  EXPECT_TRUE(stage.run([&] { return stage.service().metrics().connections() == 0; }, 120'000));
}

TEST(SlowPeers, HandshakesThatDoNotHappenEnd) {
  runtime::TestCertificates certificates;
  certificates.make("server", "DNS:h");
  const auto tls =
      runtime::TlsContext::server({.certificate_file = certificates.certificate_of("server"),
                                   .key_file = certificates.key_of("server"),
                                   .protocol = runtime::TlsProtocol::kHttp11});
  ASSERT_TRUE(tls);
  auto limits = quick();
  limits.handshake = 3s;
  Stage stage(router(), {.limits = limits});
  auto [silent, far] = stage.world().link();
  stage.shard().take_tls(std::move(far), *tls);
  ASSERT_TRUE(stage.run([&] { return stage.shard().connections() == 1; }));
  EXPECT_TRUE(stage.run([&] { return stage.shard().connections() == 0; }, 5000));
  EXPECT_EQ(stage.service().metrics().refusals(Refused::kHandshake), 1U);
  // One that is under way at a stop is cut, too.
  auto [another, server_end] = stage.world().link();
  stage.shard().take_tls(std::move(server_end), *tls);
  ASSERT_TRUE(stage.run([&] { return stage.shard().connections() == 1; }));
  stage.world().loop().spawn("stop", stage.shard().stop(1ms));
  EXPECT_TRUE(stage.run([&] { return stage.shard().connections() == 0; }, 2000));
}

TEST(SlowPeers, LostConnectionsLeaveNothing) {
  // Whatever the links do, each connection ends and is counted out, and replies that came whole
  // are right.
  std::uint64_t whole = 0;
  for (std::uint64_t seed = 1; seed <= 60; ++seed) {
    Stage stage(
        router(), {.limits = quick()}, seed,
        {.chunk_bytes_max = 40, .reset_per_million = 20'000, .half_open_per_million = 10'000});
    std::vector<Stage::Client> clients;
    for (int i = 0; i < 5; ++i) {
      clients.push_back(stage.connect());
      stage.send(clients.back(),
                 std::string(kGet) +
                     "POST /echo HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "b\r\nhello world\r\n0\r\n\r\n" +
                     kGet);
    }
    ASSERT_TRUE(stage.run([&] { return stage.service().metrics().connections() == 5; })) << seed;
    ASSERT_TRUE(stage.run([&] { return stage.service().metrics().connections() == 0; }, 600'000))
        << seed;
    EXPECT_EQ(stage.shard().connections(), 0U);
    EXPECT_EQ(stage.service().census().total(), 0U);
    for (const auto& client : clients) {
      if (count_of(client.talk->received, "hello") == 3) ++whole;
      EXPECT_EQ(count_of(client.talk->received, " 400 "), 0U) << client.talk->received;
    }
  }
  EXPECT_GT(whole, 50U);
}

TEST(SlowPeers, SameSeedSameCourse) {
  const auto trace = [](std::uint64_t seed) {
    Stage stage(router(), {.limits = quick()}, seed,
                {.chunk_bytes_max = 10, .reset_per_million = 5000});
    stage.ask(""s + kGet + kGet + kGet);
    return stage.world().trace_hash();
  };
  EXPECT_EQ(trace(7), trace(7));
  EXPECT_NE(trace(7), trace(8));
}

TEST(Limits, ConnectionsOfOneAddressAndOfAll) {
  auto limits = quick();
  limits.connections_per_address_max = 3;
  Stage stage(router(), {.limits = limits});
  std::vector<Stage::Client> clients;
  for (int i = 0; i < 4; ++i) clients.push_back(stage.connect());
  ASSERT_TRUE(stage.run([&] { return clients[3].talk->end.has_value(); }));
  EXPECT_EQ(stage.service().metrics().refusals(Refused::kConnectionLimit), 1U);
  stage.send(clients[0], kGet);
  ASSERT_TRUE(stage.run([&] { return count_of(clients[0].talk->received, "hello") == 1; }));
  clients[0].stream->close();
  ASSERT_TRUE(stage.run([&] { return stage.shard().connections() == 2; }));
  auto another = stage.connect();
  stage.send(another, kGet);
  EXPECT_TRUE(stage.run([&] { return count_of(another.talk->received, "hello") == 1; }));
}

// --- stopping
// -------------------------------------------------------------------------------------

runtime::Task<void> stop_and_tell(Shard* shard, std::chrono::milliseconds within, bool* stopped) {
  co_await shard->stop(within);
  *stopped = true;
}

TEST(Stopping, IdleEndAtOnceAndRepliesUnderWayFinish) {
  Held held;
  Stage stage(router(&held), {.limits = quick()});
  auto idle = stage.connect();
  stage.send(idle, kGet);
  auto busy = stage.connect();
  stage.send(busy, "GET /held HTTP/1.1\r\nHost: h\r\n\r\n"s + kGet);
  auto fresh = stage.connect();
  ASSERT_TRUE(
      stage.run([&] { return held.waiting == 1 && count_of(idle.talk->received, "hello") == 1; }));
  bool stopped = false;
  stage.world().loop().spawn("stop", stop_and_tell(&stage.shard(), 10s, &stopped));
  ASSERT_TRUE(stage.run([&] { return idle.talk->end && fresh.talk->end; }, 1000));
  EXPECT_FALSE(stopped);
  auto late = stage.connect();
  ASSERT_TRUE(stage.run([&] { return late.talk->end.has_value(); })) << "nobody enters any more";
  held.free = true;
  held.let_go.notify_all();
  ASSERT_TRUE(stage.run([&] { return busy.talk->end.has_value(); }));
  EXPECT_EQ(count_of(busy.talk->received, "held"), 1U);
  EXPECT_EQ(count_of(busy.talk->received, "Connection: close"), 1U);
  EXPECT_EQ(count_of(busy.talk->received, "hello"), 0U)
      << "what was pipelined is asked again elsewhere";
  busy.stream->close();
  EXPECT_TRUE(stage.run([&] { return stopped; }));
}

TEST(Stopping, StreamsEndAndStalledPeersAreCut) {
  Feeds feeds;
  Stage stage(router(nullptr, &feeds), {.limits = quick()});
  auto listener = stage.connect();
  stage.send(listener, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  auto reader = stage.connect();
  stage.send(reader, "GET /endless HTTP/1.1\r\nHost: h\r\n\r\n");
  auto [deaf, far] = stage.world().link();
  stage.shard().take(std::move(far));
  ASSERT_TRUE(deaf->try_write(view_of("GET /endless HTTP/1.1\r\nHost: h\r\n\r\n")));
  ASSERT_TRUE(
      stage.run([&] { return feeds.open.size() == 1 && reader.talk->received.size() > 100'000; }));
  bool stopped = false;
  stage.world().loop().spawn("stop", stop_and_tell(&stage.shard(), 5s, &stopped));
  ASSERT_TRUE(stage.run([&] { return reader.talk->end && listener.talk->end; }, 4000));
  EXPECT_TRUE(reader.talk->received.ends_with("\r\n0\r\n\r\n")) << "an orderly end";
  EXPECT_TRUE(listener.talk->received.ends_with("\r\n0\r\n\r\n"));
  EXPECT_TRUE(stage.run([&] { return stopped; }, 10'000)) << "the deaf one is cut";
}

// --- events
// ---------------------------------------------------------------------------------------

TEST(Events, Format) {
  EXPECT_EQ(*format_event({.data = "a"}), "data: a\n\n");
  EXPECT_EQ(*format_event({}), "data: \n\n");
  EXPECT_EQ(*format_event({.name = "alarm", .id = "7", .data = "a\nb\r\nc\rd\n"}),
            "id: 7\nevent: alarm\ndata: a\ndata: b\ndata: c\ndata: d\ndata: \n\n");
  using namespace std::string_literals;
  for (const auto& bad : {"a\nb"s, "a\rdata: x"s}) {
    EXPECT_EQ(format_event({.name = bad}).error().code, Code::kMalformed);
    EXPECT_EQ(format_event({.id = bad}).error().code, Code::kMalformed);
  }
  EXPECT_EQ(format_event({.id = "a\0b"s}).error().code, Code::kMalformed);
}

TEST(Events, ArriveWithHeartbeatsBetween) {
  Feeds feeds;
  Stage stage(router(nullptr, &feeds), {.limits = quick()});
  auto client = stage.connect();
  stage.send(client, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  const auto has = [&](std::string_view text, std::size_t times) {
    return [&client, text, times] { return count_of(client.talk->received, text) == times; };
  };
  ASSERT_TRUE(stage.run(has("retry: 1000\n\n", 1)));
  EXPECT_TRUE(feeds.open[0]->push({.id = "1", .data = "first"}));
  ASSERT_TRUE(stage.run(has("data: first\n\n", 1), 1000));
  ASSERT_TRUE(stage.run(has("\r\n:\n\n\r\n", 3), 30'000))
      << "in silence a comment every five seconds";
  EXPECT_TRUE(feeds.open[0]->push({.data = "second"}));
  EXPECT_TRUE(feeds.open[0]->push({.data = "third"}));
  feeds.open[0]->end();
  ASSERT_TRUE(stage.run(has("data: second\n\ndata: third\n\n\r\n0\r\n\r\n", 1)));
  EXPECT_EQ(feeds.open[0]->push({}).error().code, Code::kClosed);
  EXPECT_EQ(count_of(client.talk->received, "Content-Type: text/event-stream"), 1U);
}

TEST(Events, WhoIsBehindIsCutOff) {
  EventFeed feed(100);
  EXPECT_TRUE(feed.push({.data = std::string(80, 'x')}));
  EXPECT_EQ(feed.push({.data = std::string(80, 'x')}).error().code, Code::kBusy);
  EXPECT_TRUE(feed.ended());
  EXPECT_EQ(feed.push({.data = "x"}).error().code, Code::kClosed);
}

TEST(Events, ThePublisherLearnsThatNobodyListens) {
  Feeds feeds;
  Stage stage(router(nullptr, &feeds), {.limits = quick()});
  auto client = stage.connect();
  stage.send(client, "GET /events HTTP/1.1\r\nHost: h\r\n\r\n");
  ASSERT_TRUE(stage.run([&] { return feeds.open.size() == 1; }));
  client.stream.reset();
  EXPECT_TRUE(stage.run([&] { return feeds.open[0]->ended(); }, 30'000)) << "by the heartbeat";
}

}  // namespace
}  // namespace theriac::http
