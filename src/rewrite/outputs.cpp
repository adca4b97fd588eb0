// Output columns: plain protected columns, `*`, and the names PostgreSQL would give.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {

bool Rewriter::targets(Nodes& list, Level& level, Use use, Derived& result) {
  for (auto& node : list) {
    if (node.has_res_target()) straighten_star(*node.mutable_res_target()->mutable_val(), level);
  }
  const auto is_all = [](const pg::Node& node) {
    const auto& value = node.res_target().val();
    return value.has_column_ref() && is_star(value.column_ref());
  };
  if (std::none_of(list.begin(), list.end(), is_all)) {
    return std::all_of(list.begin(), list.end(),
                       [&](pg::Node& node) { return target(node, level, use, result); });
  }
  Nodes made;
  bool expanded_any = false;
  for (auto& node : list) {
    bool expanded = false;
    if (is_all(node)) {
      if (!star(node.res_target().val().column_ref(), level, use, made, result, expanded)) {
        return false;
      }
      expanded_any = expanded_any || expanded;
    } else if (!target(node, level, use, result)) {
      return false;
    }
    if (!expanded) *made.Add() = node;
  }
  if (expanded_any) {
    edited_ = true;
    list = made;
  }
  return true;
}

bool Rewriter::target(pg::Node& node, Level& level, Use use, Derived& result) {
  if (!node.has_res_target()) return refuse_state("0A000", "this kind of output", "use columns");
  auto& target = *node.mutable_res_target();
  auto& value = *target.mutable_val();
  ItemColumn column;
  Source source;
  column.name = target.name().empty() ? column_name_of(value) : target.name();
  const auto as_row = row_output(value, level, use, &result == result_, column);
  if (as_row == Answer::kRefused) return false;
  if (as_row != Answer::kNotMine) {
    if (target.name().empty()) target.set_name(column.name);
    result.columns.push_back(std::move(column));
    result.sources.emplace_back();
    return true;
  }
  const bool carries = may_carry(value, level);
  const pg::Node written = carries ? value : pg::Node();
  auto answer = Answer::kNotMine;
  if (carries) {
    if (value.has_column_ref()) {
      const auto found = resolve(value.column_ref(), level);
      source = {found.item, found.place};
    }
    const auto form = use == Use::kCompare ? Form::kIndex : Form::kSealed;
    answer = this->value(value, level, form, column);
  }
  switch (answer) {
    case Answer::kRefused:
      return false;
    case Answer::kDone:
      if (source.item == nullptr) result.written[result.columns.size()] = written;
      if (target.name().empty() && column.name != column_name_of(value)) {
        target.set_name(column.name);
      }
      break;
    case Answer::kPlain:
      break;
    case Answer::kNotMine:
      column.is_null = is_null(value);
      if (!expression(value, level, "an expression")) return false;
      if (value.has_column_ref() && !is_star(value.column_ref())) {
        const auto plain = resolve(value.column_ref(), level);
        if (plain.kind == Resolved::Kind::kColumn) source = {plain.item, plain.place};
      }
  }
  result.columns.push_back(std::move(column));
  result.sources.push_back(source);
  return true;
}

bool Rewriter::output(const Resolved& found, Level& level, Use use, pg::Node& value,
                      ItemColumn& column) {
  const auto& origin = found.column();
  column.relation = origin.relation;
  column.column = origin.column;
  column.also = origin.also;
  column.type = origin.type;
  column.direct = origin.direct;
  column.found_by = origin.found_by;
  column.carried = origin.carried;
  if (const auto at = found.level->found_by.find({found.item, found.place});
      at != found.level->found_by.end()) {
    column.found_by = at->second;
  }
  if (use == Use::kCompare) {
    if (!searchable(origin)) return false;
    column.as_index = true;
    column.found_by.clear();
    return index_reference(found, level, value);
  }
  const auto* grouped = found.level->grouped_by({found.item, found.place});
  if (found.item->relation != nullptr) {
    // A view's helper already has the row identity in front.
    const bool bound = found.item->relation->bound;
    column.with_row = bound || origin.with_row;
    if (!sealed_reference(found, level, bound, value)) return false;
  } else {
    // A derived table already gives the sealed value under the column's own name.
    column.with_row = origin.with_row;
    if ((found.converted || !value.has_column_ref()) &&
        !reference(*found.item, origin.name, level, value)) {
      return false;
    }
  }
  if (grouped != nullptr && !grouped->determined) first_of_group(value);
  return true;
}

