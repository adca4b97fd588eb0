// theriac-gateway: the PostgreSQL gateway. Wiring only; see docs/gateway.md.
#include <sys/prctl.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <map>

#include "codec/json.hpp"
#include "crypto/random.hpp"
#include "gateway/driver.hpp"

namespace {

using namespace theriac;  // NOLINT: the program is wiring

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

struct CommandLine {
  std::map<std::string, std::string> values;
  std::map<std::string, bool> switches;
  std::string config_file;
  bool check = false;
  bool json = false;
};

/// A process that holds keys leaves no image of its memory.
Status harden() {
  const rlimit none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0 || ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0) {
    return fail(Code::kInternal, "core dumps cannot be switched off");
  }
  return {};
}

void add_options(CLI::App& app, CommandLine& line) {
  app.add_option("--config", line.config_file, "YAML file with the settings below");
  app.add_flag("--check-config", line.check, "check the settings and end");
  app.add_flag("--json", line.json, "print as JSON");
  for (const auto& setting : gateway::settings()) {
    const std::string name = "--" + std::string(setting.key);
    const std::string help(setting.help);
    if (setting.is_switch) {
      app.add_flag(name, line.switches[std::string(setting.key)], help);
    } else {
      app.add_option(name, line.values[std::string(setting.key)], help);
    }
  }
}

Result<gateway::GatewayConfig> read_settings(const CLI::App& app, const CommandLine& line) {
  gateway::GatewayConfig config;
  if (!line.config_file.empty()) {
    THERIAC_TRY(gateway::read_config_file(line.config_file, config));
  }
  for (const auto& setting : gateway::settings()) {
    const std::string key(setting.key);
    if (app.count("--" + key) == 0) continue;
    if (setting.is_switch) {
      THERIAC_TRY(setting.set(config, line.switches.at(key) ? "true" : "false"));
    } else {
      THERIAC_TRY(setting.set(config, line.values.at(key)));
    }
  }
  THERIAC_TRY(gateway::check_config(config));
  return config;
}

int complain(const Error& error, int code) {
  std::fprintf(stderr, "theriac-gateway: %s\n", error.message().c_str());
  return code;
}

void announce(const gateway::Gateway& gateway, const gateway::GatewayConfig& config, bool json) {
  auto at = config.listen;
  at.port = gateway.port();
  if (json) {
    const codec::Json ready{{"listening", at.text()}, {"metrics-port", gateway.metrics_port()}};
    std::printf("%s\n", ready.dump().c_str());
  } else {
    std::printf("listening on %s\n", at.text().c_str());
    if (gateway.metrics_port() != 0) {
      std::printf("metrics on port %u\n", static_cast<unsigned>(gateway.metrics_port()));
    }
  }
  std::fflush(stdout);
}

int serve(const gateway::GatewayConfig& config, bool json) {
  if (const auto hardened = harden(); !hardened) return complain(hardened.error(), kExitFailed);
  if (const auto blocked = runtime::ProcessSignals::block({SIGTERM, SIGINT}); !blocked) {
    return complain(blocked.error(), kExitFailed);
  }
  SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("theriac-gateway");
  auto sessions = gateway::make_session_factory(config, clock, random, log);
  if (!sessions) return complain(sessions.error(), kExitFailed);
  auto made = gateway::Gateway::make(config, std::move(*sessions),
                                     {.clock = &clock, .random = &random, .log = &log});
  if (!made) return complain(made.error(), kExitFailed);
  announce(**made, config, json);
  (*made)->run();
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Theriac PostgreSQL gateway", "theriac-gateway");
  CommandLine line;
  add_options(app, line);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& problem) {
    return app.exit(problem) == 0 ? 0 : kExitUsage;
  }
  const auto config = read_settings(app, line);
  if (!config) return complain(config.error(), kExitUsage);
  if (!line.check) return serve(*config, line.json);
  if (line.json) {
    std::printf("%s\n", gateway::config_json(*config).c_str());
  } else {
    std::printf("the configuration is in order\n");
  }
  return 0;
}
