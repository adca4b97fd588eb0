#include "protect/adoption.hpp"

#include <algorithm>

#include "pgwire/types.hpp"
#include "protect/adoption_texts.hpp"
#include "protect/form.hpp"
#include "protect/inspect_uses.hpp"
#include "protect/registry.hpp"
#include "protect/sql_text.hpp"

namespace theriac::protect {
namespace {

using store::pg_quote_literal;

void replace_all(std::string& text, std::string_view what, std::string_view by) {
  for (std::size_t at = 0; (at = text.find(what, at)) != std::string::npos; at += by.size()) {
    text.replace(at, what.size(), by);
  }
}

/// form_condition() for each suite, bound or not, on a helper called theriac_sealed_0.
std::string form_conditions() {
  std::string out;
  for (const int suite : {1, 2}) {
    for (const bool bound : {false, true}) {
      RegisteredColumn column;
      column.suite = suite;
      column.bound = bound;
      out += fmt::format("{}({}, {}, {})", out.empty() ? "" : ", ", suite, bound,
                         pg_quote_literal(form_condition(column)));
    }
  }
  return out;
}

/// The uses of a column that protect refuses, as inspect() asks for them.
std::string questions() {
  std::string out;
  for (const auto& one : refusing_questions()) {
    out += fmt::format("{}({}, {}, {})", out.empty() ? "" : ", ", pg_quote_literal(one.sql),
                       pg_quote_literal(one.what), pg_quote_literal(one.remedy));
  }
  return out;
}

/// The types built into PostgreSQL that can be protected.
std::string supported_types() {
  constexpr std::uint32_t kFirstOfUsers = 16'384;
  std::string out;
  for (std::uint32_t oid = 1; oid < kFirstOfUsers; ++oid) {
    if (!pgwire::is_supported({oid, -1})) continue;
    out += (out.empty() ? "" : ",") + std::to_string(oid);
  }
  return out;
}

std::string_view name_of(SettleAct::Kind kind) {
  switch (kind) {
    case SettleAct::Kind::kSetNotNull:
      return "set_not_null";
    case SettleAct::Kind::kDropNotNull:
      return "drop_not_null";
    case SettleAct::Kind::kDropDefault:
      return "drop_default";
    case SettleAct::Kind::kDropColumn:
      return "drop_column";
    case SettleAct::Kind::kRevoke:
      return "revoke";
    case SettleAct::Kind::kKeepView:
      return "keep_view";
    case SettleAct::Kind::kUnformView:
      return "unform_view";
    case SettleAct::Kind::kJoin:
      return "join";
    case SettleAct::Kind::kForgetView:
      return "forget_view";
  }
  return "";
}

}  // namespace

std::string adoption_sql() {
  std::string out;
  for (const auto text : {kKeySql, kCallSql, kViewsSql, kIndexSql, kRightsSql, kColumnSql,
                          kMemberSql, kAdoptSql, kSettleSql}) {
    out += text;
  }
  replace_all(out, "{FORMS}", form_conditions());
  replace_all(out, "{QUESTIONS}", questions());
  replace_all(out, "{TRIGGERS}", pg_quote_literal(trigger_question()));
  replace_all(out, "{TYPES}", supported_types());
  replace_all(out, "{REGISTERED}", registered_columns_sql());
  return out;
}

std::string settle_message(std::string_view backend, std::string_view transaction,
                           std::string_view function, std::string_view arguments) {
  return fmt::format("{} {} {} {}", backend, transaction, function, arguments);
}

codec::Json settle_json(const SettleArguments& arguments, const policy::Policy& policy) {
  auto awaited = codec::Json::array();
  for (const auto* column : arguments.awaited) {
    const auto& of_class = policy.classes.at(column->class_name);
    // If one class of a table binds, all its protected columns do.
    const bool bound =
        std::any_of(policy.columns.begin(), policy.columns.end(), [&](const auto& other) {
          return other.schema == column->schema && other.table == column->table &&
                 policy.classes.at(other.class_name).bind_rows;
        });
    awaited.push_back({{"schema", column->schema},
                       {"table", column->table},
                       {"column", column->column},
                       {"class", column->class_name},
                       {"suite", static_cast<int>(of_class.suite)},
                       {"searchable", column->searchable},
                       {"domain", column->searchable ? column->domain : ""},
                       {"searches", searches_to_json(searches_of(*column))},
                       {"bound", bound},
                       {"triggers", column->accept_triggers}});
  }
  auto acts = codec::Json::array();
  for (const auto& act : arguments.acts) {
    acts.push_back({{"act", name_of(act.kind)},
                    {"number", act.number},
                    {"column", act.column},
                    {"privileges", act.privileges},
                    {"roles", act.roles},
                    {"option", act.grant_option_only},
                    {"cascade", act.cascade},
                    {"relation", act.relation},
                    {"child", act.child}});
  }
  auto views = codec::Json::array();
  for (const auto& view : arguments.views) {
    auto columns = codec::Json::array();
    for (const auto& column : view.columns) {
      auto origins = codec::Json::array();
      for (const auto& one : column.origins) {
        origins.push_back({{"relation", one.relation_oid},
                           {"attribute", one.attribute},
                           {"with_row", one.with_row}});
      }
      columns.push_back({{"attribute", column.attribute},
                         {"searchable", column.searchable},
                         {"searches", column.searches},
                         {"origins", std::move(origins)}});
    }
    auto compared = codec::Json::array();
    for (const auto& one : view.compared) {
      compared.push_back({{"relation", one.relation_oid}, {"attribute", one.attribute}});
    }
    views.push_back({{"relation", view.oid},
                     {"columns", std::move(columns)},
                     {"compared", std::move(compared)}});
  }
  return {{"role", arguments.role},        {"views", std::move(views)},
          {"awaited", std::move(awaited)}, {"relations", arguments.relations},
          {"members", arguments.members},  {"parents", arguments.parents},
          {"acts", std::move(acts)}};
}

}  // namespace theriac::protect
