// Which prefix stands for a namespace in a document that is written.
//
// Threading: one writer's own.
#pragma once

#include <map>
#include <set>

#include "epcis/document.hpp"

namespace theriac::epcis {

class Prefixes {
 public:
  /// `reserved`: prefixes that the format needs for itself. Those of `known` are free to be used
  /// and need no declaration unless the document declares them otherwise.
  Prefixes(const std::vector<Namespace>& declared, std::set<std::string, std::less<>> reserved,
           const std::vector<Namespace>& known);

  /// Makes sure that every namespace in the document's extensions has a prefix.
  void cover(const Document& document);
  void cover(const Event& event);
  void cover(const Element& element);

  /// Empty for a namespace that was not covered.
  [[nodiscard]] std::string_view of(std::string_view ns) const;
  /// What the document has to declare, in order: its own, then what was made up.
  [[nodiscard]] const std::vector<Namespace>& declarations() const { return declarations_; }

 private:
  void cover(const std::vector<Element>& elements);
  void cover(std::string_view ns);

  std::set<std::string, std::less<>> taken_;
  std::map<std::string, std::string, std::less<>> by_uri_;
  std::vector<Namespace> declarations_;
};

}  // namespace theriac::epcis
