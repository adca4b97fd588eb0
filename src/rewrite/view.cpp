#include "rewrite/view.hpp"

#include <google/protobuf/arena.h>

#include <algorithm>

#include "rewrite/quoting.hpp"
#include "rewrite/rewriter.hpp"
#include "rewrite/slot_text.hpp"
#include "rewrite/verify.hpp"

namespace theriac::rewrite {
namespace {

using Failure = tl::unexpected<Refusal>;

constexpr std::string_view kStar = "a view with *";
constexpr std::string_view kLiteral = "a literal for a protected column in a view";
constexpr std::string_view kLiteralRemedy = "compare in the statements that read the view";

Failure refused(std::string_view construct, std::string_view remedy) {
  return Failure(Refusal{"0A000", {}, std::string(construct), std::string(remedy)});
}

/// The columns of tables behind an output.
std::vector<ViewOrigin> origins_of(const ItemColumn& column) {
  std::vector<ViewOrigin> out;
  const auto add = [&](const Relation& relation, const Column& of, bool with_row) {
    if (!relation.is_view()) {
      out.push_back({relation.oid, of.attribute, with_row});
      return;
    }
    // The further origins of a view's column stand in `also`.
    const auto& first = of.protection->origins.front();
    out.push_back({first.relation_oid, first.attribute, first.with_row});
  };
  add(*column.relation, *column.column, column.with_row);
  for (const auto& one : column.also) add(*one.relation, *one.column, one.with_row);
  return out;
}

std::optional<pg::Node> parsed_expression(const std::string& sql) {
  const auto parsed = parsed_own("SELECT " + sql);
  const auto& select = parsed.select_stmt();
  if (select.target_list_size() != 1) return std::nullopt;
  return select.target_list(0).res_target().val();
}

/// `sql` with the slots' literals in it.
tl::expected<std::string, Refusal> filled(const std::string& sql, const std::vector<Slot>& slots,
                                          const ViewLiteral& literal) {
  std::vector<std::optional<Bytes>> bytes;
  for (const auto& slot : slots) {
    if (slot.fill == Slot::Fill::kPass || !std::holds_alternative<Literal>(slot.source)) {
      return refused("a parameter in a view", "write a literal");
    }
    if (!literal) return refused(kLiteral, kLiteralRemedy);
    auto made = literal(slot);
    if (!made) return refused("a literal that is no value of the protected column", kLiteralRemedy);
    bytes.push_back(std::move(*made));
  }
  std::vector<std::optional<ByteView>> values;
  for (const auto& one : bytes)
    values.push_back(one ? std::optional<ByteView>(*one) : std::nullopt);
  auto out = with_literals(sql, slots, values);
  if (!out) return refused("a view of this form", "write it in a simpler form");
  return std::move(*out);
}

}  // namespace

/// Gives the analysed SELECT its helpers.
class ViewMaker {
 public:
  ViewMaker(Rewriter& rewriter, const std::vector<ViewColumn>& columns)
      : rewriter_(rewriter), columns_(columns) {}

  /// What a helper's column of the SELECT will be called: its own name, or if the SELECT is going
  /// to be wrapped the same.
  bool helpers(pg::SelectStmt& statement, const std::vector<std::string>& standing, ViewForm& out) {
    auto& result = *rewriter_.result_;
    wrapped_ = statement.op() != pg::SETOP_NONE || statement.values_lists_size() > 0;
    if (!result.columns_known || result.unknown_from || result.columns.size() != columns_.size()) {
      return rewriter_.refuse_state("0A000", "a view whose columns are not certain",
                                    "name the columns of the view one by one");
    }
    if (!wrapped_ && (result.targets == nullptr ||
                      static_cast<std::size_t>(result.targets->size()) != columns_.size())) {
      return rewriter_.refuse_state("0A000", kStar, "name the columns one by one");
    }
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      if (result.columns[i].secret()) note(result, i, out);
    }
    if (!keep_places(standing)) return false;
    for (const auto& one : wanted_) {
      if (!add(result, one)) return false;
      out.helpers.push_back(one.name);
    }
    return wrapped_ || null_columns(result);
  }

