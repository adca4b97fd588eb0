// Statements in two steps: rows are read first, then written with a sealed value for each
// (plan.hpp, Gather).
#include <algorithm>
#include <map>

#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kRows = "theriac_rows";

std::string array_name(std::size_t ordinal) { return "theriac_a" + std::to_string(ordinal); }

}  // namespace

std::size_t Rewriter::gather_column(Gathering& gathering, const Gathering::Column& column,
                                    const pg::Node& value) {
  auto& query = *gathering.select.mutable_select_stmt();
  *query.add_target_list()->mutable_res_target()->mutable_val() = value;
  gathering.columns.push_back(column);
  // A constant that comes back to us is not read from any column.
  if (column.kind == Gather::Column::Kind::kSealed && !column.sealed.carried) {
    note_copied(*column.sealed.column);
    for (const auto& also : column.sealed.also) note_copied(*also.column);
  }
  return gathering.columns.size() - 1;
}

void Rewriter::gather_array(Gathering& gathering, Gathering::Array array, pg::Node& out) {
  make_column(out, {kRows, array_name(gathering.arrays.size())});
  gathering.arrays.push_back(std::move(array));
}

void Rewriter::gather_protected(Gathering& gathering, const Relation& relation,
                                const Column& column,
                                const std::variant<std::size_t, ValueSource>& source, Nodes& names,
                                Nodes& values) {
  const auto add = [&](Gather::Array::Kind kind, const std::string& helper, int index) {
    names.Add()->mutable_res_target()->set_name(helper);
    gather_array(gathering,
                 {kind, "pg_catalog.bytea", pgwire::kOidBytea, &relation, &column, source, index},
                 *values.Add());
  };
  add(Gather::Array::Kind::kSeal, column.protection->sealed_name(), 0);
  for (const int index : column.protection->indexes()) {
    add(Gather::Array::Kind::kIndex, column.protection->index_name(index), index);
  }
  note_written(column);
}

void Rewriter::lock_rows(const Item& target, const Nodes& written, pg::SelectStmt& select) {
  const auto& relation = *target.relation;
  const auto is_in_key = [&](const pg::Node& node) {
    const auto* column = relation.find(node.res_target().name());
    return column != nullptr &&
           std::any_of(relation.keys.begin(), relation.keys.end(), [&](const auto& key) {
             return std::find(key.begin(), key.end(), column->attribute) != key.end();
           });
  };
  const bool touches_key = std::any_of(written.begin(), written.end(), is_in_key);
  auto& lock = *select.add_locking_clause()->mutable_locking_clause();
  auto& locked = *lock.add_locked_rels()->mutable_range_var();
  locked.set_relname(target.name);
  locked.set_inh(true);
  locked.set_relpersistence("p");
  lock.set_strength(touches_key ? pg::LCS_FORUPDATE : pg::LCS_FORNOKEYUPDATE);
  lock.set_wait_policy(pg::LockWaitBlock);
}

bool Rewriter::gathered_rows(const Gathering& gathering, pg::Node& out) {
  std::string functions;
  std::string names;
  for (std::size_t i = 0; i < gathering.arrays.size(); ++i) {
    const auto* comma = i == 0 ? "" : ", ";
    functions += comma + ("pg_catalog.unnest($" + std::to_string(i + 1)) +
                 "::" + gathering.arrays[i].type_name + "[])";
    names += comma + array_name(i);
  }
  const auto rows = parsed_own("SELECT FROM ROWS FROM (" + functions + ") AS " +
                               std::string(kRows) + "(" + names + ")");
  if (!rows.has_select_stmt()) {
    return refuse_state("XX000", "a type of an unprotected column", "report it");
  }
  out = rows.select_stmt().from_clause(0);
  each_of<pg::ParamRef>(out, [](const pg::ParamRef& one) {
    auto& parameter = const_cast<pg::ParamRef&>(one);  // `out` is ours and not const
    parameter.set_number(array_placeholder(parameter.number() - 1));
  });
  edited_ = true;
  return true;
}

bool Rewriter::cast_to_type(pg::Node& node, std::string_view type) {
  const auto parsed = parsed_own("SELECT NULL::" + std::string(type));
  if (!parsed.has_select_stmt()) return false;
  pg::Node cast = parsed.select_stmt().target_list(0).res_target().val();
  *cast.mutable_type_cast()->mutable_arg() = node;
  node = cast;
  return true;
}

bool Rewriter::may_gather(const Relation& relation, const Column* column) {
  if (gathering_) {
    return refuse(&relation, column, "two parts of a statement that need their rows read first",
                  "send them as statements of their own");
  }
  if (nested_ > 1) {
    return refuse(&relation, column, "a writing WITH inside another that needs its rows read first",
                  "send it as a statement of its own");
  }
  return true;
}

namespace {

/// Names without a schema, which may be those of common table expressions.
std::map<std::string, int> names_in(const Message& tree) {
  std::map<std::string, int> out;
  each_of<pg::RangeVar>(tree, [&](const pg::RangeVar& range) {
    if (range.schemaname().empty()) ++out[range.relname()];
  });
  return out;
}

}  // namespace

/// Gives the first step the common table expressions that it names. Those that write run with the
/// second step, once, so nothing that is read before may come from them.
bool Rewriter::gather_with(const Message& statement, const pg::WithClause& own,
                           const Relation& relation, Gathering& gathering) {
  std::vector<const pg::CommonTableExpr*> all;
  bool recursive = own.recursive();
  if (nested_ > 0) {
    recursive = recursive || around_.with->recursive();
    for (int i = 0; i < around_.at; ++i) {
      all.push_back(&around_.with->ctes(i).common_table_expr());
    }
  }
  const auto outer = all.size();
  for (const auto& node : own.ctes()) all.push_back(&node.common_table_expr());
  auto& select = *gathering.select.mutable_select_stmt();
  auto wanted = names_in(select);
  std::vector<bool> needed(all.size());
  for (bool more = true; more;) {
    more = false;
    for (std::size_t i = 0; i < all.size(); ++i) {
      if (needed[i] || !wanted.contains(all[i]->ctename())) continue;
      needed[i] = more = true;
      for (const auto& [name, count] : names_in(*all[i])) wanted[name] += count;
    }
  }
  auto here = names_in(statement);
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (!needed[i]) continue;
    if (!all[i]->ctequery().has_select_stmt()) {
      return refuse(&relation, nullptr, "rows that are chosen by a writing WITH",
                    "send the statements one after the other");
    }
    if (i < outer) {
      for (const auto& [name, count] : names_in(*all[i])) here[name] += count;
    }
    auto& with = *select.mutable_with_clause();
    with.set_recursive(recursive);
    *with.add_ctes()->mutable_common_table_expr() = *all[i];
  }
  if (nested_ == 0) return true;
  // What the rest of the statement reads as well would be read twice, and could differ.
  const auto everywhere = names_in(*root_);
  for (std::size_t i = 0; i < all.size(); ++i) {
    const auto& name = all[i]->ctename();
    const auto at = everywhere.find(name);
    if (needed[i] && at != everywhere.end() && at->second > here[name]) {
      return refuse(&relation, nullptr,
                    "a common table expression that a writing WITH and another part both read",
                    "send the writing part as a statement of its own");
    }
  }
  return true;
}

}  // namespace theriac::rewrite
