#include "policy/roles.hpp"

#include <set>

#include "policy/canonical.hpp"
#include "policy/node_reader.hpp"

namespace theriac::policy {
namespace {

class RoleReader : public NodeReader {
 public:
  RoleReader(std::string_view file, Policy& policy) : NodeReader(file), policy_(policy) {}

  Status roles(const YamlNode& node) {
    if (node.kind != Kind::kMap) return bad(node, "roles: a map is expected");
    if (node.items.size() > kRolesMax) return bad(node, "roles: too many");
    for (const auto& body : node.items) THERIAC_TRY(role(body));
    return {};
  }

 private:
  Status role(const YamlNode& body) {
    const auto& role = body.key;
    if (!is_identifier(role)) return bad(body, "roles: not a name of a database role");
    if (role == "public" || role == "postgres" || role.starts_with("pg_")) {
      return bad(body, "roles: a system role cannot be given anything");
    }
    if (body.kind != Kind::kMap) return bad(body, "roles: a map of classes is expected");
    auto& given = policy_.roles[role];
    THERIAC_ASSIGN(const bool exports, truth(body, "export", false));
    THERIAC_ASSIGN(const bool backup, truth(body, "backup", false));
    if (exports) policy_.exports.insert(role);
    if (backup) policy_.backups.insert(role);
    if (exports && backup) return bad(body, "roles: export and backup exclude each other");
    for (const auto& what : body.items) {
      const auto& name = what.key;
      if (name == "export" || name == "backup") continue;
      if (!policy_.classes.contains(name)) {
        return bad(what, "roles: unknown class: " + shown(name));
      }
      THERIAC_ASSIGN(auto decision, of_class(what, role));
      THERIAC_TRY(may_have(what, role, decision));
      policy_.lines[role]["class " + name] = what.line;
      if (const auto* columns = what.find("columns")) {
        THERIAC_TRY(of_columns(*columns, role, name, decision));
      }
      given.emplace(name, std::move(decision));
    }
    return {};
  }

  Status may_have(const YamlNode& node, const std::string& role, const Decision& decision) const {
    // A dump with masks in it would be restored as if they were the values.
    if (policy_.exports.contains(role) && std::holds_alternative<Masked>(decision)) {
      return bad(node, "roles: an export role reads a class clear, or not at all");
    }
    if (policy_.backups.contains(role) && !std::holds_alternative<Denied>(decision)) {
      return bad(node, "roles: a backup role reads sealed bytes, and has no class");
    }
    return {};
  }

  /// clear, denied, {mask: …, columns: …} or {rest: clear, columns: …}.
  Result<Decision> of_class(const YamlNode& node, std::string_view role) const {
    if (node.kind != Kind::kMap) return decision(node, role, node.key, false);
    const auto* rest = node.find("rest");
    if (rest == nullptr) return decision(node, role, node.key, true);
    THERIAC_TRY(keys(node, {"rest", "columns"}));
    if (node.find("columns") == nullptr) return bad(node, "rest: there are no columns beside it");
    if (rest->kind != Kind::kScalar) return bad(*rest, "rest: clear or denied is expected");
    return decision(*rest, role, node.key, false);
  }

  Status of_columns(const YamlNode& node, const std::string& role, const std::string& class_name,
                    const Decision& rest) {
    if (node.kind != Kind::kMap || node.items.empty()) {
      return bad(node, "columns: a map of at least one column is expected");
    }
    auto& all = policy_.column_roles[role][class_name];
    for (const auto& column : policy_.columns) {
      if (column.class_name == class_name) all.emplace(column.name(), rest);
    }
    std::set<std::string> seen;
    for (const auto& item : node.items) {
      const auto parts = parts_of(item.key);
      const ProtectedColumn* column = nullptr;
      if (parts && parts->size() == 3) {
        column = policy_.find((*parts)[0], (*parts)[1], (*parts)[2]);
      }
      if (column == nullptr || column->class_name != class_name) {
        return bad(item, "columns: schema.table.column of a column of the class is expected");
      }
      const auto name = column->name();
      if (!seen.insert(name).second) return bad(item, "columns: this column stands here twice");
      THERIAC_ASSIGN(auto made, decision(item, role, class_name, false));
      THERIAC_TRY(may_have(item, role, made));
      policy_.lines[role]["column " + name] = item.line;
      all[name] = std::move(made);
    }
    return {};
  }

