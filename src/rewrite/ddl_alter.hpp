// ALTER TABLE, and what the parts of the DDL analysis share. Part of ddl.hpp.
#pragma once

#include <string>

#include "rewrite/ddl.hpp"

namespace theriac::rewrite {

/// To be followed, or refused where the database has no functions for it.
DdlVerdict follow(const Catalogue& catalogue, FollowedDdl made);
DdlVerdict follow(const Catalogue& catalogue, const Relation* relation, std::string awaited = {});

DdlVerdict judge_alter(const pg::Node& statement, const pg::AlterTableStmt& alter,
                       const Catalogue& catalogue, const Context& context);
std::optional<Refusal> refuse_foreign_keys(const Message& tree, const Catalogue& catalogue,
                                           const Context& context);
/// Concerned relations named anywhere but as the target of a foreign key.
const Relation* concerned_beside_keys(const pg::Node& statement, const Catalogue& catalogue,
                                      const Context& context, const pg::RangeVar* own);

}  // namespace theriac::rewrite
