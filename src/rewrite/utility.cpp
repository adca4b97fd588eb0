#include "rewrite/utility.hpp"

#include <algorithm>
#include <array>

#include "pgwire/encoding.hpp"
#include "rewrite/create_as.hpp"
#include "rewrite/utility_names.hpp"

namespace theriac::rewrite {
namespace {

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Refusal refusal(const Relation* relation, const Column* column, std::string_view construct,
                std::string_view remedy) {
  return utility_refusal(relation, column, construct, remedy);
}

std::optional<Refusal> refuse_ours(const pg::Node& statement) {
  bool ours = false;
  const auto look = [&](std::string_view name) {
    ours = ours || name == "theriac" || name.starts_with("theriac_");
  };
  each_of<pg::String>(statement, [&](const pg::String& one) { look(one.sval()); });
  each_of<pg::RangeVar>(statement, [&](const pg::RangeVar& one) {
    look(one.schemaname());
    look(one.relname());
  });
  each_of<pg::AlterTableCmd>(statement, [&](const pg::AlterTableCmd& one) { look(one.name()); });
  each_of<pg::ColumnDef>(statement, [&](const pg::ColumnDef& one) { look(one.colname()); });
  each_of<pg::RenameStmt>(statement, [&](const pg::RenameStmt& one) {
    look(one.subname());
    look(one.newname());
  });
  if (!ours) return std::nullopt;
  return Refusal{"42501", "theriac", "a change to objects of Theriac", "use the theriac program"};
}

/// An encoding that this program reads as the server does. Of a name that it does not know the
/// server complains itself.
bool is_converted(const std::string& name) {
  return pgwire::encoding_kind(name) == pgwire::EncodingKind::kUnknown ||
         pgwire::Encoding::find(name).has_value();
}

std::optional<Refusal> refuse_setting(const pg::VariableSetStmt& statement) {
  const auto name = lowered(statement.name());
  if (name != "client_encoding" || statement.kind() != pg::VAR_SET_VALUE) return std::nullopt;
  if (statement.args_size() == 1 && statement.args(0).has_a_const() &&
      statement.args(0).a_const().has_sval() &&
      is_converted(statement.args(0).a_const().sval().sval())) {
    return std::nullopt;
  }
  return refusal(nullptr, nullptr,
                 "SET client_encoding to an encoding that is not converted exactly",
                 "use UTF8 and convert in the program");
}

/// SQL or code given as text: what it does to protected tables cannot be seen.
std::optional<Refusal> refuse_body(const Nodes& parts, std::string_view construct,
                                   const Catalogue& catalogue) {
  bool found = false;
  for (const auto& part : parts) {
    each_of<pg::String>(
        part, [&](const pg::String& one) { found = found || catalogue.may_concern(one.sval()); });
  }
  if (!found) return std::nullopt;
  return refusal(nullptr, nullptr, construct,
                 "send the statements themselves; code on the server sees sealed values only");
}

std::string_view default_construct(const pg::Node& statement) {
  switch (statement.node_case()) {
    case pg::Node::kCopyStmt:
      return "COPY";
    case pg::Node::kPrepareStmt:
      return "PREPARE";
    case pg::Node::kExecuteStmt:
      return "EXECUTE";
    case pg::Node::kCreateTableAsStmt:
      return "CREATE TABLE AS or CREATE MATERIALIZED VIEW";
    case pg::Node::kRuleStmt:
      return "CREATE RULE";
    case pg::Node::kCreateTrigStmt:
      return "CREATE TRIGGER";
    case pg::Node::kCreatePolicyStmt:
    case pg::Node::kAlterPolicyStmt:
      return "row-level security";
    case pg::Node::kRefreshMatViewStmt:
      return "REFRESH MATERIALIZED VIEW";
    case pg::Node::kExplainStmt:
      return "EXPLAIN of this statement";
    case pg::Node::kCallStmt:
      return "CALL";
    case pg::Node::kCreateFunctionStmt:
      return "CREATE FUNCTION";
    default:
      return "this statement on a protected table";
  }
}

std::string_view default_remedy(const pg::Node& statement) {
  switch (statement.node_case()) {
    case pg::Node::kPrepareStmt:
    case pg::Node::kExecuteStmt:
      return "prepare the statement through the protocol (Parse)";
    case pg::Node::kExplainStmt:
      return "explain a SELECT, INSERT, UPDATE, DELETE or MERGE";
    case pg::Node::kCreateTableAsStmt:
      return "make a table, of columns that are not protected and without conditions on protected "
             "ones";
    default:
      return kUnprotect;
  }
}

}  // namespace

bool is_pinned_setting(std::string_view name) {
  return name == "standard_conforming_strings" || name == "client_encoding";
}

bool names_protected(const Message& tree, const Catalogue& catalogue, const Context& context) {
  return first_concerned(tree, catalogue, context) != nullptr;
}

std::optional<Refusal> refuse_utility(const pg::Node& statement, const Catalogue& catalogue,
                                      const Context& context) {
  switch (statement.node_case()) {
    case pg::Node::kVariableSetStmt:
      return refuse_setting(statement.variable_set_stmt());
    case pg::Node::kAlterRoleSetStmt:
      return refuse_setting(statement.alter_role_set_stmt().setstmt());
    case pg::Node::kAlterDatabaseSetStmt:
      return refuse_setting(statement.alter_database_set_stmt().setstmt());
    case pg::Node::kAlterSystemStmt:
      return refuse_setting(statement.alter_system_stmt().setstmt());
    default:
      break;
  }
  if (!catalogue.has_protected() && catalogue.awaited().empty()) return std::nullopt;
  if (auto ours = refuse_ours(statement)) return ours;
  switch (statement.node_case()) {
    case pg::Node::kTruncateStmt:
    case pg::Node::kLockStmt:
    case pg::Node::kVacuumStmt:
    case pg::Node::kClusterStmt:
    case pg::Node::kReindexStmt:
    case pg::Node::kCommentStmt:
    case pg::Node::kDropStmt:
      return std::nullopt;
    case pg::Node::kDoStmt:
      return refuse_body(statement.do_stmt().args(), "DO", catalogue);
    case pg::Node::kCreateFunctionStmt:
      if (auto found = refuse_body(statement.create_function_stmt().options(), "CREATE FUNCTION",
                                   catalogue)) {
        return found;
      }
      break;
    // Judged by ddl.cpp.
    case pg::Node::kCreateStmt:
    case pg::Node::kAlterTableStmt:
    case pg::Node::kGrantStmt:
    case pg::Node::kRenameStmt:
    case pg::Node::kIndexStmt:
    case pg::Node::kAlterObjectSchemaStmt:
    case pg::Node::kCreateStatsStmt:
    case pg::Node::kCreateSchemaStmt:
    case pg::Node::kViewStmt:
      return std::nullopt;
    case pg::Node::kCreateTableAsStmt:
      if (copies_plain_columns(statement.create_table_as_stmt(), catalogue, context)) {
        return std::nullopt;
      }
      break;
    default:
      break;
  }
  const auto* relation = first_concerned(statement, catalogue, context);
  if (relation == nullptr) return std::nullopt;
  return refusal(relation, nullptr, default_construct(statement), default_remedy(statement));
}

std::optional<Refusal> refuse_calls(const pg::Node& statement, const Catalogue& catalogue) {
  std::optional<Refusal> found;
  constexpr std::array<std::string_view, 12> kTakeSql{"query_to_xml",
                                                      "query_to_xmlschema",
                                                      "query_to_xml_and_xmlschema",
                                                      "cursor_to_xml",
                                                      "table_to_xml",
                                                      "table_to_xmlschema",
                                                      "dblink",
                                                      "dblink_exec",
                                                      "dblink_open",
                                                      "dblink_send_query",
                                                      "crosstab",
                                                      "ts_stat"};
  each_of<pg::FuncCall>(statement, [&](const pg::FuncCall& call) {
    const auto name = last_name(call.funcname());
    if (found) return;
    if (name == "set_config" && call.args_size() >= 2) {
      const auto& setting = call.args(0).a_const().sval().sval();
      const auto which = lowered(setting);
      if (which == "client_encoding" &&
          (!call.args(1).has_a_const() || !is_converted(call.args(1).a_const().sval().sval()))) {
        found =
            refusal(nullptr, nullptr,
                    "set_config of client_encoding to an encoding that is not converted exactly",
                    "write the encoding as a literal");
      }
    }
    if (std::find(kTakeSql.begin(), kTakeSql.end(), name) == kTakeSql.end()) return;
    each_of<pg::String>(call, [&](const pg::String& one) {
      if (!found && catalogue.may_concern(one.sval())) {
        found = refusal(nullptr, nullptr, "a function that takes SQL as text",
                        "send the statement itself");
      }
    });
  });
  return found;
}

}  // namespace theriac::rewrite