  Result<Decision> decision(const YamlNode& node, std::string_view role,
                            std::string_view class_name, bool with_columns) const {
    if (node.kind == Kind::kScalar && node.text == "clear") return Clear{};
    if (node.kind == Kind::kScalar && node.text == "denied") return denied(role, class_name);
    const auto* mask = node.kind == Kind::kMap ? node.find("mask") : nullptr;
    if (mask == nullptr) return bad(node, "roles: clear, denied or {mask: …} is expected");
    // An unquoted null is YAML's own, which is the mask of that name.
    const bool null = mask->kind == Kind::kScalar && !mask->quoted && mask->text.empty();
    const auto kind = null                          ? MaskKind::kNull
                      : mask->kind == Kind::kScalar ? mask_named(mask->text)
                                                    : std::optional<MaskKind>{};
    if (!kind) {
      return bad(*mask,
                 "mask: name, phone, last_four, email, id_number, bank_card, address, year,"
                 " month, band, serial, constant, null or pseudonym");
    }
    Masked made{*kind};
    THERIAC_TRY(settings(node, made, with_columns));
    if (const auto* search = node.find("search")) {
      if (search->kind != Kind::kScalar || search->text != "allowed") {
        return bad(*search, "search: allowed is expected");
      }
      made.search = true;
    }
    return made;
  }

  /// What a kind of mask wants to be told, and nothing else.
  Status settings(const YamlNode& node, Masked& mask, bool with_columns) const {
    std::vector<std::string_view> known{"mask", "search"};
    if (with_columns) known.emplace_back("columns");
    switch (mask.how) {
      case MaskKind::kBand: {
        known.emplace_back("size");
        THERIAC_ASSIGN(const auto* size, required(node, "size"));
        THERIAC_ASSIGN(mask.size, whole(*size, "size", 1, kBandSizeMax));
        break;
      }
      case MaskKind::kSerial: {
        known.insert(known.end(), {"first", "last"});
        THERIAC_ASSIGN(const auto* first, required(node, "first"));
        THERIAC_ASSIGN(const auto* last, required(node, "last"));
        THERIAC_ASSIGN(mask.first, whole(*first, "first", 0, kSerialEndMax));
        THERIAC_ASSIGN(mask.last, whole(*last, "last", 0, kSerialEndMax));
        break;
      }
      case MaskKind::kConstant:
        known.emplace_back("value");
        if (const auto* value = node.find("value")) {
          if (value->kind != Kind::kScalar || value->text.size() > kConstantBytesMax) {
            return bad(*value, "value: a text of at most 1000 bytes is expected");
          }
          mask.value = value->text;
        }
        break;
      case MaskKind::kPseudonym: {
        known.emplace_back("recipient");
        THERIAC_ASSIGN(const auto* recipient, required(node, "recipient"));
        THERIAC_ASSIGN(mask.recipient, text(*recipient, "recipient"));
        if (!is_simple_name(mask.recipient, kRecipientNameMax)) {
          return bad(*recipient, "recipient: 1 to 63 of a-z 0-9 . _ -");
        }
        break;
      }
      default:
        break;
    }
    for (const auto& item : node.items) {
      if (std::find(known.begin(), known.end(), item.key) == known.end()) {
        return bad(item, "unknown key: " + shown(item.key));
      }
    }
    return {};
  }

  Policy& policy_;
};

}  // namespace

Status read_roles(const YamlNode& node, std::string_view file, Policy& policy) {
  return RoleReader(file, policy).roles(node);
}

}  // namespace theriac::policy
