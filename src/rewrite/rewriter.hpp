// Rewrites one SELECT, INSERT, UPDATE, DELETE or MERGE: walks its tree with PostgreSQL's scoping
// rules and edits what touches protected columns. Whatever it does not positively understand it
// refuses.
//
// Every step returns false once something was refused; refusal() then says what. The parts:
//   from.cpp         FROM items, joins
//   select.cpp       query levels; outputs.cpp: outputs, `*`; with.cpp: WITH
//   groups.cpp       GROUP BY, DISTINCT; set_operations.cpp: UNION, INTERSECT, EXCEPT
//   expressions.cpp  expressions, sub-selects in them
//   carriers.cpp     expressions that hand on a protected value: columns, COALESCE, CASE, ...
//   predicates.cpp   what is allowed on protected columns
//   expression_index.cpp  conditions on lower(c) and its like
//   whole_row.cpp    t, (t).*, ROW()
//   constants.cpp    literals, parameters and their casts
//   insert.cpp, insert_select.cpp, conflict.cpp, conflict_rows.cpp, update.cpp (and DELETE)
//   merge.cpp, merge_gather.cpp
//   gather.cpp       statements that read rows first
//   brought.cpp      literals and parameters that come from elsewhere in the statement
//   slots.cpp        numbering of server parameters
//
// One object serves one statement. Not thread-safe.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "rewrite/plan.hpp"
#include "rewrite/scope.hpp"
#include "rewrite/tree.hpp"

namespace theriac::rewrite {

/// A literal or parameter, as a protected column would take it.
struct Constant {
  bool is = false;           ///< false: an expression of another kind
  std::string_view refused;  ///< not empty: a constant that cannot be taken, and why
  ValueSource source;
  [[nodiscard]] bool is_null() const {
    const auto* literal = std::get_if<Literal>(&source);
    return literal != nullptr && literal->is_null;
  }
};

/// The type of an unprotected output, as far as the text tells.
struct PlainType {
  std::string name;  ///< as SQL, without modifier
  std::uint32_t oid = 0;
  bool array = false;
};

/// Number of the parameter that stands for array `ordinal` of a Gather until number() runs.
int array_placeholder(int ordinal);

/// What becomes of a sub-select's rows.
enum class Use : std::uint8_t {
  kRows,     ///< outputs carry sealed values
  kCompare,  ///< outputs are only compared: protected ones become blind indexes
  kExists,   ///< outputs are not looked at
};

/// Which form of a protected value an expression is to give.
enum class Form : std::uint8_t {
  kSealed,  ///< sealed bytes, to be opened where they come out
  kIndex,   ///< blind index, to be compared
};

/// Adds the origins of one protected value to those of another.
void add_origins(const ItemColumn& from, ItemColumn& to);
/// The type PostgreSQL gives several alternatives in their order (select_common_type), as far as
/// the stored forms of all are values of it as they are.
struct CommonType {
  std::optional<pgwire::ColumnType> type;
  bool unknown = false;  ///< a literal without type or a parameter was among them
  bool failed = false;

  void add(const pgwire::ColumnType& next);
  void add_unknown();
  void add_constant(const Constant& constant);
};

class Rewriter {
 public:
  Rewriter(const Catalogue& catalogue, const Context& context)
      : catalogue_(catalogue), context_(context) {}

  /// `statement` holds a SelectStmt, InsertStmt, UpdateStmt, DeleteStmt or MergeStmt on an arena.
  bool run(pg::Node& statement);

  [[nodiscard]] const std::optional<Refusal>& refusal() const { return refusal_; }
  /// A protected relation is involved.
  [[nodiscard]] bool touched() const { return touched_; }
  /// The tree differs from what was given.
  [[nodiscard]] bool edited() const { return edited_; }
  [[nodiscard]] bool has_into() const { return has_into_; }
  [[nodiscard]] const Derived* result() const { return result_; }

  /// After run(): numbers the server parameters of `tree` and returns their slots; `found` receives
  /// provisional slot to index. Array placeholders are numbered last. nullopt: refused.
  std::optional<std::vector<Slot>> number(pg::Node& tree, std::map<int, std::size_t>& found);

