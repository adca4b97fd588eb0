// Names in JSON: what @context says of prefixes (JSON-LD 1.1, as far as EPCIS uses it).
//
// Understood are addresses (the standard's context is known, others are kept but never fetched) and
// prefixes with the URI they stand for. The standard's own terms cannot be redefined: they are
// protected there. A JSON-LD "@vocab" is the namespace of names without a prefix.
//
// Threading: values.
#pragma once

#include <map>
#include <span>
#include <utility>

#include "epcis/document.hpp"
#include "epcis/report.hpp"

namespace theriac::epcis {

class Context {
 public:
  /// Knows the prefixes of the standard's context.
  Context();

  /// The value of an "@context" member: an address, an object or an array of them. Adds to what is
  /// known; what is new goes to `contexts` and `namespaces` where these are given.
  void add(const Element& value, Report& report, std::vector<std::string>* contexts,
           std::vector<Namespace>* namespaces);

  struct Name {
    std::string_view ns;  ///< into the context, or into the name
    std::string_view local;
  };
  /// "ext:field", or a full URI, which is parted at its last "/", "#" or ":". Without a prefix: the
  /// name with an empty namespace, or @vocab's. Nothing if the prefix is not known.
  [[nodiscard]] std::optional<Name> resolve(std::string_view name) const;

 private:
  void add_term(const std::string& term, const Element& value, Report& report,
                std::vector<Namespace>* namespaces);

  std::map<std::string, std::string, std::less<>> prefixes_;
  std::string vocab_;
};

/// Prefixes that the standard's context declares.
std::span<const std::pair<std::string_view, std::string_view>> standard_prefixes();
bool is_standard_prefix(const Namespace& declaration);

}  // namespace theriac::epcis
