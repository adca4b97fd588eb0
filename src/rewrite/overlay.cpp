#include "rewrite/overlay.hpp"

#include <algorithm>
#include <array>

#include "rewrite/scope.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kOverlay = "theriac_catalog";
constexpr std::string_view kRestriction = "restrict_nonsystem_relation_kind";
constexpr std::string_view kWithSystemColumns = "theriac_system_";

bool is_ours(std::string_view schema) { return schema == "theriac" || schema == kOverlay; }

/// Where an overlaid relation of this name stands.
std::string_view home_of(std::string_view name) {
  return name.starts_with("pg_") ? "pg_catalog" : "information_schema";
}

/// Catalogues and views that name objects and count what is done with them: without the overlay
/// they show ours as well, but nothing of what a table's columns are made into.
bool lists_objects(std::string_view name) {
  constexpr std::array<std::string_view, 8> kLists{"pg_class",  "pg_namespace", "pg_type",
                                                   "pg_proc",   "pg_sequences", "pg_sequence",
                                                   "pg_tables", "pg_matviews"};
  return name.starts_with("pg_stat_") || name.starts_with("pg_statio_") ||
         std::find(kLists.begin(), kLists.end(), name) != kLists.end();
}

/// Common table expressions in force.
struct Names {
  const Names* outer = nullptr;
  std::vector<std::string> own;

  [[nodiscard]] bool has(std::string_view name) const {
    for (const auto* at = this; at != nullptr; at = at->outer) {
      if (std::find(at->own.begin(), at->own.end(), name) != at->own.end()) return true;
    }
    return false;
  }
};

class Redirector {
 public:
  Redirector(const Catalogue& catalogue, const Context& context)
      : catalogue_(catalogue), overlay_(catalogue.overlay()), context_(context) {}

  std::optional<Refusal> run(Message& statement) {
    look(statement);
    message(statement, shape_of(statement), nullptr);
    if (!refusal_ && edited_ && system_columns_ && star_of_catalogue()) {
      refuse("0A000", {}, "* beside a system column of a catalogue", "name the columns");
    }
    return std::move(refusal_);
  }

  [[nodiscard]] bool edited() const { return edited_; }
  [[nodiscard]] bool shows_form() const { return shows_form_; }

 private:
  void refuse(std::string_view sqlstate, std::string column, std::string_view construct,
              std::string_view remedy) {
    if (refusal_) return;
    refusal_ = Refusal{std::string(sqlstate), std::move(column), std::string(construct),
                       std::string(remedy)};
  }

  void refuse_ours() {
    refuse("42501", "theriac", "objects of Theriac in a statement",
           "use the catalogues of PostgreSQL");
  }

  // --- before anything is changed

  /// Whether system columns are read, and over what `*` stands. In EXISTS it means nothing.
  void look(const Message& statement) {
    std::vector<const pg::ColumnRef*> harmless;
    each_of<pg::SubLink>(statement, [&](const pg::SubLink& link) {
      if (link.sub_link_type() != pg::EXISTS_SUBLINK) return;
      for (const auto& target : link.subselect().select_stmt().target_list()) {
        if (target.res_target().val().has_column_ref()) {
          harmless.push_back(&target.res_target().val().column_ref());
        }
      }
    });
    each_of<pg::String>(statement, [&](const pg::String& one) {
      restricts_ = restricts_ || one.sval() == kRestriction;
    });
    each_of<pg::ColumnRef>(statement, [&](const pg::ColumnRef& one) {
      const int count = one.fields_size();
      if (is_star(one)) {
        if (std::find(harmless.begin(), harmless.end(), &one) != harmless.end()) return;
        stars_.emplace_back(count > 1 ? string_of(one.fields(count - 2)) : std::string_view{});
      } else {
        system_columns_ = system_columns_ || is_system_column(last_name(one.fields()));
      }
    });
  }

  [[nodiscard]] bool star_of_catalogue() const {
    return std::any_of(stars_.begin(), stars_.end(), [&](const std::string& name) {
      return name.empty() || std::find(aliases_.begin(), aliases_.end(), name) != aliases_.end();
    });
  }

  // --- the walk

  void message(Message& at, const Shape& shape, const Names* names) {
    if (shape.type == pg::RangeVar::descriptor()) {
      if (is_ours(static_cast<pg::RangeVar&>(at).schemaname())) refuse_ours();
      return;
    }
    if (shape.type == pg::LockingClause::descriptor()) return;
    if (shape.type == pg::CopyStmt::descriptor() &&
        means_catalogue(static_cast<pg::CopyStmt&>(at).relation(), names)) {
      return refuse("0A000", {}, "COPY of a system catalogue", "use COPY (SELECT ...) TO");
    }
    if (shape.type == pg::FuncCall::descriptor()) function(static_cast<pg::FuncCall&>(at));
    if (shape.type == pg::ColumnRef::descriptor()) column(static_cast<pg::ColumnRef&>(at));
    Names own{names, {}};
    if (auto* with = with_of(at, shape)) {
      common_tables(*with, own);
      names = &own;
    }
    each_field(at, shape, [&](Message& child, const Shape& its) {
      if (its.type == pg::WithClause::descriptor()) return;  // done
      if (its.is_node && static_cast<pg::Node&>(child).has_range_var()) {
        relation(*static_cast<pg::Node&>(child).mutable_range_var(), names);
      } else {
        message(child, its, names);
      }
    });
  }

