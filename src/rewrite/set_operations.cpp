// UNION, INTERSECT and EXCEPT. UNION ALL puts sealed values together as they are; the others
// compare them, which is done on their blind indexes around a UNION ALL of both sides.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kBoth = "theriac_q";
constexpr std::string_view kSide = "theriac_side";
constexpr std::string_view kGroups = "theriac_g";
constexpr std::string_view kTimes = "theriac_n";
constexpr std::string_view kRemedy =
    "use columns of one class and equality domain, literals or NULL on the other side, or send the "
    "selects one after the other";

std::string_view name_of(pg::SetOperation operation) {
  switch (operation) {
    case pg::SETOP_UNION:
      return "UNION";
    case pg::SETOP_INTERSECT:
      return "INTERSECT";
    default:
      return "EXCEPT";
  }
}

std::string place_name(std::size_t place) { return "theriac_c" + std::to_string(place + 1); }

}  // namespace

bool Rewriter::set_operation(pg::SelectStmt& statement, const Level* outer, const Env* env, Use use,
                             Derived& result) {
  Derived* left = nullptr;
  Derived* right = nullptr;
  if (!select(*statement.mutable_larg(), outer, env, use, left) ||
      !select(*statement.mutable_rarg(), outer, env, use, right)) {
    return false;
  }
  auto& inner = new_derived();
  if (!combine(name_of(statement.op()), *left, *right, inner)) return false;
  const bool is_union = statement.op() == pg::SETOP_UNION;
  const bool sealed =
      std::any_of(inner.columns.begin(), inner.columns.end(),
                  [](const ItemColumn& one) { return one.secret() && !one.as_index; });
  auto* level = &new_level(outer, env);
  if (!sealed || (is_union && (statement.all() || use == Use::kExists))) {
    result = inner;
    result.unordered = is_union && statement.all() && statement.sort_clause_size() == 0 &&
                       left->unordered && right->unordered;
  } else if (!one_domain_each(inner)) {
    return false;
  } else if (!(is_union ? distinct_union(statement, inner, result, outer, env)
                        : matched_groups(statement, inner, result, outer, env))) {
    return false;
  } else {
    level = result.level;
  }
  // ORDER BY of a set operation knows outputs only.
  auto& outputs_only = new_level(outer, env);
  if (!sort_clause(*statement.mutable_sort_clause(), outputs_only, result, "ORDER BY")) {
    return false;
  }
  if (statement.has_limit_count() &&
      !expression(*statement.mutable_limit_count(), *level, "LIMIT")) {
    return false;
  }
  return !statement.has_limit_offset() ||
         expression(*statement.mutable_limit_offset(), *level, "OFFSET");
}

/// What is equal is found by blind indexes, and those of two domains never are.
bool Rewriter::one_domain_each(const Derived& made) {
  for (const auto& one : made.columns) {
    if (one.secret() && !is_of_one_domain(one)) {
      return refuse(one, "a set operation of columns of different equality domains", kRemedy);
    }
  }
  return true;
}

bool Rewriter::combine(std::string_view name, Derived& left, Derived& right, Derived& result) {
  result.columns = left.columns;
  // Sides that differ in length are the server's to refuse.
  result.columns_known =
      left.columns_known && right.columns_known && left.columns.size() == right.columns.size();
  result.sources.resize(result.columns.size());
  result.parts = {&left, &right};
  result.can_export = left.can_export && right.can_export;
  const auto* secret = left.any_secret() ? &left : right.any_secret() ? &right : nullptr;
  if (secret == nullptr) {
    for (std::size_t i = 0; i < left.columns.size(); ++i) {
      result.columns[i].is_null =
          result.columns_known && left.columns[i].is_null && right.columns[i].is_null;
    }
    return true;
  }
  const auto first = std::find_if(secret->columns.begin(), secret->columns.end(),
                                  [](const ItemColumn& one) { return one.secret(); });
  if (!result.columns_known) {
    return refuse(*first, name, "name the columns of both sides");
  }
  for (std::size_t i = 0; i < left.columns.size(); ++i) {
    if (!combine_column(name, i, left, right, result.columns[i])) return false;
  }
  return true;
}

