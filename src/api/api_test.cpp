#include "api/api.hpp"

#include <fstream>
#include <set>

#include "api/limits.hpp"
#include "api/test_support.hpp"
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
