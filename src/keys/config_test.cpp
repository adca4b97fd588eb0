#include "keys/config.hpp"

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "keys/test_support.hpp"

namespace theriac::keys {
namespace {

class ConfigTest : public testing::Test {
 protected:
  Result<Config> read(std::string_view text) {
    EXPECT_TRUE(replace_file(path_, view_of(text)));
    Config config;
    THERIAC_TRY(read_config(path_, config));
    return config;
  }
  Folder folder_;
  std::string path_ = folder_.file("keyd.yaml");
};

TEST_F(ConfigTest, EveryKeyIsRead) {
  const auto config = read(
      "state: /var/lib/theriac\nlisten: '[::1]:7751'\npassphrase_file: /run/p\n"
      "lease_seconds: 5\ntenant: plant-7\n");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->state, "/var/lib/theriac");
  EXPECT_EQ(config->listen, "[::1]:7751");
  EXPECT_EQ(config->passphrase_file, "/run/p");
  EXPECT_EQ(config->lease_seconds, 5);
  EXPECT_EQ(config->tenant, "plant-7");
  EXPECT_TRUE(check_config(*config));
}

TEST_F(ConfigTest, WhatIsWrongIsNamedWithItsLine) {
  const auto where = [&](std::string_view text) {
    const auto config = read(text);
    EXPECT_FALSE(config) << text;
    return config ? std::string() : config.error().where.substr(path_.size());
  };
  EXPECT_EQ(where("state: a\nstat: b\n"), ":2: unknown key");
  EXPECT_EQ(where("state: a\n\nstate: b\n"), ":3: doubled key");
  EXPECT_EQ(where("lease_seconds: soon\n"), ":1: lease_seconds");
  EXPECT_EQ(where("lease_seconds: 5s\n"), ":1: lease_seconds");
  EXPECT_EQ(where("state: [a]\n"), ":1: not a plain value");
  EXPECT_EQ(where("- a\n"), ":1: not a mapping");
  EXPECT_EQ(where("state: {a\n").substr(2), ": not YAML");
  EXPECT_EQ(where("a: &x [*x]\n").substr(0, 2), ":1");
}

TEST_F(ConfigTest, LimitsAreTheLimits) {
  Config config;
  config.state = "s";
  config.passphrase_file = "p";
  for (const auto& [seconds, good] :
       {std::pair{1, false}, std::pair{2, true}, std::pair{300, true}, std::pair{301, false}}) {
    config.lease_seconds = seconds;
    EXPECT_EQ(check_config(config).has_value(), good) << seconds;
  }
  config.lease_seconds = 60;
  for (const auto& [address, good] :
       {std::pair{"127.0.0.1:7750", true}, std::pair{"[::]:0", true}, std::pair{"0.0.0.0:1", true},
        std::pair{"localhost:1", false}, std::pair{"127.0.0.1", false},
        std::pair{"127.0.0.1:65536", false}, std::pair{"127.0.0.1:", false}, std::pair{":1", false},
        std::pair{"127.0.0.1:1x", false}}) {
    config.listen = address;
    EXPECT_EQ(check_config(config).has_value(), good) << address;
  }
  config.listen = "127.0.0.1:1";
  config.tenant = "no good";
  EXPECT_FALSE(check_config(config));
}

}  // namespace
}  // namespace theriac::keys
