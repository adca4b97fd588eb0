#include "api/config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace theriac::api {
namespace {

class ConfigTest : public ::testing::Test {
 protected:
  ~ConfigTest() override { std::filesystem::remove(path_); }
  std::string error_of(const std::string& text) {
    std::ofstream(path_) << text;
    Config config;
    const auto read = read_config_file(path_, config);
    return read ? "" : read.error().where.substr(read.error().where.rfind("line "));
  }
  std::string path_ = (std::filesystem::temp_directory_path() /
                       ("theriacd-config-" + std::to_string(::getpid()) + ".yaml"))
                          .string();
};

TEST_F(ConfigTest, TakesEverySettingOnce) {
  EXPECT_EQ(error_of("listen: 127.0.0.1:7760\nworkers: 64\ngrace: 0\n"), "");
  EXPECT_EQ(error_of("listen: nowhere\n"), "line 1: listen: HOST:PORT");
  EXPECT_EQ(error_of("workers: 64\nworkers: 3\n"), "line 2: twice workers");
  EXPECT_EQ(error_of("workers: 65\n"), "line 1: workers: 1 to 64");
  EXPECT_EQ(error_of("workers: 0\n"), "line 1: workers: 1 to 64");
  EXPECT_EQ(error_of("wrokers: 3\n"), "line 1: no setting is called wrokers");
  EXPECT_EQ(error_of("workers: [3]\n"), "line 1: name: value is wanted");
  EXPECT_EQ(error_of("a: b: c\n"), "line 1");
}

TEST_F(ConfigTest, SaysWhatIsMissing) {
  Config config;
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"listen", "127.0.0.1:0"},
                                                        {"tls-cert", "a"},
                                                        {"tls-key", "b"},
                                                        {"keyd", "127.0.0.1:7750"},
                                                        {"cert", "c"},
                                                        {"store", "sqlite:/d"},
                                                        {"audit", "e"}}) {
    const auto checked = check_config(config);
    ASSERT_FALSE(checked);
    EXPECT_TRUE(checked.error().where.starts_with(key)) << checked.error().where;
    const auto setting = std::ranges::find(settings(), key, &Setting::key);
    ASSERT_NE(setting, settings().end());
    ASSERT_TRUE(setting->set(config, value));
  }
  EXPECT_TRUE(check_config(config));
}

TEST_F(ConfigTest, SecretsAreNamedNotWritten) {
  std::ofstream(path_) << "host=db password=x\n";
  EXPECT_EQ(*resolve("file:" + path_), "host=db password=x");
  EXPECT_EQ(*resolve("sqlite:/x"), "sqlite:/x");
  EXPECT_FALSE(resolve("env:THERIAC_NO_SUCH_VARIABLE"));
}

}  // namespace
}  // namespace theriac::api
