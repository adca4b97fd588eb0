// Devices in the field, the work list, recalls by search, and callers whose certificate is revoked.
#include "api/limits.hpp"
#include "api/test_support.hpp"

namespace theriac::api {
namespace {

using codec::Json;
using pki::Role;

class FieldTest : public ApiTest {
 protected:
  static constexpr auto kOperator = Role::kTraceOperator, kQuality = Role::kTraceQuality,
                        kLine = Role::kTraceLine, kPartner = Role::kTracePartner;

  /// Items of our lot, made and released.
  std::vector<std::string> made(int count) {
    if (product_ == 0) make_master();
    must({"release_lot", {{"reason", "QP"}}, lot_, kQuality});
    const auto items = links(
        must({"allocate", allocation_body(count), 1, kOperator}).at("id").get<std::int64_t>());
    clock_.advance_ms(1000);
    must({"act",
          {{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", items}},
          1,
          kLine});
    return items;
  }
  Reply act(Json body, Role role, const std::string& name = {}) {
    clock_.advance_ms(1000);
    return ask({.operation = "act", .body = std::move(body), .role = role, .name = name});
  }
  void move_to_shop(const std::vector<std::string>& items) {
    EXPECT_EQ(act({{"act", "ship"}, {"place", plant_}, {"to", shop_}, {"items", items}}, kOperator)
                  .status,
              200);
    EXPECT_EQ(
        act({{"act", "receive"}, {"place", shop_}, {"items", items}}, kPartner, "shop-1").status,
        200);
  }
  Reply report(const std::string& device, const std::string& what, Role role,
               const std::string& name = {}, Json more = Json::object()) {
    clock_.advance_ms(1000);
    Json body{{"act", what}, {"device", device}, {"place", shop_}, {"person", "Dr Li"}};
    body.update(more);
    return ask({.operation = "record_device", .body = body, .role = role, .name = name});
  }
  std::vector<std::string> open_kinds() {
    std::vector<std::string> kinds;
    for (const auto& one : must({"list_work", nullptr}).at("items")) {
      kinds.push_back(one.at("kind").get<std::string>());
    }
    return kinds;
  }
};

TEST_F(FieldTest, APartnersDevicesAreItsOwn) {
  const auto items = made(3);
  EXPECT_EQ(report(items[0], "place", kPartner, "shop-1").status, 409);  // still at the plant
  move_to_shop({items[0]});
  const auto placed = report(items[0], "place", kPartner, "shop-1",
                             {{"fields", {{"patient", "PATIENT-4711"}}}, {"reason", "WARD-7"}});
  ASSERT_EQ(placed.status, 200) << placed.text;
  const auto id = placed.json.at("id").get<std::int64_t>();
  // What was said is on no log.
  for (const auto& event : trail_.events) {
    const auto told = event.object + event.reason + event.details.dump();
    EXPECT_EQ(told.find("PATIENT"), std::string::npos);
    EXPECT_EQ(told.find("WARD"), std::string::npos);
    EXPECT_EQ(told.find("Li"), std::string::npos);
  }
  EXPECT_EQ(report(items[0], "service", kOperator).status, 200);
  const auto records = [&](Role role, const std::string& name) {
    return ask({.operation = "device_records", .id = id, .role = role, .name = name});
  };
  trail_.events.clear();
  const auto seen = records(kPartner, "shop-1").json.at("items");
  ASSERT_EQ(seen.size(), 2U);
  EXPECT_EQ(seen[0].at("fields").at("patient"), "PATIENT-4711");
  EXPECT_FALSE(seen[1].contains("person"));  // ours
  ASSERT_EQ(trail_.events.size(), 1U);       // who read it is on the log
  EXPECT_EQ(trail_.events[0].action, "trace.device-records");
  EXPECT_EQ(records(Role::kTraceViewer, "").status, 403);
  EXPECT_TRUE(records(kQuality, "").json.at("items")[1].contains("person"));

  // Another partner learns nothing of it.
  must({"add_partner",
        {{"name", "Clinic"},
         {"gln", "9506000140056"},
         {"kind", "hospital"},
         {"certificates", {"clinic-1"}}}});
  for (const auto* operation : {"get_device", "device_records"}) {
    EXPECT_EQ(ask({.operation = operation, .id = id, .role = kPartner, .name = "clinic-1"}).status,
              404);
  }
  EXPECT_TRUE(ask({.operation = "list_devices", .role = kPartner, .name = "clinic-1"})
                  .json.at("items")
                  .empty());
  EXPECT_EQ(ask({.operation = "find_device",
                 .body = {{"device", items[0]}},
                 .role = kPartner,
                 .name = "clinic-1"})
                .status,
            404);
}

TEST_F(FieldTest, DevicesAreReadStrictlyAndFiltered) {
  const auto items = made(2);
  EXPECT_EQ(report(items[0], "explode", kOperator).status, 400);
  EXPECT_EQ(report(items[0], "place", kOperator, "", {{"fields", {{"a", 1}}}}).status, 400);
  EXPECT_EQ(report(items[0], "place", kOperator, "", {{"colour", "red"}}).status, 400);
  EXPECT_EQ(report(items[0], "place", kOperator, "", {{"due", "soon"}}).status, 400);
  EXPECT_EQ(report(items[0], "place", kOperator, "", {{"when", "2099-01-01T00:00:00Z"}}).status,
            409);
  EXPECT_EQ(
      report("(01)09506000134352(10)LOT1A", "place", kOperator, "", {{"unit", "bed 7"}}).status,
      200);
  EXPECT_EQ(report(items[0], "place", kOperator, "", {{"due", "2030-01-01T00:00:00Z"}}).status,
            200);
  const auto listed = [&](std::vector<std::pair<std::string, std::string>> query) {
    const auto reply = ask({.operation = "list_devices", .query = std::move(query)});
    return reply.status == 200 ? static_cast<int>(reply.json.at("items").size()) : -reply.status;
  };
  EXPECT_EQ(listed({}), 2);
  EXPECT_EQ(listed({{"due_until", "2030-01-01T00:00:00Z"}}), 1);
  EXPECT_EQ(listed({{"due_until", "2029-01-01T00:00:00Z"}}), 0);
  EXPECT_EQ(listed({{"state", "in-use"}}), 0);
  EXPECT_EQ(listed({{"lot", std::to_string(lot_)}}), 2);
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"state", "x"}, {"lot", "-1"}, {"place", "0"}, {"product", "a"}, {"due_until", "x"}}) {
    EXPECT_EQ(listed({{key, value}}), -400) << key;
  }
}

TEST_F(FieldTest, WhatALineCannotDoIsAPersonsWork) {
  const auto items = made(3);
  move_to_shop({items[0], items[1]});
  const Json sample{{"act", "sample"}, {"place", plant_}, {"items", {items[0], items[1]}}};
  EXPECT_EQ(act(sample, kOperator).status, 409);
  EXPECT_TRUE(open_kinds().empty());  // a person was told
  EXPECT_EQ(act(sample, kLine).status, 409);
  EXPECT_EQ(act(sample, kLine).status, 409);
  ASSERT_EQ(open_kinds(), std::vector<std::string>{"line-refused"});
  const auto one = must({"get_work", nullptr, 1});
  EXPECT_EQ(one.at("times"), 2);
  EXPECT_EQ(one.at("details").at("refused")[0].at("why"), "OtherPlace");
  EXPECT_EQ(one.at("details").at("refused")[0].at("item"), items[0]);
  // Partly done, and what was not is work too.
  const auto partly = act({{"act", "sample"},
                           {"place", plant_},
                           {"items", {items[2], "(01)09506000134352(21)NOBODY"}},
                           {"proceed", true}},
                          kLine);
  EXPECT_EQ(partly.json.at("done"), 1);
  EXPECT_EQ(open_kinds().size(), 2U);
  EXPECT_EQ(must({"get_work", nullptr, 2}).at("details").at("refused").size(), 1U);

  // Tried again when the items are where the line said.
  const auto retry = [&](std::int64_t id) {
    return ask(
        {.operation = "retry_work", .body = {{"reason", "moved"}}, .id = id, .role = kQuality});
  };
  EXPECT_EQ(retry(1).json.at("closed"), false);
  EXPECT_EQ(must({"get_work", nullptr, 1}).at("notes").size(), 1U);
  const auto back = [&](const char* what, Json more) {
    Json body{{"act", what}, {"items", {items[0], items[1]}}};
    body.update(more);
    EXPECT_EQ(act(body, kOperator).status, 200);
  };
  // It keeps the line's own time, which the items have passed by then: said, and left open.
  back("ship", {{"place", shop_}, {"to", plant_}});
  back("receive", {{"place", plant_}});
  const auto late = retry(1);
  EXPECT_EQ(late.json.at("closed"), false);
  EXPECT_EQ(late.json.at("refused")[0].at("why"), "BeforeLastAct");
  EXPECT_EQ(ask({.operation = "resolve_work",
                 .body = {{"reason", "sampled by hand"}},
                 .id = 1,
                 .role = kQuality})
                .status,
            200);
  EXPECT_EQ(retry(1).status, 409);
  EXPECT_EQ(retry(99).status, 404);
}

TEST_F(FieldTest, ALinesActIsDoneWhenWhatStoodInItsWayIsGone) {
  make_master();
  const auto items =
      links(must({"allocate", allocation_body(2), 1, kOperator}).at("id").get<std::int64_t>());
  must({"block_lot", {{"reason", "deviation"}}, lot_, kQuality});
  const Json commission{{"act", "commission"}, {"place", plant_}, {"lot", lot_}, {"items", items}};
  EXPECT_EQ(act(commission, kLine).status, 409);
  must({"release_lot", {{"reason", "cleared"}}, lot_, kQuality});
  const auto retried = must({"retry_work", {{"reason", "released"}}, 1, kOperator});
  EXPECT_EQ(retried.at("closed"), true);
  EXPECT_EQ(must({"find_item", {{"item", items[1]}}}).at("state"), "commissioned");
  EXPECT_TRUE(open_kinds().empty());
  EXPECT_EQ(ask({.operation = "list_work", .query = {{"state", "closed"}}}).json.at("items").size(),
            1U);
  for (const auto& [key, value] : std::vector<std::pair<std::string, std::string>>{
           {"state", "x"}, {"kind", "x"}, {"raised_until", "x"}}) {
    EXPECT_EQ(ask({.operation = "list_work", .query = {{key, value}}}).status, 400);
  }
}

TEST_F(FieldTest, AlarmsAndGuessesAreWorkAndPartnersSeeNone) {
  const auto items = made(1);
  const auto verify = [&](std::int64_t place) {
    clock_.advance_ms(1000);
    return must({"verify", {{"scan", items[0]}, {"place", place}}, 1, kOperator}).at("verdict");
  };
  EXPECT_EQ(verify(plant_), "genuine");
  EXPECT_TRUE(open_kinds().empty());
  EXPECT_EQ(verify(shop_), "suspicious");
  EXPECT_EQ(verify(plant_), "suspicious");
  ASSERT_EQ(open_kinds(), std::vector<std::string>{"alarm"});
  const auto alarm = must({"get_work", nullptr, 1});
  EXPECT_EQ(alarm.at("details").at("item"), items[0]);
  EXPECT_EQ(alarm.at("details").at("reason"), "two-places");
  EXPECT_EQ(alarm.at("times"), 2);
  for (int i = 0; i < kUnknownOfOneHourMax; ++i) {
    must({"verify", {{"scan", "(01)09506000134352(21)NOBODY"}}, 1, kPartner, "shop-1"});
  }
  ASSERT_EQ(open_kinds(), (std::vector<std::string>{"alarm", "guessing"}));
  EXPECT_EQ(must({"get_work", nullptr, 2}).at("details").at("caller"), "shop-1");
  EXPECT_EQ(ask({.operation = "list_work", .role = kPartner, .name = "shop-1"}).status, 403);
  // Nor does whoever else is bound to a partner, nor where the recalled items of others are.
  must({"add_partner",
        {{"name", "Contract maker"},
         {"gln", "9506000140056"},
         {"kind", "maker"},
         {"certificates", {"maker-1"}}}});
  for (const auto* operation : {"list_work", "get_work", "recall_effectiveness", "recall_page"}) {
    EXPECT_EQ(ask({.operation = operation, .role = kOperator, .name = "maker-1"}).status, 403)
        << operation;
  }
  EXPECT_EQ(ask({.operation = "retry_work", .body = {{"reason", "x"}}, .role = kQuality}).status,
            501);
}

TEST_F(FieldTest, EachRoleDoesItsActs) {
  const auto items = made(2);
  for (const auto* what : {"ship", "receive", "dispense", "return", "restock"}) {
    EXPECT_EQ(
        act({{"act", what}, {"place", plant_}, {"to", shop_}, {"items", items}}, kLine).status, 403)
        << what;
  }
  for (const auto* what : {"encode", "commission"}) {
    EXPECT_EQ(act({{"act", what}, {"place", shop_}, {"items", items}}, kPartner, "shop-1").status,
              403)
        << what;
  }
  // Who takes an item out of use, or back into it, says why.
  for (const auto* what : {"decommission", "destroy", "report-stolen", "undo"}) {
    const auto silent = act({{"act", what}, {"place", plant_}, {"items", {items[0]}}}, kOperator);
    EXPECT_EQ(silent.status, 400) << what;
  }
  const auto with = [&](const std::string& reason) {
    return act({{"act", "decommission"},
                {"place", plant_},
                {"items", {items[0]}},
                {"reason", reason}},
               kOperator)
        .status;
  };
  EXPECT_EQ(with(std::string(kReasonBytesMax + 1, 'x')), 413);
  EXPECT_EQ(with(std::string(kReasonBytesMax, 'x')), 200);
  EXPECT_EQ(trail_.events.back().reason.size(), kReasonBytesMax);
}

TEST_F(FieldTest, ARecallIsSearchedForAndOpenedAsPreviewed) {
  const auto items = made(5);
  move_to_shop({items[0], items[1]});
  const Json search{{"product", product_}, {"received_by", partner_}};
  const auto found = must({"preview_recall", search, 1, kQuality});
  EXPECT_EQ(found.at("items"), 2);
  EXPECT_EQ(found.at("lots")[0].at("lot"), lot_);
  const auto open = [&](Json more) {
    Json body{{"level", "I"}, {"reason", "too warm"}, {"search", search}};
    body.update(more);
    return ask({.operation = "open_recall", .body = body, .role = kQuality});
  };
  EXPECT_EQ(open(Json::object()).status, 400);
  EXPECT_EQ(open({{"expected", 2}, {"lots", {lot_}}}).status, 400);
  EXPECT_EQ(open({{"expected", 3}}).status, 409);
  EXPECT_EQ(open({{"expected", 2}, {"search", {{"place", 1}}}}).status, 400);
  const auto opened = open({{"expected", 2}});
  ASSERT_EQ(opened.status, 200) << opened.text;
  const auto id = opened.json.at("id").get<std::int64_t>();
  EXPECT_EQ(must({"verify", {{"scan", items[0]}}}).at("verdict"), "recalled");
  EXPECT_EQ(must({"verify", {{"scan", items[4]}}}).at("verdict"), "genuine");

  // The partner sees it from when it was told, and answers for itself.
  const auto partner = [&](std::string_view operation, Json body = nullptr) {
    return ask({.operation = operation,
                .body = std::move(body),
                .id = id,
                .role = kPartner,
                .name = "shop-1"});
  };
  EXPECT_EQ(partner("get_recall").status, 404);
  EXPECT_TRUE(partner("list_recalls").json.at("items").empty());
  EXPECT_EQ(partner("answer_recall", {{"missing", 1}}).status, 404);
  must({"notify_recall", {{"partner", partner_}, {"how", "telephone"}}, id, kOperator});
  EXPECT_EQ(partner("get_recall").json.at("reason"), "too warm");
  EXPECT_EQ(partner("list_recalls").json.at("items").size(), 1U);
  EXPECT_EQ(partner("answer_recall", {{"missing", 1}, {"partner", 99}}).status, 403);
  EXPECT_EQ(partner("answer_recall", {{"missing", -1}}).status, 400);
  EXPECT_EQ(partner("answer_recall", {{"missing", 1}, {"answer", "looked twice"}}).status, 200);
  const auto effect = must({"recall_effectiveness", nullptr, id});
  EXPECT_EQ(effect.at("items"), 2);
  EXPECT_EQ(effect.at("in_stock"), 2);
  EXPECT_EQ(effect.at("outstanding"), 2);
  EXPECT_EQ(effect.at("notified"), 1);
  EXPECT_EQ(effect.at("to_notify"), 0);
  EXPECT_EQ(effect.at("reported_missing"), 1);
  const auto page = ask({.operation = "recall_page", .id = id, .language = "zh"});
  EXPECT_TRUE(page.type.starts_with("text/html"));
  EXPECT_NE(page.text.find("已收回"), std::string::npos);
  EXPECT_NE(page.text.find("telephone"), std::string::npos);
}

TEST_F(FieldTest, APageEscapesWhatPeopleWrote) {
  made(1);
  const auto recall = must({"open_recall",
                            {{"level", "I"}, {"reason", "<script>&\"'"}, {"lots", {lot_}}},
                            1,
                            kQuality})
                          .at("id")
                          .get<std::int64_t>();
  const auto page = ask({.operation = "recall_page", .id = recall});
  EXPECT_EQ(page.text.find("<script>"), std::string::npos);
  EXPECT_NE(page.text.find("&lt;script&gt;&amp;&quot;&#39;"), std::string::npos);
  EXPECT_TRUE(page.fields.at("Content-Security-Policy").starts_with("default-src 'none'"));
}

TEST_F(FieldTest, ALotsCertificateIsKeptSealed) {
  make_master();
  const auto put = [&](const std::string& file, const std::string& name = "CoA 2") {
    return ask({.operation = "put_certificate",
                .body = {{"name", name}, {"file", file}, {"reason", "new"}},
                .id = lot_})
        .status;
  };
  const auto get = [&] { return ask({.operation = "get_certificate", .id = lot_}); };
  EXPECT_EQ(get().status, 404);
  EXPECT_EQ(put("***"), 400);
  EXPECT_EQ(put(""), 400);
  EXPECT_EQ(put("Q29BIDE5", ""), 400);
  EXPECT_EQ(put("Q29BIDE5"), 200);
  EXPECT_EQ(get().text, "CoA 19");
  const auto lot = must({"get_lot", nullptr, lot_});
  EXPECT_EQ(lot.at("certificate"), "CoA 2");
  EXPECT_EQ(lot.at("certificate_sha256"),
            "853f5832eed1fc2befcfd9e9e01d0fb3e551e74f9948fdce50b95d1c663134f1");
  // By its digest alone the lot names another one: the file is that no longer.
  auto other = lot_body("LOT1A");
  other["reason"] = "by letter";
  must({"change_lot", other, lot_});
  EXPECT_EQ(get().status, 404);
}

TEST_F(FieldTest, ARevokedCertificateIsRefusedAtOnce) {
  make_master();
  EXPECT_EQ(ask({.operation = "list_products", .role = kOperator}).status, 200);
  keys_.revoke_certificate(person(kOperator).certificate.identity()->serial);
  for (const auto* operation : {"list_products", "describe", "verify", "allocate"}) {
    trail_.events.clear();
    const auto reply = ask({.operation = operation, .body = allocation_body(1), .role = kOperator});
    EXPECT_EQ(reply.json.at("code"), "BadCertificate") << operation;
    ASSERT_EQ(trail_.events.size(), 1U) << operation;
    EXPECT_EQ(trail_.events[0].outcome, "denied");
    EXPECT_EQ(trail_.events[0].actor, "trace-operator");
  }
  EXPECT_EQ(ask({.operation = "list_products", .role = kQuality}).status, 200);
}

}  // namespace
}  // namespace theriac::api
