#include "protect/views.hpp"

#include <algorithm>

#include "protect/catalogue_loader.hpp"
#include "protect/sql_text.hpp"
#include "protect/view_columns.hpp"
#include "rewrite/view.hpp"

namespace theriac::protect {
namespace {

using rewrite::Catalogue;
using rewrite::Relation;
using store::pg_quote_identifier;
using store::PgConnection;
using store::PgParam;

// Views (and materialised ones) over columns, those over others of them later. A whole-row
// reference leaves no trace in pg_depend; the rule's tree has varattno 0.
constexpr std::string_view kReaders = R"(
WITH RECURSIVE w AS (
  SELECT * FROM unnest($1::oid[], $2::int2[]) AS w(relation, attribute)
), readers(oid, depth) AS (
  SELECT r.ev_class, 1 FROM w
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = w.relation
   AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> d.refobjid
  WHERE d.refobjsubid = w.attribute OR r.ev_action::text LIKE '%:varattno 0 %'
  UNION
  SELECT r.ev_class, b.depth + 1 FROM readers b
  JOIN pg_catalog.pg_depend d ON d.refclassid = 'pg_class'::regclass AND d.refobjid = b.oid
   AND d.classid = 'pg_rewrite'::regclass
  JOIN pg_catalog.pg_rewrite r ON r.oid = d.objid AND r.ev_class <> b.oid
  JOIN pg_catalog.pg_class v ON v.oid = r.ev_class AND v.relkind IN ('v', 'm'))
SELECT c.oid, n.nspname, c.relname, c.relkind, pg_catalog.pg_get_viewdef(c.oid),
       coalesce((SELECT pg_catalog.string_agg(pg_catalog.quote_ident(o.option_name) || '='
                   || pg_catalog.quote_literal(o.option_value), ', ')
                 FROM pg_catalog.pg_options_to_table(c.reloptions) o), ''),
       EXISTS (SELECT FROM pg_catalog.pg_options_to_table(c.reloptions) o
               WHERE o.option_name = 'check_option'),
       EXISTS (SELECT FROM pg_catalog.pg_rewrite r WHERE r.ev_class = c.oid
               AND r.rulename <> '_RETURN'),
       EXISTS (SELECT FROM pg_catalog.pg_trigger t WHERE t.tgrelid = c.oid),
       EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.refclassid = 'pg_class'::regclass AND d.refobjid = c.oid
                 AND d.classid IN ('pg_proc'::regclass, 'pg_policy'::regclass))
       OR EXISTS (SELECT FROM pg_catalog.pg_depend d
               WHERE d.refclassid = 'pg_type'::regclass AND d.refobjid = c.reltype
                 AND d.deptype <> 'i')
FROM (SELECT oid, max(depth) AS depth FROM readers GROUP BY oid) r
JOIN pg_catalog.pg_class c ON c.oid = r.oid AND c.relkind IN ('v', 'm')
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('theriac', 'theriac_catalog')
ORDER BY r.depth, c.oid)";

constexpr std::string_view kViewColumns = R"(
SELECT a.attname, a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod),
       coalesce((SELECT pg_catalog.quote_ident(n.nspname) || '.' || pg_catalog.quote_ident(l.collname)
                 FROM pg_catalog.pg_collation l
                 JOIN pg_catalog.pg_namespace n ON n.oid = l.collnamespace
                 WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation), '')
FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_type t ON t.oid = a.atttypid
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)";

struct View {
  std::uint32_t oid = 0;
  std::string schema, name, definition, options;
  bool materialised = false, checked = false, rules = false, triggers = false, used = false;
  bool registered = false;
  bool kept = false;  ///< a view of the registry says what it said
  std::vector<rewrite::ViewColumn> columns;
  std::vector<std::string> standing;  ///< helpers it has

  [[nodiscard]] std::string sql() const { return qualified_sql(schema, name); }
  [[nodiscard]] std::string object() const { return schema + "." + name; }
};

rewrite::Refusal refusal(std::string_view construct, std::string_view remedy) {
  return {"0A000", {}, std::string(construct), std::string(remedy)};
}

