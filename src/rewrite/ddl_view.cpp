#include "rewrite/ddl_view.hpp"

#include <algorithm>

#include "rewrite/view.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kAgain = "DROP VIEW, then CREATE VIEW";

DdlVerdict refused(const Relation* relation, const Column* column, std::string_view construct,
                   std::string_view remedy) {
  return {utility_refusal(relation, column, construct, remedy), std::nullopt};
}

DdlVerdict followed(FollowedDdl made, const Catalogue& catalogue) {
  if (catalogue.adopts()) return {std::nullopt, std::move(made)};
  return refused(nullptr, nullptr, "DDL on protected columns without the functions that follow it",
                 "as an administrator run theriac protect --empty --database ... once, or set "
                 "provision for the gateway");
}

bool names_check_option(const pg::AlterTableCmd& command) {
  bool found = false;
  each_of<pg::DefElem>(
      command, [&](const pg::DefElem& one) { found = found || one.defname() == "check_option"; });
  return found;
}

}  // namespace

DdlAct view_act(DdlAct::Kind kind, const Relation& view) {
  return {.kind = kind,
          .number = 0,
          .column = {},
          .privileges = {},
          .roles = {},
          .grant_option_only = false,
          .cascade = false,
          .relation = view.oid};
}

std::optional<Refusal> awaited_by_another_kind(std::string_view schema, std::string_view name,
                                               const Catalogue& catalogue) {
  if (!awaits_in(schema, name, catalogue)) return std::nullopt;
  return utility_refusal(nullptr, nullptr,
                         "another kind of relation under a protected table's name",
                         "make an ordinary table with CREATE TABLE, then fill it with INSERT");
}

DdlVerdict judge_view(const pg::ViewStmt& statement, const Catalogue& catalogue,
                      const Context& context) {
  const auto& name = statement.view();
  if (auto found = awaited_by_another_kind(name.schemaname(), name.relname(), catalogue)) {
    return {found, std::nullopt};
  }
  FollowedDdl made;
  const auto* standing = concerned(name, catalogue, context);
  if (standing != nullptr && statement.replace()) {
    if (!standing->recreated) {
      return refused(standing, nullptr, "CREATE OR REPLACE of a view on protected columns", kAgain);
    }
    made.before.push_back(view_act(DdlAct::Kind::kUnformView, *standing));
  }
  const auto* read = first_concerned(statement.query(), catalogue, context);
  if (read == nullptr && made.before.empty()) return {};
  if (name.relpersistence() == "t" || name.schemaname() == "pg_temp") {
    return refused(read, nullptr, "a temporary view on protected columns", "leave TEMPORARY out");
  }
  if (auto refusal = view_refusal(statement.query(), catalogue, context,
                                  statement.with_check_option() != pg::NO_CHECK_OPTION)) {
    return {refusal, std::nullopt};
  }
  made.view = FollowedDdl::MadeView{name.schemaname(), name.relname()};
  return followed(std::move(made), catalogue);
}

DdlVerdict judge_alter_view(const pg::AlterTableStmt& alter, const Relation& view,
                            const Catalogue& catalogue) {
  bool follows = false;
  for (const auto& node : alter.cmds()) {
    const auto& one = node.alter_table_cmd();
    const auto* column = view.find(one.name());
    const bool secret = column != nullptr && (column->protection || column->helper);
    switch (one.subtype()) {
      case pg::AT_ColumnDefault:
        if (secret && one.has_def()) {
          return refused(&view, column, "a default of a view's protected column",
                         "let the program give the value");
        }
        break;
      case pg::AT_ChangeOwner:
        follows = true;
        break;
      case pg::AT_SetRelOptions:
      case pg::AT_ResetRelOptions:
        if (!names_check_option(one)) break;
        [[fallthrough]];
      default:
        return refused(&view, column, "ALTER of a view on protected columns", kAgain);
    }
  }
  return follows ? followed(FollowedDdl{}, catalogue) : DdlVerdict{};
}

DdlVerdict judge_view_name(const Relation& view, std::string_view schema, std::string_view name,
                           const Catalogue& catalogue) {
  if (auto found = awaited_by_another_kind(schema, name, catalogue)) return {found, std::nullopt};
  if (!view.recreated) {
    return refused(&view, nullptr, "RENAME of a view on protected columns",
                   "drop the view and make it again");
  }
  return followed(FollowedDdl{}, catalogue);
}

}  // namespace theriac::rewrite
