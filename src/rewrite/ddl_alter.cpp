#include "rewrite/ddl_alter.hpp"

#include <algorithm>
#include <array>

#include "rewrite/ddl_view.hpp"
#include "rewrite/utility_names.hpp"

namespace theriac::rewrite {
namespace {

bool is_harmless(pg::AlterTableType type) {
  constexpr std::array kTypes{
      pg::AT_ChangeOwner,      pg::AT_ClusterOn,          pg::AT_DropCluster,
      pg::AT_SetLogged,        pg::AT_SetUnLogged,        pg::AT_SetTableSpace,
      pg::AT_SetRelOptions,    pg::AT_ResetRelOptions,    pg::AT_EnableTrig,
      pg::AT_EnableAlwaysTrig, pg::AT_EnableReplicaTrig,  pg::AT_DisableTrig,
      pg::AT_EnableTrigAll,    pg::AT_DisableTrigAll,     pg::AT_EnableTrigUser,
      pg::AT_DisableTrigUser,  pg::AT_ValidateConstraint, pg::AT_AlterConstraint,
      pg::AT_SetStatistics,    pg::AT_SetOptions,         pg::AT_ResetOptions};
  return std::find(kTypes.begin(), kTypes.end(), type) != kTypes.end();
}

constexpr std::string_view kJoined =
    "ATTACH PARTITION or INHERIT of a table that was not protected with it";
constexpr std::string_view kJoinedRemedy =
    "make it with CREATE TABLE ... PARTITION OF or INHERITS and insert the rows";

/// A plain table; that it is empty is seen when it gets its form.
bool can_join(const Relation& child) {
  return (child.kind == 'r' || child.kind == 'p') && !child.is_protected() && child.parents.empty();
}

void add_join(const Relation& parent, const Relation& child, FollowedDdl& made) {
  made.before.push_back({.kind = DdlAct::Kind::kJoin,
                         .number = 0,
                         .column = {},
                         .privileges = {},
                         .roles = {},
                         .grant_option_only = false,
                         .cascade = false,
                         .relation = parent.oid,
                         .child = child.oid});
  made.relations.push_back(child.oid);
}

/// One ALTER TABLE on a protected table, command by command.
class Alter {
 public:
  Alter(const Relation& relation, const Catalogue& catalogue, const Context& context)
      : relation_(relation), catalogue_(catalogue), context_(context) {}

  DdlVerdict judge(const pg::AlterTableStmt& alter) {
    for (const auto& node : alter.cmds()) {
      if (auto refusal = command(node.alter_table_cmd())) return {refusal, std::nullopt};
    }
    if (replaced_ && alter.cmds_size() != static_cast<int>(made_.acts.size())) {
      return {refuse(nullptr, "SET NOT NULL of a protected column together with other changes",
                     "send SET NOT NULL as a statement of its own"),
              std::nullopt};
    }
    if (!followed_) return {};
    if (relation_.has_members && !alter.relation().inh() && !made_.acts.empty()) {
      return {refuse(nullptr, "ALTER TABLE ONLY of a protected column",
                     "leave ONLY out: partitions and children have the column from here"),
              std::nullopt};
    }
    made_.replaced = replaced_;
    made_.members = relation_.has_members;
    made_.relations.push_back(relation_.oid);
    return follow(catalogue_, std::move(made_));
  }

 private:
  using Answer = std::optional<Refusal>;

  Refusal refuse(const Column* column, std::string_view construct, std::string_view remedy) const {
    return utility_refusal(&relation_, column, construct, remedy);
  }

  void act(DdlAct::Kind kind, const Column& column, bool cascade = false) {
    followed_ = true;
    made_.acts.push_back({.kind = kind,
                          .number = column.protection->number,
                          .column = column.name,
                          .privileges = {},
                          .roles = {},
                          .grant_option_only = false,
                          .cascade = cascade,
                          .relation = relation_.oid});
  }