Status read_columns(PgConnection& database, View& view) {
  const auto oid = std::to_string(view.oid);
  THERIAC_ASSIGN(const auto rows, database.query(kViewColumns, {PgParam::text(oid)}));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    auto name = text_at(rows, i, 0);
    if (view.registered && name.starts_with("theriac_")) {
      view.standing.push_back(std::move(name));
      continue;
    }
    auto null = "CAST(NULL AS " + text_at(rows, i, 2) + ")";
    if (const auto collation = text_at(rows, i, 3); !collation.empty()) {
      null += " COLLATE " + collation;
    }
    view.columns.push_back({std::move(name), number_at<std::int16_t>(rows, i, 1), std::move(null)});
  }
  return {};
}

/// The definitions the registry keeps, by view; nullopt: what the view says is its own.
Result<std::map<std::uint32_t, std::optional<std::string>>> registered_views(
    PgConnection& database) {
  std::map<std::uint32_t, std::optional<std::string>> out;
  THERIAC_ASSIGN(const auto there,
                 database.query("SELECT pg_catalog.to_regclass('theriac.views') IS NOT NULL"));
  if (there.value(0, 0) != "t") return out;
  THERIAC_ASSIGN(const auto rows,
                 database.query("SELECT view::oid, pg_catalog.pg_get_viewdef(original::oid) "
                                "FROM theriac.views"));
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    auto& definition = out[number_at<std::uint32_t>(rows, i, 0)];
    if (rows.value(i, 1)) definition = text_at(rows, i, 1);
  }
  return out;
}

struct Watched {
  std::string relations = "{", attributes = "{";
  void add(std::uint32_t relation, std::int16_t attribute) {
    const char* comma = relations.size() == 1 ? "" : ",";
    relations += comma + std::to_string(relation);
    attributes += comma + std::to_string(attribute);
  }
  /// Columns in their protected form, and their helpers.
  void add(const Relation& relation) {
    for (const auto& column : relation.columns) {
      if (column.helper || column.protection) add(relation.oid, column.attribute);
    }
  }
};

