#include "protect/view_columns.hpp"

#include <algorithm>
#include <map>

#include "protect/sql_text.hpp"

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

std::string view_sources_sql(const std::vector<rewrite::Relation>& relations) {
  std::string oids;
  for (const auto& relation : relations) {
    if (relation.recreated) oids += (oids.empty() ? "" : ",") + std::to_string(relation.oid);
  }
  if (oids.empty()) return {};
  return "SELECT v.oid, d.refobjid, pg_catalog.pg_get_viewdef(v.oid) "
         "FROM pg_catalog.unnest('{" +
         oids +
         "}'::oid[]) AS v(oid) "
         "JOIN pg_catalog.pg_rewrite r ON r.ev_class = v.oid AND r.rulename = '_RETURN' "
         "CROSS JOIN LATERAL (SELECT DISTINCT d.refobjid FROM pg_catalog.pg_depend d "
         "WHERE d.classid = 'pg_catalog.pg_rewrite'::regclass AND d.objid = r.oid "
         "AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid <> v.oid) d "
         "WHERE pg_catalog.pg_relation_is_updatable(v.oid, false) & 4 <> 0 "
         "AND NOT EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = d.refobjid "
         "AND t.tgattr::text <> '') ORDER BY v.oid";
}

namespace {

using Attributes = std::map<std::int16_t, std::int16_t>;  ///< of the base, of the view

/// The base's keys as the view's, where it shows all of a key's columns.
bool add_keys(const rewrite::Relation& base, const Attributes& shown, rewrite::Relation& view) {
  bool added = false;
  for (const auto& key : base.keys) {
    std::vector<std::int16_t> made;
    for (const auto attribute : key) {
      if (const auto at = shown.find(attribute); at != shown.end()) made.push_back(at->second);
    }
    const bool known = std::find(view.keys.begin(), view.keys.end(), made) != view.keys.end();
    if (made.size() != key.size() || known) continue;
    view.keys.push_back(std::move(made));
    added = true;
  }
  return added;
}

}  // namespace

void give_view_keys(const Rows& rows, std::vector<rewrite::Relation>& relations) {
  const auto find = [&](std::uint32_t oid) -> rewrite::Relation* {
    const auto at = std::find_if(relations.begin(), relations.end(),
                                 [&](const auto& each) { return each.oid == oid; });
    return at == relations.end() ? nullptr : &*at;
  };
  // Views over views get theirs in a later round.
  for (bool again = true; again;) {
    again = false;
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      auto* view = find(number_at<std::uint32_t>(rows, i, 0));
      const auto* base = find(number_at<std::uint32_t>(rows, i, 1));
      if (view == nullptr || base == nullptr || base->keys.empty()) continue;
      const auto source = rewrite::view_source(text_at(rows, i, 2));
      if (!source || source->relation != base->name ||
          (!source->schema.empty() && source->schema != base->schema)) {
        continue;
      }
      Attributes shown;
      for (const auto& [name, from] : source->columns) {
        const auto* column = view->find(name);
        const auto* of = base->find(from);
        if (column == nullptr || of == nullptr || column->helper || column->protection) continue;
        shown.emplace(of->attribute, column->attribute);
      }
      again = add_keys(*base, shown, *view) || again;
    }
  }
}

}  // namespace theriac::protect
