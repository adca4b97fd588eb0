// analyse(): one plan for each statement of a text.
#include <google/protobuf/arena.h>

#include <algorithm>

#include "pgwire/utf8.hpp"
#include "rewrite/copy.hpp"
#include "rewrite/ddl.hpp"
#include "rewrite/lock.hpp"
#include "rewrite/output_plan.hpp"
#include "rewrite/overlay.hpp"
#include "rewrite/plan.hpp"
#include "rewrite/prepared.hpp"
#include "rewrite/rewriter.hpp"
#include "rewrite/scan.hpp"
#include "rewrite/template.hpp"
#include "rewrite/utility.hpp"
#include "rewrite/verify.hpp"
#include "rewrite/view.hpp"

namespace theriac::rewrite {
namespace {

Refusal not_verified(std::string column) {
  return {"0A000", std::move(column), "a statement whose rewritten form could not be verified",
          "write it in a simpler form, and report it"};
}

// DeclareCursorStmt.options
constexpr int kCursorBinary = 0x01;
constexpr int kCursorHold = 0x20;

Refusal not_understood() {
  return {"0A000", {}, "a statement of this form", "write it in a simpler form"};
}

void refuse(Statement& statement, Refusal refusal) {
  statement.action = Action::kRefuse;
  statement.sql.clear();
  statement.slots.clear();
  statement.outputs.clear();
  statement.gather.reset();
  statement.copy.reset();
  statement.copies_in = false;
  statement.classes_read.clear();
  statement.classes_written.clear();
  statement.classes_compared.clear();
  statement.columns_written.clear();
  statement.columns_compared.clear();
  statement.columns_copied.clear();
  statement.follow.reset();
  statement.refusal = std::move(refusal);
}

bool is_query(const pg::Node& node) {
  return node.has_select_stmt() || node.has_insert_stmt() || node.has_update_stmt() ||
         node.has_delete_stmt() || node.has_merge_stmt();
}

/// The query inside DECLARE and EXPLAIN, the statement itself, or nullptr.
pg::Node* query_of(pg::Node& statement) {
  pg::Node* query = &statement;
  if (statement.has_declare_cursor_stmt()) {
    query = statement.mutable_declare_cursor_stmt()->mutable_query();
  } else if (statement.has_explain_stmt()) {
    query = statement.mutable_explain_stmt()->mutable_query();
  }
  return is_query(*query) ? query : nullptr;
}

/// What holds a query and is not DDL that would be deparsed: the query's references to catalogues
/// can be redirected.
bool holds_query(const pg::Node& statement) {
  return statement.has_create_table_as_stmt() ||
         (statement.has_view_stmt() && statement.view_stmt().view().relpersistence() == "t") ||
         (statement.has_copy_stmt() && statement.copy_stmt().has_query());
}

bool gives_rows(const pg::Node& statement) {
  return statement.has_select_stmt() || statement.has_explain_stmt() ||
         (statement.has_insert_stmt() && statement.insert_stmt().returning_list_size() > 0) ||
         (statement.has_update_stmt() && statement.update_stmt().returning_list_size() > 0) ||
         (statement.has_delete_stmt() && statement.delete_stmt().returning_list_size() > 0);
}

class Analysis {
 public:
  /// `maker`: where templates are wanted, else null. `overlaid`: the text may read a catalogue that
  /// is overlaid.
  Analysis(const Catalogue& catalogue, const Context& context, TemplateMaker* maker, bool overlaid)
      : catalogue_(catalogue), context_(context), maker_(maker), overlaid_(overlaid) {}

  /// After statement(): every text that is sent has its holes.
  [[nodiscard]] bool serves_shape() const { return maker_ != nullptr; }