Result<std::vector<View>> read_views(PgConnection& database, const Watched& watched) {
  THERIAC_ASSIGN(const auto registered, registered_views(database));
  THERIAC_ASSIGN(const auto rows,
                 database.query(kReaders, {PgParam::text(watched.relations + "}"),
                                           PgParam::text(watched.attributes + "}")}));
  std::vector<View> out;
  for (std::size_t i = 0; i < rows.rows(); ++i) {
    View view;
    view.oid = number_at<std::uint32_t>(rows, i, 0);
    view.schema = text_at(rows, i, 1);
    view.name = text_at(rows, i, 2);
    view.materialised = rows.value(i, 3) == "m";
    view.definition = text_at(rows, i, 4);
    view.options = text_at(rows, i, 5);
    view.checked = rows.value(i, 6) == "t";
    view.rules = rows.value(i, 7) == "t";
    view.triggers = rows.value(i, 8) == "t";
    view.used = rows.value(i, 9) == "t";
    if (const auto at = registered.find(view.oid); at != registered.end()) {
      view.registered = true;
      view.kept = at->second.has_value();
      if (at->second) view.definition = *at->second;
    }
    THERIAC_TRY(read_columns(database, view));
    out.push_back(std::move(view));
  }
  return out;
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
    const Catalogue catalogue(0, relations_);
    auto form = rewrite::view_form(view.definition, catalogue, rewrite::Context{{"pg_catalog"}},
                                   view.columns, view.standing, {});
    if (!form) relation->reads_protected = true;  // views over it have no form either
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

Result<std::vector<TakenView>> take_views(PgConnection& database, std::uint32_t relation) {
  const auto oid = std::to_string(relation);
  THERIAC_ASSIGN(const auto columns,
                 database.query("SELECT attnum FROM pg_catalog.pg_attribute WHERE attrelid = "
                                "$1::oid AND attnum > 0 AND NOT attisdropped AND (attname LIKE "
                                "'theriac\\_%' OR EXISTS (SELECT FROM theriac.columns c WHERE "
                                "c.relation = attrelid AND c.column_name = attname))",
                                {PgParam::text(oid)}));
  Watched watched;
  for (std::size_t i = 0; i < columns.rows(); ++i) {
    watched.add(relation, number_at<std::int16_t>(columns, i, 0));
  }
  THERIAC_ASSIGN(const auto views, read_views(database, watched));
  std::vector<TakenView> out;
  std::vector<std::string> drops, originals;
  for (const auto& view : views) {
    TakenView taken;
    taken.schema = view.schema;
    taken.name = view.name;
    taken.definition = view.definition;
    taken.options = view.options;
    const auto id = std::to_string(view.oid);
    THERIAC_ASSIGN(taken.rights, read_rights(database, view.oid));
    taken.owner = taken.rights.owner;
    THERIAC_ASSIGN(
        const auto kept,
        database.query("WITH gone AS (DELETE FROM theriac.view_columns WHERE view = "
                       "$1::oid), was AS (DELETE FROM theriac.views WHERE view = $1::oid "
                       "RETURNING rights, original) SELECT rights, original::text FROM was",
                       {PgParam::text(id)}));
    if (kept.rows() == 1) {
      if (kept.value(0, 1)) originals.push_back("DROP VIEW " + text_at(kept, 0, 1));
      THERIAC_ASSIGN(const auto json, codec::parse_json(kept.value(0, 0).value_or("")));
      THERIAC_ASSIGN(taken.rights, Rights::from_json(json));
    }
    THERIAC_ASSIGN(const auto texts, database.query(R"(
SELECT a.attname, pg_catalog.col_description(a.attrelid, a.attnum),
       pg_catalog.pg_get_expr(d.adbin, d.adrelid), pg_catalog.obj_description(a.attrelid, 'pg_class')
FROM pg_catalog.pg_attribute a
LEFT JOIN pg_catalog.pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = $1::oid AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum)",
                                                    {PgParam::text(id)}));
    for (std::size_t i = 0; i < texts.rows(); ++i) {
      taken.comment = text_at(texts, i, 3);
      if (texts.value(i, 1))
        taken.comments.emplace_back(text_at(texts, i, 0), text_at(texts, i, 1));
      if (texts.value(i, 2))
        taken.defaults.emplace_back(text_at(texts, i, 0), text_at(texts, i, 2));
    }
    drops.insert(drops.begin(), "DROP VIEW " + view.sql());
    out.push_back(std::move(taken));
  }
  THERIAC_TRY(run_all(database, originals, "taking views away"));
  THERIAC_TRY(run_all(database, drops, "taking views away"));
  return out;
}

Status put_views_back(PgConnection& database, const std::vector<TakenView>& views) {
  for (const auto& view : views) {
    const auto name = qualified_sql(view.schema, view.name);
    auto text = view.definition;
    while (!text.empty() && text.back() == ';') text.pop_back();
    std::vector<std::string> statements{
        "CREATE VIEW " + name + (view.options.empty() ? "" : " WITH (" + view.options + ")") +
            " AS " + text,
        "ALTER VIEW " + name + " OWNER TO " + pg_quote_identifier(view.owner)};
    if (!view.comment.empty()) {
      statements.push_back("COMMENT ON VIEW " + name + " IS " +
                           store::pg_quote_literal(view.comment));
    }
    for (const auto& [column, comment] : view.comments) {
      statements.push_back("COMMENT ON COLUMN " + name + "." + pg_quote_identifier(column) +
                           " IS " + store::pg_quote_literal(comment));
    }
    for (const auto& [column, value] : view.defaults) {
      statements.push_back("ALTER VIEW " + name + " ALTER COLUMN " + pg_quote_identifier(column) +
                           " SET DEFAULT " + value);
    }
    THERIAC_TRY(run_all(database, statements, "making view " + view.schema + "." + view.name));
    THERIAC_ASSIGN(const auto found,
                   database.query("SELECT $1::regclass::oid", {PgParam::text(name)}));
    const auto oid = number_at<std::uint32_t>(found, 0, 0);
    THERIAC_ASSIGN(const auto now, read_rights(database, oid));
    auto wanted = view.rights;
    wanted.owner = view.owner;
    if (now.grants == wanted.grants) continue;
    THERIAC_TRY(take_all_rights(database, oid, name));
    THERIAC_TRY(run_all(database, grant_again(wanted, name), "granting on " + name));
  }
  return {};
}

}  // namespace theriac::protect
