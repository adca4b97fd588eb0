#include "api/api.hpp"

#include <fstream>
#include <set>

#include "api/limits.hpp"
#include "api/test_support.hpp"
#include "base/private_postgres.hpp"
#include "gs1/element_string.hpp"
#include "trace/limits.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using pki::Role;

std::string sscc(const std::string& digits = "09506000134352400") {
  return "(00)" + digits + *gs1::check_digit(digits);
}

constexpr std::array kRoles{Role::kKeyd,       Role::kGateway,       Role::kProtector,
                            Role::kAdmin,      Role::kAuditor,       Role::kServer,
                            Role::kTraceAdmin, Role::kTraceOperator, Role::kTraceQuality,
                            Role::kTraceLine,  Role::kTracePartner,  Role::kTraceViewer};

TEST_F(ApiTest, EveryOperationIsForThoseNamedAndNobodyElse) {
  for (const auto& one : operations()) {
    ASSERT_NE(one.roles, 0) << one.name;
    for (const auto role : kRoles) {
      trail_.events.clear();
      const auto reply = ask({.operation = one.name, .body = Json::object(), .role = role});
      const auto what = std::string(one.name) + " as " + std::string(pki::role_name(role));
      if (!may(one, role)) {
        EXPECT_EQ(reply.status, 403) << what;
        EXPECT_EQ(reply.json.value("code", "Denied"), "Denied") << what;  // EPCIS has none
        ASSERT_EQ(trail_.events.size(), 1U) << what;
        EXPECT_EQ(trail_.events[0].outcome, "denied");
        EXPECT_EQ(trail_.events[0].role, pki::role_name(role));
      } else if (role == Role::kTracePartner && one.kind != Kind::kPure) {
        EXPECT_EQ(reply.status, 403) << what;  // of no partner
      } else {
        EXPECT_NE(reply.status, 403) << what;
        EXPECT_TRUE(reply.status < 500 || reply.status == 501) << what << reply.text;
      }
    }
  }
  for (const auto role : {Role::kKeyd, Role::kGateway, Role::kProtector, Role::kAdmin,
                          Role::kAuditor, Role::kServer}) {
    EXPECT_EQ(bit_of(role), 0);
  }
}

TEST_F(ApiTest, TheDocumentIsWhatIsServed) {
  const auto document = Json::parse(openapi_document());
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  http::Router router;
  ASSERT_TRUE(api_.add_routes(router));
  std::set<std::string> served, described;
  for (const auto& route : router.routes()) {
    if (route->method == "OPTIONS") continue;
    served.insert(route->method + " " + route->pattern);
    EXPECT_TRUE(route->needs_certificate);
  }
  for (const auto& [path, methods] : document.at("paths").items()) {
    for (const auto& [method, operation] : methods.items()) {
      std::string upper = method;
      for (auto& c : upper) c = static_cast<char>(c & ~0x20);
      described.insert(upper + " " + path);
      EXPECT_FALSE(operation.at("x-theriac-roles").empty());
    }
  }
  EXPECT_EQ(served, described);
  // Every reference leads somewhere.
  const auto& schemas = document.at("components").at("schemas");
  const std::function<void(const Json&)> follow = [&](const Json& json) {
    if (json.is_object() && json.contains("$ref")) {
      const auto reference = json.at("$ref").get<std::string>();
      EXPECT_TRUE(schemas.contains(reference.substr(reference.rfind('/') + 1))) << reference;
    }
    if (!json.is_structured()) return;
    for (const auto& one : json) follow(one);
  };
  follow(document);
}