  void statement(pg::Node& node, Statement& out) {
    out.tag = tag_of(node);
    out.effect = effect_of(node);
    out.changes_reading = out.effect == Effect::kSetting && may_change_reading(node);
    out.cursor = cursor_of(node);
    out.cursor_holds = (node.declare_cursor_stmt().options() & kCursorHold) != 0;
    out.client_parameters = highest_parameter(node);
    out.copies_in = node.has_copy_stmt() && node.copy_stmt().is_from() &&
                    node.copy_stmt().filename().empty() && !node.copy_stmt().is_program();
    if (auto refusal = refuse_calls(node, catalogue_)) return refuse(out, std::move(*refusal));
    out.prepared = prepared_use(node, out.text);
    if (out.prepared) {
      if (out.prepared->name.starts_with("theriac_")) {
        return refuse(
            out, {"42501", "theriac", "a prepared statement of Theriac", "give it another name"});
      }
      if (node.has_prepare_stmt()) return prepare(out);
    }
    if (node.has_copy_stmt() && names_protected(node, catalogue_, context_)) {
      return copy(node.copy_stmt(), out);
    }
    auto* query = query_of(node);
    if (query == nullptr) {
      if (auto refusal = refuse_utility(node, catalogue_, context_)) {
        return refuse(out, std::move(*refusal));
      }
      if (node.has_lock_stmt()) {
        if (auto sql = lock_by_reading(node.lock_stmt(), catalogue_, context_)) {
          out.sql = std::move(*sql);
          out.complete_as = out.tag;
          out.action = Action::kRewrite;
        }
        return;
      }
      ddl(node, out);
      if (out.action == Action::kRefuse || (out.follow && !out.follow->view)) return;
      return holds_query(node) ? only_catalogues(node, out) : catalogues_in(node, out);
    }
    if (auto verdict = judge_ddl(node, catalogue_, context_); verdict.refusal) {
      return refuse(out, std::move(*verdict.refusal));
    }
    if (!await(node, out)) return;
    if (!names_protected(node, catalogue_, context_)) return only_catalogues(node, out);
    Rewriter rewriter(catalogue_, context_);
    if (!rewriter.run(*query)) {
      return refuse(out, rewriter.refusal().value_or(not_understood()));
    }
    // Into a table of a protected one's name, too: a temporary one would hide it.
    if (rewriter.has_into()) {
      return refuse(out, {"0A000", {}, "SELECT INTO", "create the table, then use INSERT"});
    }
    if (!rewriter.touched()) return only_catalogues(node, out);
    out.returns_rows = gives_rows(node);
    bool redirected = false;
    if (overlaid_) {
      auto refusal = redirect_catalogues(node, catalogue_, context_, redirected);
      if (refusal) return refuse(out, std::move(*refusal));
    }
    // Holes are of the text as it came; what is redirected is planned for its own text only.
    if (redirected) maker_ = nullptr;
    if (!rewriter.edited() && !redirected) {
      if (auto column = plain_reference(node, catalogue_, context_.search_path)) {
        refuse(out, not_verified(std::move(*column)));
      }
      return;
    }
    rewrite(node, *query, rewriter, out);
  }

 private:
  /// The query is planned by itself when it is prepared, and again when something changed.
  void prepare(Statement& out);

  void ddl(const pg::Node& node, Statement& out) {
    auto verdict = judge_ddl(node, catalogue_, context_);
    if (verdict.refusal) return refuse(out, std::move(*verdict.refusal));
    out.follow = std::move(verdict.follow);
    if (out.follow && out.follow->view) {
      view_uses(node.view_stmt().query(), catalogue_, context_, out);
    }
    // COPY, PREPARE, MERGE and the like work on tables too; DDL on one that is missing is the
    // server's to answer.
    if (out.effect != Effect::kSchema) {
      await(node, out);
    } else {
      out.awaits = out.follow || names_awaited(node, catalogue_);
    }
  }

  /// False: refused.
  bool await(const pg::Node& node, Statement& out) {
    auto use = awaited_use(node, catalogue_, context_);
    out.awaits = use.awaits;
    if (!use.refusal) return true;
    refuse(out, std::move(*use.refusal));
    return false;
  }

  /// A statement that touches no protected table: forwarded, unless it reads catalogues.
  void only_catalogues(pg::Node& node, Statement& out) {
    if (!overlaid_) return;
    bool redirected = false;
    auto refusal = redirect_catalogues(node, catalogue_, context_, redirected);
    if (refusal) return refuse(out, std::move(*refusal));
    if (redirected) maker_ = nullptr;
    // A plan shows no rows; that of the overlay would show ours instead of the catalogue's.
    if (!redirected || node.has_explain_stmt()) return;
    auto sql = checked(node);
    if (!sql) return refuse(out, not_verified(std::move(column_)));
    out.sql = std::move(*sql);
    out.action = Action::kRewrite;
    out.only_catalogues = true;
    out.returns_rows = gives_rows(node);
    for (std::uint16_t number = 1; number <= out.client_parameters; ++number) {
      out.slots.push_back({.source = ClientParameter{number}});
    }
  }

  /// What would keep a catalogue's physical form in an object of the client's.
  void catalogues_in(pg::Node& node, Statement& out) {
    if (!overlaid_) return;
    if (auto refusal = refuse_keeping(node, catalogue_, context_)) refuse(out, std::move(*refusal));
  }

