// DDL on views: CREATE VIEW over protected columns, and what is done to a view in its protected
// form. Part of judge_ddl(). Pure.
#pragma once

#include "rewrite/ddl.hpp"
#include "rewrite/utility_names.hpp"

namespace theriac::rewrite {

/// CREATE [OR REPLACE] VIEW: followed if the view could be given its protected form.
DdlVerdict judge_view(const pg::ViewStmt& statement, const Catalogue& catalogue,
                      const Context& context);
/// ALTER VIEW of a view in its protected form, but for RENAME and SET SCHEMA.
DdlVerdict judge_alter_view(const pg::AlterTableStmt& alter, const Relation& view,
                            const Catalogue& catalogue);
/// RENAME and SET SCHEMA of a view that concerns protected columns. `schema`, `name`: of the view
/// afterwards; an empty schema may be any.
DdlVerdict judge_view_name(const Relation& view, std::string_view schema, std::string_view name,
                           const Catalogue& catalogue);

DdlAct view_act(DdlAct::Kind kind, const Relation& view);

/// A relation of another kind under an awaited table's name would hold plain values.
std::optional<Refusal> awaited_by_another_kind(std::string_view schema, std::string_view name,
                                               const Catalogue& catalogue);

}  // namespace theriac::rewrite
