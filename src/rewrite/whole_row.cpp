// Whole rows: t, t.*, (t).* and ROW(...) that hold protected values. As an output of the statement
// they become ROW() of sealed values, which the gateway opens field by field; in IS NULL and
// count() only what is there counts. Elsewhere they are refused: `=`, functions and casts would
// work on sealed bytes.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

/// A row of a table has a place; NULL where an outer join made it up.
bool has_ctid(const Item& item) { return item.relation != nullptr && !item.relation->is_view(); }

}  // namespace

Item* Rewriter::row_item(const pg::Node& node, const Level& level, const Level** found) {
  if (!node.has_column_ref()) return nullptr;
  const auto& reference = node.column_ref();
  const int count = reference.fields_size();
  Item* item = nullptr;
  if (is_star(reference) && count > 1) {
    item = find_item(level, count > 2 ? string_of(reference.fields(count - 3)) : std::string_view{},
                     string_of(reference.fields(count - 2)), found);
  } else if (count == 1 && !is_star(reference)) {
    const auto name = string_of(reference.fields(0));
    const auto resolved = resolve_name(name, level);
    if (resolved.kind == Resolved::Kind::kWholeRow && resolved.item->name == name) {
      item = find_item(level, {}, name, found);
    }
  }
  return item != nullptr && item->concerns() ? item : nullptr;
}

/// (t).* as an output is t.*.
void Rewriter::straighten_star(pg::Node& node, const Level& level) {
  if (!node.has_a_indirection() || node.a_indirection().indirection_size() != 1 ||
      !node.a_indirection().indirection(0).has_a_star()) {
    return;
  }
  auto* item = row_item(node.a_indirection().arg(), level, nullptr);
  if (item == nullptr) return;
  pg::Node made = node.a_indirection().arg();
  auto& fields = *made.mutable_column_ref()->mutable_fields();
  if (!is_star(made.column_ref())) fields.Add()->mutable_a_star();
  node = made;
  edited_ = true;
}

/// The fields of an item's row as outputs of a select would be.
bool Rewriter::row_fields(Item& item, Level& level, Nodes& fields, Derived& as) {
  if (!item.columns_known || item.is_join) return refuse_item(item, "a whole row");
  if (!level.groups.empty() || level.group_clause != nullptr) {
    return refuse_item(item, "a whole row of a group");
  }
  Nodes targets;
  if (!star_of(item, level, Use::kRows, targets, as)) return false;
  for (const auto& target : targets) *fields.Add() = target.res_target().val();
  return true;
}

/// ROW(a, t.*, ...): each field as an output would be. False: refused, or none is protected, when
/// nothing was changed.
bool Rewriter::row_parts(const Nodes& args, Level& level, Nodes& fields, Derived& as) {
  for (const auto& arg : args) {
    pg::Node field = arg;
    if (field.has_column_ref() && is_star(field.column_ref())) {
      auto* item = row_item(field, level, nullptr);
      if (item == nullptr) return refuse_state("0A000", "a row of this kind", "name the columns");
      if (!row_fields(*item, level, fields, as)) return false;
      continue;
    }
    ItemColumn column;
    const auto answer =
        may_carry(field, level) ? value(field, level, Form::kSealed, column) : Answer::kNotMine;
    if (answer == Answer::kRefused) return false;
    if (answer == Answer::kNotMine && !expression(field, level, "a row")) return false;
    as.columns.push_back(answer == Answer::kDone ? column : ItemColumn{});
    *fields.Add() = field;
  }
  return true;
}

bool Rewriter::holds_protected(const pg::RowExpr& row, Level& level) {
  return std::any_of(row.args().begin(), row.args().end(), [&](const pg::Node& arg) {
    pg::Node one = arg;
    return row_item(one, level, nullptr) != nullptr ||
           (!one.has_sub_link() && may_carry(one, level));
  });
}

/// A whole row or ROW() as an output. `column` receives what its fields are.
Rewriter::Answer Rewriter::row_output(pg::Node& value, Level& level, Use use, bool outermost,
                                      ItemColumn& column) {
  const Level* found = nullptr;
  auto* item = row_item(value, level, &found);
  const bool parts = item == nullptr && value.has_row_expr() && outermost &&
                     holds_protected(value.row_expr(), level);
  if (item == nullptr && !parts) return Answer::kNotMine;
  if (use == Use::kExists) {
    make_true(value);
    edited_ = true;
    return Answer::kPlain;
  }
  if (!outermost) {
    refuse_item(*item, "a whole row");
    return Answer::kRefused;
  }
  Nodes fields;
  Derived as;
  if (item != nullptr ? !row_fields(*item, level, fields, as)
                      : !row_parts(value.row_expr().args(), level, fields, as)) {
    return Answer::kRefused;
  }
  auto made = std::make_shared<RowColumns>();
  for (std::size_t i = 0; i < as.columns.size(); ++i) {
    if (as.columns[i].secret()) made->emplace_back(i, as.columns[i]);
  }
  column.row = std::move(made);
  column.row_of = item == nullptr ? nullptr : item->relation;
  pg::Node row;
  row.mutable_row_expr()->set_row_format(pg::COERCE_EXPLICIT_CALL);
  *row.mutable_row_expr()->mutable_args() = fields;
  edited_ = true;
  if (item == nullptr || !item->nullable) {
    value = row;
    return Answer::kDone;
  }
  // Where an outer join finds no row there is none, which is not a row of NULLs.
  if (!has_ctid(*item)) {
    refuse_item(*item, "a whole row of a sub-select or view in an outer join");
    return Answer::kRefused;
  }
  pg::Node choice;
  auto& when = *choice.mutable_case_expr()->add_args()->mutable_case_when();
  auto& test = *when.mutable_expr()->mutable_null_test();
  test.set_nulltesttype(pg::IS_NOT_NULL);
  if (!reference(*item, "ctid", *found, *test.mutable_arg())) return Answer::kRefused;
  *when.mutable_result() = row;
  value = choice;
  return Answer::kDone;
}

/// t IS NULL: every field is; t IS NOT NULL: none is.
Rewriter::Answer Rewriter::null_whole_row(pg::NullTest& test, Level& level) {
  auto* item = row_item(test.arg(), level, nullptr);
  if (item == nullptr) return Answer::kNotMine;
  Nodes fields;
  Derived as;
  if (!row_fields(*item, level, fields, as)) return Answer::kRefused;
  pg::Node row;
  row.mutable_row_expr()->set_row_format(pg::COERCE_EXPLICIT_CALL);
  *row.mutable_row_expr()->mutable_args() = fields;
  *test.mutable_arg() = row;
  return Answer::kPlain;
}

/// count(t) counts rows, and not those that an outer join made up.
Rewriter::Answer Rewriter::count_whole_row(pg::FuncCall& call, Level& level) {
  const Level* found = nullptr;
  auto* item = row_item(call.args(0), level, &found);
  if (item == nullptr) return Answer::kNotMine;
  if (call.agg_distinct() || call.has_over() || found != &level ||
      (item->nullable && !has_ctid(*item))) {
    refuse_item(*item, "count() of a whole row of this kind", "count a column that is never NULL");
    return Answer::kRefused;
  }
  pg::Node counted;
  if (!item->nullable) {
    make_true(counted);
  } else if (!reference(*item, "ctid", level, counted)) {
    return Answer::kRefused;
  }
  *call.mutable_args(0) = counted;
  edited_ = true;
  return !filter(call, level) ? Answer::kRefused : Answer::kPlain;
}

}  // namespace theriac::rewrite
