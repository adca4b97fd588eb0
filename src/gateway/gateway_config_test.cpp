#include "gateway/gateway_config.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <set>

namespace theriac::gateway {
namespace {

class ConfigFile : public ::testing::Test {
 protected:
  ConfigFile() : path_(::testing::TempDir() + "gateway-" + std::to_string(::getpid()) + ".yaml") {}
  ~ConfigFile() override { ::unlink(path_.c_str()); }
  Status read(const std::string& text) {
    std::ofstream(path_) << text;
    return read_config_file(path_, config_);
  }
  std::string path_;
  GatewayConfig config_;
};

TEST_F(ConfigFile, EverySettingCanBeRead) {
  ASSERT_TRUE(
      read("listen: 0.0.0.0:6432\nupstream: /run/pg:5433\nmode: enforce\nthreads: 4\n"
           "tls-cert: a.crt\ntls-key: a.key\nrequire-tls: true\nupstream-tls: disable\n"
           "upstream-ca: ca.crt\npolicy: p.yaml\nkeyd: 127.0.0.1:7000\ncert: d\n"
           "catalogue: dbname=x\naudit: log\nmetrics: 127.0.0.1:9000\nsessions-max: 7\n"
           "idle-timeout: 60\nwrite-timeout: 9\nsign-in-timeout: 8\nstop-timeout: 0\n"));
  EXPECT_EQ(config_.listen.text(), "0.0.0.0:6432");
  EXPECT_EQ(config_.upstream.unix_path, "/run/pg/.s.PGSQL.5433");
  EXPECT_EQ(config_.mode, Mode::kEnforce);
  EXPECT_EQ(config_.threads, 4U);
  EXPECT_TRUE(config_.require_tls);
  EXPECT_EQ(config_.sessions_max, 7U);
  EXPECT_EQ(config_.idle_timeout, std::chrono::seconds(60));
  EXPECT_EQ(config_.stop_timeout, std::chrono::seconds(0));
  EXPECT_TRUE(check_config(config_));
  const auto json = config_json(config_);
  EXPECT_EQ(json.find("dbname"), std::string::npos) << "a conninfo may hold a password";
  for (const auto& setting : settings()) {
    if (setting.key == "tls-key" || setting.key == "keyd" || setting.key == "cert") continue;
    EXPECT_NE(json.find("\"" + std::string(setting.key) + "\""), std::string::npos) << setting.key;
  }
}

TEST_F(ConfigFile, MistakesNameTheLine) {
  const auto where = [this](const std::string& text) {
    config_ = {};
    const auto status = read(text);
    if (status) return std::string("accepted");
    EXPECT_EQ(status.error().code, Code::kPolicyInvalid);
    return status.error().where.substr(path_.size());
  };
  EXPECT_EQ(where("listen: a:1\nlisen: b:2\n"), " line 2: no setting is called lisen");
  EXPECT_EQ(where("threads: 1\nthreads: 2\n"), " line 2: twice threads");
  EXPECT_EQ(where("threads: 0\n"), " line 1: threads: 1 to 256");
  EXPECT_EQ(where("threads: 257\n"), " line 1: threads: 1 to 256");
  EXPECT_EQ(where("threads: 3x\n"), " line 1: threads: 1 to 256");
  EXPECT_EQ(where("mode: off\n"), " line 1: mode: passthrough or enforce");
  EXPECT_EQ(where("require-tls: maybe\n"), " line 1: require-tls: true or false");
  EXPECT_EQ(where("upstream-tls: on\n"),
            " line 1: upstream-tls: disable, require, verify-ca or verify-full");
  EXPECT_EQ(where("listen:\n  a: b\n"), " line 1: name: value is wanted");
  EXPECT_EQ(where("- a\n- b\n"), ": a map of settings is wanted");
  EXPECT_EQ(where("listen: [\n"), " line 2");
  EXPECT_EQ(where("upstream: nowhere\n"), " line 1: upstream: address: HOST:PORT is wanted");
}

TEST_F(ConfigFile, MissingFileIsAnError) {
  EXPECT_FALSE(read_config_file(path_ + ".none", config_));
}

GatewayConfig plain() {
  GatewayConfig config;
  config.listen = {"127.0.0.1", 1, {}};
  config.upstream = {"127.0.0.1", 2, {}};
  return config;
}

TEST(Config, WhatBelongsTogetherIsChecked) {
  const auto refused = [](auto change) {
    auto config = plain();
    change(config);
    return !check_config(config);
  };
  EXPECT_TRUE(check_config(plain()));
  EXPECT_TRUE(refused([](auto& c) { c.listen = {}; }));
  EXPECT_TRUE(refused([](auto& c) { c.upstream = {}; }));
  EXPECT_TRUE(refused([](auto& c) { c.tls_cert = "x"; }));
  EXPECT_TRUE(refused([](auto& c) { c.tls_key = "x"; }));
  EXPECT_TRUE(refused([](auto& c) { c.require_tls = true; }));
  EXPECT_TRUE(refused([](auto& c) { c.upstream_tls = UpstreamTls::kVerifyFull; }));
  EXPECT_TRUE(refused([](auto& c) { c.upstream_tls = UpstreamTls::kVerifyCa; }));
  EXPECT_FALSE(refused([](auto& c) { c.upstream_tls = UpstreamTls::kRequire; }));
  EXPECT_TRUE(refused([](auto& c) {
    c.upstream = *runtime::parse_endpoint("/run/pg");
    c.upstream_tls = UpstreamTls::kRequire;
  }));
  // Enforce needs everything it names.
  for (auto GatewayConfig::* member :
       {&GatewayConfig::policy, &GatewayConfig::keyd, &GatewayConfig::cert,
        &GatewayConfig::catalogue, &GatewayConfig::audit}) {
    EXPECT_TRUE(refused([&](auto& c) {
      c.mode = Mode::kEnforce;
      for (auto GatewayConfig::* each :
           {&GatewayConfig::policy, &GatewayConfig::keyd, &GatewayConfig::cert,
            &GatewayConfig::catalogue, &GatewayConfig::audit}) {
        if (each != member) c.*each = "set";
      }
    }));
  }
}

TEST(Config, KeysAreUnique) {
  std::set<std::string_view> keys;
  for (const auto& setting : settings()) EXPECT_TRUE(keys.insert(setting.key).second);
}

}  // namespace
}  // namespace theriac::gateway