  /// What a statement needs to read first (plan.hpp).
  struct Gathering {
    pg::Node select;
    struct Column {
      Gather::Column::Kind kind = Gather::Column::Kind::kValue;
      ItemColumn sealed;
    };
    std::vector<Column> columns;
    struct Array {
      Gather::Array::Kind kind = Gather::Array::Kind::kTid;
      std::string type_name;  ///< of the elements
      std::uint32_t element_oid = 0;
      const Relation* relation = nullptr;
      const ::theriac::rewrite::Column* column = nullptr;
      std::variant<std::size_t, ValueSource> source;
      int index = 0;
    };
    std::vector<Array> arrays;
    bool once_each = false;
  };
  /// Locations of literals that share a slot because they are equal.
  [[nodiscard]] const std::vector<int>& merged() const { return merged_; }
  [[nodiscard]] std::optional<Gathering>& gathering() { return gathering_; }
  /// Columns of tables whose values are compared.
  [[nodiscard]] const std::vector<ColumnId>& compared() const { return columns_compared_; }
  /// Classes and columns written, compared and copied, into a plan.
  void give_uses(Statement& out) const;

 private:
  friend class ViewMaker;  // view.cpp adds outputs to what was analysed

  // --- refusing
  bool refuse(const Relation* relation, const Column* column, std::string_view construct,
              std::string_view remedy);
  bool refuse(const ItemColumn& column, std::string_view construct, std::string_view remedy = {});
  bool refuse_item(const Item& item, std::string_view construct, std::string_view remedy = {});
  bool refuse_state(std::string_view sqlstate, std::string_view construct, std::string_view remedy);
  bool unresolved(const Resolved& resolved);

  // --- from.cpp
  /// Adds what `node` brings to `names`; `provider` is the item that has its columns.
  bool from_item(pg::Node& node, Level& level, const std::vector<Visible>& lateral,
                 std::vector<Visible>& names, Item*& provider);
  bool from_clause(Nodes& from, Level& level);
  bool join_item(pg::JoinExpr& join, Level& level, const std::vector<Visible>& lateral,
                 std::vector<Visible>& names, Item*& provider);
  bool natural_columns(pg::JoinExpr& join, const Item& left, const Item& right, bool concerns,
                       bool& columns_known);
  bool using_columns(pg::JoinExpr& join, Item& left, Item& right, Item& made, Level& on);
  bool using_as_condition(pg::JoinExpr& join, Item& made, const std::vector<Source>& rights,
                          Level& on);
  bool relation_item(pg::RangeVar& range, const Level& level, bool target, Item*& item);
  bool protected_item(pg::RangeVar& range, Item& item);
  /// What a view's column adds to what it is of itself.
  void add_view_origins(ItemColumn& column) const;
  /// INSERT into a view: its helpers must be the table's own.
  bool may_insert(const Item& target);
  static void rename_columns(const pg::Alias& alias, Item& item);
  Item* derived_item(Derived& derived, const pg::Alias& alias);

  // --- select.cpp
  bool select(pg::SelectStmt& statement, const Level* outer, const Env* env, Use use,
              Derived*& result);
  bool select_level(pg::SelectStmt& statement, const Level* outer, const Env* env, Use use,
                    Derived& result);
  bool values(pg::SelectStmt& statement, Level& level, Derived& result);
  bool with_clause(pg::WithClause& with, const Level* outer, Env& env);
  bool common_table(pg::CommonTableExpr& cte, const pg::WithClause& with, const Level* outer,
                    Env& env, Cte& made);
  bool recursive_table(pg::CommonTableExpr& cte, const Level* outer, Env& env, Cte& made);
  bool targets(Nodes& list, Level& level, Use use, Derived& result);
  bool target(pg::Node& node, Level& level, Use use, Derived& result);
  bool star(const pg::ColumnRef& reference, Level& level, Use use, Nodes& out, Derived& result,
            bool& expanded);
  bool star_of(Item& item, Level& level, Use use, Nodes& out, Derived& result);
  bool star_column(Item& item, std::size_t place, Level& level, Use use, Nodes& out,
                   Derived& result);
  static void note_star(Item& item, Derived& result);
  /// Puts a protected column's output expression into `value`.
  bool output(const Resolved& found, Level& level, Use use, pg::Node& value, ItemColumn& column);
  bool sort_clause(Nodes& list, Level& level, const Derived& result, std::string_view construct);
  bool returning(Nodes& list, Level& level, Derived& result);