  Answer command(const pg::AlterTableCmd& one) {
    if (is_harmless(one.subtype())) return std::nullopt;
    const auto* column = relation_.find(one.name());
    const bool secret = column != nullptr && column->protection.has_value();
    switch (one.subtype()) {
      case pg::AT_AddColumn:
        return add_column(one);
      case pg::AT_DropColumn:
        followed_ = true;
        if (secret) act(DdlAct::Kind::kDropColumn, *column, one.behavior() == pg::DROP_CASCADE);
        return std::nullopt;
      case pg::AT_ColumnDefault:
        return column_default(one, column, secret);
      case pg::AT_DropNotNull:
        if (secret) act(DdlAct::Kind::kDropNotNull, *column);
        return std::nullopt;
      case pg::AT_SetNotNull:
        replaced_ = replaced_ || secret;
        if (secret) act(DdlAct::Kind::kSetNotNull, *column);
        return std::nullopt;
      case pg::AT_AlterColumnType:
        return column_type(one, column, secret);
      case pg::AT_AddConstraint:
        return add_constraint(one.def().constraint());
      case pg::AT_DropConstraint:
        followed_ = true;
        return std::nullopt;
      case pg::AT_AttachPartition:
        return join(one.def().partition_cmd().name(), false);
      case pg::AT_AddInherit:
        return join(one.def().range_var(), true);
      // What is taken out stays protected as it is.
      case pg::AT_DetachPartition:
      case pg::AT_DropInherit:
        if (one.def().partition_cmd().concurrent()) break;
        if (const auto* out = concerned(one.def().partition_cmd().name(), catalogue_, context_)) {
          made_.relations.push_back(out->oid);
        }
        followed_ = true;
        return std::nullopt;
      case pg::AT_AddIdentity:
      case pg::AT_SetIdentity:
      case pg::AT_DropIdentity:
      case pg::AT_SetStorage:
      case pg::AT_SetCompression:
      case pg::AT_DropExpression:
        if (!secret) return std::nullopt;
        break;
      default:
        break;
    }
    return refuse(column, "ALTER TABLE of a protected table", kUnprotect);
  }

  /// ATTACH PARTITION and INHERIT: the child must have been protected as the parent is, which only
  /// one that was its child before can be.
  Answer join(const pg::RangeVar& named, bool parent) {
    const auto* other = concerned(named, catalogue_, context_);
    const auto* above = parent ? other : &relation_;
    const auto* below = parent ? &relation_ : other;
    const auto same = [&](const Column& column) {
      const auto* its = below == nullptr ? nullptr : below->find(column.name);
      return !column.protection || (its != nullptr && its->protection &&
                                    its->protection->number == column.protection->number);
    };
    followed_ = true;
    if (above != nullptr && std::all_of(above->columns.begin(), above->columns.end(), same)) {
      if (other != nullptr) made_.relations.push_back(other->oid);
      return std::nullopt;
    }
    if (!parent && other == nullptr) {
      const auto* child =
          catalogue_.find(named.schemaname(), named.relname(), context_.search_path);
      if (child != nullptr && can_join(*child)) {
        add_join(relation_, *child, made_);
        return std::nullopt;
      }
    }
    return refuse(nullptr, kJoined, kJoinedRemedy);
  }

  Answer add_column(const pg::AlterTableCmd& one) {
    if (const auto* column = named_column(one.def().column_def(), relation_)) {
      return refuse(column, "a new column computed from a protected one or tested with it",
                    "let the program compute it");
    }
    followed_ = true;
    if (awaits_column(relation_.name, one.def().column_def().colname(), catalogue_)) {
      made_.awaited.push_back(relation_.name);
    }
    return std::nullopt;
  }

  Answer column_default(const pg::AlterTableCmd& one, const Column* column, bool secret) {
    if (!secret) return std::nullopt;
    if (!one.has_def()) {
      act(DdlAct::Kind::kDropDefault, *column);
      return std::nullopt;
    }
    bool computed = false;
    each_of<pg::FuncCall>(one.def(), [&](const pg::FuncCall&) { computed = true; });
    each_of<pg::SQLValueFunction>(one.def(), [&](const pg::SQLValueFunction&) { computed = true; });
    if (computed) {
      return refuse(column, "a default that is not a constant", "let the program give the value");
    }
    followed_ = true;
    return std::nullopt;
  }

  Answer column_type(const pg::AlterTableCmd& one, const Column* column, bool secret) {
    const auto& using_expression = one.def().column_def();
    if (secret && using_expression.has_raw_default()) {
      return refuse(column, "ALTER COLUMN TYPE ... USING",
                    "leave USING out, or copy in the program");
    }
    if (const auto* named = named_column(using_expression, relation_);
        named != nullptr && !secret) {
      return refuse(named, "ALTER COLUMN TYPE ... USING a protected column",
                    "copy the values in the program");
    }
    followed_ = followed_ || secret;
    return std::nullopt;
  }

