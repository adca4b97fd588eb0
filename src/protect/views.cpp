#include "protect/views.hpp"

#include <algorithm>

#include "protect/catalogue_loader.hpp"
#include "protect/sql_text.hpp"
#include "protect/view_columns.hpp"
#include "protect/views_read.hpp"
#include "rewrite/view.hpp"

namespace theriac::protect {
namespace {

using rewrite::Catalogue;
using rewrite::Relation;
using store::pg_quote_identifier;
using store::PgConnection;
using store::PgParam;

rewrite::Refusal refusal(std::string_view construct, std::string_view remedy) {
  return {"0A000", {}, std::string(construct), std::string(remedy)};
}

/// Forms of views, one after the other: each sees those before it in their forms.
class Planner {
 public:
  explicit Planner(std::vector<Relation> relations) : relations_(std::move(relations)) {}

  tl::expected<rewrite::ViewForm, rewrite::Refusal> plan(const View& view) {
    if (view.materialised) {
      return tl::unexpected(refusal("a materialised view keeps copies",
                                    "drop it, or make it without the protected columns"));
    }
    // No literals: the registry keeps the original text, and a value in it would stay in clear.
    // Helpers of the form it is going to have are not there yet.
    auto* relation = find(view.oid);
    if (relation == nullptr) return tl::unexpected(refusal("a temporary view", "drop the view"));
    for (auto& column : relation->columns) column.protection.reset();
    std::erase_if(relation->columns, [](const auto& column) { return column.helper; });
    relation->recreated = relation->reads_protected = false;
    relation->compared.clear();
    const Catalogue catalogue(0, relations_);
    auto form = rewrite::view_form(view.definition, catalogue, rewrite::Context{{"pg_catalog"}},
                                   view.columns, view.standing, {});
    if (!form) relation->reads_protected = true;  // views over it have no form either
    if (form) {
      for (const auto& one : form->compared) {
        relation->compared.emplace_back(one.relation_oid, one.attribute);
      }
    }
    if (!form || !form->edited) return form;
    if (auto obstacle = obstacle_of(view, *form)) return tl::unexpected(std::move(*obstacle));
    add(*relation, *form);
    return form;
  }

 private:
  static std::optional<rewrite::Refusal> obstacle_of(const View& view,
                                                     const rewrite::ViewForm& form) {
    if (view.rules) return refusal("a rule of its own", "drop the rule");
    if (view.triggers) return refusal("an INSTEAD OF trigger", "drop the trigger");
    if (view.used) {
      return refusal("a function, a policy or a column's type depends on it",
                     "drop or change what depends on the view");
    }
    if (view.checked && !form.compared.empty()) {
      return refusal("WITH CHECK OPTION on a condition on protected columns",
                     "make the view without CHECK OPTION");
    }
    return std::nullopt;
  }

  Relation* find(std::uint32_t oid) {
    const auto at = std::find_if(relations_.begin(), relations_.end(),
                                 [&](const auto& each) { return each.oid == oid; });
    return at == relations_.end() ? nullptr : &*at;
  }

  void add(Relation& view, const rewrite::ViewForm& form) {
    std::int16_t next = 1;
    for (const auto& column : view.columns) {
      next = std::max<std::int16_t>(next, static_cast<std::int16_t>(column.attribute + 1));
    }
    for (const auto& helper : form.helpers) {
      rewrite::Column column;
      column.name = helper;
      column.attribute = next++;
      column.type = {pgwire::kOidBytea, -1};
      column.helper = true;
      view.columns.push_back(std::move(column));
    }
    for (const auto& helped : form.columns) {
      const auto* base = find(helped.origins.front().relation_oid);
      const auto* first =
          base == nullptr ? nullptr : base->find_attribute(helped.origins.front().attribute);
      if (first != nullptr) protect_view_column(view, helped, *first);
    }
    view.recreated = true;
  }

