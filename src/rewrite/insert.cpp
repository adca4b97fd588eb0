// INSERT: values of protected columns become slots for the helpers; the plain column leaves the
// list.
#include <algorithm>
#include <array>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kValueRemedy =
    "compute the value in the program and send it as a literal or parameter";
constexpr std::string_view kSelectRemedy =
    "select the rows in the program and insert them with VALUES";

/// Functions that give one value, so that a SELECT without FROM still gives at most one row.
bool is_single_valued(std::string_view name) {
  constexpr std::array<std::string_view, 14> kNames{"now",
                                                    "nextval",
                                                    "currval",
                                                    "lastval",
                                                    "gen_random_uuid",
                                                    "clock_timestamp",
                                                    "lower",
                                                    "upper",
                                                    "concat",
                                                    "uuid_generate_v4",
                                                    "coalesce",
                                                    "to_char",
                                                    "statement_timestamp",
                                                    "md5"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

bool is_plain_values(const pg::SelectStmt& query) {
  return query.values_lists_size() > 0 && query.op() == pg::SETOP_NONE &&
         query.sort_clause_size() == 0 && !query.has_limit_count() && !query.has_limit_offset() &&
         query.locking_clause_size() == 0;
}

/// SELECT of values without FROM: one row or, if WHERE is not true, none.
bool gives_one_row(const pg::SelectStmt& query) {
  if (query.values_lists_size() > 0 || query.op() != pg::SETOP_NONE ||
      query.from_clause_size() > 0 || query.group_clause_size() > 0 || query.has_having_clause() ||
      query.distinct_clause_size() > 0 || query.has_into_clause() ||
      query.target_list_size() == 0) {
    return false;
  }
  bool single = true;
  for (const auto& node : query.target_list()) {
    const auto& value = node.res_target().val();
    single = single && !(value.has_column_ref() && is_star(value.column_ref()));
    each_of<pg::FuncCall>(value, [&](const pg::FuncCall& call) {
      single = single && is_single_valued(last_name(call.funcname()));
    });
  }
  return single;
}

void add_name(Nodes& list, std::string_view name) {
  list.Add()->mutable_res_target()->set_name(std::string(name));
}

}  // namespace

/// Which columns the statement gives values for, and what has to be added.
struct Rewriter::InsertColumns {
  std::vector<const Column*> given;
  std::vector<const Column*> defaulted;  ///< protected, not given, with a default
  bool listed = false;

  [[nodiscard]] bool any_protected() const {
    return std::any_of(given.begin(), given.end(),
                       [](const Column* one) { return one->protection.has_value(); });
  }
  /// The rewritten column list.
  void names(const Relation& relation, Nodes& out) const {
    for (const auto* list : {&given, &defaulted}) {
      for (const auto* column : *list) {
        if (!column->protection) {
          add_name(out, column->name);
          continue;
        }
        add_name(out, column->protection->sealed_name());
        if (column->protection->searchable) add_name(out, column->protection->index_name());
      }
    }
    if (relation.bound) add_name(out, "theriac_row");
  }
};

bool Rewriter::insert(pg::InsertStmt& statement, const Env* env, Derived& result) {
  Written into;
  if (!written_table(statement, env, into)) return false;
  auto& level = *into.level;
  auto* const target = into.target;
  const bool is_protected = target->relation != nullptr && target->relation->is_protected();
  if (is_protected) {
    if (!insert_protected(statement, *target, level, into.env)) return false;
  } else if (statement.has_select_stmt()) {
    Derived* rows = nullptr;
    if (!select(*statement.mutable_select_stmt()->mutable_select_stmt(), nullptr, into.env,
                Use::kRows, rows)) {
      return false;
    }
    const auto secret = std::find_if(rows->columns.begin(), rows->columns.end(),
                                     [](const ItemColumn& one) { return one.secret(); });
    if (secret != rows->columns.end()) {
      return refuse(*secret, "INSERT ... SELECT into an unprotected column", kSelectRemedy);
    }
  }
  if (statement.has_on_conflict_clause() &&
      !on_conflict(*statement.mutable_on_conflict_clause(), *target, level, is_protected)) {
    return false;
  }
  return returning(*statement.mutable_returning_list(), level, result);
}

bool Rewriter::insert_protected(pg::InsertStmt& statement, Item& target, Level& level,
                                const Env* env) {
  if (!statement.has_select_stmt()) {
    // DEFAULT VALUES becomes a row of what has to be added, if anything.
    InsertColumns columns;
    if (!insert_columns(statement, target, 0, columns)) return false;
    columns.given.clear();
    Nodes items;
    auto& nothing = new_level(nullptr, env);
    if (!insert_row(items, target, columns, nothing, 0)) return false;
    if (items.empty()) return true;
    columns.names(*target.relation, *statement.mutable_cols());
    auto& query = *statement.mutable_select_stmt()->mutable_select_stmt();
    query.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
    query.set_op(pg::SETOP_NONE);
    *query.add_values_lists()->mutable_list()->mutable_items() = items;
    edited_ = true;
    return true;
  }
  const auto& query = statement.select_stmt().select_stmt();
  if (is_plain_values(query)) return insert_values(statement, target, level, env);
  if (gives_one_row(query)) return insert_one_select(statement, target, level, env);
  return insert_select(statement, target, env);
}

bool Rewriter::insert_columns(const pg::InsertStmt& statement, const Item& target,
                              std::size_t width, InsertColumns& out) {
  const auto& relation = *target.relation;
  out.listed = statement.cols_size() > 0;
  for (const auto& node : statement.cols()) {
    const auto& wanted = node.res_target();
    const auto* column = relation.find(wanted.name());
    if (column == nullptr || column->helper) {
      return refuse_state("42703", "a column that does not exist", "check the column list");
    }
    if (column->protection && wanted.indirection_size() > 0) {
      return refuse(&relation, column, "a part of a column", kValueRemedy);
    }
    out.given.push_back(column);
  }
  if (!out.listed) {
    for (const auto& column : relation.columns) {
      if (!column.helper && out.given.size() < width) out.given.push_back(&column);
    }
  }
  if (width > out.given.size()) {
    return refuse_state("42601", "more values than columns", "check the column list");
  }
  if (out.listed && width > 0 && width < out.given.size()) {
    return refuse_state("42601", "more columns than values", "check the column list");
  }
  for (const auto& column : relation.columns) {
    if (!column.protection ||
        std::find(out.given.begin(), out.given.end(), &column) != out.given.end()) {
      continue;
    }
    if (column.protection->default_stored || column.protection->default_refused) {
      out.defaulted.push_back(&column);
    }
  }
  return true;
}

bool Rewriter::default_value(const Item& target, const Column& column, int row, Nodes& out) {
  const auto& protection = *column.protection;
  if (protection.default_refused) {
    return refuse(target.relation, &column, "a default that is not a constant", kValueRemedy);
  }
  if (!protection.default_stored) {
    make_null(*out.Add());
    if (protection.searchable) make_null(*out.Add());
    return true;
  }
  const Literal value{false, *protection.default_stored, 0};
  slot_node(*out.Add(), slot(Slot::Fill::kSeal, value, *target.relation, column, row));
  if (protection.searchable) {
    slot_node(*out.Add(), slot(Slot::Fill::kIndex, value, *target.relation, column, row));
  }
  note_written(column);
  return true;
}

bool Rewriter::insert_value(pg::Node& item, const Item& target, const Column& column, int row,
                            Nodes& out) {
  if (item.has_set_to_default()) return default_value(target, column, row, out);
  const auto constant = constant_of(item, column);
  if (!constant.is || !constant.refused.empty()) {
    return refuse(target.relation, &column,
                  constant.is ? constant.refused : "an expression as the value", kValueRemedy);
  }
  if (constant.is_null()) {
    make_null(*out.Add());
    if (column.protection->searchable) make_null(*out.Add());
    return true;
  }
  slot_node(*out.Add(), slot(Slot::Fill::kSeal, constant.source, *target.relation, column, row));
  if (column.protection->searchable) {
    slot_node(*out.Add(), slot(Slot::Fill::kIndex, constant.source, *target.relation, column, row));
  }
  note_written(column);
  return true;
}

bool Rewriter::insert_row(Nodes& items, const Item& target, const InsertColumns& columns,
                          Level& level, int row) {
  Nodes out;
  for (int i = 0; i < items.size(); ++i) {
    auto& item = *items.Mutable(i);
    const auto& column = *columns.given[static_cast<std::size_t>(i)];
    if (column.protection) {
      if (!insert_value(item, target, column, row, out)) return false;
    } else {
      if (!expression(item, level, "an assignment to an unprotected column")) return false;
      *out.Add() = item;
    }
  }
  for (const auto* column : columns.defaulted) {
    if (!default_value(target, *column, row, out)) return false;
  }
  if (target.relation->bound) {
    const auto& any =
        *std::find_if(target.relation->columns.begin(), target.relation->columns.end(),
                      [](const Column& one) { return one.protection.has_value(); });
    slot_node(*out.Add(), slot(Slot::Fill::kRowId, Literal{.is_null = true, .text = {}},
                               *target.relation, any, row));
  }
  items = out;
  return true;
}

bool Rewriter::insert_values(pg::InsertStmt& statement, Item& target, Level& level,
                             const Env* env) {
  auto& query = *statement.mutable_select_stmt()->mutable_select_stmt();
  auto& own = new_env(env);
  if (query.has_with_clause() && !with_clause(*query.mutable_with_clause(), nullptr, own)) {
    return false;
  }
  auto& inner = new_level(nullptr, &own);
  (void)level;
  const int width = query.values_lists(0).list().items_size();
  for (const auto& row : query.values_lists()) {
    if (!row.has_list() || row.list().items_size() != width) {
      return refuse_state("42601", "VALUES rows of different lengths", "check the rows");
    }
  }
  InsertColumns columns;
  if (!insert_columns(statement, target, static_cast<std::size_t>(width), columns)) return false;
  int at = 0;
  for (auto& row : *query.mutable_values_lists()) {
    if (!insert_row(*row.mutable_list()->mutable_items(), target, columns, inner, at++)) {
      return false;
    }
  }
  if (!columns.listed || columns.any_protected() || !columns.defaulted.empty() ||
      target.relation->bound) {
    statement.clear_cols();
    columns.names(*target.relation, *statement.mutable_cols());
    edited_ = true;
  }
  return true;
}

bool Rewriter::insert_one_select(pg::InsertStmt& statement, Item& target, Level& level,
                                 const Env* env) {
  auto& query = *statement.mutable_select_stmt()->mutable_select_stmt();
  auto& own = new_env(env);
  if (query.has_with_clause() && !with_clause(*query.mutable_with_clause(), nullptr, own)) {
    return false;
  }
  auto& inner = new_level(nullptr, &own);
  (void)level;
  if (query.has_where_clause() && !condition(*query.mutable_where_clause(), inner)) return false;
  Derived nothing;
  if (!sort_clause(*query.mutable_sort_clause(), inner, nothing, "ORDER BY")) return false;
  for (auto* limit : {query.has_limit_count() ? query.mutable_limit_count() : nullptr,
                      query.has_limit_offset() ? query.mutable_limit_offset() : nullptr}) {
    if (limit != nullptr && !expression(*limit, inner, "LIMIT")) return false;
  }
  InsertColumns columns;
  if (!insert_columns(statement, target, static_cast<std::size_t>(query.target_list_size()),
                      columns)) {
    return false;
  }
  Nodes items;
  for (const auto& node : query.target_list()) *items.Add() = node.res_target().val();
  if (!insert_row(items, target, columns, inner, 0)) return false;
  query.clear_target_list();
  for (const auto& item : items)
    *query.add_target_list()->mutable_res_target()->mutable_val() = item;
  statement.clear_cols();
  columns.names(*target.relation, *statement.mutable_cols());
  edited_ = true;
  return true;
}

bool Rewriter::insert_select(pg::InsertStmt& statement, Item& target, const Env* env) {
  auto& query = *statement.mutable_select_stmt()->mutable_select_stmt();
  Derived* rows = nullptr;
  if (!select(query, nullptr, env, Use::kRows, rows)) return false;
  const auto& relation = *target.relation;
  if (!rows->columns_known && statement.cols_size() == 0) {
    return refuse_item(target, "INSERT ... SELECT * from an unknown relation", "name the columns");
  }
  InsertColumns columns;
  const auto width =
      rows->columns_known ? rows->columns.size() : static_cast<std::size_t>(statement.cols_size());
  if (!insert_columns(statement, target, width, columns)) return false;
  for (std::size_t i = 0; i < std::min(rows->columns.size(), columns.given.size()); ++i) {
    if (!rows->columns[i].secret() || columns.given[i]->protection) continue;
    return refuse(rows->columns[i], "INSERT ... SELECT into an unprotected column", kSelectRemedy);
  }
  if (columns.any_protected() || !columns.defaulted.empty()) {
    if (!rows->columns_known || rows->unknown_from) {
      return refuse_item(target, "INSERT ... SELECT from an unknown relation", "name the columns");
    }
    if (!may_gather(statement.with_clause(), relation, nullptr)) return false;
    return insert_gathered(statement, target, columns, *rows);
  }
  if (columns.listed && !relation.bound) return true;
  edited_ = true;
  statement.clear_cols();
  columns.names(relation, *statement.mutable_cols());
  if (!relation.bound) return true;
  // Nothing sealed is in these rows, so the server may choose their identity.
  if (!rows->can_export || query.op() != pg::SETOP_NONE || query.distinct_clause_size() > 0) {
    return refuse_item(target, "this form of INSERT ... SELECT", kSelectRemedy);
  }
  auto& call = *query.add_target_list()->mutable_res_target()->mutable_val()->mutable_func_call();
  make_string(*call.add_funcname(), "pg_catalog");
  make_string(*call.add_funcname(), "gen_random_uuid");
  call.set_funcformat(pg::COERCE_EXPLICIT_CALL);
  return true;
}

bool Rewriter::taken_constant(const Derived& rows, std::size_t place, const Relation& relation,
                              const Column& column, std::optional<ValueSource>& out) {
  if (rows.columns[place].secret()) return true;
  const auto index = static_cast<int>(place);
  if (rows.targets != nullptr && rows.rows == nullptr && index < rows.targets->size()) {
    auto& value = *rows.targets->Mutable(index)->mutable_res_target()->mutable_val();
    const auto constant = constant_of(value, column);
    if (constant.is) {
      if (!constant.refused.empty()) {
        return refuse(&relation, &column, constant.refused, kValueRemedy);
      }
      out = constant.source;
      make_null(value);
      return true;
    }
    if (!shows_constants(value)) return true;
  }
  return rows.columns[place].is_null ||
         refuse(&relation, &column, "an expression with a literal or parameter as the value",
                kValueRemedy);
}

bool Rewriter::insert_gathered(pg::InsertStmt& statement, const Item& target,
                               const InsertColumns& columns, const Derived& rows) {
  constexpr std::string_view kSource = "theriac_s";
  const auto& relation = *target.relation;
  Gathering gathering;
  auto& select = *gathering.select.mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  if (statement.has_with_clause()) *select.mutable_with_clause() = statement.with_clause();
  auto& range = *select.add_from_clause()->mutable_range_subselect();
  auto& alias = *range.mutable_alias();
  alias.set_aliasname(std::string(kSource));
  Nodes names;
  Nodes values;
  for (std::size_t i = 0; i < columns.given.size(); ++i) {
    const auto& column = *columns.given[i];
    const auto name = "theriac_c" + std::to_string(i + 1);
    make_string(*alias.add_colnames(), name);
    if (column.protection) {
      std::optional<ValueSource> constant;
      if (!taken_constant(rows, i, relation, column, constant)) return false;
      if (constant) {
        gather_protected(gathering, relation, column, *constant, names, values);
        continue;
      }
    }
    pg::Node value;
    make_column(value, {kSource, name});
    const bool sealed = rows.columns[i].secret();
    if (!sealed && !cast_to_column(value, column)) {
      return refuse(&relation, &column, "a type that is not known", kSelectRemedy);
    }
    if (column.protection) {
      const auto kind = sealed ? Gather::Column::Kind::kSealed : Gather::Column::Kind::kValue;
      const auto source = gather_column(gathering, {kind, rows.columns[i]}, value);
      gather_protected(gathering, relation, column, source, names, values);
      continue;
    }
    // unnest() would take arrays apart: those go as text.
    if (column.is_array) {
      pg::Node text;
      make_cast(text, value, "text", false);
      value = text;
    }
    const auto source = gather_column(gathering, {Gather::Column::Kind::kValue, {}}, value);
    names.Add()->mutable_res_target()->set_name(column.name);
    auto& element = *values.Add();
    gather_array(
        gathering,
        {Gather::Array::Kind::kValue, column.is_array ? "pg_catalog.text" : column.type_name,
         column.is_array ? pgwire::kOidText : column.type.oid, nullptr, nullptr, source},
        element);
    if (column.is_array && !cast_to_column(element, column)) return false;
  }
  for (const auto* column : columns.defaulted) {
    const auto& protection = *column->protection;
    if (protection.default_refused) {
      return refuse(&relation, column, "a default that is not a constant", kValueRemedy);
    }
    gather_protected(gathering, relation, *column,
                     ValueSource{Literal{false, *protection.default_stored, 0}}, names, values);
  }
  if (relation.bound) {
    names.Add()->mutable_res_target()->set_name("theriac_row");
    gather_array(gathering,
                 {Gather::Array::Kind::kRowId, "pg_catalog.uuid", 0, nullptr, nullptr, {}},
                 *values.Add());
  }
  *range.mutable_subquery() = statement.select_stmt();
  if (select.target_list_size() == 0) {
    // Only how many rows there are matters.
    pg::Node one;
    make_true(one);
    gather_column(gathering, {Gather::Column::Kind::kValue, {}}, one);
  }
  *statement.mutable_cols() = names;
  pg::Node source;
  auto& query = *source.mutable_select_stmt();
  query.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  query.set_op(pg::SETOP_NONE);
  for (const auto& value : values) {
    *query.add_target_list()->mutable_res_target()->mutable_val() = value;
  }
  if (!gathered_rows(gathering, *query.add_from_clause())) return false;
  *statement.mutable_select_stmt() = source;
  gathering_ = std::move(gathering);
  return true;
}

bool Rewriter::on_conflict(pg::OnConflictClause& clause, Item& target, Level& level,
                           bool is_protected) {
  if (!conflict_target(clause, target, level)) return false;
  auto& both = new_level(nullptr, level.env);
  auto& excluded = new_item();
  excluded = target;
  excluded.name = "excluded";
  excluded.aliased = true;
  both.names = {{&target, true, true}, {&excluded, true, true}};
  if (!conflict_assignments(*clause.mutable_target_list(), target, both)) return false;
  (void)is_protected;
  return !clause.has_where_clause() ||
         expression(*clause.mutable_where_clause(), both, "ON CONFLICT");
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
    if (column != nullptr && column->protection) {
      return refuse(target.relation, column, "ON CONFLICT on a protected column",
                    "look for the row first, then INSERT or UPDATE");
    }
  }
  return !infer.has_where_clause() ||
         expression(*infer.mutable_where_clause(), level, "ON CONFLICT");
}

