// ON CONFLICT: which unique index decides, and what DO UPDATE gives protected columns.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kRemedy =
    "set it from excluded, a literal or a parameter, or with an UPDATE of its own";

pg::Node& add_target(Nodes& list, std::string_view name) {
  auto& target = *list.Add()->mutable_res_target();
  target.set_name(std::string(name));
  return *target.mutable_val();
}

}  // namespace

bool Rewriter::on_conflict(pg::InsertStmt& statement, Item& target, Level& level, bool one_row) {
  auto& clause = *statement.mutable_on_conflict_clause();
  if (!conflict_target(clause, target, level)) return false;
  auto& both = new_level(nullptr, level.env);
  auto& excluded = new_item();
  excluded = target;
  excluded.name = "excluded";
  excluded.aliased = true;
  both.names = {{&target, true, true}, {&excluded, true, true}};
  if (!conflict_assignments(statement, target, both, one_row)) return false;
  return !clause.has_where_clause() || condition(*clause.mutable_where_clause(), both);
}

bool Rewriter::conflict_target(pg::OnConflictClause& clause, const Item& target, Level& level) {
  if (!clause.has_infer()) return true;
  auto& infer = *clause.mutable_infer();
  for (auto& node : *infer.mutable_index_elems()) {
    auto& element = *node.mutable_index_elem();
    if (element.has_expr() && !expression(*element.mutable_expr(), level, "ON CONFLICT")) {
      return false;
    }
    if (element.name().empty() || target.relation == nullptr) continue;
    const auto* column = target.relation->find(element.name());
    if (column != nullptr && column->helper) {
      return refuse_state("42703", "a column that does not exist", "check the column list");
    }
    if (column == nullptr || !column->protection) continue;
    if (!column->protection->searchable || element.collation_size() > 0 ||
        element.opclass_size() > 0) {
      return refuse(target.relation, column, "ON CONFLICT on a protected column",
                    "make the column searchable in the policy");
    }
    element.set_name(column->protection->index_name());
    note_compared(*column);
    edited_ = true;
  }
  return !infer.has_where_clause() || condition(*infer.mutable_where_clause(), level);
}

bool Rewriter::conflict_assignments(pg::InsertStmt& statement, const Item& target, Level& level,
                                    bool one_row) {
  auto& list = *statement.mutable_on_conflict_clause()->mutable_target_list();
  Nodes made;
  if (!spread_sources(list, target, level)) return false;
  std::size_t from_excluded = 0;
  std::vector<int> sealed;  ///< places in `made` of values that are bound to their row
  const auto* relation = target.relation;
  bool changed = false;
  for (auto& node : list) {
    auto& assigned = *node.mutable_res_target();
    const auto* column = relation == nullptr ? nullptr : relation->find(assigned.name());
    if (column != nullptr && column->helper) {
      return refuse_state("42703", "a column that does not exist", "check the column list");
    }
    auto& value = *assigned.mutable_val();
    if (column == nullptr || !column->protection) {
      if (!value.has_multi_assign_ref() &&
          !expression(value, level, "an assignment to an unprotected column")) {
        return false;
      }
      *made.Add() = node;
      continue;
    }
    changed = true;
    if (assigned.indirection_size() > 0) {
      return refuse(relation, column, "SET of a part of a column", kRemedy);
    }
    make_null(add_target(made, column->name));
    if (relation->bound) {
      // Sealed bytes of this row or of the one that was to be inserted, not of a third.
      const auto found = protected_reference(value, level, true);
      const bool own = found && found->column().column == column;
      if (own && found->item->name == target.name) continue;
      if (own && found->item->name == "excluded") ++from_excluded;
      if (!own && !value.has_set_to_default() && !constant_node(value)) {
        return refuse(relation, column, "ON CONFLICT DO UPDATE from an expression", kRemedy);
      }
      // Sealed once, a value is of one row.
      if (!own && !one_row && !is_null(value)) {
        return refuse(relation, column, "ON CONFLICT DO UPDATE of several rows to one value",
                      kRemedy);
      }
    }
    const auto before = made.size();
    if (!conflict_value(value, relation, *column, level, one_row, made)) return false;
    if (!relation->bound) continue;
    for (int i = before; i < made.size(); ++i) {
      const auto& given = made.Get(i).res_target();
      if (given.name() == column->protection->sealed_name() && !is_null(given.val())) {
        sealed.push_back(i);
      }
    }
  }
  if (!changed) return true;
  if (!sealed.empty()) {
    const auto all = static_cast<std::size_t>(
        std::count_if(relation->columns.begin(), relation->columns.end(),
                      [](const Column& one) { return one.protection.has_value(); }));
    if (from_excluded == all) {
      // The row takes the identity that its new values carry.
      make_column(add_target(made, "theriac_row"), {"excluded", "theriac_row"});
    } else {
      if (!keep_identities(statement, target)) return false;
      if_identity_kept(target, *made.Mutable(sealed.front())->mutable_res_target()->mutable_val());
    }
  }
  edited_ = true;
  list = made;
  return true;
}

