// From YAML to a Policy. Everything not known is refused, with the line it stands on.
#include <algorithm>
#include <charconv>
#include <fstream>
#include <set>
#include <tuple>

#include "pgwire/utf8.hpp"
#include "policy/canonical.hpp"
#include "policy/limits.hpp"
#include "policy/policy.hpp"
#include "policy/yaml_tree.hpp"

namespace theriac::policy {
namespace {

using Kind = YamlNode::Kind;

bool is_simple_name(std::string_view name, std::size_t size_max) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= size_max && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || c == '_' || c == '-' || c == '.'; });
}

bool is_identifier(std::string_view name) {
  return !name.empty() && name.size() <= kIdentifierBytesMax &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// A key for an error text: as it stands if it is a plain word, else nothing of it.
std::string shown(std::string_view key) {
  return is_simple_name(key, kIdentifierBytesMax) ? std::string(key)
                                                  : "a key that is no plain word";
}

class Reader {
 public:
  explicit Reader(std::string_view file) : file_(file) {}

  Result<Policy> policy(const YamlNode& root) {
    THERIAC_TRY(keys(root, {"version", "tenant", "classes", "columns", "roles"}));
    THERIAC_ASSIGN(const auto* version, required(root, "version"));
    if (version->kind != Kind::kScalar || version->quoted || version->text != "1") {
      return bad(*version, "version: only 1 is known");
    }
    Policy policy;
    THERIAC_ASSIGN(const auto* tenant, required(root, "tenant"));
    THERIAC_ASSIGN(policy.tenant, text(*tenant, "tenant"));
    if (!is_simple_name(policy.tenant, kTenantNameMax)) {
      return bad(*tenant, "tenant: 1 to 63 of a-z 0-9 . _ -");
    }
    THERIAC_ASSIGN(const auto* classes, required(root, "classes"));
    THERIAC_TRY(read_classes(*classes, policy));
    THERIAC_ASSIGN(const auto* columns, required(root, "columns"));
    THERIAC_TRY(read_columns(*columns, policy));
    THERIAC_ASSIGN(const auto* roles, required(root, "roles"));
    THERIAC_TRY(read_roles(*roles, policy));
    policy.hash = hash_of(policy);
    return policy;
  }

 private:
  [[nodiscard]] tl::unexpected<Error> bad(const YamlNode& node, std::string_view what) const {
    return fail(Code::kPolicyInvalid, fmt::format("{}:{}: {}", file_, node.line, what));
  }

  /// `node` is a map with no other keys than these.
  Status keys(const YamlNode& node, std::initializer_list<std::string_view> known) const {
    if (node.kind != Kind::kMap) return bad(node, "a map of keys is expected");
    for (const auto& value : node.items) {
      if (std::find(known.begin(), known.end(), value.key) == known.end()) {
        return bad(value, "unknown key: " + shown(value.key));
      }
    }
    return {};
  }

  Result<const YamlNode*> required(const YamlNode& node, std::string_view key) const {
    const auto* found = node.find(key);
    if (found == nullptr) return bad(node, fmt::format("{} is missing", key));
    return found;
  }

  Result<std::string> text(const YamlNode& node, std::string_view key) const {
    if (node.kind != Kind::kScalar || node.text.empty()) {
      return bad(node, fmt::format("{}: a text is expected", key));
    }
    return node.text;
  }

  Result<bool> truth(const YamlNode& parent, std::string_view key, bool otherwise) const {
    const auto* node = parent.find(key);
    if (node == nullptr) return otherwise;
    if (node->kind == Kind::kScalar && !node->quoted) {
      if (node->text == "true") return true;
      if (node->text == "false") return false;
    }
    return bad(*node, fmt::format("{}: true or false is expected", key));
  }

  Result<std::uint32_t> whole(const YamlNode& node, std::string_view key, std::uint32_t least,
                              std::uint32_t most) const {
    std::uint32_t value = 0;
    const auto* end = node.text.data() + node.text.size();
    const auto read = std::from_chars(node.text.data(), end, value);
    if (node.kind != Kind::kScalar || node.quoted || read.ec != std::errc{} || read.ptr != end ||
        value < least || value > most) {
      return bad(node,
                 fmt::format("{}: a whole number from {} to {} is expected", key, least, most));
    }
    return value;
  }

  Status read_classes(const YamlNode& node, Policy& policy) const {
    if (node.kind != Kind::kMap || node.items.empty()) {
      return bad(node, "classes: a map of at least one class is expected");
    }
    if (node.items.size() > kClassesMax) return bad(node, "classes: too many");
    for (const auto& body : node.items) {
      const auto& name = body.key;
      if (!is_simple_name(name, kClassNameMax)) {
        return bad(body, "classes: a name is 1 to 32 of a-z 0-9 . _ -");
      }
      if (name == "export" || name == "backup") {
        return bad(body, "classes: export and backup have a meaning of their own under roles");
      }
      THERIAC_TRY(keys(body, {"suite", "bind_rows", "buckets", "grace_s", "strict"}));
      Class made;
      made.name = name;
      if (const auto* suite = body.find("suite")) {
        if (suite->kind == Kind::kScalar && suite->text == "aes") {
          made.suite = seal::Suite::kXaes256Gcm;
        } else if (suite->kind == Kind::kScalar && suite->text == "sm4") {
          made.suite = seal::Suite::kSm4Gcm;
        } else {
          return bad(*suite, "suite: aes or sm4 is expected");
        }
      }
      THERIAC_ASSIGN(made.bind_rows, truth(body, "bind_rows", false));
      THERIAC_ASSIGN(made.strict, truth(body, "strict", false));
      if (const auto* grace = body.find("grace_s")) {
        THERIAC_ASSIGN(made.grace_s, whole(*grace, "grace_s", 0, kGraceSecondsMax));
      }
      if (const auto* buckets = body.find("buckets")) {
        THERIAC_ASSIGN(made.buckets, read_buckets(*buckets));
      }
      policy.classes.emplace(name, std::move(made));
    }
    return {};
  }

  Result<seal::Buckets> read_buckets(const YamlNode& node) const {
    if (node.kind != Kind::kList || node.items.size() > kBucketsMax) {
      return bad(node, "buckets: a list of at most 16 lengths is expected");
    }
    seal::Buckets out;
    for (const auto& item : node.items) {
      THERIAC_ASSIGN(const auto bytes, whole(item, "buckets", 1, kBucketBytesMax));
      if (!out.empty() && bytes <= out.back()) {
        return bad(item, "buckets: each must be larger than the one before");
      }
      out.push_back(bytes);
    }
    return out;
  }

  /// schema.table, either part in double quotes if it holds a dot or a quote. Case matters.
  Result<std::pair<std::string, std::string>> table_name(const YamlNode& node) const {
    THERIAC_ASSIGN(const auto full, text(node, "table"));
    std::vector<std::string> parts;
    std::size_t at = 0;
    while (true) {
      std::string part;
      if (at < full.size() && full[at] == '"') {
        for (++at;; ++at) {
          if (at >= full.size()) return bad(node, "table: a quote is not closed");
          if (full[at] == '"') {
            if (at + 1 >= full.size() || full[at + 1] != '"') break;
            ++at;
          }
          part += full[at];
        }
        ++at;
      } else {
        while (at < full.size() && full[at] != '.') part += full[at++];
        if (part.find('"') != std::string::npos) return bad(node, "table: a quote inside a name");
      }
      parts.push_back(std::move(part));
      if (at == full.size()) break;
      if (full[at] != '.') return bad(node, "table: schema.table is expected");
      ++at;
    }
    if (parts.size() != 2 || !is_identifier(parts[0]) || !is_identifier(parts[1])) {
      return bad(node, "table: schema.table is expected");
    }
    if (parts[0] == "theriac" || parts[0] == "information_schema" || parts[0].starts_with("pg_")) {
      return bad(node, "table: system tables cannot be protected");
    }
    return std::pair{std::move(parts[0]), std::move(parts[1])};
  }

  Status read_columns(const YamlNode& node, Policy& policy) const {
    if (node.kind != Kind::kList) return bad(node, "columns: a list is expected");
    if (node.items.size() > kColumnsMax) return bad(node, "columns: too many");
    std::set<std::tuple<std::string, std::string, std::string>> seen;
    std::map<std::string, std::string> class_of_domain, class_of_expression;
    for (const auto& body : node.items) {
      THERIAC_ASSIGN(auto made, read_column(body, policy));
      if (!seen.emplace(made.schema, made.table, made.column).second) {
        return bad(body, "columns: this column stands here twice");
      }
      // Index keys are a class's own: two classes never give equal indexes.
      if (made.searchable) {
        const auto [at, fresh] = class_of_domain.emplace(made.domain, made.class_name);
        if (!fresh && at->second != made.class_name) {
          return bad(body, "domain: columns of one domain must be of one class");
        }
      }
      for (const auto& search : made.searches) {
        const auto [at, fresh] = class_of_expression.emplace(search.domain, made.class_name);
        if (!fresh && at->second != made.class_name) {
          return bad(body, "search: columns of one domain must be of one class");
        }
      }
      policy.columns.push_back(std::move(made));
    }
    for (const auto& [domain, of_class] : class_of_expression) {
      if (class_of_domain.contains(domain)) {
        return bad(node, "domain: one for columns and for expressions: " + shown(domain));
      }
    }
    return {};
  }

  /// `lower`, `upper`, or {name, expression, domain}.
  Result<std::vector<Search>> read_searches(const YamlNode& node,
                                            const ProtectedColumn& column) const {
    if (node.kind != Kind::kList || node.items.size() > kSearchesMax) {
      return bad(node, "search: a list of at most 8 expressions is expected");
    }
    std::vector<Search> out;
    for (const auto& item : node.items) {
      Search made;
      std::string written;
      if (item.kind == Kind::kScalar) {
        made.name = item.text;
        if (made.name != "lower" && made.name != "upper") {
          return bad(item, "search: lower, upper or {name: …, expression: …} is expected");
        }
        written = made.name + "(value)";
      } else {
        THERIAC_TRY(keys(item, {"name", "expression", "domain"}));
        THERIAC_ASSIGN(const auto* name, required(item, "name"));
        THERIAC_ASSIGN(made.name, text(*name, "name"));
        THERIAC_ASSIGN(const auto* expression, required(item, "expression"));
        THERIAC_ASSIGN(written, text(*expression, "expression"));
      }
      const bool plain = std::all_of(made.name.begin(), made.name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
      });
      if (made.name.empty() || made.name.size() > kSearchNameMax || !plain) {
        return bad(item, "search: a name is 1 to 32 of a-z 0-9 _");
      }
      auto parsed = pgwire::TextExpression::parse(written);
      if (!parsed) {
        return bad(item, "expression: lower, upper, left and right of value are expected");
      }
      made.expression = std::move(*parsed);
      made.domain = column.domain + "|" + made.expression.text();
      if (item.kind != Kind::kScalar) {
        if (const auto* domain = item.find("domain")) {
          THERIAC_ASSIGN(made.domain, text(*domain, "domain"));
        }
      }
      if (made.domain.size() > 2 * kDomainNameMax) return bad(item, "domain: too long");
      for (const auto& other : out) {
        if (other.name == made.name || other.expression == made.expression) {
          return bad(item, "search: this name or expression stands here twice");
        }
      }
      out.push_back(std::move(made));
    }
    return out;
  }

  Result<ProtectedColumn> read_column(const YamlNode& body, const Policy& policy) const {
    THERIAC_TRY(keys(body, {"table", "column", "class", "searchable", "domain", "accept_leakage",
                            "accept_triggers", "search"}));
    ProtectedColumn made;
    THERIAC_ASSIGN(const auto* table, required(body, "table"));
    THERIAC_ASSIGN(auto name, table_name(*table));
    made.schema = std::move(name.first);
    made.table = std::move(name.second);
    THERIAC_ASSIGN(const auto* column, required(body, "column"));
    THERIAC_ASSIGN(made.column, text(*column, "column"));
    if (!is_identifier(made.column) || made.column.starts_with("theriac_")) {
      return bad(*column, "column: not a name of a column that can be protected");
    }
    THERIAC_ASSIGN(const auto* of_class, required(body, "class"));
    THERIAC_ASSIGN(made.class_name, text(*of_class, "class"));
    if (!policy.classes.contains(made.class_name)) {
      return bad(*of_class, "class: unknown: " + shown(made.class_name));
    }
    THERIAC_ASSIGN(made.searchable, truth(body, "searchable", false));
    THERIAC_ASSIGN(made.accept_leakage, truth(body, "accept_leakage", false));
    const auto* search = body.find("search");
    if (made.accept_leakage && !made.searchable && search == nullptr) {
      return bad(body, "accept_leakage: the column is not searchable, it leaks nothing");
    }
    if (const auto* domain = body.find("domain")) {
      if (!made.searchable) return bad(*domain, "domain: the column is not searchable");
      THERIAC_ASSIGN(made.domain, text(*domain, "domain"));
      if (made.domain.size() > kDomainNameMax) return bad(*domain, "domain: longer than 200 bytes");
    } else {
      made.domain = made.schema + "." + made.table + "." + made.column;
    }
    if (search != nullptr) {
      THERIAC_ASSIGN(made.searches, read_searches(*search, made));
    }
    if (const auto* triggers = body.find("accept_triggers")) {
      if (triggers->kind != Kind::kList)
        return bad(*triggers, "accept_triggers: a list is expected");
      for (const auto& trigger : triggers->items) {
        THERIAC_ASSIGN(auto trigger_name, text(trigger, "accept_triggers"));
        made.accept_triggers.push_back(std::move(trigger_name));
      }
    }
    return made;
  }

  Status read_roles(const YamlNode& node, Policy& policy) const {
    if (node.kind != Kind::kMap) return bad(node, "roles: a map is expected");
    if (node.items.size() > kRolesMax) return bad(node, "roles: too many");
    for (const auto& body : node.items) {
      const auto& role = body.key;
      if (!is_identifier(role)) return bad(body, "roles: not a name of a database role");
      if (role == "public" || role == "postgres" || role.starts_with("pg_")) {
        return bad(body, "roles: a system role cannot be given anything");
      }
      if (body.kind != Kind::kMap) return bad(body, "roles: a map of classes is expected");
      auto& given = policy.roles[role];
      THERIAC_ASSIGN(const bool exports, truth(body, "export", false));
      THERIAC_ASSIGN(const bool backup, truth(body, "backup", false));
      if (exports) policy.exports.insert(role);
      if (backup) policy.backups.insert(role);
      if (exports && backup) return bad(body, "roles: export and backup exclude each other");
      for (const auto& what : body.items) {
        const auto& name = what.key;
        if (name == "export" || name == "backup") continue;
        if (!policy.classes.contains(name)) {
          return bad(what, "roles: unknown class: " + shown(name));
        }
        THERIAC_ASSIGN(auto decision, read_decision(what, role, name));
        // A dump with masks in it would be restored as if they were the values.
        if (exports && std::holds_alternative<Masked>(decision)) {
          return bad(what, "roles: an export role reads a class clear, or not at all");
        }
        if (backup && !std::holds_alternative<Denied>(decision)) {
          return bad(what, "roles: a backup role reads sealed bytes, and has no class");
        }
        given.emplace(name, std::move(decision));
      }
    }
    return {};
  }

  Result<Decision> read_decision(const YamlNode& node, std::string_view role,
                                 std::string_view class_name) const {
    if (node.kind == Kind::kScalar && node.text == "clear") return Clear{};
    if (node.kind == Kind::kScalar && node.text == "denied") return denied(role, class_name);
    if (node.kind == Kind::kMap && node.items.size() == 1 && node.items[0].key == "mask" &&
        node.items[0].kind == Kind::kScalar) {
      if (const auto kind = mask_named(node.items[0].text)) return Masked{*kind};
      return bad(node.items[0],
                 "mask: name, phone, last_four, email, id_number, year, constant or null");
    }
    return bad(node, "roles: clear, denied or {mask: …} is expected");
  }

  std::string_view file_;
};

}  // namespace

Result<Policy> parse_policy(std::string_view yaml, std::string_view file_name) {
  if (yaml.size() > kPolicyBytesMax) {
    return fail(Code::kPolicyInvalid, fmt::format("{}:1: larger than 4 MiB", file_name));
  }
  if (!pgwire::is_utf8(yaml)) {
    return fail(Code::kPolicyInvalid, fmt::format("{}:1: not UTF-8", file_name));
  }
  THERIAC_ASSIGN(const auto root, parse_yaml(yaml, file_name));
  return Reader(file_name).policy(root);
}

Result<Policy> load_policy(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(Code::kNotFound, path);
  // One byte more than allowed, so that the parser sees that it is too large.
  std::string content(kPolicyBytesMax + 1, '\0');
  file.read(content.data(), static_cast<std::streamsize>(content.size()));
  if (file.bad()) return fail(Code::kIo, path);
  content.resize(static_cast<std::size_t>(file.gcount()));
  return parse_policy(content, path);
}

}  // namespace theriac::policy