  void rewrite(pg::Node& node, pg::Node& query, Rewriter& rewriter, Statement& out) {
    const bool wrapped = &node != &query;
    auto& gathering = rewriter.gathering();
    if (gathering && wrapped) {
      return refuse(out, {"0A000",
                          {},
                          "EXPLAIN of a statement that reads its rows first",
                          "explain the SELECT of those rows"});
    }
    std::map<int, std::size_t> found;
    auto slots = rewriter.number(node, found);
    if (!slots) return refuse(out, *rewriter.refusal());
    out.slots = std::move(*slots);
    auto sql = checked(node);
    if (!sql) return refuse(out, not_verified(column_));
    out.sql = std::move(*sql);
    out.action = Action::kRewrite;
    make_holes(node, out.slots, out.holes);
    fix_merged(rewriter);
    if (gathering && !gather(rewriter, out)) return;
    rewriter.give_uses(out);
    // EXPLAIN returns a plan; the cursor's rows come with FETCH.
    if (!node.has_explain_stmt()) outputs(*rewriter.result(), found, out);
    if ((node.declare_cursor_stmt().options() & kCursorBinary) != 0 && !out.outputs.empty()) {
      refuse(out, {"0A000", {}, "a BINARY cursor", "ask for binary results when binding FETCH"});
    }
  }

  void copy(const pg::CopyStmt& node, Statement& out) {
    if (out.client_parameters > 0) {
      return refuse(out, {"42P02", {}, "COPY takes no parameters", "write the values as literals"});
    }
    google::protobuf::Arena arena;
    CopyRequest request;
    if (auto refusal = read_copy(node, catalogue_, context_, arena, request)) {
      return refuse(out, std::move(*refusal));
    }
    if (request.query == nullptr) {
      if (!request.plain) made_copy(request, {}, out);
      return;
    }
    if (!is_query(*request.query)) {
      return refuse(out, {"0A000", {}, "COPY of this statement", "copy a SELECT"});
    }
    Rewriter rewriter(catalogue_, context_);
    if (!rewriter.run(*request.query)) return refuse(out, *rewriter.refusal());
    if (rewriter.has_into() || rewriter.gathering()) {
      return refuse(out,
                    {"0A000",
                     {},
                     rewriter.has_into() ? "SELECT INTO"
                                         : "COPY of a statement that reads rows before it writes",
                     "run the statement by itself, then copy a SELECT"});
    }
    if (!rewriter.edited() && (!request.plan.from || request.plain)) {
      if (auto column = plain_reference(*request.query, catalogue_, context_.search_path)) {
        refuse(out, not_verified(std::move(*column)));
      }
      return;
    }
    std::map<int, std::size_t> found;
    auto slots = rewriter.number(*request.query, found);
    if (!slots) return refuse(out, *rewriter.refusal());
    out.slots = std::move(*slots);
    auto sql = checked(*request.query);
    if (sql && request.plan.from) sql = condition(*request.query);
    if (!sql) return refuse(out, not_verified(column_));
    made_copy(request, *sql, out);
    if (out.action == Action::kRefuse) return;
    const auto written = std::move(out.classes_written);  // by COPY FROM itself
    const auto columns = std::move(out.columns_written);
    rewriter.give_uses(out);
    if (request.plan.from) {
      out.classes_written = written;
      out.columns_written = columns;
      return;
    }
    outputs(*rewriter.result(), found, out);
    const bool rows = std::any_of(out.outputs.begin(), out.outputs.end(),
                                  [](const Output& one) { return !one.fields.empty(); });
    if (rows) return refuse(out, {"0A000", {}, "COPY of a whole row", "name the columns"});
    if (out.copy) force_quote(request, *rewriter.result(), *out.copy);
  }

  /// The condition of a SELECT alone, as text.
  static std::optional<std::string> condition(const pg::Node& query) {
    google::protobuf::Arena arena;
    auto* alone = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
    auto& select = *alone->mutable_select_stmt();
    select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
    select.set_op(pg::SETOP_NONE);
    *select.add_target_list()->mutable_res_target()->mutable_val() =
        query.select_stmt().where_clause();
    auto* again = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
    constexpr std::string_view kSelect = "SELECT ";
    auto sql = deparse(*alone, *again);
    if (!sql || !sql->starts_with(kSelect)) return std::nullopt;
    return "(" + sql->substr(kSelect.size()) + ")";
  }