bool Rewriter::combine_column(std::string_view name, std::size_t place, Derived& left,
                              Derived& right, ItemColumn& made) {
  const auto& a = left.columns[place];
  const auto& b = right.columns[place];
  if (!a.secret() && !b.secret()) {
    made.is_null = a.is_null && b.is_null;
    return true;
  }
  const auto& origin = a.secret() ? a : b;
  const auto output_name = made.name;
  made = origin;
  made.name = output_name;
  made.direct = false;
  made.found_by.clear();
  made.home = nullptr;
  made.is_null = false;
  if (a.secret() && b.secret() && a.as_index != b.as_index) return refuse(origin, name, kRemedy);
  CommonType common;
  add_types(left, place, *origin.column, common);
  add_types(right, place, *origin.column, common);
  if (common.failed || !common.type) return refuse(origin, name, kRemedy);
  made.type = *common.type;
  if (a.secret() && b.secret()) {
    if (a.as_index) return same_domain(a, b);
    add_origins(b, made);
    return true;
  }
  auto& other = a.secret() ? right : left;
  if (other.columns[place].is_null) return true;
  return constant_output(other, place, origin) || refuse(origin, name, kRemedy);
}

void Rewriter::add_types(const Derived& derived, std::size_t place, const Column& like,
                         CommonType& common) {
  if (derived.columns[place].secret()) return common.add(derived.columns[place].type);
  for (const auto* part : derived.parts) add_types(*part, place, like, common);
  if (!derived.parts.empty()) return;
  const auto index = static_cast<int>(place);
  if (derived.rows != nullptr) {
    for (const auto& row : *derived.rows) {
      common.add_constant(constant_of(row.list().items(index), like));
    }
  } else if (derived.targets != nullptr && index < derived.targets->size()) {
    common.add_constant(constant_of(derived.targets->Get(index).res_target().val(), like));
  }
}

bool Rewriter::constant_output(Derived& derived, std::size_t place, const ItemColumn& like) {
  if (!derived.parts.empty()) {
    return std::all_of(derived.parts.begin(), derived.parts.end(),
                       [&](Derived* part) { return constant_output(*part, place, like); });
  }
  const auto form = like.as_index ? Form::kIndex : Form::kSealed;
  const auto index = static_cast<int>(place);
  if (derived.rows != nullptr) {
    for (auto& row : *derived.rows) {
      auto& value = *row.mutable_list()->mutable_items(index);
      if (!constant_node(value) || !constant_value(value, form, like)) return false;
    }
    return true;
  }
  if (derived.targets == nullptr || index >= derived.targets->size()) return false;
  auto& target = *derived.targets->Mutable(index)->mutable_res_target();
  auto& value = *target.mutable_val();
  if (!constant_node(value)) return false;
  if (target.name().empty()) target.set_name(derived.columns[place].name);
  auto& column = derived.columns[place];
  const auto name = column.name;
  column = like;
  column.name = name;
  column.home = nullptr;
  derived.written[place] = value;
  return constant_value(value, form, like);
}

bool Rewriter::append_output(Derived& derived, std::string_view name, const pg::Node& value) {
  if (!derived.parts.empty()) {
    return std::all_of(derived.parts.begin(), derived.parts.end(),
                       [&](Derived* part) { return append_output(*part, name, value); });
  }
  edited_ = true;
  if (derived.rows != nullptr) {
    for (auto& row : *derived.rows) *row.mutable_list()->add_items() = value;
    return true;
  }
  if (derived.targets == nullptr) return false;
  auto& target = *derived.targets->Add()->mutable_res_target();
  target.set_name(std::string(name));
  *target.mutable_val() = value;
  return true;
}

