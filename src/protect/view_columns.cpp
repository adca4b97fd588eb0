#include "protect/view_columns.hpp"

#include <algorithm>

namespace theriac::protect {
namespace {

rewrite::Column* named(rewrite::Relation& view, std::string_view name) {
  const auto at = std::find_if(view.columns.begin(), view.columns.end(),
                               [&](const auto& each) { return each.name == name; });
  return at == view.columns.end() || at->type.oid != pgwire::kOidBytea ? nullptr : &*at;
}

}  // namespace

bool protect_view_column(rewrite::Relation& view, const rewrite::ViewForm::Helped& helped,
                         const rewrite::Column& first) {
  const auto plain = std::find_if(view.columns.begin(), view.columns.end(), [&](const auto& each) {
    return each.attribute == helped.attribute;
  });
  if (plain == view.columns.end() || helped.origins.empty() || !first.protection) return false;
  auto protection = *first.protection;
  protection.view_attribute = helped.attribute;
  protection.origins = helped.origins;
  protection.searchable = helped.searchable;
  protection.not_null = false;
  std::erase_if(protection.expressions, [&](const auto& each) {
    return std::find(helped.searches.begin(), helped.searches.end(), each.name) ==
           helped.searches.end();
  });
  auto* sealed = named(view, protection.sealed_name());
  if (sealed == nullptr || protection.expressions.size() != helped.searches.size()) return false;
  protection.sealed_attribute = sealed->attribute;
  std::vector<rewrite::Column*> helpers{sealed};
  for (const int ordinal : protection.indexes()) {
    auto* index = named(view, protection.index_name(ordinal));
    if (index == nullptr) return false;
    helpers.push_back(index);
    if (ordinal == 0) {
      protection.index_attribute = index->attribute;
    } else {
      protection.expressions[static_cast<std::size_t>(ordinal) - 1].attribute = index->attribute;
    }
  }
  for (auto* each : helpers) each->helper = true;
  // A domain, an enum and the like come with what is known of the table's column.
  if (plain->type.oid == first.type.oid || plain->type_name == first.type_name) {
    const auto modifier = plain->type_name == first.type_name && plain->type.oid != first.type.oid
                              ? first.type.modifier
                              : plain->type.modifier;
    plain->type = first.type;
    plain->type.modifier = modifier;
  }
  plain->protection = std::move(protection);
  return true;
}

}  // namespace theriac::protect
