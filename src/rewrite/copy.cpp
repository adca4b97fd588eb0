#include "rewrite/copy.hpp"

#include <algorithm>

#include "rewrite/quoting.hpp"

namespace theriac::rewrite {
namespace {

Refusal refusal_on(const Relation* relation, std::string_view construct, std::string_view remedy) {
  return {"0A000", relation == nullptr ? std::string() : relation->schema + "." + relation->name,
          std::string(construct), std::string(remedy)};
}

/// The columns COPY means: those named, or all but generated ones.
std::optional<Refusal> columns_of(const pg::CopyStmt& statement, const Relation& relation,
                                  std::vector<const Column*>& out) {
  for (const auto& node : statement.attlist()) {
    const auto* column = relation.find(string_of(node));
    if (column == nullptr || column->helper) {
      return Refusal{"42703", {}, "a column that does not exist", "check the column list"};
    }
    if (std::ranges::find(out, column) != out.end()) {
      return Refusal{"42701", {}, "a column is named twice", "check the column list"};
    }
    out.push_back(column);
  }
  if (statement.attlist_size() > 0) return std::nullopt;
  for (const auto& column : relation.columns) {
    if (!column.helper && !column.generated) out.push_back(&column);
  }
  return std::nullopt;
}

pg::SelectStmt& new_select(const Relation& relation, google::protobuf::Arena& arena,
                           CopyRequest& out) {
  out.query = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
  auto& select = *out.query->mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  auto& range = *select.add_from_clause()->mutable_range_var();
  range.set_schemaname(relation.schema);
  range.set_relname(relation.name);
  range.set_relpersistence("p");
  // COPY of a table does not read its children.
  range.set_inh(false);
  return select;
}

void note_columns(const std::vector<const Column*>& columns, CopyRequest& out) {
  for (const auto* column : columns) {
    CopyPlan::Column made;
    made.name = column->name;
    if (column->protection) made.attribute = column->attribute;
    out.plan.columns.push_back(std::move(made));
  }
}

std::optional<Refusal> read_copy_from(const pg::CopyStmt& statement, const Relation& relation,
                                      const std::vector<const Column*>& columns,
                                      google::protobuf::Arena& arena, CopyRequest& out) {
  out.plan.relation_oid = relation.oid;
  bool any = false;
  for (const auto& column : relation.columns) {
    if (!column.protection) continue;
    if (std::ranges::find(columns, &column) != columns.end()) {
      any = true;
      continue;
    }
    if (column.protection->default_refused) {
      auto refused = refusal_on(&relation, "a default that is not a constant",
                                "name the column and give its values");
      refused.column += "." + column.name;
      return refused;
    }
    if (column.protection->default_stored) out.plan.defaulted.push_back(column.attribute);
  }
  out.plain = statement.attlist_size() > 0 && !any && out.plan.defaulted.empty() && !relation.bound;
  if (!statement.has_where_clause()) return std::nullopt;
  bool has_select = false;
  each_of<pg::SubLink>(statement.where_clause(), [&](const pg::SubLink&) { has_select = true; });
  if (has_select) {
    return refusal_on(&relation, "a sub-select in COPY ... WHERE", "select the rows afterwards");
  }
  auto& select = new_select(relation, arena, out);
  make_true(*select.add_target_list()->mutable_res_target()->mutable_val());
  *select.mutable_where_clause() = statement.where_clause();
  return std::nullopt;
}

std::string option_list(const CopyRequest& request) {
  std::string text;
  for (const auto& option : request.server_options) text += (text.empty() ? "" : ", ") + option;
  return text.empty() ? text : " WITH (" + text + ")";
}

}  // namespace

std::optional<Refusal> read_copy(const pg::CopyStmt& statement, const Catalogue& catalogue,
                                 const Context& context, google::protobuf::Arena& arena,
                                 CopyRequest& out) {
  out.plan.from = statement.is_from();
  std::vector<const Column*> columns;
  const Relation* relation = nullptr;
  if (statement.has_relation()) {
    const auto& range = statement.relation();
    relation = catalogue.find(range.schemaname(), range.relname(), context.search_path);
    if (relation == nullptr || !relation->is_protected()) {
      return refusal_on(relation, "COPY", "copy a SELECT of the columns wanted");
    }
    if (!statement.is_from() && relation->kind == 'p') {
      return Refusal{"42809", relation->schema + "." + relation->name,
                     "cannot copy from a partitioned table", "use COPY (SELECT ...) TO"};
    }
    if (auto refused = columns_of(statement, *relation, columns)) return refused;
  }
  if (!statement.filename().empty() || statement.is_program()) {
    return refusal_on(relation, "COPY to or from a file or program of the server",
                      "use COPY ... FROM STDIN or TO STDOUT (\\copy in psql)");
  }
  out.relation = relation;
  if (statement.is_from()) {
    note_columns(columns, out);
    if (auto refused = read_copy_from(statement, *relation, columns, arena, out)) return refused;
  } else if (relation != nullptr) {
    auto& select = new_select(*relation, arena, out);
    for (const auto* column : columns) {
      make_column(*select.add_target_list()->mutable_res_target()->mutable_val(), {column->name});
    }
  } else {
    out.query = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
    *out.query = statement.query();
  }
  if (auto refused = read_copy_options(statement, context, out)) return refused;
  if (statement.is_from() || relation == nullptr) return std::nullopt;
  for (const auto& name : out.quote_names) {
    if (std::ranges::find(columns, name, &Column::name) != columns.end()) continue;
    const auto* known = relation->find(name);
    return Refusal{known == nullptr || known->helper ? "42703" : "42P10",
                   {},
                   "COPY: a column of FORCE_QUOTE is not copied",
                   "correct the options of COPY"};
  }
  return std::nullopt;
}

std::string copy_to_text(const CopyRequest& request, std::string_view query) {
  return "COPY (" + std::string(query) + ") TO STDOUT" + option_list(request);
}

std::string copy_from_text(const CopyRequest& request, std::string_view condition) {
  const auto& relation = *request.relation;
  std::string names;
  const auto add = [&](std::string_view name) {
    names += (names.empty() ? "" : ", ") + quoted_name(name);
  };
  const auto add_helpers = [&](std::int16_t attribute) {
    const auto& protection = *relation.find_attribute(attribute)->protection;
    add(protection.sealed_name());
    for (const auto ordinal : protection.indexes()) add(protection.index_name(ordinal));
  };
  for (const auto& column : request.plan.columns) {
    if (column.attribute == 0) add(column.name);
  }
  for (const auto& column : request.plan.columns) {
    if (column.attribute != 0) add_helpers(column.attribute);
  }
  for (const auto attribute : request.plan.defaulted) add_helpers(attribute);
  if (relation.bound) add("theriac_row");
  auto text = "COPY " + quoted_name(relation.schema) + "." + quoted_name(relation.name) + " (" +
              names + ") FROM STDIN" + option_list(request);
  if (!condition.empty()) text += " WHERE " + std::string(condition);
  return text;
}

}  // namespace theriac::rewrite
