#include "rewrite/scope.hpp"

#include <algorithm>
#include <array>

namespace theriac::rewrite {
namespace {

using Kind = Resolved::Kind;

/// Follows a join's column to the item that has it.
Resolved at_home(Item* item, std::size_t place, const Level& level) {
  const auto& column = item->columns[place];
  if (!item->is_join) return {Kind::kColumn, item, place, &level, false};
  // A merged column of a FULL JOIN belongs to neither side; it is never protected.
  if (column.home == nullptr) return {Kind::kPlain, nullptr, 0, &level, false};
  return {Kind::kColumn, column.home, column.place, &level, column.converted};
}

Resolved column_of_item(Item* item, std::string_view name, const Level& level) {
  for (std::size_t i = 0; i < item->columns.size(); ++i) {
    if (item->columns[i].name == name) return at_home(item, i, level);
  }
  if (!item->columns_known) return {Kind::kUnknown, item, 0, &level, false};
  if (is_system_column(name)) return {Kind::kPlain, item, 0, &level, false};
  return {Kind::kMissing, item, 0, &level, false};
}

}  // namespace

bool Derived::any_secret() const {
  return std::any_of(columns.begin(), columns.end(),
                     [](const ItemColumn& one) { return one.secret(); });
}

bool Item::concerns() const {
  if (relation != nullptr && relation->is_protected()) return true;
  if (std::any_of(parts.begin(), parts.end(), [](const Item* one) { return one->concerns(); })) {
    return true;
  }
  return std::any_of(columns.begin(), columns.end(),
                     [](const ItemColumn& one) { return one.secret(); });
}

const GroupKey* Level::grouped_by(const Source& source) const {
  for (const auto& [place, key] : groups) {
    if (key.source.item == source.item && key.source.place == source.place) return &key;
  }
  return nullptr;
}

const GroupKey* Level::grouped_by(const pg::Node& written) const {
  for (const auto& [place, key] : groups) {
    if (same_tree(key.written, written)) return &key;
  }
  return nullptr;
}

bool is_system_column(std::string_view name) {
  constexpr std::array<std::string_view, 6> kNames{"ctid", "xmin",     "cmin",
                                                   "xmax", "tableoid", "cmax"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

Item* find_item(const Level& level, std::string_view schema, std::string_view name,
                const Level** found) {
  for (const auto* at = &level; at != nullptr; at = at->outer) {
    for (const auto& visible : at->names) {
      const auto& item = *visible.item;
      if (!visible.by_name || item.name != name) continue;
      if (!schema.empty() && (item.aliased || item.schema != schema)) continue;
      if (found != nullptr) *found = at;
      return visible.item;
    }
  }
  return nullptr;
}

Resolved resolve_name(std::string_view name, const Level& level) {
  bool maybe_unknown = false;
  for (const auto* at = &level; at != nullptr; at = at->outer) {
    Resolved here{Kind::kMissing, nullptr, 0, at, false};
    bool base = false;
    for (const auto& visible : at->names) {
      base = base || visible.item->relation != nullptr;
      if (!visible.by_column) continue;
      maybe_unknown = maybe_unknown || !visible.item->columns_known;
      for (std::size_t i = 0; i < visible.item->columns.size(); ++i) {
        if (visible.item->columns[i].name != name) continue;
        auto found = at_home(visible.item, i, *at);
        // Named twice: the server will say that it is ambiguous, unless one is protected, when we
        // do.
        if (here.kind != Kind::kMissing && (here.secret() || found.secret())) {
          return {Kind::kAmbiguous, nullptr, 0, at, false};
        }
        here = found;
      }
    }
    if (here.kind != Kind::kMissing) {
      // An unknown relation at a level further in could own the name.
      if (maybe_unknown && here.secret()) {
        bool inner_unknown = false;
        for (const auto* in = &level; in != at; in = in->outer) {
          for (const auto& visible : in->names) {
            inner_unknown = inner_unknown || (visible.by_column && !visible.item->columns_known);
          }
        }
        if (inner_unknown) return {Kind::kAmbiguous, nullptr, 0, at, false};
      }
      return here;
    }
    if (base && is_system_column(name)) return {Kind::kPlain, nullptr, 0, at, false};
  }
  // Not a column: the name of an item means its whole row.
  if (auto* item = find_item(level, {}, name)) return {Kind::kWholeRow, item, 0, nullptr, false};
  if (maybe_unknown) return {Kind::kUnknown, nullptr, 0, nullptr, false};
  return {};
}

Resolved resolve(const pg::ColumnRef& reference, const Level& level) {
  const auto& fields = reference.fields();
  const int count = fields.size();
  if (count == 1) return resolve_name(string_of(fields.Get(0)), level);
  if (count < 2 || count > 4) return {};
  const auto name = string_of(fields.Get(count - 1));
  const auto table = string_of(fields.Get(count - 2));
  const auto schema = count > 2 ? string_of(fields.Get(count - 3)) : std::string_view{};
  const Level* found = nullptr;
  auto* item = find_item(level, schema, table, &found);
  if (item == nullptr) return {};
  auto column = column_of_item(item, name, *found);
  // t.f where f is no column is a function call f(t) on the whole row.
  if (column.kind == Kind::kMissing) return {Kind::kWholeRow, item, 0, found, false};
  return column;
}

const Cte* find_cte(const Env* env, std::string_view name) {
  for (; env != nullptr; env = env->outer) {
    // Later ones hide earlier ones of the same name only in error; PostgreSQL refuses duplicates.
    for (const auto* cte : env->ctes) {
      if (cte->name == name) return cte;
    }
  }
  return nullptr;
}

}  // namespace theriac::rewrite
