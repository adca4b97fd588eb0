// What each statement is called and what it does to the session.
#include "rewrite/utility.hpp"

namespace theriac::rewrite {

std::string cursor_of(const pg::Node& statement) {
  switch (statement.node_case()) {
    case pg::Node::kDeclareCursorStmt:
      return statement.declare_cursor_stmt().portalname();
    case pg::Node::kFetchStmt:
      return statement.fetch_stmt().portalname();
    case pg::Node::kClosePortalStmt:
      return statement.close_portal_stmt().portalname();
    default:
      return {};
  }
}

std::string tag_of(const pg::Node& statement) {
  switch (statement.node_case()) {
    case pg::Node::kSelectStmt:
      return "SELECT";
    case pg::Node::kInsertStmt:
      return "INSERT";
    case pg::Node::kUpdateStmt:
      return "UPDATE";
    case pg::Node::kDeleteStmt:
      return "DELETE";
    case pg::Node::kMergeStmt:
      return "MERGE";
    case pg::Node::kCopyStmt:
      return "COPY";
    case pg::Node::kExplainStmt:
      return "EXPLAIN";
    case pg::Node::kDeclareCursorStmt:
      return "DECLARE";
    case pg::Node::kFetchStmt:
      return statement.fetch_stmt().ismove() ? "MOVE" : "FETCH";
    case pg::Node::kClosePortalStmt:
      return "CLOSE";
    case pg::Node::kVariableSetStmt:
      return "SET";
    case pg::Node::kLockStmt:
      return "LOCK TABLE";
    case pg::Node::kVariableShowStmt:
      return "SHOW";
    default:
      break;
  }
  const auto* in = inside(statement);
  if (in == nullptr) return "EMPTY";
  // "CreateTableAsStmt" reads "CREATE TABLE AS".
  std::string name = in->GetDescriptor()->name();
  if (name.ends_with("Stmt")) name.resize(name.size() - 4);
  std::string out;
  for (const char c : name) {
    const bool upper = c >= 'A' && c <= 'Z';
    if (upper && !out.empty()) out.push_back(' ');
    out.push_back(upper || c < 'a' || c > 'z' ? c : static_cast<char>(c - 'a' + 'A'));
  }
  return out;
}

Effect effect_of(const pg::Node& statement) {
  switch (statement.node_case()) {
    case pg::Node::kVariableSetStmt:
      // SET TRANSACTION and SET SESSION CHARACTERISTICS change no meaning of names.
      return statement.variable_set_stmt().kind() == pg::VAR_SET_MULTI ? Effect::kNone
                                                                       : Effect::kSetting;
    case pg::Node::kDiscardStmt:
    case pg::Node::kDoStmt:
    case pg::Node::kCallStmt:
      return Effect::kSetting;  // code may set anything
    case pg::Node::kTransactionStmt:
      // DDL may have been in what was prepared, by whichever session.
      return statement.transaction_stmt().kind() == pg::TRANS_STMT_COMMIT_PREPARED
                 ? Effect::kSchema
                 : Effect::kTransaction;
    case pg::Node::kCopyStmt:
      return statement.copy_stmt().filename().empty() ? Effect::kCopy : Effect::kNone;
    case pg::Node::kSelectStmt:
    case pg::Node::kInsertStmt:
    case pg::Node::kUpdateStmt:
    case pg::Node::kDeleteStmt:
    case pg::Node::kMergeStmt:
    case pg::Node::kExplainStmt: {
      Effect effect = Effect::kNone;
      each_of<pg::IntoClause>(statement, [&](const pg::IntoClause&) { effect = Effect::kSchema; });
      each_of<pg::FuncCall>(statement, [&](const pg::FuncCall& call) {
        if (last_name(call.funcname()) == "set_config") effect = Effect::kSetting;
      });
      each_of<pg::UpdateStmt>(statement, [&](const pg::UpdateStmt& update) {
        if (update.relation().relname() == "pg_settings") effect = Effect::kSetting;
      });
      return effect;
    }
    case pg::Node::kDeclareCursorStmt:
    case pg::Node::kFetchStmt:
    case pg::Node::kClosePortalStmt:
    case pg::Node::kPrepareStmt:
    case pg::Node::kDeallocateStmt:
    case pg::Node::kNotifyStmt:
    case pg::Node::kListenStmt:
    case pg::Node::kUnlistenStmt:
    case pg::Node::kVacuumStmt:
    case pg::Node::kCheckPointStmt:
    case pg::Node::kLockStmt:
    case pg::Node::kTruncateStmt:
    case pg::Node::kVariableShowStmt:
    case pg::Node::kLoadStmt:
    case pg::Node::kConstraintsSetStmt:
    case pg::Node::kReindexStmt:
    case pg::Node::kClusterStmt:
      return Effect::kNone;
    case pg::Node::kCreateStmt:
      // No snapshot holds temporary tables, and programs make them all the time.
      return statement.create_stmt().relation().relpersistence() == "t" ? Effect::kNone
                                                                        : Effect::kSchema;
    case pg::Node::kExecuteStmt:
      return Effect::kNone;  // that of what was prepared is the session's to know
    default:
      return Effect::kSchema;
  }
}

bool may_change_reading(const pg::Node& statement) {
  switch (statement.node_case()) {
    case pg::Node::kVariableSetStmt: {
      const auto& set = statement.variable_set_stmt();
      std::string name = set.name();
      for (char& c : name) {
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      }
      return set.kind() == pg::VAR_RESET_ALL || is_pinned_setting(name);
    }
    case pg::Node::kDiscardStmt:
    case pg::Node::kDoStmt:
    case pg::Node::kCallStmt:
      return true;
    default: {
      bool may = false;
      each_of<pg::UpdateStmt>(statement, [&](const pg::UpdateStmt& update) {
        may = may || update.relation().relname() == "pg_settings";
      });
      each_of<pg::FuncCall>(statement, [&](const pg::FuncCall& call) {
        if (last_name(call.funcname()) != "set_config") return;
        std::string name = call.args_size() > 0 ? call.args(0).a_const().sval().sval() : "";
        for (char& c : name) {
          if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
        }
        may = may || name.empty() || is_pinned_setting(name);
      });
      return may;
    }
  }
}

}  // namespace theriac::rewrite
