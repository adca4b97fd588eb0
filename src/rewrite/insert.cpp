// INSERT: values of protected columns become slots for the helpers; the plain column leaves the
// list.
#include <algorithm>
#include <array>

#include "rewrite/insert_columns.hpp"
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

}  // namespace

bool Rewriter::may_insert(const Item& target) {
  if (target.relation == nullptr || !target.relation->is_view()) return true;
  const auto bound = std::find_if(
      target.columns.begin(), target.columns.end(),
      [](const ItemColumn& one) { return one.secret() && (one.with_row || !one.also.empty()); });
  return bound == target.columns.end() ||
         refuse(*bound,
                "INSERT into a view whose values are bound to their rows or of several "
                "columns",
                "insert into the table itself");
}

bool Rewriter::insert(pg::InsertStmt& statement, const Env* env, Derived& result) {
  Written into;
  if (!written_table(statement, env, into)) return false;
  if (!may_insert(*into.target)) return false;
  auto& level = *into.level;
  auto* const target = into.target;
  const bool is_protected = target->relation != nullptr && target->relation->is_protected();
  const auto& source = statement.select_stmt().select_stmt();
  const bool one_row = !statement.has_select_stmt() || source.values_lists_size() == 1;
  const int first_row = rows_;
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
  first_row_ = first_row;
  if (statement.has_on_conflict_clause() && !on_conflict(statement, *target, level, one_row)) {
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
    if (!insert_row(items, target, columns, nothing)) return false;
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
  if (is_plain_values(query)) {
    if (!row_as_select(statement, target)) return false;
    if (query.values_lists_size() > 0) return insert_values(statement, target, level, env);
    return insert_select(statement, target, env);
  }
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
    for (std::size_t i = 0; i < protection.indexes().size(); ++i) make_null(*out.Add());
    return true;
  }
  const Literal value{false, *protection.default_stored, 0};
  slot_node(*out.Add(), slot(Slot::Fill::kSeal, value, *target.relation, column, row));
  for (const int index : protection.indexes()) {
    slot_node(*out.Add(), slot(Slot::Fill::kIndex, value, *target.relation, column, row, index));
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
    const auto indexes = column.protection->indexes().size();
    for (std::size_t i = 0; i < indexes; ++i) make_null(*out.Add());
    return true;
  }
  slot_node(*out.Add(), slot(Slot::Fill::kSeal, constant.source, *target.relation, column, row));
  for (const int index : column.protection->indexes()) {
    slot_node(*out.Add(),
              slot(Slot::Fill::kIndex, constant.source, *target.relation, column, row, index));
  }
  note_written(column);
  return true;
}

bool Rewriter::insert_row(Nodes& items, const Item& target, const InsertColumns& columns,
                          Level& level) {
  const int row = rows_++;
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

/// One row that a protected column's value has to be computed for, as a SELECT. DEFAULT leaves the
/// list, since a column that is not named gets it.
bool Rewriter::row_as_select(pg::InsertStmt& statement, const Item& target) {
  auto& query = *statement.mutable_select_stmt()->mutable_select_stmt();
  if (query.values_lists_size() != 1) return true;
  const auto& items = query.values_lists(0).list().items();
  InsertColumns columns;
  if (!insert_columns(statement, target, static_cast<std::size_t>(items.size()), columns)) {
    return false;
  }
  bool computed = false;
  for (int i = 0; i < items.size(); ++i) {
    const auto& item = items.Get(i);
    computed = computed ||
               (columns.given[static_cast<std::size_t>(i)]->protection &&
                !item.has_set_to_default() && !constant_node(item) && !item.has_collate_clause());
  }
  if (!computed) return true;
  Nodes names;
  Nodes values;
  for (int i = 0; i < items.size(); ++i) {
    if (items.Get(i).has_set_to_default()) continue;
    add_name(names, columns.given[static_cast<std::size_t>(i)]->name);
    *values.Add()->mutable_res_target()->mutable_val() = items.Get(i);
  }
  *statement.mutable_cols() = names;
  query.clear_values_lists();
  *query.mutable_target_list() = values;
  edited_ = true;
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
  for (auto& row : *query.mutable_values_lists()) {
    if (!insert_row(*row.mutable_list()->mutable_items(), target, columns, inner)) {
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
  if (!insert_row(items, target, columns, inner)) return false;
  query.clear_target_list();
  for (const auto& item : items)
    *query.add_target_list()->mutable_res_target()->mutable_val() = item;
  statement.clear_cols();
  columns.names(*target.relation, *statement.mutable_cols());
  edited_ = true;
  return true;
}

}  // namespace theriac::rewrite
