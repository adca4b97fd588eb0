// theriac-keyd: the key service. docs/keys.md
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>
#include <CLI/CLI.hpp>

#include "codec/json.hpp"
#include "codec/time.hpp"
#include "crypto/random.hpp"
#include "keys/config.hpp"
#include "keys/custody.hpp"
#include "keys/server.hpp"
#include "keys/state_directory.hpp"

namespace {

using namespace theriac;  // NOLINT: wiring only

constexpr std::int64_t kLockWaitMs = 5'000;

struct Flags {
  std::string config_file;
  keys::Config config;
  bool check_config = false;
  bool json = false;
  bool init = false;
  keys::Enrolment enrolment;
  std::string role = "gateway";
  std::int64_t days = 0;
  std::string reason;
  std::string new_passphrase_file;
};

class Program {
 public:
  int initialise(const Flags& flags);
  int serve(const Flags& flags);
  int enrol(const Flags& flags);
  int accept_clock(const Flags& flags);
  int change_passphrase(const Flags& flags);

  static int refuse(const Error& error) {
    fmt::print(stderr, "theriac-keyd: {}: {}\n", info_of(error.code).name, error.message());
    return error.code == Code::kUsage || error.code == Code::kPolicyInvalid ? 2 : 1;
  }

 private:
  Status try_initialise(const Flags& flags);
  Status try_serve(const Flags& flags);
  Status try_enrol(const Flags& flags);
  Status try_accept_clock(const Flags& flags);
  Status try_change_passphrase(const Flags& flags);
  static int exit_code(const Status& done) { return done ? 0 : refuse(done.error()); }
  static void tell(const Flags& flags, const codec::Json& json, const std::string& text) {
    fmt::print("{}\n", flags.json ? codec::canonical_json(json) : text);
    std::fflush(stdout);
  }
  static std::string person() { return fmt::format("uid-{}", ::getuid()); }

