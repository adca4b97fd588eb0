#include "api/epcis_courier.hpp"

#include "api/epcis_standing.hpp"
#include "api/limits.hpp"
#include "api/test_support.hpp"
#include "epcis/read.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using pki::Role;

class CourierTest : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    make_master();
    courier_engine_ = std::move(*store::open_engine(engine_, kSchema));
    courier_ = make_courier();
    must_do("add_query", {{"name", "all"}, {"query", Json::object()}});
  }
  std::unique_ptr<Courier> make_courier() {
    return std::make_unique<Courier>(
        Courier::Parts{
            .keys = &keys_, .trail = &trail_, .clock = &clock_, .random = &random_, .log = &log_},
        std::move(*courier_engine_->connect()),
        [this](const Destination& to, http::ClientRequest request) {
          return send(to, std::move(request));
        });
  }
  Result<int> send(const Destination& to, http::ClientRequest request) {
    EXPECT_EQ(trail_.events.back().action, "trace.deliver-events");
    EXPECT_EQ(request.target, to.target);
    const auto answer = answers_.empty() ? Result<int>(200) : answers_.front();
    if (!answers_.empty()) answers_.erase(answers_.begin());
    const auto read = epcis::read_json(text_of(request.body));
    EXPECT_TRUE(read && !read->refused);
    sent_.push_back(
        {to.server.text(), read ? read->document.events.size() : 0, answer.has_value()});
    return answer;
  }
  Reply call(std::string_view name, const Json& body, Role role = Role::kTraceOperator,
             const std::string& who = {}) {
    const auto& of = operation(name);
    const auto& caller = person(role, who);
    const http::ClientCertificate certificate{der_of(caller.certificate),
                                              caller.certificate.fingerprint()};
    http::FieldViews fields{{"Content-Type", "application/json"}};
    http::Request request;
    request.method = of.method;
    request.target = of.path;
    request.fields = &fields;
    request.path = {{"value", "all"}, {"uid", uid_}};
    request.body = bytes_of(body.dump());
    request.certificate = &certificate;
    request.id = "request-1";
    const auto response = api_.handle(of, request);
    Reply reply{.status = response.status, .type = {}, .text = {}, .json = nullptr};
    reply.text = text_of(std::get<Bytes>(response.body));
    if (const auto json = codec::parse_json(reply.text)) reply.json = *json;
    return reply;
  }
  Json must_do(std::string_view name, const Json& body, Role role = Role::kTraceOperator,
               const std::string& who = {}) {
    const auto reply = call(name, body, role, who);
    EXPECT_LT(reply.status, 300) << name << reply.text;
    return reply.json;
  }
  void subscribe(Json more = {{"stream", true}}, Role role = Role::kTraceOperator,
                 const std::string& who = {}) {
    more["dest"] = "https://client.example.com/hook";
    const auto made = must_do("add_subscription", more, role, who);
    if (made.is_object()) uid_ = made.value("subscriptionID", "");
  }
  void capture(int count) {
    auto events = Json::array();
    for (int i = 0; i < count; ++i) {
      events.push_back({{"type", "ObjectEvent"},
                        {"eventTime", "2026-01-01T10:00:00Z"},
                        {"eventTimeZoneOffset", "+00:00"},
                        {"epcList", {"urn:epc:id:sgtin:0614141.107346." + std::to_string(++made_)}},
                        {"action", "OBSERVE"}});
    }
    must_do("capture_events",
            {{"@context", {"https://ref.gs1.org/standards/epcis/2.0.0/epcis-context.jsonld"}},
             {"type", "EPCISDocument"},
             {"schemaVersion", "2.0"},
             {"creationDate", "2026-01-01T00:00:00Z"},
             {"epcisBody", {{"eventList", std::move(events)}}}});
  }
  /// Deliveries of one round.
  int round() {
    const auto done = courier_->deliver_due();
    EXPECT_TRUE(done) << (done ? "" : done.error().message());
    return done ? *done : -1;
  }
  std::size_t events_taken() const {
    std::size_t count = 0;
    for (const auto& one : sent_) count += one.arrived ? one.events : 0;
    return count;
  }

  struct Sent {
    std::string to;
    std::size_t events;
    bool arrived;
  };
  std::unique_ptr<store::Engine> courier_engine_;
  std::unique_ptr<Courier> courier_;
  std::vector<Result<int>> answers_;
  std::vector<Sent> sent_;
  std::string uid_;
  int made_ = 0;
};

