// MERGE in two steps: the source's rows are read first, then the MERGE runs over arrays that hold
// what it needs of them, with sealed values for each.
#include <algorithm>
#include <set>

#include "rewrite/merge.hpp"
#include "rewrite/types.hpp"

namespace theriac::rewrite {
namespace {

constexpr std::string_view kSourceRemedy =
    "write the source as (SELECT ...) AS s, with a cast for each output that is not a column";

/// A type by its name, for outputs whose expression says what it is.
std::optional<PlainType> type_named(const pg::TypeName& name) {
  const auto oid = type_oid_of(name);
  if (!oid) return std::nullopt;
  return PlainType{"pg_catalog." + std::string(last_name(name.names())), *oid, false};
}

std::optional<PlainType> type_of_value(const pg::Node& value) {
  if (value.has_type_cast()) return type_named(value.type_cast().type_name());
  if (!value.has_a_const()) return std::nullopt;
  const auto& constant = value.a_const();
  if (constant.has_ival()) return PlainType{"pg_catalog.int4", pgwire::kOidInt4, false};
  if (constant.has_boolval()) return PlainType{"pg_catalog.bool", pgwire::kOidBool, false};
  if (constant.isnull() || constant.has_sval()) {
    return PlainType{"pg_catalog.text", pgwire::kOidText, false};
  }
  return std::nullopt;
}

/// VALUES and UNION: one type for all, NULL and literals without a type take the others'.
void combine_types(const std::optional<PlainType>& next, bool open, std::optional<PlainType>& type,
                   bool& typed, bool& failed) {
  if (!next) {
    failed = true;
  } else if (!type || (open && !typed) || (!open && !typed)) {
    type = next;
    typed = typed || !open;
  } else if (!open && type->oid != next->oid) {
    failed = true;
  }
}

bool is_open(const pg::Node& value) {
  return value.has_a_const() && (value.a_const().isnull() || value.a_const().has_sval());
}

}  // namespace

std::optional<PlainType> Rewriter::plain_type(const Item& item, std::size_t place) {
  if (place >= item.columns.size()) return std::nullopt;
  if (item.relation != nullptr) {
    const auto& column = *item.columns[place].column;
    return PlainType{column.type_name, column.type.oid, column.is_array};
  }
  if (item.is_join) {
    const auto& column = item.columns[place];
    if (column.home == nullptr || column.merged) return std::nullopt;
    return plain_type(*column.home, column.place);
  }
  return item.derived == nullptr ? std::nullopt : plain_type(*item.derived, place);
}

std::optional<PlainType> Rewriter::plain_type(const Derived& derived, std::size_t place) {
  std::optional<PlainType> type;
  bool typed = false;
  bool failed = false;
  const auto index = static_cast<int>(place);
  if (!derived.parts.empty()) {
    for (const auto* part : derived.parts) {
      combine_types(plain_type(*part, place), false, type, typed, failed);
    }
    return failed ? std::nullopt : type;
  }
  if (derived.rows != nullptr) {
    for (const auto& row : *derived.rows) {
      if (row.list().items_size() <= index) return std::nullopt;
      const auto& value = row.list().items(index);
      combine_types(type_of_value(value), is_open(value), type, typed, failed);
    }
    return failed ? std::nullopt : type;
  }
  if (place < derived.sources.size() && derived.sources[place].item != nullptr) {
    return plain_type(*derived.sources[place].item, derived.sources[place].place);
  }
  if (derived.targets == nullptr || index >= derived.targets->size()) return std::nullopt;
  const bool stars =
      std::any_of(derived.targets->begin(), derived.targets->end(), [](const pg::Node& one) {
        const auto& value = one.res_target().val();
        return value.has_column_ref() && is_star(value.column_ref());
      });
  if (stars) return std::nullopt;
  return type_of_value(derived.targets->Get(index).res_target().val());
}

/// The names of the source's columns that the second step refers to: those in ON, in conditions,
/// and in what unprotected columns get. A name too many does no harm.
bool Rewriter::merged_names(pg::MergeStmt& statement, const Merging& merging,
                            std::set<std::string>& out) {
  const auto& source = *merging.source;
  bool good = true;
  const auto look = [&](Message& tree, const Level& level) {
    each_of<pg::ColumnRef>(tree, [&](const pg::ColumnRef& one) {
      const int count = one.fields_size();
      const auto last = std::string(string_of(one.fields(count - 1)));
      const bool star = is_star(one) && count > 1;
      if (count > 1) {
        if (string_of(one.fields(count - 2)) != source.name) return;
        good = good && !star;
        if (count > 2) {
          // The arrays have an alias and no schema; `tree` is ours and not const.
          auto& fields = *const_cast<pg::ColumnRef&>(one).mutable_fields();
          fields.DeleteSubrange(0, count - 2);
        }
        out.insert(last);
        return;
      }
      if (is_star(one)) return;
      const auto found = resolve(one, level);
      if (found.kind == Resolved::Kind::kWholeRow && found.item == &source) good = false;
      if (found.kind == Resolved::Kind::kColumn && found.item == &source) out.insert(last);
      if (found.kind == Resolved::Kind::kUnknown) good = false;
    });
  };
  look(*statement.mutable_join_condition(), *merging.matched);
  for (const auto& branch : merging.branches) {
    auto& clause = *branch.clause;
    const auto& level = clause.matched() ? *merging.matched : *merging.unmatched;
    if (clause.has_condition()) look(*clause.mutable_condition(), level);
    const bool insert = clause.command_type() == pg::CMD_INSERT;
    auto& values = insert ? *clause.mutable_values() : *clause.mutable_target_list();
    for (int i = 0; i < values.size(); ++i) {
      const bool secret = !branch.columns.empty() &&
                          branch.columns[static_cast<std::size_t>(i)]->protection.has_value();
      if (!secret) look(*values.Mutable(i), level);
    }
  }
  return good || refuse_item(*merging.target, "a whole row of MERGE's source", "name the columns");
}

/// Adds a column that the second step refers to by `name`.
bool Rewriter::merged_column(const std::string& name, const Merging& merging, Gathering& gathering,
                             Nodes& outputs) {
  const auto& source = *merging.source;
  pg::Node value;
  make_column(value, {source.name, name});
  PlainType type{"pg_catalog.bytea", pgwire::kOidBytea, false};
  const auto at = std::find_if(source.columns.begin(), source.columns.end(),
                               [&](const ItemColumn& one) { return one.name == name; });
  if (at != source.columns.end() && !at->secret()) {
    const auto place = static_cast<std::size_t>(at - source.columns.begin());
    const auto plain = plain_type(source, place);
    if (!plain) {
      return refuse_item(*merging.target, "a column of MERGE's source whose type is not certain",
                         kSourceRemedy);
    }
    type = *plain;
    // unnest() would take arrays apart: those go as text.
    if (!cast_to_type(value, type.array ? "pg_catalog.text" : type.name)) return false;
  } else if (at == source.columns.end() && !name.starts_with("theriac_")) {
    return refuse_item(*merging.target, "a column that MERGE's source does not name",
                       kSourceRemedy);
  }
  const auto from = gather_column(gathering, {Gather::Column::Kind::kValue, {}}, value);
  auto& output = *outputs.Add()->mutable_res_target();
  output.set_name(name);
  gather_array(gathering,
               {Gather::Array::Kind::kValue, type.array ? "pg_catalog.text" : type.name,
                type.array ? pgwire::kOidText : type.oid, nullptr, nullptr, from},
               *output.mutable_val());
  return !type.array || cast_to_type(*output.mutable_val(), type.name);
}

/// Adds the sealed forms of a value that a branch gives.
void Rewriter::merged_value(const MergeValue& value, const Merging& merging, Gathering& gathering,
                            MergedSource& source, Nodes& outputs) {
  std::variant<std::size_t, ValueSource> from = value.constant;
  if (value.what == MergeWhat::kGathered) {
    const auto kind = value.sealed ? Gather::Column::Kind::kSealed : Gather::Column::Kind::kValue;
    from = gather_column(gathering, {kind, value.sealed.value_or(ItemColumn{})}, value.value);
  }
  Nodes names;
  Nodes values;
  gather_protected(gathering, *merging.target->relation, *value.column, from, names, values);
  for (int i = 0; i < names.size(); ++i) {
    const auto name = "theriac_v" + std::to_string(source.columns.size());
    auto& output = *outputs.Add()->mutable_res_target();
    output.set_name(name);
    *output.mutable_val() = values.Get(i);
    source.values[&value].emplace_back(names.Get(i).res_target().name(), source.columns.size());
    source.columns.push_back(name);
  }
}

bool Rewriter::merge_gathered(pg::MergeStmt& statement, Merging& merging) {
  const auto& relation = *merging.target->relation;
  if (!may_gather(relation, nullptr)) return false;
  const auto& written = statement.source_relation();
  if (merging.source->name.empty() || !(written.has_range_var() || written.has_range_subselect())) {
    return refuse_item(*merging.target, "MERGE with this kind of source", kSourceRemedy);
  }
  std::set<std::string> names;
  if (!merged_names(statement, merging, names)) return false;
  Gathering gathering;
  auto& select = *gathering.select.mutable_select_stmt();
  select.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  select.set_op(pg::SETOP_NONE);
  MergedSource source;
  source.name = merging.source->name;
  Nodes outputs;
  for (const auto& name : names) {
    if (!merged_column(name, merging, gathering, outputs)) return false;
  }
  for (const auto& branch : merging.branches) {
    for (const auto& value : branch.values) {
      if (value.gives()) merged_value(value, merging, gathering, source, outputs);
    }
  }
  if (relation.bound) {
    source.identity = source.columns.size();
    source.columns.emplace_back("theriac_identity");
    auto& output = *outputs.Add()->mutable_res_target();
    output.set_name(source.columns.back());
    gather_array(gathering,
                 {Gather::Array::Kind::kRowId, "pg_catalog.uuid", 0, nullptr, nullptr, {}},
                 *output.mutable_val());
  }
  if (select.target_list_size() == 0) {
    // Only how many rows there are matters.
    pg::Node one;
    make_true(one);
    gather_column(gathering, {Gather::Column::Kind::kValue, {}}, one);
  }
  for (auto& branch : merging.branches) write_branch(branch, &source);
  *select.add_from_clause() = written;
  if (!gather_with(statement, statement.with_clause(), relation, gathering)) return false;
  pg::Node rows;
  auto& range = *rows.mutable_range_subselect();
  range.mutable_alias()->set_aliasname(source.name);
  auto& query = *range.mutable_subquery()->mutable_select_stmt();
  query.set_limit_option(pg::LIMIT_OPTION_DEFAULT);
  query.set_op(pg::SETOP_NONE);
  *query.mutable_target_list() = outputs;
  if (!gathered_rows(gathering, *query.add_from_clause())) return false;
  *statement.mutable_source_relation() = rows;
  gathering_ = std::move(gathering);
  return true;
}

}  // namespace theriac::rewrite
