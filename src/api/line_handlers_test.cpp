// What a packaging line may, over the API.
#include "api/test_support.hpp"
#include "codec/time.hpp"
#include "trace/limits.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using pki::Role;

class LineHandlers : public ApiTest {
 protected:
  void SetUp() override {
    ApiTest::SetUp();
    make_master();
  }
  int status_of(std::string_view operation, Json body, const std::string& name,
                std::int64_t id = 1) {
    return ask({operation, std::move(body), id, Role::kTraceLine, name}).status;
  }
  Json draw_body(int count) const { return {{"lot", lot_}, {"place", plant_}, {"count", count}}; }
  Json draw(const std::string& name, int count) {
    return must({"draw_numbers", draw_body(count), 1, Role::kTraceLine, name});
  }
};

TEST_F(LineHandlers, ALineTakesAndReturnsItsOwnAlone) {
  const auto made = draw("line-2", 10);
  const auto id = made.at("id").get<std::int64_t>();
  EXPECT_EQ(made.at("expires"), codec::rfc3339_utc(clock_.wall_ms() + trace::kLineStockMs));
  EXPECT_EQ(status_of("hand_over", Json::object(), "line-2", id), 200);
  const auto items = links(id);
  const auto serial = items[0].substr(items[0].rfind('/') + 1);
  const Json back{{"serials", {serial}}};
  const Json use{{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", {items[1]}}};
  for (const auto* name : {"trace-line", "stranger"}) {
    EXPECT_EQ(status_of("hand_over", Json::object(), name, id), 403) << name;
    EXPECT_EQ(status_of("return_numbers", back, name, id), 403) << name;
    const auto acted = ask({"act", use, 1, Role::kTraceLine, name});
    EXPECT_EQ(acted.status, name == std::string_view("stranger") ? 403 : 409) << acted.text;
    EXPECT_EQ(trail_.events.back().actor, name);
  }
  EXPECT_EQ(status_of("draw_numbers", draw_body(1), "stranger"), 403);
  EXPECT_EQ(trail_.events.back().outcome, "denied");
  EXPECT_EQ(status_of("return_numbers", back, "line-2", id), 200);
  EXPECT_EQ(status_of("act", use, "line-2"), 200);
  // A place of others.
  auto elsewhere = use;
  elsewhere["place"] = shop_;
  EXPECT_EQ(status_of("act", elsewhere, "line-2"), 403);
  auto body = draw_body(1);
  body["place"] = shop_;
  EXPECT_EQ(status_of("draw_numbers", body, "line-2"), 403);
}

TEST_F(LineHandlers, NobodyHandsALineWhatIsNotItsOwn) {
  auto body = allocation_body(4);
  body["line"] = "line-2";
  const auto id = must({"allocate", body, 1, Role::kTraceOperator}).at("id").get<std::int64_t>();
  const auto to = [&](const std::string& name) {
    const auto pem = person(Role::kTraceLine, name).certificate.to_pem();
    return ask({"hand_over", {{"certificate", pem}}, id, Role::kTraceOperator}).status;
  };
  EXPECT_EQ(to("line-2"), 200);
  EXPECT_EQ(to("trace-line"), 403);
  EXPECT_EQ(to("stranger"), 403);
  body["line"] = "stranger";
  EXPECT_EQ(ask({"allocate", body, 1, Role::kTraceOperator}).status, 403);
  const auto pool = must({"get_pool", nullptr, pool_});
  EXPECT_EQ(pool.at("issued"), 4) << "what was refused took no numbers";
}

TEST_F(LineHandlers, ADrawThatComesAgainIsTheSame) {
  const Ask once{
      .operation = "draw_numbers", .body = draw_body(5), .role = Role::kTraceLine, .key = "draw-1"};
  EXPECT_EQ(must(once), must(once));
  EXPECT_EQ(must({"get_pool", nullptr, pool_}).at("issued"), 5);
  EXPECT_EQ(status_of("draw_numbers", draw_body(0), ""), 400);
  EXPECT_EQ(status_of("draw_numbers", draw_body(100'001), ""), 413);
}

TEST_F(LineHandlers, OfAReportWhatCanBeDoneIsDoneAndTheRestIsWork) {
  const auto id = draw("line-2", 3).at("id").get<std::int64_t>();
  auto items = links(id);
  items.emplace_back("no identifier");
  const Json report{
      {"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", items}, {"report", true}};
  const Ask asked{.operation = "act", .body = report, .role = Role::kTraceLine, .name = "line-2"};
  const auto first = must(asked);
  EXPECT_EQ(first.at("done"), 3);
  EXPECT_EQ(first.at("refused").size(), 1U);
  const auto work = trail_.events.back().details.at("work").get<std::int64_t>();
  EXPECT_GT(work, 0);
  // None at all is a report too, and not an error that undoes the work item.
  const auto second = must(asked);
  EXPECT_EQ(second.at("done"), 0);
  EXPECT_EQ(second.at("refused").size(), 4U);
  EXPECT_EQ(trail_.events.back().details.at("work"), work + 1);
}

}  // namespace
}  // namespace theriac::api