bool Rewriter::append_index(Derived& derived, std::size_t place, std::string_view name) {
  if (!derived.parts.empty()) {
    // VALUES cannot name what it gives, and the first side names it for all.
    if (derived.parts.front()->rows != nullptr) {
      return refuse(derived.columns[place], "a comparison outside of VALUES", kRemedy);
    }
    return std::all_of(derived.parts.begin(), derived.parts.end(),
                       [&](Derived* part) { return append_index(*part, place, name); });
  }
  const auto& column = derived.columns[place];
  pg::Node value;
  if (!column.secret()) {
    if (!column.is_null) return refuse_state("0A000", "a comparison outside of VALUES", kRemedy);
    make_null(value);
    pg::Node cast;
    make_cast(cast, value, "bytea", false);
    return append_output(derived, name, cast);
  }
  if (derived.level == nullptr || !output_index(derived, place, *derived.level, value)) {
    return refusal_ ? false
                    : refuse(column, "a comparison outside of its sub-select",
                             "compare inside the sub-select");
  }
  return append_output(derived, name, value);
}

/// SELECT DISTINCT ON (every column, protected ones by index) * FROM (left UNION ALL right).
bool Rewriter::distinct_union(pg::SelectStmt& statement, Derived& inner, Derived& result,
                              const Level* outer, const Env* env) {
  Item* item = nullptr;
  if (!around_both(statement, inner, result, outer, env, item)) return false;
  for (std::size_t i = 0; i < inner.columns.size(); ++i) {
    auto& key = *statement.add_distinct_clause();
    if (!inner.columns[i].secret()) {
      make_number(key, static_cast<int>(i) + 1);
    } else if (!output_index(result, i, *result.level, key)) {
      return false;
    }
  }
  return true;
}

bool Rewriter::around_both(pg::SelectStmt& statement, Derived& inner, Derived& result,
                           const Level* outer, const Env* env, Item*& item) {
  auto& range = *statement.add_from_clause()->mutable_range_subselect();
  auto& both = *range.mutable_subquery()->mutable_select_stmt();
  both.set_op(pg::SETOP_UNION);
  both.set_all(true);
  both.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  // Moved, not copied: what was analysed refers to the nodes.
  both.unsafe_arena_set_allocated_larg(statement.unsafe_arena_release_larg());
  both.unsafe_arena_set_allocated_rarg(statement.unsafe_arena_release_rarg());
  statement.set_op(pg::SETOP_NONE);
  statement.set_all(false);
  auto& alias = *range.mutable_alias();
  alias.set_aliasname(std::string(kBoth));
  for (std::size_t i = 0; i < inner.columns.size(); ++i) {
    make_string(*alias.add_colnames(), place_name(i));
  }
  item = derived_item(inner, alias);
  auto& level = new_level(outer, env);
  level.names.push_back({item, true, true});
  for (std::size_t i = 0; i < inner.columns.size(); ++i) {
    auto& target = *statement.add_target_list()->mutable_res_target();
    target.set_name(inner.columns[i].name);
    make_column(*target.mutable_val(), {kBoth, place_name(i)});
    auto column = inner.columns[i];
    result.columns.push_back(std::move(column));
    result.sources.push_back({item, i});
  }
  result.columns_known = true;
  result.level = &level;
  result.targets = statement.mutable_target_list();
  result.can_export = true;
  edited_ = true;
  return true;
}

