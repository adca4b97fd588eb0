#include <fstream>

#include "api/limits.hpp"
#include "api/test_support.hpp"
#include "base/private_postgres.hpp"
#include "epcis/event_hash.hpp"
#include "epcis/read.hpp"

namespace theriac::api {
namespace {

namespace fs = std::filesystem;
using codec::Json;
using pki::Role;

struct AskEpcis {
  std::string_view operation;
  std::string body = {}, type = "application/json", value = {};
  std::vector<std::pair<std::string, std::string>> fields = {}, query = {};
  Role role = Role::kTraceOperator;
  std::string name = {};
};

/// On SQLite, and on PostgreSQL in a schema of its own.
class EpcisTest : public ApiTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (std::string_view(GetParam()) == "postgresql") {
      if (!PrivatePostgres::get().runs()) GTEST_SKIP();
      static int made = 0;
      engine_.where = PrivatePostgres::get().conninfo();
      engine_.schema_name = "epcis_" + std::to_string(++made);
    }
    ApiTest::SetUp();
  }
  Reply ask(const AskEpcis& what) {
    const auto& of = operation(what.operation);
    const auto& who = person(what.role, what.name);
    const http::ClientCertificate certificate{der_of(who.certificate),
                                              who.certificate.fingerprint()};
    http::FieldViews fields;
    if (!what.body.empty()) fields.push_back({"Content-Type", what.type});
    for (const auto& [name, value] : what.fields) fields.push_back({name, value});
    http::Request request;
    request.method = of.method;
    request.target = of.path;
    request.fields = &fields;
    request.path = {{"id", what.value}, {"value", what.value}};
    for (const auto& [name, value] : what.query) request.query.add(name, value);
    request.body = bytes_of(what.body);
    request.peer = "10.0.0.7";
    request.certificate = &certificate;
    request.id = "request-1";
    const auto response = api_.handle(of, request);
    Reply reply{.status = response.status, .type = {}, .text = {}, .json = nullptr};
    for (const auto& field : response.fields) reply.fields.emplace(field.name, field.value);
    reply.text = text_of(std::get<Bytes>(response.body));
    if (const auto json = codec::parse_json(reply.text, 64U << 20U)) reply.json = *json;
    return reply;
  }
  Json job_of(const Reply& captured, Role role = Role::kTraceOperator,
              const std::string& name = {}) {
    const auto& at = captured.fields.at("Location");
    const auto reply = ask({.operation = "get_capture",
                            .value = at.substr(at.rfind('/') + 1),
                            .role = role,
                            .name = name});
    EXPECT_EQ(reply.status, 200) << reply.text;
    return reply.json;
  }
  static Json event(int number) {
    return {{"type", "ObjectEvent"},
            {"eventID", "urn:uuid:00000000-0000-4000-8000-00000000000" + std::to_string(number)},
            {"eventTime", "2026-01-0" + std::to_string(number) + "T10:00:00Z"},
            {"eventTimeZoneOffset", "+00:00"},
            {"epcList", {"urn:epc:id:sgtin:0614141.107346." + std::to_string(number)}},
            {"action", "OBSERVE"},
            {"bizStep", number % 2 == 0 ? "shipping" : "receiving"}};
  }
  static std::string document(Json events) {
    return Json{{"@context", {"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"}},
                {"type", "EPCISDocument"},
                {"schemaVersion", "2.0"},
                {"creationDate", "2026-01-01T00:00:00Z"},
                {"epcisBody", {{"eventList", std::move(events)}}}}
        .dump();
  }
  static std::size_t events_in(const Reply& reply) {
    EXPECT_EQ(reply.status, 200) << reply.text;
    const auto read = epcis::read_json(reply.text);
    EXPECT_TRUE(read && !read->refused);
    return read ? read->document.events.size() : 0;
  }
};