  template <typename Visit>
  static void each_field(Message& at, const Shape& shape, const Visit& visit) {
    const auto& reflection = *shape.reflection;
    if (shape.is_node) {
      auto& node = static_cast<pg::Node&>(at);
      const auto number = static_cast<std::size_t>(node.node_case());
      if (auto* child = inside(node)) visit(*child, *shape.messages[number].shape);
      return;
    }
    for (const auto& one : shape.messages) {
      if (!one.repeated) {
        if (reflection.HasField(at, one.field)) {
          visit(*reflection.MutableMessage(&at, one.field), *one.shape);
        }
        continue;
      }
      for (int i = 0; i < reflection.FieldSize(at, one.field); ++i) {
        visit(*reflection.MutableRepeatedMessage(&at, one.field, i), *one.shape);
      }
    }
  }

  static pg::WithClause* with_of(Message& at, const Shape& shape) {
    if (shape.is_node) return nullptr;
    for (const auto& one : shape.messages) {
      if (one.shape->type != pg::WithClause::descriptor()) continue;
      if (!shape.reflection->HasField(at, one.field)) return nullptr;
      return static_cast<pg::WithClause*>(shape.reflection->MutableMessage(&at, one.field));
    }
    return nullptr;
  }

  void common_tables(pg::WithClause& with, Names& names) {
    if (with.recursive()) {
      for (const auto& node : with.ctes()) names.own.push_back(node.common_table_expr().ctename());
    }
    for (auto& node : *with.mutable_ctes()) {
      message(node, shape_of(node), &names);
      if (!with.recursive()) names.own.push_back(node.common_table_expr().ctename());
    }
  }

  // --- what is redirected

  [[nodiscard]] bool means_catalogue(const pg::RangeVar& range, const Names* names) const {
    if (!overlay_.relations.contains(range.relname())) return false;
    const auto home = home_of(range.relname());
    if (!range.schemaname().empty()) return range.schemaname() == home;
    if (names != nullptr && names->has(range.relname())) return false;
    const auto& path = context_.search_path;
    const bool named = std::find(path.begin(), path.end(), "pg_catalog") != path.end();
    if (!named && home == "pg_catalog") return true;  // it comes first then
    for (const auto& schema : path) {
      if (schema == home) return true;
      if (catalogue_.find(schema, range.relname(), {}) != nullptr) return false;
    }
    return false;
  }

  void relation(pg::RangeVar& range, const Names* names) {
    if (is_ours(range.schemaname())) return refuse_ours();
    if (!means_catalogue(range, names)) return;
    auto name = range.relname();
    shows_form_ = shows_form_ || !lists_objects(name);
    if (!range.has_alias()) range.mutable_alias()->set_aliasname(name);
    aliases_.push_back(range.alias().aliasname());
    if (system_columns_ && overlay_.with_system_columns.contains(name)) {
      name.insert(0, kWithSystemColumns);
    }
    range.set_schemaname(std::string(kOverlay));
    range.set_relname(name);
    edited_ = true;
  }

  /// pg_dump forbids itself all views that are not PostgreSQL's; without ours it could not read the
  /// catalogue. Foreign tables stay forbidden.
  void allow_views(pg::FuncCall& call) {
    if (call.args_size() < 2 || last_name(call.funcname()) != "set_config") return;
    if (!restricts_ || !call.args(1).a_const().sval().sval().contains("view")) return;
    call.mutable_args(1)->mutable_a_const()->mutable_sval()->set_sval("foreign-table");
    edited_ = true;
  }

  void function(pg::FuncCall& call) {
    allow_views(call);
    auto& names = *call.mutable_funcname();
    const int count = names.size();
    const auto schema = count > 1 ? string_of(names.Get(count - 2)) : std::string_view{};
    if (is_ours(schema)) return refuse_ours();
    const std::string name(last_name(names));
    if (!schema.empty() && schema != "pg_catalog" && schema != "information_schema") return;
    if (!overlay_.functions.contains(name)) return;
    shows_form_ = true;
    names.Clear();
    make_string(*names.Add(), kOverlay);
    make_string(*names.Add(), name);
    edited_ = true;
  }

  /// pg_catalog.pg_class.relname: the relation has an alias now, which takes no schema.
  void column(pg::ColumnRef& reference) {
    auto& fields = *reference.mutable_fields();
    if (fields.size() < 3) return;
    const std::string name(string_of(fields.Get(1)));
    if (!overlay_.relations.contains(name) || string_of(fields.Get(0)) != home_of(name)) return;
    fields.DeleteSubrange(0, 1);
    edited_ = true;
  }

  const Catalogue& catalogue_;
  const Overlay& overlay_;
  const Context& context_;
  bool edited_ = false;
  bool shows_form_ = false;
  bool system_columns_ = false;
  bool restricts_ = false;            ///< names kRestriction
  std::vector<std::string> stars_;    ///< what `*` stands behind; empty: alone
  std::vector<std::string> aliases_;  ///< of redirected relations
  std::optional<Refusal> refusal_;
};

}  // namespace

std::optional<Refusal> redirect_catalogues(pg::Node& statement, const Catalogue& catalogue,
                                           const Context& context, bool& edited) {
  if (catalogue.overlay().empty()) return std::nullopt;
  Redirector redirector(catalogue, context);
  auto refusal = redirector.run(statement);
  edited = redirector.edited();
  return refusal;
}

std::optional<Refusal> refuse_keeping(pg::Node& statement, const Catalogue& catalogue,
                                      const Context& context) {
  const bool view = statement.has_view_stmt();
  if (!view && !statement.has_rule_stmt() && !statement.has_copy_stmt()) return std::nullopt;
  if (catalogue.overlay().empty()) return std::nullopt;
  Redirector redirector(catalogue, context);
  auto refusal = redirector.run(statement);
  if (refusal || !redirector.edited() || (view && !redirector.shows_form())) return refusal;
  return Refusal{
      "0A000", {}, "a view or rule that reads system catalogues", "make it a temporary view"};
}

}  // namespace theriac::rewrite
