// The parts of a server that need no connection: routes, problems, limits, counts, kept replies.
#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <thread>

#include "codec/json.hpp"
#include "http/idempotency.hpp"
#include "http/metrics.hpp"
#include "http/problem.hpp"
#include "http/rate.hpp"
#include "http/router.hpp"

namespace theriac::http {
namespace {

Route route(std::string method, std::string pattern) {
  return {.method = std::move(method), .pattern = std::move(pattern), .handler = [](Request&) {
            return Response::empty();
          }};
}

/// "PATTERN name=value ...", or the methods that are allowed in brackets, or "-".
std::string found(const Router& router, std::string_view method, std::string_view target) {
  const auto parsed = parse_target(target);
  if (!parsed) return "malformed";
  const auto match = router.find(method, parsed->segments);
  if (match.route == nullptr) return match.allow.empty() ? "-" : "[" + match.allow + "]";
  std::string text = match.route->method + " " + match.route->pattern;
  for (const auto& [name, value] : match.path) text += " " + std::string(name) + "=" + value;
  return text;
}

TEST(Router, FindsTheMostLiteral) {
  Router router;
  for (const auto* pattern : {"/", "/items", "/items/", "/items/{item}", "/items/{item}/events",
                              "/items/new", "/files/{file...}", "/files/{a}/{b}/end", "/{any}/x"}) {
    ASSERT_TRUE(router.add(route("GET", pattern))) << pattern;
  }
  ASSERT_TRUE(router.add(route("POST", "/items/new")));
  ASSERT_TRUE(router.add(route("DELETE", "/items/{item}")));
  ASSERT_TRUE(router.add(route("HEAD", "/items/new")));
  EXPECT_EQ(found(router, "GET", "/"), "GET /");
  EXPECT_EQ(found(router, "GET", ""), "GET /");
  EXPECT_EQ(found(router, "GET", "/items"), "GET /items");
  EXPECT_EQ(found(router, "GET", "/items/"), "GET /items/");
  EXPECT_EQ(found(router, "GET", "/items/new"), "GET /items/new");
  EXPECT_EQ(found(router, "GET", "/items/n%65w"), "GET /items/new");
  EXPECT_EQ(found(router, "GET", "/items/4711"), "GET /items/{item} item=4711");
  EXPECT_EQ(found(router, "GET", "/items/%E5%BC%A0"), "GET /items/{item} item=\xe5\xbc\xa0");
  EXPECT_EQ(found(router, "DELETE", "/items/new"), "DELETE /items/{item} item=new")
      << "by method too";
  EXPECT_EQ(found(router, "GET", "/items/1/events"), "GET /items/{item}/events item=1");
  EXPECT_EQ(found(router, "GET", "/items/1/x"), "-");
  EXPECT_EQ(found(router, "GET", "/files/a"), "GET /files/{file...} file=a");
  EXPECT_EQ(found(router, "GET", "/files/a/b/c"), "GET /files/{file...} file=a/b/c");
  EXPECT_EQ(found(router, "GET", "/files/a/b/end"), "GET /files/{a}/{b}/end a=a b=b");
  EXPECT_EQ(found(router, "GET", "/files/"), "-");
  EXPECT_EQ(found(router, "GET", "/items/x/"), "-");
  EXPECT_EQ(found(router, "GET", "/else/x"), "GET /{any}/x any=else");
  EXPECT_EQ(found(router, "HEAD", "/items"), "GET /items");
  EXPECT_EQ(found(router, "HEAD", "/items/new"), "HEAD /items/new");
  EXPECT_EQ(found(router, "PUT", "/items"), "[GET, HEAD, OPTIONS]");
  EXPECT_EQ(found(router, "PUT", "/items/new"), "[DELETE, GET, HEAD, OPTIONS, POST]");
  EXPECT_EQ(found(router, "OPTIONS", "/nowhere"), "-");
}

TEST(Router, EncodedSlashesOnlyWhereTheyAreExpected) {
  Router router;
  auto open = route("GET", "/10/{lot}");
  open.encoded_slashes = true;
  ASSERT_TRUE(router.add(open));
  ASSERT_TRUE(router.add(route("GET", "/21/{serial}")));
  EXPECT_EQ(found(router, "GET", "/10/A%2FB"), "GET /10/{lot} lot=A/B");
  EXPECT_EQ(found(router, "GET", "/21/A%2FB"), "-");
  EXPECT_EQ(found(router, "PUT", "/21/A%2fB"), "-");
}

TEST(Router, RefusesWhatItWouldNotUnderstand) {
  Router router;
  for (const auto* pattern :
       {"", "a", "/{", "/{}", "/{...}", "/a{b}", "/{a}b", "/{a...}/b", "/}", "/{a}{b}"}) {
    EXPECT_EQ(router.add(route("GET", pattern)).error().code, Code::kUsage) << pattern;
  }
  EXPECT_EQ(router.add(route("GE T", "/")).error().code, Code::kUsage);
  EXPECT_EQ(router.add({.method = "GET", .pattern = "/"}).error().code, Code::kUsage);
  auto streaming = route("POST", "/");
  streaming.streams_body = true;
  EXPECT_EQ(router.add(streaming).error().code, Code::kUsage);
  ASSERT_TRUE(router.add(route("GET", "/{a}")));
  EXPECT_EQ(router.add(route("GET", "/{b}")).error().code, Code::kAlreadyExists);
  EXPECT_TRUE(router.add(route("GET", "/{b...}")));
  EXPECT_EQ(router.add(route("GET", "/{c...}")).error().code, Code::kAlreadyExists);
}

codec::Json json_of(const Response& response) {
  return *codec::parse_json(text_of(std::get<Bytes>(response.body)));
}

class Chinese final : public ProblemTexts {
 public:
  [[nodiscard]] std::vector<std::string> languages() const override { return {"zh"}; }
  [[nodiscard]] std::optional<Text> find(Code code, std::string_view) const override {
    if (code != Code::kBusy) return std::nullopt;
    return Text{"\xe5\xbf\x99", "\xe7\xa8\x8d\xe5\x90\x8e"};
  }
};

TEST(Problem, OfErrors) {
  const auto response = problem_of({Code::kDenied, "class patient"}, {.instance = "ab-1"});
  EXPECT_EQ(response.status, 403);
  EXPECT_EQ(response.fields[0], (Field{"Content-Type", "application/problem+json"}));
  const auto json = json_of(response);
  EXPECT_EQ(json["type"], "urn:theriac:error:Denied");
  EXPECT_EQ(json["code"], "Denied");
  EXPECT_EQ(json["status"], 403);
  EXPECT_EQ(json["title"], std::string(info_of(Code::kDenied).what));
  EXPECT_EQ(json["detail"], "class patient: " + std::string(info_of(Code::kDenied).remedy));
  EXPECT_EQ(json["instance"], "urn:theriac:request:ab-1");
  // Every code has a status that a problem can have; of our own faults no place is told.
  for (std::size_t i = 0; i < kCodeCount; ++i) {
    const auto code = static_cast<Code>(i);
    const auto one = problem_of({code, "/etc/theriac/root.key"});
    EXPECT_EQ(one.status, info_of(code).http);
    EXPECT_GE(one.status, 400);
    EXPECT_LT(one.status, 600);
    EXPECT_FALSE(reason_phrase(one.status).empty()) << one.status;
    EXPECT_EQ(json_of(one)["detail"].get<std::string>().find("/etc") != std::string::npos,
              one.status < 500);
  }
  const auto plain = json_of(problem_of_status(405));
  EXPECT_EQ(plain["type"], "about:blank");
  EXPECT_EQ(plain["title"], "Method Not Allowed");
  EXPECT_FALSE(plain.contains("detail"));
}

TEST(Problem, InTheLanguageAskedFor) {
  const Chinese texts;
  const auto title = [&](Code code, std::string_view accepted) {
    const auto response = problem_of({code, {}}, {.accept_language = accepted, .texts = &texts});
    return json_of(response)["title"].get<std::string>() + " " + response.fields[1].value;
  };
  const std::string busy(info_of(Code::kBusy).what);
  EXPECT_EQ(title(Code::kBusy, "zh-CN,zh;q=0.9,en;q=0.8"), "\xe5\xbf\x99 zh");
  EXPECT_EQ(title(Code::kBusy, "en, zh;q=0.9"), busy + " en");
  EXPECT_EQ(title(Code::kBusy, ""), busy + " en");
  EXPECT_EQ(title(Code::kDenied, "zh"), std::string(info_of(Code::kDenied).what) + " en");
}

TEST(Problem, LanguageChoice) {
  const std::vector<std::string> offered{"zh"};
  const std::pair<const char*, const char*> cases[] = {{"zh", "zh"},
                                                       {"ZH-Hant-TW", "zh"},
                                                       {"de, zh;q=0.1", "zh"},
                                                       {"de", "en"},
                                                       {"*", "en"},
                                                       {"zh;q=0", "en"},
                                                       {"zh;q=0.5, en;q=0.4", "zh"},
                                                       {"zh;q=0.5, en;q=0.6", "en"},
                                                       {"zh;q=2", "en"},
                                                       {"zh;q=x", "en"},
                                                       {"zh;q=nan", "en"},
                                                       {";;;,,,", "en"},
                                                       {" zh ; q=1.000 ", "zh"},
                                                       {"zh;level=1", "en"}};
  for (const auto& [accepted, wanted] : cases)
    EXPECT_EQ(choose_language(accepted, offered), wanted) << accepted;
  EXPECT_TRUE(rc::check("any text gives a language that is there", [&](const std::string& text) {
    const auto chosen = choose_language(text, offered);
    RC_ASSERT(chosen == "en" || chosen == "zh");
  }));
}

TEST(RateLimiter, BurstThenRate) {
  RateLimiter limiter(10, 5, 100);
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(limiter.take("a", 1, 1000)) << i;
  EXPECT_EQ(limiter.take("a", 1, 1000)->count(), 100);
  EXPECT_FALSE(limiter.take("b", 1, 1000)) << "others have their own";
  EXPECT_FALSE(limiter.take("a", 0, 1000)) << "what is free stays free";
  EXPECT_FALSE(limiter.take("a", 1, 1100));
  EXPECT_EQ(limiter.take("a", 2, 1200)->count(), 100);
  EXPECT_FALSE(limiter.take("a", 1, 1200)) << "a refusal costs nothing";
  EXPECT_FALSE(limiter.take("a", 100, 10'000)) << "more than the bucket is all of it";
  EXPECT_EQ(limiter.take("a", 1, 10'000)->count(), 100);
}

TEST(RateLimiter, NeverMoreThanTheRateAllows) {
  EXPECT_TRUE(rc::check("in any time t: at most burst + t * rate", [] {
    RateLimiter limiter(20, 7, 10);
    std::int64_t now = 0;
    double taken = 0;
    for (int i = 0; i < 300; ++i) {
      now += *rc::gen::inRange(0, 60);
      const double cost = *rc::gen::inRange(1, 4);
      if (!limiter.take("a", cost, now)) taken += cost;
      RC_ASSERT(taken <= 7 + static_cast<double>(now) * 20 / 1000 + 1e-6);
    }
  }));
}

TEST(RateLimiter, ForgetsTheKeyUnseenForLongest) {
  RateLimiter limiter(1, 1, 3);
  for (const auto* key : {"a", "b", "c"}) EXPECT_FALSE(limiter.take(key, 1, 0));
  EXPECT_TRUE(limiter.take("a", 1, 0));
  EXPECT_FALSE(limiter.take("d", 1, 0));
  EXPECT_EQ(limiter.keys(), 3U);
  EXPECT_TRUE(limiter.take("a", 1, 0)) << "b was older";
  EXPECT_FALSE(limiter.take("b", 1, 0));
  RateLimiter open(0, 1, 3);
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(open.take("a", 1, 0));
}

TEST(Limits, AddressesAreCountedByNetwork) {
  EXPECT_EQ(limit_key("192.0.2.1"), "192.0.2.1");
  EXPECT_EQ(limit_key("2001:db8:1:2:3::4"), limit_key("2001:db8:1:2:ffff::1"));
  EXPECT_NE(limit_key("2001:db8:1:2::1"), limit_key("2001:db8:1:3::1"));
  EXPECT_NE(limit_key("::ffff:192.0.2.1"), limit_key("::ffff:192.0.2.2"));
  ConnectionCensus census(3, 2);
  EXPECT_TRUE(census.enter("a") && census.enter("a"));
  EXPECT_FALSE(census.enter("a"));
  EXPECT_TRUE(census.enter("b"));
  EXPECT_FALSE(census.enter("c")) << "three in all";
  census.leave("a");
  EXPECT_TRUE(census.enter("c"));
  for (const auto* key : {"a", "b", "c"}) census.leave(key);
  EXPECT_EQ(census.total(), 0U);
}

TEST(Metrics, AsPrometheusReadsThem) {
  Metrics metrics({"GET /items/{item}", "POST /\"quoted\\"});
  metrics.count(0, 200, 900);
  metrics.count(0, 204, 2'000'000'000);
  metrics.count(0, 404, 250);
  metrics.count(Metrics::kNoRoute, 400, 1);
  metrics.refused(Refused::kSlow);
  metrics.connection_opened();
  const auto text = metrics.prometheus();
  for (const auto* line :
       {R"(theriac_http_requests_total{method="GET",route="/items/{item}",class="2xx"} 2)",
        R"(theriac_http_requests_total{method="GET",route="/items/{item}",class="4xx"} 1)",
        R"(theriac_http_requests_total{method="",route="none",class="4xx"} 1)",
        R"(theriac_http_request_seconds_bucket{method="GET",route="/items/{item}",le="0.00025"} 1)",
        R"(theriac_http_request_seconds_bucket{method="GET",route="/items/{item}",le="0.001"} 2)",
        R"(theriac_http_request_seconds_bucket{method="GET",route="/items/{item}",le="10"} 2)",
        R"(theriac_http_request_seconds_bucket{method="GET",route="/items/{item}",le="+Inf"} 3)",
        R"(theriac_http_request_seconds_sum{method="GET",route="/items/{item}"} 2000.00115)",
        R"(theriac_http_request_seconds_count{method="POST",route="/\"quoted\\"} 0)",
        R"(theriac_http_refused_total{why="slow"} 1)", "theriac_http_connections 1"}) {
    EXPECT_NE(text.find(std::string(line) + "\n"), std::string::npos) << line << "\n" << text;
  }
  EXPECT_EQ(metrics.replies(2), 2U);
}

// --- kept replies
// ---------------------------------------------------------------------------------

/// A POST whose handler counts how often it ran.
struct Posted {
  FieldViews fields;
  Request request;
  Posted(std::string_view key, std::string_view body, std::string_view peer = "192.0.2.1") {
    if (!key.empty()) fields.push_back({"Idempotency-Key", key});
    request.method = "POST";
    request.target = "/items";
    request.fields = &fields;
    request.body = bytes_of(body);
    request.peer = peer;
  }
};

class KeptReplies : public ::testing::Test {
 protected:
  int post(std::string_view key, std::string_view body, std::string_view peer = "192.0.2.1") {
    Posted posted(key, body, peer);
    last_ = answer_once(store_, posted.request, "/items", now_ms_, [this](Request& request) {
      ++runs_;
      if (text_of(request.body) == "throw") throw std::runtime_error("bug");
      return Response{
          text_of(request.body) == "fail" ? 503 : 201, {{"Location", "/items/7"}}, request.body};
    });
    return last_.status;
  }
  MemoryIdempotencyStore store_{{.entries_max = 3, .bytes_max = 100, .keep_ms = 1000}};
  std::int64_t now_ms_ = 0;
  int runs_ = 0;
  Response last_;
};

TEST_F(KeptReplies, WorkIsDoneOnce) {
  EXPECT_EQ(post("k1", "a"), 201);
  EXPECT_EQ(post("k1", "a"), 201);
  EXPECT_EQ(runs_, 1);
  EXPECT_EQ(last_.fields[0], (Field{"Location", "/items/7"}));
  EXPECT_EQ(last_.fields.back().name, "Idempotency-Replayed");
  EXPECT_EQ(post("\"k1\"", "a"), 201) << "a structured string is the same key";
  EXPECT_EQ(post("k1", "b"), 422);
  EXPECT_EQ(post("k1", "a", "192.0.2.2"), 201) << "somebody else's key";
  EXPECT_EQ(post("", "a"), 201);
  EXPECT_EQ(post("", "a"), 201);
  EXPECT_EQ(runs_, 4);
  for (const auto& bad : {std::string(kIdempotencyKeyBytesMax + 1, 'k'), std::string("a b"),
                          std::string("\"\""), std::string("a\xc3\xa4")}) {
    EXPECT_EQ(post(bad, "a"), 400);
  }
  EXPECT_EQ(post(std::string(kIdempotencyKeyBytesMax, 'k'), "a"), 201);
}

TEST_F(KeptReplies, FailuresFreeTheKey) {
  EXPECT_EQ(post("k", "fail"), 503);
  EXPECT_EQ(post("k", "fail"), 503);
  EXPECT_EQ(runs_, 2);
  EXPECT_THROW(post("k", "throw"), std::runtime_error);
  EXPECT_EQ(post("k", "a"), 201);
}

TEST_F(KeptReplies, OneAtATime) {
  Posted first("k", "a");
  const auto outer = answer_once(store_, first.request, "/items", 0,
                                 [this](Request&) { return Response::empty(post("k", "a")); });
  EXPECT_EQ(outer.status, 409);
  EXPECT_EQ(runs_, 0);
}

TEST_F(KeptReplies, LimitsOfTheStore) {
  EXPECT_EQ(post("k1", "a"), 201);
  EXPECT_EQ(post("k2", std::string(60, 'b')), 201);
  EXPECT_LE(store_.bytes(), 100U);
  EXPECT_EQ(store_.entries(), 2U);
  EXPECT_EQ(post("k3", std::string(60, 'c')), 201);
  EXPECT_EQ(store_.entries(), 1U) << "the older ones went for its room";
  EXPECT_EQ(post("k4", std::string(101, 'd')), 201) << "too large to keep";
  EXPECT_EQ(store_.entries(), 1U);
  now_ms_ = 1000;
  EXPECT_EQ(post("k3", "other"), 201) << "forgotten after its time";
  for (const auto* key : {"a", "b", "c", "d"}) post(key, "");
  EXPECT_EQ(store_.entries(), 3U);
  MemoryIdempotencyStore small({.entries_max = 1});
  EXPECT_TRUE(small.begin("a", {}, 0));
  EXPECT_EQ(small.begin("b", {}, 0).error().code, Code::kBusy) << "running work is not forgotten";
  small.abandon("a");
  EXPECT_TRUE(small.begin("b", {}, 0));
  EXPECT_EQ(small.finish("a", {}).error().code, Code::kNotFound);
}

TEST_F(KeptReplies, ManyThreadsRunItOnce) {
  MemoryIdempotencyStore store;
  std::atomic<int> runs = 0;
  std::atomic<int> good = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 200; ++k) {
          const auto key = "key" + std::to_string(k);
          Posted posted(key, "a");
          const auto reply = answer_once(store, posted.request, "/", 0, [&](Request&) {
            ++runs;
            return Response::empty(201);
          });
          if (reply.status == 201 || reply.status == 409) ++good;
        }
      });
    }
  }
  EXPECT_EQ(runs, 200);
  EXPECT_EQ(good, 800);
}

}  // namespace
}  // namespace theriac::http
