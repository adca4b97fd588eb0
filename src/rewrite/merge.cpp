// MERGE. A branch that gives a protected column a value needs the source's rows first, so that each
// gets sealed bytes of its own: they are gathered, and the MERGE runs over arrays
// (merge_gather.cpp). One that deletes, sets NULL or writes other columns runs in one step.
#include "rewrite/merge.hpp"

#include <algorithm>

namespace theriac::rewrite {
namespace {

constexpr std::string_view kValueRemedy =
    "compute the value in the program and send it as a literal or parameter";
constexpr std::string_view kKeyRemedy =
    "join by a key of the table (ON t.id = s.id), so that a row of the source meets one row";
constexpr std::string_view kBoundRemedy = "set every protected column of the table, or use UPDATE";

bool is_update(const pg::MergeWhenClause& clause) {
  return clause.command_type() == pg::CMD_UPDATE;
}
bool is_insert(const pg::MergeWhenClause& clause) {
  return clause.command_type() == pg::CMD_INSERT;
}

pg::Node& add_set(Nodes& list, std::string_view name) {
  auto& target = *list.Add()->mutable_res_target();
  target.set_name(std::string(name));
  return *target.mutable_val();
}

}  // namespace

/// Attributes of the target that the condition equates with something of the source's.
void Rewriter::merged_columns(const pg::Node& condition, const Merging& merging,
                              std::vector<std::int16_t>& out) {
  if (condition.has_bool_expr() && condition.bool_expr().boolop() == pg::AND_EXPR) {
    for (const auto& arg : condition.bool_expr().args()) merged_columns(arg, merging, out);
    return;
  }
  if (!condition.has_a_expr() || condition.a_expr().kind() != pg::AEXPR_OP ||
      operator_of(condition.a_expr().name()) != "=") {
    return;
  }
  const auto& left = condition.a_expr().lexpr();
  const auto& right = condition.a_expr().rexpr();
  const auto of_target = [&](const pg::ColumnRef& one) {
    return is_star(one) || resolve(one, *merging.matched).item == merging.target;
  };
  for (const auto& [one, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
    if (!one->has_column_ref() || !of_target(one->column_ref())) continue;
    const auto found = resolve(one->column_ref(), *merging.matched);
    if (found.kind != Resolved::Kind::kColumn || found.secret()) continue;
    bool own = false;
    each_of<pg::ColumnRef>(*other, [&](const pg::ColumnRef& ref) { own = own || of_target(ref); });
    each_of<pg::SubLink>(*other, [&](const pg::SubLink&) { own = true; });
    if (!own) out.push_back(found.column().column->attribute);
  }
}

/// Does a row of the source meet one row of the target at most?
bool Rewriter::merges_by_key(const pg::MergeStmt& statement, const Merging& merging) {
  if (merging.target->relation == nullptr) return false;
  std::vector<std::int16_t> joined;
  merged_columns(statement.join_condition(), merging, joined);
  if (!merging.target->relation->keys_name_rows()) return false;
  const auto& keys = merging.target->relation->keys;
  return std::any_of(keys.begin(), keys.end(), [&](const std::vector<std::int16_t>& key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [&](std::int16_t attribute) {
      return std::find(joined.begin(), joined.end(), attribute) != joined.end();
    });
  });
}

bool Rewriter::merge(pg::MergeStmt& statement, const Env* env) {
  Written into;
  if (!written_table(statement, env, into)) return false;
  if (into.target->relation != nullptr && into.target->relation->is_view()) {
    return refuse(into.target->relation, nullptr, "MERGE into a view", "name the table");
  }
  Merging merging;
  merging.target = into.target;
  merging.matched = into.level;
  merging.unmatched = &new_level(nullptr, into.env);
  auto& outside = new_level(nullptr, into.env);
  auto& names = merging.unmatched->names;
  if (!from_item(*statement.mutable_source_relation(), outside, {}, names, merging.source)) {
    return false;
  }
  merging.matched->names.insert(merging.matched->names.end(), names.begin(), names.end());
  for (auto& node : *statement.mutable_merge_when_clauses()) {
    if (!merge_columns(*node.mutable_merge_when_clause(), merging)) return false;
  }
  if (!carry_merged(statement, merging)) return false;
  merging.by_key = merges_by_key(statement, merging);
  if (!condition(*statement.mutable_join_condition(), *merging.matched)) return false;
  for (auto& branch : merging.branches) {
    auto& clause = *branch.clause;
    auto& level = clause.matched() ? *merging.matched : *merging.unmatched;
    if (clause.has_condition() && !condition(*clause.mutable_condition(), level)) return false;
    if (is_update(clause) && !merge_update(branch, merging)) return false;
    if (is_insert(clause) && !merge_insert(branch, merging)) return false;
  }
  const bool gathers =
      std::any_of(merging.branches.begin(), merging.branches.end(), [](const MergeBranch& one) {
        return std::any_of(one.values.begin(), one.values.end(),
                           [](const MergeValue& value) { return value.gives(); });
      });
  if (gathers) return merge_gathered(statement, merging);
  for (auto& branch : merging.branches) write_branch(branch, nullptr);
  return true;
}

/// Which columns a branch writes. An INSERT without a list gets one.
bool Rewriter::merge_columns(pg::MergeWhenClause& clause, Merging& merging) {
  auto& branch = merging.branches.emplace_back();
  branch.clause = &clause;
  const auto* relation = merging.target->relation;
  if (is_update(clause) &&
      !spread_sources(*clause.mutable_target_list(), *merging.target, *merging.matched)) {
    return false;
  }
  if (relation == nullptr || !relation->is_protected()) return true;
  auto& list = *clause.mutable_target_list();
  if (is_insert(clause) && list.empty()) {
    for (const auto& column : relation->columns) {
      if (column.helper || list.size() >= clause.values_size()) continue;
      list.Add()->mutable_res_target()->set_name(column.name);
      edited_ = true;  // the server's table has more columns
    }
  }
  for (const auto& node : list) {
    const auto& target = node.res_target();
    const auto* column = relation->find(target.name());
    if (column == nullptr || column->helper) {
      return refuse_state("42703", "a column that does not exist", "check the column list");
    }
    if (column->protection && target.indirection_size() > 0) {
      return refuse(relation, column, "a part of a column", kValueRemedy);
    }
    branch.columns.push_back(column);
  }
  if (is_insert(clause) && clause.values_size() != list.size()) {
    return refuse_state("42601", "columns and values of different numbers",
                        "check the column list");
  }
  return true;
}

bool Rewriter::carry_merged(const pg::MergeStmt& statement, const Merging& merging) {
  Nodes from;
  *from.Add() = statement.source_relation();
  for (const bool inserts : {false, true}) {
    std::vector<Carried> all;
    for (const auto& branch : merging.branches) {
      if (is_insert(*branch.clause) != inserts) continue;
      for (std::size_t i = 0; i < branch.columns.size(); ++i) {
        if (!branch.columns[i]->protection) continue;
        const auto at = static_cast<int>(i);
        const auto& value =
            inserts ? branch.clause->values(at) : branch.clause->target_list(at).res_target().val();
        all.push_back({&value, merging.target->relation, branch.columns[i]});
      }
    }
    if (!carry(all, from, inserts ? *merging.unmatched : *merging.matched)) return false;
  }
  return true;
}

/// What a branch gives one protected column.
bool Rewriter::merge_value(const pg::Node& written, const Column& column, bool update,
                           const Merging& merging, MergeValue& out) {
  const auto* relation = merging.target->relation;
  out.column = &column;
  pg::Node value = written;
  straighten(value, *merging.matched);
  if (value.has_set_to_default()) return merge_default(column, merging, out);
  if (update) {
    if (const auto found = protected_reference(value, *merging.matched, true);
        found && found->item == merging.target && found->column().column == &column) {
      out.what = MergeWhat::kKeep;
      return true;
    }
  }
  const auto constant = constant_of(value, column);
  if (constant.is) {
    if (!constant.refused.empty()) return refuse(relation, &column, constant.refused, kValueRemedy);
    if (!constant.is_null()) {
      out.what = MergeWhat::kConstant;
      out.constant = constant.source;
    }
    return true;
  }
  bool own = false;
  each_of<pg::ColumnRef>(value, [&](const pg::ColumnRef& one) {
    own = own || (!is_star(one) && resolve(one, *merging.matched).item == merging.target);
  });
  if (update && own) {
    return refuse(relation, &column, "MERGE that sets a column from another one of its table",
                  "use UPDATE for it");
  }
  out.what = MergeWhat::kGathered;
  const bool constants = shows_constants(value, *merging.unmatched);
  ItemColumn made;
  const auto answer = this->value(value, *merging.unmatched, Form::kSealed, made);
  if (answer == Answer::kRefused) return false;
  if (answer == Answer::kDone) {
    out.sealed = made;
  } else if (constants) {
    return refuse(relation, &column, "an expression with a literal or parameter as the value",
                  kValueRemedy);
  } else if (answer == Answer::kNotMine &&
             !expression(value, *merging.unmatched, "a value from an expression")) {
    return false;
  } else if (!cast_to_column(value, column)) {
    return refuse(relation, &column, "a value from an expression", kValueRemedy);
  }
  out.value = value;
  return true;
}

bool Rewriter::merge_default(const Column& column, const Merging& merging, MergeValue& out) {
  const auto& protection = *column.protection;
  out.column = &column;
  if (protection.default_refused) {
    return refuse(merging.target->relation, &column, "a default that is not a constant",
                  kValueRemedy);
  }
  if (protection.default_stored) {
    out.what = MergeWhat::kConstant;
    out.constant = Literal{false, *protection.default_stored, 0};
  }
  return true;
}

bool Rewriter::merge_update(MergeBranch& branch, const Merging& merging) {
  auto& list = *branch.clause->mutable_target_list();
  const auto* relation = merging.target->relation;
  std::size_t set = 0;
  bool gives = false;
  for (int i = 0; i < list.size(); ++i) {
    auto& target = *list.Mutable(i)->mutable_res_target();
    const auto* column =
        branch.columns.empty() ? nullptr : branch.columns[static_cast<std::size_t>(i)];
    if (column != nullptr && column->protection) {
      auto& value = branch.values.emplace_back();
      if (!merge_value(target.val(), *column, true, merging, value)) return false;
      set += value.what == MergeWhat::kKeep ? 0 : 1;
      gives = gives || value.gives();
      if (value.gives() && !merging.by_key && !column->protection->searchable) {
        // Equal bytes in several rows would show what no index shows.
        return refuse(relation, column, "MERGE that may give several rows one value", kKeyRemedy);
      }
    } else if (!target.val().has_multi_assign_ref() &&
               !expression(*target.mutable_val(), *merging.matched,
                           "an assignment to an unprotected column")) {
      return false;
    }
    for (auto& part : *target.mutable_indirection()) {
      if (!expression(part, *merging.matched, "a subscript")) return false;
    }
  }
  if (!gives || !relation->bound) return true;
  // The row takes the identity that the new values carry, so all of them must come with it.
  const auto all = static_cast<std::size_t>(
      std::count_if(relation->columns.begin(), relation->columns.end(),
                    [](const Column& one) { return one.protection.has_value(); }));
  if (set < all) {
    return refuse(relation, nullptr, "MERGE that updates rows which values are bound to",
                  kBoundRemedy);
  }
  if (!merging.by_key) {
    return refuse(relation, nullptr, "MERGE that may give several rows one identity", kKeyRemedy);
  }
  branch.renews_identity = true;
  return true;
}

bool Rewriter::merge_insert(MergeBranch& branch, const Merging& merging) {
  auto& clause = *branch.clause;
  const auto* relation = merging.target->relation;
  for (int i = 0; i < clause.values_size(); ++i) {
    const auto* column =
        branch.columns.empty() ? nullptr : branch.columns[static_cast<std::size_t>(i)];
    if (column != nullptr && column->protection) {
      auto& value = branch.values.emplace_back();
      if (!merge_value(clause.values(i), *column, false, merging, value)) return false;
    } else if (!expression(*clause.mutable_values(i), *merging.unmatched,
                           "an assignment to an unprotected column")) {
      return false;
    }
  }
  if (relation == nullptr || !relation->is_protected()) return true;
  for (const auto& column : relation->columns) {
    const auto& given = branch.columns;
    if (!column.protection || std::find(given.begin(), given.end(), &column) != given.end()) {
      continue;
    }
    if (!column.protection->default_stored && !column.protection->default_refused) continue;
    if (!merge_default(column, merging, branch.values.emplace_back())) return false;
  }
  branch.renews_identity = relation->bound;
  return true;
}

/// Writes the branch as the server gets it. `source`: where the gathered values stand; null if
/// none is given.
void Rewriter::write_branch(MergeBranch& branch, const MergedSource* source) {
  if (branch.values.empty() && !branch.renews_identity) return;
  edited_ = true;
  auto& clause = *branch.clause;
  const bool insert = is_insert(clause);
  Nodes names;
  Nodes values;
  for (int i = 0; i < clause.target_list_size(); ++i) {
    const auto* column = branch.columns[static_cast<std::size_t>(i)];
    if (column->protection) {
      // The plain column is NULL already; naming it fires UPDATE OF triggers.
      if (!insert) make_null(add_set(names, column->name));
      continue;
    }
    *names.Add() = clause.target_list(i);
    if (insert) *values.Add() = clause.values(i);
  }
  const auto add = [&](std::string_view name, const pg::Node& value) {
    if (insert) {
      names.Add()->mutable_res_target()->set_name(std::string(name));
      *values.Add() = value;
    } else {
      add_set(names, name) = value;
    }
  };
  pg::Node nothing;
  make_null(nothing);
  for (const auto& value : branch.values) {
    if (value.what == MergeWhat::kKeep) continue;
    const auto& protection = *value.column->protection;
    if (value.gives()) {
      for (const auto& [name, place] : source->values.at(&value)) add(name, source->column(place));
      continue;
    }
    if (insert) continue;
    note_written(*value.column);
    add(protection.sealed_name(), nothing);
    for (const int index : protection.indexes()) add(protection.index_name(index), nothing);
  }
  if (branch.renews_identity) {
    pg::Node fresh;
    auto& call = *fresh.mutable_func_call();
    make_string(*call.add_funcname(), "pg_catalog");
    make_string(*call.add_funcname(), "gen_random_uuid");
    call.set_funcformat(pg::COERCE_EXPLICIT_CALL);
    // Where nothing sealed is written the server may choose the identity.
    add("theriac_row", source == nullptr ? fresh : source->column(source->identity));
  }
  *clause.mutable_target_list() = names;
  *clause.mutable_values() = values;
}

}  // namespace theriac::rewrite