TEST_F(CourierTest, EachEventIsSentOnceAndInBatches) {
  capture(3);
  subscribe();
  EXPECT_EQ(round(), 0);
  capture(static_cast<int>(kDeliveryEvents) * 2 + 1);
  int begun = 0;
  for (int i = 0; i < 5; ++i) begun += round();
  EXPECT_EQ(begun, 3);
  EXPECT_EQ(events_taken(), static_cast<std::size_t>(kDeliveryEvents) * 2 + 1);
  EXPECT_EQ(sent_.front().to, "client.example.com:443");
  EXPECT_EQ(trail_.events.back().details.at("events"), 1);
  EXPECT_EQ(trail_.events.back().details.dump().find("107346"), std::string::npos);
  must_do("remove_subscription", nullptr);
  capture(1);
  EXPECT_EQ(round(), 0);
}

TEST_F(CourierTest, WhatFailsIsTriedAgainLaterEachTime) {
  subscribe();
  capture(1);
  answers_ = {fail(Code::kUpstream, "x"), Result<int>(500), Result<int>(302)};
  std::int64_t pause = kDeliveryRetryMs;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(round(), 1);
    EXPECT_EQ(round(), 0);
    clock_.advance_ms(pause - 1);
    EXPECT_EQ(round(), 0);
    clock_.advance_ms(1);
    pause *= 2;
  }
  EXPECT_EQ(round(), 1);
  EXPECT_EQ(sent_.size(), 4U);
  EXPECT_EQ(round(), 0);
}

TEST_F(CourierTest, TooLargeIsHalved) {
  subscribe();
  capture(8);
  answers_ = {Result<int>(413), Result<int>(413), Result<int>(413), Result<int>(413)};
  for (int i = 0; i < 20; ++i) round();
  EXPECT_EQ(sent_[0].events, 8U);
  EXPECT_EQ(sent_.back().events, 2U);
  std::size_t taken = 0;
  for (std::size_t i = 4; i < sent_.size(); ++i) taken += sent_[i].events;
  EXPECT_EQ(taken, 8U);
}

/// Another server, or this one after a crash between sending and noting that it was sent.
TEST_F(CourierTest, OneThatIsUnderWayIsLeftAlone) {
  subscribe();
  capture(1);
  {
    auto session = std::move(*courier_engine_->connect());
    trace::Vault vault(keys_, random_);
    EXPECT_TRUE(session->transact([&](store::Session& inside) -> Status {
      trace::Work work{inside, vault, clock_.wall_ms()};
      THERIAC_ASSIGN(auto due, trace::due_subscriptions(work, 10));
      EXPECT_EQ(due.size(), 1U);
      auto other = due.front();
      THERIAC_ASSIGN(const bool first, trace::claim(work, due.front(), kDeliveryClaimMs));
      THERIAC_ASSIGN(const bool second, trace::claim(work, other, kDeliveryClaimMs));
      EXPECT_TRUE(first);
      EXPECT_FALSE(second);
      return {};
    }));
  }
  EXPECT_EQ(round(), 0);
  clock_.advance_ms(kDeliveryClaimMs);
  EXPECT_EQ(round(), 1);
}

TEST_F(CourierTest, NothingWithoutTheAuditLogOrTheKeys) {
  subscribe();
  capture(1);
  trail_.fails = true;
  EXPECT_EQ(round(), 1);
  EXPECT_TRUE(sent_.empty());
  trail_.fails = false;
  clock_.advance_ms(kDeliveryRetryMs);
  keys_.refuse({Code::kLeaseExpired, "serial"});
  EXPECT_FALSE(courier_->deliver_due());
  EXPECT_TRUE(sent_.empty());
}

TEST_F(CourierTest, WhoIsNoLongerThePartnersGetsNothing) {
  subscribe({{"stream", true}}, Role::kTraceOperator, "worker-1");
  capture(1);
  must({"change_partner",
        {{"name", "Hospital"},
         {"gln", "9506000140001"},
         {"kind", "hospital"},
         {"certificates", {"shop-1", "worker-1"}},
         {"reason", "moved"}},
        partner_});
  EXPECT_EQ(round(), 0);
  EXPECT_TRUE(sent_.empty());
}

TEST_F(CourierTest, BySchedule) {
  capture(2);
  const auto now = clock_.wall_ms();
  subscribe({{"schedule", {{"minute", "0/5"}}}, {"reportIfEmpty", true}});
  EXPECT_EQ(round(), 0);
  capture(1);
  EXPECT_EQ(round(), 0);
  constexpr std::int64_t kFiveMinutes = 5LL * 60 * 1000;
  clock_.set_wall_ms((now / kFiveMinutes + 1) * kFiveMinutes);
  EXPECT_EQ(round(), 1);
  EXPECT_EQ(sent_.back().events, 1U);
  EXPECT_EQ(round(), 0);
  clock_.advance_ms(kFiveMinutes);
  EXPECT_EQ(round(), 1);
  EXPECT_EQ(sent_.back().events, 0U);
}

}  // namespace
}  // namespace theriac::api
