#include "rewrite/ddl.hpp"

#include <algorithm>

#include "rewrite/ddl_alter.hpp"
#include "rewrite/ddl_view.hpp"
#include "rewrite/utility_names.hpp"

namespace theriac::rewrite {
namespace {

DdlVerdict refused(const Relation* relation, const Column* column, std::string_view construct,
                   std::string_view remedy) {
  return {utility_refusal(relation, column, construct, remedy), std::nullopt};
}

DdlVerdict judge_create(const pg::Node& statement, const pg::CreateStmt& create,
                        const Catalogue& catalogue, const Context& context) {
  const auto& name = create.relation();
  if (name.relpersistence() == "t" || name.schemaname() == "pg_temp") {
    for (const auto& one : catalogue.relations()) {
      if (one.name == name.relname() && one.is_protected_table()) {
        return refused(&one, nullptr, "a temporary table with a protected table's name",
                       "give the temporary table another name");
      }
    }
    if (catalogue.awaits_table(name.relname())) {
      return refused(nullptr, nullptr, "a temporary table with a protected table's name",
                     "give the temporary table another name");
    }
  }
  if (auto found = refuse_foreign_keys(create, catalogue, context)) return {found, std::nullopt};
  FollowedDdl made;
  for (const auto& node : create.inh_relations()) {
    const auto* parent = concerned(node.range_var(), catalogue, context);
    if (parent != nullptr && parent->is_protected()) made.parents.push_back(parent->oid);
  }
  // Parents give it columns, helpers and constraints; settling sees to the rest.
  pg::Node beside = statement;
  if (!made.parents.empty()) beside.mutable_create_stmt()->clear_inh_relations();
  if (const auto* relation = concerned_beside_keys(beside, catalogue, context, &name)) {
    return refused(relation, nullptr, "CREATE TABLE after the model of a protected table",
                   "name the columns of the new table");
  }
  if (!made.parents.empty()) {
    if (create.inh_relations_size() > 1) {
      return refused(catalogue.find(made.parents.front()), nullptr,
                     "a table that inherits from a protected table and from others",
                     "let it inherit from one table");
    }
    if (awaits_in(name.schemaname(), name.relname(), catalogue)) {
      made.awaited.push_back(name.relname());
    }
    return follow(catalogue, std::move(made));
  }
  if (!awaits_in(name.schemaname(), name.relname(), catalogue)) return {};
  // Columns that come from elsewhere (LIKE, INHERITS, OF, PARTITION OF) are seen by settling only.
  bool adopts = create.inh_relations_size() > 0 || create.has_of_typename();
  for (const auto& element : create.table_elts()) {
    if (element.has_constraint()) continue;
    adopts = adopts || !element.has_column_def() ||
             awaits_column(name.relname(), element.column_def().colname(), catalogue);
  }
  if (!adopts) return {};
  return follow(catalogue, nullptr, name.relname());
}

DdlVerdict judge_index(const pg::IndexStmt& index, const Catalogue& catalogue,
                       const Context& context) {
  const auto* relation = concerned(index.relation(), catalogue, context);
  if (relation == nullptr || !relation->is_protected_table()) return {};
  const auto* column = named_column(index, *relation);
  if (column == nullptr) {
    if (!has_whole_row(index, *relation)) return {};
    return refused(relation, nullptr, "CREATE INDEX on a whole row", "index the columns");
  }
  if (index.concurrent()) {
    return refused(relation, column, "CREATE INDEX CONCURRENTLY on a protected column",
                   "make the index without CONCURRENTLY");
  }
  bool plain = !index.has_where_clause();
  for (const auto& element : index.index_params())
    plain = plain && !element.index_elem().has_expr();
  if (!plain || index.index_including_params_size() > 0) {
    return refused(relation, column,
                   "CREATE INDEX with a protected column and an expression, a condition or INCLUDE",
                   "make the index on the columns alone");
  }
  return follow(catalogue, relation);
}

DdlVerdict judge_statistics(const pg::CreateStatsStmt& statistics, const Catalogue& catalogue,
                            const Context& context) {
  const auto* relation = first_concerned(statistics, catalogue, context);
  if (relation == nullptr) return {};
  const auto* column = named_column(statistics, *relation);
  each_of<pg::StatsElem>(statistics, [&](const pg::StatsElem& one) {
    const auto* named = relation->find(one.name());
    if (named != nullptr && (named->protection || named->helper)) column = named;
  });
  if (column == nullptr && !has_whole_row(statistics, *relation)) return {};
  return refused(relation, column, "CREATE STATISTICS on a protected column",
                 "leave the protected columns out");
}

DdlVerdict judge_rename(const pg::RenameStmt& rename, const Catalogue& catalogue,
                        const Context& context) {
  if (rename.rename_type() == pg::OBJECT_SCHEMA) {
    FollowedDdl made;
    made.every_awaited =
        std::any_of(catalogue.awaited().begin(), catalogue.awaited().end(),
                    [&](const Awaited& one) { return one.schema == rename.newname(); });
    for (const auto& one : catalogue.relations()) {
      if (one.schema == rename.subname() && one.is_protected_table())
        made.relations.push_back(one.oid);
    }
    if (!made.every_awaited && made.relations.empty()) return {};
    return follow(catalogue, std::move(made));
  }
  if (rename.rename_type() == pg::OBJECT_INDEX && catalogue.has_protected()) {
    return follow(catalogue, FollowedDdl{});
  }
  const auto* relation = first_concerned(rename, catalogue, context);
  if (relation != nullptr && !relation->is_protected_table()) {
    const bool column = rename.rename_type() == pg::OBJECT_COLUMN;
    return judge_view_name(*relation, relation->schema, column ? relation->name : rename.newname(),
                           catalogue);
  }
  FollowedDdl made;
  if (relation != nullptr) made.relations.push_back(relation->oid);
  const bool table = rename.rename_type() == pg::OBJECT_TABLE;
  if (table && catalogue.awaits_table(rename.newname())) made.awaited.push_back(rename.newname());
  if (rename.rename_type() == pg::OBJECT_COLUMN &&
      awaits_column(rename.relation().relname(), rename.newname(), catalogue)) {
    made.awaited.push_back(rename.relation().relname());
  }
  if (made.relations.empty() && made.awaited.empty()) return {};
  return follow(catalogue, std::move(made));
}

DdlVerdict judge_schema(const pg::AlterObjectSchemaStmt& statement, const Catalogue& catalogue,
                        const Context& context) {
  if (!statement.has_relation()) return {};
  const auto* relation = concerned(statement.relation(), catalogue, context);
  if (relation != nullptr && !relation->is_protected_table()) {
    return judge_view_name(*relation, statement.newschema(), relation->name, catalogue);
  }
  FollowedDdl made;
  if (relation != nullptr) made.relations.push_back(relation->oid);
  if (awaits_in(statement.newschema(), statement.relation().relname(), catalogue)) {
    made.awaited.push_back(statement.relation().relname());
  }
  if (made.relations.empty() && made.awaited.empty()) return {};
  return follow(catalogue, std::move(made));
}

/// The relation that a name list of DROP means, if it concerns protected columns.
const Relation* concerned_named(const pg::Node& object, const Catalogue& catalogue,
                                const Context& context) {
  const auto& items = object.list().items();
  if (items.empty()) return nullptr;
  pg::RangeVar range;
  range.set_relname(std::string(string_of(items.at(items.size() - 1))));
  if (items.size() > 1) range.set_schemaname(std::string(string_of(items.at(items.size() - 2))));
  return concerned(range, catalogue, context);
}

DdlVerdict judge_drop(const pg::DropStmt& drop, const Catalogue& catalogue,
                      const Context& context) {
  // What an older registry cannot follow is forwarded as ever: nothing is left to be protected.
  if (!catalogue.adopts() || !catalogue.has_protected()) return {};
  FollowedDdl made;
  switch (drop.remove_type()) {
    case pg::OBJECT_TABLE:
      for (const auto& object : drop.objects()) {
        const auto* relation = concerned_named(object, catalogue, context);
        if (relation != nullptr && relation->is_protected_table()) {
          made.relations.push_back(relation->oid);
        }
      }
      break;
    case pg::OBJECT_VIEW:
      for (const auto& object : drop.objects()) {
        const auto* relation = concerned_named(object, catalogue, context);
        if (relation != nullptr && relation->recreated) {
          made.before.push_back(view_act(DdlAct::Kind::kForgetView, *relation));
        }
      }
      if (made.before.empty()) return {};
      return follow(catalogue, std::move(made));
    case pg::OBJECT_SCHEMA:
      for (const auto& one : catalogue.relations()) {
        const bool in =
            std::any_of(drop.objects().begin(), drop.objects().end(),
                        [&](const pg::Node& object) { return string_of(object) == one.schema; });
        if (in && one.is_protected_table()) made.relations.push_back(one.oid);
      }
      break;
    case pg::OBJECT_INDEX:
      if (drop.concurrent()) return {};
      return follow(catalogue, std::move(made));
    default:
      return {};
  }
  if (made.relations.empty()) return {};
  return follow(catalogue, std::move(made));
}

/// Rights on single protected columns that REVOKE takes.
std::optional<Refusal> add_revokes(const pg::GrantStmt& grant, const Relation& relation,
                                   FollowedDdl& made) {
  if (relation.is_view()) {
    const bool by_column =
        std::any_of(grant.privileges().begin(), grant.privileges().end(),
                    [](const pg::Node& node) { return node.access_priv().cols_size() > 0; });
    if (!by_column) return std::nullopt;
    return utility_refusal(&relation, nullptr, "REVOKE by column on a view on protected columns",
                           "REVOKE on the whole view, then GRANT the columns");
  }
  std::vector<std::string> roles;
  bool named = true;
  for (const auto& node : grant.grantees()) {
    const auto& role = node.role_spec();
    named = named &&
            (role.roletype() == pg::ROLESPEC_CSTRING || role.roletype() == pg::ROLESPEC_PUBLIC);
    roles.push_back(role.roletype() == pg::ROLESPEC_PUBLIC ? "" : role.rolename());
  }
  for (const auto& node : grant.privileges()) {
    const auto& privilege = node.access_priv();
    for (const auto& name : privilege.cols()) {
      const auto* column = relation.find(string_of(name));
      if (column == nullptr || !column->protection) continue;
      if (!named) {
        return utility_refusal(&relation, column, "REVOKE from CURRENT_USER and the like",
                               "name the role");
      }
      std::string upper = privilege.priv_name();
      for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      DdlAct act{.kind = DdlAct::Kind::kRevoke,
                 .number = column->protection->number,
                 .column = column->name,
                 .privileges = {},
                 .roles = roles,
                 .grant_option_only = grant.grant_option(),
                 .cascade = false,
                 .relation = relation.oid};
      if (upper.empty()) {
        act.privileges = {"SELECT", "INSERT", "UPDATE"};
      } else {
        act.privileges = {upper};
      }
      made.acts.push_back(std::move(act));
    }
  }
  return std::nullopt;
}

DdlVerdict judge_grant(const pg::GrantStmt& grant, const Catalogue& catalogue,
                       const Context& context) {
  FollowedDdl made;
  std::optional<Refusal> refusal;
  const auto add = [&](const Relation& relation) {
    made.relations.push_back(relation.oid);
    if (!grant.is_grant() && !refusal) refusal = add_revokes(grant, relation, made);
  };
  if (grant.targtype() == pg::ACL_TARGET_ALL_IN_SCHEMA && grant.objtype() == pg::OBJECT_TABLE) {
    for (const auto& one : catalogue.relations()) {
      const bool in =
          std::any_of(grant.objects().begin(), grant.objects().end(),
                      [&](const pg::Node& object) { return string_of(object) == one.schema; });
      if (in && (one.is_protected_table() || one.recreated)) add(one);
    }
  }
  each_of<pg::RangeVar>(grant, [&](const pg::RangeVar& range) {
    const auto* relation = concerned(range, catalogue, context);
    if (relation == nullptr || refusal) return;
    if (relation->is_protected_table() || relation->recreated) {
      add(*relation);
    } else {
      refusal = utility_refusal(relation, nullptr, "GRANT or REVOKE on a view on protected columns",
                                "grant on the table");
    }
  });
  if (refusal) return {refusal, std::nullopt};
  if (made.relations.empty()) return {};
  return follow(catalogue, std::move(made));
}

DdlVerdict judge_other_kind(const pg::RangeVar& name, const Catalogue& catalogue) {
  return {awaited_by_another_kind(name.schemaname(), name.relname(), catalogue), std::nullopt};
}

}  // namespace

DdlVerdict follow(const Catalogue& catalogue, FollowedDdl made) {
  if (catalogue.adopts()) return {std::nullopt, std::move(made)};
  return refused(nullptr, nullptr, "DDL on protected columns without the functions that follow it",
                 "as an administrator run theriac protect --empty --database ... once, or set "
                 "provision for the gateway");
}

DdlVerdict follow(const Catalogue& catalogue, const Relation* relation, std::string awaited) {
  FollowedDdl made;
  if (relation != nullptr) made.relations.push_back(relation->oid);
  if (!awaited.empty()) made.awaited.push_back(std::move(awaited));
  return follow(catalogue, std::move(made));
}

DdlVerdict judge_ddl(const pg::Node& statement, const Catalogue& catalogue,
                     const Context& context) {
  if (!catalogue.has_protected() && catalogue.awaited().empty()) return {};
  switch (statement.node_case()) {
    case pg::Node::kCreateStmt:
      return judge_create(statement, statement.create_stmt(), catalogue, context);
    case pg::Node::kAlterTableStmt:
      return judge_alter(statement, statement.alter_table_stmt(), catalogue, context);
    case pg::Node::kRenameStmt:
      return judge_rename(statement.rename_stmt(), catalogue, context);
    case pg::Node::kAlterObjectSchemaStmt:
      return judge_schema(statement.alter_object_schema_stmt(), catalogue, context);
    case pg::Node::kIndexStmt:
      return judge_index(statement.index_stmt(), catalogue, context);
    case pg::Node::kCreateStatsStmt:
      return judge_statistics(statement.create_stats_stmt(), catalogue, context);
    case pg::Node::kDropStmt:
      return judge_drop(statement.drop_stmt(), catalogue, context);
    case pg::Node::kDropOwnedStmt:
      if (!catalogue.has_protected()) return {};
      return follow(catalogue, FollowedDdl{});
    case pg::Node::kGrantStmt:
      return judge_grant(statement.grant_stmt(), catalogue, context);
    case pg::Node::kCreateTableAsStmt:
      return judge_other_kind(statement.create_table_as_stmt().into().rel(), catalogue);
    case pg::Node::kViewStmt:
      return judge_view(statement.view_stmt(), catalogue, context);
    case pg::Node::kCreateForeignTableStmt:
      return judge_other_kind(statement.create_foreign_table_stmt().base_stmt().relation(),
                              catalogue);
    case pg::Node::kSelectStmt:
      if (!statement.select_stmt().has_into_clause()) return {};
      return judge_other_kind(statement.select_stmt().into_clause().rel(), catalogue);
    case pg::Node::kCreateSchemaStmt:
      for (const auto& element : statement.create_schema_stmt().schema_elts()) {
        auto verdict = judge_ddl(element, catalogue, context);
        if (verdict.refusal) return verdict;
        if (verdict.follow) {
          return refused(nullptr, nullptr, "CREATE SCHEMA with protected tables in it",
                         "send CREATE SCHEMA and CREATE TABLE as statements of their own");
        }
      }
      return {};
    default:
      return {};
  }
}

namespace {

std::optional<Refusal> undefined_column(const Relation& relation, const std::string& column,
                                        const Catalogue& catalogue) {
  const auto& all = catalogue.awaited();
  const bool awaited = std::any_of(all.begin(), all.end(), [&](const Awaited& one) {
    return one.schema == relation.schema && one.table == relation.name && one.column == column;
  });
  if (!awaited || relation.find(column) != nullptr) return std::nullopt;
  return Refusal{"42703", relation.schema + "." + relation.name + "." + column,
                 "the column does not exist", "add it with ALTER TABLE"};
}

}  // namespace

AwaitedUse awaited_use(const pg::Node& statement, const Catalogue& catalogue,
                       const Context& context) {
  AwaitedUse out;
  if (catalogue.awaited().empty()) return out;
  std::vector<std::string> queries;
  each_of<pg::CommonTableExpr>(
      statement, [&](const pg::CommonTableExpr& one) { queries.push_back(one.ctename()); });
  // A statement that names none of a table's awaited columns means what it meant without them.
  const auto names_column = [&](const std::string& table) {
    bool found = false;
    each_of<pg::String>(statement, [&](const pg::String& one) {
      found = found || awaits_column(table, one.sval(), catalogue);
    });
    each_of<pg::ResTarget>(statement, [&](const pg::ResTarget& one) {
      found = found || awaits_column(table, one.name(), catalogue);
    });
    return found;
  };
  each_of<pg::RangeVar>(statement, [&](const pg::RangeVar& range) {
    if (!awaits_in(range.schemaname(), range.relname(), catalogue)) return;
    const bool common = range.schemaname().empty() &&
                        std::find(queries.begin(), queries.end(), range.relname()) != queries.end();
    if (common) return;
    const auto* relation = catalogue.find(range.schemaname(), range.relname(), context.search_path);
    out.awaits = out.awaits || relation == nullptr || names_column(range.relname());
    if (relation == nullptr && !out.refusal) {
      out.refusal = Refusal{"42P01", std::string(range.relname()), "the relation does not exist",
                            "make it with CREATE TABLE, or set search_path"};
    }
  });
  const auto assigned = [&](const pg::RangeVar& range, const Nodes& targets) {
    const auto* relation = catalogue.find(range.schemaname(), range.relname(), context.search_path);
    for (const auto& target : targets) {
      if (relation == nullptr || out.refusal) return;
      out.refusal = undefined_column(*relation, target.res_target().name(), catalogue);
    }
  };
  each_of<pg::InsertStmt>(statement,
                          [&](const pg::InsertStmt& one) { assigned(one.relation(), one.cols()); });
  each_of<pg::UpdateStmt>(
      statement, [&](const pg::UpdateStmt& one) { assigned(one.relation(), one.target_list()); });
  each_of<pg::MergeStmt>(statement, [&](const pg::MergeStmt& one) {
    for (const auto& node : one.merge_when_clauses()) {
      assigned(one.relation(), node.merge_when_clause().target_list());
    }
  });
  return out;
}

bool names_awaited(const pg::Node& statement, const Catalogue& catalogue) {
  bool found = false;
  each_of<pg::RangeVar>(statement, [&](const pg::RangeVar& one) {
    found = found || catalogue.awaits_table(one.relname());
  });
  each_of<pg::String>(statement, [&](const pg::String& one) {
    found = found || catalogue.awaits_table(one.sval());
  });
  return found;
}

}  // namespace theriac::rewrite
