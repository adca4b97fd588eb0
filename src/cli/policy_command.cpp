#include "cli/policy_command.hpp"

#include <fmt/format.h>
#include <memory>

#include "cli/connection.hpp"
#include "cli/progress.hpp"
#include "codec/json.hpp"
#include "store/pg.hpp"

namespace theriac::cli {
namespace {

struct CheckFlags {
  std::string file;
  std::string database;
  bool json = false;
};

std::string_view word_for(protect::Severity severity) {
  switch (severity) {
    case protect::Severity::kRefused:
      return "REFUSED";
    case protect::Severity::kWarning:
      return "warning";
    default:
      return "note   ";
  }
}

codec::Json summary_of(const policy::Policy& policy) {
  return {{"valid", true},
          {"tenant", policy.tenant},
          {"hash", policy.hash},
          {"classes", policy.classes.size()},
          {"columns", policy.columns.size()},
          {"roles", policy.roles.size()}};
}

Result<int> check(const CheckFlags& flags) {
  THERIAC_ASSIGN(const auto policy, policy::load_policy(flags.file));
  auto summary = summary_of(policy);
  if (!flags.json) {
    fmt::print("{}: valid; {} classes, {} columns, {} roles; hash {}\n", flags.file,
               policy.classes.size(), policy.columns.size(), policy.roles.size(), policy.hash);
  }
  if (flags.database.empty()) {
    if (flags.json) fmt::print("{}\n", summary.dump());
    return 0;
  }
  THERIAC_ASSIGN(auto database, store::PgConnection::open(flags.database));
  THERIAC_ASSIGN(const auto inspection, protect::inspect(database, policy));
  if (flags.json) {
    summary["database"] = inspection.to_json();
    fmt::print("{}\n", summary.dump());
  } else {
    print_inspection(inspection);
    fmt::print("{}\n", inspection.refused() ? "this policy cannot be applied to this database yet"
                                            : "this policy can be applied to this database");
  }
  return inspection.refused() ? 1 : 0;
}

}  // namespace

void print_inspection(const protect::Inspection& inspection) {
  for (const auto& each : inspection.findings) {
    fmt::print("{}  {}: {}{}{}\n", word_for(each.severity), each.object, each.what,
               each.remedy.empty() ? "" : "; ", each.remedy);
  }
  if (inspection.leakages.empty()) return;
  fmt::print("what equal blind indexes show:\n");
  for (const auto& each : inspection.leakages) {
    fmt::print("  {}: {} values, {} different, {:.1f} bits, commonest {:.2f} %{}\n", each.object,
               with_commas(each.rows), with_commas(each.distinct), each.entropy_bits,
               each.top_share * 100,
               !each.low       ? ""
               : each.accepted ? "; low, accepted by the policy"
                               : "; LOW: can be guessed by frequency");
  }
}

void add_policy_command(CLI::App& app, int& exit_code) {
  auto* policy = app.add_subcommand("policy", "what is sensitive and who gets it");
  policy->require_subcommand(1);
  auto* command = policy->add_subcommand("check", "validate a policy, alone or on a database");
  const auto flags = std::make_shared<CheckFlags>();
  command->add_option("file", flags->file, "policy, YAML")->required();
  command
      ->add_option("--database", flags->database,
                   "also look whether it can be applied to this database (libpq connection string)")
      ->envname("THERIAC_DATABASE");
  command->add_flag("--json", flags->json, "print as JSON");
  command->callback([flags, &exit_code] {
    const auto done = check(*flags);
    exit_code = done ? *done : report_failure("theriac policy check", done.error());
  });
}

}  // namespace theriac::cli
