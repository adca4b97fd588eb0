#include "cli/line_command.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <csignal>
#include <ctime>
#include <memory>

#include "cli/connection.hpp"
#include "crypto/random.hpp"
#include "line/limits.hpp"
#include "line/program.hpp"

namespace theriac::cli {
namespace {

using codec::Json;

struct LineFlags {
  std::string config;
  bool json = false;
};

/// SIGTERM and SIGINT are waited for instead of delivered; a write past a limit of the file's size
/// is an error and not an end.
sigset_t block_signals() {
  sigset_t set;
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGTERM);
  ::sigaddset(&set, SIGINT);
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  struct sigaction ignore{};
  ignore.sa_handler = SIG_IGN;  // NOLINT
  ::sigaction(SIGXFSZ, &ignore, nullptr);
  ::sigaction(SIGPIPE, &ignore, nullptr);
  return set;
}

Status serve(const LineFlags& flags) {
  THERIAC_ASSIGN(const auto config, line::read_config(flags.config));
  ::umask(077);
  const auto signals = block_signals();
  const SystemClock clock;
  crypto::SystemRandom random;
  FdLog log("theriac-line");
  return line::run(config, clock, random, log, [&signals] {
    const timespec tick{0, std::chrono::nanoseconds(line::kTick).count()};
    return ::sigtimedwait(&signals, nullptr, &tick) < 0;
  });
}

void print(const Json& status) {
  const auto text = [](const Json& json, const char* name) {
    return json.at(name).get<std::string>();
  };
  const auto contact = text(status, "contact");
  fmt::print("server   {}\n", contact.empty() ? "not reached yet" : "last heard of " + contact);
  if (const auto trouble = text(status, "trouble"); !trouble.empty()) {
    fmt::print("         {}\n", trouble);
  }
  const auto waiting = status.at("waiting").get<std::int64_t>();
  fmt::print("reports  {} wait{}\n", waiting,
             waiting == 0 ? "" : " since " + text(status, "waiting-since"));
  for (const auto& lot : status.at("lots")) {
    fmt::print("lot      {} of {}: {} numbers{}{}{}{}\n", text(lot, "lot"), text(lot, "gtin"),
               lot.at("left").get<std::int64_t>(),
               text(lot, "expires").empty() ? "" : ", good until " + text(lot, "expires"),
               lot.at("too-old").get<std::int64_t>() == 0
                   ? ""
                   : fmt::format(", {} too old", lot.at("too-old").get<std::int64_t>()),
               lot.at("open").get<bool>() ? "" : ", closed",
               text(lot, "refusal").empty() ? "" : ", none given: " + text(lot, "refusal"));
  }
}

Status show(const LineFlags& flags) {
  THERIAC_ASSIGN(const auto config, line::read_config(flags.config));
  const SystemClock clock;
  THERIAC_ASSIGN(const auto status, line::status(config, clock.wall_ms()));
  if (flags.json) {
    fmt::print("{}\n", status.dump(2));
  } else {
    print(status);
  }
  return {};
}

}  // namespace

void add_line_command(CLI::App& app, int& exit_code) {
  auto* line = app.add_subcommand("line", "the program beside a packaging line");
  line->require_subcommand(1);
  auto flags = std::make_shared<LineFlags>();
  const auto add = [&](const char* name, const char* help, Status (*command)(const LineFlags&)) {
    auto* sub = line->add_subcommand(name, help);
    sub->add_option("--config", flags->config, "YAML file with the line's settings")->required();
    sub->callback([flags, command, name, &exit_code] {
      const auto done = command(*flags);
      exit_code = done ? 0 : report_failure(std::string("line ") + name, done.error());
    });
    return sub;
  };
  add("run", "serve the line's folders until SIGTERM", serve);
  add("status", "what stock there is, how old it is, what waits", show)
      ->add_flag("--json", flags->json, "print as JSON");
}

}  // namespace theriac::cli
