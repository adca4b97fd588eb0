// GROUP BY and DISTINCT. Sealed bytes differ from row to row, so protected values are grouped by
// their blind index, and the sealed value of any row stands for the group.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kGroupRemedy =
    "make the column searchable in the policy, or group by the table's primary key as well";
constexpr std::string_view kDistinctRemedy =
    "make the column searchable in the policy, or let the program drop the repetitions";

bool is_plain_distinct(const Nodes& clause) {
  return clause.size() == 1 && clause.Get(0).node_case() == pg::Node::NODE_NOT_SET;
}

/// GROUP BY 2: the output's place.
std::optional<int> position_of(const pg::Node& node) {
  if (!node.has_a_const() || !node.a_const().has_ival()) return std::nullopt;
  return node.a_const().ival().ival() - 1;
}

/// What an output's place or name in GROUP BY stands for; the node itself else, nullptr if unclear.
const pg::Node* meant(const pg::Node& node, const Nodes& targets, const Level& level) {
  if (const auto place = position_of(node)) {
    if (*place < 0 || *place >= targets.size()) return nullptr;
    for (int i = 0; i <= *place; ++i) {
      const auto& value = targets.Get(i).res_target().val();
      if (value.has_column_ref() && is_star(value.column_ref())) return nullptr;
    }
    return &targets.Get(*place).res_target().val();
  }
  if (!node.has_column_ref() || node.column_ref().fields_size() != 1) return &node;
  const auto found = resolve(node.column_ref(), level);
  if (found.kind == Resolved::Kind::kColumn || found.kind == Resolved::Kind::kPlain) return &node;
  for (const auto& target : targets) {
    if (target.res_target().name() == string_of(node.column_ref().fields(0))) {
      return &target.res_target().val();
    }
  }
  return &node;
}

using Attributes = std::map<const Item*, std::vector<std::int16_t>>;

void note_attribute(const Resolved& found, Attributes& out) {
  if (found.kind == Resolved::Kind::kColumn && !found.secret() && found.item->relation != nullptr) {
    out[found.item].push_back(found.column().column->attribute);
  }
}

/// All attributes of some key of the table are among these.
bool holds_key(const Item* item, const Attributes& attributes) {
  // A view's key is none to PostgreSQL's GROUP BY.
  if (item == nullptr || item->relation == nullptr || item->relation->is_view()) return false;
  const auto at = attributes.find(item);
  if (at == attributes.end()) return false;
  const auto& keys = item->relation->keys;
  return std::any_of(keys.begin(), keys.end(), [&](const std::vector<std::int16_t>& key) {
    return !key.empty() && std::all_of(key.begin(), key.end(), [&](std::int16_t attribute) {
      return std::find(at->second.begin(), at->second.end(), attribute) != at->second.end();
    });
  });
}

}  // namespace

bool Rewriter::note_groups(pg::SelectStmt& statement, Level& level) {
  Attributes plain;
  auto& list = *statement.mutable_group_clause();
  if (!list.empty()) level.group_clause = &list;
  level.groups_written = list.size();
  for (int i = 0; i < list.size(); ++i) {
    auto& node = *list.Mutable(i);
    straighten(node, level);
    const auto* stands_for = meant(node, statement.target_list(), level);
    if (stands_for == nullptr) continue;
    pg::Node written = *stands_for;
    if (written.has_sub_link() || !may_carry(written, level)) {
      if (written.has_column_ref() && !is_star(written.column_ref())) {
        note_attribute(resolve(written.column_ref(), level), plain);
      }
      continue;
    }
    auto& key = level.groups[i];
    key.written = written;
    if (written.has_column_ref()) {
      const auto found = resolve(written.column_ref(), level);
      key.source = {found.item, found.place};
    }
  }
  for (auto& [place, key] : level.groups) key.determined = holds_key(key.source.item, plain);
  return true;
}

