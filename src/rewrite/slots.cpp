// Server parameters: provisional slots while the tree is edited, dense numbers at the end.
#include <algorithm>
#include <limits>
#include <utility>

#include "rewrite/limits.hpp"
#include "rewrite/rewriter.hpp"

namespace theriac::rewrite {
namespace {

/// Placeholders of the arrays of a Gather lie below all provisional slots.
constexpr int kArrays = std::numeric_limits<int>::min() / 2;

template <typename Visit>
void each_parameter(pg::Node& node, const Visit& visit) {
  if (node.has_param_ref()) visit(*node.mutable_param_ref());
  auto* content = inside(node);
  if (content == nullptr) return;
  each_child(*content, [&](pg::Node& child) {
    each_parameter(child, visit);
    return true;
  });
}

const std::uint16_t* client_number(const ValueSource& source) {
  const auto* parameter = std::get_if<ClientParameter>(&source);
  return parameter == nullptr ? nullptr : &parameter->number;
}

/// Equal slots have equal ones.
std::size_t hash_of(const Slot& slot) {
  const auto* literal = std::get_if<Literal>(&slot.source);
  const auto* parameter = client_number(slot.source);
  const auto value = literal != nullptr ? std::hash<std::string_view>{}(literal->text)
                                        : std::size_t{parameter == nullptr ? 0U : *parameter};
  const auto column =
      (std::size_t{slot.relation_oid} << 16U) + static_cast<std::uint16_t>(slot.attribute);
  return value * 31U + column * 7U + static_cast<std::size_t>(slot.index);
}

}  // namespace

int Rewriter::slot(Slot::Fill fill, const ValueSource& source, const Relation& relation,
                   const Column& column, int row, int index,
                   const pgwire::TextExpression& applied) {
  edited_ = true;
  Slot made{fill, source, relation.oid, column.attribute, row, index, applied};
  if (fill == Slot::Fill::kCompare) {
    // The same text is the same parameter: GROUP BY is matched with outputs and HAVING by that.
    const auto hash = hash_of(made);
    const auto [first, last] = compared_.equal_range(hash);
    const auto same = std::find_if(first, last, [&](const auto& entry) {
      const auto& one = slots_[static_cast<std::size_t>(entry.second)];
      return one.relation_oid == relation.oid && one.attribute == column.attribute &&
             one.source == source && one.index == index && one.applied == applied;
    });
    if (same != last) {
      auto& kept = slots_[static_cast<std::size_t>(same->second)].source;
      // Another text may have different literals there, which would need a slot each.
      for (const auto* one : {&std::as_const(kept), &source}) {
        const auto* literal = std::get_if<Literal>(one);
        if (literal != nullptr) merged_.push_back(literal->location);
      }
      if (auto* literal = std::get_if<Literal>(&kept)) literal->location = 0;
      return same->second;
    }
    compared_.emplace(hash, static_cast<int>(slots_.size()));
  }
  slots_.push_back(std::move(made));
  return static_cast<int>(slots_.size()) - 1;
}

int array_placeholder(int ordinal) { return kArrays + ordinal; }

void Rewriter::note(const Column& column, std::vector<std::string>& classes,
                    std::vector<ColumnId>& columns) const {
  if (column.protection->view_attribute != 0) {
    // Rights are by the columns of tables that the values are of.
    for (const auto& origin : column.protection->origins) {
      const auto* base = catalogue_.find(origin.relation_oid);
      const auto* of = base == nullptr ? nullptr : base->find_attribute(origin.attribute);
      if (of != nullptr && of->protection) {
        note(*of, classes, columns);
      } else {
        columns.push_back({});
      }
    }
    return;
  }
  const auto& name = column.protection->class_name;
  if (std::find(classes.begin(), classes.end(), name) == classes.end()) classes.push_back(name);
  const auto* relation = catalogue_.holder(column);
  const ColumnId id{relation == nullptr ? 0 : relation->oid, column.attribute};
  if (std::find(columns.begin(), columns.end(), id) == columns.end()) columns.push_back(id);
}

void Rewriter::give_uses(Statement& out) const {
  out.classes_written = classes_written_;
  out.classes_compared = classes_compared_;
  out.columns_written = columns_written_;
  out.columns_compared = columns_compared_;
  out.columns_copied = columns_copied_;
}

bool Rewriter::parameters_agree() {
  // One $n has one type: the columns it is for must take it in the same way.
  struct Use {
    const Relation* relation;
    const Column* column;
    bool sealed;
    bool list;
  };
  std::map<std::uint16_t, Use> first;
  const auto check = [&](const ValueSource& source, std::uint32_t oid, std::int16_t attribute,
                         bool sealed, bool list = false) {
    const auto* number = client_number(source);
    if (number == nullptr) return true;
    const auto* relation = catalogue_.find(oid);
    const auto* column = relation->find_attribute(attribute);
    const auto [at, fresh] = first.try_emplace(*number, Use{relation, column, sealed, list});
    if (fresh) return true;
    const auto& a = at->second.column->type;
    const auto& b = column->type;
    const bool same = a.oid == b.oid && list == at->second.list &&
                      (a.modifier == b.modifier || (!sealed && !at->second.sealed));
    return same || refuse(relation, column, "one parameter for columns of different types",
                          "use a parameter of its own for each column");
  };
  for (const auto& one : slots_) {
    if (one.fill == Slot::Fill::kRowId || one.fill == Slot::Fill::kPass) continue;
    const bool list = one.fill == Slot::Fill::kCompareList;
    const bool sealed = one.fill != Slot::Fill::kCompare && !list;
    if (!check(one.source, one.relation_oid, one.attribute, sealed, list)) return false;
  }
  if (!gathering_) return true;
  return std::all_of(gathering_->arrays.begin(), gathering_->arrays.end(),
                     [&](const Gathering::Array& one) {
                       const auto* source = std::get_if<ValueSource>(&one.source);
                       return source == nullptr || one.column == nullptr ||
                              check(*source, one.relation->oid, one.column->attribute, true);
                     });
}

std::map<std::uint16_t, std::pair<const Relation*, const Column*>> Rewriter::protected_parameters()
    const {
  std::map<std::uint16_t, std::pair<const Relation*, const Column*>> out;
  for (const auto& one : slots_) {
    const auto* number = client_number(one.source);
    if (one.fill == Slot::Fill::kRowId || number == nullptr) continue;
    const auto* relation = catalogue_.find(one.relation_oid);
    if (relation == nullptr) continue;
    out.try_emplace(*number, relation, relation->find_attribute(one.attribute));
  }
  if (!gathering_) return out;
  for (const auto& one : gathering_->arrays) {
    const auto* source = std::get_if<ValueSource>(&one.source);
    const auto* number = source == nullptr ? nullptr : client_number(*source);
    if (number == nullptr || one.relation == nullptr) continue;
    out.try_emplace(*number, one.relation, one.column);
  }
  return out;
}

std::optional<std::vector<Slot>> Rewriter::number(pg::Node& tree,
                                                  std::map<int, std::size_t>& found) {
  if (!parameters_agree()) return std::nullopt;
  std::vector<Slot> out;
  std::map<int, std::size_t> passed;
  const auto special = protected_parameters();
  const auto is_special = [&](std::uint16_t client) {
    const auto at = special.find(client);
    if (at == special.end()) return false;
    const auto& [relation, column] = at->second;
    refuse(relation, column, "one parameter for a protected and an unprotected purpose",
           "use a parameter of its own for each purpose");
    return true;
  };
  bool good = true;
  std::vector<pg::ParamRef*> arrays;
  each_parameter(tree, [&](pg::ParamRef& parameter) {
    const int number = parameter.number();
    if (number < kArrays / 2) {
      arrays.push_back(&parameter);
    } else if (number < 0) {
      const int provisional = -number - 1;
      const auto [at, fresh] = found.try_emplace(provisional, out.size());
      if (fresh) out.push_back(slots_[static_cast<std::size_t>(provisional)]);
      parameter.set_number(static_cast<int>(at->second) + 1);
    } else {
      const auto client = static_cast<std::uint16_t>(number);
      const auto [at, fresh] = passed.try_emplace(number, out.size());
      if (fresh) {
        good = good && number > 0 && number <= 0xffff && !is_special(client);
        Slot slot;
        slot.source = ClientParameter{client};
        out.push_back(slot);
      }
      parameter.set_number(static_cast<int>(at->second) + 1);
    }
  });
  for (auto* parameter : arrays) {
    parameter->set_number(static_cast<int>(out.size()) + 1 + parameter->number() - kArrays);
  }
  const auto total = out.size() + (gathering_ ? gathering_->arrays.size() : 0);
  if (good && total > kSlotsMax) {
    good = refuse_state("54000", "too many values in one statement", "send fewer rows at a time");
  }
  if (!good) {
    if (!refusal_) refuse_state("08P01", "a parameter number out of range", "use $1 to $65535");
    return std::nullopt;
  }
  return out;
}

}  // namespace theriac::rewrite