  std::vector<Relation> relations_;
};

void add_helper(Relation& relation, std::string name) {
  if (relation.find(name) != nullptr) return;
  rewrite::Column column;
  column.name = std::move(name);
  column.attribute = static_cast<std::int16_t>(relation.columns.back().attribute + 1);
  column.type = {pgwire::kOidBytea, -1};
  column.helper = true;
  relation.columns.push_back(std::move(column));
}

rewrite::Protection foreseen(const policy::ProtectedColumn& wanted, int number) {
  rewrite::Protection made;
  made.number = number;
  made.class_name = wanted.class_name;
  made.searchable = wanted.searchable;
  made.domain = wanted.domain;
  for (const auto& each : searches_of(wanted)) {
    made.expressions.push_back({each.name, each.expression, each.domain, 0});
  }
  // Any will do: whether the server's is ours was looked at with the target.
  if (auto map = pgwire::CaseMap::find("C.UTF-8")) made.case_map = *map;
  return made;
}

/// The columns of `targets` as they will be; those that are protected already stay.
void foresee(std::vector<Relation>& relations, const policy::Policy& policy,
             const std::vector<Target>& targets) {
  int number = 1'000'000;  // of no registered column
  for (const auto& target : targets) {
    const auto at = std::find_if(relations.begin(), relations.end(),
                                 [&](const auto& each) { return each.oid == target.relation; });
    if (at == relations.end()) continue;
    const auto column = std::find_if(at->columns.begin(), at->columns.end(), [&](const auto& each) {
      return each.attribute == target.attribute;
    });
    if (column == at->columns.end() || column->protection) continue;
    const auto protection = foreseen(*target.wanted, number++);
    column->type = target.loaded.type;
    column->protection = protection;
    add_helper(*at, protection.sealed_name());
    for (const int index : protection.indexes()) add_helper(*at, protection.index_name(index));
    if (policy.classes.at(target.wanted->class_name).bind_rows) at->bound = true;
    if (at->bound) add_helper(*at, "theriac_row");
  }
}

std::string text_of_refusal(const rewrite::Refusal& refused) {
  return refused.construct + (refused.column.empty() ? "" : " (" + refused.column + ")");
}

/// A view of the registry that says what the view says: PostgreSQL keeps its names up to date, and
/// lets nobody drop what it needs. Nobody reads it.
Result<std::string> keep_original(PgConnection& database, const View& view,
                                  const std::string& owner) {
  const auto oid = std::to_string(view.oid);
  THERIAC_ASSIGN(const auto called,
                 database.query("SELECT theriac.view_name($1::oid)", {PgParam::text(oid)}));
  const auto name = qualified_sql("theriac", text_at(called, 0, 0));
  auto text = view.definition;
  while (!text.empty() && text.back() == ';') text.pop_back();
  THERIAC_TRY(run_all(database,
                      {"CREATE VIEW " + name + " AS " + text,
                       "ALTER VIEW " + name + " OWNER TO " + pg_quote_identifier(owner)},
                      "keeping view " + view.object()));
  return name;
}

Status register_view(PgConnection& database, const View& view, const rewrite::ViewForm& form,
                     const std::vector<RegisteredColumn>& columns, const Rights& rights) {
  const auto oid = std::to_string(view.oid), text = rights.to_json().dump();
  std::optional<std::string> original;
  if (form.edited && !view.kept) {
    THERIAC_ASSIGN(original, keep_original(database, view, rights.owner));
  }
  THERIAC_TRY(database.query(
      "INSERT INTO theriac.views (view, original, rights) VALUES ($1::oid::regclass, $2::regclass, "
      "$3::jsonb) ON CONFLICT (view) DO UPDATE SET original = coalesce(views.original, "
      "excluded.original)",
      {PgParam::text(oid), original ? PgParam::text(*original) : PgParam::null(),
       PgParam::text(text)}));
  THERIAC_TRY(
      database.query("WITH gone AS (DELETE FROM theriac.view_columns WHERE view = $1::oid "
                     "RETURNING 1) SELECT count(*) FROM gone",
                     {PgParam::text(oid)}));
  const auto add = [&](std::int16_t attribute, std::size_t rank, int number, bool with_row,
                       bool searchable, const std::vector<std::string>& searches) -> Status {
    const std::vector<std::string> values{oid,
                                          std::to_string(attribute),
                                          std::to_string(rank),
                                          std::to_string(number),
                                          with_row ? "t" : "f",
                                          searchable ? "t" : "f",
                                          codec::Json(searches).dump()};
    std::vector<PgParam> params;
    for (const auto& value : values) params.push_back(PgParam::text(value));
    THERIAC_TRY(database.query(
        "INSERT INTO theriac.view_columns (view, attribute, rank, number, with_row, searchable, "
        "searches) VALUES ($1::oid::regclass, $2::int2, $3::int2, $4::int4, $5::bool, $6::bool, "
        "$7::jsonb)",
        params));
    return {};
  };
  for (const auto& helped : form.columns) {
    std::size_t rank = 0;
    for (const auto& origin : helped.origins) {
      const auto at = std::find_if(columns.begin(), columns.end(), [&](const auto& each) {
        return each.relation == origin.relation_oid && each.attribute == origin.attribute;
      });
      if (at == columns.end()) return fail(Code::kInternal, view.object());
      THERIAC_TRY(add(helped.attribute, rank++, at->number, origin.with_row, helped.searchable,
                      helped.searches));
    }
  }
  for (std::size_t i = 0; i < form.compared.size(); ++i) {
    const auto at = std::find_if(columns.begin(), columns.end(), [&](const auto& each) {
      return each.relation == form.compared[i].relation_oid &&
             each.attribute == form.compared[i].attribute;
    });
    if (at == columns.end()) return fail(Code::kInternal, view.object());
    THERIAC_TRY(add(0, i + 1, at->number, false, false, {}));
  }
  // That it has our form, whatever it shows of it.
  return add(0, 0, columns.front().number, false, false, {});
}

Status give_rights(PgConnection& database, const View& view, const rewrite::ViewForm& form,
                   const Rights& rights) {
  std::vector<std::string> columns;
  for (const auto& column : view.columns) columns.push_back(column.name);
  columns.insert(columns.end(), form.helpers.begin(), form.helpers.end());
  std::vector<Shadowed> shadowed;
  for (const auto& helped : form.columns) {
    const auto at = std::find_if(view.columns.begin(), view.columns.end(), [&](const auto& each) {
      return each.attribute == helped.attribute;
    });
    const auto label = "_v" + std::to_string(helped.attribute);
    Shadowed hidden{at->name, {"theriac_sealed" + label}};
    if (helped.searchable) hidden.helpers.push_back("theriac_index" + label);
    for (const auto& search : helped.searches) {
      hidden.helpers.push_back("theriac_index" + label + "_" + search);
    }
    shadowed.push_back(std::move(hidden));
  }
  return run_all(database, grant_translated(rights, view.sql(), columns, shadowed, true),
                 "granting on " + view.object());
}

}  // namespace

Status inspect_views(PgConnection& database, const policy::Policy& policy,
                     const std::vector<Target>& targets, std::vector<Finding>& findings) {
  THERIAC_ASSIGN(const auto catalogue, catalogue_in_work(database));
  auto relations = catalogue->relations();
  Watched watched;
  for (const auto& target : targets) watched.add(target.relation, target.attribute);
  THERIAC_ASSIGN(const auto views, read_views(database, watched));
  foresee(relations, policy, targets);
  Planner planner(std::move(relations));
  for (const auto& view : views) {
    const auto name =
        std::string(view.materialised ? "materialised view " : "view ") + view.object();
    const auto form = planner.plan(view);
    if (!form) {
      findings.push_back({Severity::kRefused, view.object(),
                          name + ": " + text_of_refusal(form.error()), form.error().remedy});
    } else if (form->edited) {
      findings.push_back(
          {Severity::kNote, view.object(), name + " will be made again over sealed values", ""});
    }
  }
  return {};
}

Result<std::size_t> remake_views(PgConnection& database, Remake which) {
  THERIAC_ASSIGN(const auto catalogue, catalogue_in_work(database));
  Watched watched;
  for (const auto& relation : catalogue->relations()) {
    if (!relation.is_view()) watched.add(relation);
  }
  THERIAC_ASSIGN(const auto views, read_views(database, watched));
  if (views.empty()) return std::size_t{0};
  THERIAC_ASSIGN(const auto registered, registered_columns(database));
  Planner planner(catalogue->relations());
  std::size_t made = 0;
  for (const auto& view : views) {
    const auto form = planner.plan(view);
    if (!form && which == Remake::kWhatCanBe) continue;
    if (!form) {
      return fail(Code::kPolicyInvalid, "view " + view.object() + ": " +
                                            text_of_refusal(form.error()) + "; " +
                                            form.error().remedy);
    }
    if (which == Remake::kMissing && view.registered) continue;
    THERIAC_ASSIGN(const auto rights, read_rights(database, view.oid));
    THERIAC_TRY(register_view(database, view, *form, registered, rights));
    // One that reads nothing protected stays as it is, and is known for that.
    if (!form->edited) continue;
    ++made;
    const auto options = view.options.empty() ? "" : " WITH (" + view.options + ")";
    THERIAC_TRY(run_all(database,
                        {"CREATE OR REPLACE VIEW " + view.sql() + options + " AS " + form->sql},
                        "making view " + view.object()));
    if (form->columns.empty()) continue;
    THERIAC_ASSIGN(const auto taken, take_all_rights(database, view.oid, view.sql()));
    THERIAC_TRY(give_rights(database, view, *form, taken));
  }
  return made;
}

}  // namespace theriac::protect