bool Rewriter::conflict_value(const pg::Node& value, const Relation* relation, const Column& column,
                              Level& level, bool one_row, Nodes& out) {
  const auto& protection = *column.protection;
  note_written(column);
  pg::Node given = value;
  if (given.has_set_to_default()) {
    if (protection.default_refused) {
      return refuse(relation, &column, "a default that is not a constant", kRemedy);
    }
    if (protection.default_stored) {
      given.mutable_a_const()->mutable_sval()->set_sval(*protection.default_stored);
    } else {
      make_null(given);
    }
  }
  if (is_null(given)) {
    make_null(add_target(out, protection.sealed_name()));
    for (const int index : protection.indexes()) {
      make_null(add_target(out, protection.index_name(index)));
    }
    return true;
  }
  ItemColumn like;
  like.relation = relation;
  like.column = &column;
  like.type = column.type;
  storing_ = true;
  const bool good = stored_forms(given, like, level, one_row, out);
  storing_ = false;
  return good;
}

bool Rewriter::stored_forms(const pg::Node& value, const ItemColumn& like, Level& level,
                            bool one_row, Nodes& out) {
  const auto& protection = *like.column->protection;
  const auto form = [&](Form wanted, const std::string& helper) {
    pg::Node made = value;
    if (constant_node(made)) {
      // Of several rows equal bytes would show what no index shows.
      if (!one_row && !protection.searchable) {
        return refuse(like, "ON CONFLICT DO UPDATE of several rows to one value", kRemedy);
      }
      if (!constant_value(made, wanted, like)) return false;
    } else {
      // Sealed bytes of the same column may be stored as they are.
      ItemColumn found;
      if (this->value(made, level, wanted, found) != Answer::kDone) {
        return refuse(like, "ON CONFLICT DO UPDATE from an expression", kRemedy);
      }
      if (found.column != like.column || !found.also.empty()) {
        return refuse(like, "ON CONFLICT DO UPDATE from another column", kRemedy);
      }
      if (found.with_row) {
        make_column(made, {"excluded", helper});
      }
    }
    add_target(out, helper) = made;
    return true;
  };
  if (!form(Form::kSealed, protection.sealed_name()) ||
      (protection.searchable && !form(Form::kIndex, protection.index_name()))) {
    return false;
  }
  return stored_expressions(value, like, level, out);
}

/// The indexes of expressions: of a constant, or beside a column that is taken as it is.
bool Rewriter::stored_expressions(const pg::Node& value, const ItemColumn& like, Level& level,
                                  Nodes& out) {
  const auto& protection = *like.column->protection;
  for (const int index : protection.indexes()) {
    if (index == 0) continue;
    pg::Node made;
    if (constant_node(value)) {
      const auto constant = constant_of(value, *like.column);
      if (!constant.refused.empty()) return bad_constant(like, constant);
      slot_node(made,
                slot(Slot::Fill::kIndex, constant.source, *like.relation, *like.column, 0, index));
    } else {
      const auto found = value.has_column_ref() ? resolve(value.column_ref(), level) : Resolved{};
      if (!found.secret() || found.column().column != like.column ||
          found.item->relation == nullptr) {
        return refuse(like, "ON CONFLICT DO UPDATE from an expression", kRemedy);
      }
      if (!reference(*found.item, protection.index_name(index), level, made)) return false;
    }
    add_target(out, protection.index_name(index)) = made;
  }
  return true;
}

}  // namespace theriac::rewrite
