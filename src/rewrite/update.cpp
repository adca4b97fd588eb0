// UPDATE and DELETE.
//
// A protected column gets its value in one step where the condition pins one row by a key that is
// not protected; otherwise the rows are located and locked first, and each gets sealed bytes of its
// own (gateway.md, "Writing"): equal bytes in several rows would show that their values are equal.
#include <algorithm>

#include "rewrite/rewriter.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kValueRemedy =
    "compute the value in the program and send it as a literal or parameter";

void set_null(Nodes& list, std::string_view name) {
  auto& target = *list.Add()->mutable_res_target();
  target.set_name(std::string(name));
  make_null(*target.mutable_val());
}

/// One column of (SELECT a, b ...): the select with that output alone, or if other clauses may
/// refer to its outputs, as (SELECT c FROM (SELECT a, b ...) AS t(..., c, ...)).
pg::Node one_column_of(const pg::Node& source, int place, int width) {
  const auto& whole = source.sub_link().subselect().select_stmt();
  const bool stars =
      std::any_of(whole.target_list().begin(), whole.target_list().end(), [](const pg::Node& one) {
        const auto& value = one.res_target().val();
        return value.has_column_ref() && is_star(value.column_ref());
      });
  if (whole.op() == pg::SETOP_NONE && whole.sort_clause_size() == 0 &&
      whole.distinct_clause_size() == 0 && whole.group_clause_size() == 0 && !stars &&
      whole.target_list_size() == width) {
    pg::Node alone = source;
    auto& list = *alone.mutable_sub_link()
                      ->mutable_subselect()
                      ->mutable_select_stmt()
                      ->mutable_target_list();
    const pg::Node kept = list.Get(place);
    list.Clear();
    *list.Add() = kept;
    return alone;
  }
  pg::Node out;
  auto& link = *out.mutable_sub_link();
  link.set_sub_link_type(pg::EXPR_SUBLINK);
  auto& query = *link.mutable_subselect()->mutable_select_stmt();
  query.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  query.set_op(pg::SETOP_NONE);
  auto& range = *query.add_from_clause()->mutable_range_subselect();
  *range.mutable_subquery() = source.sub_link().subselect();
  auto& alias = *range.mutable_alias();
  alias.set_aliasname("theriac_m");
  for (int i = 0; i < width; ++i) {
    make_string(*alias.add_colnames(), "theriac_c" + std::to_string(i + 1));
  }
  make_column(*query.add_target_list()->mutable_res_target()->mutable_val(),
              {"theriac_m", "theriac_c" + std::to_string(place + 1)});
  return out;
}

}  // namespace

/// What SET gives a protected column.
struct Rewriter::Assigned {
  enum class What : std::uint8_t { kValue, kNull, kKeep, kGathered };
  const Column* column = nullptr;
  What what = What::kNull;
  ValueSource source;
  pg::Node value;                    ///< kGathered: what gives the value
  std::optional<ItemColumn> sealed;  ///< kGathered: it is a protected value

  [[nodiscard]] bool gives_value() const { return what == What::kValue || what == What::kGathered; }
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
      const bool row = source.has_row_expr() && source.row_expr().args_size() == end - at;
      const bool selected =
          source.has_sub_link() && source.sub_link().sub_link_type() == pg::EXPR_SUBLINK;
      if (!row && !selected) {
        const auto& name = list.Get(at).res_target().name();
        return refuse(target.relation, target.relation->find(name),
                      "SET of several columns from a row", kValueRemedy);
      }
      for (int i = at; i < end; ++i) {
        const pg::Node value =
            row ? source.row_expr().args(i - at) : one_column_of(source, i - at, end - at);
        *list.Mutable(i)->mutable_res_target()->mutable_val() = value;
      }
      edited_ = true;
    }
    at = end;
  }
  return true;
}

