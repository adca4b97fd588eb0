#include <algorithm>
#include <array>
#include <tuple>

#include "crypto/hash.hpp"
#include "policy/canonical.hpp"
#include "policy/policy.hpp"

namespace theriac::policy {
namespace {

constexpr std::array<std::pair<std::string_view, MaskKind>, 8> kMasks{{
    {"name", MaskKind::kName},
    {"phone", MaskKind::kPhone},
    {"last_four", MaskKind::kLastFour},
    {"email", MaskKind::kEmail},
    {"id_number", MaskKind::kIdNumber},
    {"year", MaskKind::kYear},
    {"constant", MaskKind::kConstant},
    {"null", MaskKind::kNull},
}};

codec::Json json_of(const Decision& decision) {
  if (std::holds_alternative<Clear>(decision)) return "clear";
  if (const auto* masked = std::get_if<Masked>(&decision)) {
    return {{"mask", std::string(mask_name(masked->how))}};
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

Decision Policy::decide(std::string_view role, std::string_view class_name) const {
  if (const auto given = roles.find(std::string(role)); given != roles.end()) {
    if (const auto at = given->second.find(std::string(class_name)); at != given->second.end()) {
      return at->second;
    }
  }
  return denied(role, class_name);
}

bool Policy::may_write(std::string_view role, std::string_view class_name) const {
  return std::holds_alternative<Clear>(decide(role, class_name));
}

bool Policy::may_search(std::string_view role, std::string_view class_name) const {
  return std::holds_alternative<Clear>(decide(role, class_name));
}

const ProtectedColumn* Policy::find(std::string_view schema, std::string_view table,
                                    std::string_view column) const {
  for (const auto& each : columns) {
    if (each.schema == schema && each.table == table && each.column == column) return &each;
  }
  return nullptr;
}

}  // namespace theriac::policy