bool Rewriter::group_clause(Nodes& list, Level& level, const Derived& result) {
  // Behind them stand indexes that the outputs asked for (index_reference).
  for (int i = 0; i < level.groups_written; ++i) {
    auto& node = *list.Mutable(i);
    const auto at = level.groups.find(i);
    if (at == level.groups.end()) {
      if (const auto place = position_of(node)) {
        const auto index = static_cast<std::size_t>(*place);
        if (*place >= 0 && index < result.columns.size() && result.columns[index].secret()) {
          return refuse(result.columns[index], "GROUP BY", kGroupRemedy);
        }
        if (*place >= 0 && index < result.columns.size() &&
            !orders(result.columns[index], "GROUP BY")) {
          return false;
        }
        continue;
      }
      if (meant(node, {}, level) == &node && !expression(node, level, "GROUP BY")) return false;
      continue;
    }
    const auto& key = at->second;
    if (!key.determined && key.source.item != nullptr) {
      const auto& column = key.source.item->columns[key.source.place];
      if (!column.column->protection->searchable) return refuse(column, "GROUP BY", kGroupRemedy);
    }
    // One row for each key: grouping by the sealed value as well changes nothing then.
    const auto form = key.determined ? Form::kSealed : Form::kIndex;
    if (!ungrouped_value(key.written, level, form, node)) return false;
  }
  return true;
}

bool Rewriter::ungrouped_value(const pg::Node& written, Level& level, Form form, pg::Node& out) {
  pg::Node made = written;  // `written` may be part of what is set aside
  ItemColumn ignored;
  auto groups = std::move(level.groups);
  level.groups.clear();
  const auto answer = value(made, level, form, ignored);
  level.groups = std::move(groups);
  out = made;
  return answer == Answer::kDone;
}

bool Rewriter::distinct_clause(pg::SelectStmt& statement, Level& level, Use use, Derived& result) {
  auto& list = *statement.mutable_distinct_clause();
  if (list.empty() || use == Use::kExists) return true;
  for (const auto& column : result.columns) {
    if (!orders(column, "DISTINCT")) return false;
  }
  if (!is_plain_distinct(list)) {
    for (auto& node : list) {
      ItemColumn ignored;
      if (const auto place = position_of(node);
          place && *place >= 0 && static_cast<std::size_t>(*place) < result.columns.size() &&
          result.columns[static_cast<std::size_t>(*place)].secret()) {
        if (!output_index(result, static_cast<std::size_t>(*place), level, node)) return false;
        continue;
      }
      const auto answer = value(node, level, Form::kIndex, ignored);
      if (answer == Answer::kRefused) return false;
      if (answer != Answer::kNotMine) continue;
      Nodes one;
      *one.Add() = node;
      if (!sort_clause(one, level, result, "DISTINCT ON")) return false;
      node = one.Get(0);
    }
    return true;
  }
  const bool any = std::any_of(result.columns.begin(), result.columns.end(),
                               [](const ItemColumn& one) { return one.secret() && !one.as_index; });
  if (!any) return true;
  Attributes plain;
  for (const auto& source : result.sources) {
    if (source.item == nullptr || source.place >= source.item->columns.size()) continue;
    note_attribute({Resolved::Kind::kColumn, source.item, source.place, &level, false}, plain);
  }
  Nodes made;
  for (std::size_t i = 0; i < result.columns.size(); ++i) {
    const auto& column = result.columns[i];
    if (!result.columns_known) return refuse(column, "DISTINCT", "name the columns");
    if (!column.secret() || column.as_index) {
      made.Add()->mutable_a_const()->mutable_ival()->set_ival(static_cast<int>(i) + 1);
      continue;
    }
    if (holds_key(result.sources[i].item, plain)) continue;  // the key says it already
    if (!column.column->protection->searchable) return refuse(column, "DISTINCT", kDistinctRemedy);
    if (!output_index(result, i, level, *made.Add())) return false;
  }
  list = made;
  edited_ = true;
  return true;
}

bool Rewriter::output_index(const Derived& result, std::size_t place, Level& level, pg::Node& out) {
  if (const auto& source = result.sources[place]; source.item != nullptr) {
    return index_reference({Resolved::Kind::kColumn, source.item, source.place, &level, false},
                           level, out);
  }
  const auto at = result.written.find(place);
  if (at == result.written.end()) {
    return refuse(result.columns[place], "a comparison of this value", kDistinctRemedy);
  }
  out = at->second;
  if (constant_node(out)) return constant_value(out, Form::kIndex, result.columns[place]);
  return ungrouped_value(at->second, level, Form::kIndex, out);
}

}  // namespace theriac::rewrite
