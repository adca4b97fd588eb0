#include <algorithm>
#include <array>
#include <tuple>

#include "crypto/hash.hpp"
#include "policy/canonical.hpp"
#include "policy/policy.hpp"

namespace theriac::policy {
namespace {

constexpr std::array<std::pair<std::string_view, MaskKind>, 14> kMasks{{
    {"name", MaskKind::kName},
    {"phone", MaskKind::kPhone},
    {"last_four", MaskKind::kLastFour},
    {"email", MaskKind::kEmail},
    {"id_number", MaskKind::kIdNumber},
    {"bank_card", MaskKind::kBankCard},
    {"address", MaskKind::kAddress},
    {"year", MaskKind::kYear},
    {"month", MaskKind::kMonth},
    {"band", MaskKind::kBand},
    {"serial", MaskKind::kSerial},
    {"constant", MaskKind::kConstant},
    {"null", MaskKind::kNull},
    {"pseudonym", MaskKind::kPseudonym},
}};

codec::Json json_of(const Decision& decision) {
  if (std::holds_alternative<Clear>(decision)) return "clear";
  if (const auto* masked = std::get_if<Masked>(&decision)) {
    codec::Json out = {{"mask", std::string(mask_name(masked->how))}};
    if (masked->how == MaskKind::kBand) out["size"] = masked->size;
    if (masked->how == MaskKind::kSerial) {
      out["first"] = masked->first;
      out["last"] = masked->last;
    }
    if (masked->value) out["value"] = *masked->value;
    if (!masked->recipient.empty()) out["recipient"] = masked->recipient;
    if (masked->search) out["search"] = "allowed";
    return out;
  }
  return "denied";
}

}  // namespace

std::optional<MaskKind> mask_named(std::string_view name) {
  const auto* at = std::find_if(kMasks.begin(), kMasks.end(),
                                [&](const auto& mask) { return mask.first == name; });
  if (at == kMasks.end()) return std::nullopt;
  return at->second;
}

std::string_view mask_name(MaskKind kind) {
  const auto* at = std::find_if(kMasks.begin(), kMasks.end(),
                                [&](const auto& mask) { return mask.second == kind; });
  THERIAC_ASSERT(at != kMasks.end());
  return at->first;
}

Denied denied(std::string_view role, std::string_view class_name) {
  return {fmt::format("role {} has no right to class {}", role, class_name)};
}

codec::Json to_json(const Policy& policy) {
  auto classes = codec::Json::object();
  for (const auto& [name, each] : policy.classes) {
    classes[name] = {{"suite", each.suite == seal::Suite::kSm4Gcm ? "sm4" : "aes"},
                     {"bind_rows", each.bind_rows},
                     {"buckets", each.buckets},
                     {"grace_s", each.grace_s},
                     {"strict", each.strict}};
  }
  std::vector<const ProtectedColumn*> sorted;
  for (const auto& column : policy.columns) sorted.push_back(&column);
  std::sort(sorted.begin(), sorted.end(), [](const auto* a, const auto* b) {
    return std::tie(a->schema, a->table, a->column) < std::tie(b->schema, b->table, b->column);
  });
  auto columns = codec::Json::array();
  for (const auto* column : sorted) {
    auto searches = codec::Json::array();
    for (const auto& search : column->searches) {
      searches.push_back({{"name", search.name},
                          {"expression", search.expression.text()},
                          {"domain", search.domain}});
    }
    columns.push_back({{"schema", column->schema},
                       {"table", column->table},
                       {"column", column->column},
                       {"class", column->class_name},
                       {"searchable", column->searchable},
                       {"domain", column->domain},
                       {"search", std::move(searches)},
                       {"accept_leakage", column->accept_leakage},
                       {"accept_triggers", column->accept_triggers}});
  }
  auto roles = codec::Json::object();
  for (const auto& [role, given] : policy.roles) {
    auto decisions = codec::Json::object();
    for (const auto& [name, decision] : given) decisions[name] = json_of(decision);
    // Only where it is set: the hash of other policies stays as it was.
    if (policy.exports.contains(role)) decisions["export"] = true;
    if (policy.backups.contains(role)) decisions["backup"] = true;
    if (const auto own = policy.column_roles.find(role); own != policy.column_roles.end()) {
      // No class can have this key: a class's name has no space.
      auto& each = decisions["columns of classes"] = codec::Json::object();
      for (const auto& [class_name, columns_of_class] : own->second) {
        for (const auto& [column, decision] : columns_of_class) each[column] = json_of(decision);
      }
    }
    roles[role] = std::move(decisions);
  }
  return {{"version", 1},
          {"tenant", policy.tenant},
          {"classes", std::move(classes)},
          {"columns", std::move(columns)},
          {"roles", std::move(roles)}};
}

std::string hash_of(const Policy& policy) {
  return to_hex(crypto::sha256(view_of(codec::canonical_json(to_json(policy)))));
}

std::string ProtectedColumn::name() const {
  std::string out;
  for (const auto* part : {&schema, &table, &column}) {
    if (!out.empty()) out += '.';
    if (part->find_first_of(".\"") == std::string::npos) {
      out += *part;
      continue;
    }
    out += '"';
    for (const char c : *part) out.append(c == '"' ? 2 : 1, c);
    out += '"';
  }
  return out;
}

Decision Policy::decide(std::string_view role, std::string_view class_name,
                        std::string_view column) const {
  const auto given = roles.find(std::string(role));
  if (given == roles.end()) return denied(role, class_name);
  if (const auto own = column_roles.find(std::string(role)); own != column_roles.end()) {
    if (const auto in_class = own->second.find(std::string(class_name));
        in_class != own->second.end()) {
      // A column that has lost its name must not fall back to what the class gets.
      const auto at = in_class->second.find(std::string(column));
      return at == in_class->second.end() ? Decision(denied(role, class_name)) : at->second;
    }
  }
  const auto at = given->second.find(std::string(class_name));
  return at == given->second.end() ? Decision(denied(role, class_name)) : at->second;
}

bool Policy::may_write(std::string_view role, std::string_view class_name,
                       std::string_view column) const {
  return std::holds_alternative<Clear>(decide(role, class_name, column));
}

bool Policy::may_search(std::string_view role, std::string_view class_name,
                        std::string_view column) const {
  const auto decision = decide(role, class_name, column);
  if (std::holds_alternative<Clear>(decision)) return true;
  const auto* masked = std::get_if<Masked>(&decision);
  return masked != nullptr && masked->search;
}

std::size_t Policy::line_of(std::string_view role, const ProtectedColumn& column) const {
  const auto given = lines.find(std::string(role));
  if (given == lines.end()) return 0;
  for (const auto& key : {"column " + column.name(), "class " + column.class_name}) {
    if (const auto at = given->second.find(key); at != given->second.end()) return at->second;
  }
  return 0;
}

const ProtectedColumn* Policy::find(std::string_view schema, std::string_view table,
                                    std::string_view column) const {
  for (const auto& each : columns) {
    if (each.schema == schema && each.table == table && each.column == column) return &each;
  }
  return nullptr;
}

}  // namespace theriac::policy