bool Rewriter::conflict_assignments(Nodes& list, const Item& target, Level& level) {
  constexpr std::string_view kRemedy = "set it with an UPDATE of its own";
  Nodes made;
  bool changed = false;
  if (!spread_sources(list, target, level)) return false;
  for (auto& node : list) {
    auto& assigned = *node.mutable_res_target();
    const auto* column =
        target.relation == nullptr ? nullptr : target.relation->find(assigned.name());
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
    // Only what the row would have been given anyway: its sealed value stands in excluded.
    std::optional<Resolved> found;
    if (assigned.indirection_size() == 0) found = protected_reference(value, level, true);
    if (!found || found->item->name != "excluded" || found->column().column != column ||
        target.relation->bound) {
      return refuse(target.relation, column, "ON CONFLICT DO UPDATE", kRemedy);
    }
    const auto& protection = *column->protection;
    note_written(*column);
    auto& plain = *made.Add()->mutable_res_target();
    plain.set_name(column->name);
    make_null(*plain.mutable_val());
    auto& sealed = *made.Add()->mutable_res_target();
    sealed.set_name(protection.sealed_name());
    make_column(*sealed.mutable_val(), {"excluded", protection.sealed_name()});
    if (protection.searchable) {
      auto& index = *made.Add()->mutable_res_target();
      index.set_name(protection.index_name());
      make_column(*index.mutable_val(), {"excluded", protection.index_name()});
    }
    changed = true;
  }
  if (changed) {
    edited_ = true;
    list = made;
  }
  return true;
}

}  // namespace theriac::rewrite
