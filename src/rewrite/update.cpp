// UPDATE and DELETE.
//
// A protected column gets its value in one step where the condition pins one row by a key that is
// not protected; otherwise the rows are located and locked first, and each gets sealed bytes of its
// own (gateway.md, "Writing"): equal bytes in several rows would show that their values are equal.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kRows = "theriac_rows";
constexpr std::string_view kKey = "theriac_k";
constexpr std::string_view kValueRemedy =
    "compute the value in the program and send it as a literal or parameter";

void set_null(Nodes& list, std::string_view name) {
  auto& target = *list.Add()->mutable_res_target();
  target.set_name(std::string(name));
  make_null(*target.mutable_val());
}

void set_column(Nodes& list, std::string_view name, std::string_view source) {
  auto& target = *list.Add()->mutable_res_target();
  target.set_name(std::string(name));
  make_column(*target.mutable_val(), {kRows, source});
}

bool is_given_value(const pg::Node& node) {
  const auto* inner = &node;
  while (inner->has_type_cast()) inner = &inner->type_cast().arg();
  return inner->has_param_ref() || (inner->has_a_const() && !inner->a_const().isnull());
}

}  // namespace

/// What SET gives a protected column.
struct Rewriter::Assigned {
  enum class What : std::uint8_t { kValue, kNull, kKeep };
  const Column* column = nullptr;
  What what = What::kNull;
  ValueSource source;
};

bool Rewriter::spread_sources(Nodes& list, const Item& target, Level& level) {
  const auto is_protected = [&](const pg::Node& node) {
    const auto* column =
        target.relation == nullptr ? nullptr : target.relation->find(node.res_target().name());
    return column != nullptr && column->protection.has_value();
  };
  for (int at = 0; at < list.size();) {
    if (!list.Get(at).res_target().val().has_multi_assign_ref()) {
      ++at;
      continue;
    }
    // (a, b) = source stands as one target for each column, each holding the whole source.
    const int count = list.Get(at).res_target().val().multi_assign_ref().ncolumns();
    const int end = std::min(list.size(), at + std::max(count, 1));
    bool concerned = false;
    for (int i = at; i < end; ++i) concerned = concerned || is_protected(list.Get(i));
    pg::Node source = list.Get(at).res_target().val().multi_assign_ref().source();
    if (!concerned) {
      if (!expression(source, level, "an assignment to an unprotected column")) return false;
      for (int i = at; i < end; ++i) {
        *list.Mutable(i)
             ->mutable_res_target()
             ->mutable_val()
             ->mutable_multi_assign_ref()
             ->mutable_source() = source;
      }
    } else {
      if (!source.has_row_expr() || source.row_expr().args_size() != end - at) {
        const auto& name = list.Get(at).res_target().name();
        return refuse(target.relation, target.relation->find(name),
                      "SET of several columns from a sub-select", kValueRemedy);
      }
      for (int i = at; i < end; ++i) {
        const pg::Node value = source.row_expr().args(i - at);
        *list.Mutable(i)->mutable_res_target()->mutable_val() = value;
      }
      edited_ = true;
    }
    at = end;
  }
  return true;
}

bool Rewriter::update(pg::UpdateStmt& statement, const Env* env, bool nested, Derived& result) {
  Written into;
  if (!written_table(statement, env, into)) return false;
  auto& level = *into.level;
  auto* const target = into.target;
  if (!from_clause(*statement.mutable_from_clause(), level)) return false;
  if (statement.has_where_clause() && !condition(*statement.mutable_where_clause(), level)) {
    return false;
  }
  if (!spread_sources(*statement.mutable_target_list(), *target, level)) return false;
  std::vector<Assigned> assigned;
  if (!assignments(*statement.mutable_target_list(), *target, level, assigned)) return false;
  const bool values = std::any_of(assigned.begin(), assigned.end(), [](const Assigned& one) {
    return one.what == Assigned::What::kValue;
  });
  const bool by_rows = values && (target->relation->bound || !statement.has_where_clause() ||
                                  !is_pinned(statement.where_clause(), *target, level));
  // What found the row is not what it holds afterwards.
  for (std::size_t i = 0; i < target->columns.size(); ++i) {
    const bool changed = std::any_of(assigned.begin(), assigned.end(), [&](const Assigned& one) {
      return one.column == target->columns[i].column && one.what != Assigned::What::kKeep;
    });
    if (changed || by_rows) level.found_by.erase({target, i});
  }
  if (by_rows) level.found_by.clear();
  if (!returning(*statement.mutable_returning_list(), level, result)) return false;
  if (assigned.empty()) return true;
  if (!by_rows) {
    set_in_one_step(assigned, *target, *statement.mutable_target_list());
    return true;
  }
  if (nested) {
    return refuse(target->relation, assigned.front().column,
                  "UPDATE inside WITH that may meet several rows",
                  "send the UPDATE as a statement of its own");
  }
  return set_by_rows(statement, assigned, *target, level);
}