  /// The text around a set operation.
  [[nodiscard]] std::string wrapped(const std::string& sql, const ViewForm& form) const {
    if (!wrapped_) return sql;
    std::string outputs, names;
    const auto& result = *rewriter_.result_;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      const char* comma = i == 0 ? "" : ", ";
      const auto name = "c" + std::to_string(i + 1);
      outputs += comma + (result.columns[i].secret() ? columns_[i].null_sql : "q." + name) +
                 " AS " + quoted_name(columns_[i].name);
      names += comma + name;
    }
    for (const auto& helper : form.helpers) {
      const auto at = std::find_if(wanted_.begin(), wanted_.end(),
                                   [&](const Wanted& one) { return one.name == helper; });
      outputs += ", q." +
                 (at->what == Wanted::What::kSealed ? "c" + std::to_string(at->place + 1)
                                                    : quoted_name(helper)) +
                 " AS " + quoted_name(helper);
    }
    return "SELECT " + outputs + " FROM (" + sql + ") AS q(" + names + ")";
  }

 private:
  struct Wanted {
    enum class What : std::uint8_t { kSealed, kIndex, kSearch };
    What what = What::kSealed;
    std::size_t place = 0;
    int index = 0;
    std::string name;
  };

  /// What the view has already comes first, in its order.
  bool keep_places(const std::vector<std::string>& standing) {
    std::vector<Wanted> sorted;
    for (const auto& name : standing) {
      const auto at = std::find_if(wanted_.begin(), wanted_.end(),
                                   [&](const Wanted& one) { return one.name == name; });
      if (at == wanted_.end()) {
        return rewriter_.refuse_state("0A000", "a view that would lose a column of its form",
                                      "drop the view and make it again");
      }
      sorted.push_back(std::move(*at));
      wanted_.erase(at);
    }
    sorted.insert(sorted.end(), wanted_.begin(), wanted_.end());
    wanted_ = std::move(sorted);
    return true;
  }

  void note(const Derived& result, std::size_t place, ViewForm& out) {
    const auto& column = result.columns[place];
    Protection named = *column.column->protection;
    named.view_attribute = columns_[place].attribute;
    ViewForm::Helped helped{columns_[place].attribute, origins_of(column), named.searchable, {}};
    for (const auto& also : column.also) {
      helped.searchable = helped.searchable && also.column->protection->searchable &&
                          also.column->protection->domain == named.domain;
    }
    wanted_.push_back({Wanted::What::kSealed, place, 0, named.sealed_name()});
    if (helped.searchable) {
      wanted_.push_back({Wanted::What::kIndex, place, 0, named.index_name()});
    }
    for (std::size_t k = 0; !wrapped_ && k < named.expressions.size(); ++k) {
      if (!plain_source(result, place)) break;
      const auto index = static_cast<int>(k) + 1;
      helped.searches.push_back(named.expressions[k].name);
      wanted_.push_back({Wanted::What::kSearch, place, index, named.index_name(index)});
    }
    out.columns.push_back(std::move(helped));
  }

  /// A column of a table as it is, so that its other indexes are there as well.
  [[nodiscard]] static bool plain_source(const Derived& result, std::size_t place) {
    const auto* item = result.sources[place].item;
    return item != nullptr && item->relation != nullptr && result.level != nullptr &&
           result.level->groups.empty() && result.level->group_clause == nullptr;
  }

  bool add(Derived& result, const Wanted& wanted) {
    switch (wanted.what) {
      case Wanted::What::kSealed: {
        if (wrapped_) return true;
        const pg::Node value =
            result.targets->Get(static_cast<int>(wanted.place)).res_target().val();
        return rewriter_.append_output(result, wanted.name, value);
      }
      case Wanted::What::kIndex:
        return rewriter_.append_index(result, wanted.place, wanted.name);
      case Wanted::What::kSearch: {
        const auto& source = result.sources[wanted.place];
        const auto& column = *source.item->columns[source.place].column;
        pg::Node value;
        return rewriter_.reference(*source.item, column.protection->index_name(wanted.index),
                                   *result.level, value) &&
               rewriter_.append_output(result, wanted.name, value);
      }
    }
    return false;
  }

  bool null_columns(const Derived& result) {
    for (std::size_t i = 0; i < columns_.size(); ++i) {
      auto& target = *result.targets->Mutable(static_cast<int>(i))->mutable_res_target();
      target.set_name(columns_[i].name);
      if (!result.columns[i].secret()) continue;
      const auto value = parsed_expression(columns_[i].null_sql);
      if (!value) return rewriter_.refuse_state("0A000", "a type of a view's column", "cast it");
      *target.mutable_val() = *value;
    }
    return true;
  }

  Rewriter& rewriter_;
  const std::vector<ViewColumn>& columns_;
  std::vector<Wanted> wanted_;
  bool wrapped_ = false;
};