  void made_copy(const CopyRequest& request, std::string_view sql, Statement& out) {
    out.action = Action::kRewrite;
    out.copy = request.plan;
    out.sql = request.plan.from ? copy_from_text(request, sql) : copy_to_text(request, sql);
    google::protobuf::Arena arena;
    auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
    if (!parse(out.sql, *tree) || tree->stmts_size() != 1 ||
        plain_reference(tree->stmts(0).stmt(), catalogue_, context_.search_path)) {
      return refuse(out, not_verified({}));
    }
    if (!request.plan.from) return;
    const auto note = [&](std::int16_t attribute) {
      const auto& name = request.relation->find_attribute(attribute)->protection->class_name;
      auto& classes = out.classes_written;
      if (std::find(classes.begin(), classes.end(), name) == classes.end()) classes.push_back(name);
      out.columns_written.push_back({request.relation->oid, attribute});
    };
    for (const auto& column : request.plan.columns) {
      if (column.attribute != 0) note(column.attribute);
    }
    for (const auto attribute : request.plan.defaulted) note(attribute);
  }

  /// FORCE_QUOTE names output columns; of several with one name it means the first.
  static void force_quote(const CopyRequest& request, const Derived& result, CopyPlan& plan) {
    plan.quote_all = request.quote_all;
    for (const auto& name : request.quote_names) {
      const auto at = std::find_if(result.columns.begin(), result.columns.end(),
                                   [&](const ItemColumn& one) { return one.name == name; });
      if (at != result.columns.end() && at->secret()) {
        plan.quoted.push_back(static_cast<std::size_t>(at - result.columns.begin()));
      }
    }
  }

  bool gather(Rewriter& rewriter, Statement& out) {
    auto& gathering = *rewriter.gathering();
    Gather made;
    bool redirected = false;
    if (overlaid_) {
      auto refusal = redirect_catalogues(gathering.select, catalogue_, context_, redirected);
      if (refusal) {
        refuse(out, std::move(*refusal));
        return false;
      }
    }
    std::map<int, std::size_t> ignored;
    auto slots = rewriter.number(gathering.select, ignored);
    if (!slots) {
      refuse(out, *rewriter.refusal());
      return false;
    }
    made.slots = std::move(*slots);
    auto sql = checked(gathering.select);
    if (!sql) {
      refuse(out, not_verified(column_));
      return false;
    }
    made.sql = std::move(*sql);
    make_holes(gathering.select, made.slots, made.holes);
    made.once_each = gathering.once_each;
    made.first_parameter = static_cast<std::uint16_t>(out.slots.size() + 1);
    for (const auto& one : gathering.columns) {
      Gather::Column column{one.kind, {}};
      if (one.kind == Gather::Column::Kind::kSealed) {
        auto reads = out.classes_read;
        column.output = plan_output(made.columns.size(), one.sealed, out);
        if (one.sealed.carried) out.classes_read = std::move(reads);
      }
      made.columns.push_back(std::move(column));
    }
    for (const auto& one : gathering.arrays) {
      Gather::Array array{one.kind, one.element_oid, 0, 0, one.index, one.source};
      if (auto* source = std::get_if<ValueSource>(&array.source)) note_token(*source);
      if (one.column != nullptr) {
        array.relation_oid = one.relation->oid;
        array.attribute = one.column->attribute;
      }
      made.arrays.push_back(std::move(array));
    }
    out.gather = std::move(made);
    out.action = Action::kGather;
    return true;
  }

  /// Holes for literals in one text and its slots, while every text so far has them.
  void make_holes(const pg::Node& tree, std::vector<Slot>& slots,
                  std::optional<SqlTemplate>& holes) {
    if (maker_ == nullptr) return;
    for (auto& slot : slots) note_token(slot.source);
    holes = maker_->holes(tree);
    if (!holes) maker_ = nullptr;
  }

  void note_token(ValueSource& source) {
    auto* literal = std::get_if<Literal>(&source);
    if (maker_ == nullptr || literal == nullptr || literal->is_null) return;
    const auto token = maker_->token_at(literal->location);
    if (!token) return;
    if (maker_->value(*token) != literal->text) return maker_->fix(*token);
    literal->token = *token;
    maker_->note_used(*token);
  }

  void fix_merged(const Rewriter& rewriter) {
    if (maker_ == nullptr) return;
    for (const auto location : rewriter.merged()) {
      if (const auto token = maker_->token_at(location)) maker_->fix(*token);
    }
  }