bool Rewriter::assignments(Nodes& list, const Item& target, Level& level,
                           std::vector<Assigned>& out) {
  for (auto& node : list) {
    auto& set = *node.mutable_res_target();
    const auto* column = target.relation == nullptr ? nullptr : target.relation->find(set.name());
    if (column != nullptr && column->helper) {
      return refuse_state("42703", "a column that does not exist", "check the names after SET");
    }
    if (column == nullptr && target.relation != nullptr && target.relation->is_protected()) {
      return refuse_state("42703", "a column that does not exist", "check the names after SET");
    }
    if (column != nullptr && column->protection) {
      Assigned assigned;
      if (!assignment(set, target, *column, level, assigned)) return false;
      out.push_back(std::move(assigned));
    } else if (!set.val().has_multi_assign_ref() &&
               !expression(*set.mutable_val(), level, "an assignment to an unprotected column")) {
      return false;
    }
    for (auto& part : *set.mutable_indirection()) {
      if (!expression(part, level, "a subscript")) return false;
    }
  }
  return true;
}

bool Rewriter::assignment(pg::ResTarget& set, const Item& target, const Column& column,
                          Level& level, Assigned& out) {
  const auto* relation = target.relation;
  out.column = &column;
  if (set.indirection_size() > 0) {
    return refuse(relation, &column, "SET of a part of a column", kValueRemedy);
  }
  auto& value = *set.mutable_val();
  if (value.has_set_to_default()) {
    const auto& protection = *column.protection;
    if (protection.default_refused) {
      return refuse(relation, &column, "a default that is not a constant", kValueRemedy);
    }
    if (protection.default_stored) {
      out.what = Assigned::What::kValue;
      out.source = Literal{false, *protection.default_stored, 0};
    }
    return true;
  }
  straighten(value, level);
  if (const auto found = protected_reference(value, level, true)) {
    if (found->item != &target || found->column().column != &column) {
      return refuse(relation, &column, "SET from another column",
                    "read the value in the program and send it back");
    }
    out.what = Assigned::What::kKeep;
    return true;
  }
  const auto constant = constant_of(value, column);
  if (!constant.is || !constant.refused.empty()) {
    return refuse(relation, &column, constant.is ? constant.refused : "SET from an expression",
                  kValueRemedy);
  }
  if (constant.is_null()) return true;
  out.what = Assigned::What::kValue;
  out.source = constant.source;
  return true;
}

void Rewriter::pinned_columns(const pg::Node& where, const Item& target, const Level& level,
                              std::vector<std::int16_t>& out) {
  if (where.has_bool_expr() && where.bool_expr().boolop() == pg::AND_EXPR) {
    for (const auto& arg : where.bool_expr().args()) pinned_columns(arg, target, level, out);
    return;
  }
  if (!where.has_a_expr() || where.a_expr().kind() != pg::AEXPR_OP ||
      operator_of(where.a_expr().name()) != "=") {
    return;
  }
  const auto& left = where.a_expr().lexpr();
  const auto& right = where.a_expr().rexpr();
  for (const auto& [one, other] : {std::pair(&left, &right), std::pair(&right, &left)}) {
    if (!one->has_column_ref() || is_star(one->column_ref()) || !is_given_value(*other)) continue;
    const auto found = resolve(one->column_ref(), level);
    if (found.kind != Resolved::Kind::kColumn || found.item != &target || found.secret()) continue;
    out.push_back(found.column().column->attribute);
  }
}

