#include "api/limits.hpp"
#include "api/test_support.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using pki::Role;

/// A copy is given away by two scans; the first is in memory alone for a moment.
TEST_F(ApiTest, VerificationWaitsForNoWriterAndItsScansAreWrittenLater) {
  make_master();
  const auto items = links(
      must({"allocate", allocation_body(1), 1, Role::kTraceOperator}).at("id").get<std::int64_t>());
  must({"act",
        {{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", items}},
        1,
        Role::kTraceLine});
  must({"release_lot", {{"reason", "QP"}}, lot_, Role::kTraceQuality});
  const auto verdict = [&](std::int64_t place) {
    return ask({.operation = "verify",
                .body = {{"scan", items[0]}, {"place", place}},
                .role = Role::kTraceOperator,
                .key = "none"})
        .json.at("verdict");
  };
  auto engine = store::open_engine(engine_, kSchema);
  auto session = std::move(*(*engine)->connect());
  EXPECT_TRUE(session->transact([&](store::Session& inside) -> Status {
    // The only writer there can be, for as long as this takes.
    THERIAC_TRY(inside.run_all("UPDATE lots SET changed_ms = changed_ms"));
    EXPECT_EQ(verdict(plant_), "genuine");
    EXPECT_EQ(verdict(shop_), "suspicious");
    return {};
  }));
  std::int64_t place = 0;
  for (const auto end = std::chrono::steady_clock::now() + std::chrono::minutes(1);
       place == 0 && std::chrono::steady_clock::now() < end;) {
    EXPECT_TRUE(session->snapshot([&](store::Session& inside) -> Status {
      THERIAC_ASSIGN(auto rows, inside.query_all("SELECT place FROM sightings"));
      THERIAC_ASSIGN(const bool found, rows->next());
      if (found) place = rows->integer(0);
      return {};
    }));
  }
  EXPECT_EQ(place, shop_);
}

TEST_F(ApiTest, VerificationTellsPartnersTheVerdictAlone) {
  make_master();
  must({"release_lot", {{"reason", "QP"}}, lot_, Role::kTraceQuality});
  const auto allocation =
      must({"allocate", allocation_body(2), 1, Role::kTraceOperator}).at("id").get<std::int64_t>();
  const auto items = links(allocation);
  clock_.advance_ms(1000);
  must({"act",
        {{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", {items[0]}}},
        1,
        Role::kTraceLine});
  trail_.events.clear();
  const Json partner = {{"scan", items[0]}, {"place", shop_}};
  const auto verify = [&](Json body, Role role, const std::string& language = {}) {
    return ask({.operation = "verify",
                .body = std::move(body),
                .role = role,
                .name = role == Role::kTracePartner ? "shop-1" : "",
                .key = "none",
                .language = language});
  };
  const auto genuine = verify(partner, Role::kTracePartner).json;
  EXPECT_EQ(genuine.at("verdict"), "genuine");
  EXPECT_EQ(genuine.size(), 2U);  // and its text
  EXPECT_TRUE(trail_.events.empty());
  EXPECT_EQ(verify({{"scan", items[0]}, {"place", plant_}}, Role::kTracePartner).status, 403);
  EXPECT_EQ(verify({{"scan", items[0]}, {"place", 999}}, Role::kTraceOperator).status, 404);
  EXPECT_EQ(
      verify({{"scan", items[0]}, {"when", "2099-01-01T00:00:00Z"}}, Role::kTraceOperator).status,
      400);

  // Seen at two places within the hour: an alarm, on the log before it is told.
  trail_.events.clear();
  clock_.advance_ms(1000);
  const auto two = verify({{"scan", items[0]}, {"place", plant_}}, Role::kTraceOperator, "zh").json;
  EXPECT_EQ(two.at("verdict"), "suspicious");
  EXPECT_EQ(two.at("reason"), "two-places");
  EXPECT_EQ(two.at("other_place"), shop_);
  EXPECT_EQ(two.at("alarm"), true);
  EXPECT_EQ(two.at("lot"), lot_);
  EXPECT_EQ(two.at("state"), "commissioned");
  EXPECT_EQ(two.at("text"), "可疑：请隔离存放并上报；该物品不久前出现在另一地点");
  ASSERT_EQ(trail_.events.size(), 1U);
  EXPECT_EQ(trail_.events[0].details.at("verdict"), "suspicious");
  trail_.fails = true;
  EXPECT_EQ(verify({{"scan", items[1]}}, Role::kTraceOperator).status, 507);
  trail_.fails = false;
  const auto stolen = verify({{"scan", items[1]}}, Role::kTraceOperator).json;
  EXPECT_EQ(stolen.at("reason"), "never-made");
}

TEST_F(ApiTest, WhoGuessesIsStoppedForAnHour) {
  make_master();
  trail_.events.clear();
  const auto guess = [&](const std::string& name) {
    return ask({.operation = "verify",
                .body = {{"scan", "(01)09506000134352(21)ACDEFHJKLMAA"}},
                .role = Role::kTraceOperator,
                .name = name});
  };
  for (int i = 0; i < kUnknownOfOneHourMax; ++i) {
    EXPECT_TRUE(trail_.events.empty());
    ASSERT_EQ(guess("one").json.at("verdict"), "unknown");
  }
  ASSERT_EQ(trail_.events.size(), 1U);
  EXPECT_EQ(trail_.events[0].outcome, "denied");
  EXPECT_EQ(trail_.events[0].details.at("guesses"), kUnknownOfOneHourMax);
  const auto stopped = guess("one");
  EXPECT_EQ(stopped.status, 429);
  EXPECT_EQ(stopped.fields.at("Retry-After"), "3600");
  EXPECT_EQ(guess("two").status, 200);
  clock_.advance_ms(60 * 60 * 1000);
  EXPECT_EQ(guess("one").status, 200);
}

TEST_F(ApiTest, ARecallIsWholeOrNotAtAll) {
  make_master();
  const auto open = [&](Json body) {
    return ask({.operation = "open_recall", .body = std::move(body), .role = Role::kTraceQuality});
  };
  const Json lots = {lot_};
  EXPECT_EQ(open({{"level", "IV"}, {"reason", "x"}, {"lots", lots}}).status, 400);
  EXPECT_EQ(open({{"level", "I"}, {"reason", ""}, {"lots", lots}}).status, 400);
  EXPECT_EQ(open({{"level", "I"}, {"reason", "x"}}).status, 400);
  EXPECT_EQ(open({{"level", "I"}, {"reason", "x"}, {"lots", {999}}}).status, 404);
  EXPECT_EQ(open({{"level", "I"}, {"reason", "x"}, {"lots", {"1"}}}).status, 400);
  const auto refused = open({{"level", "I"}, {"reason", "x"}, {"lots", lots}, {"items", {"?"}}});
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.json.at("refused")[0].at("at"), 0);
  EXPECT_TRUE(must({"list_recalls", nullptr}).at("items").empty());
  EXPECT_EQ(open({{"level", "I"}, {"reason", "x"}, {"lots", lots}}).status, 200);
  EXPECT_EQ(trail_.events.back().action, "trace.open-recall");
  EXPECT_EQ(open({{"level", "I"}, {"reason", "x"}, {"lots", lots}}).status, 409);
  EXPECT_EQ(must({"get_lot", nullptr, lot_}).at("recall"), 1);
}

}  // namespace
}  // namespace theriac::api