TEST_P(EpcisTest, CapturedEventsAreFoundAgainPageByPage) {
  const auto captured = ask(
      {.operation = "capture_events", .body = document({event(1), event(2), event(3), event(4)})});
  ASSERT_EQ(captured.status, 202) << captured.text;
  EXPECT_EQ(captured.fields.at("GS1-EPCIS-Version"), "2.0.0");
  EXPECT_EQ(trail_.events.back().action, "trace.capture-events");
  EXPECT_EQ(trail_.events.back().details.at("stored"), 4);
  EXPECT_EQ(trail_.events.back().details.dump().find("107346"), std::string::npos);
  const auto job = job_of(captured);
  EXPECT_EQ(job.at("success"), true);
  EXPECT_EQ(job.at("running"), false);
  EXPECT_EQ(events_in(ask({.operation = "find_events"})), 4U);
  const auto first = ask({.operation = "find_events", .query = {{"perPage", "3"}}});
  EXPECT_EQ(events_in(first), 3U);
  const auto link = first.fields.at("Link");
  const auto at = link.find("nextPageToken=") + 14;
  const auto token = link.substr(at, link.find('>') - at);
  const auto second =
      ask({.operation = "find_events", .query = {{"perPage", "3"}, {"nextPageToken", token}}});
  EXPECT_EQ(events_in(second), 1U);
  EXPECT_FALSE(second.fields.contains("Link"));
  EXPECT_EQ(events_in(ask({.operation = "find_events", .query = {{"EQ_bizStep", "shipping"}}})),
            2U);
  EXPECT_EQ(events_in(ask({.operation = "events_of_step", .value = "receiving"})), 2U);
  EXPECT_EQ(events_in(ask({.operation = "events_of_epc",
                           .value = "https://id.gs1.org/01/10614141073464/21/2"})),
            1U);
  EXPECT_EQ(events_in(ask({.operation = "get_event", .value = event(3).at("eventID")})), 1U);
  EXPECT_EQ(ask({.operation = "get_event", .value = "urn:uuid:none"}).status, 404);
  EXPECT_EQ(ask({.operation = "find_events", .query = {{"EQ_nonsense", "1"}}}).status, 400);
  EXPECT_EQ(ask({.operation = "find_events", .fields = {{"Accept", "text/plain"}}}).status, 406);
  const auto xml = ask({.operation = "find_events", .fields = {{"Accept", "application/xml"}}});
  EXPECT_EQ(xml.status, 200);
  EXPECT_EQ(epcis::read_xml(xml.text)->document.events.size(), 4U);
}

TEST_P(EpcisTest, WhatIsWrongIsRolledBackOrLeftOut) {
  auto wrong = event(2);
  wrong.erase("eventTime");
  const auto body = document({event(1), wrong});
  const auto back = ask({.operation = "capture_events", .body = body});
  ASSERT_EQ(back.status, 202);
  EXPECT_EQ(job_of(back).at("success"), false);
  EXPECT_EQ(job_of(back).at("errors").size(), 1U);
  EXPECT_EQ(trail_.events.back().outcome, "failed");
  EXPECT_EQ(events_in(ask({.operation = "find_events"})), 0U);
  const auto on = ask({.operation = "capture_events",
                       .body = body,
                       .fields = {{"GS1-Capture-Error-Behaviour", "proceed"}}});
  EXPECT_EQ(job_of(on).at("captureErrorBehaviour"), "proceed");
  EXPECT_EQ(events_in(ask({.operation = "find_events"})), 1U);
  // Another event under an ID that is there: nothing of the document, and its job says so.
  auto other = event(1);
  other["action"] = "ADD";
  const auto taken = ask({.operation = "capture_events", .body = document({event(3), other})});
  ASSERT_EQ(taken.status, 202);
  EXPECT_EQ(job_of(taken).at("success"), false);
  EXPECT_EQ(events_in(ask({.operation = "find_events"})), 1U);
  EXPECT_EQ(ask({.operation = "list_captures"}).json.size(), 3U);

  EXPECT_EQ(ask({.operation = "capture_events", .body = "{"}).status, 400);
  EXPECT_EQ(ask({.operation = "capture_events", .body = "x", .type = "text/plain"}).status, 415);
  EXPECT_EQ(ask({.operation = "capture_events",
                 .body = body,
                 .fields = {{"GS1-Capture-Error-Behaviour", "guess"}}})
                .status,
            400);
}

