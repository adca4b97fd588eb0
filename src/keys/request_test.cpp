#include "keys/request.hpp"

#include <gtest/gtest.h>

#include "keys/limits.hpp"
#include "pki/frame.hpp"

namespace theriac::keys {
namespace {

using codec::Json;

const std::string kHex(32, 'a');

Json lease() {
  return {{"v", 1},        {"op", "lease"},    {"boot", kHex},
          {"nonce", kHex}, {"tenant", "demo"}, {"classes", {"contact", "formula"}}};
}

Result<Request> parse(const Json& json) {
  return parse_request(view_of(codec::canonical_json(json)));
}
Code refused(const Json& json) {
  const auto parsed = parse(json);
  EXPECT_FALSE(parsed) << json.dump();
  return parsed ? Code::kInternal : parsed.error().code;
}
Json with(Json json, const char* name, const Json& value) {
  json[name] = value;
  return json;
}
Json without(Json json, const char* name) {
  json.erase(name);
  return json;
}

TEST(Request, EachOperationIsRead) {
  EXPECT_TRUE(std::holds_alternative<Hello>(*parse({{"v", 1}, {"op", "hello"}})));
  EXPECT_TRUE(std::holds_alternative<ListAsk>(*parse({{"v", 1}, {"op", "list"}})));
  EXPECT_TRUE(std::holds_alternative<StatusAsk>(*parse({{"v", 1}, {"op", "status"}})));
  const auto fresh = std::get<LeaseAsk>(*parse(lease()));
  EXPECT_EQ(fresh.classes, (std::vector<std::string>{"contact", "formula"}));
  EXPECT_FALSE(fresh.token);
  const auto renewal = std::get<LeaseAsk>(*parse(with(with(lease(), "op", "renew"), "token", "t")));
  EXPECT_EQ(renewal.token, "t");
  const auto suited = std::get<LeaseAsk>(*parse(with(lease(), "suites", {{"formula", 2}})));
  EXPECT_EQ(suited.suites.at("formula"), seal::Suite::kSm4Gcm);
  const auto revoke =
      std::get<RevokeAsk>(*parse({{"v", 1}, {"op", "revoke"}, {"class", "contact"}}));
  EXPECT_EQ(revoke.class_name, "contact");
  EXPECT_FALSE(revoke.restore);
  const auto restore =
      std::get<RevokeAsk>(*parse({{"v", 1}, {"op", "restore_tenant"}, {"reason", "found it"}}));
  EXPECT_TRUE(restore.restore);
  EXPECT_TRUE(restore.class_name.empty());
  EXPECT_EQ(restore.reason, "found it");
  EXPECT_TRUE(parse({{"v", 1}, {"op", "rotate"}, {"class", "a"}}));
  EXPECT_TRUE(parse({{"v", 1}, {"op", "create_class"}, {"class", "a"}, {"suite", 2}}));
  EXPECT_TRUE(parse({{"v", 1}, {"op", "clear_fence"}, {"name", "gateway-1"}}));
  EXPECT_TRUE(parse({{"v", 1}, {"op", "revoke_certificate"}, {"subject", "0a"}}));
  EXPECT_TRUE(parse({{"v", 1}, {"op", "release"}, {"token", "t"}}));
  EXPECT_TRUE(parse({{"v", 1}, {"op", "renew_certificate"}, {"csr", "x"}}));
}

TEST(Request, MissingUnknownAndWrongFieldsAreRefused) {
  for (const char* name : {"v", "op", "boot", "nonce", "tenant", "classes"}) {
    EXPECT_EQ(refused(without(lease(), name)), Code::kProtocol) << name;
    for (const Json& wrong : {Json(nullptr), Json(1.5), Json::object(), Json(true), Json(-1)}) {
      EXPECT_EQ(refused(with(lease(), name, wrong)), Code::kProtocol) << name << wrong.dump();
    }
  }
  EXPECT_EQ(refused(with(lease(), "more", 1)), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "token", "t")), Code::kProtocol) << "a fresh lease has no token";
  EXPECT_EQ(refused(with(lease(), "op", "renew")), Code::kProtocol) << "a renewal has one";
  EXPECT_EQ(refused(with(lease(), "op", "drop")), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "v", 2)), Code::kProtocol);
}

TEST(Request, LimitsAreTheLimits) {
  EXPECT_EQ(refused(with(lease(), "nonce", std::string(31, 'a'))), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "nonce", std::string(33, 'a'))), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "nonce", std::string(32, 'g'))), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "tenant", "a b")), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "classes", Json::array())), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "classes", {"a", "a"})), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "classes", {"a", 1})), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "classes", {"../a", "b"})), Code::kProtocol);
  auto many = Json::array();
  for (std::size_t i = 0; i < kClassesPerRequestMax; ++i) many.push_back("c" + std::to_string(i));
  EXPECT_TRUE(parse(with(lease(), "classes", many)));
  many.push_back("one-more");
  EXPECT_EQ(refused(with(lease(), "classes", many)), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "suites", {{"contact", 3}})), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "suites", {{"not-asked-for", 1}})), Code::kProtocol);
  EXPECT_EQ(refused(with(lease(), "suites", {"contact"})), Code::kProtocol);
  const Json revoke = {{"v", 1}, {"op", "revoke"}, {"class", "a"}};
  EXPECT_TRUE(parse(with(revoke, "reason", std::string(kReasonBytesMax, 'r'))));
  EXPECT_EQ(refused(with(revoke, "reason", std::string(kReasonBytesMax + 1, 'r'))),
            Code::kProtocol);
  EXPECT_EQ(refused(with(revoke, "reason", "two\nlines")), Code::kProtocol);
}

TEST(Request, TheErrorNamesTheFieldNotItsContents) {
  EXPECT_EQ(parse(with(lease(), "tenant", "very secret")).error().where, "tenant");
  EXPECT_EQ(parse(with(lease(), "very secret", 1)).error().where, "unknown field");
}

}  // namespace
}  // namespace theriac::keys
