// Common table expressions.
#include <algorithm>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

/// Does the query name this table expression without a schema? (An inner one of the same name
/// would hide it; then this errs on the side of refusing.)
bool names_itself(const pg::Node& query, std::string_view name) {
  bool found = false;
  each_of<pg::RangeVar>(query, [&](const pg::RangeVar& range) {
    found = found || (range.schemaname().empty() && range.relname() == name);
  });
  return found;
}

void rename(const pg::CommonTableExpr& cte, Derived& derived) {
  const auto count =
      std::min(derived.columns.size(), static_cast<std::size_t>(cte.aliascolnames_size()));
  for (std::size_t i = 0; i < count; ++i) {
    derived.columns[i].name = string_of(cte.aliascolnames(static_cast<int>(i)));
  }
}

}  // namespace

bool Rewriter::with_clause(pg::WithClause& with, const Level* outer, Env& env) {
  // WITH RECURSIVE makes all names known to all; those not analysed yet are refused when used.
  if (with.recursive()) {
    for (const auto& node : with.ctes()) {
      ctes_.push_back({node.common_table_expr().ctename(), nullptr});
      env.ctes.push_back(&ctes_.back());
    }
  }
  std::size_t at = 0;
  if (nested_ == 0) around_ = {&with, -1};
  for (auto& node : *with.mutable_ctes()) {
    if (nested_ == 0) ++around_.at;
    auto& cte = *node.mutable_common_table_expr();
    Cte* made = nullptr;
    if (with.recursive()) {
      made = env.ctes[at++];
    } else {
      ctes_.push_back({cte.ctename(), nullptr});
      made = &ctes_.back();
    }
    if (!common_table(cte, with, outer, env, *made)) return false;
    if (!with.recursive()) env.ctes.push_back(made);
  }
  return true;
}

bool Rewriter::common_table(pg::CommonTableExpr& cte, const pg::WithClause& with,
                            const Level* outer, Env& env, Cte& made) {
  auto& query = *cte.mutable_ctequery();
  Derived* derived = nullptr;
  struct Nested {
    int& depth;
    ~Nested() { --depth; }
  } nested{++nested_};
  switch (query.node_case()) {
    case pg::Node::kSelectStmt: {
      auto& statement = *query.mutable_select_stmt();
      if (with.recursive() && names_itself(query, made.name)) {
        if (!recursive_table(cte, outer, env, made)) return false;
        derived = made.derived;
      } else if (!select(statement, outer, &env, Use::kRows, derived)) {
        return false;
      }
      break;
    }
    case pg::Node::kInsertStmt:
      derived = &new_derived();
      if (!insert(*query.mutable_insert_stmt(), &env, *derived)) return false;
      break;
    case pg::Node::kUpdateStmt:
      derived = &new_derived();
      if (!update(*query.mutable_update_stmt(), &env, *derived)) return false;
      break;
    case pg::Node::kDeleteStmt:
      derived = &new_derived();
      if (!remove(*query.mutable_delete_stmt(), &env, *derived)) return false;
      break;
    default:
      return refuse_state("0A000", "this kind of common table expression", "use SELECT");
  }
  if (cte.has_search_clause() || cte.has_cycle_clause()) {
    if (derived->any_secret()) {
      return refuse(*std::find_if(derived->columns.begin(), derived->columns.end(),
                                  [](const ItemColumn& one) { return one.secret(); }),
                    "SEARCH or CYCLE", "leave the protected column out of it");
    }
    derived->columns_known = false;  // it gets further columns
    derived->can_export = false;
  }
  rename(cte, *derived);
  made.derived = derived;
  return true;
}

bool Rewriter::recursive_table(pg::CommonTableExpr& cte, const Level* outer, Env& env, Cte& made) {
  auto& statement = *cte.mutable_ctequery()->mutable_select_stmt();
  if (statement.op() != pg::SETOP_UNION) {
    return refuse_state("0A000", "this form of a recursive query", "use UNION or UNION ALL");
  }
  auto& own = new_env(&env);
  if (statement.has_with_clause() && !with_clause(*statement.mutable_with_clause(), outer, own)) {
    return false;
  }
  Derived* left = nullptr;
  if (!select(*statement.mutable_larg(), outer, &own, Use::kRows, left)) return false;
  const auto refuse_secret = [&](const Derived& derived) {
    const auto secret = std::find_if(derived.columns.begin(), derived.columns.end(),
                                     [](const ItemColumn& one) { return one.secret(); });
    return secret == derived.columns.end() ||
           refuse(*secret, "a recursive query", "join the protected column outside of it");
  };
  if (!refuse_secret(*left)) return false;
  auto& whole = new_derived();
  whole.columns = left->columns;
  whole.sources.resize(whole.columns.size());
  whole.columns_known = left->columns_known;
  // While the second half is analysed the columns are the first half's, already renamed.
  auto& during = new_derived();
  during.columns = whole.columns;
  during.sources = whole.sources;
  during.columns_known = whole.columns_known;
  rename(cte, during);
  made.derived = &during;
  Derived* right = nullptr;
  if (!select(*statement.mutable_rarg(), outer, &own, Use::kRows, right)) return false;
  if (!refuse_secret(*right)) return false;
  auto& level = new_level(outer, &own);
  if (!sort_clause(*statement.mutable_sort_clause(), level, whole, "ORDER BY")) return false;
  for (auto* limit : {statement.has_limit_count() ? statement.mutable_limit_count() : nullptr,
                      statement.has_limit_offset() ? statement.mutable_limit_offset() : nullptr}) {
    if (limit != nullptr && !expression(*limit, level, "LIMIT")) return false;
  }
  made.derived = &whole;
  return true;
}

}  // namespace theriac::rewrite