TEST_P(EpcisTest, LimitsAndDiscovery) {
  auto events = Json::array();
  for (std::size_t i = 0; i <= kCaptureEventsMax; ++i) events.push_back({{"type", "Unknown"}});
  const auto over = ask({.operation = "capture_events", .body = document(events)});
  EXPECT_EQ(over.status, 413);
  EXPECT_EQ(over.json.at("type"), "epcisException:CaptureLimitExceededException");
  EXPECT_EQ(over.fields.at("GS1-EPCIS-Capture-Limit"), std::to_string(kCaptureEventsMax));
  events.erase(0);
  const auto at = ask({.operation = "capture_events", .body = document(events)});
  ASSERT_EQ(at.status, 202) << at.text;
  EXPECT_EQ(job_of(at).at("errors").size(), kCaptureErrorsMax);

  http::Router router;
  ASSERT_TRUE(api_.add_routes(router));
  const auto found = router.find("OPTIONS", {{"epcis"}, {"capture"}});
  ASSERT_NE(found.route, nullptr);
  http::Request request;
  std::map<std::string, std::string> fields;
  for (const auto& field : found.route->handler(request).fields) {
    fields.emplace(field.name, field.value);
  }
  EXPECT_EQ(fields.at("Allow"), "GET, HEAD, OPTIONS, POST");
  EXPECT_EQ(fields.at("GS1-EPCIS-Capture-File-Size-Limit"), std::to_string(kListBodyBytesMax));

  auto bare = event(5);
  bare["@context"] = {"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"};
  const auto one = ask({.operation = "add_event", .body = bare.dump()});
  EXPECT_EQ(one.status, 201) << one.text;
  const auto again = ask({.operation = "add_event", .body = bare.dump()});
  EXPECT_EQ(again.status, 409);
  EXPECT_EQ(again.fields.at("Location"), one.fields.at("Location"));
  EXPECT_EQ(events_in(ask({.operation = "find_events"})), 1U);
  auto other = bare;
  other["action"] = "ADD";
  const auto taken = ask({.operation = "add_event", .body = other.dump()});
  EXPECT_EQ(taken.status, 409);
  EXPECT_EQ(taken.json.at("type"), "epcisException:ResourceAlreadyExistsException");
  EXPECT_EQ(ask({.operation = "add_event", .body = document({event(6)})}).status, 400);
}

TEST_P(EpcisTest, PartnersSeeTheirOwnCaptures) {
  make_master();
  const auto shop = Role::kTracePartner;
  const auto ours = ask({.operation = "capture_events", .body = document({event(1)})});
  const auto theirs = ask({.operation = "capture_events",
                           .body = document({event(2)}),
                           .role = shop,
                           .name = "shop-1"});
  ASSERT_EQ(theirs.status, 202) << theirs.text;
  EXPECT_EQ(job_of(theirs, shop, "shop-1").at("success"), true);
  EXPECT_EQ(ask({.operation = "get_capture", .value = "1", .role = shop, .name = "shop-1"}).status,
            404);
  EXPECT_EQ(ask({.operation = "list_captures", .role = shop, .name = "shop-1"}).json.size(), 1U);
  EXPECT_EQ(events_in(ask({.operation = "find_events", .role = shop, .name = "shop-1"})), 1U);
  EXPECT_EQ(ask({.operation = "get_event",
                 .value = event(1).at("eventID"),
                 .role = shop,
                 .name = "shop-1"})
                .status,
            404);
  EXPECT_EQ(events_in(ask({.operation = "find_events"})), 2U);
}

INSTANTIATE_TEST_SUITE_P(Engines, EpcisTest, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& one) { return std::string(one.param); });

/// GS1's own examples: what is read back has the hashes of what was sent.
TEST_P(EpcisTest, ExamplesComeBackEqual) {
  const auto folder = fs::path(THERIAC_SOURCE_DIR) / "../shared/data/epcis/JSON";
  if (!fs::exists(folder)) GTEST_SKIP() << "GS1's examples are not here";
  const epcis::ReadOptions as_served{
      epcis::problem_codes({epcis::ProblemCode::kSensorFieldDiffers})};
  std::size_t documents = 0, equal = 0, refused = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file()) continue;
    std::ifstream in(entry.path(), std::ios::binary);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto read = epcis::read_json(text, as_served);
    if (!read || read->refused) continue;
    if (read->document.events.empty()) {
      refused += read->events.empty() ? 0 : 1;
      continue;
    }
    const auto reply = ask({.operation = "capture_events",
                            .body = text,
                            .fields = {{"GS1-Capture-Error-Behaviour", "proceed"}}});
    EXPECT_EQ(reply.status, 202) << entry.path() << reply.text;
    ++documents;
    for (const auto& one : read->document.events) {
      const auto hash = epcis::event_hash(one);
      if (one.event_id.empty()) continue;
      const auto got = ask({.operation = "get_event", .value = one.event_id});
      EXPECT_EQ(got.status, 200) << entry.path();
      const auto back = epcis::read_json(got.text);
      ASSERT_TRUE(back) << entry.path();
      const auto found = std::ranges::any_of(back->document.events, [&](const auto& event) {
        return epcis::event_hash(event) == hash;
      });
      equal += found ? 1 : 0;
      // An ID that two examples give to different events is the first one's.
      if (!found) EXPECT_EQ(job_of(reply).at("success"), false) << entry.path();
    }
  }
  EXPECT_EQ(refused, 0U);
  EXPECT_GT(equal, 30U);
  EXPECT_GT(documents, 10U);
  RecordProperty("documents", static_cast<int>(documents));
  RecordProperty("equal", static_cast<int>(equal));
}

}  // namespace
}  // namespace theriac::api