  bool orders(const ItemColumn& column, std::string_view construct);

  // --- groups.cpp
  /// Before the outputs are analysed: which GROUP BY expressions give protected values.
  bool note_groups(pg::SelectStmt& statement, Level& level);
  bool group_clause(Nodes& list, Level& level, const Derived& result);
  /// As value(), of an expression as it stands before grouping.
  bool ungrouped_value(const pg::Node& written, Level& level, Form form, pg::Node& out);
  bool distinct_clause(pg::SelectStmt& statement, Level& level, Use use, Derived& result);
  /// The blind index of one of a query level's own outputs.
  bool output_index(const Derived& result, std::size_t place, Level& level, pg::Node& out);

  // --- set_operations.cpp
  bool set_operation(pg::SelectStmt& statement, const Level* outer, const Env* env, Use use,
                     Derived& result);
  bool one_domain_each(const Derived& made);
  bool combine(std::string_view name, Derived& left, Derived& right, Derived& result);
  bool combine_column(std::string_view name, std::size_t place, Derived& left, Derived& right,
                      ItemColumn& made);
  static void add_types(const Derived& derived, std::size_t place, const Column& like,
                        CommonType& common);
  /// Makes a literal or parameter in `derived`'s output a value like `like`.
  bool constant_output(Derived& derived, std::size_t place, const ItemColumn& like);
  /// Turns `statement` into a SELECT from both sides under UNION ALL, which is `item` then.
  bool around_both(pg::SelectStmt& statement, Derived& inner, Derived& result, const Level* outer,
                   const Env* env, Item*& item);
  /// INTERSECT ALL and EXCEPT ALL: each group as many times as the rule says.
  bool repeated_groups(pg::SelectStmt& statement, bool intersect, Derived& result,
                       const Level* outer, const Env* env);
  bool distinct_union(pg::SelectStmt& statement, Derived& inner, Derived& result,
                      const Level* outer, const Env* env);
  bool matched_groups(pg::SelectStmt& statement, Derived& inner, Derived& result,
                      const Level* outer, const Env* env);
  /// Appends an output to every select that `derived` is made of.
  bool append_output(Derived& derived, std::string_view name, const pg::Node& value);
  bool append_index(Derived& derived, std::size_t place, std::string_view name);

  // --- expressions.cpp
  bool expression(pg::Node& node, Level& level, std::string_view construct, bool conjunct = false);
  bool children(Message& message, Level& level, std::string_view construct);
  bool column_reference(pg::Node& node, Level& level, std::string_view construct);
  bool case_expression(pg::CaseExpr& choice, Level& level);
  bool function_call(pg::Node& node, Level& level);
  /// FILTER of an aggregate.
  bool filter(pg::FuncCall& call, Level& level);
  bool sub_link(pg::Node& node, Level& level, std::string_view construct);
  bool compared_sub_link(pg::SubLink& link, Level& level);
  bool condition(pg::Node& node, Level& level) {
    return expression(node, level, "a condition", true);
  }
  void straighten(pg::Node& node, const Level& level);

