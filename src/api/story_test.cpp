// Every operation called once, on both engines; who sees what; what is refused.
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
  /// Devices, the work list, and what else there is of lots and recalls.
  void call_the_rest(std::int64_t recall) {
    const auto quality = Role::kTraceQuality;
    EXPECT_EQ(call({"product_levels", nullptr, product_}).at("items").size(), 1U);
    EXPECT_EQ(call({"pool_history", nullptr, pool_}).at("items").size(), 3U);
    EXPECT_EQ(call({"recall_history", nullptr, recall}).at("items").size(), 1U);
    call({"put_certificate",
          {{"name", "CoA-19"}, {"file", "Q29BIDE5"}, {"reason", "signed"}},
          lot_});
    EXPECT_EQ(file({"get_certificate", nullptr, lot_}, "application/octet-stream"), "CoA 19");
    const auto counted = call({"count_lot", {{"commissioned", 18}}, lot_, quality});
    EXPECT_EQ(counted.at("differences")[0].at("here"), 19);
    EXPECT_NE(file({"reconciliation_page", nullptr, lot_}, "text/html").find("LOT1A"),
              std::string::npos);
    call({"notify_recall", {{"partner", partner_}, {"how", "letter"}}, recall, quality});
    call({"answer_recall", {{"partner", partner_}, {"missing", 2}}, recall, quality});
    EXPECT_NE(file({"recall_page", nullptr, recall}, "text/html").find("particles"),
              std::string::npos);
    const auto found = call({"preview_recall", {{"product", product_}, {"place", plant_}}});
    EXPECT_EQ(found.at("whole_lots"), false);
    EXPECT_EQ(found.at("items"), 0);  // all recalled already

    const auto fresh = must({"add_lot", lot_body("LOT9Z")}).at("id").get<std::int64_t>();
    const auto pool =
        must({"make_pool", {{"product", product_}, {"length", 13}, {"capacity", 9}}}).at("id");
    auto issue = allocation_body(2);
    issue["lot"] = fresh;
    issue["pool"] = pool;
    const auto issued = must({"allocate", issue, 1, Role::kTraceOperator}).at("id");
    const auto devices = links(issued);
    must({"act",
          {{"act", "commission"}, {"place", plant_}, {"lot", fresh}, {"items", devices}},
          1,
          Role::kTraceLine});
    const auto placed = call({"record_device",
                              {{"act", "place"},
                               {"device", devices[0]},
                               {"place", shop_},
                               {"person", "Dr Li"},
                               {"fields", {{"ward", "7"}}}},
                              1,
                              quality})
                            .at("id")
                            .get<std::int64_t>();
    EXPECT_EQ(call({"find_device", {{"device", devices[0]}}}).at("id"), placed);
    EXPECT_EQ(call({"list_devices", nullptr}).at("items").size(), 1U);
    EXPECT_EQ(call({"get_device", nullptr, placed}).at("state"), "placed");
    const auto records = call({"device_records", nullptr, placed, quality}).at("items");
    EXPECT_EQ(records[0].at("fields").at("ward"), "7");

    // The count that differs, and a line that is refused.
    EXPECT_EQ(ask({"act",
                   {{"act", "commission"}, {"place", plant_}, {"lot", fresh}, {"items", devices}},
                   1,
                   Role::kTraceLine})
                  .status,
              409);
    const auto work = call({"list_work", nullptr}).at("items");
    ASSERT_EQ(work.size(), 2U);
    EXPECT_EQ(work[0].at("kind"), "not-balanced");
    const auto refused = work[1].at("id").get<std::int64_t>();
    EXPECT_EQ(call({"get_work", nullptr, refused}).at("kind"), "line-refused");
    call({"assign_work", {{"to", "qa-1"}}, refused, quality});
    EXPECT_EQ(call({"retry_work", {{"reason", "looked"}}, refused, quality}).at("closed"), false);
    call({"resolve_work", {{"reason", "made before"}}, refused, quality});
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

  call_the_rest(recall);

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
}  // namespace
}  // namespace theriac::api
