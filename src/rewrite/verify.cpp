#include "rewrite/verify.hpp"

#include <algorithm>
#include <deque>
#include <map>
#include <set>

namespace theriac::rewrite {
namespace {

/// One table of a query level: the names it gives, and which of them are protected.
struct Table {
  std::string name;
  const Relation* relation = nullptr;  ///< only of protected ones
  std::map<std::string, const Column*> secret;
  std::set<std::string> plain;
  bool any = false;  ///< may have columns of any name
};

struct Frame {
  const Frame* outer = nullptr;
  std::vector<Table> tables;
  std::map<std::string, Table> ctes;
};

class Verifier {
 public:
  Verifier(const Catalogue& catalogue, const std::vector<std::string>& path)
      : catalogue_(catalogue), path_(path) {}

  std::optional<std::string> run(const Message& message) {
    visit(message, nullptr);
    return found_;
  }

 private:
  void report(const Table& table, const Column* column) {
    if (found_) return;
    found_ = table.relation->schema + "." + table.relation->name;
    if (column != nullptr) *found_ += "." + column->name;
  }

  // --- what a level has

  static Table named_outputs(const pg::SelectStmt& query) {
    const auto* one = &query;
    while (one->op() != pg::SETOP_NONE && one->has_larg()) one = &one->larg();
    Table table;
    if (one->values_lists_size() > 0) {
      for (int i = 0; i < one->values_lists(0).list().items_size(); ++i) {
        table.plain.insert("column" + std::to_string(i + 1));
      }
    }
    add_outputs(one->target_list(), table);
    return table;
  }

  static void add_outputs(const Nodes& targets, Table& table) {
    for (const auto& node : targets) {
      const auto& target = node.res_target();
      if (target.val().has_column_ref() && is_star(target.val().column_ref())) {
        table.any = true;
      } else {
        table.plain.insert(target.name().empty() ? column_name_of(target.val()) : target.name());
      }
    }
  }

  static void rename(const pg::Alias& alias, Table& table) {
    if (!alias.aliasname().empty()) table.name = alias.aliasname();
    for (const auto& node : alias.colnames()) table.plain.insert(std::string(string_of(node)));
  }

  Table relation_table(const pg::RangeVar& range, const Frame& frame) {
    if (range.schemaname().empty()) {
      for (const auto* at = &frame; at != nullptr; at = at->outer) {
        const auto cte = at->ctes.find(range.relname());
        if (cte == at->ctes.end()) continue;
        Table table = cte->second;
        table.name = range.relname();
        rename(range.alias(), table);
        return table;
      }
    }
    Table table;
    table.name = range.has_alias() ? range.alias().aliasname() : range.relname();
    const auto* relation = catalogue_.find(range.schemaname(), range.relname(), path_);
    if (relation == nullptr) {
      table.any = true;
      return table;
    }
    if (relation->is_protected()) table.relation = relation;
    int at = 0;
    for (const auto& column : relation->columns) {
      // The server counts helpers in an alias list like any column.
      std::string name = column.name;
      if (at < range.alias().colnames_size()) name = string_of(range.alias().colnames(at));
      ++at;
      if (column.protection) {
        table.secret.emplace(std::move(name), &column);
      } else {
        table.plain.insert(std::move(name));
      }
    }
    return table;
  }

  void add_tables(const pg::Node& node, Frame& frame) {
    switch (node.node_case()) {
      case pg::Node::kRangeVar:
        frame.tables.push_back(relation_table(node.range_var(), frame));
        break;
      case pg::Node::kRangeSubselect: {
        auto table = named_outputs(node.range_subselect().subquery().select_stmt());
        rename(node.range_subselect().alias(), table);
        frame.tables.push_back(std::move(table));
        break;
      }
      case pg::Node::kRangeTableSample:
        add_tables(node.range_table_sample().relation(), frame);
        break;
      case pg::Node::kJoinExpr:
        add_join(node.join_expr(), frame);
        break;
      default: {
        Table table;
        table.any = true;
        frame.tables.push_back(std::move(table));
      }
    }
  }

  void add_join(const pg::JoinExpr& join, Frame& frame) {
    const auto first = frame.tables.size();
    add_tables(join.larg(), frame);
    add_tables(join.rarg(), frame);
    for (auto i = first; i < frame.tables.size(); ++i) {
      const auto& table = frame.tables[i];
      if (table.relation == nullptr) continue;
      if (join.is_natural() || join.has_alias()) report(table, nullptr);
      for (const auto& name : join.using_clause()) {
        const auto at = table.secret.find(std::string(string_of(name)));
        if (at != table.secret.end()) report(table, at->second);
      }
    }
  }

