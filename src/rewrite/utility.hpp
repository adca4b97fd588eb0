// Statements that are not queries: which of them may go on to the server as they are, and what each
// does to the session. Pure; nothing here edits a tree, since DDL is never deparsed.
#pragma once

#include <optional>
#include <string>

#include "rewrite/catalogue.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// The statement's name for counters: "SELECT", "DECLARE", "FETCH", "CREATE TABLE AS", ...
std::string tag_of(const pg::Node& statement);
Effect effect_of(const pg::Node& statement);
/// Statement::changes_reading of one whose effect is kSetting.
bool may_change_reading(const pg::Node& statement);
/// A setting that decides how texts of the client read.
bool is_pinned_setting(std::string_view name);
/// The cursor that DECLARE, FETCH, MOVE or CLOSE names; empty for others.
std::string cursor_of(const pg::Node& statement);

/// True if the tree names a protected relation or a view that reads one.
bool names_protected(const Message& tree, const Catalogue& catalogue, const Context& context);

/// Why a statement that is not a query must not go on; nullopt: forward it.
std::optional<Refusal> refuse_utility(const pg::Node& statement, const Catalogue& catalogue,
                                      const Context& context);
/// The same for what may stand in any statement: settings that must not change, and functions that
/// take SQL as text.
std::optional<Refusal> refuse_calls(const pg::Node& statement, const Catalogue& catalogue);

}  // namespace theriac::rewrite