/// Calls every operation, so that one that is missing here or fails is seen.
/// On SQLite, and on PostgreSQL in a schema of its own.
class Story : public ApiTest, public ::testing::WithParamInterface<const char*> {
 protected:
  void SetUp() override {
    if (of_postgresql()) {
      if (!PrivatePostgres::get().runs()) GTEST_SKIP();
      static int made = 0;
      engine_.where = PrivatePostgres::get().conninfo();
      engine_.schema_name = "story_" + std::to_string(++made);
    }
    ApiTest::SetUp();
  }
  static bool of_postgresql() { return std::string_view(GetParam()) == "postgresql"; }
  Json call(Ask what) {
    called_.insert(std::string(what.operation));
    return must(what);
  }
  std::string file(Ask what, const std::string& type) {
    called_.insert(std::string(what.operation));
    const auto reply = ask(what);
    EXPECT_EQ(reply.status, 200) << what.operation << reply.text;
    EXPECT_TRUE(reply.type.starts_with(type)) << reply.type;
    return reply.text;
  }
  std::int64_t other_lot() {
    return must({"add_lot", lot_body("LOT3C")}).at("id").get<std::int64_t>();
  }
  std::set<std::string> called_{"add_product", "add_partner", "add_place", "add_lot", "make_pool"};
};