bool Rewriter::is_pinned(const pg::Node& where, const Item& target, const Level& level) {
  std::vector<std::int16_t> pinned;
  pinned_columns(where, target, level, pinned);
  const auto& keys = target.relation->keys;
  return std::any_of(keys.begin(), keys.end(), [&](const std::vector<std::int16_t>& key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [&](std::int16_t attribute) {
      return std::find(pinned.begin(), pinned.end(), attribute) != pinned.end();
    });
  });
}

void Rewriter::set_in_one_step(const std::vector<Assigned>& assigned, const Item& target,
                               Nodes& list) {
  Nodes made;
  for (const auto& node : list) {
    const auto at = std::find_if(assigned.begin(), assigned.end(), [&](const Assigned& one) {
      return one.column->name == node.res_target().name();
    });
    if (at == assigned.end()) {
      *made.Add() = node;
      continue;
    }
    const auto& column = *at->column;
    const auto& protection = *column.protection;
    // The plain column is NULL already; naming it fires UPDATE OF triggers.
    set_null(made, column.name);
    if (at->what == Assigned::What::kKeep) continue;
    const bool null = at->what == Assigned::What::kNull;
    note_written(column);
    set_null(made, protection.sealed_name());
    if (!null) {
      slot_node(*made.Mutable(made.size() - 1)->mutable_res_target()->mutable_val(),
                slot(Slot::Fill::kSeal, at->source, *target.relation, column, 0));
    }
    if (!protection.searchable) continue;
    set_null(made, protection.index_name());
    if (!null) {
      slot_node(*made.Mutable(made.size() - 1)->mutable_res_target()->mutable_val(),
                slot(Slot::Fill::kIndex, at->source, *target.relation, column, 0));
    }
  }
  list = made;
  edited_ = true;
}

void Rewriter::locate_rows(const pg::UpdateStmt& statement, const Item& target, bool touches_key,
                           pg::Node& out) {
  auto& select = *out.mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  if (statement.has_with_clause()) *select.mutable_with_clause() = statement.with_clause();
  make_column(*select.add_target_list()->mutable_res_target()->mutable_val(),
              {target.name, "ctid"});
  if (target.relation->bound) {
    make_column(*select.add_target_list()->mutable_res_target()->mutable_val(),
                {target.name, "theriac_row"});
  }
  *select.add_from_clause()->mutable_range_var() = statement.relation();
  if (statement.from_clause_size() > 0) {
    // Joined to several rows a target row is still one row.
    auto& link = *select.mutable_where_clause()->mutable_sub_link();
    link.set_sub_link_type(pg::EXISTS_SUBLINK);
    auto& inner = *link.mutable_subselect()->mutable_select_stmt();
    inner.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
    inner.set_op(pg::SETOP_NONE);
    make_true(*inner.add_target_list()->mutable_res_target()->mutable_val());
    *inner.mutable_from_clause() = statement.from_clause();
    if (statement.has_where_clause()) *inner.mutable_where_clause() = statement.where_clause();
  } else if (statement.has_where_clause()) {
    *select.mutable_where_clause() = statement.where_clause();
  }
  auto& lock = *select.add_locking_clause()->mutable_locking_clause();
  auto& locked = *lock.add_locked_rels()->mutable_range_var();
  locked.set_relname(target.name);
  locked.set_inh(true);
  locked.set_relpersistence("p");
  lock.set_strength(touches_key ? pg::LCS_FORUPDATE : pg::LCS_FORNOKEYUPDATE);
  lock.set_wait_policy(pg::LockWaitBlock);
}

