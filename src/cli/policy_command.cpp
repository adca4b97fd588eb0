#include "cli/policy_command.hpp"

#include <fmt/format.h>
#include <memory>

#include "cli/connection.hpp"
#include "cli/policy_explain.hpp"
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

struct ExplainFlags {
  std::string file, role, column, sample;
  bool json = false;
};

std::string sentence_of(const codec::Json& row, const std::string& file) {
  const auto line = row["line"].get<std::size_t>();
  const auto why =
      line == 0 ? std::string("no rule for this role and class") : fmt::format("{}:{}", file, line);
  const auto sees = row["sees"].get<std::string>();
  std::string out = fmt::format("{}  class {}: {}", row["column"].get<std::string>(),
                                row["class"].get<std::string>(), sees);
  if (sees != "clear" && sees != "denied") {
    out += fmt::format(", {} is shown as {}", row["sample"].get<std::string>(),
                       row["shown"].is_null() ? "NULL" : row["shown"].get<std::string>());
  }
  if (row.contains("recipient")) out += " (with a key made for this example)";
  out += fmt::format("; {}, {}; {}", row["write"].get<bool>() ? "may write" : "may not write",
                     row["search"].get<bool>() ? "may search" : "may not search", why);
  return out;
}

Result<int> explain_role(const ExplainFlags& flags) {
  THERIAC_ASSIGN(const auto policy, policy::load_policy(flags.file));
  ExplainRequest request;
  request.role = flags.role;
  if (!flags.column.empty()) request.column = flags.column;
  if (!flags.sample.empty()) request.sample = flags.sample;
  THERIAC_ASSIGN(const auto rows, explain(policy, request));
  if (flags.json) {
    fmt::print("{}\n", codec::Json{{"role", flags.role}, {"columns", rows}}.dump());
    return 0;
  }
  for (const auto& row : rows) fmt::print("{}\n", sentence_of(row, flags.file));
  return 0;
}

void add_explain(CLI::App& policy, int& exit_code) {
  auto* command = policy.add_subcommand("explain", "what a role sees of each column, and why");
  const auto flags = std::make_shared<ExplainFlags>();
  command->add_option("--policy", flags->file, "policy, YAML")->required();
  command->add_option("--role", flags->role, "role of the database")->required();
  command->add_option("--column", flags->column, "one column, schema.table.column");
  command->add_option("--sample", flags->sample, "a value to show as the role would see it");
  command->add_flag("--json", flags->json, "print as JSON");
  command->callback([flags, &exit_code] {
    const auto done = explain_role(*flags);
    exit_code = done ? *done : report_failure("theriac policy explain", done.error());
  });
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
  add_explain(*policy, exit_code);
}

}  // namespace theriac::cli
