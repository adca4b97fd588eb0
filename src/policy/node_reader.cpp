#include "policy/node_reader.hpp"

namespace theriac::policy {

std::optional<std::vector<std::string>> parts_of(std::string_view name) {
  std::vector<std::string> parts;
  std::size_t at = 0;
  while (true) {
    std::string part;
    if (at < name.size() && name[at] == '"') {
      for (++at;; ++at) {
        if (at >= name.size()) return std::nullopt;
        if (name[at] == '"') {
          if (at + 1 >= name.size() || name[at + 1] != '"') break;
          ++at;
        }
        part += name[at];
      }
      ++at;
    } else {
      while (at < name.size() && name[at] != '.') part += name[at++];
      if (part.find('"') != std::string::npos) return std::nullopt;
    }
    parts.push_back(std::move(part));
    if (at == name.size()) return parts;
    if (name[at] != '.') return std::nullopt;
    ++at;
  }
}

}  // namespace theriac::policy