void Rewriter::note_star(Item& item, Derived& result) {
  for (std::size_t i = 0; i < item.columns.size() && item.columns_known; ++i) {
    const auto& column = item.columns[i];
    const auto source = item.is_join ? Source{column.home, column.place} : Source{&item, i};
    ItemColumn made = column;
    made.home = nullptr;
    made.merged = made.converted = false;
    if (!made.secret()) made.column = nullptr;
    result.sources.push_back(column.merged ? Source{} : source);
    result.columns.push_back(std::move(made));
  }
  if (item.columns_known) return;
  result.columns_known = false;
  if (!result.unknown_from) result.unknown_from = result.columns.size();
}

bool Rewriter::star(const pg::ColumnRef& reference_to, Level& level, Use use, Nodes& out,
                    Derived& result, bool& expanded) {
  const auto& fields = reference_to.fields();
  const int count = fields.size();
  if (count == 1) {
    const bool concerned = std::any_of(level.names.begin(), level.names.end(),
                                       [](const Visible& one) { return one.item->concerns(); });
    expanded = concerned;
    for (const auto& visible : level.names) {
      if (!visible.by_column) continue;
      if (!concerned) {
        note_star(*visible.item, result);
      } else if (!star_of(*visible.item, level, use, out, result)) {
        return false;
      }
    }
    return true;
  }
  auto* item = find_item(level, count > 2 ? string_of(fields.Get(count - 3)) : std::string_view{},
                         string_of(fields.Get(count - 2)));
  if (item == nullptr) {
    return refuse_state("42P01", "a table that is not in FROM", "check the name before .*");
  }
  expanded = item->concerns();
  if (expanded) return star_of(*item, level, use, out, result);
  note_star(*item, result);
  return true;
}

bool Rewriter::star_of(Item& item, Level& level, Use use, Nodes& out, Derived& result) {
  if (item.is_join && !item.merges) {
    for (auto* part : item.parts) {
      if (!star_of(*part, level, use, out, result)) return false;
    }
    return true;
  }
  if (item.columns_known) {
    for (std::size_t i = 0; i < item.columns.size(); ++i) {
      if (!star_column(item, i, level, use, out, result)) return false;
    }
    return true;
  }
  if (item.is_join) {
    return refuse_item(item, "* over a join with an unknown relation", "name the columns");
  }
  if (find_item(level, item.aliased ? std::string_view{} : item.schema, item.name) != &item) {
    return refuse_state("0A000", "* over a hidden relation", "name the columns");
  }
  note_star(item, result);
  auto& all = *out.Add()->mutable_res_target()->mutable_val();
  make_column(all, {item.name});
  all.mutable_column_ref()->add_fields()->mutable_a_star();
  return true;
}

bool Rewriter::star_column(Item& item, std::size_t place, Level& level, Use use, Nodes& out,
                           Derived& result) {
  const auto& column = item.columns[place];
  auto& target = *out.Add()->mutable_res_target();
  ItemColumn made;
  made.name = column.name;
  Source source{&item, place};
  Resolved found{Resolved::Kind::kColumn, &item, place, &level, column.converted};
  if (item.is_join) {
    found.item = column.home;
    found.place = column.place;
    source = {column.home, column.place};
    if (column.merged && !column.converted) {
      // Only its bare name gives the merged value, in the common type of both sides.
      const auto seen = resolve_name(column.name, level);
      if (seen.kind != Resolved::Kind::kColumn && seen.kind != Resolved::Kind::kPlain) {
        return refuse_item(item, "* over a join with a hidden name", "name the columns");
      }
      make_column(*target.mutable_val(), {column.name});
      result.columns.push_back(std::move(made));
      result.sources.emplace_back();
      return true;
    }
  }
  // Where the item stands: `*` only reaches this level, `t.*` may reach further out.
  find_item(level, {}, found.item->name, &found.level);
  if (found.column().secret()) {
    if (!output(found, level, use, *target.mutable_val(), made)) return false;
  } else if (!reference(*found.item, found.column().name, level, *target.mutable_val())) {
    return false;
  }
  if (column_name_of(target.val()) != column.name) target.set_name(column.name);
  result.columns.push_back(std::move(made));
  result.sources.push_back(source);
  return true;
}

}  // namespace theriac::rewrite