tl::expected<ViewForm, Refusal> view_form(std::string_view select, const Catalogue& catalogue,
                                          const Context& context,
                                          const std::vector<ViewColumn>& columns,
                                          const std::vector<std::string>& standing,
                                          const ViewLiteral& literal) {
  google::protobuf::Arena arena;
  auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  if (!parse(select, *tree) || tree->stmts_size() != 1 ||
      !tree->stmts(0).stmt().has_select_stmt()) {
    return refused("a view of this form", "write it in a simpler form");
  }
  auto& node = *tree->mutable_stmts(0)->mutable_stmt();
  Rewriter rewriter(catalogue, context);
  const auto failed = [&] {
    return Failure(rewriter.refusal().value_or(
        Refusal{"0A000", {}, "a view of this form", "write it in a simpler form"}));
  };
  if (!rewriter.run(node)) return failed();
  ViewForm out;
  out.edited = rewriter.edited();
  out.compared = rewriter.compared();
  if (!rewriter.edited()) {
    out.sql = std::string(select);
    while (!out.sql.empty() && (out.sql.back() == ';' || out.sql.back() == '\n')) {
      out.sql.pop_back();
    }
    if (!standing.empty()) {
      return refused("a view that would lose a column of its form",
                     "drop the view and make it again");
    }
    return out;
  }
  ViewMaker maker(rewriter, columns);
  if (!maker.helpers(*node.mutable_select_stmt(), standing, out)) return failed();
  std::map<int, std::size_t> found;
  const auto slots = rewriter.number(node, found);
  if (!slots) return failed();
  auto* again = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  const auto sql = deparse(node, *again);
  if (!sql || plain_reference(again->stmts(0).stmt(), catalogue, context.search_path)) {
    return refused("a view whose form could not be verified", "write it in a simpler form");
  }
  auto text = filled(*sql, *slots, literal);
  if (!text) return Failure(std::move(text.error()));
  out.sql = maker.wrapped(*text, out);
  return out;
}

std::optional<Refusal> view_refusal(const pg::Node& query, const Catalogue& catalogue,
                                    const Context& context, bool checked) {
  google::protobuf::Arena arena;
  auto* copy = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
  *copy = query;
  auto* again = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  const auto text = deparse(*copy, *again);
  if (!text) return Refusal{"0A000", {}, "a view of this form", "write it in a simpler form"};
  Rewriter rewriter(catalogue, context);
  if (!rewriter.run(*copy)) return rewriter.refusal();
  std::vector<ViewColumn> columns;
  const auto* result = rewriter.result();
  const auto width = result == nullptr ? 0 : result->columns.size();
  for (std::size_t i = 0; i < width; ++i) {
    columns.push_back({"c" + std::to_string(i + 1), static_cast<std::int16_t>(i + 1), "NULL"});
  }
  std::map<int, std::size_t> found;
  const auto slots = rewriter.number(*copy, found);
  if (!slots) return rewriter.refusal();
  for (const auto& slot : *slots) {
    if (slot.fill == Slot::Fill::kPass) continue;
    return Refusal{"0A000", {}, std::string(kLiteral), std::string(kLiteralRemedy)};
  }
  const auto form = view_form(*text, catalogue, context, columns, {}, {});
  // What `*` stands for is known once the server has the view.
  if (!form && form.error().construct == kStar) return std::nullopt;
  if (!form) return form.error();
  if (checked && !form->compared.empty()) {
    return Refusal{"0A000",
                   {},
                   "WITH CHECK OPTION on a condition on protected columns",
                   "make the view without CHECK OPTION"};
  }
  return std::nullopt;
}

void view_uses(const pg::Node& query, const Catalogue& catalogue, const Context& context,
               Statement& out) {
  google::protobuf::Arena arena;
  auto* copy = google::protobuf::Arena::CreateMessage<pg::Node>(&arena);
  *copy = query;
  Rewriter rewriter(catalogue, context);
  if (rewriter.run(*copy)) rewriter.give_uses(out);
}

std::optional<ViewSource> view_source(std::string_view definition) {
  google::protobuf::Arena arena;
  auto* tree = google::protobuf::Arena::CreateMessage<pg::ParseResult>(&arena);
  if (!parse(definition, *tree) || tree->stmts_size() != 1) return std::nullopt;
  const auto& select = tree->stmts(0).stmt().select_stmt();
  if (select.from_clause_size() != 1 || !select.from_clause(0).has_range_var()) return std::nullopt;
  const auto& range = select.from_clause(0).range_var();
  ViewSource out{range.schemaname(), range.relname(), {}};
  for (const auto& node : select.target_list()) {
    const auto& target = node.res_target();
    if (!target.val().has_column_ref() || is_star(target.val().column_ref())) continue;
    const std::string from(last_name(target.val().column_ref().fields()));
    out.columns.emplace_back(target.name().empty() ? from : target.name(), from);
  }
  return out;
}

}  // namespace theriac::rewrite