  void add_ctes(const pg::WithClause& with, Frame& frame) {
    for (const auto& node : with.ctes()) {
      const auto& cte = node.common_table_expr();
      const auto& query = cte.ctequery();
      Table table;
      if (query.has_select_stmt()) table = named_outputs(query.select_stmt());
      if (query.has_insert_stmt()) add_outputs(query.insert_stmt().returning_list(), table);
      if (query.has_update_stmt()) add_outputs(query.update_stmt().returning_list(), table);
      if (query.has_delete_stmt()) add_outputs(query.delete_stmt().returning_list(), table);
      for (const auto& name : cte.aliascolnames()) table.plain.insert(std::string(string_of(name)));
      if (cte.has_search_clause() || cte.has_cycle_clause()) table.any = true;
      frame.ctes[cte.ctename()] = std::move(table);
    }
  }

  // --- walking

  void visit(const Message& message, const Frame* frame) {
    visit(message, shape_of(message), frame);
  }

  void visit(const Message& message, const Shape& shape, const Frame* frame) {
    if (found_) return;
    const auto* type = shape.type;
    if (type == pg::SelectStmt::descriptor()) {
      select(static_cast<const pg::SelectStmt&>(message), frame);
    } else if (type == pg::InsertStmt::descriptor()) {
      insert(static_cast<const pg::InsertStmt&>(message), frame);
    } else if (type == pg::UpdateStmt::descriptor()) {
      update(static_cast<const pg::UpdateStmt&>(message), frame);
    } else if (type == pg::MergeStmt::descriptor()) {
      merge(static_cast<const pg::MergeStmt&>(message), frame);
    } else if (type == pg::DeleteStmt::descriptor()) {
      const auto& statement = static_cast<const pg::DeleteStmt&>(message);
      Frame own{.outer = frame, .tables = {}, .ctes = {}};
      add_ctes(statement.with_clause(), own);
      own.tables.push_back(relation_table(statement.relation(), own));
      for (const auto& node : statement.using_clause()) add_tables(node, own);
      children(message, own);
    } else if (type == pg::CopyStmt::descriptor()) {
      copy(static_cast<const pg::CopyStmt&>(message), frame);
    } else if (type == pg::ColumnRef::descriptor()) {
      reference(static_cast<const pg::ColumnRef&>(message), frame);
    } else if (type == pg::RangeSubselect::descriptor()) {
      const auto& range = static_cast<const pg::RangeSubselect&>(message);
      // Without LATERAL the tables beside it are not visible.
      visit(range.subquery(), range.lateral() || frame == nullptr ? frame : outer_of(*frame));
    } else {
      each_message(message, shape,
                   [&](const Message& child, const Shape& its, const FieldDescriptor*) {
                     visit(child, its, frame);
                   });
    }
  }

  /// The frame around, but with this level's common table expressions.
  const Frame* outer_of(const Frame& frame) {
    auto& made = kept_.emplace_back();
    made.outer = frame.outer;
    made.ctes = frame.ctes;
    return &made;
  }

  void children(const Message& message, const Frame& frame) {
    each_message(message, shape_of(message),
                 [&](const Message& child, const Shape& its, const FieldDescriptor*) {
                   visit(child, its, &frame);
                 });
  }

  void select(const pg::SelectStmt& statement, const Frame* outer) {
    Frame own{.outer = outer, .tables = {}, .ctes = {}};
    add_ctes(statement.with_clause(), own);
    for (const auto& node : statement.from_clause()) add_tables(node, own);
    const auto outputs = named_outputs(statement);
    each_message(statement, shape_of(statement),
                 [&](const Message& child, const Shape& its, const FieldDescriptor* field) {
                   const bool sorts =
                       field->name() == "sort_clause" || field->name() == "distinct_clause";
                   if (sorts && names_output(static_cast<const pg::Node&>(child), outputs)) return;
                   visit(child, its, &own);
                 });
  }

  /// ORDER BY x and DISTINCT ON (x) mean the output x if there is one.
  static bool names_output(const pg::Node& node, const Table& outputs) {
    const auto& sorted = node.has_sort_by() ? node.sort_by().node() : node;
    if (!sorted.has_column_ref() || sorted.column_ref().fields_size() != 1) return false;
    return outputs.plain.contains(std::string(string_of(sorted.column_ref().fields(0))));
  }

  void insert(const pg::InsertStmt& statement, const Frame* outer) {
    Frame own{.outer = outer, .tables = {}, .ctes = {}};
    add_ctes(statement.with_clause(), own);
    const auto target = relation_table(statement.relation(), own);
    for (const auto& node : statement.cols()) named(target, node.res_target().name());
    if (target.relation != nullptr && statement.cols_size() == 0 && statement.has_select_stmt()) {
      report(target, nullptr);
    }
    if (statement.has_with_clause()) visit(statement.with_clause(), &own);
    if (statement.has_select_stmt()) visit(statement.select_stmt(), &own);
    own.tables.push_back(target);
    for (const auto& node : statement.returning_list()) visit(node, &own);
    if (!statement.has_on_conflict_clause()) return;
    const auto& conflict = statement.on_conflict_clause();
    for (const auto& node : conflict.infer().index_elems()) named(target, node.index_elem().name());
    auto excluded = target;
    excluded.name = "excluded";
    own.tables.push_back(std::move(excluded));
    set_list(conflict.target_list(), target);
    children(conflict, own);
  }

