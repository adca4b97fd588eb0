// From YAML to a Policy. Everything not known is refused, with the line it stands on.
#include <algorithm>
#include <fstream>
#include <set>
#include <tuple>

#include "pgwire/utf8.hpp"
#include "policy/canonical.hpp"
#include "policy/limits.hpp"
#include "policy/node_reader.hpp"
#include "policy/policy.hpp"
#include "policy/roles.hpp"
#include "policy/yaml_tree.hpp"

namespace theriac::policy {
namespace {

class Reader : public NodeReader {
 public:
  using NodeReader::NodeReader;

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
    THERIAC_TRY(read_roles(*roles, file(), policy));
    policy.hash = hash_of(policy);
    return policy;
  }

 private:
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

  Result<std::pair<std::string, std::string>> table_name(const YamlNode& node) const {
    THERIAC_ASSIGN(const auto full, text(node, "table"));
    auto parts = parts_of(full);
    if (!parts || parts->size() != 2 || !is_identifier((*parts)[0]) ||
        !is_identifier((*parts)[1])) {
      return bad(node, "table: schema.table is expected, a part with a dot or quote in quotes");
    }
    if ((*parts)[0] == "theriac" || (*parts)[0] == "information_schema" ||
        (*parts)[0].starts_with("pg_")) {
      return bad(node, "table: system tables cannot be protected");
    }
    return std::pair{std::move((*parts)[0]), std::move((*parts)[1])};
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