bool Rewriter::update(pg::UpdateStmt& statement, const Env* env, Derived& result) {
  Written into;
  if (!written_table(statement, env, into)) return false;
  auto& level = *into.level;
  auto* const target = into.target;
  if (!from_clause(*statement.mutable_from_clause(), level)) return false;
  std::vector<Carried> carried;
  for (const auto& node : statement.target_list()) {
    const auto& name = node.res_target().name();
    const auto* column = target->relation == nullptr ? nullptr : target->relation->find(name);
    if (column == nullptr || !column->protection) continue;
    carried.push_back({&node.res_target().val(), target->relation, column});
  }
  if (!carry(carried, statement.from_clause(), level)) return false;
  if (statement.has_where_clause() && !condition(*statement.mutable_where_clause(), level)) {
    return false;
  }
  if (!spread_sources(*statement.mutable_target_list(), *target, level)) return false;
  std::vector<Assigned> assigned;
  if (!assignments(*statement.mutable_target_list(), *target, level, assigned)) return false;
  const bool values = std::any_of(assigned.begin(), assigned.end(),
                                  [](const Assigned& one) { return one.gives_value(); });
  const bool gathered = std::any_of(assigned.begin(), assigned.end(), [](const Assigned& one) {
    return one.what == Assigned::What::kGathered;
  });
  const bool by_rows =
      values && (gathered || target->relation->bound || !statement.has_where_clause() ||
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
  if (target->relation->is_view() && !may_update(assigned, *target, by_rows)) return false;
  if (!by_rows) {
    set_in_one_step(assigned, *target, *statement.mutable_target_list());
    return true;
  }
  if (!may_gather(*target->relation, assigned.front().column)) return false;
  return set_by_rows(statement, assigned, *target);
}

bool Rewriter::may_update(const std::vector<Assigned>& assigned, const Item& view, bool by_rows) {
  for (const auto& one : assigned) {
    const auto& origins = one.column->protection->origins;
    if (origins.size() != 1 || origins.front().with_row) {
      return refuse(view.relation, one.column,
                    "UPDATE through a view of values that are bound to their rows or of several "
                    "columns",
                    "update the table itself");
    }
  }
  return !by_rows ||
         refuse(view.relation, assigned.front().column,
                "UPDATE of a protected column through a view, of rows that no key names",
                "name the row by the table's key (WHERE id = ...), or update the table itself");
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
  if (const auto found = protected_reference(value, level, true);
      found && found->item == &target && found->column().column == &column) {
    out.what = Assigned::What::kKeep;
    return true;
  }
  const auto constant = constant_of(value, column);
  if (!constant.is) return gathered_source(value, target, column, level, out);
  if (!constant.refused.empty()) return refuse(relation, &column, constant.refused, kValueRemedy);
  if (constant.is_null()) return true;
  out.what = Assigned::What::kValue;
  out.source = constant.source;
  return true;
}

bool Rewriter::gathered_source(pg::Node& value, const Item& target, const Column& column,
                               Level& level, Assigned& out) {
  out.what = Assigned::What::kGathered;
  if (value.has_column_ref() && !is_star(value.column_ref())) {
    // The cast below is an explicit one, which does more than an assignment does.
    const auto found = resolve(value.column_ref(), level);
    const bool known =
        found.kind == Resolved::Kind::kColumn &&
        (found.secret() || (found.item->relation != nullptr && !found.column().column->is_array));
    if (known && pgwire::detail_of(column.type) == nullptr &&
        !may_be_assigned(found.column().column->type.oid, column.type.oid)) {
      return refuse_state("42804", "a value of another type than the column's",
                          "cast it to the column's type");
    }
  }
  ItemColumn made;
  const bool constants = shows_constants(value, level);
  auto answer = chosen_constant(value, *target.relation, column, level, made);
  if (answer == Answer::kNotMine) answer = this->value(value, level, Form::kSealed, made);
  if (answer == Answer::kRefused) return false;
  if (answer == Answer::kDone) {
    out.sealed = made;
  } else if (constants) {
    return refuse(target.relation, &column,
                  "an expression with a literal or parameter as the value", kValueRemedy);
  } else if (answer == Answer::kNotMine && !expression(value, level, "SET from an expression")) {
    return false;
  } else if (!cast_to_column(value, column)) {
    return refuse(target.relation, &column, "SET from an expression", kValueRemedy);
  }
  out.value = value;
  edited_ = true;
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
  // The row that a cursor stands on.
  if (where.has_current_of_expr()) return true;
  if (!target.relation->keys_name_rows()) return false;
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
    // The plain column is NULL already; naming it fires UPDATE OF triggers. A view has none.
    const bool view = target.relation->is_view();
    if (!view) set_null(made, column.name);
    if (at->what == Assigned::What::kKeep) {
      if (!view) continue;
      set_null(made, protection.sealed_name());
      make_column(*made.Mutable(made.size() - 1)->mutable_res_target()->mutable_val(),
                  {target.name, protection.sealed_name()});
      continue;
    }
    const bool null = at->what == Assigned::What::kNull;
    note_written(column);
    set_null(made, protection.sealed_name());
    if (!null) {
      slot_node(*made.Mutable(made.size() - 1)->mutable_res_target()->mutable_val(),
                slot(Slot::Fill::kSeal, at->source, *target.relation, column, 0));
    }
    for (const int index : protection.indexes()) {
      set_null(made, protection.index_name(index));
      if (null) continue;
      slot_node(*made.Mutable(made.size() - 1)->mutable_res_target()->mutable_val(),
                slot(Slot::Fill::kIndex, at->source, *target.relation, column, 0, index));
    }
  }
  list = made;
  edited_ = true;
}

