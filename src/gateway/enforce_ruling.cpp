#include "gateway/enforce_ruling.hpp"

#include <algorithm>
#include <set>

namespace theriac::gateway {
namespace {

using rewrite::Statement;

/// A use of protected columns that the policy says no to.
std::optional<Ruling::Refused> denied_use(const Statement& statement,
                                          const rewrite::Catalogue& catalogue,
                                          const std::string& role, const policy::Policy& policy) {
  using May = bool (policy::Policy::*)(std::string_view, std::string_view, std::string_view) const;
  const auto refused = [&](std::string_view what, const std::string& subject) {
    return Ruling::Refused{
        report_about(Error{Code::kDenied, fmt::format("role {}{}", role, what)}, subject), subject};
  };
  const auto look = [&](const std::vector<rewrite::ColumnId>& columns, May may,
                        std::string_view what) -> std::optional<Ruling::Refused> {
    for (const auto& id : columns) {
      const auto column = column_of(catalogue, id.relation_oid, id.attribute);
      if (!column) return refused(fmt::format("{}this column", what), "a column");
      const auto& [name, called] =
          std::tie(column->protection().class_name, column->protection().policy_name);
      if (!(policy.*may)(role, name, called)) {
        return refused(fmt::format("{}class {}", what, name), name);
      }
    }
    return std::nullopt;
  };
  if (auto no = look(statement.columns_written, &policy::Policy::may_write, " may not write ")) {
    return no;
  }
  // What is copied to another column leaves its mask behind: a mask that may be searched does not
  // allow that.
  if (auto no = look(statement.columns_copied, &policy::Policy::may_write,
                     " may not search or compare ")) {
    return no;
  }
  return look(statement.columns_compared, &policy::Policy::may_search,
              " may not search or compare ");
}

bool depends_on_values(const rewrite::Output& output) {
  return !output.found_by.empty() || std::ranges::any_of(output.fields, depends_on_values);
}

}  // namespace

Ruling rule_on(SharedStatement shared, const rewrite::Catalogue& catalogue, const std::string& role,
               const policy::Policy& policy) {
  const auto& statement = *shared;
  Ruling ruling{.statement = std::move(shared), .role = role};
  if (auto no = denied_use(statement, catalogue, role, policy)) {
    ruling.refused = std::move(no);
    return ruling;
  }
  std::set<std::string> classes(statement.classes_read.begin(), statement.classes_read.end());
  classes.insert(statement.classes_written.begin(), statement.classes_written.end());
  classes.insert(statement.classes_compared.begin(), statement.classes_compared.end());
  for (const auto& output : statement.outputs) {
    for (const auto& origin : output.origins) {
      const auto column = column_of(catalogue, origin.relation_oid, origin.attribute);
      if (!column) {
        ruling.refused = {column.error(), "a column"};
        return ruling;
      }
      const auto& name = column->protection().class_name;
      classes.insert(name);
      const auto decision = policy.decide(role, name, column->protection().policy_name);
      if (std::holds_alternative<policy::Denied>(decision)) {
        const Error error{Code::kDenied, fmt::format("role {} may not read class {}", role, name)};
        ruling.refused = {report_about(error, column->name()), column->name()};
        return ruling;
      }
    }
  }
  for (const auto& name : classes) {
    const bool writes =
        std::ranges::find(statement.classes_written, name) != statement.classes_written.end();
    ruling.classes.push_back({name, writes});
    const auto known = policy.classes.find(name);
    ruling.strict = ruling.strict || (known != policy.classes.end() && known->second.strict);
  }
  return ruling;
}

Refusable<OutputRule> output_rule(const rewrite::Output& output,
                                  const rewrite::Catalogue& catalogue, const std::string& role,
                                  const policy::Policy& policy, const Filled* filled) {
  OutputRule rule;
  rule.position = output.position;
  rule.type = output.type;
  rule.names_origin = output.names_origin;
  for (const auto& origin : output.origins) {
    auto column = column_of(catalogue, origin.relation_oid, origin.attribute);
    if (!column) return refuse(std::move(column.error()));
    rule.origins.push_back(
        {*column,
         policy.decide(role, column->protection().class_name, column->protection().policy_name),
         origin.with_row_id});
  }
  rule.row_of = output.row_of;
  for (const auto& field : output.fields) {
    auto made = output_rule(field, catalogue, role, policy, filled);
    if (!made) return made;
    rule.fields.push_back(std::move(*made));
  }
  for (const auto slot : output.found_by) {
    if (filled != nullptr && slot < filled->tokens.size() && filled->tokens[slot]) {
      rule.found_by.push_back(*filled->tokens[slot]);
    }
  }
  return rule;
}

Refusable<std::shared_ptr<RowMap>> row_map(
    const Statement& statement, const std::shared_ptr<const rewrite::Catalogue>& catalogue,
    const std::string& role, const policy::Policy& policy, const Filled* filled) {
  std::vector<OutputRule> rules;
  for (const auto& output : statement.outputs) {
    auto rule = output_rule(output, *catalogue, role, policy, filled);
    if (!rule) return refuse(std::move(rule.error()));
    rules.push_back(std::move(*rule));
  }
  return std::make_shared<RowMap>(catalogue, std::move(rules));
}

bool is_same_for_all_values(const Statement& statement) {
  return std::ranges::none_of(statement.outputs, depends_on_values);
}

Ruling& RecentRulings::of(const SharedStatement& statement, const rewrite::Catalogue& catalogue,
                          const std::string& role, const policy::Policy& policy) {
  for (auto& one : rulings_) {
    if (one.statement == statement && one.role == role) return one;
  }
  auto& slot = rulings_[next_];
  next_ = (next_ + 1) % rulings_.size();
  slot = rule_on(statement, catalogue, role, policy);
  return slot;
}

}  // namespace theriac::gateway