  /// The text of a tree, if it says what the tree says and names no protected plain column.
  std::optional<std::string> checked(const pg::Node& node) {
    column_.clear();
    google::protobuf::Arena arena;
    auto* again = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
    auto sql = deparse(node, *again);
    if (!sql) return std::nullopt;
    if (auto column = plain_reference(again->stmts(0).stmt(), catalogue_, context_.search_path)) {
      column_ = std::move(*column);
      return std::nullopt;
    }
    return sql;
  }

  static void outputs(const Derived& result, const std::map<int, std::size_t>& found,
                      Statement& out) {
    if (auto refusal = plan_outputs(result, found, out)) refuse(out, std::move(*refusal));
  }

  const Catalogue& catalogue_;
  const Context& context_;
  TemplateMaker* maker_;
  bool overlaid_;
  std::string column_;
};

}  // namespace

bool Plan::all_forward() const {
  return std::all_of(statements.begin(), statements.end(),
                     [](const Statement& one) { return one.action == Action::kForward; });
}

namespace {

Result<Plan> plan_of(std::string_view sql, const TextShape* shape, const Catalogue& catalogue,
                     const Context& context);

void Analysis::prepare(Statement& out) {
  out.client_parameters = 0;  // those of its query are its own
  if (out.prepared->query.empty()) {
    return refuse(out, {"0A000",
                        {},
                        "PREPARE written in this form",
                        "write a plain name, and types without %TYPE"});
  }
  const auto plan = plan_of(out.prepared->query, nullptr, catalogue_, context_);
  if (!plan || plan->statements.size() != 1) return refuse(out, not_understood());
  const auto& query = plan->statements.front();
  out.awaits = query.awaits;
  if (query.action == Action::kRefuse) return refuse(out, *query.refusal);
  if (query.action != Action::kForward) out.action = Action::kPrepare;
}

Result<Plan> plan_of(std::string_view sql, const TextShape* shape, const Catalogue& catalogue,
                     const Context& context) {
  Plan plan;
  plan.epoch = catalogue.epoch();
  const bool concerned = catalogue.may_concern(sql);
  const auto& path = context.search_path;
  const bool overlaid = catalogue.may_read_overlaid(
      sql, std::find(path.begin(), path.end(), "information_schema") != path.end());
  if (!concerned && !overlaid) {
    if (const auto tag = simple_statement(sql)) {
      Statement statement;
      statement.tag = *tag;
      statement.text = sql;
      plan.statements.push_back(std::move(statement));
      return plan;
    }
  }
  if (sql.size() > kSqlBytesMax) return fail(Code::kTooLarge, "bytes of the statement");
  if (!pgwire::is_utf8(sql)) return fail(Code::kBadEncoding, "the statement's text");
  google::protobuf::Arena arena;
  auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  THERIAC_TRY(parse(sql, *tree));
  bool setting_before = false;
  for (auto& raw : *tree->mutable_stmts()) {
    Statement statement;
    const auto begin = static_cast<std::size_t>(raw.stmt_location());
    const auto size = static_cast<std::size_t>(raw.stmt_len());
    if (tree->stmts_size() == 1) {
      statement.text = sql;
    } else {
      statement.text = sql.substr(begin, size == 0 ? std::string_view::npos : size);
    }
    std::optional<TemplateMaker> maker;
    if (shape != nullptr && tree->stmts_size() == 1 && is_query(raw.stmt())) {
      maker.emplace(sql, *shape, raw.stmt());
    }
    Analysis analysis(catalogue, context, maker && maker->usable() ? &*maker : nullptr,
                      overlaid || concerned);
    analysis.statement(*raw.mutable_stmt(), statement);
    if (analysis.serves_shape() &&
        (statement.action == Action::kRewrite || statement.action == Action::kGather)) {
      plan.serves_shape = true;
      plan.fixed = maker->fixed();
      plan.negative = maker->negative();
    }
    if (setting_before && statement.action != Action::kRefuse &&
        catalogue.may_concern(statement.text)) {
      // The names in it may mean other tables by then.
      refuse(statement, {"0A000",
                         {},
                         "SET before a statement on protected tables in one string",
                         "send SET as a statement of its own"});
    }
    setting_before = setting_before || statement.effect == Effect::kSetting;
    plan.statements.push_back(std::move(statement));
  }
  return plan;
}

}  // namespace

Result<Plan> analyse(std::string_view sql, const Catalogue& catalogue, const Context& context) {
  return plan_of(sql, nullptr, catalogue, context);
}

Result<Plan> analyse_shape(std::string_view sql, const TextShape& shape, const Catalogue& catalogue,
                           const Context& context) {
  return plan_of(sql, &shape, catalogue, context);
}

}  // namespace theriac::rewrite