  void merge(const pg::MergeStmt& statement, const Frame* outer) {
    Frame own{.outer = outer, .tables = {}, .ctes = {}};
    add_ctes(statement.with_clause(), own);
    const auto target = relation_table(statement.relation(), own);
    own.tables.push_back(target);
    add_tables(statement.source_relation(), own);
    for (const auto& node : statement.merge_when_clauses()) {
      const auto& clause = node.merge_when_clause();
      if (clause.command_type() == pg::CMD_UPDATE) set_list(clause.target_list(), target);
      if (clause.command_type() != pg::CMD_INSERT) continue;
      for (const auto& one : clause.target_list()) named(target, one.res_target().name());
      if (target.relation != nullptr && clause.target_list_size() == 0 &&
          clause.values_size() > 0) {
        report(target, nullptr);
      }
    }
    children(statement, own);
  }

  void copy(const pg::CopyStmt& statement, const Frame* outer) {
    Frame own{.outer = outer, .tables = {}, .ctes = {}};
    if (statement.has_relation()) {
      own.tables.push_back(relation_table(statement.relation(), own));
      const auto& table = own.tables.front();
      for (const auto& node : statement.attlist()) named(table, std::string(string_of(node)));
      if (statement.attlist_size() == 0 && table.relation != nullptr) report(table, nullptr);
    }
    children(statement, own);
  }

  void update(const pg::UpdateStmt& statement, const Frame* outer) {
    Frame own{.outer = outer, .tables = {}, .ctes = {}};
    add_ctes(statement.with_clause(), own);
    own.tables.push_back(relation_table(statement.relation(), own));
    set_list(statement.target_list(), own.tables.front());
    for (const auto& node : statement.from_clause()) add_tables(node, own);
    children(statement, own);
  }

  /// A target column by its true name, whatever alias lists say.
  void named(const Table& table, const std::string& name) {
    if (table.relation == nullptr) return;
    const auto* column = table.relation->find(name);
    if (column != nullptr && column->protection) report(table, column);
  }

  void set_list(const Nodes& list, const Table& target) {
    for (const auto& node : list) {
      const auto& set = node.res_target();
      if (!is_null(set.val()) || set.indirection_size() > 0) named(target, set.name());
    }
  }

  void reference(const pg::ColumnRef& asked, const Frame* frame) {
    const int count = asked.fields_size();
    if (count == 0) return;
    if (count == 1) return bare(asked.fields(0), frame);
    const auto& last = asked.fields(count - 1);
    const std::string table(string_of(asked.fields(count - 2)));
    for (const auto* at = frame; at != nullptr; at = at->outer) {
      bool here = false;
      for (const auto& one : at->tables) {
        if (one.name != table) continue;
        here = true;
        if (one.relation == nullptr) continue;
        if (last.has_a_star()) report(one, nullptr);
        const std::string name(string_of(last));
        const auto secret = one.secret.find(name);
        if (secret != one.secret.end()) report(one, secret->second);
        // Neither a column nor a system column: a function of the whole row.
        if (!one.plain.contains(name) && !is_system(name)) report(one, nullptr);
      }
      if (here) return;
    }
  }

  static bool is_system(const std::string& name) {
    static const std::set<std::string> kNames{"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid"};
    return kNames.contains(name);
  }

  void bare(const pg::Node& field, const Frame* frame) {
    const std::string name(string_of(field));
    for (const auto* at = frame; at != nullptr; at = at->outer) {
      bool owned = false;
      for (const auto& one : at->tables) {
        if (field.has_a_star()) {
          if (one.relation != nullptr) report(one, nullptr);
          continue;
        }
        const auto secret = one.secret.find(name);
        if (secret != one.secret.end()) report(one, secret->second);
        owned = owned || one.plain.contains(name);
      }
      if (owned || field.has_a_star()) return;
    }
    for (const auto* at = frame; at != nullptr; at = at->outer) {
      for (const auto& one : at->tables) {
        if (one.name != name) continue;
        if (one.relation != nullptr) report(one, nullptr);
        return;
      }
    }
  }

  const Catalogue& catalogue_;
  const std::vector<std::string>& path_;
  std::optional<std::string> found_;
  std::deque<Frame> kept_;
};

}  // namespace

std::optional<std::string> plain_reference(const pg::Node& statement, const Catalogue& catalogue,
                                           const std::vector<std::string>& search_path) {
  return Verifier(catalogue, search_path).run(statement);
}

}  // namespace theriac::rewrite
