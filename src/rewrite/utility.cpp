#include "rewrite/utility.hpp"

#include <algorithm>
#include <array>

namespace theriac::rewrite {
namespace {

constexpr std::string_view kUnprotect = "unprotect the table, change it, protect it again";

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Refusal refusal(const Relation* relation, const Column* column, std::string_view construct,
                std::string_view remedy) {
  std::string name;
  if (relation != nullptr) name = relation->schema + "." + relation->name;
  if (column != nullptr) name += "." + column->name;
  return {"0A000", std::move(name), std::string(construct), std::string(remedy)};
}

/// What a name in this statement may mean: a protected relation, or a view on one.
const Relation* concerned(const pg::RangeVar& range, const Catalogue& catalogue,
                          const Context& context) {
  const auto* relation = catalogue.find(range.schemaname(), range.relname(), context.search_path);
  if (relation != nullptr) {
    return relation->is_protected() || relation->reads_protected ? relation : nullptr;
  }
  if (!range.schemaname().empty()) return nullptr;
  // Not found: still ours if the server could find what we cannot.
  for (const auto& one : catalogue.relations()) {
    if (one.name == range.relname() && (one.is_protected() || one.reads_protected)) return &one;
  }
  return nullptr;
}

const Relation* first_concerned(const Message& tree, const Catalogue& catalogue,
                                const Context& context) {
  const Relation* found = nullptr;
  each_of<pg::RangeVar>(tree, [&](const pg::RangeVar& range) {
    if (found == nullptr) found = concerned(range, catalogue, context);
  });
  return found;
}

/// The first protected column (or helper) of `relation` that the tree names in any way.
const Column* named_column(const Message& tree, const Relation& relation) {
  const Column* found = nullptr;
  const auto look = [&](std::string_view name) {
    const auto* column = relation.find(name);
    if (found == nullptr && column != nullptr && (column->protection || column->helper)) {
      found = column;
    }
  };
  each_of<pg::String>(tree, [&](const pg::String& one) { look(one.sval()); });
  each_of<pg::IndexElem>(tree, [&](const pg::IndexElem& one) { look(one.name()); });
  return found;
}

bool has_whole_row(const Message& tree, const Relation& relation) {
  bool found = false;
  each_of<pg::ColumnRef>(tree, [&](const pg::ColumnRef& one) {
    found = found || is_star(one) ||
            (one.fields_size() == 1 && string_of(one.fields(0)) == relation.name);
  });
  return found;
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

bool is_pinned_setting(std::string_view name) {
  return name == "standard_conforming_strings" || name == "client_encoding";
}

/// A value under which this program and the server read SQL in the same way.
bool keeps_meaning(std::string_view name, std::string_view value) {
  const auto wanted = lowered(value);
  if (name == "client_encoding") {
    std::string letters;
    for (const char c : wanted) {
      if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9')) letters.push_back(c);
    }
    return letters == "utf8" || letters == "unicode";
  }
  return wanted == "on" || wanted == "true" || wanted == "1" || wanted == "yes";
}

std::optional<Refusal> refuse_setting(const pg::VariableSetStmt& statement) {
  const auto name = lowered(statement.name());
  if (!is_pinned_setting(name) || statement.kind() != pg::VAR_SET_VALUE) return std::nullopt;
  if (statement.args_size() == 1 && statement.args(0).has_a_const() &&
      statement.args(0).a_const().has_sval() &&
      keeps_meaning(name, statement.args(0).a_const().sval().sval())) {
    return std::nullopt;
  }
  if (name == "client_encoding") {
    return refusal(nullptr, nullptr, "SET client_encoding other than UTF8",
                   "use UTF8 and convert in the program");
  }
  return refusal(nullptr, nullptr, "SET standard_conforming_strings = off",
                 "use E'...' for strings with backslashes");
}

std::optional<Refusal> refuse_foreign_keys(const Message& tree, const Catalogue& catalogue,
                                           const Context& context) {
  std::optional<Refusal> found;
  each_of<pg::Constraint>(tree, [&](const pg::Constraint& one) {
    if (found || !one.has_pktable()) return;
    const auto* relation = concerned(one.pktable(), catalogue, context);
    if (relation == nullptr) return;
    if (one.pk_attrs_size() == 0 && relation->keys.empty()) {
      found = refusal(relation, nullptr, "a foreign key to a protected column", kUnprotect);
    }
    for (const auto& attribute : one.pk_attrs()) {
      const auto* column = relation->find(string_of(attribute));
      if (column != nullptr && (column->protection || column->helper)) {
        found = refusal(relation, column, "a foreign key to a protected column", kUnprotect);
      }
    }
  });
  return found;
}

/// Concerned relations named anywhere but as the target of a foreign key.
const Relation* concerned_beside_keys(const pg::Node& statement, const Catalogue& catalogue,
                                      const Context& context, const pg::RangeVar* own) {
  pg::Node copy = statement;
  each_of<pg::Constraint>(copy, [](const pg::Constraint& one) {
    const_cast<pg::Constraint&>(one).clear_pktable();  // `copy` is ours and not const
  });
  const Relation* found = nullptr;
  each_of<pg::RangeVar>(copy, [&](const pg::RangeVar& range) {
    const bool is_own = own != nullptr && range.relname() == own->relname() &&
                        range.schemaname() == own->schemaname();
    if (found == nullptr && !is_own) found = concerned(range, catalogue, context);
  });
  return found;
}

std::optional<Refusal> refuse_create_table(const pg::Node& statement, const pg::CreateStmt& create,
                                           const Catalogue& catalogue, const Context& context) {
  if (create.relation().relpersistence() == "t" || create.relation().schemaname() == "pg_temp") {
    for (const auto& one : catalogue.relations()) {
      if (one.name == create.relation().relname() && one.is_protected()) {
        return refusal(&one, nullptr, "a temporary table with a protected table's name",
                       "give the temporary table another name");
      }
    }
  }
  if (auto found = refuse_foreign_keys(create, catalogue, context)) return found;
  const auto* relation = concerned_beside_keys(statement, catalogue, context, &create.relation());
  if (relation == nullptr) return std::nullopt;
  return refusal(relation, nullptr, "CREATE TABLE after the model of a protected table",
                 "name the columns of the new table");
}

bool is_harmless(pg::AlterTableType type) {
  constexpr std::array kTypes{
      pg::AT_ChangeOwner,     pg::AT_ClusterOn,       pg::AT_DropCluster,
      pg::AT_SetLogged,       pg::AT_SetTableSpace,   pg::AT_SetRelOptions,
      pg::AT_ResetRelOptions, pg::AT_EnableTrig,      pg::AT_EnableAlwaysTrig,
      pg::AT_DisableTrig,     pg::AT_EnableTrigAll,   pg::AT_DisableTrigAll,
      pg::AT_EnableTrigUser,  pg::AT_DisableTrigUser, pg::AT_ValidateConstraint};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

std::optional<Refusal> refuse_alter_table(const pg::Node& statement,
                                          const pg::AlterTableStmt& alter,
                                          const Catalogue& catalogue, const Context& context) {
  if (auto found = refuse_foreign_keys(alter, catalogue, context)) return found;
  const auto* own = concerned(alter.relation(), catalogue, context);
  if (own == nullptr) {
    const auto* relation = concerned_beside_keys(statement, catalogue, context, &alter.relation());
    if (relation == nullptr) return std::nullopt;
    return refusal(relation, nullptr, "ALTER TABLE that names a protected table", kUnprotect);
  }
  for (const auto& node : alter.cmds()) {
    const auto& command = node.alter_table_cmd();
    if (is_harmless(command.subtype())) continue;
    // A new column of its own, with at most a constant default, changes nothing that is sealed.
    if (command.subtype() == pg::AT_AddColumn) {
      bool refers = false;
      each_of<pg::ColumnRef>(command, [&](const pg::ColumnRef&) { refers = true; });
      each_of<pg::RangeVar>(command, [&](const pg::RangeVar&) { refers = true; });
      if (!refers) continue;
    }
    return refusal(own, own->find(command.name()), "ALTER TABLE of a protected table", kUnprotect);
  }
  return std::nullopt;
}

std::optional<Refusal> refuse_grant(const pg::GrantStmt& grant, const Catalogue& catalogue,
                                    const Context& context) {
  constexpr std::string_view kConstruct = "GRANT or REVOKE on a protected table";
  constexpr std::string_view kRemedy =
      "use theriac grant: the rights of the plain and the sealed columns must stay as they are";
  if (const auto* relation = first_concerned(grant, catalogue, context)) {
    return refusal(relation, nullptr, kConstruct, kRemedy);
  }
  if (grant.targtype() != pg::ACL_TARGET_ALL_IN_SCHEMA || grant.objtype() != pg::OBJECT_TABLE) {
    return std::nullopt;
  }
  for (const auto& object : grant.objects()) {
    for (const auto& one : catalogue.relations()) {
      if (one.schema == string_of(object) && one.is_protected()) {
        return refusal(&one, nullptr, kConstruct, kRemedy);
      }
    }
  }
  return std::nullopt;
}

std::optional<Refusal> refuse_rename(const pg::RenameStmt& rename, const Catalogue& catalogue,
                                     const Context& context) {
  if (const auto* relation = first_concerned(rename, catalogue, context)) {
    return refusal(relation, relation->find(rename.subname()), "RENAME of or in a protected table",
                   kUnprotect);
  }
  if (rename.rename_type() != pg::OBJECT_SCHEMA) return std::nullopt;
  for (const auto& one : catalogue.relations()) {
    if (one.schema == rename.subname() && one.is_protected()) {
      return refusal(&one, nullptr, "RENAME of a schema with protected tables", kUnprotect);
    }
  }
  return std::nullopt;
}

std::optional<Refusal> refuse_index(const pg::IndexStmt& index, const Catalogue& catalogue,
                                    const Context& context) {
  const auto* relation = concerned(index.relation(), catalogue, context);
  if (relation == nullptr) return std::nullopt;
  if (const auto* column = named_column(index, *relation)) {
    return refusal(relation, column, "CREATE INDEX on a protected column",
                   "searchable columns have an index already; see theriac protect --status");
  }
  if (!has_whole_row(index, *relation)) return std::nullopt;
  return refusal(relation, nullptr, "CREATE INDEX on a whole row", kUnprotect);
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
    case pg::Node::kMergeStmt:
      return "MERGE";
    case pg::Node::kPrepareStmt:
      return "PREPARE";
    case pg::Node::kExecuteStmt:
      return "EXECUTE";
    case pg::Node::kCreateTableAsStmt:
      return "CREATE TABLE AS or CREATE MATERIALIZED VIEW";
    case pg::Node::kViewStmt:
      return "CREATE VIEW";
    case pg::Node::kRuleStmt:
      return "CREATE RULE";
    case pg::Node::kCreateTrigStmt:
      return "CREATE TRIGGER";
    case pg::Node::kCreatePolicyStmt:
    case pg::Node::kAlterPolicyStmt:
      return "row-level security";
    case pg::Node::kCreateStatsStmt:
      return "CREATE STATISTICS";
    case pg::Node::kRefreshMatViewStmt:
      return "REFRESH MATERIALIZED VIEW";
    case pg::Node::kExplainStmt:
      return "EXPLAIN of this statement";
    case pg::Node::kCallStmt:
      return "CALL";
    case pg::Node::kCreateFunctionStmt:
      return "CREATE FUNCTION";
    case pg::Node::kAlterObjectSchemaStmt:
      return "SET SCHEMA of a protected table";
    default:
      return "this statement on a protected table";
  }
}

std::string_view default_remedy(const pg::Node& statement) {
  switch (statement.node_case()) {
    case pg::Node::kCopyStmt:
      return "use INSERT and SELECT; COPY of protected tables comes with a later version";
    case pg::Node::kMergeStmt:
      return "use INSERT, UPDATE and DELETE";
    case pg::Node::kPrepareStmt:
    case pg::Node::kExecuteStmt:
      return "prepare the statement through the protocol (Parse)";
    case pg::Node::kExplainStmt:
      return "explain a SELECT, INSERT, UPDATE or DELETE";
    default:
      return kUnprotect;
  }
}

}  // namespace

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
  if (!catalogue.has_protected()) return std::nullopt;
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
    case pg::Node::kCreateStmt:
      return refuse_create_table(statement, statement.create_stmt(), catalogue, context);
    case pg::Node::kAlterTableStmt:
      return refuse_alter_table(statement, statement.alter_table_stmt(), catalogue, context);
    case pg::Node::kGrantStmt:
      return refuse_grant(statement.grant_stmt(), catalogue, context);
    case pg::Node::kRenameStmt:
      return refuse_rename(statement.rename_stmt(), catalogue, context);
    case pg::Node::kIndexStmt:
      return refuse_index(statement.index_stmt(), catalogue, context);
    case pg::Node::kCreateSchemaStmt: {
      for (const auto& element : statement.create_schema_stmt().schema_elts()) {
        if (auto found = refuse_utility(element, catalogue, context)) return found;
      }
      return std::nullopt;
    }
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
      if (is_pinned_setting(which) &&
          (!call.args(1).has_a_const() ||
           !keeps_meaning(which, call.args(1).a_const().sval().sval()))) {
        found = refusal(nullptr, nullptr, "set_config of a setting that changes how SQL reads",
                        "leave client_encoding UTF8 and standard_conforming_strings on");
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
