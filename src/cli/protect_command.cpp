#include "cli/protect_command.hpp"

#include <fmt/format.h>
#include <pwd.h>
#include <unistd.h>
#include <csignal>
#include <iostream>
#include <memory>

#include "audit/signing_key.hpp"
#include "cli/connection.hpp"
#include "cli/policy_command.hpp"
#include "cli/progress.hpp"
#include "codec/json.hpp"
#include "crypto/random.hpp"
#include "protect/migrate.hpp"
#include "protect/registry.hpp"

namespace theriac::cli {
namespace {

struct Flags {
  Connection connection;
  std::string policy, database, audit;
  std::vector<std::string> tables;
  std::string gateway_role = "theriac_gateway";
  bool status = false, plan = false, empty = false, yes = false, json = false;
};

volatile std::sig_atomic_t interrupted = 0;

/// The first Ctrl-C ends the work after the step at hand; a second one at once. Both are safe.
void catch_interrupts() {
  struct sigaction action{};
  action.sa_handler = [](int) { interrupted = 1; };
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

std::string person() {
  const auto* account = getpwuid(getuid());
  return account != nullptr ? account->pw_name : "uid " + std::to_string(getuid());
}

/// Asked unless --yes; without a terminal nobody can answer.
Status confirmed(const Flags& flags, std::string_view question) {
  if (flags.yes) return {};
  if (isatty(STDIN_FILENO) != 1) return fail(Code::kUsage, "--yes, since nobody can be asked");
  fmt::print(stderr, "{} Type yes: ", question);
  std::string answer;
  if (!std::getline(std::cin, answer) || answer != "yes")
    return fail(Code::kUsage, "not confirmed");
  return {};
}

/// Everything that lives as long as the work: keys, log, bar.
class Work {
 public:
  explicit Work(const Flags& flags) : flags_(flags), bar_(clock_, "rows"), log_("theriac") {}

  Result<protect::Report> protect(store::PgConnection& database, const policy::Policy& policy) {
    std::vector<std::pair<std::string, std::uint32_t>> classes;
    std::map<std::string, seal::Suite> suites;
    for (const auto& [name, each] : policy.classes) {
      const bool used = std::any_of(policy.columns.begin(), policy.columns.end(),
                                    [&](const auto& column) { return column.class_name == name; });
      if (!used) continue;
      classes.emplace_back(name, each.grace_s);
      suites.emplace(name, each.suite);
    }
    THERIAC_TRY(start(std::move(classes), std::move(suites)));
    auto services = make_services(database);
    auto report = flags_.empty ? protect::prepare_empty(services, policy, flags_.gateway_role)
                               : protect::protect_tables(services, policy,
                                                         {flags_.tables, flags_.gateway_role});
    return ended(std::move(report));
  }

  Result<protect::Report> unprotect(store::PgConnection& database) {
    THERIAC_ASSIGN(const auto registered, protect::registered_columns(database));
    std::vector<std::pair<std::string, std::uint32_t>> classes;
    std::map<std::string, seal::Suite> suites;
    for (const auto& column : registered) {
      const auto suite = column.suite == 2 ? seal::Suite::kSm4Gcm : seal::Suite::kXaes256Gcm;
      if (suites.emplace(column.class_name, suite).second) {
        classes.emplace_back(column.class_name, 0);
      }
    }
    if (classes.empty()) {
      // Killed after the last table, before the registry went: no key is needed to end that.
      THERIAC_ASSIGN(const bool there, protect::registry_exists(database));
      if (there) THERIAC_TRY(protect::drop_registry(database));
      return protect::Report{};
    }
    THERIAC_TRY(start(std::move(classes), std::move(suites)));
    auto services = make_services(database);
    auto report = protect::unprotect_tables(services, flags_.tables);
    return ended(std::move(report));
  }

 private:
  Status start(std::vector<std::pair<std::string, std::uint32_t>> classes,
               std::map<std::string, seal::Suite> suites) {
    THERIAC_ASSIGN(auto options, lease_options(flags_.connection, std::move(classes)));
    options.suites = std::move(suites);
    THERIAC_TRY(open_audit());
    auto leased = lease::LeaseClient::start(std::move(options), clock_, random_, log_,
                                            [this](std::string_view event, const Error* error) {
                                              if (error != nullptr) log_.error(event, *error);
                                            });
    if (!leased) return fail(leased.error());
    keys_ = std::move(*leased);
    catch_interrupts();
    return {};
  }

  Status open_audit() {
    const auto& beside = flags_.connection.certificates;
    audit::Options options;
    options.directory = flags_.audit.empty() ? beside + "/audit" : flags_.audit;
    options.origin = "theriac/protector";
    options.producer = "protector";
    THERIAC_ASSIGN(auto key, audit::signing_key(beside + "/audit.key"));
    THERIAC_ASSIGN(audit_,
                   audit::open_log(std::move(options), std::move(key), clock_, random_, log_));
    return {};
  }

  protect::Services make_services(store::PgConnection& database) {
    return {database,
            *keys_,
            random_,
            *audit_,
            person(),
            [this](std::string_view stage, std::int64_t done, std::int64_t all) {
              bar_.show(stage, done, all);
            },
            [] { return interrupted != 0; }};
  }

  /// A failure is on the log too.
  Result<protect::Report> ended(Result<protect::Report> report) {
    bar_.finish();
    if (!report) {
      audit::Event event;
      event.action = "protect.failed";
      event.actor = person();
      event.object = "database";
      event.outcome = "failed";
      event.error = info_of(report.error().code).name;
      (void)audit_->append_durable(std::move(event));  // the first failure is the one to report
    }
    if (const auto flushed = audit_->flush(); !flushed && report) return fail(flushed.error());
    return report;
  }

  const Flags& flags_;
  SystemClock clock_;
  crypto::SystemRandom random_;
  ProgressBar bar_;
  FdLog log_;
  std::unique_ptr<audit::AuditLog> audit_;
  std::unique_ptr<lease::LeaseClient> keys_;
};

codec::Json json_of(const protect::Report& report, const Flags& flags) {
  auto tables = codec::Json::array();
  for (const auto& each : report.tables) {
    tables.push_back({{"table", each.table},
                      {"rows", each.rows},
                      {"values", each.values},
                      {"compared", each.compared},
                      {"notes", each.notes}});
  }
  codec::Json out{{"tables", std::move(tables)}, {"remains", report.remains}};
  if (report.gateway_password) {
    out["gateway_role"] = flags.gateway_role;
    out["gateway_password"] = *report.gateway_password;
  }
  return out;
}

void print_report(const protect::Report& report, const Flags& flags, std::string_view done) {
  if (flags.json) {
    fmt::print("{}\n", json_of(report, flags).dump());
    return;
  }
  for (const auto& each : report.tables) {
    fmt::print("{}: {} rows {}, {} values; {} rows read back and compared\n", each.table,
               with_commas(each.rows), done, with_commas(each.values), with_commas(each.compared));
    for (const auto& note : each.notes) fmt::print("  {}\n", note);
  }
  if (report.tables.empty()) fmt::print("nothing to do\n");
  if (report.gateway_password) {
    fmt::print("role {} made for the gateway's --catalogue; its password, shown this once: {}\n",
               flags.gateway_role, *report.gateway_password);
  }
  if (report.remains.empty()) return;
  fmt::print("plain values may still be in:\n");
  for (const auto& each : report.remains) fmt::print("  {}\n", each);
}

Result<int> show_status(const Flags& flags) {
  THERIAC_ASSIGN(auto database, store::PgConnection::open(flags.database));
  THERIAC_ASSIGN(const auto status, protect::protection_status(database));
  auto list = codec::Json::array();
  for (const auto& each : status) {
    list.push_back({{"table", each.table},
                    {"column", each.column},
                    {"class", each.class_name},
                    {"state", each.state},
                    {"searchable", each.searchable},
                    {"bound", each.bound},
                    {"intact", each.intact},
                    {"erase_pending", each.erase_pending},
                    {"plain_rights", each.readers}});
    if (flags.json) continue;
    std::string notes;
    if (!each.intact) notes += "; its CHECK constraint is gone";
    if (each.erase_pending) notes += "; old copies not erased yet: run theriac protect again";
    for (const auto& role : each.readers) notes += "; " + role + " has a right on the plain column";
    fmt::print("{}.{}: {}, class {}{}{}{}\n", each.table, each.column, each.state, each.class_name,
               each.searchable ? ", searchable" : "", each.bound ? ", bound to its row" : "",
               notes);
  }
  if (flags.json) {
    fmt::print("{}\n", codec::Json{{"columns", std::move(list)}}.dump());
  } else if (status.empty()) {
    fmt::print("no column is protected\n");
  }
  return 0;
}

void print_plan(const policy::Policy& policy, const std::vector<std::string>& tables) {
  for (const auto& column : policy.columns) {
    const auto table = column.schema + "." + column.table;
    if (!tables.empty() && std::find(tables.begin(), tables.end(), table) == tables.end()) continue;
    const auto& of_class = policy.classes.at(column.class_name);
    fmt::print("to be sealed: {}.{}, class {} ({}{}){}\n", table, column.column, column.class_name,
               of_class.suite == seal::Suite::kSm4Gcm ? "SM4-GCM" : "XAES-256-GCM",
               of_class.bind_rows ? ", bound to its row" : "",
               column.searchable ? ", searchable" : "");
  }
}

void print_uses(const protect::Inspection& inspection) {
  std::string column;
  for (const auto& each : inspection.uses) {
    if (each.column != column) fmt::print("{} is used by\n", each.column);
    column = each.column;
    fmt::print("  {:<11} {} {}{}{}\n", protect::verdict_name(each.verdict), each.kind, each.name,
               each.remedy.empty() ? "" : ": ", each.remedy);
  }
}

Result<int> run_protect(const Flags& flags) {
  if (flags.database.empty()) return fail(Code::kUsage, "--database");
  if (flags.status) return show_status(flags);
  if (flags.policy.empty()) return fail(Code::kUsage, "--policy");
  THERIAC_ASSIGN(const auto policy, policy::load_policy(flags.policy));
  THERIAC_ASSIGN(auto database, store::PgConnection::open(flags.database));
  if (flags.empty) {
    Work work(flags);
    THERIAC_ASSIGN(const auto report, work.protect(database, policy));
    print_report(report, flags, "sealed");
    return 0;
  }
  THERIAC_ASSIGN(const auto inspection, protect::inspect(database, policy, flags.tables));
  if (flags.plan && flags.json) {
    fmt::print("{}\n", inspection.to_json().dump());
  } else if (!flags.json) {
    print_plan(policy, flags.tables);
    if (flags.plan) print_uses(inspection);
    print_inspection(inspection);
  }
  if (inspection.refused()) {
    if (flags.plan) return 1;
    for (const auto& each : inspection.findings) {
      if (each.severity != protect::Severity::kRefused) continue;
      return fail(Code::kPolicyInvalid, each.object + ": " + each.what + "; " + each.remedy);
    }
  }
  if (flags.plan) return 0;
  THERIAC_TRY(confirmed(flags, "Programs cannot use these tables until this is done."));
  Work work(flags);
  THERIAC_ASSIGN(const auto report, work.protect(database, policy));
  print_report(report, flags, "sealed");
  return 0;
}

Result<int> run_unprotect(const Flags& flags) {
  if (flags.database.empty()) return fail(Code::kUsage, "--database");
  if (flags.status) return show_status(flags);
  THERIAC_ASSIGN(auto database, store::PgConnection::open(flags.database));
  THERIAC_TRY(confirmed(flags, "The values will stand in the database in clear again."));
  Work work(flags);
  THERIAC_ASSIGN(const auto report, work.unprotect(database));
  print_report(report, flags, "opened");
  return 0;
}

void add_options(CLI::App& command, Flags& flags) {
  command.add_option("--policy", flags.policy, "policy, YAML");
  command
      .add_option("--database", flags.database,
                  "libpq connection string or URI, signing in as a superuser")
      ->envname("THERIAC_DATABASE");
  add_connection_options(command, flags.connection);
  command.add_option("--table", flags.tables, "only this table, SCHEMA.TABLE (repeatable)");
  command.add_option("--audit", flags.audit,
                     "directory of this command's audit log (default: audit in --cert)");
  command.add_flag("--status", flags.status, "say which columns are protected, and end");
  command.add_flag("--yes", flags.yes, "do not ask");
  command.add_flag("--json", flags.json, "print as JSON");
}

}  // namespace

void add_protect_commands(CLI::App& app, int& exit_code) {
  auto* protect = app.add_subcommand("protect", "seal the columns a policy names");
  const auto flags = std::make_shared<Flags>();
  add_options(*protect, *flags);
  protect->add_flag("--plan", flags->plan, "the same as protect plan");
  auto* plan = protect->add_subcommand(
      "plan",
      "say what would be done, and what in the database uses each column; nothing is changed");
  add_options(*plan, *flags);
  // Before the callback of protect itself, which does the rest.
  plan->callback([flags] { flags->plan = true; });
  protect->add_flag("--empty", flags->empty,
                    "prepare a database whose tables do not exist yet, or renew its functions");
  protect
      ->add_option("--gateway-role", flags->gateway_role,
                   "database role of the gateway, made if it does not exist")
      ->capture_default_str();
  protect->callback([flags, &exit_code] {
    const auto done = run_protect(*flags);
    exit_code = done ? *done : report_failure("theriac protect", done.error());
  });

  auto* unprotect = app.add_subcommand("unprotect", "open what protect sealed");
  const auto reverse = std::make_shared<Flags>();
  add_options(*unprotect, *reverse);
  unprotect->callback([reverse, &exit_code] {
    const auto done = run_unprotect(*reverse);
    exit_code = done ? *done : report_failure("theriac unprotect", done.error());
  });
}

}  // namespace theriac::cli
