// The gateway's driver on a simulated network: clients that pipeline, stall, vanish; a server that
// answers in order, dies, or goes silent; links that delay, split at any byte, reset, go half open.
// Whatever happens, each client sees a prefix of what the server said to it, nothing else, sessions
// end, and the same seed takes the same course.
#include <gtest/gtest.h>

#include <deque>

#include "base/log.hpp"
#include "gateway/driver.hpp"
#include "gateway/pass_session.hpp"
#include "runtime/sim.hpp"

namespace theriac::gateway {
namespace {

using runtime::SimFaults;
using runtime::SimWorld;
using runtime::Stream;
using runtime::Task;

/// The answer to query number n of client c: rows of a size that both sides can compute.
Bytes answer_to(std::string_view sql, std::size_t row_bytes) {
  Bytes out, row;
  append_be(row, std::uint16_t{1});
  append_be(row, static_cast<std::uint32_t>(row_bytes));
  for (std::size_t i = 0; i < row_bytes; ++i) {
    row.push_back(static_cast<std::uint8_t>(sql[i % sql.size()]));
  }
  pgwire::write_message(out, 'D', row);
  pgwire::write_message(out, 'C', view_of(std::string_view("SELECT 1\0", 9)));
  pgwire::write_ready(out, 'I');
  return out;
}
std::size_t row_bytes_of(std::string_view sql) { return (sql.size() * 7919U) % 9'000U; }

Bytes greeting() {
  Bytes out, ok;
  append_be(ok, std::uint32_t{0});
  pgwire::write_message(out, 'R', ok);
  pgwire::write_ready(out, 'I');
  return out;
}

struct World {
  explicit World(std::uint64_t seed, SimFaults faults) : sim(seed, faults) {
    setup.dialer = &sim.dialer();
    setup.upstream.endpoint = {"db", 5432, {}};
    setup.times = {
        .idle = {}, .write = std::chrono::seconds(60), .sign_in = std::chrono::seconds(60)};
    shard = std::make_unique<Shard>(
        sim.loop(), setup, metrics,
        [this](const pgwire::StartupMessage&, const Waker&) -> Result<std::unique_ptr<Session>> {
          return std::make_unique<PassSession>(metrics);
        },
        VerifierLookup{});
    sim.listen("db:5432", [this](std::unique_ptr<Stream> stream) {
      sim.loop().spawn("postgres", serve(std::move(stream)));
    });
  }

  /// Lets what lingers come to its end.
  ~World() {
    sim.run_until([] { return false; }, 200'000);
  }
  World(const World&) = delete;
  World& operator=(const World&) = delete;

  /// A small PostgreSQL: one answer a query, in order; ends at Terminate or the end of the stream.
  Task<void> serve(std::unique_ptr<Stream> stream) {
    ++backends;
    ++backends_ever;
    co_await serve_all(std::move(stream));
    --backends;
  }
  Task<void> serve_all(std::unique_ptr<Stream> stream) {
    stream->set_idle_deadline(backend_patience);
    Bytes in, buffer(4096);
    bool signed_in = false;
    while (true) {
      const auto count = co_await stream->read_some(buffer);
      if (!count) co_return;
      append(in, ByteView(buffer).first(*count));
      if (!signed_in) {
        const auto startup = pgwire::cut_startup(in);
        EXPECT_TRUE(startup);
        if (!startup || !*startup) continue;
        in.erase(in.begin(), in.begin() + static_cast<long>((*startup)->size));
        if ((*startup)->kind == pgwire::StartupKind::kCancel) {
          ++cancels;
          co_return;
        }
        signed_in = true;
        if (!co_await stream->write(greeting())) co_return;
      }
      while (true) {
        const auto frame = pgwire::cut_message(in, pgwire::kMessageBytesMax);
        EXPECT_TRUE(frame) << "the gateway broke the framing towards the server";
        if (!frame || !*frame) break;
        const char tag = (*frame)->tag;
        std::string sql;
        if (tag == 'Q') sql = std::string(*pgwire::read_query((*frame)->body));
        in.erase(in.begin(), in.begin() + static_cast<long>((*frame)->raw.size()));
        if (tag == 'X') co_return;
        EXPECT_EQ(tag, 'Q');
        if (sql == "die") co_return;
        if (!co_await stream->write(answer_to(sql, row_bytes_of(sql)))) co_return;
      }
    }
  }

  SimWorld sim;
  ShardSetup setup;
  LoopMetrics metrics;
  std::unique_ptr<Shard> shard;
  std::chrono::milliseconds backend_patience = std::chrono::seconds(120);
  int backends = 0, backends_ever = 0, cancels = 0;
};

struct Client {
  std::vector<std::string> queries;
  std::size_t pipelined = 1;  ///< queries sent before an answer is read
  bool vanishes = false;      ///< closes without Terminate after the last query was sent
  Bytes expected, received;
  bool done = false;
  bool complete = false;
};

Task<void> send_queries(Stream* stream, std::shared_ptr<Client> client, std::size_t from,
                        std::size_t count, bool* failed) {
  Bytes out;
  for (std::size_t i = from; i < from + count; ++i) pgwire::write_query(out, client->queries[i]);
  if (!co_await stream->write(out)) *failed = true;
}

/// Reads until `expected` many bytes are there or the stream ends.
Task<bool> read_up_to(Stream* stream, std::shared_ptr<Client> client, std::size_t expected) {
  Bytes buffer(5000);
  while (client->received.size() < expected) {
    const auto count = co_await stream->read_some(buffer);
    if (!count) co_return false;
    append(client->received, ByteView(buffer).first(*count));
  }
  co_return true;
}

Task<void> play(std::unique_ptr<Stream> stream, std::shared_ptr<Client> client) {
  stream->set_idle_deadline(std::chrono::seconds(300));
  client->expected = greeting();
  Bytes startup;
  pgwire::write_startup(startup, {.parameters = {{"user", "sim"}}});
  bool failed = !co_await stream->write(startup);
  if (!failed) failed = !co_await read_up_to(stream.get(), client, client->expected.size());
  for (std::size_t at = 0; at < client->queries.size() && !failed;) {
    const auto count = std::min(client->pipelined, client->queries.size() - at);
    for (std::size_t i = at; i < at + count; ++i) {
      append(client->expected, answer_to(client->queries[i], row_bytes_of(client->queries[i])));
    }
    co_await send_queries(stream.get(), client, at, count, &failed);
    at += count;
    if (client->vanishes && at == client->queries.size()) break;
    if (!failed) failed = !co_await read_up_to(stream.get(), client, client->expected.size());
  }
  client->complete = !failed && client->received == client->expected;
  if (!client->vanishes && !failed) {
    Bytes terminate;
    pgwire::write_message(terminate, 'X', {});
    static_cast<void>(co_await stream->write(terminate));
  }
  stream->close();
  client->done = true;
}

/// A prefix of what the server said; after it perhaps one last message of the gateway.
void expect_only_the_servers_words(const Client& client) {
  const auto [seen, said] = std::ranges::mismatch(client.received, client.expected);
  if (seen == client.received.end()) return;
  // The message that differs begins where the expected messages have a boundary.
  std::size_t at = 0;
  const auto differs = static_cast<std::size_t>(seen - client.received.begin());
  while (true) {
    const auto frame =
        pgwire::cut_message(ByteView(client.expected).subspan(at), pgwire::kMessageBytesMax);
    if (!frame || !*frame || at + (*frame)->raw.size() > differs) break;
    at += (*frame)->raw.size();
  }
  const auto rest = ByteView(client.received).subspan(at);
  ASSERT_EQ(rest[0], 'E') << "a client saw bytes that the server did not say to it";
  const auto last = pgwire::cut_message(rest, pgwire::kMessageBytesMax);
  ASSERT_TRUE(last);
  // A reset may cut it.
  if (*last) EXPECT_EQ((*last)->raw.size(), rest.size());
}

struct Outcome {
  std::uint64_t hash = 0;
  int complete = 0;
  bool ended = false;
  std::uint64_t bytes = 0;
  friend bool operator==(const Outcome&, const Outcome&) = default;
};

Outcome run(std::uint64_t seed, const SimFaults& faults, std::size_t clients, bool vanish = false) {
  World world(seed, faults);
  std::vector<std::shared_ptr<Client>> all;
  for (std::size_t c = 0; c < clients; ++c) {
    auto client = std::make_shared<Client>();
    // A client that only writes while nobody takes its queries stops itself, here as with
    // PostgreSQL: so it sends no more ahead than the windows hold.
    client->pipelined = faults.window_bytes < 4096 ? 1 : 1 + world.sim.random().up_to(7);
    client->vanishes = vanish && c % 2 == 0;
    for (std::uint64_t q = 0; q < 8; ++q) {
      client->queries.push_back("select " + std::to_string(c) + "/" + std::to_string(q) +
                                std::string(world.sim.random().up_to(40), '.'));
    }
    auto [near, far] = world.sim.link();
    world.sim.loop().spawn("client", play(std::move(near), client));
    world.sim.loop().spawn("gateway", world.shard->serve(std::move(far)));
    all.push_back(std::move(client));
  }
  Outcome outcome;
  bool stopped = false;
  outcome.ended = world.sim.run_until(
      [&] {
        return std::ranges::all_of(all, [](const auto& c) { return c->done; }) &&
               world.backends == 0 && world.metrics.sessions_open.get() == 0;
      },
      3'600'000);
  world.shard->begin_stop({}, [&] { stopped = true; });
  EXPECT_TRUE(world.sim.run_until([&] { return stopped && world.backends == 0; }, 600'000));
  for (const auto& client : all) {
    expect_only_the_servers_words(*client);
    if (client->complete) ++outcome.complete;
    outcome.bytes += client->received.size();
  }
  EXPECT_EQ(world.sim.loop().faults(), 0U);
  EXPECT_EQ(world.metrics.errors[static_cast<std::size_t>(Code::kInternal)].get(), 0U);
  outcome.hash = world.sim.trace_hash();
  return outcome;
}

TEST(GatewaySim, CalmWeatherDeliversEverything) {
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    const auto outcome = run(seed, {.delay_max_ms = 4}, 5);
    EXPECT_TRUE(outcome.ended);
    EXPECT_EQ(outcome.complete, 5);
  }
}

TEST(GatewaySim, EveryByteAloneAndTinyWindows) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    const auto outcome =
        run(seed,
            {.delay_max_ms = 2, .chunk_bytes_max = 3, .read_bytes_max = 2, .window_bytes = 64}, 2);
    EXPECT_TRUE(outcome.ended);
    EXPECT_EQ(outcome.complete, 2);
  }
}

TEST(GatewaySim, SameSeedSameCourse) {
  const SimFaults faults{.delay_max_ms = 20,
                         .chunk_bytes_max = 2000,
                         .read_bytes_max = 900,
                         .window_bytes = 5000,
                         .reset_per_million = 2000,
                         .half_open_per_million = 1000};
  std::set<std::uint64_t> courses;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    const auto once = run(seed, faults, 4, true);
    EXPECT_EQ(once, run(seed, faults, 4, true)) << seed;
    courses.insert(once.hash);
  }
  EXPECT_EQ(courses.size(), 10U);
}

TEST(GatewaySim, ResetsEndSessionsOnBothSides) {
  int cut = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const auto outcome = run(seed,
                             {.delay_max_ms = 5,
                              .chunk_bytes_max = 4000,
                              .reset_per_million = 8000,
                              .refuse_per_million = 100'000},
                             6, true);
    EXPECT_TRUE(outcome.ended) << "seed " << seed << ": a session outlived its link";
    cut += 6 - outcome.complete;
  }
  EXPECT_GT(cut, 25);
}

TEST(GatewaySim, HalfOpenLinksEndByDeadlines) {
  int starved = 0;
  for (std::uint64_t seed = 1; seed <= 25; ++seed) {
    const auto outcome =
        run(seed, {.delay_max_ms = 5, .chunk_bytes_max = 4000, .half_open_per_million = 5000}, 6);
    // A silent client that owes nothing may stay for ever (that is TCP keep-alive's job, which the
    // simulation has not), but stopping ends it: run() checks that.
    starved += 6 - outcome.complete;
  }
  EXPECT_GT(starved, 15);
}

TEST(GatewaySim, VanishedClientsLeaveNoBackend) {
  for (std::uint64_t seed = 1; seed <= 10; ++seed) {
    EXPECT_TRUE(run(seed, {.delay_max_ms = 8, .chunk_bytes_max = 900}, 6, true).ended);
  }
}

Task<void> collect(std::unique_ptr<Stream> stream, Bytes first, std::shared_ptr<Client> client) {
  stream->set_idle_deadline(std::chrono::seconds(900));
  static_cast<void>(co_await stream->write(first));
  co_await read_up_to(stream.get(), client, SIZE_MAX);
  stream->close();
  client->done = true;
}

struct Single {
  explicit Single(const Bytes& first, SimFaults faults = {}) : world(1, faults) {
    auto [near, far] = world.sim.link();
    world.sim.loop().spawn("client", collect(std::move(near), first, client));
    world.sim.loop().spawn("gateway", world.shard->serve(std::move(far)));
  }
  bool ends(std::int64_t within_ms) {
    return world.sim.run_until([&] { return client->done && world.backends == 0; }, within_ms);
  }
  World world;
  std::shared_ptr<Client> client = std::make_shared<Client>();
};

Bytes startup_packet() {
  Bytes out;
  pgwire::write_startup(out, {.parameters = {{"user", "sim"}}});
  return out;
}

TEST(GatewaySim, SilentClientIsDroppedByTheSignInDeadline) {
  Single single({});
  EXPECT_FALSE(single.ends(59'000));
  EXPECT_TRUE(single.ends(5'000));
  EXPECT_EQ(single.world.backends_ever, 0);
}

TEST(GatewaySim, HalfAStartupIsDroppedByTheSignInDeadline) {
  const auto packet = startup_packet();
  Single single(Bytes(packet.begin(), packet.begin() + 9));
  EXPECT_FALSE(single.ends(59'000));
  EXPECT_TRUE(single.ends(5'000));
}

TEST(GatewaySim, ServerThatIsDownIsTold) {
  Single single(startup_packet(), {.refuse_per_million = 1'000'000});
  EXPECT_TRUE(single.ends(5'000));
  EXPECT_NE(text_of(single.client->received).find("08001"), std::string_view::npos);
}

TEST(GatewaySim, TooManySessionsAreTold) {
  Single first(startup_packet());
  first.world.setup.sessions_max = 1;
  const auto second = std::make_shared<Client>();
  ASSERT_TRUE(first.world.sim.run_until([&] { return first.world.backends == 1; }, 1000));
  auto [near, far] = first.world.sim.link();
  first.world.sim.loop().spawn("client", collect(std::move(near), startup_packet(), second));
  first.world.sim.loop().spawn("gateway", first.world.shard->serve(std::move(far)));
  EXPECT_TRUE(first.world.sim.run_until([&] { return second->done; }, 5000));
  EXPECT_NE(text_of(second->received).find("53300"), std::string_view::npos);
  bool stopped = false;
  first.world.shard->begin_stop(std::chrono::seconds(5), [&] { stopped = true; });
  EXPECT_TRUE(first.world.sim.run_until([&] { return stopped; }, 60'000));
}

TEST(GatewaySim, CancelIsForwardedAndTheClientLetGo) {
  Bytes cancel;
  pgwire::write_cancel(cancel, {.process_id = 5, .secret_key = {1, 2, 3, 4}});
  Single single(cancel);
  EXPECT_TRUE(single.ends(5'000));
  EXPECT_EQ(single.world.cancels, 1);
  EXPECT_TRUE(single.client->received.empty());
}

TEST(GatewaySim, StopTellsIdleSessionsAndWaitsForWork) {
  Single idle(startup_packet());
  ASSERT_TRUE(idle.world.sim.run_until(
      [&] { return idle.client->received.size() == greeting().size(); }, 5000));
  bool stopped = false;
  idle.world.shard->begin_stop(std::chrono::seconds(30), [&] { stopped = true; });
  EXPECT_TRUE(idle.world.sim.run_until([&] { return stopped; }, 5'000));
  EXPECT_TRUE(idle.ends(5000));
  EXPECT_NE(text_of(idle.client->received).find("57P01"), std::string_view::npos);
}

TEST(GatewaySim, StopEndsWorkThatDoesNotEnd) {
  auto half_query = startup_packet();
  append(half_query, Bytes{'Q', 0, 0, 1, 0, 's'});
  Single busy(half_query);
  ASSERT_TRUE(busy.world.sim.run_until(
      [&] { return busy.client->received.size() == greeting().size(); }, 5000));
  bool stopped = false;
  busy.world.shard->begin_stop(std::chrono::seconds(30), [&] { stopped = true; });
  EXPECT_FALSE(busy.world.sim.run_until([&] { return stopped; }, 29'000));
  EXPECT_TRUE(busy.world.sim.run_until([&] { return stopped; }, 3'000));
  EXPECT_TRUE(busy.ends(5000));
}

TEST(GatewaySim, IdleTimeoutEndsOnlyIdleSessions) {
  Single idle(startup_packet());
  idle.world.setup.times.idle = std::chrono::seconds(100);
  EXPECT_FALSE(idle.ends(99'000));
  EXPECT_TRUE(idle.ends(5'000));
  EXPECT_NE(text_of(idle.client->received).find("57P05"), std::string_view::npos);
}

TEST(GatewaySim, ServerThatEndsInTheMiddleEndsTheClient) {
  auto bytes = startup_packet();
  pgwire::write_query(bytes, "die");
  Single single(bytes);
  EXPECT_TRUE(single.ends(10'000));
  EXPECT_EQ(single.client->received, greeting());
}

}  // namespace
}  // namespace theriac::gateway