  SystemClock clock_;
  crypto::SystemRandom random_;
  FdLog log_{"theriac-keyd"};
  keys::Environment environment_{clock_, random_, log_};
};

Status Program::try_initialise(const Flags& flags) {
  THERIAC_ASSIGN(const auto passphrase, keys::read_passphrase(flags.config.passphrase_file));
  return keys::initialise(flags.config.state, passphrase, flags.config.tenant, {}, environment_);
}

int Program::initialise(const Flags& flags) {
  const auto done = try_initialise(flags);
  if (done) {
    tell(flags, {{"event", "initialised"}, {"state", flags.config.state}},
         fmt::format("initialised {} for tenant {}; keep the passphrase: nothing opens without it",
                     flags.config.state, flags.config.tenant));
  }
  return exit_code(done);
}

Status Program::try_serve(const Flags& flags) {
  const auto& config = flags.config;
  THERIAC_ASSIGN(const auto address, keys::parse_address(config.listen));
  if (flags.init && !keys::is_initialised(config.state)) THERIAC_TRY(try_initialise(flags));
  THERIAC_ASSIGN(const auto passphrase, keys::read_passphrase(config.passphrase_file));
  THERIAC_ASSIGN(auto unlocked, keys::unlock(config.state, passphrase));
  THERIAC_ASSIGN(const auto lock, keys::DirectoryLock::take(config.state, kLockWaitMs));
  THERIAC_ASSIGN(const auto audit, keys::open_audit(config.state, unlocked, lock, environment_));
  keys::KeyService service({config.lease_seconds * 1000}, std::move(unlocked.database),
                           std::move(unlocked.root), std::move(unlocked.authority), *audit, clock_,
                           random_, log_);
  audit::Event event;
  event.action = "service.start";
  event.actor = person();
  event.object = "theriac-keyd";
  THERIAC_TRY(audit->append_durable(event));
  THERIAC_TRY(service.tick());  // what local commands did meanwhile
  THERIAC_ASSIGN(
      const auto server,
      keys::Server::listen({.host = address.host, .port = address.port, .handle_signals = true},
                           service, clock_, log_));
  const auto where = fmt::format("{}:{}", address.host, server->port());
  tell(flags, {{"event", "listening"}, {"address", where}}, "listening on " + where);
  server->run();
  THERIAC_TRY(service.tick());
  event.action = "service.stop";
  THERIAC_TRY(audit->append_durable(event));
  return audit->flush();
}

int Program::serve(const Flags& flags) { return exit_code(try_serve(flags)); }

Status Program::try_enrol(const Flags& flags) {
  auto enrolment = flags.enrolment;
  auto role = pki::parse_role(flags.role);
  if (!role) return fail(Code::kUsage, "role: no such role");
  enrolment.role = *role;
  enrolment.person = person();
  // Programs renew at half their life; people's certificates are made anew by hand.
  const bool program = pki::leases_keys(*role);
  const auto days = flags.days > 0 ? flags.days : program ? 1 : 30;
  enrolment.life_ms = days * pki::kDayMs;
  THERIAC_ASSIGN(const auto passphrase, keys::read_passphrase(flags.config.passphrase_file));
  THERIAC_ASSIGN(auto unlocked, keys::unlock(flags.config.state, passphrase));
  THERIAC_ASSIGN(const auto identity,
                 keys::enrol(flags.config.state, unlocked, enrolment, environment_));
  const auto until = codec::rfc3339_utc(identity.not_after_ms);
  tell(flags,
       {{"event", "enrolled"},
        {"name", identity.name},
        {"role", flags.role},
        {"tenant", identity.tenant},
        {"serial", identity.serial},
        {"not_after", until},
        {"out", enrolment.out_directory}},
       fmt::format("enrolled {} ({}) until {}: {}/cert.pem, key.pem, ca.pem", identity.name,
                   flags.role, until, enrolment.out_directory));
  return {};
}

int Program::enrol(const Flags& flags) { return exit_code(try_enrol(flags)); }

Status Program::try_accept_clock(const Flags& flags) {
  THERIAC_ASSIGN(const auto passphrase, keys::read_passphrase(flags.config.passphrase_file));
  THERIAC_ASSIGN(auto unlocked, keys::unlock(flags.config.state, passphrase));
  return keys::accept_clock(flags.config.state, unlocked, person(), flags.reason, environment_);
}

int Program::accept_clock(const Flags& flags) {
  const auto done = try_accept_clock(flags);
  const auto now = codec::rfc3339_utc(clock_.wall_ms());
  if (done) tell(flags, {{"event", "clock accepted"}, {"now", now}}, "clock accepted: " + now);
  return exit_code(done);
}

Status Program::try_change_passphrase(const Flags& flags) {
  THERIAC_ASSIGN(const auto old_one, keys::read_passphrase(flags.config.passphrase_file));
  THERIAC_ASSIGN(const auto new_one, keys::read_passphrase(flags.new_passphrase_file));
  return keys::change_passphrase(flags.config.state, old_one, new_one, {}, person(), flags.reason,
                                 environment_);
}

int Program::change_passphrase(const Flags& flags) {
  const auto done = try_change_passphrase(flags);
  if (done) {
    tell(flags, {{"event", "passphrase changed"}},
         "passphrase changed; copies of the old custody.json still open with the old one");
  }
  return exit_code(done);
}

/// Key bytes stay out of core dumps and of other programs' debuggers.
void harden() {
  ::umask(077);
  ::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
}

void add_common(CLI::App& command, Flags& flags) {
  command.add_option("--config", flags.config_file, "YAML file; flags win over it");
  command.add_option("--state", flags.config.state, "state directory");
  command
      .add_option("--passphrase-file", flags.config.passphrase_file,
                  "file whose first line is the passphrase")
      ->envname("THERIAC_PASSPHRASE_FILE");
  command.add_option("--tenant", flags.config.tenant, "tenant made at the first start");
  command.add_flag("--check-config", flags.check_config, "check the settings and stop");
  command.add_flag("--json", flags.json, "print JSON");
}

struct Commands {
  CLI::App* init;
  CLI::App* serve;
  CLI::App* enrol;
  CLI::App* accept_clock;
  CLI::App* passphrase;
};

Commands add_commands(CLI::App& app, Flags& flags) {
  Commands commands{
      app.add_subcommand("init", "make root key, tenant and authority"),
      app.add_subcommand("serve", "run the key service"),
      app.add_subcommand("enrol", "issue a certificate to a program or person"),
      app.add_subcommand("accept-clock", "accept the present time after a clock ran ahead"),
      app.add_subcommand("passphrase", "put the root key under a new passphrase")};
  for (auto* command : {commands.init, commands.serve, commands.enrol, commands.accept_clock,
                        commands.passphrase}) {
    add_common(*command, flags);
  }
  commands.serve->add_option("--listen", flags.config.listen, "HOST:PORT, an IP address");
  commands.serve->add_option("--lease-seconds", flags.config.lease_seconds, "2 to 300");
  commands.serve->add_flag("--init", flags.init, "initialise when the state directory is empty");
  commands.enrol->add_option("--name", flags.enrolment.name, "e.g. gateway-1")->required();
  commands.enrol->add_option(
      "--role", flags.role,
      "gateway, protector, server, admin, auditor, or one of theriacd's callers: "
      "trace-admin, trace-operator, trace-quality, trace-line, "
      "trace-partner, trace-viewer");
  commands.enrol->add_option("--out", flags.enrolment.out_directory, "directory for the PEM files")
      ->required();
  commands.enrol->add_option("--days", flags.days, "life; default 1 for programs, 30 for people");
  commands.accept_clock->add_option("--reason", flags.reason, "why")->required();
  commands.passphrase
      ->add_option("--new-passphrase-file", flags.new_passphrase_file, "first line is the new one")
      ->required();
  commands.passphrase->add_option("--reason", flags.reason, "why; stands in the audit log");
  return commands;
}

/// Flags win over the file: the file is read first, then the command line once more.
Status merge_config(CLI::App& app, int argc, char** argv, Flags& flags) {
  if (!flags.config_file.empty()) {
    THERIAC_TRY(keys::read_config(flags.config_file, flags.config));
    app.clear();
    app.parse(argc, argv);
  }
  return keys::check_config(flags.config);
}

int run(int argc, char** argv) {
  harden();
  Flags flags;
  CLI::App app{"Theriac's key service: root key, key versions, leases, certificates"};
  app.require_subcommand(1);
  const auto commands = add_commands(app, flags);
  try {
    app.parse(argc, argv);
    if (auto merged = merge_config(app, argc, argv, flags); !merged) {
      return Program::refuse(merged.error());
    }
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  }
  // --tenant of enrol names the certificate's tenant; unset, the only one is meant.
  if (commands.enrol->count("--tenant") > 0) flags.enrolment.tenant = flags.config.tenant;
  if (flags.check_config) {
    fmt::print("settings are valid\n");
    return 0;
  }
  Program program;
  if (commands.init->parsed()) return program.initialise(flags);
  if (commands.enrol->parsed()) return program.enrol(flags);
  if (commands.accept_clock->parsed()) return program.accept_clock(flags);
  if (commands.passphrase->parsed()) return program.change_passphrase(flags);
  return program.serve(flags);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    fmt::print(stderr, "theriac-keyd: fault at start: {}\n", error.what());
    return 1;
  }
}