namespace {

/// SELECT of the rows that the UPDATE meets. With `joined` each as often as FROM meets it.
void locate_rows(const pg::UpdateStmt& statement, bool joined, pg::Node& out) {
  auto& select = *out.mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  *select.add_from_clause()->mutable_range_var() = statement.relation();
  if (statement.from_clause_size() > 0 && !joined) {
    // Joined to several rows a target row is still one row.
    auto& link = *select.mutable_where_clause()->mutable_sub_link();
    link.set_sub_link_type(pg::EXISTS_SUBLINK);
    auto& inner = *link.mutable_subselect()->mutable_select_stmt();
    inner.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
    inner.set_op(pg::SETOP_NONE);
    make_true(*inner.add_target_list()->mutable_res_target()->mutable_val());
    *inner.mutable_from_clause() = statement.from_clause();
    if (statement.has_where_clause()) *inner.mutable_where_clause() = statement.where_clause();
  } else {
    for (const auto& node : statement.from_clause()) *select.add_from_clause() = node;
    if (statement.has_where_clause()) *select.mutable_where_clause() = statement.where_clause();
  }
}

/// Adds `further` before the condition of `statement`.
void add_condition(const pg::Node& further, pg::UpdateStmt& statement) {
  pg::Node both;
  auto& conjunction = *both.mutable_bool_expr();
  conjunction.set_boolop(pg::AND_EXPR);
  const auto add = [&](const pg::Node& condition) {
    const bool several =
        condition.has_bool_expr() && condition.bool_expr().boolop() == pg::AND_EXPR;
    if (several) {
      for (const auto& arg : condition.bool_expr().args()) *conjunction.add_args() = arg;
    } else {
      *conjunction.add_args() = condition;
    }
  };
  add(further);
  add(statement.where_clause());
  *statement.mutable_where_clause() = both;
}

}  // namespace

void Rewriter::add_table_of_row(Gathering& gathering, const Item& target, pg::Node& condition) {
  pg::Node key;
  make_column(key, {target.name, "tableoid"});
  const auto table = gather_column(gathering, {Gather::Column::Kind::kTable, {}}, key);
  constexpr std::uint32_t kOidOid = 26;
  pg::Node row;
  gather_array(gathering,
               {Gather::Array::Kind::kValue, "pg_catalog.oid", kOidOid, nullptr, nullptr, table},
               row);
  pg::Node both;
  auto& conjunction = *both.mutable_bool_expr();
  conjunction.set_boolop(pg::AND_EXPR);
  *conjunction.add_args() = condition;
  make_operator(*conjunction.add_args(), pg::AEXPR_OP, "=", key, row);
  condition = both;
}

bool Rewriter::set_by_rows(pg::UpdateStmt& statement, const std::vector<Assigned>& assigned,
                           const Item& target) {
  const auto& relation = *target.relation;
  bool current_of = false;
  each_of<pg::CurrentOfExpr>(statement, [&](const pg::CurrentOfExpr&) { current_of = true; });
  if (current_of) {
    return refuse(&relation, assigned.front().column, "WHERE CURRENT OF",
                  "name the row by its key");
  }
  bool joined = false;
  for (const auto& one : assigned) {
    joined = joined || one.what == Assigned::What::kGathered;
  }
  Gathering gathering;
  gathering.once_each = joined && statement.from_clause_size() > 0;
  locate_rows(statement, joined, gathering.select);
  lock_rows(target, statement.target_list(), *gathering.select.mutable_select_stmt());
  pg::Node key;
  make_column(key, {target.name, "ctid"});
  const auto tid = gather_column(gathering, {Gather::Column::Kind::kTid, {}}, key);
  if (relation.bound) {
    pg::Node row;
    make_column(row, {target.name, "theriac_row"});
    gather_column(gathering, {Gather::Column::Kind::kRowId, {}}, row);
  }
  pg::Node row;
  gather_array(gathering, {Gather::Array::Kind::kTid, "pg_catalog.tid", 0, nullptr, nullptr, tid},
               row);
  pg::Node same;
  make_operator(same, pg::AEXPR_OP, "=", key, row);
  if (relation.has_members) add_table_of_row(gathering, target, same);
  Nodes made;
  for (const auto& node : statement.target_list()) {
    const auto at = std::find_if(assigned.begin(), assigned.end(), [&](const Assigned& one) {
      return one.column->name == node.res_target().name();
    });
    if (at == assigned.end()) {
      *made.Add() = node;
      continue;
    }
    const auto& column = *at->column;
    set_null(made, column.name);
    if (at->what == Assigned::What::kKeep) continue;
    if (at->what == Assigned::What::kNull) {
      note_written(column);
      set_null(made, column.protection->sealed_name());
      for (const int index : column.protection->indexes()) {
        set_null(made, column.protection->index_name(index));
      }
      continue;
    }
    std::variant<std::size_t, ValueSource> source = at->source;
    if (at->what == Assigned::What::kGathered) {
      const auto kind = at->sealed ? Gather::Column::Kind::kSealed : Gather::Column::Kind::kValue;
      source = gather_column(gathering, {kind, at->sealed.value_or(ItemColumn{})}, at->value);
    }
    Nodes names;
    Nodes values;
    gather_protected(gathering, relation, column, source, names, values);
    for (int i = 0; i < names.size(); ++i) {
      *names.Mutable(i)->mutable_res_target()->mutable_val() = values.Get(i);
      *made.Add() = names.Get(i);
    }
  }
  if (!gather_with(statement, statement.with_clause(), relation, gathering)) return false;
  *statement.mutable_target_list() = made;
  const bool had_from = statement.from_clause_size() > 0;
  if (!gathered_rows(gathering, *statement.add_from_clause())) return false;
  if (had_from && statement.has_where_clause()) {
    add_condition(same, statement);
  } else {
    *statement.mutable_where_clause() = same;
  }
  gathering_ = std::move(gathering);
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