bool Rewriter::set_by_rows(pg::UpdateStmt& statement, const std::vector<Assigned>& assigned,
                           const Item& target, const Level& level) {
  (void)level;
  const auto& relation = *target.relation;
  bool current_of = false;
  each_of<pg::CurrentOfExpr>(statement, [&](const pg::CurrentOfExpr&) { current_of = true; });
  if (current_of) {
    return refuse(&relation, assigned.front().column, "WHERE CURRENT OF",
                  "name the row by its key");
  }
  for (const auto& node : statement.with_clause().ctes()) {
    if (!node.common_table_expr().ctequery().has_select_stmt()) {
      return refuse(&relation, assigned.front().column,
                    "UPDATE of several rows beside a writing WITH",
                    "send the statements one after the other");
    }
  }
  bool touches_key = false;
  Nodes made;
  Located located;
  located.with_row_id = relation.bound;
  located.arrays = 1;
  std::string arrays = "pg_catalog.unnest($1::pg_catalog.tid[])";
  std::string names{kKey};
  for (const auto& node : statement.target_list()) {
    const auto at = std::find_if(assigned.begin(), assigned.end(), [&](const Assigned& one) {
      return one.column->name == node.res_target().name();
    });
    if (at == assigned.end()) {
      const auto* column = relation.find(node.res_target().name());
      for (const auto& key : relation.keys) {
        touches_key =
            touches_key || (column != nullptr &&
                            std::find(key.begin(), key.end(), column->attribute) != key.end());
      }
      *made.Add() = node;
      continue;
    }
    const auto& column = *at->column;
    const auto& protection = *column.protection;
    set_null(made, column.name);
    if (at->what == Assigned::What::kKeep) continue;
    note_written(column);
    if (at->what == Assigned::What::kNull) {
      set_null(made, protection.sealed_name());
      if (protection.searchable) set_null(made, protection.index_name());
      continue;
    }
    Located::Assignment one{relation.oid, column.attribute, at->source, 0, 0};
    const auto add = [&](char letter, const std::string& helper) {
      const int ordinal = located.arrays++;
      const auto name = std::string("theriac_") + letter + std::to_string(ordinal);
      arrays += ", pg_catalog.unnest($" + std::to_string(ordinal + 1) + "::pg_catalog.bytea[])";
      names += ", " + name;
      set_column(made, helper, name);
      return ordinal;
    };
    one.sealed = add('s', protection.sealed_name());
    if (protection.searchable) one.index = add('i', protection.index_name());
    located.assignments.push_back(std::move(one));
  }
  locate_rows(statement, target, touches_key, located.locate);
  *statement.mutable_target_list() = made;
  pg::ParseResult rows;
  if (!parse("SELECT FROM ROWS FROM (" + arrays + ") AS " + std::string(kRows) + "(" + names + ")",
             rows)) {
    return refuse_state("XX000", "an UPDATE of several rows", "report it");
  }
  pg::Node unnest = rows.stmts(0).stmt().select_stmt().from_clause(0);
  each_of<pg::ParamRef>(unnest, [](const pg::ParamRef& one) {
    auto& parameter = const_cast<pg::ParamRef&>(one);  // `unnest` is ours and not const
    parameter.set_number(array_placeholder(parameter.number() - 1));
  });
  *statement.add_from_clause() = unnest;
  pg::Node key;
  pg::Node row;
  pg::Node equal;
  make_column(key, {target.name, "ctid"});
  make_column(row, {kRows, kKey});
  make_operator(equal, pg::AEXPR_OP, "=", key, row);
  if (statement.from_clause_size() > 1 && statement.has_where_clause()) {
    pg::Node both;
    auto& conjunction = *both.mutable_bool_expr();
    conjunction.set_boolop(pg::AND_EXPR);
    *conjunction.add_args() = equal;
    const pg::Node& where = statement.where_clause();
    if (where.has_bool_expr() && where.bool_expr().boolop() == pg::AND_EXPR) {
      for (const auto& arg : where.bool_expr().args()) *conjunction.add_args() = arg;
    } else {
      *conjunction.add_args() = where;
    }
    equal = both;
  }
  *statement.mutable_where_clause() = equal;
  edited_ = true;
  located_ = std::move(located);
  return true;
}

bool Rewriter::remove(pg::DeleteStmt& statement, const Env* env, Derived& result) {
  Written into;
  if (!written_table(statement, env, into)) return false;
  auto& level = *into.level;
  if (!from_clause(*statement.mutable_using_clause(), level)) return false;
  if (statement.has_where_clause() && !condition(*statement.mutable_where_clause(), level)) {
    return false;
  }
  return returning(*statement.mutable_returning_list(), level, result);
}

}  // namespace theriac::rewrite
