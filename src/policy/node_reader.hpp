// Reading single values out of a policy's YAML, and refusing them with file and line.
//
// Pure. Threading: values and free functions. Errors: Code::kPolicyInvalid, "file:line: what", with
// nothing of the file's text but plain words.
#pragma once

#include <algorithm>
#include <charconv>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>

#include "policy/limits.hpp"
#include "policy/yaml_tree.hpp"

namespace theriac::policy {

inline bool is_simple_name(std::string_view name, std::size_t size_max) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  return !name.empty() && name.size() <= size_max && letter(name.front()) &&
         std::all_of(name.begin(), name.end(),
                     [&](char c) { return letter(c) || c == '_' || c == '-' || c == '.'; });
}

inline bool is_identifier(std::string_view name) {
  return !name.empty() && name.size() <= kIdentifierBytesMax &&
         std::none_of(name.begin(), name.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// A key for an error text: as it stands if it is a plain word, else nothing of it.
inline std::string shown(std::string_view key) {
  return is_simple_name(key, kIdentifierBytesMax) ? std::string(key)
                                                  : "a key that is no plain word";
}

/// The parts of a dotted name, a part in double quotes if it holds a dot or a quote. nullopt: a
/// quote is not closed, or stands inside a part.
std::optional<std::vector<std::string>> parts_of(std::string_view name);

class NodeReader {
 public:
  explicit NodeReader(std::string_view file) : file_(file) {}

 protected:
  using Kind = YamlNode::Kind;

  [[nodiscard]] std::string_view file() const { return file_; }
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

 private:
  std::string_view file_;
};

}  // namespace theriac::policy
