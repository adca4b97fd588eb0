#include "rewrite/utility_names.hpp"

#include <algorithm>

namespace theriac::rewrite {

Refusal utility_refusal(const Relation* relation, const Column* column, std::string_view construct,
                        std::string_view remedy) {
  std::string name;
  if (relation != nullptr) name = relation->schema + "." + relation->name;
  if (column != nullptr) name += "." + column->name;
  return {"0A000", std::move(name), std::string(construct), std::string(remedy)};
}

/// What a name in this statement may mean: a protected relation, or a view on one.
const Relation* concerned(const pg::RangeVar& range, const Catalogue& catalogue,
                          const Context& context) {
  const auto* relation = catalogue.find(range.schemaname(), range.relname(), context.search_path);
  if (relation != nullptr) {
    return relation->is_protected() || relation->reads_protected || relation->recreated ? relation
                                                                                        : nullptr;
  }
  if (!range.schemaname().empty()) return nullptr;
  // Not found: still ours if the server could find what we cannot.
  for (const auto& one : catalogue.relations()) {
    if (one.name == range.relname() && (one.is_protected() || one.reads_protected || one.recreated))
      return &one;
  }
  return nullptr;
}

const Relation* first_concerned(const Message& tree, const Catalogue& catalogue,
                                const Context& context) {
  const Relation* found = nullptr;
  each_of<pg::RangeVar>(tree, [&](const pg::RangeVar& range) {
    if (found == nullptr) found = concerned(range, catalogue, context);
  });
  return found;
}

/// The first protected column (or helper) of `relation` that the tree names in any way.
const Column* named_column(const Message& tree, const Relation& relation) {
  const Column* found = nullptr;
  const auto look = [&](std::string_view name) {
    const auto* column = relation.find(name);
    if (found == nullptr && column != nullptr && (column->protection || column->helper)) {
      found = column;
    }
  };
  each_of<pg::String>(tree, [&](const pg::String& one) { look(one.sval()); });
  each_of<pg::IndexElem>(tree, [&](const pg::IndexElem& one) { look(one.name()); });
  return found;
}

bool has_whole_row(const Message& tree, const Relation& relation) {
  bool found = false;
  each_of<pg::ColumnRef>(tree, [&](const pg::ColumnRef& one) {
    found = found || is_star(one) ||
            (one.fields_size() == 1 && string_of(one.fields(0)) == relation.name);
  });
  return found;
}

bool awaits_in(std::string_view schema, std::string_view table, const Catalogue& catalogue) {
  const auto& all = catalogue.awaited();
  return std::any_of(all.begin(), all.end(), [&](const Awaited& one) {
    return one.table == table && (schema.empty() || one.schema == schema);
  });
}

bool awaits_column(std::string_view table, std::string_view column, const Catalogue& catalogue) {
  const auto& all = catalogue.awaited();
  return std::any_of(all.begin(), all.end(), [&](const Awaited& one) {
    return one.table == table && one.column == column;
  });
}

}  // namespace theriac::rewrite