  // --- carriers.cpp
  enum class Answer : std::uint8_t {
    kNotMine,  ///< nothing was done
    kPlain,    ///< analysed as a whole: no protected value comes out
    kDone,     ///< rewritten: a protected value comes out, in the form asked for
    kRefused,
  };
  /// Could value() have something to do with the expression?
  bool may_carry(pg::Node& node, const Level& level);
  /// Rewrites an expression that hands on a protected value; `made` says which.
  Answer value(pg::Node& node, Level& level, Form form, ItemColumn& made);
  Answer column_value(pg::Node& node, Level& level, Form form, ItemColumn& made);
  Answer grouped_value(pg::Node& node, Level& level, Form form, ItemColumn& made);
  Answer cast_value(pg::Node& node, Level& level, Form form, ItemColumn& made);
  Answer selected_value(pg::Node& node, Level& level, Form form, ItemColumn& made);
  Answer chosen_value(const std::vector<pg::Node*>& alternatives, Level& level, Form form,
                      ItemColumn& made, std::string_view construct);
  Answer case_value(pg::CaseExpr& choice, Level& level, Form form, ItemColumn& made);
  Answer null_if(pg::Node& node, Level& level, Form form, ItemColumn& made);
  static pgwire::ColumnType type_of_null_if(const ItemColumn& made, const pg::Node& other);
  Answer window_value(pg::FuncCall& call, Level& level, Form form, ItemColumn& made);
  bool case_conditions(pg::CaseExpr& choice, Level& level);
  bool window(pg::WindowDef& over, Level& level);
  void first_of_group(pg::Node& node);
  static bool constant_node(const pg::Node& node);
  /// A literal or parameter beside protected values like `like`.
  bool constant_value(pg::Node& node, Form form, const ItemColumn& like);

  // --- whole_row.cpp
  /// The FROM item whose whole row `node` is, if that concerns us; `found`: its level.
  static Item* row_item(const pg::Node& node, const Level& level, const Level** found);
  void straighten_star(pg::Node& node, const Level& level);
  bool row_fields(Item& item, Level& level, Nodes& fields, Derived& as);
  bool row_parts(const Nodes& args, Level& level, Nodes& fields, Derived& as);
  bool holds_protected(const pg::RowExpr& row, Level& level);
  /// `outermost`: of the statement's own result.
  Answer row_output(pg::Node& value, Level& level, Use use, bool outermost, ItemColumn& column);
  Answer null_whole_row(pg::NullTest& test, Level& level);
  Answer count_whole_row(pg::FuncCall& call, Level& level);

  // --- predicates.cpp
  Answer predicate(pg::Node& node, Level& level, bool conjunct);
  Answer null_test(pg::NullTest& test, Level& level);
  Answer null_row(pg::NullTest& test, Level& level);
  Answer comparison(pg::Node& node, Level& level, bool conjunct);
  Answer list_comparison(pg::Node& node, Level& level, bool conjunct);
  bool list_constant(pg::Node& array, const ItemColumn& column, const pg::TypeName* cast_to);
  Answer value_among(pg::Node& node, Nodes& items, Level& level);
  Answer row_comparison(pg::Node& node, Level& level, bool conjunct);
  /// Compares a protected value with a literal, a parameter, or another protected value.
  bool compare_with(const ItemColumn& column, pg::Node& other, Level& level,
                    std::vector<int>* found);
  Answer list_items(Nodes& items, const ItemColumn& column, Level& level, bool& constants,
                    std::vector<int>& found);
  bool same_domain(const ItemColumn& left, const ItemColumn& right);
  bool searchable(const ItemColumn& column);

  // --- conditions on expressions that have an index (expression_index.cpp)
  struct Expressed;
  static std::optional<Expressed> expressed(const pg::Node& node, const Level& level);
  Answer expression_condition(pg::Node& node, Level& level);
  bool expression_index(const Expressed& of, const Level& level, pg::Node& out);
  bool expression_constant(const Expressed& of, pg::Node& other);
  bool expression_list(pg::A_Expr& condition, const Expressed& of, const Level& level);
  /// The protected column `node` is, through casts that change nothing.
  static std::optional<Resolved> protected_reference(const pg::Node& node, const Level& level,
                                                     bool exact_type);
  /// Writes a reference to the sealed helper, or the index helper, of a protected column.
  bool sealed_reference(const Resolved& found, const Level& level, bool with_row, pg::Node& out);
  bool index_reference(const Resolved& found, const Level& level, pg::Node& out);
  bool reference(const Item& item, std::string_view column, const Level& level, pg::Node& out);
  bool export_index(Item& item, std::size_t place, std::string& name);

