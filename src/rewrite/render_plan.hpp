// A plan as text, for golden files. Used by tests only.
#pragma once

#include <fmt/format.h>

#include <string>

#include "rewrite/plan.hpp"

namespace theriac::rewrite::testing {

inline std::string column_text(const Catalogue& catalogue, std::uint32_t oid,
                               std::int16_t attribute) {
  const auto* relation = catalogue.find(oid);
  if (relation == nullptr) return "?";
  const auto* column = relation->find_attribute(attribute);
  return relation->schema + "." + relation->name + "." + (column == nullptr ? "?" : column->name);
}

inline std::string source_text(const ValueSource& source) {
  if (const auto* parameter = std::get_if<ClientParameter>(&source)) {
    return fmt::format("${}", parameter->number);
  }
  const auto& literal = std::get<Literal>(source);
  if (literal.is_null) return "NULL";
  return fmt::format("'{}'{}", literal.text,
                     literal.sent_oid == 0 ? std::string() : fmt::format(":{}", literal.sent_oid));
}

inline std::string slots_text(const Catalogue& catalogue, const std::vector<Slot>& slots) {
  std::string out;
  for (std::size_t i = 0; i < slots.size(); ++i) {
    const auto& slot = slots[i];
    constexpr std::string_view kFills[] = {"pass",         "seal",   "index", "compare",
                                           "compare list", "row id", "show",  "show with row id"};
    out += fmt::format("{}${} {}", i == 0 ? "" : "; ", i + 1, kFills[static_cast<int>(slot.fill)]);
    if (slot.fill == Slot::Fill::kRowId) {
      out += fmt::format(" of row {}", slot.row);
      continue;
    }
    out += " " + source_text(slot.source);
    if (slot.fill == Slot::Fill::kPass) continue;
    if (!slot.applied.empty()) out += " through " + slot.applied.text();
    out += " as " + column_text(catalogue, slot.relation_oid, slot.attribute);
    if (slot.index > 0) {
      const auto* column = catalogue.find(slot.relation_oid)->find_attribute(slot.attribute);
      out += " " + column->protection->expressions[static_cast<std::size_t>(slot.index) - 1].name;
    }
    if (slot.row > 0) out += fmt::format(" of row {}", slot.row);
  }
  return out;
}

inline std::string origins_text(const Catalogue& catalogue, const Output& output) {
  std::string out;
  for (const auto& origin : output.origins) {
    out += fmt::format("{}{}{}", out.empty() ? "" : " or ",
                       column_text(catalogue, origin.relation_oid, origin.attribute),
                       origin.with_row_id ? " with row id" : "");
  }
  return out;
}

inline std::string gather_text(const Catalogue& catalogue, const Gather& gather) {
  auto out = fmt::format("gather{} {}\n", gather.once_each ? " (each row once)" : "", gather.sql);
  if (!gather.slots.empty()) out += "  with " + slots_text(catalogue, gather.slots) + "\n";
  for (std::size_t i = 0; i < gather.columns.size(); ++i) {
    const auto& column = gather.columns[i];
    if (column.kind != Gather::Column::Kind::kSealed) continue;
    out += fmt::format("  column {} opens {}\n", i, origins_text(catalogue, column.output));
  }
  if (gather.keeps_identities()) return out + "  identities of rows to insert\n";
  constexpr std::string_view kKinds[] = {"tid", "value", "row ids", "sealed", "index"};
  out += "  arrays";
  for (std::size_t i = 0; i < gather.arrays.size(); ++i) {
    const auto& array = gather.arrays[i];
    out += fmt::format("{} ${} {}", i == 0 ? "" : ";", gather.first_parameter + i,
                       kKinds[static_cast<int>(array.kind)]);
    if (array.kind == Gather::Array::Kind::kTid || array.kind == Gather::Array::Kind::kRowId) {
      continue;
    }
    const auto* place = std::get_if<std::size_t>(&array.source);
    out += " of " + (place != nullptr ? fmt::format("column {}", *place)
                                      : source_text(std::get<ValueSource>(array.source)));
    if (array.relation_oid != 0) {
      out += " as " + column_text(catalogue, array.relation_oid, array.attribute);
    }
  }
  return out + "\n";
}

inline std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

inline std::string follow_text(const Catalogue& catalogue, const FollowedDdl& follow) {
  std::string out = follow.replaced ? "  then settle instead" : "  then settle";
  for (const auto oid : follow.relations) out += " " + catalogue.find(oid)->name;
  if (follow.members) out += " and all below";
  for (const auto oid : follow.parents) out += " new below " + catalogue.find(oid)->name;
  for (const auto& name : follow.awaited) out += " awaited " + name;
  if (follow.every_awaited) out += " every awaited table";
  constexpr std::string_view kActs[] = {"set not null", "drop not null", "drop default",
                                        "drop column", "revoke"};
  for (const auto& act : follow.before) {
    if (act.kind != DdlAct::Kind::kJoin) continue;
    out +=
        "; first " + catalogue.find(act.child)->name + " as " + catalogue.find(act.relation)->name;
  }
  for (const auto& act : follow.acts) {
    out += fmt::format("; {} {} ({})", kActs[static_cast<int>(act.kind)], act.column, act.number);
    if (!act.privileges.empty()) {
      out += fmt::format(" {} from {}", joined(act.privileges), joined(act.roles));
    }
  }
  return out + "\n";
}

inline std::string copy_text(const Catalogue& catalogue, const CopyPlan& copy) {
  constexpr std::string_view kFormats[] = {"text", "csv", "binary"};
  constexpr std::string_view kHeaders[] = {"", " header", " header match"};
  std::string out = fmt::format("  copy {} {}{}{}", copy.from ? "from" : "to",
                                kFormats[static_cast<int>(copy.options.format)],
                                kHeaders[static_cast<int>(copy.options.header)],
                                copy.encoding.empty() ? "" : " in " + copy.encoding);
  for (const auto& column : copy.columns) {
    out +=
        fmt::format("{} {}{}{}{}", &column == &copy.columns.front() ? ":" : ",", column.name,
                    column.attribute == 0 ? "" : " sealed", column.force_null ? " force null" : "",
                    column.force_not_null ? " force not null" : "");
  }
  for (const auto attribute : copy.defaulted) {
    out += "; default of " + column_text(catalogue, copy.relation_oid, attribute);
  }
  if (copy.quote_all) out += "; quotes all";
  for (const auto position : copy.quoted) out += fmt::format("; quotes {}", position);
  return out + "\n";
}

inline std::string statement_text(const Catalogue& catalogue, const Statement& statement) {
  std::string out;
  constexpr std::string_view kEffects[] = {"none", "setting", "transaction", "schema", "copy"};
  const auto effect = statement.effect == Effect::kNone
                          ? std::string()
                          : fmt::format(" [{}]", kEffects[static_cast<int>(statement.effect)]);
  const auto cursor = statement.cursor.empty() ? "" : " cursor " + statement.cursor;
  if (statement.action == Action::kForward) {
    return fmt::format("forward {}{}{}\n", statement.tag, cursor, effect) +
           (statement.follow ? follow_text(catalogue, *statement.follow) : "");
  }
  if (statement.action == Action::kPrepare) {
    const auto& use = *statement.prepared;
    return fmt::format("prepare {}({}) as {}\n", use.name, joined(use.types), use.query);
  }
  if (statement.action == Action::kRefuse) {
    const auto& refusal = *statement.refusal;
    return fmt::format("refuse {} {}: {}\n", refusal.sqlstate,
                       refusal.column.empty() ? "-" : refusal.column, refusal.construct);
  }
  if (statement.gather) {
    out += gather_text(catalogue, *statement.gather);
    out += fmt::format("then {}\n", statement.sql);
  } else {
    out += fmt::format("rewrite{}{} {}\n", cursor, effect, statement.sql);
  }
  if (!statement.slots.empty()) {
    out += "  slots " + slots_text(catalogue, statement.slots) + "\n";
  }
  if (statement.copy) out += copy_text(catalogue, *statement.copy);
  for (const auto& output : statement.outputs) {
    if (!output.fields.empty()) {
      out += fmt::format("  output {} is a row", output.position);
      if (output.row_of != 0) out += " of " + catalogue.find(output.row_of)->name;
      for (const auto& field : output.fields) {
        out += fmt::format(", field {} opens {}", field.position, origins_text(catalogue, field));
      }
      out += "\n";
      continue;
    }
    out += fmt::format("  output {} opens {}", output.position, origins_text(catalogue, output));
    const auto& first = output.origins.front();
    const auto& type = catalogue.find(first.relation_oid)->find_attribute(first.attribute)->type;
    if (type.oid != output.type.oid || type.modifier != output.type.modifier) {
      out += fmt::format(" as type {}", output.type.oid);
      if (output.type.modifier != -1) out += fmt::format("({})", output.type.modifier);
    }
    for (const auto slot : output.found_by) out += fmt::format(" found by ${}", slot + 1);
    out += "\n";
  }
  if (!statement.classes_read.empty()) out += "  reads " + joined(statement.classes_read) + "\n";
  if (!statement.classes_written.empty()) {
    out += "  writes " + joined(statement.classes_written) + "\n";
  }
  if (!statement.classes_compared.empty()) {
    out += "  compares " + joined(statement.classes_compared) + "\n";
  }
  return out;
}

inline std::string plan_text(const Catalogue& catalogue, const Result<Plan>& plan) {
  if (!plan) {
    return fmt::format("error {} {}\n", info_of(plan.error().code).name, plan.error().where);
  }
  if (plan->statements.empty()) return "nothing\n";
  std::string out;
  for (const auto& statement : plan->statements) out += statement_text(catalogue, statement);
  return out;
}

}  // namespace theriac::rewrite::testing
