#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kDefaultRemedy = "read the column by itself and do this in the program";

std::string name_of(const Relation* relation, const Column* column) {
  if (relation == nullptr) return {};
  std::string name = relation->schema + "." + relation->name;
  if (column != nullptr) name += "." + column->name;
  return name;
}

}  // namespace

bool Rewriter::run(pg::Node& statement) {
  root_ = &statement;
  switch (statement.node_case()) {
    case pg::Node::kSelectStmt:
      return select(*statement.mutable_select_stmt(), nullptr, nullptr, Use::kRows, result_);
    case pg::Node::kInsertStmt:
      result_ = &new_derived();
      return insert(*statement.mutable_insert_stmt(), nullptr, *result_);
    case pg::Node::kUpdateStmt:
      result_ = &new_derived();
      return update(*statement.mutable_update_stmt(), nullptr, *result_);
    case pg::Node::kDeleteStmt:
      result_ = &new_derived();
      return remove(*statement.mutable_delete_stmt(), nullptr, *result_);
    case pg::Node::kMergeStmt:
      result_ = &new_derived();
      return merge(*statement.mutable_merge_stmt(), nullptr);
    default:
      return refuse_state("0A000", "this kind of statement", "use SELECT, INSERT, UPDATE, DELETE");
  }
}

bool Rewriter::refuse(const Relation* relation, const Column* column, std::string_view construct,
                      std::string_view remedy) {
  if (!refusal_) {
    refusal_ = Refusal{"0A000", name_of(relation, column), std::string(construct),
                       std::string(remedy.empty() ? kDefaultRemedy : remedy)};
  }
  return false;
}

bool Rewriter::refuse(const ItemColumn& column, std::string_view construct,
                      std::string_view remedy) {
  return refuse(column.relation, column.column, construct, remedy);
}

bool Rewriter::refuse_item(const Item& item, std::string_view construct, std::string_view remedy) {
  const Relation* relation = item.relation;
  const Column* column = nullptr;
  for (const auto& one : item.columns) {
    if (relation != nullptr || !one.secret()) continue;
    relation = one.relation;
    column = one.column;
  }
  for (const auto* part : item.parts) {
    if (relation == nullptr && part->concerns()) relation = part->relation;
  }
  return refuse(relation, column, construct,
                remedy.empty() ? "name the columns one by one" : remedy);
}

bool Rewriter::refuse_state(std::string_view sqlstate, std::string_view construct,
                            std::string_view remedy) {
  if (!refusal_) {
    refusal_ = Refusal{std::string(sqlstate), {}, std::string(construct), std::string(remedy)};
  }
  return false;
}

bool Rewriter::unresolved(const Resolved& resolved) {
  switch (resolved.kind) {
    case Resolved::Kind::kAmbiguous:
      return refuse_state("42702", "an ambiguous column name", "put the table's name before it");
    case Resolved::Kind::kMissing:
    case Resolved::Kind::kWholeRow:
      return refuse_state("42703", "a column that does not exist",
                          "check the name, and the table's name before it");
    default:
      return true;
  }
}

Level& Rewriter::new_level(const Level* outer, const Env* env) {
  auto& level = levels_.emplace_back();
  level.outer = outer;
  level.env = env;
  return level;
}

Item& Rewriter::new_item() { return items_.emplace_back(); }
Derived& Rewriter::new_derived() { return deriveds_.emplace_back(); }

Env& Rewriter::new_env(const Env* outer) {
  auto& env = envs_.emplace_back();
  env.outer = outer;
  return env;
}

}  // namespace theriac::rewrite
