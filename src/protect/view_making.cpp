#include "protect/view_making.hpp"

#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using Failure = tl::unexpected<rewrite::Refusal>;

Failure refused(std::string_view construct, std::string_view remedy) {
  return Failure(rewrite::Refusal{"0A000", {}, std::string(construct), std::string(remedy)});
}

}  // namespace

std::string new_view_sql(const rewrite::FollowedDdl::MadeView& view) {
  const auto schema = view.schema.empty() ? std::string("pg_catalog.current_schema()")
                                          : store::pg_quote_literal(view.schema);
  return "SELECT c.oid, pg_catalog.pg_get_viewdef(c.oid), pg_catalog.quote_ident(n.nspname) || '.' "
         "|| pg_catalog.quote_ident(c.relname), coalesce((SELECT "
         "pg_catalog.string_agg(pg_catalog.quote_ident(o.option_name) || '=' || "
         "pg_catalog.quote_literal(o.option_value), ', ') FROM "
         "pg_catalog.pg_options_to_table(c.reloptions) o), ''), EXISTS (SELECT FROM "
         "pg_catalog.pg_options_to_table(c.reloptions) o WHERE o.option_name = 'check_option'), "
         "a.attname, a.attnum, pg_catalog.format_type(a.atttypid, a.atttypmod), coalesce((SELECT "
         "pg_catalog.quote_ident(s.nspname) || '.' || pg_catalog.quote_ident(l.collname) FROM "
         "pg_catalog.pg_collation l JOIN pg_catalog.pg_namespace s ON s.oid = l.collnamespace "
         "WHERE l.oid = a.attcollation AND a.attcollation <> t.typcollation), '') "
         "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
         "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 "
         "JOIN pg_catalog.pg_type t ON t.oid = a.atttypid "
         "WHERE c.relkind = 'v' AND c.relpersistence = 'p' AND n.nspname = " +
         schema + " AND c.relname = " + store::pg_quote_literal(view.name) + " ORDER BY a.attnum";
}

tl::expected<NewView, rewrite::Refusal> new_view(const Rows& answer,
                                                 const rewrite::Catalogue& catalogue,
                                                 const rewrite::Context& context) {
  if (answer.rows() == 0)
    return refused("a temporary view on protected columns", "make it permanent");
  std::vector<rewrite::ViewColumn> columns;
  for (std::size_t i = 0; i < answer.rows(); ++i) {
    auto null = "CAST(NULL AS " + text_at(answer, i, 7) + ")";
    if (const auto collation = text_at(answer, i, 8); !collation.empty()) {
      null += " COLLATE " + collation;
    }
    columns.push_back(
        {text_at(answer, i, 5), number_at<std::int16_t>(answer, i, 6), std::move(null)});
  }
  auto form = rewrite::view_form(text_at(answer, 0, 1), catalogue, context, columns, {}, {});
  if (!form) return Failure(std::move(form.error()));
  if (!form->compared.empty() && answer.value(0, 4) == "t") {
    return refused("WITH CHECK OPTION on a condition on protected columns",
                   "make the view without CHECK OPTION");
  }
  NewView out;
  out.settled = {number_at<std::uint32_t>(answer, 0, 0), std::move(form->columns),
                 std::move(form->compared)};
  if (!form->edited) return out;
  const auto options = text_at(answer, 0, 3);
  out.form_sql = "CREATE OR REPLACE VIEW " + text_at(answer, 0, 2) +
                 (options.empty() ? "" : " WITH (" + options + ")") + " AS " + form->sql;
  return out;
}

}  // namespace theriac::protect
