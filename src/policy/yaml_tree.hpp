// YAML as a policy may use it: maps, lists and scalars with the line each stands on. Anchors,
// aliases, tags, several documents, doubled keys and deep nesting are refused, so that a policy
// says what it seems to say.
//
// Pure. Threading: values and free functions.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.hpp"

namespace theriac::policy {

inline constexpr std::size_t kYamlDepthMax = 8;
inline constexpr std::size_t kYamlNodesMax = 200'000;

struct YamlNode {
  enum class Kind : std::uint8_t { kScalar, kMap, kList };
  Kind kind = Kind::kScalar;
  bool quoted = false;  ///< scalars: 'a' and "a", which are never true, false or numbers
  std::string text;     ///< scalars
  std::size_t line = 1;
  std::string key;  ///< its name in the map it stands in
  /// Maps: in order, no key twice.
  std::vector<YamlNode> items;

  [[nodiscard]] const YamlNode* find(std::string_view name) const;
};

/// Code::kPolicyInvalid with "file:line: what".
Result<YamlNode> parse_yaml(std::string_view text, std::string_view file_name);

}  // namespace theriac::policy
