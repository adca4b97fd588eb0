#include "epcis/query.hpp"

#include <algorithm>

namespace theriac::epcis {

namespace {

bool has_any(const std::vector<Term>& sorted, const std::vector<Term>& wanted) {
  return std::ranges::any_of(
      wanted, [&](const Term& term) { return std::ranges::binary_search(sorted, term); });
}

}  // namespace

std::vector<std::string> split_values(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const std::size_t bar = text.find('|');
    if (bar != 0) out.emplace_back(text.substr(0, bar));
    if (bar == std::string_view::npos) break;
    text.remove_prefix(bar + 1);
  }
  return out;
}

bool Query::matches(const Event& event, const MasterDataLookup& lookup) const {
  const std::vector<Term> terms = terms_of(event);
  return std::ranges::all_of(conditions_, [&](const Condition& condition) {
    return condition.holds ? condition.holds(event, lookup)
                           : has_any(terms, condition.terms(lookup));
  });
}

std::vector<std::vector<Term>> Query::terms(const MasterDataLookup& lookup) const {
  std::vector<std::vector<Term>> out;
  for (const Condition& condition : conditions_) {
    if (condition.terms) out.push_back(condition.terms(lookup));
  }
  return out;
}

bool Query::before(const Event& a, const Event& b) const {
  return order_ != nullptr && (*order_)(a, b);
}

}  // namespace theriac::epcis