/// INTERSECT and EXCEPT: rows of both sides in groups, kept by which sides a group has rows of.
bool Rewriter::matched_groups(pg::SelectStmt& statement, Derived& inner, Derived& result,
                              const Level* outer, const Env* env) {
  const bool intersect = statement.op() == pg::SETOP_INTERSECT;
  const bool all = statement.all();
  Item* item = nullptr;
  if (!around_both(statement, inner, result, outer, env, item)) return false;
  for (int side = 0; side < 2; ++side) {
    pg::Node number;
    make_number(number, side);
    if (!append_output(*inner.parts[static_cast<std::size_t>(side)], kSide, number)) return false;
  }
  auto& targets = *statement.mutable_target_list();
  for (std::size_t i = 0; i < inner.columns.size(); ++i) {
    auto& value = *targets.Mutable(static_cast<int>(i))->mutable_res_target()->mutable_val();
    auto& key = *statement.add_group_clause();
    if (!inner.columns[i].secret()) {
      key = value;
      continue;
    }
    if (!output_index(result, i, *result.level, key)) return false;
    // A value of the left side, as PostgreSQL gives.
    pg::Node made = parsed_own("SELECT (pg_catalog.array_agg(x) FILTER (WHERE " +
                               std::string(kBoth) + "." + std::string(kSide) + " = 0))[1]")
                        .select_stmt()
                        .target_list(0)
                        .res_target()
                        .val();
    *made.mutable_a_indirection()->mutable_arg()->mutable_func_call()->mutable_args(0) = value;
    value = made;
  }
  const auto side = std::string(kBoth) + "." + std::string(kSide);
  if (all) return repeated_groups(statement, intersect, result, outer, env);
  const auto having =
      parsed_own("SELECT pg_catalog.bool_or(" + side + " = 0) AND " + (intersect ? "" : "NOT ") +
                 "pg_catalog.bool_or(" + side + " = 1)");
  *statement.mutable_having_clause() = having.select_stmt().target_list(0).res_target().val();
  return true;
}

bool Rewriter::repeated_groups(pg::SelectStmt& statement, bool intersect, Derived& result,
                               const Level* outer, const Env* env) {
  const auto side = std::string(kBoth) + "." + std::string(kSide);
  const auto rows = [&](int number) {
    return "pg_catalog.count(*) FILTER (WHERE " + side + " = " + std::to_string(number) + ")";
  };
  const auto times =
      intersect ? "LEAST(" + rows(0) + ", " + rows(1) + ")" : rows(0) + " - " + rows(1);
  auto& grouped = new_derived();
  grouped = result;
  pg::Node text =
      parsed_own("SELECT FROM (SELECT " + times + " AS " + std::string(kTimes) + ") AS " +
                 std::string(kGroups) + ", LATERAL pg_catalog.generate_series(1, " +
                 std::string(kGroups) + "." + std::string(kTimes) + ") AS theriac_i");
  if (!text.has_select_stmt()) return false;
  auto& made = *text.mutable_select_stmt();
  const auto& range = made.from_clause(0).range_subselect();
  const auto count = range.subquery().select_stmt().target_list(0);
  // What orders and cuts the result stays outside; the rest moves in.
  auto& list = *statement.mutable_from_clause();
  for (const auto& node : made.from_clause()) *list.Add() = node;
  auto& moved = *list.Mutable(1)->mutable_range_subselect();
  auto& query = *moved.mutable_subquery()->mutable_select_stmt();
  query.mutable_target_list()->Swap(statement.mutable_target_list());
  statement.clear_target_list();
  *query.add_target_list() = count;
  query.mutable_group_clause()->Swap(statement.mutable_group_clause());
  list.SwapElements(0, 2);
  query.mutable_from_clause()->UnsafeArenaAddAllocated(list.UnsafeArenaReleaseLast());
  list.SwapElements(0, 1);
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    make_string(*moved.mutable_alias()->add_colnames(), place_name(i));
  }
  grouped.targets = query.mutable_target_list();
  auto* item = derived_item(grouped, moved.alias());
  auto& level = new_level(outer, env);
  level.names.push_back({item, true, true});
  result.level = &level;
  result.targets = statement.mutable_target_list();
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    auto& target = *statement.add_target_list()->mutable_res_target();
    target.set_name(result.columns[i].name);
    make_column(*target.mutable_val(), {kGroups, place_name(i)});
    result.sources[i] = {item, i};
  }
  return true;
}

}  // namespace theriac::rewrite
