#include "cli/explain_command.hpp"

#include <fmt/format.h>
#include <unistd.h>
#include <set>

#include <iostream>
#include <iterator>
#include <memory>

#include "cli/connection.hpp"
#include "cli/progress.hpp"
#include "pgwire/messages.hpp"
#include "protect/catalogue_loader.hpp"
#include "rewrite/known_statements.hpp"
#include "store/pg.hpp"

namespace theriac::cli {
namespace {

using codec::Json;
using rewrite::Action;
using rewrite::Slot;

struct Flags {
  std::string sql, policy, database, role;
  std::vector<std::string> search_path{"public"};
  bool json = false, known = false;
};

std::string_view word_for(Action action) {
  switch (action) {
    case Action::kForward:
      return "forwarded";
    case Action::kRewrite:
      return "rewritten";
    case Action::kGather:
      return "rewritten in two steps";
    case Action::kPrepare:
      return "prepared through the protocol; explain its query by itself";
    case Action::kRefuse:
      return "refused";
  }
  return "";
}

std::string_view word_for(Slot::Fill fill) {
  switch (fill) {
    case Slot::Fill::kPass:
      return "the program's parameter, as it is";
    case Slot::Fill::kSeal:
      return "sealed value";
    case Slot::Fill::kIndex:
      return "blind index of the value";
    case Slot::Fill::kCompare:
      return "blind index to compare with";
    case Slot::Fill::kCompareList:
      return "blind indexes of a list to compare with";
    case Slot::Fill::kRowId:
      return "identity of the new row";
    case Slot::Fill::kShow:
    case Slot::Fill::kShowRow:
      return "sealed value that only comes out again";
  }
  return "";
}

std::string name_of(const rewrite::Catalogue& catalogue, std::uint32_t oid,
                    std::int16_t attribute) {
  const auto* relation = catalogue.find(oid);
  const auto* column = relation == nullptr ? nullptr : relation->find_attribute(attribute);
  if (column == nullptr) return "?";
  return relation->schema + "." + relation->name + "." + column->name;
}

/// nullptr: not a protected column of this catalogue.
const rewrite::Protection* protection_of(const rewrite::Catalogue& catalogue, std::uint32_t oid,
                                         std::int16_t attribute) {
  const auto* relation = catalogue.find(oid);
  const auto* column = relation == nullptr ? nullptr : relation->find_attribute(attribute);
  return column == nullptr || !column->protection ? nullptr : &*column->protection;
}

std::string shown(const policy::Policy& policy, const std::string& role,
                  const rewrite::Protection* of) {
  if (of == nullptr) return "denied";
  const auto decision = policy.decide(role, of->class_name, of->policy_name);
  if (std::holds_alternative<policy::Clear>(decision)) return "clear";
  if (std::holds_alternative<policy::Denied>(decision)) return "denied";
  return "masked";
}

Json outputs(const std::vector<rewrite::Output>& list, const rewrite::Catalogue& catalogue,
             const policy::Policy& policy, const std::string& role) {
  auto out = Json::array();
  for (const auto& output : list) {
    Json one{{"column", output.position + 1}};
    auto origins = Json::array();
    for (const auto& origin : output.origins) {
      const auto* of = protection_of(catalogue, origin.relation_oid, origin.attribute);
      Json from{{"opens", name_of(catalogue, origin.relation_oid, origin.attribute)},
                {"class", of == nullptr ? "?" : of->class_name}};
      if (!role.empty()) from["shown"] = shown(policy, role, of);
      origins.push_back(std::move(from));
    }
    one["origins"] = std::move(origins);
    out.push_back(std::move(one));
  }
  return out;
}

Json slots(const std::vector<Slot>& list, const rewrite::Catalogue& catalogue) {
  auto out = Json::array();
  for (std::size_t i = 0; i < list.size(); ++i) {
    Json one{{"parameter", "$" + std::to_string(i + 1)}, {"holds", word_for(list[i].fill)}};
    if (list[i].fill != Slot::Fill::kPass && list[i].fill != Slot::Fill::kRowId) {
      one["of"] = name_of(catalogue, list[i].relation_oid, list[i].attribute);
    }
    out.push_back(std::move(one));
  }
  return out;
}

/// What the role has no right to, as the gateway would judge it.
Json rights(const rewrite::Statement& statement, const rewrite::Catalogue& catalogue,
            const policy::Policy& policy, const std::string& role) {
  std::set<std::string> missing;
  using May = bool (policy::Policy::*)(std::string_view, std::string_view, std::string_view) const;
  const auto look = [&](const std::vector<rewrite::ColumnId>& columns, May may,
                        std::string_view what) {
    for (const auto& id : columns) {
      const auto* of = protection_of(catalogue, id.relation_oid, id.attribute);
      if (of == nullptr || !(policy.*may)(role, of->class_name, of->policy_name)) {
        missing.insert(fmt::format("may not {} class {}", what, of ? of->class_name : "?"));
      }
    }
  };
  look(statement.columns_written, &policy::Policy::may_write, "write");
  look(statement.columns_copied, &policy::Policy::may_write, "search or compare");
  look(statement.columns_compared, &policy::Policy::may_search, "search or compare");
  for (const auto& output : statement.outputs) {
    for (const auto& origin : output.origins) {
      const auto* of = protection_of(catalogue, origin.relation_oid, origin.attribute);
      if (shown(policy, role, of) == "denied") {
        missing.insert("may not read class " + (of == nullptr ? "?" : of->class_name));
      }
    }
  }
  return missing;
}

void print(const Json& report) {
  for (const auto& statement : report.at("statements")) {
    fmt::print("{}: {}\n", statement.at("tag").get<std::string>(),
               statement.at("action").get<std::string>());
    const auto line = [&](const char* key, const char* label) {
      if (statement.contains(key))
        fmt::print("  {} {}\n", label, statement.at(key).get<std::string>());
    };
    line("why", "why:      ");
    line("on", "on:       ");
    line("remedy", "remedy:   ");
    line("first", "first:    ");
    line("sent", "sent:     ");
    for (const auto& slot : statement.value("parameters", Json::array())) {
      fmt::print("  {:9}  {}{}\n", slot.at("parameter").get<std::string>(),
                 slot.at("holds").get<std::string>(),
                 slot.contains("of") ? " of " + slot.at("of").get<std::string>() : "");
    }
    for (const auto& output : statement.value("opened", Json::array())) {
      for (const auto& origin : output.at("origins")) {
        fmt::print("  column {}   opens {}, class {}{}\n", output.at("column").get<std::size_t>(),
                   origin.at("opens").get<std::string>(), origin.at("class").get<std::string>(),
                   origin.contains("shown") ? ": " + origin.at("shown").get<std::string>() : "");
      }
    }
    for (const auto& missing : statement.value("denied", Json::array())) {
      fmt::print("  denied:    the role {}\n", missing.get<std::string>());
    }
  }
}

Result<int> run(const Flags& flags) {
  std::string sql = flags.sql;
  if (sql == "-") sql.assign(std::istreambuf_iterator<char>(std::cin), {});
  if (flags.known) {
    fmt::print("{}\n", rewrite::KnownStatements::line_of(sql));
    return 0;
  }
  if (flags.policy.empty() || flags.database.empty()) {
    return fail(Code::kMalformed, "--policy and --database are needed");
  }
  THERIAC_ASSIGN(const auto policy, policy::load_policy(flags.policy));
  THERIAC_ASSIGN(auto database, store::PgConnection::open(flags.database));
  THERIAC_ASSIGN(const auto catalogue, protect::load_catalogue(database, policy, 1));
  THERIAC_ASSIGN(const auto plan,
                 rewrite::analyse(sql, *catalogue, rewrite::Context{flags.search_path}));
  const auto report = explain(plan, *catalogue, policy, flags.role);
  if (flags.json) {
    fmt::print("{}\n", report.dump());
  } else {
    print(report);
  }
  return report.at("taken").get<bool>() ? 0 : 1;
}

}  // namespace

Json explain(const rewrite::Plan& plan, const rewrite::Catalogue& catalogue,
             const policy::Policy& policy, const std::string& role) {
  auto statements = Json::array();
  bool taken = true;
  for (const auto& statement : plan.statements) {
    Json one{{"tag", statement.tag}, {"action", word_for(statement.action)}};
    if (statement.refusal) {
      one["why"] = statement.refusal->construct;
      one["sqlstate"] = statement.refusal->sqlstate;
      if (!statement.refusal->column.empty()) one["on"] = statement.refusal->column;
      one["remedy"] = statement.refusal->remedy;
      taken = false;
    }
    if (statement.gather) {
      one["first"] = statement.gather->sql;
      one["first_parameters"] = slots(statement.gather->slots, catalogue);
    }
    if (!statement.sql.empty()) one["sent"] = statement.sql;
    if (!statement.slots.empty()) one["parameters"] = slots(statement.slots, catalogue);
    if (!statement.outputs.empty())
      one["opened"] = outputs(statement.outputs, catalogue, policy, role);
    if (statement.follow) one["why"] = "the table gets its protected form after it";
    if (!role.empty()) {
      auto missing = rights(statement, catalogue, policy, role);
      taken = taken && missing.empty();
      if (!missing.empty()) one["denied"] = std::move(missing);
    }
    statements.push_back(std::move(one));
  }
  return {{"taken", taken}, {"statements", std::move(statements)}};
}

void add_explain_command(CLI::App& app, int& exit_code) {
  auto* command = app.add_subcommand("explain", "what the gateway does with a statement, and why");
  const auto flags = std::make_shared<Flags>();
  command->add_option("sql", flags->sql, "the statement, or - to read it")->required();
  command->add_option("--policy", flags->policy, "policy, YAML");
  command->add_option("--database", flags->database, "protected database (libpq connection string)")
      ->envname("THERIAC_DATABASE");
  command->add_option("--role", flags->role, "also what this database role may and sees");
  command->add_option("--search-path", flags->search_path, "schemas in order (default public)")
      ->delimiter(',');
  command->add_flag("--known", flags->known,
                    "print it as a line for the gateway's --known-statements, and end");
  command->add_flag("--json", flags->json, "print as JSON");
  command->callback([flags, &exit_code] {
    const auto done = run(*flags);
    exit_code = done ? *done : report_failure("theriac explain", done.error());
  });
}

}  // namespace theriac::cli
