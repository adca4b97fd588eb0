#include "rewrite/lock.hpp"

#include "rewrite/quoting.hpp"

namespace theriac::rewrite {
namespace {

constexpr int kAccessShare = 1;  // lockdefs.h

}  // namespace

std::optional<std::string> lock_by_reading(const pg::LockStmt& statement,
                                           const Catalogue& catalogue, const Context& context) {
  if (statement.mode() != kAccessShare || statement.nowait()) return std::nullopt;
  bool any = false;
  std::string body = "BEGIN";
  for (const auto& node : statement.relations()) {
    const auto& range = node.range_var();
    const auto* relation = catalogue.find(range.schemaname(), range.relname(), context.search_path);
    if (relation != nullptr && relation->is_protected()) {
      any = true;
      body += " PERFORM FROM ONLY " + quoted_name(relation->schema) + "." +
              quoted_name(relation->name) + " WHERE false;";
      continue;
    }
    body += " LOCK TABLE ";
    if (!range.inh()) body += "ONLY ";
    if (!range.schemaname().empty()) body += quoted_name(range.schemaname()) + ".";
    body += quoted_name(range.relname()) + " IN ACCESS SHARE MODE;";
  }
  if (!any) return std::nullopt;
  return "DO " + quoted_literal(body + " END");
}

}  // namespace theriac::rewrite
