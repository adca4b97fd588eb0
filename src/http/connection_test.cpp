// One connection at a time, in simulation: what is answered, in which order, and how it ends.
#include <gtest/gtest.h>

#include "http/stage.hpp"

namespace theriac::http {
namespace {

using namespace std::string_literals;

std::string get(const std::string& path, const std::string& fields = {}) {
  return "GET " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n";
}
std::string post(const std::string& path, const std::string& fields, const std::string& body) {
  return "POST " + path + " HTTP/1.1\r\nHost: h\r\n" + fields + "\r\n" + body;
}
constexpr const char* kClose = "Connection: close\r\n";

runtime::Task<Response> sum_body(Request* request) {
  std::size_t total = 0;
  Bytes piece(1000);
  while (true) {
    const auto count = co_await request->reader->read(piece);
    if (!count) co_return problem_of(count.error());
    if (*count == 0) break;
    total += *count;
  }
  co_return Response::with(200, "text/plain", std::to_string(total));
}

runtime::Task<Response> refuse_early(Request*) { co_return problem_of_status(403); }

runtime::Task<Status> count_to_three(BodyWriter* out) {
  for (const auto* word : {"one ", "", "two ", "three"}) {
    const std::string text = word;
    const auto written = co_await out->write(view_of(text));
    if (!written) co_return fail(written.error());
  }
  co_return Status{};
}

runtime::Task<Status> break_off(BodyWriter* out) {
  const std::string text = "half";
  static_cast<void>(co_await out->write(view_of(text)));
  co_return fail(Code::kIo, "disk");
}

Router router() {
  Router made;
  const auto add = [&made](Route route) { EXPECT_TRUE(made.add(std::move(route))); };
  add({.method = "GET", .pattern = "/", .handler = [](Request&) {
         return Response::with(200, "text/plain", "hello");
       }});
  add({.method = "GET", .pattern = "/items/{item}", .handler = [](Request& r) {
         return Response::with(200, "text/plain", "item " + std::string(r.path_part("item")));
       }});
  add({.method = "POST",
       .pattern = "/echo",
       .handler = [](Request& r) { return Response::with(200, "text/plain", text_of(r.body)); },
       .body_bytes_max = 1000});
  add({.method = "POST",
       .pattern = "/sum",
       .async = sum_body,
       .body_bytes_max = 100'000,
       .streams_body = true});
  add({.method = "POST",
       .pattern = "/early",
       .async = refuse_early,
       .body_bytes_max = 100'000,
       .streams_body = true});
  add({.method = "GET", .pattern = "/stream", .handler = [](Request&) {
         return Response{200, {}, Producer(count_to_three)};
       }});
  add({.method = "GET", .pattern = "/broken", .handler = [](Request&) {
         return Response{200, {}, Producer(break_off)};
       }});
  add({.method = "GET", .pattern = "/large", .handler = [](Request&) {
         return Response{200, {}, std::make_shared<const Bytes>(150'000, 'x')};
       }});
  add({.method = "GET", .pattern = "/throws", .handler = [](Request&) -> Response {
         throw std::runtime_error("with a secret");
       }});
  add({.method = "GET", .pattern = "/splits", .handler = [](Request&) {
         return Response{200, {{"X", "a\r\nSet-Cookie: b"}}, Bytes()};
       }});
  add({.method = "GET", .pattern = "/frames", .handler = [](Request&) {
         return Response{200, {{"content-length", "7"}}, Bytes()};
       }});
  add({.method = "GET", .pattern = "/own", .handler = [](Request&) {
         return Response{200, {{"cache-control", "max-age=60"}}, Bytes()};
       }});
  add({.method = "DELETE", .pattern = "/none", .handler = [](Request&) {
         return Response::empty();
       }});
  add({.method = "GET",
       .pattern = "/secret",
       .handler = [](Request&) { return Response::empty(); },
       .needs_certificate = true});
  return made;
}

std::string body_of(const std::string& reply) { return reply.substr(reply.find("\r\n\r\n") + 4); }

/// One reply with a Content-Length, or without a body.
bool is_whole(const std::string& reply) {
  HeadScanner scanner;
  ResponseHead head;
  const auto size = scanner.scan(reply);
  return size && *size > 0 && parse_response_head(reply.substr(0, *size), false, head) &&
         reply.size() >= *size + head.content_length;
}

TEST(Connection, Answers) {
  Stage stage(router());
  const auto reply = stage.ask(get("/items/a%20b", kClose));
  EXPECT_TRUE(reply.starts_with("HTTP/1.1 200 OK\r\n")) << reply;
  EXPECT_EQ(body_of(reply), "item a b");
  for (const auto* field : {"\r\nContent-Length: 8\r\n", "\r\nX-Content-Type-Options: nosniff\r\n",
                            "\r\nCache-Control: no-store\r\n", "\r\nConnection: close\r\n",
                            "\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n", "\r\nX-Request-Id: "}) {
    EXPECT_EQ(count_of(reply, field), 1U) << field << "\n" << reply;
  }
  EXPECT_EQ(count_of(reply, "Strict-Transport"), 0U) << "not without TLS";
  EXPECT_TRUE(stage.run([&] { return stage.service().metrics().connections() == 0; }));
  EXPECT_EQ(stage.shard().connections(), 0U);
}

TEST(Connection, ReplyTable) {
  struct Case {
    std::string request;
    const char* status;
    const char* field;  // that is in the reply
  };
  const Case cases[] = {
      {get("/items/x"), "200", "text/plain"},
      {get("/nowhere"), "404", "application/problem+json"},
      {get("/items/"), "404", ""},
      {get("/items/a/b"), "404", ""},
      {get("/items/a%2Fb"), "404", ""},
      {get("/items/%00"), "400", ""},
      {get("/items/../x"), "400", ""},
      {post("/", "Content-Length: 0\r\n", ""), "405", "Allow: GET, HEAD, OPTIONS"},
      {"OPTIONS /echo HTTP/1.1\r\nHost: h\r\n\r\n", "204", "Allow: OPTIONS, POST"},
      {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", "204", ""},
      {"OPTIONS /nowhere HTTP/1.1\r\nHost: h\r\n\r\n", "404", ""},
      {"BREW / HTTP/1.1\r\nHost: h\r\n\r\n", "501", ""},
      {"TRACE / HTTP/1.1\r\nHost: h\r\n\r\n", "501", ""},
      {get("/throws"), "500", "urn:theriac:error:Internal"},
      {get("/splits"), "500", ""},
      {get("/frames"), "500", ""},
      {get("/secret"), "403", "BadCertificate"},
      {get("/own"), "200", "cache-control: max-age=60"},
      {"DELETE /none HTTP/1.1\r\nHost: h\r\n\r\n", "204", ""},
      {"GET http://elsewhere/items/x HTTP/1.1\r\nHost: h\r\n\r\n", "200", ""},
      {"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "200", "Connection: keep-alive"},
      {"GET / HTTP/1.0\r\n\r\n", "200", "Connection: close"},
      {"GET / HTTP/1.1\r\n\r\n", "400", "Connection: close"},
      {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", "505", "Connection: close"},
      {"nonsense\r\n\r\n", "400", "Connection: close"},
      {"\x16\x03\x01\x02", "400", "Connection: close"},
      {get("/" + std::string(kStartLineBytesMax, 'a')), "414", "Connection: close"},
      {get("/", "X: " + std::string(kHeadBytesMax, 'a') + "\r\n"), "431", "Connection: close"},
  };
  for (const auto& one : cases) {
    Stage stage(router());
    auto client = stage.connect();
    stage.send(client, one.request);
    EXPECT_TRUE(stage.run([&] { return is_whole(client.talk->received); }));
    const auto& reply = client.talk->received;
    EXPECT_EQ(reply.substr(9, 3), one.status) << one.request.substr(0, 200) << "\n" << reply;
    EXPECT_NE(reply.find(one.field), std::string::npos) << reply;
    EXPECT_EQ(reply.find("secret"), std::string::npos) << "what() is nobody's business";
    EXPECT_EQ(reply.find("Set-Cookie"), std::string::npos);
    EXPECT_EQ(count_of(reply, "cache-control: ") + count_of(reply, "Cache-Control: "), 1U) << reply;
  }
}

TEST(Connection, HeadHasNoBody) {
  Stage stage(router());
  const auto reply = stage.ask("HEAD / HTTP/1.1\r\nHost: h\r\n\r\n" + get("/", kClose));
  EXPECT_EQ(count_of(reply, "Content-Length: 5\r\n"), 2U);
  EXPECT_EQ(count_of(reply, "hello"), 1U);
  const auto stream = stage.ask("HEAD /stream HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n");
  EXPECT_EQ(body_of(stream), "");
}

TEST(Connection, PipelinedRequestsAreAnsweredInOrder) {
  std::string requests;
  std::string expected;
  for (int i = 0; i < 100; ++i) {
    const auto number = std::to_string(i);
    requests +=
        i % 3 == 0
            ? post("/echo", "Content-Length: " + std::to_string(number.size()) + "\r\n", number)
        : i % 3 == 1
            ? post("/echo", "Transfer-Encoding: chunked\r\n",
                   "1;a=b\r\n" + number.substr(0, 1) + "\r\n" +
                       (number.size() > 1
                            ? std::to_string(number.size() - 1) + "\r\n" + number.substr(1) + "\r\n"
                            : ""s) +
                       "0\r\nA: b\r\n\r\n")
            : get("/items/" + number);
    expected += i % 3 == 2 ? "item " + number + "|" : number + "|";
  }
  requests += get("/", kClose);
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Stage stage(
        router(), {}, seed,
        {.chunk_bytes_max = seed < 3 ? 1U : 5000U, .read_bytes_max = seed % 2 == 0 ? 1U : 5000U});
    auto reply = stage.ask(requests);
    std::string bodies;
    ResponseHead head;
    HeadScanner scanner;
    for (int i = 0; i < 100; ++i) {
      scanner.reset();
      const auto size = scanner.scan(reply);
      ASSERT_TRUE(size && *size > 0);
      ASSERT_TRUE(parse_response_head(std::string_view(reply).substr(0, *size), false, head));
      bodies += reply.substr(*size, head.content_length) + "|";
      reply.erase(0, *size + head.content_length);
    }
    EXPECT_EQ(bodies, expected);
    EXPECT_EQ(body_of(reply), "hello");
  }
}

TEST(Connection, BodiesUpToTheLimit) {
  Stage stage(router());
  const auto sized = [](std::size_t size) {
    return post("/echo", "Content-Length: " + std::to_string(size) + "\r\n" + kClose,
                std::string(size, 'b'));
  };
  const auto chunked = [](std::size_t size) {
    std::string body;
    for (std::size_t left = size; left > 0; left -= std::min<std::size_t>(left, 100)) {
      const auto piece = std::min<std::size_t>(left, 100);
      body += fmt::format("{:x}\r\n{}\r\n", piece, std::string(piece, 'b'));
    }
    return post("/echo", "Transfer-Encoding: chunked\r\n"s + kClose, body + "0\r\n\r\n");
  };
  EXPECT_EQ(body_of(stage.ask(sized(1000))), std::string(1000, 'b'));
  EXPECT_EQ(body_of(stage.ask(chunked(1000))), std::string(1000, 'b'));
  EXPECT_EQ(stage.ask(sized(1001)).substr(9, 3), "413");
  EXPECT_EQ(stage.ask(chunked(1001)).substr(9, 3), "413");
  EXPECT_EQ(stage.ask(get("/", "Content-Length: 1\r\n") + "x").substr(9, 3), "413")
      << "a route without a body takes none";
  // Refused by what the head says, before anything of the body is there.
  EXPECT_EQ(stage.ask(post("/echo", "Content-Length: 99999999999\r\n", "")).substr(9, 3), "413");
}

TEST(Connection, ContinueIsSaidOnlyWhenTheBodyIsTaken) {
  Stage stage(router());
  const auto asked = [](const std::string& path, std::size_t size) {
    return post(path,
                "Expect: 100-continue\r\nConnection: close\r\nContent-Length: " +
                    std::to_string(size) + "\r\n",
                "");
  };
  for (const auto& refused : {asked("/echo", 1001), asked("/nowhere", 3), asked("/early", 3)}) {
    const auto reply = stage.ask(refused);
    EXPECT_EQ(count_of(reply, "100 Continue"), 0U);
    EXPECT_EQ(reply.substr(9, 1), "4") << reply;
  }
  auto client = stage.connect();
  stage.send(client, asked("/echo", 5));
  ASSERT_TRUE(stage.run([&] { return client.talk->received == "HTTP/1.1 100 Continue\r\n\r\n"; }));
  stage.send(client, "hello");
  ASSERT_TRUE(stage.run([&] { return client.talk->end.has_value(); }));
  EXPECT_TRUE(client.talk->received.ends_with("\r\n\r\nhello"));
  // Not said to one that did not wait.
  const auto eager = stage.ask(asked("/echo", 5) + "hello");
  EXPECT_EQ(count_of(eager, "100 Continue"), 0U);
}

TEST(Connection, BodiesCanBeReadAsTheyCome) {
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    Stage stage(router(), {}, seed, {.chunk_bytes_max = seed == 1 ? 1U : 3000U});
    EXPECT_EQ(body_of(stage.ask(
                  post("/sum", "Content-Length: 5000\r\n"s + kClose, std::string(5000, 'x')))),
              "5000");
    EXPECT_EQ(stage.ask(post("/sum", "Content-Length: 100001\r\n", "")).substr(9, 3), "413");
    // Refused while the client still sends: it sees the reply.
    const auto early =
        stage.ask(post("/early", "Content-Length: 90000\r\n", std::string(90'000, 'x')));
    EXPECT_EQ(early.substr(9, 3), "403");
    EXPECT_EQ(count_of(early, "Connection: close"), 1U);
  }
}

TEST(Connection, Streams) {
  Stage stage(router());
  EXPECT_EQ(body_of(stage.ask(get("/stream", kClose))),
            "4\r\none \r\n4\r\ntwo \r\n5\r\nthree\r\n0\r\n\r\n");
  const auto old = stage.ask("GET /stream HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(body_of(old), "one two three");
  EXPECT_EQ(count_of(old, "Connection: close"), 1U);
  // One that fails must not look whole.
  const auto broken = stage.ask(get("/broken"));
  EXPECT_EQ(body_of(broken), "4\r\nhalf\r\n");
}

TEST(Connection, LargeReplies) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    Stage stage(router(), {}, seed, {.window_bytes = 40'000});
    EXPECT_EQ(body_of(stage.ask(get("/large", kClose))), std::string(150'000, 'x'));
  }
}

TEST(Connection, RequestsPerConnection) {
  Stage stage(router(), {.limits = {.requests_per_connection_max = 2}});
  const auto reply = stage.ask(get("/") + get("/") + get("/"));
  EXPECT_EQ(count_of(reply, "hello"), 2U);
  EXPECT_EQ(count_of(reply, "Connection: close"), 1U);
}

TEST(Connection, HostsThatAreServed) {
  Stage stage(router(), {.hosts = {"h", "[::1]"}});
  EXPECT_EQ(stage.ask(get("/", kClose)).substr(9, 3), "200");
  EXPECT_EQ(stage.ask("GET / HTTP/1.1\r\nHost: H:8443\r\nConnection: close\r\n\r\n").substr(9, 3),
            "200");
  EXPECT_EQ(stage.ask("GET / HTTP/1.1\r\nHost: [::1]:1\r\nConnection: close\r\n\r\n").substr(9, 3),
            "200");
  EXPECT_EQ(stage.ask("GET / HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n").substr(9, 3),
            "421");
  EXPECT_EQ(
      stage.ask("GET http://evil/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n").substr(9, 3),
      "421");
  EXPECT_EQ(stage.ask("GET / HTTP/1.0\r\n\r\n").substr(9, 3), "421");
}

TEST(Connection, RatesAreLimited) {
  Stage stage(router(), {.limits = {.requests_per_second = 1, .burst = 3}});
  auto client = stage.connect();
  std::string requests;
  for (int i = 0; i < 5; ++i) requests += get("/");
  stage.send(client, requests);
  ASSERT_TRUE(stage.run([&] { return count_of(client.talk->received, "HTTP/1.1 ") == 5; }));
  EXPECT_EQ(count_of(client.talk->received, "HTTP/1.1 200"), 3U);
  EXPECT_EQ(count_of(client.talk->received, "HTTP/1.1 429"), 2U);
  EXPECT_EQ(count_of(client.talk->received, "Retry-After: 1\r\n"), 2U);
  EXPECT_EQ(stage.service().metrics().refusals(Refused::kRateLimit), 2U);
}

TEST(Connection, LogTellsNothingOfTheTarget) {
  std::vector<std::string> lines;
  Stage stage(router(), {.access_log = [&](const AccessRecord& r) {
                lines.push_back(fmt::format("{} {} {} {} in {}", r.peer, r.method, r.pattern,
                                            r.status, r.bytes_in));
                EXPECT_EQ(r.request_id.substr(16), "-" + std::to_string(lines.size()));
                EXPECT_EQ(r.status == 404, r.bytes_out > 100) << "a problem's text";
              }});
  stage.ask(get("/items/4711?sn=4711") + post("/echo", "Content-Length: 4\r\n", "4711") +
            get("/4711") + get("/stream", kClose));
  EXPECT_EQ(lines, (std::vector<std::string>{
                       "simulated GET /items/{item} 200 in 0", "simulated POST /echo 200 in 4",
                       "simulated   404 in 0", "simulated GET /stream 200 in 0"}));
}

}  // namespace
}  // namespace theriac::http