  Answer add_constraint(const pg::Constraint& constraint) {
    const auto secret_in = [&](const Nodes& names) -> const Column* {
      for (const auto& name : names) {
        const auto* column = relation_.find(string_of(name));
        if (column != nullptr && column->protection) return column;
      }
      return nullptr;
    };
    switch (constraint.contype()) {
      case pg::CONSTR_UNIQUE:
        followed_ = true;
        return std::nullopt;
      case pg::CONSTR_PRIMARY:
        followed_ = true;
        if (const auto* column = secret_in(constraint.keys())) {
          return refuse(column, "a protected column in the primary key",
                        "give the table a key that says nothing");
        }
        return std::nullopt;
      case pg::CONSTR_FOREIGN:
        if (const auto* column = secret_in(constraint.fk_attrs())) {
          return refuse(column, "a foreign key on a protected column",
                        "a common domain in the policy keeps joins working");
        }
        return std::nullopt;
      default:
        break;
    }
    const auto* column = named_column(constraint, relation_);
    if (column == nullptr && !has_whole_row(constraint, relation_)) return std::nullopt;
    return refuse(column, "a CHECK or exclusion constraint on a protected column",
                  "let the program check");
  }

  const Relation& relation_;
  const Catalogue& catalogue_;
  const Context& context_;
  FollowedDdl made_;
  bool followed_ = false, replaced_ = false;
};

/// A table that is not protected, but of which columns are awaited.
DdlVerdict judge_awaited(const pg::AlterTableStmt& alter, const Catalogue& catalogue) {
  const auto& table = alter.relation().relname();
  for (const auto& node : alter.cmds()) {
    const auto& one = node.alter_table_cmd();
    const bool adds = one.subtype() == pg::AT_AddColumn &&
                      awaits_column(table, one.def().column_def().colname(), catalogue);
    const bool inherits =
        one.subtype() == pg::AT_AddInherit || one.subtype() == pg::AT_AttachPartition;
    if (adds || inherits) return follow(catalogue, nullptr, table);
  }
  return {};
}

}  // namespace

std::optional<Refusal> refuse_foreign_keys(const Message& tree, const Catalogue& catalogue,
                                           const Context& context) {
  std::optional<Refusal> found;
  each_of<pg::Constraint>(tree, [&](const pg::Constraint& one) {
    if (found || !one.has_pktable()) return;
    const auto* relation = concerned(one.pktable(), catalogue, context);
    if (relation == nullptr) return;
    if (one.pk_attrs_size() == 0 && relation->keys.empty()) {
      found = utility_refusal(relation, nullptr, "a foreign key to a protected column", kUnprotect);
    }
    for (const auto& attribute : one.pk_attrs()) {
      const auto* column = relation->find(string_of(attribute));
      if (column != nullptr && (column->protection || column->helper)) {
        found =
            utility_refusal(relation, column, "a foreign key to a protected column", kUnprotect);
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

namespace {

/// Its one command names another table by design.
bool joins_parent(const pg::AlterTableStmt& alter) {
  if (alter.cmds_size() != 1) return false;
  const auto type = alter.cmds(0).alter_table_cmd().subtype();
  return type == pg::AT_AttachPartition || type == pg::AT_DetachPartition ||
         type == pg::AT_AddInherit || type == pg::AT_DropInherit;
}

}  // namespace

DdlVerdict judge_alter(const pg::Node& statement, const pg::AlterTableStmt& alter,
                       const Catalogue& catalogue, const Context& context) {
  if (auto found = refuse_foreign_keys(alter, catalogue, context)) return {found, std::nullopt};
  if (alter.objtype() == pg::OBJECT_INDEX && joins_parent(alter) && catalogue.has_protected()) {
    return follow(catalogue, FollowedDdl{});
  }
  const auto* own = concerned(alter.relation(), catalogue, context);
  const auto* other = concerned_beside_keys(statement, catalogue, context, &alter.relation());
  if (other != nullptr && own == nullptr && joins_parent(alter)) {
    const auto* child = catalogue.find(alter.relation().schemaname(), alter.relation().relname(),
                                       context.search_path);
    const bool inherits = alter.cmds(0).alter_table_cmd().subtype() == pg::AT_AddInherit;
    if (!inherits || child == nullptr || !can_join(*child)) {
      return {utility_refusal(other, nullptr, kJoined, kJoinedRemedy), std::nullopt};
    }
    FollowedDdl made;
    add_join(*other, *child, made);
    return follow(catalogue, std::move(made));
  }
  if (other != nullptr && !joins_parent(alter)) {
    return {utility_refusal(other, nullptr, "ALTER TABLE that names a protected table", kUnprotect),
            std::nullopt};
  }
  if (own != nullptr && own->recreated) return judge_alter_view(alter, *own, catalogue);
  if (own != nullptr && !own->is_protected_table()) {
    return {utility_refusal(own, nullptr, "ALTER of a view on protected columns",
                            "drop the view and make it again"),
            std::nullopt};
  }
  if (own != nullptr) return Alter(*own, catalogue, context).judge(alter);
  if (!awaits_in(alter.relation().schemaname(), alter.relation().relname(), catalogue)) return {};
  return judge_awaited(alter, catalogue);
}

}  // namespace theriac::rewrite
