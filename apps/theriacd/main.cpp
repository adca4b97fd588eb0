// theriacd: the server for serialization and track & trace. Wiring only; see docs/theriacd.md.
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <map>

#include "api/server.hpp"
#include "crypto/random.hpp"

namespace {

using namespace theriac;  // NOLINT: the program is wiring

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;

struct CommandLine {
  std::map<std::string, std::string> values;
  std::string config_file;
  bool check = false;
  bool json = false;
};

/// A process that holds keys leaves no image of its memory, and files that are its own.
Status harden() {
  ::umask(077);
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
  for (const auto& setting : api::settings()) {
    app.add_option("--" + std::string(setting.key), line.values[std::string(setting.key)],
                   std::string(setting.help));
  }
}

Result<api::Config> read_settings(const CLI::App& app, const CommandLine& line) {
  api::Config config;
  if (!line.config_file.empty()) THERIAC_TRY(api::read_config_file(line.config_file, config));
  for (const auto& setting : api::settings()) {
    const std::string key(setting.key);
    if (app.count("--" + key) == 0) continue;
    THERIAC_TRY(setting.set(config, line.values.at(key)));
  }
  THERIAC_TRY(api::check_config(config));
  return config;
}

int complain(const Error& error, int code) {
  std::fprintf(stderr, "theriacd: %s\n", error.message().c_str());
  return code;
}

void announce(const api::Server& server, const api::Config& config, bool json) {
  auto at = config.listen;
  at.port = server.port();
  if (json) {
    const codec::Json ready{{"listening", at.text()}, {"metrics-port", server.metrics_port()}};
    std::printf("%s\n", ready.dump().c_str());
  } else {
    std::printf("listening on %s\n", at.text().c_str());
    if (server.metrics_port() != 0) {
      std::printf("metrics on port %u\n", static_cast<unsigned>(server.metrics_port()));
    }
  }
  std::fflush(stdout);
}

int serve(const api::Config& config, bool json) {
  if (const auto hardened = harden(); !hardened) return complain(hardened.error(), kExitFailed);
  // Before the first thread: a signal goes to any that does not block it.
  if (const auto blocked = runtime::ProcessSignals::block({SIGTERM, SIGINT, SIGHUP}); !blocked) {
    return complain(blocked.error(), kExitFailed);
  }
  SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("theriacd");
  auto server = api::Server::make(config, clock, random, log);
  if (!server) return complain(server.error(), kExitFailed);
  announce(**server, config, json);
  const auto done = (*server)->run();
  return done ? 0 : complain(done.error(), kExitFailed);
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app("Theriac's server for serialization and track & trace", "theriacd");
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
  std::printf(line.json ? "{\"valid\":true}\n" : "the configuration is in order\n");
  return 0;
}