TEST_P(Story, EveryOperationIsCalled) {
  make_master();
  const auto op = Role::kTraceOperator;
  for (const auto* name : {"list_products", "list_partners", "list_places"}) {
    EXPECT_GE(call({name, nullptr}).at("items").size(), 1U);
  }
  for (const auto* name : {"list_lots", "list_pools"}) {
    EXPECT_EQ(call({name, nullptr, product_}).at("items").size(), 1U);
  }
  EXPECT_EQ(call({"find_product", {{"gtin", "09506000134352"}}}).at("id"), product_);
  EXPECT_EQ(call({"get_product", nullptr, product_}).at("name_zh"), "支架");
  auto changed = product_body();
  changed["name"] = "Stent";
  changed["reason"] = "shorter";
  call({"change_product", changed, product_});
  const auto history = call({"product_history", nullptr, product_}).at("items");
  ASSERT_EQ(history.size(), 2U);
  EXPECT_EQ(history[1].at("before").at("name"), "Stent 3.0 x 18");
  EXPECT_EQ(history[1].at("reason"), "shorter");
  EXPECT_EQ(history[1].at("person"), "trace-admin");

  EXPECT_EQ(call({"find_lot", {{"product", product_}, {"number", "LOT1A"}}}).at("id"), lot_);
  auto lot = lot_body("LOT1A");
  lot["reason"] = "new certificate";
  lot["certificate"] = "CoA-18";
  call({"change_lot", lot, lot_, op});
  call({"lot_history", nullptr, lot_});
  call({"release_lot", {{"reason", "QP 17"}}, lot_, Role::kTraceQuality});
  EXPECT_EQ(call({"get_lot", nullptr, lot_}).at("state"), "released");
  const auto other = must({"add_lot", lot_body("LOT2B")}).at("id").get<std::int64_t>();
  call({"block_lot", {{"reason", "deviation"}}, other, Role::kTraceQuality});

  EXPECT_EQ(call({"get_partner", nullptr, partner_}).at("certificates")[0], "shop-1");
  call({"change_partner",
        {{"name", "Clinic"},
         {"gln", "9506000140001"},
         {"kind", "hospital"},
         {"certificates", {"shop-1", "shop-2"}},
         {"reason", "renamed"}},
        partner_});
  call({"partner_history", nullptr, partner_});
  EXPECT_EQ(call({"find_place", {{"gln", "9506000140018"}}}).at("id"), plant_);
  call({"get_place", nullptr, plant_});
  call({"change_place",
        {{"gln", "9506000140018"},
         {"name", "Works"},
         {"prefix_length", 7},
         {"lines", {"trace-line"}},
         {"reason", "new name"}},
        plant_});
  call({"place_history", nullptr, plant_});

  EXPECT_EQ(call({"get_pool", nullptr, pool_}).at("capacity"), 100'000);
  const auto issued = call({"allocate", allocation_body(20), 1, op});
  const auto allocation = issued.at("id").get<std::int64_t>();
  EXPECT_EQ(call({"get_allocation", nullptr, allocation}).at("count"), 20);
  EXPECT_EQ(call({"list_allocations", nullptr, lot_}).at("items").size(), 1U);
  file({"hand_over", Json::object(), allocation, Role::kTraceLine}, "application/pkcs7-mime");
  EXPECT_EQ(call({"draw_numbers",
                  {{"count", 5}, {"lot", other_lot()}, {"place", plant_}},
                  1,
                  Role::kTraceLine})
                .at("count"),
            5);

  auto items = links(allocation);
  ASSERT_EQ(items.size(), 20U);
  const auto unused = items.back().substr(items.back().rfind('/') + 1);
  items.pop_back();
  EXPECT_EQ(call({"find_item", {{"item", items[0]}}}).at("state"), "allocated");
  call({"return_numbers", {{"serials", {unused}}}, allocation, Role::kTraceLine});
  EXPECT_EQ(call({"act",
                  {{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", items}},
                  1,
                  Role::kTraceLine})
                .at("done"),
            19);
  clock_.advance_ms(1000);
  call({"act",
        {{"act", "pack"}, {"place", plant_}, {"container", sscc()}, {"items", items}},
        1,
        op});
  EXPECT_EQ(call({"list_contents", {{"container", sscc()}}}).at("items").size(), 19U);
  EXPECT_EQ(call({"find_item", {{"item", items[0]}}}).at("lot"), lot_);
  const auto sum = call({"reconcile_lot", nullptr, lot_});
  EXPECT_EQ(sum.at("issued"), 20);
  EXPECT_EQ(sum.at("commissioned"), 19);
  EXPECT_EQ(sum.at("returned"), 1);
  EXPECT_EQ(sum.at("adds_up"), true);
  EXPECT_EQ(call({"bring_list",
                  {{"product", product_},
                   {"lot", lot_},
                   {"place", plant_},
                   {"serials", {"OTHERS1", "OTHERS22"}}},
                  1,
                  op})
                .at("taken"),
            2);
  call({"close_pool", {{"reason", "full"}}, pool_});

  EXPECT_EQ(call({"verify", {{"scan", items[0]}, {"place", plant_}}}).at("verdict"), "genuine");
  const auto quality = Role::kTraceQuality;
  const auto recall =
      call(
          {"open_recall", {{"level", "II"}, {"reason", "particles"}, {"lots", {lot_}}}, 1, quality})
          .at("id")
          .get<std::int64_t>();
  EXPECT_EQ(call({"list_recalls", nullptr}).at("items").size(), 1U);
  EXPECT_EQ(call({"get_recall", nullptr, recall}).at("open"), true);
  const auto effect = call({"recall_effectiveness", nullptr, recall});
  EXPECT_EQ(effect.at("items"), 21);  // 19 and the two of the list
  EXPECT_EQ(effect.at("recovered"), 21);
  EXPECT_EQ(must({"verify", {{"scan", items[0]}}}).at("verdict"), "recalled");
  call({"close_recall", {{"reason", "all are back"}}, recall, quality});
  EXPECT_EQ(must({"get_recall", nullptr, recall}).at("open"), false);

  EXPECT_EQ(call({"read_code", {{"text", "(01)09506000134352(21)A1"}}}).at("read"), true);
  EXPECT_EQ(call({"read_code", {{"text", "(01)09506000134353(21)A1"}}}).at("read"), false);
  const Json label{{"codes", {"(01)09506000134352(21)A1"}}, {"names", {"Stent"}}};
  for (const auto& [output, type] :
       std::map<std::string, std::string>{{"svg", "image/svg+xml"},
                                          {"png", "image/png"},
                                          {"pdf", "application/pdf"},
                                          {"zpl", "application/zpl"}}) {
    auto body = label;
    body["output"] = output;
    EXPECT_GT(file({"make_labels", body}, type).size(), 100U);
  }
  EXPECT_EQ(call({"describe", nullptr}).at("openapi"), "3.1.0");

  std::set<std::string> all;
  for (const auto& one : operations()) {
    if (!one.is_epcis()) all.insert(std::string(one.name));
  }
  EXPECT_EQ(called_, all);

  // Of what was done nothing tells a serial: not the audit log, not the store's files.
  std::string told;
  for (const auto& event : trail_.events) {
    told += event.object + event.reason + event.details.dump() + event.new_ref + event.old_ref;
  }
  for (const auto& entry : std::filesystem::directory_iterator(folder_)) {
    std::ifstream in(entry.path(), std::ios::binary);
    told.append(std::istreambuf_iterator<char>(in), {});
  }
  for (const auto& link : items) {
    EXPECT_EQ(told.find(link.substr(link.rfind('/') + 1)), std::string::npos);
  }
  EXPECT_EQ(told.find("OTHERS22"), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(Engines, Story, ::testing::Values("sqlite", "postgresql"),
                         [](const auto& one) { return std::string(one.param); });

TEST_P(Story, PartnersSeeWhatIsTheirs) {
  make_master();
  must({"release_lot", {{"reason", "QP"}}, lot_, Role::kTraceQuality});
  const auto allocation =
      must({"allocate", allocation_body(3), 1, Role::kTraceOperator}).at("id").get<std::int64_t>();
  const auto items = links(allocation);
  const auto act = [&](Json body, Role role, const std::string& name = {}) {
    clock_.advance_ms(1000);
    return ask({.operation = "act", .body = std::move(body), .role = role, .name = name});
  };
  const auto op = Role::kTraceOperator;
  const auto shop = Role::kTracePartner;
  ASSERT_EQ(
      act({{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", items}}, op).status,
      200);
  const auto container = sscc();
  const auto packed =
      act({{"act", "pack"}, {"place", plant_}, {"container", container}, {"items", items}}, op);
  ASSERT_EQ(packed.status, 200) << packed.text;
  const auto contents = [&](Role role, const std::string& name, Json more = Json::object()) {
    more["container"] = container;
    return ask({.operation = "list_contents", .body = more, .role = role, .name = name});
  };
  EXPECT_EQ(contents(op, "").json.at("items").size(), 3U);
  // By pages.
  std::set<std::string> seen;
  Json more{{"limit", 2}};
  for (int pages = 0; pages < 3; ++pages) {
    const auto page = contents(op, "", more).json;
    for (const auto& one : page.at("items")) seen.insert(one.at("item"));
    if (!page.contains("next")) break;
    more["cursor"] = page.at("next");
  }
  EXPECT_EQ(seen.size(), 3U);

  // What is not theirs is not there, and what is nowhere looks the same.
  trail_.events.clear();
  const auto hidden = contents(shop, "shop-1");
  EXPECT_EQ(hidden.status, 404);
  ASSERT_EQ(trail_.events.size(), 1U);
  EXPECT_EQ(trail_.events[0].outcome, "denied");
  const auto none = ask({.operation = "list_contents",
                         .body = {{"container", sscc("09506000134352409")}},
                         .role = shop,
                         .name = "shop-1"});
  EXPECT_EQ(none.text, hidden.text);
  EXPECT_EQ(contents(shop, "stranger").status, 403);
  ASSERT_EQ(
      act({{"act", "ship"}, {"place", plant_}, {"to", shop_}, {"items", {container}}}, op).status,
      200);
  EXPECT_EQ(contents(shop, "shop-1").status, 200);
  trail_.events.clear();
  EXPECT_EQ(
      act({{"act", "receive"}, {"place", plant_}, {"items", {container}}}, shop, "shop-1").status,
      403);
  ASSERT_EQ(trail_.events.size(), 1U);
  EXPECT_EQ(trail_.events[0].outcome, "denied");
  EXPECT_EQ(
      act({{"act", "receive"}, {"place", shop_}, {"items", {container}}}, shop, "shop-1").status,
      200);
  EXPECT_EQ(trail_.events.back().action, "trace.receive");
  const auto packed_still =
      act({{"act", "dispense"}, {"place", shop_}, {"items", {items[0]}}}, shop, "shop-1");
  EXPECT_EQ(packed_still.json.at("refused")[0].at("why"), "IsPacked");
  const auto where =
      ask({.operation = "find_item", .body = {{"item", items[0]}}, .role = shop, .name = "shop-1"});
  EXPECT_EQ(where.json.at("place"), shop_);
  EXPECT_EQ(where.json.at("containers").size(), 1U);
}

TEST_P(Story, ARefusedActChangesNothingAndSaysWhy) {
  make_master();
  const auto allocation =
      must({"allocate", allocation_body(2), 1, Role::kTraceOperator}).at("id").get<std::int64_t>();
  auto items = links(allocation);
  items.push_back("not an identifier");
  Json body{{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", items}};
  const auto refused = ask(
      {.operation = "act", .body = body, .role = Role::kTraceLine, .language = "zh-CN,en;q=0.5"});
  EXPECT_EQ(refused.status, 409);
  EXPECT_EQ(refused.type, "application/problem+json");
  ASSERT_EQ(refused.json.at("refused").size(), 1U);
  EXPECT_EQ(refused.json.at("refused")[0].at("at"), 2);
  EXPECT_EQ(refused.json.at("refused")[0].at("text"), "无法识别该物品标识");
  EXPECT_EQ(trail_.events.back().outcome, "failed");
  body["proceed"] = true;
  EXPECT_EQ(ask({.operation = "act", .body = body, .role = Role::kTraceLine}).json.at("done"), 2);

  // Numbers that were never issued, in mass, are noticed.
  auto guesses = Json::array();
  for (std::size_t i = 0; i < 20; ++i) {
    guesses.push_back("(01)09506000134352(21)ACDEFHJKLM" +
                      std::string(1, "ACDEFHJKLMNPRTUVWXY34679"[i]) + "A");
  }
  body["items"] = guesses;
  EXPECT_EQ(ask({.operation = "act", .body = body, .role = Role::kTraceLine}).status, 409);
  EXPECT_EQ(trail_.events.back().outcome, "denied");
  EXPECT_GE(trail_.events.back().details.at("never_issued"), 10);
}

TEST_F(ApiTest, AWriteIsDoneOnceUnderItsKey) {
  make_master();
  const auto op = Role::kTraceOperator;
  const Ask first{.operation = "allocate", .body = allocation_body(5), .role = op, .key = "k1"};
  const auto made = must(first);
  EXPECT_EQ(must(first), made);
  EXPECT_EQ(must({"get_pool", nullptr, pool_}).at("issued"), 5);
  // Another caller's key is another key; another request under it is refused.
  EXPECT_NE(must({.operation = "allocate", .body = allocation_body(5), .key = "k1"}), made);
  auto other = first;
  other.body = allocation_body(6);
  EXPECT_EQ(ask(other).status, 422);
  other.key = "none";
  EXPECT_EQ(ask(other).status, 400);
  other.key = std::string(129, 'k');
  EXPECT_EQ(ask(other).status, 400);
  other.key = std::string(128, 'k');
  EXPECT_EQ(ask(other).status, 200);
}

TEST_F(ApiTest, WithoutAuditLogNothingIsDone) {
  make_master();
  trail_.fails = true;
  EXPECT_EQ(ask({.operation = "allocate", .body = allocation_body(5), .role = Role::kTraceOperator})
                .status,
            507);
  EXPECT_FALSE(api_.readiness().ready());
  trail_.fails = false;
  EXPECT_EQ(must({"get_pool", nullptr, pool_}).at("issued"), 0);
  must({"allocate", allocation_body(5), 1, Role::kTraceOperator});
  EXPECT_TRUE(api_.readiness().ready());
}

TEST_F(ApiTest, KeysThatAreTakenAwayCloseIt) {
  make_master();
  keys_.refuse({Code::kRevoked, "serial"});
  EXPECT_EQ(ask({"list_products", nullptr}).json.at("code"), "Revoked");
  EXPECT_EQ(ask({"add_lot", lot_body("X")}).json.at("code"), "Revoked");
  EXPECT_FALSE(api_.readiness().keys.has_value());
  keys_.allow();
  EXPECT_EQ(ask({"list_products", nullptr}).status, 200);
}

TEST_F(ApiTest, CertificatesOfOthersAndOldOnesAreRefused) {
  EXPECT_EQ(ask({.operation = "describe", .body = nullptr, .tenant = "other"}).json.at("code"),
            "BadCertificate");
  EXPECT_EQ(ask({"describe", nullptr}).status, 200);
  clock_.advance_ms(2 * pki::kDayMs);
  EXPECT_EQ(ask({"describe", nullptr}).json.at("code"), "BadCertificate");
  EXPECT_EQ(trail_.events.back().outcome, "denied");
}

TEST_F(ApiTest, BodiesAreReadStrictly) {
  make_master();
  const auto where = [&](Json body) {
    const auto reply = ask({"find_lot", std::move(body)});
    EXPECT_EQ(reply.status, 400);
    return reply.json.at("detail").get<std::string>();
  };
  EXPECT_TRUE(where(Json::object()).starts_with("product"));
  EXPECT_TRUE(where({{"product", "1"}, {"number", "A"}}).starts_with("product"));
  EXPECT_TRUE(where(Json::array()).starts_with("product"));
  const auto unknown = where({{"product", 1}, {"number", "A"}, {"secret-serial", 1}});
  EXPECT_EQ(unknown.find("secret"), std::string::npos);
  EXPECT_EQ(
      ask({.operation = "get_lot", .body = nullptr, .id = 999, .language = "zh"}).json.at("title"),
      "未找到");
}

TEST_F(ApiTest, LimitsHold) {
  make_master();
  const auto act = [&](std::size_t count) {
    return ask({.operation = "act",
                .body = {{"act", "commission"},
                         {"place", plant_},
                         {"lot", lot_},
                         {"items", std::vector<std::string>(count, "x")}},
                .role = Role::kTraceLine});
  };
  EXPECT_EQ(act(trace::kItemsOfOneCallMax).status, 409);
  EXPECT_EQ(act(trace::kItemsOfOneCallMax + 1).status, 413);
  const auto label = [&](std::size_t count) {
    return ask({"make_labels",
                {{"codes", std::vector<std::string>(count, sscc())}, {"output", "zpl"}}})
        .status;
  };
  EXPECT_EQ(label(kLabelsOfOneCallMax), 200);
  EXPECT_EQ(label(kLabelsOfOneCallMax + 1), 413);
  const auto close = [&](std::size_t bytes) {
    return ask({"close_pool", {{"reason", std::string(bytes, 'r')}}, pool_}).status;
  };
  EXPECT_EQ(close(kReasonBytesMax + 1), 413);
  EXPECT_EQ(close(0), 400);
  EXPECT_EQ(close(kReasonBytesMax), 200);
  EXPECT_EQ(trail_.events.back().reason.size(), kReasonBytesMax);
}

TEST_F(ApiTest, PagesFollowOneAnother) {
  make_master();
  for (int i = 0; i < 6; ++i) must({"add_lot", lot_body("L" + std::to_string(i))});
  std::set<std::string> seen;
  Ask page{.operation = "list_lots", .body = nullptr, .id = product_};
  page.query = {{"limit", "3"}};
  for (int pages = 0; pages < 4; ++pages) {
    const auto got = must(page);
    for (const auto& one : got.at("items")) seen.insert(one.at("number"));
    if (!got.contains("next")) break;
    page.query = {{"limit", "3"}, {"cursor", got.at("next").get<std::string>()}};
  }
  EXPECT_EQ(seen.size(), 7U);
  for (const auto* bad : {"0", "1001", "x", "-1", ""}) {
    page.query = {{"limit", bad}};
    EXPECT_EQ(ask(page).status, 400) << bad;
  }
  page.query = {{"limit", "1000"}};
  EXPECT_EQ(ask(page).status, 200);
  page.query = {{"cursor", "zz"}};
  EXPECT_EQ(ask(page).status, 400);
}

}  // namespace
}  // namespace theriac::api