  // --- constants.cpp
  static Constant constant_of(const pg::Node& node, const Column& column);
  bool bad_constant(const ItemColumn& column, const Constant& constant);

  // --- what INSERT, UPDATE and DELETE begin with: WITH, and the table written
  struct Written {
    Env* env = nullptr;
    Level* level = nullptr;
    Item* target = nullptr;
  };
  template <class Statement>
  bool written_table(Statement& statement, const Env* env, Written& out) {
    out.env = &new_env(env);
    if (statement.has_with_clause() &&
        !with_clause(*statement.mutable_with_clause(), nullptr, *out.env)) {
      return false;
    }
    out.level = &new_level(nullptr, out.env);
    if (!relation_item(*statement.mutable_relation(), *out.level, true, out.target)) return false;
    out.level->names.push_back({out.target, true, true});
    return true;
  }

  // --- insert.cpp
  bool insert(pg::InsertStmt& statement, const Env* env, Derived& result);
  bool insert_protected(pg::InsertStmt& statement, Item& target, Level& level, const Env* env);
  struct InsertColumns;
  bool insert_columns(const pg::InsertStmt& statement, const Item& target, std::size_t width,
                      InsertColumns& out);
  bool insert_row(Nodes& items, const Item& target, const InsertColumns& columns, Level& level);
  bool insert_values(pg::InsertStmt& statement, Item& target, Level& level, const Env* env);
  bool insert_one_select(pg::InsertStmt& statement, Item& target, Level& level, const Env* env);
  bool insert_select(pg::InsertStmt& statement, Item& target, const Env* env);
  bool insert_gathered(pg::InsertStmt& statement, const Item& target, const InsertColumns& columns,
                       const Derived& rows);
  /// What an output of INSERT ... SELECT gives a protected column, if it is a constant: taken out
  /// of the select.
  bool taken_constant(const Derived& rows, std::size_t place, const Relation& relation,
                      const Column& column, std::optional<ValueSource>& out);
  bool insert_value(pg::Node& item, const Item& target, const Column& column, int row, Nodes& out);
  bool default_value(const Item& target, const Column& column, int row, Nodes& out);
  bool row_as_select(pg::InsertStmt& statement, const Item& target);

  // --- conflict.cpp
  /// `one_row`: the statement inserts one row at most.
  bool on_conflict(pg::InsertStmt& statement, Item& target, Level& level, bool one_row);
  bool conflict_target(pg::OnConflictClause& clause, const Item& target, Level& level);
  bool conflict_assignments(pg::InsertStmt& statement, const Item& target, Level& level,
                            bool one_row);
  bool conflict_value(const pg::Node& value, const Relation* relation, const Column& column,
                      Level& level, bool one_row, Nodes& out);
  bool stored_forms(const pg::Node& value, const ItemColumn& like, Level& level, bool one_row,
                    Nodes& out);
  bool stored_expressions(const pg::Node& value, const ItemColumn& like, Level& level, Nodes& out);
  // --- conflict_rows.cpp
  bool keep_identities(const pg::InsertStmt& statement, const Item& target);
  bool conflicting_row(const pg::InsertStmt& statement, const Nodes& values, const Item& target,
                       std::optional<pg::Node>& out);
  static void if_identity_kept(const Item& target, pg::Node& value);

  // --- update.cpp
  struct Assigned;
  bool update(pg::UpdateStmt& statement, const Env* env, Derived& result);
  /// (a, b) = (x, y) into single assignments if a protected column is among them.
  bool spread_sources(Nodes& list, const Item& target, Level& level);
  /// UPDATE through a view: PostgreSQL's own, of one row, sets what stands for the columns.
  bool may_update(const std::vector<Assigned>& assigned, const Item& view, bool by_rows);
  bool assignments(Nodes& list, const Item& target, Level& level, std::vector<Assigned>& out);
  bool assignment(pg::ResTarget& set, const Item& target, const Column& column, Level& level,
                  Assigned& out);
  static bool is_pinned(const pg::Node& where, const Item& target, const Level& level);
  static void pinned_columns(const pg::Node& where, const Item& target, const Level& level,
                             std::vector<std::int16_t>& out);
  void set_in_one_step(const std::vector<Assigned>& assigned, const Item& target, Nodes& list);
  /// Rows of several tables: tableoid beside ctid, in what is read and in `condition`.
  void add_table_of_row(Gathering& gathering, const Item& target, pg::Node& condition);
  bool set_by_rows(pg::UpdateStmt& statement, const std::vector<Assigned>& assigned,
                   const Item& target);
  bool gathered_source(pg::Node& value, const Item& target, const Column& column, Level& level,
                       Assigned& out);
  bool remove(pg::DeleteStmt& statement, const Env* env, Derived& result);

