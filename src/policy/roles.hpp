// What each database role gets, from YAML.
#pragma once

#include "policy/policy.hpp"
#include "policy/yaml_tree.hpp"

namespace theriac::policy {

/// Fills roles, column_roles, exports, backups and lines; classes and columns are there already.
/// Code::kPolicyInvalid, "file:line: what".
Status read_roles(const YamlNode& node, std::string_view file, Policy& policy);

}  // namespace theriac::policy
