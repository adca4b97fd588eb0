// A query as JSON, a zero byte, an event: what matches has the terms that the query is narrowed by.
#include <algorithm>

#include "base/bytes.hpp"
#include "epcis/query.hpp"
#include "epcis/read.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace theriac;
  using namespace theriac::epcis;
  const std::string_view input = text_of({data, size});
  const std::size_t zero = input.find('\0');
  if (zero == std::string_view::npos) return 0;
  const auto query = Query::parse_json(input.substr(0, zero));
  const auto reading = read_json(input.substr(zero + 1));
  if (!query || !reading) return 0;
  for (const Event& event : reading->document.events) {
    if (!query->matches(event)) continue;
    const std::vector<Term> terms = terms_of(event);
    for (const std::vector<Term>& any : query->terms()) {
      THERIAC_ASSERT(std::ranges::any_of(
          any, [&](const Term& term) { return std::ranges::binary_search(terms, term); }));
    }
  }
  return 0;
}