  // --- merge.cpp
  struct Merging;
  struct MergedSource;
  bool merge(pg::MergeStmt& statement, const Env* env);
  bool merge_columns(pg::MergeWhenClause& clause, Merging& merging);
  bool carry_merged(const pg::MergeStmt& statement, const Merging& merging);
  static void merged_columns(const pg::Node& condition, const Merging& merging,
                             std::vector<std::int16_t>& out);
  static bool merges_by_key(const pg::MergeStmt& statement, const Merging& merging);
  struct MergeValue;
  struct MergeBranch;
  bool merge_value(const pg::Node& written, const Column& column, bool update,
                   const Merging& merging, MergeValue& out);
  bool merge_default(const Column& column, const Merging& merging, MergeValue& out);
  bool merge_update(MergeBranch& branch, const Merging& merging);
  bool merge_insert(MergeBranch& branch, const Merging& merging);
  void write_branch(MergeBranch& branch, const MergedSource* source);
  // --- merge_gather.cpp
  static std::optional<PlainType> plain_type(const Item& item, std::size_t place);
  static std::optional<PlainType> plain_type(const Derived& derived, std::size_t place);
  bool merged_names(pg::MergeStmt& statement, const Merging& merging, std::set<std::string>& out);
  bool merged_column(const std::string& name, const Merging& merging, Gathering& gathering,
                     Nodes& outputs);
  void merged_value(const MergeValue& value, const Merging& merging, Gathering& gathering,
                    MergedSource& source, Nodes& outputs);
  bool merge_gathered(pg::MergeStmt& statement, Merging& merging);

  // --- gather.cpp
  /// Adds an output to the gathering select, and says which gathered column it is.
  std::size_t gather_column(Gathering& gathering, const Gathering::Column& column,
                            const pg::Node& value);
  /// Adds an array; `out` becomes a reference to its element in the statement's rows.
  static void gather_array(Gathering& gathering, Gathering::Array array, pg::Node& out);
  /// Arrays of sealed bytes and indexes for a protected column: helper names and elements.
  void gather_protected(Gathering& gathering, const Relation& relation, const Column& column,
                        const std::variant<std::size_t, ValueSource>& source, Nodes& names,
                        Nodes& values);
  /// Locks what is gathered as an UPDATE of the columns in `written` would.
  static void lock_rows(const Item& target, const Nodes& written, pg::SelectStmt& select);
  /// The FROM item that joins the arrays; call when all have been added.
  bool gathered_rows(const Gathering& gathering, pg::Node& out);
  /// `node` cast to the column's type without its modifier.
  static bool cast_to_column(pg::Node& node, const Column& column) {
    return cast_to_type(node, column.type_name);
  }
  static bool cast_to_type(pg::Node& node, std::string_view type);
  /// The statement as it is may be run in two steps.
  bool may_gather(const Relation& relation, const Column* column);
  bool gather_with(const Message& statement, const pg::WithClause& own, const Relation& relation,
                   Gathering& gathering);

  // --- brought.cpp
  /// Literals and parameters that the server would see as part of what a protected column gets,
  /// wherever in the statement they stand. Those in conditions choose a value and are not part of
  /// it. `node` as it was written.
  bool shows_constants(const pg::Node& node, const Level& level);
  bool shows_constants(const pg::SelectStmt& query, const Level& level);
  bool shows_constants_below(const Message& message, const Level& level);
  bool from_shows_constants(const pg::Node& node, const Level& level);
  /// The same of what a reference, a FROM item, or an output of a derived table gives.
  bool brings_constants(const pg::ColumnRef& reference, const Level& level);
  bool brings_constants(const Item& item);
  bool brings_constants(const Derived& derived, std::size_t place);
  bool brings_constants(const Derived& derived);
  bool any_brings_constants(const Level& level);
  /// The values that a write gives protected columns, before anything else of it is looked at.
  struct Carried {
    const pg::Node* value = nullptr;
    const Relation* relation = nullptr;
    const Column* column = nullptr;
  };
  /// Constants in VALUES, the only FROM item, that are given to protected columns become sealed
  /// values, which the server hands back. What cannot is refused later, since it shows constants.
  bool carry(const std::vector<Carried>& all, const Nodes& from, const Level& level);
  bool carry(const Carried& one, Item& item, std::size_t place);
  /// The blind indexes of carried constants, as a further column of their VALUES.
  bool export_carried(Item& item, std::size_t place, std::string& name);
  bool carry_inserted(const pg::SelectStmt& query, const Level& level);

  // --- choices.cpp
  /// A CASE or COALESCE whose results are all constants, as the value of a protected column:
  /// sealed ones, which the server chooses among. kNotMine: it is something else.
  Answer chosen_constant(pg::Node& node, const Relation& relation, const Column& column,
                         Level& level, ItemColumn& made);

  // --- slots.cpp
  int slot(Slot::Fill fill, const ValueSource& source, const Relation& relation,
           const Column& column, int row, int index = 0,
           const pgwire::TextExpression& applied = {});
  void slot_node(pg::Node& out, int provisional) { make_parameter(out, -(provisional + 1)); }
  bool parameters_agree();
  /// The client's parameters that are for a protected column, with the first such column.
  [[nodiscard]] std::map<std::uint16_t, std::pair<const Relation*, const Column*>>
  protected_parameters() const;
  void note_written(const Column& column) { note(column, classes_written_, columns_written_); }
  void note_compared(const Column& column) { note(column, classes_compared_, columns_compared_); }
  void note_copied(const Column& column) { note(column, classes_compared_, columns_copied_); }
  void note(const Column& column, std::vector<std::string>& classes,
            std::vector<ColumnId>& columns) const;

  // --- arena of the analysis
  Level& new_level(const Level* outer, const Env* env);
  Item& new_item();
  Derived& new_derived();
  Env& new_env(const Env* outer);

  const Catalogue& catalogue_;
  const Context& context_;
  std::optional<Refusal> refusal_;
  bool touched_ = false;
  bool edited_ = false;
  bool has_into_ = false;
  int depth_ = 0;
  bool storing_ = false;  ///< constants beside protected values are going to be stored
  int rows_ = 0;          ///< that the statement's INSERTs have given so far (Slot::row)
  int first_row_ = 0;     ///< of the INSERT at hand
  const pg::SelectStmt* inserting_ = nullptr;  ///< the select of an INSERT ... SELECT at hand
  std::vector<Carried> inserted_;              ///< what its outputs give; `value` is not set
  std::map<std::pair<const Derived*, std::size_t>, bool> brought_;
  const pg::Node* root_ = nullptr;
  /// Where in the WITH of the outermost statement the one at hand stands.
  struct Around {
    const pg::WithClause* with = nullptr;
    int at = 0;
  } around_;
  int nested_ = 0;  ///< writing statements inside WITH around the one at hand
  int exported_ = 0;
  Derived* result_ = nullptr;
  std::optional<Gathering> gathering_;
  std::vector<std::string> classes_written_, classes_compared_;
  std::vector<ColumnId> columns_written_, columns_compared_, columns_copied_;
  std::vector<int> merged_;
  std::vector<Slot> slots_;  ///< provisional; a tree refers to slot i as $-(i+1)
  std::unordered_multimap<std::size_t, int> compared_;  ///< slots of comparands, by hash

  std::deque<Level> levels_;
  std::deque<Item> items_;
  std::deque<Derived> deriveds_;
  std::deque<Env> envs_;
  std::deque<Cte> ctes_;
};

}  // namespace theriac::rewrite
